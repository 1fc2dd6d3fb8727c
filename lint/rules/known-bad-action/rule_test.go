package knownbadaction

import (
	"context"
	"strings"
	"testing"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/linttest"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

func TestRule(t *testing.T) { linttest.Run(t, Rule) }

// releases is a network on which every version has a commit.
type releases struct{ lint.Offline }

func (releases) Commit(_ context.Context, _, _, ref string) (string, string, error) {
	return strings.Repeat("5", 40), ref, nil
}

// v2.10.2 of harden-runner closes the hole that v2.9.0 has, and has later ones: the
// fix and the advice go past it.
func TestFixPassesOverVersionsWithLaterHoles(t *testing.T) {
	const name, closed = "step-security/harden-runner", "v2.10.2"
	if len(platform.LookupBad(name, closed, "")) == 0 {
		t.Fatalf("%s@%s has no hole in the table: choose another example", name, closed)
	}
	file := workflows.Parse(".github/workflows/a.yml", []byte("on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: "+name+"@v2.9.0\n"))
	repo := &workflows.Repository{Root: ".", Files: []*workflows.File{file}}
	found := lint.Run(t.Context(), repo, lint.Options{Rules: []*lint.Rule{Rule}, Resolver: releases{}, NetworkFixes: true}).Findings
	if len(found) != 1 || len(found[0].Fixes) != 1 {
		t.Fatalf("got %+v, want one finding with one fix", found)
	}
	title := found[0].Fixes[0].Title
	version := strings.TrimPrefix(title, "upgrade to ")
	if holes := platform.LookupBad(name, version, ""); len(holes) > 0 {
		t.Errorf("the fix is %q, which has a hole: %+v", title, holes[0])
	}
	if next := found[0].Next; !strings.Contains(next, strings.TrimPrefix(version, "v")) {
		t.Errorf("the fix is %q and the next step %q", title, next)
	}
}
