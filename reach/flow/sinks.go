package flow

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// sinksOf returns the sinks of a scope and of the local actions its steps use.
func (st *state) sinksOf(sc *scope) []*Sink {
	var out []*Sink
	for _, s := range sc.steps {
		if sc.skips(s) {
			continue
		}
		add := func(kind SinkKind, e *workflows.Expr, at workflows.Span, t []Taint) {
			if len(t) > 0 {
				out = append(out, &Sink{Kind: kind, File: sc.file, Job: sc.job, Step: s, Expr: e, Span: at, Taints: t})
			}
		}
		st.scriptSinks(sc, s, add)
		st.inputSinks(sc, s, add)
		st.checkoutSinks(sc, s, add)
		if child := sc.children[s]; child != nil {
			out = append(out, st.sinksOf(child)...)
		}
	}
	return out
}

// skips reports whether no event of an outsider (or caller) can reach the step.
func (sc *scope) skips(s *workflows.Step) bool {
	if s.If == nil || len(sc.events) == 0 {
		return false
	}
	return !slices.ContainsFunc(sc.events, func(e Event) bool {
		if e.Who >= platform.StartForkSandboxed {
			return mayRun(s.If, e.Name)
		}
		return !neverRuns(s.If, e.Name)
	})
}

type addSink func(SinkKind, *workflows.Expr, workflows.Span, []Taint)

func (st *state) scriptSinks(sc *scope, s *workflows.Step, add addSink) {
	if s.Run == nil {
		return
	}
	ev := st.newEval(asText)
	for _, e := range s.Run.Exprs {
		add(SinkScript, e, e.Span, ev.expr(sc, s, e))
	}
	f := st.script(sc, s, asText)
	for _, w := range f.files {
		add(SinkEnvFile, nil, w.span, w.taints)
	}
	for _, c := range f.code {
		add(SinkShellCode, nil, c.span, c.taints)
	}
}

func (st *state) inputSinks(sc *scope, s *workflows.Step, add addSink) {
	if s.Uses == nil {
		return
	}
	info, ok := platform.LookupAction(s.Uses.FullName())
	if !ok {
		return
	}
	ev := st.newEval(asText)
	for _, e := range s.With.All() {
		kind := SinkScriptInput
		switch info.Inputs[strings.ToLower(e.Key.Value)] {
		case platform.RoleScript:
		case platform.RolePrompt:
			kind = SinkPrompt
		default:
			continue
		}
		for _, x := range e.Value.Exprs {
			add(kind, x, x.Span, ev.expr(sc, s, x))
		}
	}
}

// checkoutSinks finds checkouts of an outsider's commit in a job that anyone can
// start: by what its ref or repository names, and where that cannot be told, as a
// guess. (In December 2024 the ref of the job that started the reviewdog chain
// came from the output of an unrelated action.)
func (st *state) checkoutSinks(sc *scope, s *workflows.Step, add addSink) {
	if !sc.anyoneStarts() {
		return
	}
	if s.Run != nil {
		st.commandCheckouts(sc, s, add)
		return
	}
	if s.Uses == nil {
		return
	}
	if info, _ := platform.LookupAction(s.Uses.FullName()); !info.Checkout {
		return
	}
	for _, name := range []string{"ref", "repository"} {
		v := s.With.Get(name)
		if v == nil {
			continue
		}
		if t := st.checkoutTaint(sc, s, v); len(t) > 0 {
			add(SinkCheckout, firstExpr(v), v.Span, t)
			return
		}
	}
}

func firstExpr(v *workflows.Scalar) *workflows.Expr {
	if len(v.Exprs) == 0 {
		return nil
	}
	return v.Exprs[0]
}

// checkoutTaint judges the value of a checkout's ref or repository.
func (st *state) checkoutTaint(sc *scope, s *workflows.Step, v *workflows.Scalar) []Taint {
	t := st.newEval(asCode).scalar(sc, s, v)
	if len(t) > 0 || len(v.Exprs) == 0 {
		return t
	}
	for _, e := range v.Exprs {
		if st.settled(sc, s, e) {
			continue
		}
		guess := Taint{Source: strings.ToLower(e.Text), Who: platform.StartAnyone, Guess: true, Events: anyoneEvents(sc)}
		guess.Hops = []Hop{{File: sc.file, Span: e.Span, Text: "a ref that the files do not settle, in a job that anyone can start"}}
		return []Taint{guess}
	}
	return nil
}

func anyoneEvents(sc *scope) []string {
	var out []string
	for _, e := range sc.events {
		if e.Who == platform.StartAnyone {
			out = append(out, e.Name)
		}
	}
	return out
}

// settled reports whether every context of a ref expression is the repository's
// own side: github.sha, github.ref, the base branch, an input that only people
// with write access set, a value from env: that is itself settled.
func (st *state) settled(sc *scope, s *workflows.Step, e *workflows.Expr) bool {
	if e.Root == nil {
		return false
	}
	ok := true
	for _, r := range e.Refs() {
		ok = ok && st.settledRef(sc, s, r)
	}
	return ok
}

func (st *state) settledRef(sc *scope, s *workflows.Step, r *workflows.Ref) bool {
	if r.Base != nil || len(r.Parts) == 0 {
		return false
	}
	switch r.Parts[0].Name {
	case "github":
		return !namesHead(r.Path())
	case "vars", "inputs":
		return true // configuration, or followed to its callers by eval
	case "env":
		for _, en := range sc.env(s) {
			if len(r.Parts) > 1 && equalFold(en.Key.Value, r.Parts[1].Name) {
				return !slices.ContainsFunc(en.Value.Exprs, func(x *workflows.Expr) bool { return !st.settled(sc, s, x) })
			}
		}
	case "matrix":
		return true // its expressions were followed
	}
	return false
}

// commandCheckouts finds gh pr checkout, git fetch of pull refs, and git checkout
// or merge of a name that an outsider sets.
func (st *state) commandCheckouts(sc *scope, s *workflows.Step, add addSink) {
	f := st.script(sc, s, asCode)
	ev := st.newEval(asCode)
	for _, c := range s.Run.Commands {
		info, _ := platform.LookupCommand(constWords(c))
		if info.Does != "checkout" {
			continue
		}
		var t []Taint
		for i, w := range c.Args() {
			t = merge(t, f.word(ev, sc, s, &c.Args()[i]))
			if strings.Contains(w.Text, "pull/") || c.Name == "gh" {
				t = merge(t, []Taint{pullTaint(sc, c)})
			}
		}
		add(SinkCheckout, nil, c.Span, t)
	}
}

// pullTaint is the taint of a command that names a pull request's commit itself.
func pullTaint(sc *scope, c *workflows.Command) Taint {
	return Taint{
		Source: "pull request", Who: platform.StartAnyone, Events: anyoneEvents(sc),
		Hops: []Hop{{File: sc.file, Span: c.Span, Text: "fetches the commit of a pull request"}},
	}
}

// constWords returns the command's words from its name on, as text.
func constWords(c *workflows.Command) []string {
	if c.Name == "" {
		return nil
	}
	out := []string{c.Name}
	for _, w := range c.Args() {
		out = append(out, w.Text)
	}
	return out
}
