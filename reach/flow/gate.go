package flow

import (
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// refuses reports whether a step fails for whoever starts the event without rights
// in the repository: it does ask, and its own if: does not leave it out.
func (st *state) refuses(s *workflows.Step, event string) bool {
	return s.ContinueOnError == nil && st.fails(s, guard{event: event, person: outsider})
}

// fails reports whether a step fails for an outsider, be it that the job goes on.
func (st *state) fails(s *workflows.Step, g guard) bool {
	g.succeeded = true
	return g.person == outsider && st.gateOf(s, 0) == platform.Refuses && g.scalar(s.If) == yes
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
