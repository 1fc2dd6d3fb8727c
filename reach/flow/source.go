package flow

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// source asks the table what a github.* context can carry under the events.
func (ev *eval) source(sc *scope, n *workflows.Ref) []Taint {
	path := n.Path()
	if ev.mode == asCode {
		if namesHead(path) {
			return ev.head(sc, path, n.Span)
		}
		return nil
	}
	ctx := platform.LookupContext(path)
	switch ctx.Shape {
	case platform.ShapeText:
		return ev.text(sc, path, ctx.Events, n.Span)
	case platform.ShapeCaller: // client_payload of repository_dispatch
		return ev.text(sc, path, []string{"repository_dispatch"}, n.Span)
	case platform.ShapeWriter:
		return ev.written(sc, path, ctx.Events, n.Span)
	}
	return nil
}

// written is the taint of text that only people with write access set.
func (ev *eval) written(sc *scope, path string, events []string, at workflows.Span) []Taint {
	t := Taint{Source: path, Who: platform.StartWriter, Start: platform.StartWriter}
	for _, e := range sc.events {
		if slices.Contains(events, e.Name) && !slices.Contains(t.Events, e.Name) {
			t.Events = append(t.Events, e.Name)
		}
	}
	if len(t.Events) == 0 {
		return nil
	}
	t.Hops = []Hop{{File: sc.file, Span: at, Text: "set by " + setBy(t)}}
	return []Taint{t}
}

// fetched is a field of the issue or pull request at hand that a script asked the
// API for, under whatever event.
func (ev *eval) fetched(sc *scope, path string, at workflows.Span) []Taint {
	if ev.mode == asCode {
		if namesHead(path) {
			return ev.head(sc, path, at)
		}
		return nil
	}
	if platform.LookupContext(path).Shape != platform.ShapeText {
		return nil
	}
	return ev.text(sc, path, onIssuesAndPulls(sc), at)
}

// onIssuesAndPulls returns the events that are about an issue or pull request, by
// which an outsider's text may come.
func onIssuesAndPulls(sc *scope) []string {
	var out []string
	for _, e := range sc.events {
		if e.Text >= platform.StartForkSandboxed {
			out = append(out, e.Name)
		}
	}
	if len(out) == 0 {
		return []string{"none"}
	}
	return out
}

// text is the taint of free text under some of the events; none named means all.
func (ev *eval) text(sc *scope, path string, events []string, at workflows.Span) []Taint {
	if sc.open && len(sc.events) == 0 {
		t := Taint{Source: path, Who: platform.StartCaller, Start: platform.StartCaller}
		t.Hops = []Hop{{File: sc.file, Span: at, Text: "set by whoever starts the workflow that calls this"}}
		return []Taint{t}
	}
	t := Taint{Source: path}
	found := false
	for _, e := range sc.events {
		if len(events) > 0 && !slices.Contains(events, e.Name) {
			continue
		}
		who, start := authors(e, path)
		if found && who < t.Who {
			continue
		}
		if who > t.Who {
			t.Events, t.Start = nil, start
		}
		found, t.Who, t.Start = true, who, max(t.Start, start)
		t.Merged = t.Who == platform.StartWriter && (t.Merged || e.Name == "push" || e.Name == "merge_group")
		if !slices.Contains(t.Events, e.Name) {
			t.Events = append(t.Events, e.Name)
		}
	}
	if !found {
		return nil
	}
	t.Hops = []Hop{{File: sc.file, Span: at, Text: "set by " + setBy(t)}}
	return []Taint{t}
}

// authors returns who writes a text of an event, and who starts the runs that
// carry it.
func authors(e Event, path string) (who, start platform.Starter) {
	info, _ := platform.LookupEvent(e.Name)
	switch {
	case byStarter(path) && info.AnyoneText && e.Who >= platform.StartForkSandboxed:
		// A review or comment is the outsider's also where the pull request is not,
		// and the run then has the repository's secrets.
		return platform.StartAnyone, platform.StartAnyone
	case byStarter(path):
		return e.Who, e.Who
	}
	return e.Text, e.Who
}

// aboutOf is what a comment or review is on, by event: its text is another person's.
var aboutOf = map[string]string{
	"issue_comment": "issue or pull request", "discussion_comment": "discussion",
	"pull_request_review": "pull request", "pull_request_review_comment": "pull request",
}

// setBy names the person in a sentence.
func setBy(t Taint) string {
	switch {
	case t.Merged:
		return "the author of a commit or pull request that was merged"
	case t.Who == platform.StartWriter:
		return "people with write access"
	}
	var people []string
	for _, name := range t.Events {
		info, _ := platform.LookupEvent(name)
		by := info.By
		if about := aboutOf[name]; about != "" && !byStarter(t.Source) {
			by = "the author of the " + about
		}
		if by != "" && !slices.Contains(people, by) {
			people = append(people, by)
		}
	}
	if len(people) == 0 {
		return "somebody outside"
	}
	return strings.Join(people, ", or ")
}

// By names who sets the text, for a sentence.
func (t Taint) By() string {
	if t.Who == platform.StartCaller {
		return "whoever calls this"
	}
	return setBy(t)
}

// head is the taint of an outsider's commit, branch or repository, under events
// that run with the repository's rights.
func (ev *eval) head(sc *scope, source string, at workflows.Span) []Taint {
	t := Taint{Source: source, Who: platform.StartAnyone}
	for _, e := range sc.events {
		if e.Text != platform.StartAnyone || e.Merged {
			continue
		}
		t.Start = max(t.Start, e.Who)
		if !slices.Contains(t.Events, e.Name) {
			t.Events = append(t.Events, e.Name)
		}
	}
	if len(t.Events) == 0 {
		return nil
	}
	t.Hops = []Hop{{File: sc.file, Span: at, Text: "names the code of " + setBy(t)}}
	return []Taint{t}
}

// pull is the taint of text that names a pull request's commit by its number.
func (ev *eval) pull(sc *scope, at workflows.Span) []Taint { return ev.head(sc, "refs/pull", at) }

// namesHead reports whether a context path names the outsider's side of a pull
// request or of the run that triggered this one.
func namesHead(path string) bool {
	for _, prefix := range []string{
		"github.event.pull_request.head.", "github.event.workflow_run.head_",
		"github.event.workflow_run.pull_requests", "github.event.check_run.head_sha", "github.event.check_run.check_suite.head_",
		"github.event.check_suite.head_", "github.event.check_suite.after",
		"github.event.pull_request.merge_commit_sha", "github.head_ref",
	} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return path == "github.event.pull_request.head" || path == "github.event.workflow_run"
}
