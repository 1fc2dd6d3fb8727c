package flow

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

func equalFold(a, b string) bool { return strings.EqualFold(a, b) }

// A truth is the value of a condition as far as it can be told.
type truth int

const (
	unknown truth = iota
	no
	yes
)

func not(t truth) truth {
	switch t {
	case yes:
		return no
	case no:
		return yes
	}
	return unknown
}

func of(b bool) truth {
	if b {
		return yes
	}
	return no
}

// A person is of whom a guard asks whether a condition can hold.
type person int

const (
	// anybody asks whether the condition can hold at all under the event.
	anybody person = iota
	// outsider asks it for somebody without any right in the repository, in a run
	// about his own issue or pull request from a fork.
	outsider
	// member asks it for somebody with write access, in a run about an outsider's
	// issue or pull request.
	member
	// commenter asks it for somebody without any right who comments on, or reviews,
	// what a member wrote.
	commenter
)

// powerless reports whether the person has no right in the repository.
func (p person) powerless() bool { return p == outsider || p == commenter }

// A guard evaluates an if: for one event and person.
//
// It knows what an outsider cannot be: a member by author_association, the
// repository itself as the head's repository. It does not trust github.actor or
// bot names, which say who started this run and not whose code it is; those are unknown.
type guard struct {
	event  string
	person person
	// notMerged asks for a pull request that was not merged.
	notMerged bool
	// succeeded takes it that all steps before have succeeded.
	succeeded bool
	// actions are the event's types, where the trigger lists them.
	actions []string
	// st and sc are where the condition stands; without them outputs are unknown.
	st *state
	sc *scope
	// failing is set for a condition that also holds after a job that failed, whose
	// outputs may be empty then.
	failing bool
	// depth counts the outputs that lead to each other.
	depth int
}

func (g guard) as(p person) guard { g.person = p; return g }
func (g guard) unmerged() guard   { g.notMerged = true; return g }

// never reports whether the condition cannot hold.
func (g guard) never(cond *workflows.Scalar) bool { return g.scalar(cond) == no }

// scalar evaluates an if: value. Text around ${{ }}, be it the line break at the
// end of a block scalar, makes a non-empty string, which is true whatever the
// expression says.
func (g guard) scalar(s *workflows.Scalar) truth {
	switch {
	case s == nil:
		return yes
	case !strings.Contains(s.Value, "${{"):
		if len(s.Exprs) != 1 {
			return unknown
		}
	case len(s.Exprs) != 1 || s.Exprs[0].Start > 0 || s.Exprs[0].End < len(s.Value):
		return yes
	}
	g.failing = asksStatus(s)
	return g.node(s.Exprs[0].Root)
}

func (g guard) node(n workflows.ExprNode) truth {
	switch n := n.(type) {
	case *workflows.Not:
		return not(g.node(n.X))
	case *workflows.Binary:
		return g.binary(n)
	case *workflows.Call:
		if n.Func != "fromjson" {
			return g.call(n)
		}
	}
	if values, ok := g.anyOf(n); ok {
		return all(values, value.truthy)
	}
	return unknown
}

func (g guard) binary(n *workflows.Binary) truth {
	switch n.Op {
	case "&&":
		x, y := g.node(n.X), g.node(n.Y)
		if x == no || y == no {
			return no
		}
		if x == yes && y == yes {
			return yes
		}
		return unknown
	case "||":
		x, y := g.node(n.X), g.node(n.Y)
		if x == yes || y == yes {
			return yes
		}
		if x == no && y == no {
			return no
		}
		return unknown
	case "==":
		return g.equal(n.X, n.Y)
	case "!=":
		return not(g.equal(n.X, n.Y))
	}
	return unknown
}

// equal compares two nodes; strings compare without regard to case in GitHub's
// expressions.
func (g guard) equal(x, y workflows.ExprNode) truth {
	if t := g.headIsBase(x, y); t != unknown {
		return t
	}
	for _, pair := range [][2]workflows.ExprNode{{x, y}, {y, x}} {
		lit, ok := pair[1].(*workflows.Lit)
		switch {
		case ok && g.association(pair[0]):
			return of(!isMember(lit.Value)).orUnknownWhenYes()
		case ok && lit.Value != "" && g.ownLogin(pair[0]):
			return no // an outsider is not the one person (or bot) that is named
		}
	}
	a, okA := g.anyOf(x)
	b, okB := g.anyOf(y)
	switch {
	case okA && okB:
		return both(a, b, value.equals)
	case okB && g.runsBefore(x, b[0].text), okA && g.runsBefore(y, a[0].text):
		return no
	}
	return unknown
}

