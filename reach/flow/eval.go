package flow

import (
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

// An eval is one evaluation.
type eval struct {
	st    *state
	mode  mode
	depth int
}

func (st *state) newEval(m mode) *eval { return &eval{st: st, mode: m} }

// spend takes n from the budget of work and reports whether there was any left.
func (st *state) spend(n int) bool {
	st.steps += n
	return st.steps <= maxSteps
}

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
	if ev.mode == asCode && len(v.Exprs) > 0 && namesPull(v.Value) {
		out = merge(out, ev.pull(sc, v.Span))
	}
	return out
}

func (ev *eval) node(sc *scope, s *workflows.Step, n workflows.ExprNode) []Taint {
	if ev.depth > maxDepth || !ev.st.spend(1) {
		return nil
	}
	ev.depth++
	defer func() { ev.depth-- }()
	switch n := n.(type) {
	case *workflows.Lit:
		if ev.mode == asCode && namesPull(n.Value) {
			return ev.pull(sc, n.Span)
		}
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
	args := n.Args
	switch n.Func {
	case "format", "join", "tojson", "fromjson":
	case "case": // case(pred, value, …, default): every second argument is a value
		args = nil
		for i, a := range n.Args {
			if i%2 == 1 || i == len(n.Args)-1 {
				args = append(args, a)
			}
		}
	default:
		return nil
	}
	var out []Taint
	for _, a := range args {
		out = merge(out, ev.node(sc, s, a))
	}
	return out
}

func (ev *eval) ref(sc *scope, s *workflows.Step, n *workflows.Ref) []Taint {
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
		if name(2) == "outputs" {
			return ev.output(sc, name(1), name(3), n.Span)
		}
	case "needs":
		if name(2) == "outputs" {
			return ev.need(sc, name(1), name(3), n.Span)
		}
	case "matrix":
		return ev.matrix(sc, name(1))
	case "github":
		if name(1) == "event" && name(2) == "inputs" {
			return ev.dispatched(sc, name(3), n.Span)
		}
		return ev.source(sc, n)
	}
	return nil
}

// env follows env.NAME: the last env: entry of that name, and what earlier steps
// wrote to GITHUB_ENV.
func (ev *eval) env(sc *scope, s *workflows.Step, name string, at workflows.Span) []Taint {
	var last *binding
	all := sc.env(s)
	for i := range all {
		if equalFold(all[i].entry.Key.Value, name) {
			last = &all[i]
		}
	}
	var out []Taint
	if last != nil {
		out = through(ev.scalar(last.sc, last.step, last.entry.Value), sc.file, at, "through env "+name)
	}
	for _, f := range ev.st.before(sc, s, ev.mode) {
		for _, w := range f.env {
			if equalFold(w.name, name) {
				out = merge(out, through(w.taints, sc.file, at, "through GITHUB_ENV "+w.name))
			}
		}
	}
	return out
}

// input follows inputs.NAME to the callers that are known.
func (ev *eval) input(sc *scope, name string, at workflows.Span) []Taint {
	var out []Taint
	for _, c := range sc.calls {
		v := c.with.Get(name)
		if v == nil {
			v = defaultOf(sc.inputs, name)
		}
		out = merge(out, through(ev.scalar(c.from, c.step, v), sc.file, at, "through input "+name))
	}
	if in := inputNamed(sc.inputs, name); sc.open && ev.mode == asText && isText(in) {
		t := Taint{Source: "inputs." + in.Name.String(), Who: platform.StartCaller, Start: platform.StartCaller}
		t.Hops = []Hop{{File: sc.file, Span: at, Text: "set by whoever calls this"}}
		out = merge(out, []Taint{t})
	}
	return merge(out, ev.dispatched(sc, name, at))
}

// dispatched is an input that whoever dispatches the workflow gives.
func (ev *eval) dispatched(sc *scope, name string, at workflows.Span) []Taint {
	if sc.action != nil || ev.mode != asText {
		return nil
	}
	in := inputNamed(inputsOf(sc.file.Workflow, "workflow_dispatch"), name)
	if !isText(in) {
		return nil
	}
	t := Taint{Source: "inputs." + in.Name.String(), Who: platform.StartWriter, Start: platform.StartWriter, Events: []string{"workflow_dispatch"}}
	t.Hops = []Hop{{File: sc.file, Span: at, Text: "set by whoever dispatches the workflow"}}
	return []Taint{t}
}

func inputNamed(inputs []*workflows.Input, name string) *workflows.Input {
	for _, in := range inputs {
		if equalFold(in.Name.String(), name) {
			return in
		}
	}
	return nil
}

func defaultOf(inputs []*workflows.Input, name string) *workflows.Scalar {
	if in := inputNamed(inputs, name); in != nil {
		return in.Default
	}
	return nil
}

// isText reports whether an input can hold any text: declared, and neither boolean
// nor number nor a choice.
func isText(in *workflows.Input) bool { return in != nil && (in.Type == "" || in.Type == "string") }

// matrix follows matrix.NAME to the expressions that make its rows.
func (ev *eval) matrix(sc *scope, name string) []Taint {
	if sc.job == nil || sc.job.Strategy == nil || sc.action != nil {
		return nil
	}
	st := sc.job.Strategy
	out := ev.scalar(sc, nil, st.Whole)
	for _, row := range st.Rows {
		if equalFold(row.Key.Value, name) {
			out = merge(out, ev.value(sc, row.Value))
		}
	}
	if st.Include == nil {
		return out
	}
	out = merge(out, ev.scalar(sc, nil, st.Include.Scalar))
	for _, i := range st.Include.Items {
		for _, f := range i.Fields {
			if equalFold(f.Key.Value, name) {
				out = merge(out, ev.value(sc, f.Value))
			}
		}
	}
	return out
}

func (ev *eval) value(sc *scope, v *workflows.Value) []Taint {
	if v == nil || !ev.st.spend(1) {
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

// guessed marks copies of the taints as guesses.
func guessed(in []Taint) []Taint {
	out := slices.Clone(in)
	for i := range out {
		out[i].Guess = true
	}
	return out
}

// merge adds the taints of b that a does not have, by source; of two with one
// source the one that is no guess stays, then the more dangerous. A full list gives
// up its least dangerous.
func merge(a, b []Taint) []Taint {
	for _, t := range b {
		i := slices.IndexFunc(a, func(x Taint) bool { return x.Source == t.Source })
		switch {
		case i >= 0:
			if a[i].Guess && !t.Guess || a[i].Guess == t.Guess && (t.Who > a[i].Who || a[i].OneLine && !t.OneLine && t.Who == a[i].Who) {
				a = slices.Clone(a)
				a[i] = t
			}
		case len(a) < maxTaints:
			a = append(slices.Clip(a), t)
		default:
			least := 0
			for k := range a {
				if a[k].Who < a[least].Who {
					least = k
				}
			}
			if a[least].Who < t.Who {
				a = slices.Clone(a)
				a[least] = t
			}
		}
	}
	return a
}

// namesPull reports whether text names a pull request's own ref, whatever its number.
func namesPull(text string) bool {
	return strings.Contains(text, "pull/") && !strings.Contains(text, "://")
}
