package report_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/report"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const source = `on: push
permissions: { contents: read }
jobs:
  släpp:
    runs-on: ubuntu-latest
    steps:
      - name: "π – every character counts once"
      - uses: some/tool@v1 # the tag of the tool that does so very much that its line is far longer than a terminal is wide, mind you
      - run: npm publish
        env: { NODE_AUTH_TOKEN: "${{ secrets.NPM_TOKEN }}" }
`

// hostile is text that would steer a terminal, an annotation, Markdown or HTML
// where it is not escaped.
const hostile = "\x1b[31mred\x07 %0A::set-output name=x::y | <img src=x onerror=alert(1)> @everyone `code` [a](https://evil.test) \u202eright-to-left, a:b,c"

// rule reports the uses: and, with a fix and hostile text, the run:.
var rule = &lint.Rule{
	ID: "sample-rule", Title: "a rule for tests", Since: "2026-11", Confidence: lint.HighConfidence,
	Tags: []string{"NHI3:2025"}, Readme: "# sample-rule\n",
	Check: func(p *lint.Pass) {
		if p.File.Workflow == nil {
			return
		}
		job := p.Graph.Jobs[0]
		uses, run := job.Job.Steps[1].Uses, job.Job.Steps[2].Run
		p.Report(lint.Finding{
			Span: uses.Span, Message: "the action is pinned by a tag", Next: "pin it by commit", Job: job,
			Code: job.WorstCode(), Exposure: job.Exposure(reach.MutableThirdParty),
			Related: []lint.Related{{File: p.File, Span: job.Credentials[0].Enters[0].Span, Text: "the token enters here"}},
			Fixes:   []lint.Fix{{Title: "pin it", Safe: true, Edits: []workflows.Edit{{Span: uses.RefSpan, New: strings.Repeat("a", 40)}}}},
		})
		p.Report(lint.Finding{Span: run.Span, Message: hostile, Next: hostile, Exposure: job.Exposure(reach.OwnCode), Confidence: lint.LowConfidence})
	},
}

func result(t *testing.T) *lint.Result {
	t.Helper()
	repo := &workflows.Repository{
		Root:   "site",
		Files:  []*workflows.File{workflows.Parse(".github/workflows/release.yml", []byte(source)), workflows.Parse(".github/workflows/z.yml", []byte("on: [\n"))},
		Unread: []workflows.Unread{{Path: ".github/workflows/big.yml", Reason: "over the limit"}},
	}
	return lint.Run(context.Background(), repo, lint.Options{Rules: []*lint.Rule{rule}})
}

func render(t *testing.T, format string, rs ...*lint.Result) string {
	t.Helper()
	var b bytes.Buffer
	h, ok := report.New(format, &b, report.Options{Width: 80, Version: "v1.2.3"})
	if !ok {
		t.Fatalf("no format %q", format)
	}
	for _, r := range rs {
		if err := h.Repository(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGoldens(t *testing.T) {
	for _, format := range report.Formats() {
		t.Run(format, func(t *testing.T) {
			got := render(t, format, result(t))
			path := filepath.Join("testdata", format+".golden")
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

// No byte that steers a terminal leaves in any format, whatever a file holds.
func TestHostileTextIsHarmless(t *testing.T) {
	for _, format := range report.Formats() {
		got := render(t, format, result(t))
		for _, bad := range []string{"\x1b", "\x07", "\u202e"} {
			if strings.Contains(got, bad) {
				t.Errorf("%s lets %q through", format, bad)
			}
		}
	}
	for _, line := range strings.Split(render(t, "github", result(t)), "\n") {
		if strings.HasPrefix(line, "::set-output") {
			t.Errorf("an injected workflow command: %s", line)
		}
		if line != "" && !strings.HasPrefix(line, "::error ") && !strings.HasPrefix(line, "::warning ") && !strings.HasPrefix(line, "::notice ") {
			t.Errorf("not an annotation: %s", line)
		}
	}
	if log := render(t, "sarif", result(t)); strings.Contains(log, "](") {
		t.Error("a link in SARIF")
	}
	md := render(t, "markdown", result(t))
	for _, bad := range []string{"<img", "@everyone", "https://evil", "[a](", "`code`"} {
		if strings.Contains(md, bad) {
			t.Errorf("markdown lets %q through", bad)
		}
	}
}

// A runner looks for commands in the log of any step, also of one that runs stint itself.
func TestLogsGiveTheRunnerNoCommand(t *testing.T) {
	const name = "::stop-commands::x ##[add-mask]y"
	r := result(t)
	r.Findings[0].File.Path = name
	for width := 40; width < 80; width++ { // each wraps elsewhere
		r.Findings[0].Message = "a " + strings.Repeat(name+" ", 8)
		for _, format := range []string{"text", "github"} {
			var b strings.Builder
			h, _ := report.New(format, &b, report.Options{Width: width})
			if err := errors.Join(h.Repository(r), h.Close()); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(b.String()) {
				if strings.HasPrefix(strings.TrimSpace(line), "::stop") || strings.Contains(line, "##[") {
					t.Fatalf("%s at %d: %s", format, width, line)
				}
			}
		}
	}
}

// GitHub looks for names in the text that Markdown leaves, where an entity is "@" again; it
// leaves code alone. What follows a letter, as in owner/action@v1, is no name to it.
func TestMarkdownMentionsNobody(t *testing.T) {
	r := result(t)
	r.Findings[0].Message = "x @octo-cat,@acme/web; some/tool@v1 (@under_score)"
	for name, md := range map[string]string{"markdown": render(t, "markdown", r), "comment": report.Comment(r, r.Findings[0], "ask @octo-cat")} {
		for _, want := range []string{"x <code>&#64;octo-cat</code>,<code>&#64;acme/web</code>; some/tool&#64;v1", "<code>&#64;under\\_score</code>"} {
			if !strings.Contains(md, want) {
				t.Errorf("%s: %q is missing in %s", name, want, md)
			}
		}
		if rest := regexp.MustCompile(`<code>[^<]*</code>`).ReplaceAllString(html.UnescapeString(md), ""); regexp.MustCompile(`\B@\w`).MatchString(rest) {
			t.Errorf("%s mentions somebody: %s", name, rest)
		}
	}
}

// What was not read or checked is laid out like the rest.
func TestNotesFitTheWidth(t *testing.T) {
	r := result(t)
	r.NotChecked = []string{"impostor-commit: " + strings.Repeat("offline, so that nobody was asked ", 9)}
	r.Repository.Unread[0].Reason = strings.Repeat("over the limit ", 9)
	got := render(t, "text", r)
	if !strings.Contains(got, "\nnot checked: impostor-commit: offline, ") || !strings.Contains(got, "\nnot read: .github/workflows/big.yml: over ") {
		t.Errorf("a note is missing in %s", got)
	}
	for line := range strings.Lines(got) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// An empty directory is not clean: the checkout may be missing.
func TestNothingToJudgeIsSaid(t *testing.T) {
	empty := &lint.Result{Repository: &workflows.Repository{Root: "."}, Graph: reach.Build(&workflows.Repository{})}
	for _, format := range []string{"text", "markdown", "github"} {
		if got := render(t, format, empty); !strings.Contains(got, "nothing to judge") || strings.Contains(got, "no findings") {
			t.Errorf("%s: %s", format, got)
		}
		if got := render(t, format, result(t)); strings.Contains(got, "nothing to judge") {
			t.Errorf("%s: %s", format, got)
		}
	}
}

func TestMarkdownLinksNoHost(t *testing.T) {
	r := result(t)
	r.Findings[0].Message = "see www.evil.test"
	if got := render(t, "markdown", r); strings.Contains(got, "www.") || !strings.Contains(got, "evil.test") {
		t.Error(got)
	}
}

func TestSARIFNamesFilesWithoutASchemeOfTheirOwn(t *testing.T) {
	r := result(t)
	r.Findings[0].File.Path = "javascript:alert(1)/action.yml"
	if log := render(t, "sarif", r); !strings.Contains(log, `"uri": "./javascript:alert`) {
		t.Error(log)
	}
}