// runsBefore reports whether n is the event of the run before this one and the
// given event is none that an outsider starts.
func (g guard) runsBefore(n workflows.ExprNode, event string) bool {
	if g.person == anybody || pathOf(n) != "github.event.workflow_run.event" {
		return false
	}
	e, known := platform.LookupEvent(event)
	return known && e.Starter < platform.StartForkSandboxed
}

// orUnknownWhenYes keeps a no and makes a yes unknown: an outsider may have any
// of the associations that are not a member's.
func (t truth) orUnknownWhenYes() truth {
	if t == yes {
		return unknown
	}
	return t
}

func (t truth) orUnknownWhenNo() truth {
	if t == no {
		return unknown
	}
	return t
}

// headIsBase evaluates the usual fork test: the head's repository compared with
// the repository itself.
func (g guard) headIsBase(x, y workflows.ExprNode) truth {
	a, b := pathOf(x), pathOf(y)
	if g.person == anybody || g.person == commenter || a == "" || b == "" {
		return unknown
	}
	if isHeadRepo(b) {
		a, b = b, a
	}
	if isHeadRepo(a) && (isBaseRepo(b)) {
		return no
	}
	return unknown
}

func isHeadRepo(p string) bool {
	switch p {
	case "github.event.pull_request.head.repo.full_name", "github.event.pull_request.head.repo.id",
		"github.event.workflow_run.head_repository.full_name", "github.event.workflow_run.head_repository.id",
		"github.event.pull_request.head.user.login", "github.event.pull_request.head.repo.owner.login",
		"github.event.workflow_run.head_repository.owner.login":
		return true
	}
	return false
}

func isBaseRepo(p string) bool {
	switch p {
	case "github.repository", "github.repository_id", "github.repository_owner",
		"github.event.repository.full_name", "github.event.repository.id", "github.event.repository.owner.login",
		"github.event.pull_request.base.repo.full_name", "github.event.pull_request.base.repo.id",
		"github.event.pull_request.base.repo.owner.login":
		return true
	}
	return false
}

// association reports whether n is an author_association of an outsider's event.
// One that is taken where another is empty (a || b) is of the same person.
func (g guard) association(n workflows.ExprNode) bool {
	if b, ok := n.(*workflows.Binary); ok && b.Op == "||" {
		return g.association(b.X) && g.association(b.Y) || g.person == commenter && g.association(b.X)
	}
	path := pathOf(n)
	switch {
	case g.person == member && byStarter(path) && !g.lacks(path):
		return false // the member's own comment
	case g.person == commenter && !byStarter(path) && !g.lacks(path):
		return false // what it is on is the member's
	}
	return g.person != anybody && strings.HasSuffix(path, ".author_association")
}

// ownLogin reports whether n is the login of the outsider whose text or code the
// event brings. github.actor is not that: it is whoever acted last.
func (g guard) ownLogin(n workflows.ExprNode) bool {
	path := pathOf(n)
	if g.person == anybody || g.person == member && byStarter(path) || g.person == commenter && !byStarter(path) {
		return false
	}
	switch path {
	case "github.event.issue.user.login":
		return g.event == "issues"
	case "github.event.comment.user.login":
		return strings.HasSuffix(g.event, "_comment")
	case "github.event.review.user.login":
		return g.event == "pull_request_review"
	case "github.event.discussion.user.login":
		return g.event == "discussion"
	case "github.event.pull_request.user.login":
		return g.event == "pull_request" || g.event == "pull_request_target"
	}
	return false
}

// byStarter reports whether a context is written by whoever starts the run, while
// others belong to the issue or pull request at hand.
func byStarter(path string) bool {
	return strings.HasPrefix(path, "github.event.comment.") || strings.HasPrefix(path, "github.event.review.")
}

func isMember(association string) bool {
	switch strings.ToUpper(association) {
	case "OWNER", "MEMBER", "COLLABORATOR":
		return true
	}
	return false
}

