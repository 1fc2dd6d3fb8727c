package platform

import (
	"slices"
	"strings"
	"testing"
)

func TestContextTables(t *testing.T) {
	seen := map[string]bool{}
	for _, line := range contexts {
		if line.Path != strings.ToLower(line.Path) || seen[line.Path] {
			t.Errorf("%s: not in lower case, or there twice", line.Path)
		}
		seen[line.Path] = true
		if line.Source == "" {
			t.Errorf("%s: no source", line.Path)
		}
		if (line.Shape == ShapeText || line.Shape == ShapeWriter) != (len(line.Events) > 0) {
			t.Errorf("%s: text needs its events, other shapes have none: %v", line.Path, line.Events)
		}
		if !slices.IsSorted(line.Events) {
			t.Errorf("%s: events are not sorted: %v", line.Path, line.Events)
		}
		if got := LookupContext(line.Path); got.Shape != line.Shape {
			t.Errorf("%s: looked up as %v, the line says %v", line.Path, got.Shape, line.Shape)
		}
	}
	for leaf := range leafTable {
		if leaf != strings.ToLower(leaf) {
			t.Errorf("leaf %s is not in lower case", leaf)
		}
	}
}

func TestLookupContext(t *testing.T) {
	for _, c := range []struct {
		path  string
		shape Shape
	}{
		{"github.sha", ShapeFixed},
		{"github.actor", ShapeFixed},
		{"github.triggering_actor", ShapeFixed},
		{"github.run_id", ShapeFixed},
		{"github.base_ref", ShapeFixed},
		{"github.ref_name", ShapeWriter},
		{"github.token", ShapeSecret},
		{"github.head_ref", ShapeText},
		{"GitHub.Head_Ref", ShapeText},
		{"secrets.npm_token", ShapeSecret},
		{"secrets", ShapeSecret},
		{"secrets.[]", ShapeSecret},
		{"inputs.version", ShapeCaller},
		{"inputs", ShapeCaller},
		{"github.event.inputs.tag", ShapeCaller},
		{"github.event.client_payload.pr.head.sha", ShapeCaller},
		{"github.event.client_payload", ShapeCaller},
		{"env.title", ShapeFlow},
		{"matrix.os", ShapeFlow},
		{"steps.build.outputs.tag", ShapeFlow},
		{"steps.build", ShapeFlow},
		{"steps", ShapeFlow},
		{"steps.build.outcome", ShapeFixed},
		{"steps.*.conclusion", ShapeFixed},
		{"steps.[].outputs.x", ShapeFlow},
		{"needs.build.result", ShapeFixed},
		{"needs.*.result", ShapeFixed},
		{"needs.build.outputs.x", ShapeFlow},
		{"needs", ShapeFlow},
		{"job.status", ShapeFixed},
		{"job.services.db.ports.5432", ShapeFixed},
		{"runner.temp", ShapeFixed},
		{"strategy.job-index", ShapeFixed},
		{"vars.region", ShapeFixed},
		{"github.event.issue.title", ShapeText},
		{"github.event.issue.number", ShapeFixed},
		{"github.event.issue.user.login", ShapeFixed},
		{"github.event.issue", ShapeText},
		{"github.event.issue.labels.*.name", ShapeFixed},
		{"github.event.*.labels.*.name", ShapeFixed},
		{"github.event.*.body", ShapeText},
		{"github.event.commits.0.message", ShapeText},
		{"github.event.commits.labels", ShapeUnknown},
		{"steps.*.*.x", ShapeFlow},
		{"github.event.[].title", ShapeText},
		{"github.event.pull_request.head.ref", ShapeText},
		{"github.event.pull_request.head.label", ShapeText},
		{"github.event.pull_request.head.sha", ShapeFixed},
		{"github.event.pull_request.head.repo.full_name", ShapeFixed},
		{"github.event.pull_request.head.repo.default_branch", ShapeText},
		{"github.event.pull_request.head.repo", ShapeText},
		{"github.event.pull_request.base.ref", ShapeFixed},
		{"github.event.pull_request.merged", ShapeFixed},
		{"github.event.pull_request.merge_commit_sha", ShapeFixed},
		{"github.event.pull_request.html_url", ShapeFixed},
		{"github.event.pull_request.created_at", ShapeFixed},
		{"github.event.comment.body", ShapeText},
		{"github.event.comment.author_association", ShapeFixed},
		{"github.event.review.body", ShapeText},
		{"github.event.review.state", ShapeFixed},
		{"github.event.discussion.title", ShapeText},
		{"github.event.discussion.number", ShapeFixed},
		{"github.event.pages.*.page_name", ShapeText},
		{"github.event.pages.[].page_name", ShapeText},
		{"github.event.pages[].page_name", ShapeText},
		{"github.event.commits[].message", ShapeText},
		{"github.event.commits[].id", ShapeFixed},
		{"github.event.commits.*.message", ShapeText},
		{"github.event.commits.[].author.email", ShapeText},
		{"github.event.head_commit.message", ShapeText},
		{"github.event.head_commit.id", ShapeFixed},
		{"github.event.workflow_run.head_branch", ShapeText},
		{"github.event.workflow_run.display_title", ShapeText},
		{"github.event.workflow_run.head_commit.message", ShapeText},
		{"github.event.workflow_run.head_sha", ShapeFixed},
		{"github.event.workflow_run.conclusion", ShapeFixed},
		{"github.event.workflow_run.id", ShapeFixed},
		{"github.event.workflow_run", ShapeText},
		{"github.event.release.body", ShapeWriter},
		{"github.event.release.tag_name", ShapeWriter},
		{"github.event.release.id", ShapeFixed},
		{"github.event.label.name", ShapeFixed},
		{"github.event.repository.default_branch", ShapeFixed},
		{"github.event.repository.owner.login", ShapeFixed},
		{"github.event", ShapeText},
		{"github", ShapeText},
		{"github.event.something.new", ShapeUnknown},
		{"nonsense", ShapeUnknown},
		{"", ShapeUnknown},
	} {
		if got := LookupContext(c.path); got.Shape != c.shape {
			t.Errorf("LookupContext(%q) = %v, want %v", c.path, got.Shape, c.shape)
		}
	}
}

