package missingactorgate

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// commands reports whether a condition asks for the text of a comment or a label, as
// those of commands do.
func (c *command) commands() bool {
	conds := slices.Clone(c.conds)
	for _, s := range c.graph.RunSteps(c.job) {
		if s.Step.If != nil {
			conds = append(conds, s.Step.If)
		}
	}
	return slices.ContainsFunc(conds, func(s *workflows.Scalar) bool {
		return refers(s, func(path string) bool {
			return path == "github.event.comment.body" || path == "github.event.label.name"
		})
	})
}

// unread reports whether a condition asks for the output of a step or job before that
// may be an answer about the person, in a way that is not known.
func (c *command) unread() bool {
	return slices.ContainsFunc(c.conds, func(s *workflows.Scalar) bool {
		return refers(s, func(path string) bool {
			return strings.HasPrefix(path, "needs.") && strings.Contains(path, ".outputs.")
		})
	}) || refers(c.step.Step.If, func(path string) bool {
		return strings.HasPrefix(path, "steps.") && strings.Contains(path, ".outputs.")
	})
}

// mayAsk reports whether what the command reaches is a program that has the comment
// and so its author before it: one that is given the event's payload, or an action that
// is not known here.
func (c *command) mayAsk() bool {
	s := c.step.Step
	if s.Run != nil {
		return strings.Contains(s.Run.Value, "GITHUB_EVENT_PATH") || strings.Contains(s.Run.Value, "github.event_path")
	}
	if s.Uses == nil || s.Uses.Kind == workflows.UsesLocal || s.Uses.Kind == workflows.UsesSelf {
		return false
	}
	_, known := platform.LookupAction(s.Uses.FullName())
	return !known
}

func refers(s *workflows.Scalar, match func(path string) bool) bool {
	if s == nil {
		return false
	}
	return slices.ContainsFunc(s.Exprs, func(e *workflows.Expr) bool {
		return slices.ContainsFunc(e.Refs(), func(r *workflows.Ref) bool { return match(r.Path()) })
	})
}

// namesPeople reports whether the job, or each of its callers, runs only for people or
// apps that a condition names. The person of a comment is the one who wrote it, so
// that a name in such a condition is a gate.
func (c *command) namesPeople() bool { return slices.ContainsFunc(c.conds, scalarNames) }

func (c *command) stepNamesPeople(s reach.RunStep) bool {
	return s.Step.If != nil && scalarNames(s.Step.If)
}

func scalarNames(s *workflows.Scalar) bool {
	return len(s.Exprs) == 1 && s.Exprs[0].Root != nil && names(s.Exprs[0].Root)
}

// names reports whether a condition holds only for somebody that it names.
func names(n workflows.ExprNode) bool {
	switch n := n.(type) {
	case *workflows.Binary:
		switch n.Op {
		case "&&":
			return names(n.X) || names(n.Y)
		case "||":
			return names(n.X) && names(n.Y)
		case "==":
			return who(n.X, n.Y) || who(n.Y, n.X)
		}
	case *workflows.Call:
		return n.Func == "contains" && len(n.Args) == 2 && who(n.Args[1], n.Args[0])
	}
	return false
}

// who reports whether a value is the person's and the other what the repository sets:
// a name, or an association that only members have.
func who(value, of workflows.ExprNode) bool {
	if !listed(of) {
		return false
	}
	return person(value) || association(value) && !outsiders(of)
}

// association reports whether a value is how the person belongs to the repository.
func association(n workflows.ExprNode) bool {
	if b, ok := n.(*workflows.Binary); ok && b.Op == "||" {
		return association(b.X) && association(b.Y)
	}
	r, ok := n.(*workflows.Ref)
	if !ok {
		return false
	}
	switch r.Path() {
	case "github.event.comment.author_association", "github.event.review.author_association":
		return true
	}
	return false // what is commented on may be a member's
}

// outsiders reports whether a list has an association that people without rights have.
func outsiders(n workflows.ExprNode) bool {
	found := false
	workflows.Walk(n, func(n workflows.ExprNode) bool {
		if lit, ok := n.(*workflows.Lit); ok {
			text := strings.ToUpper(lit.Value)
			found = found || strings.Contains(text, "CONTRIBUTOR") || strings.Contains(text, "NONE") || strings.Contains(text, "FIRST_TIME") || strings.Contains(text, "MANNEQUIN")
		}
		return !found
	})
	return found
}

// person reports whether a value names who commented.
func person(n workflows.ExprNode) bool {
	r, ok := n.(*workflows.Ref)
	if !ok {
		return false
	}
	switch r.Path() {
	case "github.actor", "github.actor_id", "github.triggering_actor", "github.event.sender.login", "github.event.sender.id",
		"github.event.comment.user.login", "github.event.comment.user.id":
		return true
	}
	return false
}

// listed reports whether a value is one that the repository sets: a literal, a
// variable, a list of them.
func listed(n workflows.ExprNode) bool {
	ok := true
	workflows.Walk(n, func(n workflows.ExprNode) bool {
		if r, isRef := n.(*workflows.Ref); isRef {
			path := r.Path()
			ok = ok && (strings.HasPrefix(path, "vars.") || strings.HasPrefix(path, "env.") || strings.HasPrefix(path, "secrets.") || path == "github.repository_owner")
		}
		return ok
	})
	return ok
}