func TestSARIFValidatesAndCarriesAll(t *testing.T) {
	out := render(t, "sarif", result(t), result(t))
	log, err := sarif.FromString(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Validate(); err != nil {
		t.Fatalf("not valid SARIF 2.1.0: %v", err)
	}
	if len(log.Runs) != 2 {
		t.Fatalf("%d runs for two repositories", len(log.Runs))
	}
	i := slices.IndexFunc(log.Runs[0].Results, func(r *sarif.Result) bool { return len(r.Fixes) > 0 })
	if i < 0 {
		t.Fatal("no result has a fix")
	}
	r := log.Runs[0].Results[i]
	if r.PartialFingerprints["stint/v1"] == "" {
		t.Error("no fingerprint")
	}
	if got := *r.Fixes[0].ArtifactChanges[0].Replacements[0].InsertedContent.Text; got != strings.Repeat("a", 40) {
		t.Errorf("the fix inserts %q", got)
	}
	reg := r.Locations[0].PhysicalLocation.Region
	if *reg.StartLine != 8 || *reg.StartColumn != 15 || *reg.EndColumn != 27 {
		t.Errorf("region %d:%d-%d", *reg.StartLine, *reg.StartColumn, *reg.EndColumn)
	}
}

// The JSON document holds what its documentation promises, and its edits are the
// bytes that they say.
func TestJSONDocument(t *testing.T) {
	var doc struct {
		Version  int
		Findings []struct {
			Rule, Severity, Confidence, Path, Message, Fingerprint string
			Start, End                                             struct{ Line, Column, Offset int }
			Credentials                                            []struct{ Name, Kind, Lifetime string }
			Code                                                   *struct{ Name, Trust string }
			Tags                                                   []string
			Fixes                                                  []struct {
				Safe  bool
				Edits []struct {
					Start, End int
					New        string
				}
			}
		}
		Unread []struct{ Path, Reason string }
		Stats  struct{ Files, Pairs int }
	}
	if err := json.Unmarshal([]byte(render(t, "json", result(t))), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Version != 1 || len(doc.Findings) != 2 || len(doc.Unread) != 2 || doc.Stats.Files != 2 || doc.Stats.Pairs != 1 {
		t.Fatalf("%+v", doc)
	}
	f := doc.Findings[0]
	if got := source[f.Start.Offset:f.End.Offset]; got != "some/tool@v1" {
		t.Errorf("the finding covers %q", got)
	}
	if f.Start.Line != 8 || f.Start.Column != 15 || f.Severity != "high" || f.Confidence != "high" {
		t.Errorf("%+v", f)
	}
	if f.Credentials[0].Name != "NPM_TOKEN" || f.Credentials[0].Lifetime != "standing" || f.Code.Trust != "mutable" {
		t.Errorf("%+v", f)
	}
	if e := f.Fixes[0].Edits[0]; source[e.Start:e.End] != "v1" || !f.Fixes[0].Safe {
		t.Errorf("the edit replaces %q", source[e.Start:e.End])
	}
	if doc.Findings[1].Confidence != "low" || doc.Findings[1].Code != nil {
		t.Errorf("%+v", doc.Findings[1])
	}
}

// Text is laid out for 80 columns: no line is wider, the span is marked below.
func TestTextFitsTheWidth(t *testing.T) {
	lines := strings.Split(render(t, "text", result(t)), "\n")
	for _, l := range lines {
		if n := len([]rune(l)); n > 80 && !strings.HasPrefix(l, "not ") {
			t.Errorf("%d columns: %s", n, l)
		}
	}
	i := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "^") })
	if i < 1 || strings.Index(lines[i], "^") != strings.Index(lines[i-1], "some/tool") || strings.Count(lines[i], "^") != len("some/tool@v1") {
		t.Errorf("the mark is off:\n%s\n%s", lines[i-1], lines[i])
	}
}

