package unpinnedaction

import (
	"context"
	"strings"
	"testing"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/linttest"
	"github.com/stint-dev/stint/workflows"
)

func TestRule(t *testing.T) { linttest.Run(t, Rule) }

// known answers for one tag; everything else it cannot find.
type known struct {
	lint.Offline
	asked *int
}

func (k known) Commit(_ context.Context, owner, repo, ref string) (string, string, error) {
	*k.asked++
	if owner == "some" && repo == "tool" && ref == "v4" {
		return strings.Repeat("a", 40), "v4.3.1", nil
	}
	return "", "", workflows.ErrNotFound
}

func TestFixPinsToTheCommit(t *testing.T) {
	const before = `on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: some/tool@v4 # keep me
      - uses: "some/tool/sub@v4"
      - uses: some/tool@main
      - uses: other/tool@v1
`
	pin := strings.Repeat("a", 40)
	want := strings.NewReplacer(
		"some/tool@v4 # keep me", "some/tool@"+pin+" # v4.3.1 keep me",
		`"some/tool/sub@v4"`, `"some/tool/sub@`+pin+`" # v4.3.1`,
	).Replace(before)
	file := workflows.Parse(".github/workflows/a.yml", []byte(before))
	repo := &workflows.Repository{Root: ".", Files: []*workflows.File{file}}
	asked := 0
	run := func(o lint.Options) *lint.Result {
		o.Rules = []*lint.Rule{Rule}
		return lint.Run(context.Background(), repo, o)
	}
	r := run(lint.Options{Resolver: known{asked: &asked}, NetworkFixes: true})
	mended := lint.Mend(r.Findings, false)
	if len(mended.Files) != 1 || string(mended.Files[0].Source) != want {
		t.Fatalf("got\n%s", mended.Files[0].Source)
	}
	if len(r.NotChecked) != 1 || !strings.Contains(r.NotChecked[0], "other/tool@v1") {
		t.Errorf("not checked: %q", r.NotChecked)
	}
	asked = 0
	if run(lint.Options{Resolver: known{asked: &asked}}); asked > 0 {
		t.Error("the network was asked although no fix was wanted")
	}
	if r := run(lint.Options{NetworkFixes: true}); len(r.NotChecked) == 0 {
		t.Error("an offline run that was to fix does not say what it could not look up")
	}
}
