package flow

import (
	"strings"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// refuses reports whether a step fails for whoever has no rights in the repository.
// A step with an if: of its own may be left out, so that it does not count.
func (st *state) refuses(sc *scope, s *workflows.Step) bool {
	return s.If == nil && s.ContinueOnError == nil && st.gateOf(s, 0) == platform.Refuses
}

// gateOf returns what a step does about the rights of the person who started the
// run; local composite actions are looked into.
func (st *state) gateOf(s *workflows.Step, nest int) platform.Gate {
	if s.Run != nil {
		return platform.ScriptGate(s.Run.Value)
	}
	if s.Uses == nil || nest > maxNest || !st.spend(1) {
		return platform.NoGate
	}
	if f := st.localAction(s.Uses); f != nil {
		gate := platform.NoGate
		for _, inner := range f.Action.AllSteps() {
			gate = max(gate, st.gateOf(inner, nest+1))
		}
		return gate
	}
	if s.Uses.FullName() == githubScript {
		return platform.ScriptGate(s.With.Get("script").String())
	}
	return platform.ActionGate(s.Uses.FullName())
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
