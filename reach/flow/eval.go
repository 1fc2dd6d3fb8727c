package flow

import (
	"maps"
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// A mode is the question an evaluation asks.
type mode int

const (
	// asText: can an outsider write text of his choice here?
	asText mode = iota
	// asCode: can an outsider choose which commit or repository this names? A sha
	// of his branch is no text of his choice, yet it is his code.
	asCode
)

// An eval is one evaluation; seen stops cycles.
type eval struct {
	st    *state
	mode  mode
	depth int
}

func (st *state) newEval(m mode) *eval { return &eval{st: st, mode: m} }

// expr returns the taints of an expression.
func (ev *eval) expr(sc *scope, s *workflows.Step, e *workflows.Expr) []Taint {
	if e == nil || e.Root == nil {
		return nil
	}
	return ev.node(sc, s, e.Root)
}

// scalar returns the taints of all expressions of a value.
func (ev *eval) scalar(sc *scope, s *workflows.Step, v *workflows.Scalar) []Taint {
	if v == nil {
		return nil
	}
	var out []Taint
	for _, e := range v.Exprs {
		out = merge(out, ev.expr(sc, s, e))
	}
	return out
}

func (ev *eval) node(sc *scope, s *workflows.Step, n workflows.ExprNode) []Taint {
	ev.st.steps++
	if ev.st.steps > maxSteps || ev.depth > maxDepth {
		return nil
	}
	ev.depth++
	defer func() { ev.depth-- }()
	switch n := n.(type) {
	case *workflows.Ref:
		if n.Base != nil {
			return ev.node(sc, s, n.Base)
		}
		return ev.ref(sc, s, n)
	case *workflows.Binary:
		return ev.binary(sc, s, n)
	case *workflows.Call:
		return ev.call(sc, s, n)
	}
	return nil
}

// binary follows what an operator can yield: a && b is a only when a is false,
// empty or zero, which carries nothing, and comparisons are booleans.
func (ev *eval) binary(sc *scope, s *workflows.Step, n *workflows.Binary) []Taint {
	switch n.Op {
	case "&&":
		return ev.node(sc, s, n.Y)
	case "||":
		return merge(ev.node(sc, s, n.X), ev.node(sc, s, n.Y))
	}
	return nil
}

func (ev *eval) call(sc *scope, s *workflows.Step, n *workflows.Call) []Taint {
	switch n.Func {
	case "format", "join", "tojson", "fromjson":
		var out []Taint
		for _, a := range n.Args {
			out = merge(out, ev.node(sc, s, a))
		}
		return out
	case "case": // case(pred, value, …, default): every second argument is a value
		var out []Taint
		for i, a := range n.Args {
			if i%2 == 1 || i == len(n.Args)-1 {
				out = merge(out, ev.node(sc, s, a))
			}
		}
		return out
	}
	return nil
}

func (ev *eval) ref(sc *scope, s *workflows.Step, n *workflows.Ref) []Taint {
	if len(n.Parts) == 0 {
		return nil
	}
	name := func(i int) string {
		if i < len(n.Parts) {
			return n.Parts[i].Name
		}
		return ""
	}
	switch name(0) {
	case "env":
		return ev.env(sc, s, name(1), n.Span)
	case "inputs":
		return ev.input(sc, name(1), n.Span)
	case "steps":
		if name(2) != "outputs" {
			return nil
		}
		return ev.output(sc, name(1), name(3), n.Span)
	case "needs":
		if name(2) != "outputs" {
			return nil
		}
		return ev.need(sc, name(1), name(3), n.Span)
	case "matrix":
		return ev.matrix(sc, name(1))
	case "github":
		if name(1) == "event" && name(2) == "inputs" {
			return ev.input(sc, name(3), n.Span)
		}
		return ev.source(sc, n)
	}
	return nil
}

// source asks the table what a github.* context can carry under the job's events.
func (ev *eval) source(sc *scope, n *workflows.Ref) []Taint {
	path := n.Path()
	ctx := platform.LookupContext(path)
	if ev.mode == asCode {
		return ev.headSource(sc, n, path)
	}
	if ctx.Shape != platform.ShapeText {
		return nil
	}
	t := Taint{Source: path, Who: platform.StartWriter}
	for _, e := range sc.events {
		if e.Who < platform.StartForkSandboxed || len(ctx.Events) > 0 && !slices.Contains(ctx.Events, e.Name) {
			continue
		}
		t.Events = append(t.Events, e.Name)
		t.Who = max(t.Who, e.Who)
	}
	if sc.open && len(sc.events) == 0 {
		t.Who = platform.StartCaller
	} else if len(t.Events) == 0 {
		return nil
	}
	t.Hops = []Hop{{File: sc.file, Span: n.Span, Text: "set by " + whoSets(t)}}
	return []Taint{t}
}

// whoSets names the person in a sentence.
func whoSets(t Taint) string {
	switch t.Who {
	case platform.StartAnyone:
		return "anyone who can start " + strings.Join(t.Events, ", ")
	case platform.StartForkSandboxed:
		return "whoever opens a pull request from a fork"
	}
	return "whoever calls this"
}

// headSource is source for asCode: contexts that name an outsider's commit,
// branch or repository under events that run with the repository's rights.
func (ev *eval) headSource(sc *scope, n *workflows.Ref, path string) []Taint {
	if !namesHead(path) {
		return nil
	}
	t := Taint{Source: path, Who: platform.StartAnyone}
	for _, e := range sc.events {
		if e.Who == platform.StartAnyone {
			t.Events = append(t.Events, e.Name)
		}
	}
	if len(t.Events) == 0 {
		return nil
	}
	t.Hops = []Hop{{File: sc.file, Span: n.Span, Text: "names the commit of " + whoSets(t)}}
	return []Taint{t}
}

// namesHead reports whether a context path names the outsider's side of a pull
// request or of the run that triggered this one. The issue or pull request number
// counts: with it a ref like refs/pull/N/head is made.
func namesHead(path string) bool {
	for _, prefix := range []string{
		"github.event.pull_request.head.", "github.event.workflow_run.head_",
		"github.event.workflow_run.pull_requests", "github.event.check_run.head_sha", "github.event.check_suite.head_",
		"github.event.pull_request.merge_commit_sha", "github.head_ref",
		"github.event.number", "github.event.pull_request.number", "github.event.issue.number",
	} {
		if path == prefix || strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return path == "github.event.pull_request.head" || path == "github.event.workflow_run"
}

// env follows env.NAME: what earlier steps wrote to GITHUB_ENV wins over the
// workflow's and job's env:, the step's own env: over both.
func (ev *eval) env(sc *scope, s *workflows.Step, name string, at workflows.Span) []Taint {
	var last *workflows.Scalar
	for _, e := range sc.env(s) {
		if equalFold(e.Key.Value, name) {
			last = e.Value
		}
	}
	out := through(ev.scalar(sc, s, last), sc.file, at, "through env "+name)
	for _, earlier := range sc.steps {
		if earlier == s {
			break
		}
		if f := ev.st.script(sc, earlier, ev.mode); f != nil {
			for _, written := range slices.Sorted(maps.Keys(f.env)) {
				if equalFold(written, name) {
					out = merge(out, through(f.env[written], sc.file, at, "through GITHUB_ENV "+written))
				}
			}
		}
	}
	return out
}

// input follows inputs.NAME to the callers that are known.
func (ev *eval) input(sc *scope, name string, at workflows.Span) []Taint {
	var out []Taint
	for _, c := range sc.calls {
		if v := c.with.Get(name); v != nil {
			got := ev.scalar(c.from, c.step, v)
			out = merge(out, through(got, sc.file, at, "through input "+name))
			continue
		}
		out = merge(out, ev.inputDefault(sc, c, name))
	}
	if sc.open && ev.mode == asText && inputIsText(sc.inputs, name) {
		t := Taint{Source: "inputs." + name, Who: platform.StartCaller}
		t.Hops = []Hop{{File: sc.file, Span: at, Text: "set by whoever calls this"}}
		out = merge(out, []Taint{t})
	}
	return out
}

// inputDefault follows the default of an action's input that the caller leaves out.
func (ev *eval) inputDefault(sc *scope, c call, name string) []Taint {
	for _, in := range sc.inputs {
		if equalFold(in.Name.String(), name) {
			return ev.scalar(c.from, c.step, in.Default)
		}
	}
	return nil
}

// inputIsText reports whether an input can hold any text: declared, and neither
// boolean nor number nor a choice.
func inputIsText(inputs []*workflows.Input, name string) bool {
	for _, in := range inputs {
		if equalFold(in.Name.String(), name) {
			return in.Type == "" || in.Type == "string"
		}
	}
	return false
}

// output follows steps.ID.outputs.NAME.
func (ev *eval) output(sc *scope, id, name string, at workflows.Span) []Taint {
	s := sc.stepByID(id)
	if s == nil {
		return nil
	}
	text := "through output " + name + " of step " + id
	if s.Run != nil {
		f := ev.st.script(sc, s, ev.mode)
		if f == nil {
			return nil
		}
		return through(merge(slices.Clone(f.outputs[strings.ToLower(name)]), f.outputs[""]), sc.file, at, text)
	}
	if child := sc.children[s]; child != nil {
		for _, o := range child.action.Outputs {
			if equalFold(o.Key.Value, name) {
				return through(ev.scalar(child, nil, o.Value), sc.file, at, text)
			}
		}
		return nil
	}
	return ev.foreignOutput(sc, s, name, at, text)
}

// foreignOutput is the output of an action that is not on disk: it carries what
// went in, as a guess.
func (ev *eval) foreignOutput(sc *scope, s *workflows.Step, name string, at workflows.Span, text string) []Taint {
	if s.Uses == nil {
		return nil
	}
	var out []Taint
	for _, e := range s.With.All() {
		out = merge(out, ev.scalar(sc, s, e.Value))
	}
	out = through(out, sc.file, at, text+" ("+s.Uses.FullName()+", not read)")
	for i := range out {
		out[i].Guess = true
	}
	return out
}

// need follows needs.JOB.outputs.NAME.
func (ev *eval) need(sc *scope, id, name string, at workflows.Span) []Taint {
	j := sc.jobByID(id)
	if j == nil {
		return nil
	}
	text := "through output " + name + " of job " + id
	if from := ev.st.jobs[j]; j.Uses == nil {
		return through(ev.scalar(from, nil, j.Outputs.Get(name)), sc.file, at, text)
	}
	return through(ev.calledOutput(j, name), sc.file, at, text)
}

// calledOutput follows an output of a local reusable workflow.
func (ev *eval) calledOutput(j *workflows.Job, name string) []Taint {
	f := ev.st.callee(j.Uses)
	if f == nil || len(f.Workflow.Jobs) == 0 {
		return nil
	}
	for _, t := range f.Workflow.On {
		for _, o := range t.Outputs {
			if !equalFold(o.Key.Value, name) {
				continue
			}
			return ev.workflowOutput(f, o.Value)
		}
	}
	return nil
}

// workflowOutput evaluates jobs.JOB.outputs.NAME, the form of a workflow's outputs.
func (ev *eval) workflowOutput(f *workflows.File, v *workflows.Scalar) []Taint {
	var out []Taint
	for _, e := range v.Exprs {
		for _, r := range e.Refs() {
			if len(r.Parts) != 4 || r.Parts[0].Name != "jobs" {
				continue
			}
			for _, j := range f.Workflow.Jobs {
				if equalFold(j.ID, r.Parts[1].Name) {
					out = merge(out, ev.scalar(ev.st.jobs[j], nil, j.Outputs.Get(r.Parts[3].Name)))
				}
			}
		}
	}
	return out
}

// matrix follows matrix.NAME to the expressions that make its rows.
func (ev *eval) matrix(sc *scope, name string) []Taint {
	if sc.job == nil || sc.job.Strategy == nil {
		return nil
	}
	st := sc.job.Strategy
	out := ev.scalar(sc, nil, st.Whole)
	for _, row := range st.Rows {
		if equalFold(row.Key.Value, name) {
			out = merge(out, ev.value(sc, row.Value))
		}
	}
	return merge(out, ev.value(sc, st.Include))
}

func (ev *eval) value(sc *scope, v *workflows.Value) []Taint {
	if v == nil {
		return nil
	}
	out := ev.scalar(sc, nil, v.Scalar)
	for _, i := range v.Items {
		out = merge(out, ev.value(sc, i))
	}
	for _, f := range v.Fields {
		out = merge(out, ev.value(sc, f.Value))
	}
	return out
}

// through adds a hop to copies of the taints.
func through(in []Taint, f *workflows.File, at workflows.Span, text string) []Taint {
	out := make([]Taint, 0, len(in))
	for _, t := range in {
		t.Hops = append(slices.Clone(t.Hops), Hop{File: f, Span: at, Text: text})
		out = append(out, t)
	}
	return out
}

// merge adds the taints of b that a does not have, by source and setter; of two
// with one source the one that is no guess stays.
func merge(a, b []Taint) []Taint {
	for _, t := range b {
		i := slices.IndexFunc(a, func(x Taint) bool { return x.Source == t.Source })
		switch {
		case i < 0 && len(a) < maxTaints:
			a = append(a, t)
		case i >= 0 && (a[i].Guess && !t.Guess || t.Who > a[i].Who):
			a[i] = t
		}
	}
	return a
}
