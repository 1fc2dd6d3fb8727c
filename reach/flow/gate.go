package flow

import (
	"strings"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// refuses reports whether a step fails for whoever starts the event without rights
// in the repository: it does ask, and its own if: does not leave it out.
func (st *state) refuses(s *workflows.Step, event string) bool {
	if s.ContinueOnError != nil || st.gateOf(s, 0) != platform.Refuses {
		return false
	}
	g := guard{event: event, person: outsider, succeeded: true}
	return g.scalar(s.If) == yes
}

// gateOf returns what a step does about the rights of the person who started the
// run; local composite actions are looked into.
func (st *state) gateOf(s *workflows.Step, nest int) platform.Gate {
	if s.Run != nil {
		return platform.ScriptGate(s.Run.Value)
	}
	if s.Uses == nil || nest > maxNest {
		return platform.NoGate
	}
	if f := st.localAction(s.Uses); f != nil {
		return st.gateIn(f, nest)
	}
	if s.Uses.FullName() == githubScript {
		return platform.ScriptGate(s.With.Get("script").String())
	}
	return platform.ActionGate(s.Uses.FullName())
}

// gateIn returns what the steps of a composite action do, computed once; an action
// that uses itself adds nothing.
func (st *state) gateIn(f *workflows.File, nest int) platform.Gate {
	if gate, ok := st.gateOfFile[f]; ok {
		return gate
	}
	st.gateOfFile[f] = platform.NoGate
	gate := platform.NoGate
	for _, inner := range f.Action.AllSteps() {
		gate = max(gate, st.gateOf(inner, nest+1))
	}
	st.gateOfFile[f] = gate
	return gate
}

// refusers returns the steps of a scope that may refuse, in order.
func (st *state) refusers(sc *scope) []*workflows.Step {
	if !sc.gated {
		sc.gated = true
		for _, s := range sc.steps {
			if st.gateOf(s, 0) == platform.Refuses {
				sc.refusing = append(sc.refusing, s)
			}
		}
	}
	return sc.refusing
}

// gates reports whether a value in a condition says whether the person who started
// the run has rights: an output of a step that asks for them, of this job or of
// one that it needs.
func (st *state) gates(sc *scope, r *workflows.Ref) bool {
	if sc == nil || r.Base != nil || len(r.Parts) < 3 {
		return false
	}
	switch r.Parts[0].Name {
	case "steps":
		s := sc.stepByID(r.Parts[1].Name)
		return s != nil && st.gateOf(s, 0) != platform.NoGate
	case "needs":
		return len(r.Parts) == 4 && r.Parts[2].Name == "outputs" && st.gatingOutput(sc.jobByID(r.Parts[1].Name), r.Parts[3].Name)
	}
	return false
}

func (st *state) gatingOutput(j *workflows.Job, name string) bool {
	if j == nil || !st.spend(1) {
		return false
	}
	v := j.Outputs.Get(name)
	if v == nil {
		return false
	}
	for _, e := range v.Exprs {
		for _, r := range e.Refs() {
			if len(r.Parts) > 2 && r.Parts[0].Name == "steps" && st.gates(st.jobs[j], r) {
				return true
			}
		}
	}
	return false
}

// denies reports whether a literal is how a gate says no.
func denies(value string) bool {
	switch strings.ToLower(value) {
	case "", "false", "no", "0", "none", "read", "null", "failure", "failed", "skipped", "denied":
		return true
	}
	return false
}
