package platform

import "testing"

func TestHoldsLines(t *testing.T) {
	for path, want := range map[string]bool{
		"github.event.issue.title": false, "github.head_ref": false, "github.event.pull_request.head.ref": false, "refs/pull": false,
		"github.event.pull_request.head.repo.full_name": false, "github.event.workflow_run.head_branch": false,
		"github.event.issue.body": true, "github.event.comment.body": true, "github.event.head_commit.message": true,
		"the names of changed files": true, "an artifact of another run": true, "github.event": true, "inputs.text": true,
	} {
		if HoldsLines(path) != want {
			t.Errorf("HoldsLines(%q) = %v", path, !want)
		}
	}
}

func TestIsCodeVariable(t *testing.T) {
	for name, want := range map[string]bool{"PATH": true, "node_options": true, "TITLE": false, "": false, "PATHS": false} {
		if IsCodeVariable(name) != want {
			t.Errorf("IsCodeVariable(%q) = %v", name, !want)
		}
	}
}