func (g guard) call(n *workflows.Call) truth {
	switch n.Func {
	case "always":
		return of(true)
	case "success":
		return of(g.succeeded).orUnknownWhenNo()
	case "failure", "cancelled":
		return not(of(g.succeeded).orUnknownWhenNo())
	case "contains":
		return g.contains(n.Args)
	case "startswith", "endswith":
		if len(n.Args) != 2 {
			return unknown
		}
		a, okA := g.anyOf(n.Args[0])
		b, okB := g.anyOf(n.Args[1])
		if !okA || !okB {
			return unknown
		}
		test := strings.HasPrefix
		if n.Func == "endswith" {
			test = strings.HasSuffix
		}
		return both(a, b, func(a, b value) bool { return test(strings.ToLower(a.text), strings.ToLower(b.text)) })
	}
	return unknown
}

// contains evaluates contains(list or text, value) for constant lists, which is
// how associations and events are tested.
func (g guard) contains(args []workflows.ExprNode) truth {
	if len(args) != 2 {
		return unknown
	}
	list, isList := constantList(args[0])
	if !isList {
		return of(!(configured(args[0]) && g.ownLogin(args[1]))).orUnknownWhenYes()
	}
	if g.association(args[1]) {
		if slices.ContainsFunc(list, func(s string) bool { return !isMember(s) }) {
			return unknown
		}
		return no
	}
	lit, isText := args[0].(*workflows.Lit)
	if !isText && g.ownLogin(args[1]) {
		return no // nor is an outsider among the people who are named
	}
	values, ok := g.anyOf(args[1])
	if !ok {
		return unknown
	}
	if isText { // a part of the text, and so is nothing
		return all(values, func(v value) bool { return strings.Contains(strings.ToLower(lit.Value), strings.ToLower(v.text)) })
	}
	return all(values, func(v value) bool {
		return slices.ContainsFunc(list, func(s string) bool { return equalFold(s, v.text) })
	})
}

// configured reports whether n is a list that the repository's settings hold.
func configured(n workflows.ExprNode) bool {
	c, ok := n.(*workflows.Call)
	return ok && c.Func == "fromjson" && len(c.Args) == 1 && strings.HasPrefix(pathOf(c.Args[0]), "vars.")
}

// constantList reads fromJSON('["a", "b"]') and plain text such as 'OWNER,MEMBER'.
func constantList(n workflows.ExprNode) ([]string, bool) {
	if c, ok := n.(*workflows.Call); ok && c.Func == "fromjson" && len(c.Args) == 1 {
		n = c.Args[0]
	}
	lit, ok := n.(*workflows.Lit)
	if !ok || lit.Kind != workflows.StringLiteral {
		return nil, false
	}
	return strings.FieldsFunc(lit.Value, func(r rune) bool { return strings.ContainsRune("[]\",; \n\t", r) }), true
}

// value returns what a context may be under the event; false when it may be anything.
func (g guard) value(n *workflows.Ref) ([]value, bool) {
	null := []value{{"", workflows.NullLiteral}}
	switch n.Path() {
	case "github.event_name":
		return []value{str(g.event)}, true
	case "github.event.action":
		var out []value
		for _, a := range g.actions {
			out = append(out, str(a))
		}
		return bounded(out)
	case "github.event.pull_request.head.repo.fork":
		if g.person != anybody && g.person != commenter {
			return []value{boolean(true)}, true
		}
	case "github.event.label.name": // set in the very event in which somebody labels
		if g.person == outsider && strings.HasPrefix(g.event, "pull_request") {
			return null, true
		}
	case "github.event.pull_request.merged":
		if g.notMerged || g.person == outsider {
			return []value{boolean(false)}, true
		}
	}
	if g.lacks(n.Path()) {
		return null, true
	}
	if g.st != nil {
		return g.answer(n)
	}
	return nil, false
}

// lacks reports whether a context lies in an object that the event does not have.
func (g guard) lacks(path string) bool {
	rest, ok := strings.CutPrefix(path, "github.event.")
	object, _, _ := strings.Cut(rest, ".")
	return ok && platform.Lacks(g.event, object)
}

func pathOf(n workflows.ExprNode) string {
	if r, ok := n.(*workflows.Ref); ok {
		return r.Path()
	}
	return ""
}
