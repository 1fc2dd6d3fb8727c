package flow

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// in returns the guard for a condition or value of another place.
func (g guard) in(sc *scope) guard {
	g.sc, g.failing, g.depth = sc, false, g.depth+1
	return g
}

// answer returns what an output or result of a step or job before may be for the
// person, or what an input is given; false when it may be anything.
func (g guard) answer(r *workflows.Ref) ([]value, bool) {
	if g.depth > maxNest || r.Base != nil || len(r.Parts) < 2 || !g.st.spend(1) {
		return nil, false
	}
	name := r.Parts[1].Name
	field, output := "", ""
	if len(r.Parts) > 2 {
		field = r.Parts[2].Name
	}
	if len(r.Parts) == 4 && field == "outputs" {
		output = r.Parts[3].Name
	}
	switch r.Parts[0].Name {
	case "steps":
		if s := g.sc.stepByID(name); s != nil {
			return g.ofStep(s, field, output)
		}
	case "needs":
		j := g.sc.jobByID(name)
		if j != nil && g.sc.job != nil && slices.ContainsFunc(g.sc.job.Needs, func(n *workflows.Scalar) bool { return equalFold(n.Value, name) }) {
			return g.ofJob(j, field, output)
		}
	case "jobs":
		if j := g.sc.jobByID(name); j != nil {
			return g.ofJob(j, field, output)
		}
	case "inputs":
		return g.ofInput(name)
	}
	return nil, false
}

// ofInput returns what the callers in the repository give an input.
func (g guard) ofInput(name string) ([]value, bool) {
	if g.sc.open || len(g.sc.calls) == 0 || g.event == "workflow_dispatch" {
		return nil, false
	}
	in := inputNamed(g.sc.inputs, name)
	if in == nil || in.Type == "number" {
		return nil, false
	}
	var out []value
	for _, c := range g.sc.calls {
		given := c.with.Get(name)
		if given == nil {
			given = in.Default
		}
		texts, ok := g.in(c.from).anyText(given)
		if !ok {
			return nil, false
		}
		out = append(out, texts...)
	}
	if in.Type == "boolean" {
		for i := range out {
			out[i] = boolean(out[i].text == "true")
		}
	}
	return bounded(out)
}

// ofJob returns what a result or output of a job may be. One that the person's run
// does not get to is skipped.
func (g guard) ofJob(j *workflows.Job, field, output string) ([]value, bool) {
	sc := g.st.jobs[j]
	skipped := g.skips(sc)
	switch {
	case field == "result" && skipped:
		return []value{str("skipped")}, true
	case field == "result" && g.person.powerless() && j.ContinueOnError == nil && slices.ContainsFunc(g.st.refusers(sc), func(s *workflows.Step) bool { return g.st.refuses(sc, s, g.event, g.depth) }):
		return []value{str("failure"), str("skipped"), str("cancelled")}, true
	case output == "":
		return nil, false
	case skipped:
		return []value{str("")}, true
	}
	values, ok := g.in(sc).outputOf(j, output)
	if ok && g.failing { // of a job that fails before it is set
		return bounded(append(values, str("")))
	}
	return values, ok
}

func (g guard) outputOf(j *workflows.Job, name string) ([]value, bool) {
	if j.Uses == nil {
		return g.anyText(j.Outputs.Get(name))
	}
	f := g.st.callee(j.Uses)
	if f == nil || len(f.Workflow.Jobs) == 0 {
		return nil, false
	}
	for _, t := range f.Workflow.On {
		for _, o := range t.Outputs {
			if equalFold(o.Key.Value, name) {
				return g.in(g.st.jobs[f.Workflow.Jobs[0]]).anyText(o.Value)
			}
		}
	}
	return nil, false
}

// skips reports whether the person's run does not get to a job.
func (g guard) skips(sc *scope) bool {
	events := g.st.eventsOf(sc, g.depth)
	return sc.known && !slices.ContainsFunc(events, func(e Event) bool {
		switch {
		case e.Name != g.event:
			return false
		case g.person.powerless():
			return e.Who >= platform.StartForkSandboxed
		case g.person == member:
			return e.Text >= platform.StartForkSandboxed
		}
		return true
	})
}