func TestLookupContextEvents(t *testing.T) {
	head := LookupContext("github.head_ref")
	if !slices.Contains(head.Events, "pull_request_target") || slices.Contains(head.Events, "push") {
		t.Errorf("github.head_ref: events %v", head.Events)
	}
	whole := LookupContext("github.event")
	for _, name := range []string{"issues", "pull_request_target", "workflow_run", "push", "discussion_comment"} {
		if !slices.Contains(whole.Events, name) {
			t.Errorf("github.event: no %s in %v", name, whole.Events)
		}
	}
	whole.Events[0] = "changed"
	if slices.Contains(LookupContext("github.event").Events, "changed") {
		t.Error("a caller changed the table")
	}
	if comment := LookupContext("github.event.comment.body"); slices.Contains(comment.Events, "issues") {
		t.Errorf("comment.body: events %v", comment.Events)
	}
}

// No whole object may look better than something below it.
func TestWholeObjectsTakeTheWorst(t *testing.T) {
	for _, line := range contexts {
		for i := 1; i < len(line.parts); i++ {
			above := LookupContext(strings.ReplaceAll(strings.Join(line.parts[:i], "."), element, "*"))
			if severity[above.Shape] < severity[line.Shape] {
				t.Errorf("%s is %v and %s below it is %v", above.Path, above.Shape, line.Path, line.Shape)
			}
		}
	}
}

func FuzzLookupContext(f *testing.F) {
	for _, seed := range []string{"github.event.issue.title", "steps.*.outputs.[]", "", ".", "*.*.*", "github..event", "[]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		got := LookupContext(path)
		if upper := LookupContext(strings.ToUpper(path)); isASCII(path) && upper.Shape != got.Shape {
			t.Errorf("%q: case changes %v to %v", path, got.Shape, upper.Shape)
		}
		if got.Path != strings.ToLower(path) || got.Shape == ShapeText && len(got.Events) == 0 {
			t.Errorf("%q: %+v", path, got)
		}
		// What a line says holds below it, too.
		if below := LookupContext(path + ".\x00"); got.Shape == ShapeSecret && !strings.Contains(path, "*") && !strings.Contains(path, "[]") && below.Shape != ShapeSecret {
			t.Errorf("%q is a secret and what is below it %v", path, below.Shape)
		}
	})
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 127 })
}
