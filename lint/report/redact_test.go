package report_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/report"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// canaries are the texts that no report may show: one on a line, one over lines.
var canaries = []string{"canary-q7Vb2mKx94", "canary-line-one-TzLw8RnY3c", "canary-line-two-P5dJ1sHg6A"}

const leaky = `on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - { uses: a/b@v1, with: { key: "canary-q7Vb2mKx94" } } # → canary-q7Vb2mKx94
      - run: |
          canary-line-one-TzLw8RnY3c
          canary-line-two-P5dJ1sHg6A
`

// leakyRules are a rule that asks for its text to be kept out, and one that
// carries the same text in every field that a finding has.
var leakyRules = []*lint.Rule{
	{ID: "keeps-out", Title: "t", Since: "2026-11", Confidence: lint.HighConfidence, Readme: "# keeps-out\n", Check: func(p *lint.Pass) {
		steps := p.File.Workflow.Jobs[0].Steps
		key := steps[0].With.Get("key")
		p.Report(lint.Finding{Span: key.SpanOf(0, len(key.Value)), Message: "a key", Redact: true})
		run := steps[1].Run
		p.Report(lint.Finding{Span: run.SpanOf(0, len(run.Value)), Message: "a key of two lines", Redact: true})
	}},
	{ID: "shows-all", Title: "t", Since: "2026-11", Confidence: lint.HighConfidence, Readme: "# shows-all\n", Check: func(p *lint.Pass) {
		step := p.File.Workflow.Jobs[0].Steps[0]
		text := strings.Join(canaries, " ")
		p.NotChecked("whether " + text)
		p.Report(lint.Finding{
			Span: step.Span, Message: "uses " + text, Next: "remove " + text, Job: p.Graph.Jobs[0],
			Code:     &reach.Code{Name: text, Why: text, Site: reach.Site{File: p.File, Span: step.Span}},
			Exposure: reach.Exposure{Credentials: []*reach.Credential{{Kind: reach.StoredSecret, Name: text, Lifetime: reach.Standing}}},
			Related:  []lint.Related{{File: p.File, Span: step.Span, Text: text}},
			Fixes: []lint.Fix{
				{Title: "move it", Edits: []workflows.Edit{{Span: workflows.Span{Start: 9, End: 9}, New: "env: { X: " + canaries[0] + " }\n"}}},
				{Title: "remove it", Edits: []workflows.Edit{{Span: step.Span, New: "run: true"}}},
			},
		})
	}},
}

func leakyResult(o lint.Options) *lint.Result {
	o.Rules = leakyRules
	repo := &workflows.Repository{Root: "site", Files: []*workflows.File{workflows.Parse(".github/workflows/a.yml", []byte(leaky))}}
	return lint.Run(context.Background(), repo, o)
}

// No format shows what a finding asked to keep out: not in its own text, not in
// that of another finding, not in source lines, not when it is encoded.
func TestNoFormatShowsACanary(t *testing.T) {
	low := reach.High
	for name, r := range map[string]*lint.Result{
		"all":                 leakyResult(lint.Options{}),
		"below the threshold": leakyResult(lint.Options{MinSeverity: &low}),
	} {
		for _, format := range report.Formats() {
			got := render(t, format, r)
			for _, c := range canaries {
				forms := []string{c, strings.ToUpper(c), base64.StdEncoding.EncodeToString([]byte(c)), strings.ReplaceAll(c, "-", "%2D"), strings.ReplaceAll(c, "-", `\-`), c[:12], c[len(c)-8:]}
				for _, form := range forms {
					if strings.Contains(got, form) {
						t.Errorf("%s, %s: %q is shown in\n%s", name, format, form, got)
					}
				}
			}
		}
	}
}

// The mask has the width of what it covers, and leaves the rest of the line.
func TestMaskKeepsColumns(t *testing.T) {
	got := render(t, "text", leakyResult(lint.Options{}))
	hidden := strings.Repeat("*", len(canaries[0]))
	if !strings.Contains(got, `  6 |       - { uses: a/b@v1, with: { key: "`+hidden+`" } } # → `+hidden[:9]+"\n") {
		t.Errorf("no such line in\n%s", got)
	}
	if !strings.Contains(got, "    | "+strings.Repeat(" ", 38)+strings.Repeat("^", 17)+"\n") {
		t.Errorf("the mark is off in\n%s", got)
	}
}

// A fix that would write the text anew is not shown, since a mask in it would be
// written to the file; others are, and the result itself is left as it was.
func TestFixesThatWriteTheTextAreLeftOut(t *testing.T) {
	r := leakyResult(lint.Options{})
	var doc struct {
		Findings []struct{ Fixes []struct{ Title string } }
	}
	if err := json.Unmarshal([]byte(render(t, "json", r)), &doc); err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, f := range doc.Findings {
		for _, x := range f.Fixes {
			titles = append(titles, x.Title)
		}
	}
	if !slices.Equal(titles, []string{"remove it"}) {
		t.Errorf("fixes %q", titles)
	}
	i := slices.IndexFunc(r.Findings, func(f lint.Finding) bool { return f.Rule.ID == "shows-all" })
	if f := r.Findings[i]; len(f.Fixes) != 2 || !strings.Contains(f.Message, canaries[0]) || !strings.Contains(f.Related[0].Text, canaries[0]) {
		t.Error("the report changed the result that it was given")
	}
}

// A short text is masked at its place only.
func TestShortTextsAreMaskedInPlace(t *testing.T) {
	src := "on: push\njobs: { a: { runs-on: x, steps: [{ run: make, env: { P: abc } }] } } # abcde\n"
	rule := &lint.Rule{ID: "short", Readme: "# short\n", Confidence: lint.HighConfidence, Check: func(p *lint.Pass) {
		v := p.File.Workflow.Jobs[0].Steps[0].Env.Get("P")
		p.Report(lint.Finding{Span: v.Span, Redact: true, Message: "the alphabet starts with abcde"})
	}}
	repo := &workflows.Repository{Root: ".", Files: []*workflows.File{workflows.Parse(".github/workflows/a.yml", []byte(src))}}
	got := render(t, "text", lint.Run(context.Background(), repo, lint.Options{Rules: []*lint.Rule{rule}}))
	if !strings.Contains(got, "P: *** }") || !strings.Contains(got, "starts with abcde") {
		t.Errorf("got\n%s", got)
	}
}

func TestMask(t *testing.T) {
	r := leakyResult(lint.Options{})
	if got := report.Mask(r, "-  key: "+canaries[0]+"\n+"+canaries[2]); got != "-  key: ***\n+***" {
		t.Errorf("got %q", got)
	}
	if got := report.Mask(&lint.Result{}, "as it was"); got != "as it was" {
		t.Errorf("got %q", got)
	}
}
