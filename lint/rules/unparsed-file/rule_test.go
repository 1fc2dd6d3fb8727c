package unparsedfile

import (
	"context"
	"testing"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/linttest"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

func TestRule(t *testing.T) { linttest.Run(t, Rule) }

func TestUnreadFiles(t *testing.T) {
	repo := &workflows.Repository{Unread: []workflows.Unread{
		{Path: ".github/dependabot.yml", Reason: "permission denied"},
		{Path: ".github/workflows/big.yml", Reason: "larger than 4 MiB"},
		{Path: "tools/action.yml", Reason: "a link that leads out of the repository"},
	}}
	res := lint.Run(context.Background(), repo, lint.Options{Rules: []*lint.Rule{Rule}})
	if len(res.Findings) != 3 || len(res.Failures) != 0 {
		t.Fatalf("%d findings, failures %q", len(res.Findings), res.Failures)
	}
	for i, want := range []reach.Severity{reach.Info, reach.Medium, reach.Medium} {
		f := res.Findings[i]
		if f.File.Path != repo.Unread[i].Path || f.Severity != want ||
			f.Message != "the file could not be opened, so nothing in it was checked: "+repo.Unread[i].Reason {
			t.Errorf("%s: %s %s", f.File.Path, f.Severity, f.Message)
		}
	}
}
