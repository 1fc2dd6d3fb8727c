package report_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/report"
	"github.com/stint-dev/stint/workflows"
)

// judged is a result of which the base has all but the finding of the uses: and knows
// that of the run: by the clock.
func judged(t *testing.T) *lint.Result {
	t.Helper()
	ticking := *rule
	ticking.Clock = true
	run := func(text string) *lint.Result {
		repo := &workflows.Repository{Root: "site", Files: []*workflows.File{workflows.Parse(".github/workflows/release.yml", []byte(text))}}
		return lint.Run(context.Background(), repo, lint.Options{Rules: []*lint.Rule{&ticking, plain}})
	}
	base := run(strings.Replace(source, "tool@v1", "tool@v0", 1))
	r := run(source)
	lint.KnownOf(base).Judge(r, "main at 0123456789ab")
	return r
}

// plain reports the first line.
var plain = &lint.Rule{ID: "plain-rule", Title: "another", Since: "2026-11", Confidence: lint.HighConfidence, Check: func(p *lint.Pass) {
	p.Report(lint.Finding{Span: workflows.Span{Start: 0, End: 8}, Message: "an old defect"})
}}

func TestGoldensOfAChange(t *testing.T) {
	for _, format := range report.Formats() {
		t.Run(format, func(t *testing.T) {
			got := render(t, format, judged(t))
			path := filepath.Join("testdata", "change."+format+".golden")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("differs from %s; run with -update and read the difference\n%s", path, got)
			}
		})
	}
}

// GitHub shows ten annotations of a level: the worst are the first, and it is said how
// many are left out.
func TestAnnotationsBeyondWhatIsShown(t *testing.T) {
	one := result(t)
	one.Repository.Unread, one.Repository.Files = nil, one.Repository.Files[:1]
	out := render(t, "github", one, one, one, one, one, one, one, one, one, one, one, one)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if !strings.HasPrefix(lines[0], "::notice title=stint::4 findings more than GitHub shows") {
		t.Errorf("the first line is %s", lines[0])
	}
	for i, line := range lines[1:] {
		if want := map[bool]string{true: "::error ", false: "::warning "}[i < 12]; !strings.HasPrefix(line, want) {
			t.Errorf("line %d is no %s: %s", i, want, line)
		}
	}
}