// ofStep returns what an output or the outcome of a step may be.
func (g guard) ofStep(s *workflows.Step, field, output string) ([]value, bool) {
	runs := g.gets(s)
	switch {
	case field == "outcome" && runs == no, field == "conclusion" && runs == no:
		return []value{str("skipped")}, true
	case field == "outcome" && g.st.fails(s, g):
		return []value{str("failure"), str("skipped"), str("cancelled")}, true
	case output == "":
		return nil, false
	case runs == no:
		return []value{str("")}, true
	}
	values, ok := g.stepOutput(s, output)
	if ok && runs == unknown {
		return bounded(append(values, str("")))
	}
	return values, ok
}

// gets tells whether the person's run gets to a step: past its if: and the steps
// before it that refuse him.
func (g guard) gets(s *workflows.Step) truth {
	g.depth++
	if g.depth > maxNest {
		return unknown
	}
	t := g.scalar(s.If)
	if t == no || !g.person.powerless() || asksStatus(s.If) {
		return t
	}
	for _, earlier := range g.st.refusers(g.sc) {
		if g.sc.index[earlier] < g.sc.index[s] && g.st.refuses(g.sc, earlier, g.event, g.depth) {
			return no
		}
	}
	return t
}

func (g guard) stepOutput(s *workflows.Step, name string) ([]value, bool) {
	if f := g.st.localAction(s.Uses); f != nil {
		for _, o := range f.Action.Outputs {
			if equalFold(o.Key.Value, name) {
				return g.in(g.st.inner(f)).anyText(o.Value)
			}
		}
		return nil, false
	}
	if s.Run != nil || isGithubScript(s) {
		return g.scriptOutput(s, name)
	}
	if s.Uses != nil && g.person.powerless() && platform.ActionGate(s.Uses.FullName()) != platform.NoGate {
		if platform.IsVerdict(s.Uses.FullName(), name) {
			return []value{str("false")}, true
		}
		return denials, true
	}
	return nil, false
}

// inner returns the scope of a composite action's own steps, whoever uses it.
func (st *state) inner(f *workflows.File) *scope {
	if sc, ok := st.inners[f]; ok {
		return sc
	}
	sc := st.newScope(scope{file: f, action: f.Action, steps: f.Action.AllSteps(), inputs: f.Action.Inputs, open: true, known: true})
	st.inners[f] = sc
	return sc
}

// denials are how a gate says no.
var denials = []value{
	str(""), str("false"), str("no"), str("0"), str("none"), str("read"), str("null"), str("failure"), str("failed"), str("skipped"), str("denied"),
	str("[]"), str(`""`), str(`"none"`), str(`"read"`),
}

// denies reports whether a text is how a gate says no.
func denies(v value) bool {
	return slices.ContainsFunc(denials, func(d value) bool { return strings.EqualFold(d.text, v.text) })
}

// OutsiderTexts returns what a value of a job can be in an outsider's run of an event, and
// false when it can be anything.
func (a *Analysis) OutsiderTexts(j *workflows.Job, v *workflows.Scalar, e Event) ([]string, bool) {
	sc := a.state.jobs[j]
	if sc == nil || v == nil {
		return nil, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	values, ok := guard{event: e.Name, person: outsider, actions: actions(e), st: a.state, sc: sc}.anyText(v)
	var out []string
	for _, x := range values {
		out = append(out, x.text)
	}
	return out, ok
}

// BareNo returns the part of a condition that is a bare output which is the text
// 'false' where it says no. Every text but the empty one is true, so that it holds.
// It is nil where there is none, and what stands under a ! is passed over.
func (a *Analysis) BareNo(j *workflows.Job, cond *workflows.Scalar) *workflows.Ref {
	sc := a.state.jobs[j]
	if sc == nil || cond == nil || len(cond.Exprs) != 1 {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range operands(nil, cond.Exprs[0].Root) {
		path := r.Path()
		if !strings.HasPrefix(path, "needs.") && !strings.HasPrefix(path, "steps.") {
			continue
		}
		for _, e := range sc.events {
			g := guard{event: e.Name, actions: actions(e), st: a.state, sc: sc}
			if values, ok := g.answer(r); ok && !slices.ContainsFunc(values, notBoolean) && slices.Contains(values, str("false")) {
				return r
			}
		}
	}
	return nil
}

func notBoolean(v value) bool { return v.text != "" && v.text != "true" && v.text != "false" }

// operands returns the bare references that && and || join.
func operands(out []*workflows.Ref, n workflows.ExprNode) []*workflows.Ref {
	switch n := n.(type) {
	case *workflows.Binary:
		if n.Op == "&&" || n.Op == "||" {
			return operands(operands(out, n.X), n.Y)
		}
	case *workflows.Ref:
		return append(out, n)
	}
	return out
}
