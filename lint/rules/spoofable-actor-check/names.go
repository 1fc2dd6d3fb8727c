package spoofableactorcheck

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/workflows"
)

// A test is one comparison of a name in a condition.
type test struct {
	span       workflows.Span
	what, why  string
	next       string
	confidence lint.Confidence
	// events are those under which the name can be brought about.
	events []string
	// actor is the place of github.actor, when asking for the author mends the test.
	actor workflows.Span
}

func (t test) spoofedUnder(event string) bool { return slices.Contains(t.events, event) }

// aboutPulls are the events whose run is about somebody's pull request and which the
// person named by github.actor need not have written.
var aboutPulls = []string{"pull_request_target", "workflow_run", "check_run", "check_suite", "status"}

// aboutAll are all events that anybody starts with the repository's rights.
var aboutAll = append([]string{"issue_comment", "issues", "discussion", "discussion_comment"}, aboutPulls...)

const nextAuthor = "ask for github.event.pull_request.user.login, whose value is who opened the pull request, and for its head repository too"

// tests returns the tests that an outsider can make hold, in order. What stands under
// a ! or in a != keeps the named one out and trusts nobody.
func tests(n workflows.ExprNode) []test {
	switch n := n.(type) {
	case *workflows.Binary:
		switch n.Op {
		case "&&", "||":
			return append(tests(n.X), tests(n.Y)...)
		case "==":
			if t, ok := equality(n, n.X, n.Y); ok {
				return []test{t}
			}
			if t, ok := equality(n, n.Y, n.X); ok {
				return []test{t}
			}
		}
	case *workflows.Call:
		if t, ok := call(n); ok {
			return []test{t}
		}
	}
	return nil
}

// equality judges value == 'name'.
func equality(n workflows.ExprNode, value, name workflows.ExprNode) (test, bool) {
	lit, ok := name.(*workflows.Lit)
	if !ok || lit.Kind != workflows.StringLiteral {
		return test{}, false
	}
	return named(n, value, lit.Value)
}

func named(n, value workflows.ExprNode, name string) (test, bool) {
	ref, ok := value.(*workflows.Ref)
	if !ok {
		return test{}, false
	}
	path := ref.Path()
	t := test{span: n.Range(), what: fmt.Sprintf("%s == '%s'", path, name), confidence: lint.HighConfidence, next: nextAuthor}
	switch {
	case actor(path) && strings.HasSuffix(name, "[bot]"), path == "github.actor_id" && botIDs[name]:
		t.events, t.actor = aboutPulls, ref.Span
		t.why = "it is who acted last, and an outsider can have the bot act on his pull request"
	case identity(path):
		t.events = []string{"workflow_run", "status", "check_run", "check_suite"}
		t.why = "git takes whatever name and address its user sets"
		t.next = "ask for github.event.workflow_run.head_repository.full_name and the run's event instead"
	default:
		return test{}, false
	}
	return t, true
}

// call judges contains(list, value), and tests of a part of a name.
func call(n *workflows.Call) (test, bool) {
	if len(n.Args) != 2 {
		return test{}, false
	}
	part, literal := n.Args[1].(*workflows.Lit)
	ref, isRef := n.Args[0].(*workflows.Ref)
	switch {
	case n.Func == "contains" && !isRef:
		return listed(n)
	case !isRef || !literal:
		return test{}, false
	case slices.Contains([]string{"contains", "startswith", "endswith"}, n.Func) && login(ref.Path()):
		t := test{span: n.Range(), what: fmt.Sprintf("%s with '%s' in it", ref.Path(), part.Value), confidence: lint.HighConfidence, events: aboutAll}
		t.why = "anybody can take an account or write an app whose name has it"
		t.next = "compare the whole name"
		return t, true
	case n.Func == "startswith" && branch(ref.Path()) && bots(part.Value):
		t := test{span: n.Range(), what: fmt.Sprintf("%s with '%s' in front", ref.Path(), part.Value), confidence: lint.MediumConfidence, events: aboutPulls, next: nextAuthor}
		t.why = "whoever opens a pull request names its branch"
		return t, true
	}
	return test{}, false
}

// listed judges contains(fromJSON('["a[bot]"]'), value).
func listed(n *workflows.Call) (test, bool) {
	bot := ""
	workflows.Walk(n.Args[0], func(n workflows.ExprNode) bool {
		if lit, ok := n.(*workflows.Lit); ok && strings.Contains(lit.Value, "[bot]") {
			bot = "[bot]"
		}
		return true
	})
	if bot == "" {
		return test{}, false
	}
	t, ok := named(n, n.Args[1], bot)
	if ref, isRef := n.Args[1].(*workflows.Ref); isRef {
		t.what = ref.Path() + " in a list of bots"
	}
	return t, ok
}

// botIDs are the numbers of bots that act on other people's pull requests: Dependabot,
// Renovate, GitHub Actions. Source: api.github.com/users/NAME, 2026-11.
var botIDs = map[string]bool{"49699333": true, "29139614": true, "41898282": true}

func actor(path string) bool {
	switch path {
	case "github.actor", "github.triggering_actor", "github.event.sender.login", "github.event.workflow_run.actor.login", "github.event.workflow_run.triggering_actor.login":
		return true
	}
	return false
}

// login reports whether a path is somebody's account name.
func login(path string) bool { return actor(path) || strings.HasSuffix(path, ".user.login") }

// identity reports whether a path is a name that git's user sets.
func identity(path string) bool {
	for _, who := range []string{".author.name", ".author.email", ".committer.name", ".committer.email"} {
		if strings.HasSuffix(path, who) && (strings.Contains(path, "head_commit") || strings.Contains(path, "commit.commit")) {
			return true
		}
	}
	return false
}

func branch(path string) bool {
	return path == "github.head_ref" || path == "github.event.pull_request.head.ref" || path == "github.event.workflow_run.head_branch"
}

// bots reports whether the beginning of a branch's name is one of a well-known bot.
func bots(prefix string) bool {
	for _, bot := range []string{"dependabot", "renovate", "pre-commit-ci", "release-please", "snyk", "github-actions", "copilot"} {
		if strings.HasPrefix(strings.ToLower(prefix), bot) {
			return true
		}
	}
	return false
}

// sound reports whether a condition holds only for pull requests, issues or comments
// of somebody that it names, by the account that wrote them.
func sound(n workflows.ExprNode) bool {
	switch n := n.(type) {
	case *workflows.Binary:
		switch n.Op {
		case "&&":
			return sound(n.X) || sound(n.Y)
		case "||":
			return sound(n.X) && sound(n.Y)
		case "==":
			return author(n.X) || author(n.Y)
		}
	case *workflows.Call:
		if n.Func != "contains" || len(n.Args) != 2 {
			return false
		}
		_, text := n.Args[0].(*workflows.Ref)
		return !text && author(n.Args[1])
	}
	return false
}

func soundScalar(s *workflows.Scalar) bool { return len(s.Exprs) == 1 && sound(s.Exprs[0].Root) }

func author(n workflows.ExprNode) bool {
	r, ok := n.(*workflows.Ref)
	return ok && (strings.HasSuffix(r.Path(), ".user.login") || strings.HasSuffix(r.Path(), ".user.id"))
}

// edit replaces github.actor by the author of the pull request.
func (t test) edit(f *workflows.File) (workflows.Edit, bool) {
	if t.actor.IsZero() || t.actor.End > len(f.Source) || string(f.Source[t.actor.Start:t.actor.End]) != "github.actor" {
		return workflows.Edit{}, false
	}
	return workflows.Edit{Span: t.actor, New: "github.event.pull_request.user.login"}, true
}
