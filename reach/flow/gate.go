package flow

import (
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// refuses reports whether a step fails for whoever starts the event without rights
// in the repository: it does ask, and its own if: does not leave it out. The depth is that
// of the conditions that lead to each other.
func (st *state) refuses(sc *scope, s *workflows.Step, event string, depth int) bool {
	return s.ContinueOnError == nil && st.fails(s, guard{event: event, person: outsider, st: st, sc: sc, depth: depth + 1})
}

// fails reports whether a step fails for an outsider, be it that the job goes on.
func (st *state) fails(s *workflows.Step, g guard) bool {
	g.succeeded = true
	return g.depth <= maxNest && g.person.powerless() && st.gateOf(s, 0) == platform.Refuses && g.scalar(s.If) == yes
}

// gateOf returns what a step does about the rights of the person who started the
// run; local composite actions are looked into.
func (st *state) gateOf(s *workflows.Step, nest int) platform.Gate {
	if s.Run != nil {
		switch {
		case asksForOwner(s):
			return platform.NoGate
		case s.If != nil && fails(s.Run):
			return platform.Refuses // whom its condition is about
		}
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
	if level := s.With.Get("permission-level"); level != nil && (level.Value == "none" || level.Value == "read" || len(level.Exprs) > 0) {
		return platform.NoGate
	}
	return platform.ActionGate(s.Uses.FullName())
}

// fails reports whether a script ends with an error whatever happens.
func fails(run *workflows.Script) bool {
	if run.Prog == nil || strings.Count(run.Value, "exit") != 1 {
		return false // another one may end it before
	}
	return slices.ContainsFunc(run.Prog.Stmts, func(s *syntax.Stmt) bool {
		c, ok := s.Cmd.(*syntax.CallExpr)
		return ok && !s.Negated && !s.Background && len(c.Args) == 2 && c.Args[0].Lit() == "exit" && c.Args[1].Lit() != "0" && c.Args[1].Lit() != ""
	})
}

// subject finds the variable that names whose permission a script asks GitHub for.
var subject = regexp.MustCompile(`/collaborators/\$\{?(\w+)\}?/permission`)

// asksForOwner reports whether a script asks for the rights of the repository's owner,
// who has them whoever starts the run.
func asksForOwner(s *workflows.Step) bool {
	m := subject.FindStringSubmatch(s.Run.Value)
	if m == nil {
		return false
	}
	v := s.Env.Get(m[1])
	return m[1] == "GITHUB_REPOSITORY_OWNER" || v != nil && len(v.Exprs) == 1 && pathOf(v.Exprs[0].Root) == "github.repository_owner"
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