// Where findings do not fit a screen the summary names those to begin with: the worst
// of each rule in a file, worst first.
func TestTextNamesWhatToMendFirst(t *testing.T) {
	many := &lint.Rule{ID: "many-things", Confidence: lint.HighConfidence, Check: func(p *lint.Pass) {
		if p.File.Workflow == nil {
			return
		}
		job := p.Graph.Jobs[0]
		for i, s := range job.Job.Steps {
			f := lint.Finding{Span: s.Span, Message: "a thing", Job: job}
			if i == 2 {
				f.Exposure = job.Exposure(reach.OutsiderCode)
			}
			p.Report(f)
		}
		p.Report(lint.Finding{Span: job.Job.IDSpan, Message: "a job", Job: job})
	}}
	file := func(path string) *workflows.File { return workflows.Parse(path, []byte(source)) }
	lintOf := func(root string, files ...*workflows.File) *lint.Result {
		return lint.Run(t.Context(), &workflows.Repository{Root: root, Files: files}, lint.Options{Rules: []*lint.Rule{rule, many}})
	}
	const path = ".github/workflows/a.yml"
	got := render(t, "text", lintOf("site", file(path)))
	_, list, ok := strings.Cut(got, "mend these first:\n")
	if want := "  " + path + ":9:9: critical: many-things (4 places in the file)\n  " + path + ":8:15: high: sample-rule (2 places in the file)\n6 findings"; !ok || !strings.HasPrefix(list, want) {
		t.Errorf("got\n%s\nwant\n%s", list, want)
	}
	got = render(t, "text", lintOf("one", file(path)), lintOf("two", file(path), file(".github/workflows/b.yml")))
	_, list, _ = strings.Cut(got, "mend these first:\n")
	list, _, _ = strings.Cut(list, "18 findings")
	if n := strings.Count(list, "\n"); n != 5 || !strings.HasPrefix(list, "  one/"+path+":9:9: critical") || !strings.Contains(list, "  two/.github/workflows/b.yml:9:9: critical") {
		t.Errorf("%d lines for two repositories:\n%s", n, list)
	}
	if got := render(t, "text", result(t)); strings.Contains(got, "mend these first") {
		t.Error("a list of what can be seen anyway")
	}
}
