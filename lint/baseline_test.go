package lint

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// clocked finds every line with "uses-bad" by the clock.
var clocked = &Rule{ID: "clocked", Clock: true, Check: func(p *Pass) {
	for at := 0; ; at++ {
		i := strings.Index(string(p.File.Source[at:]), "uses-bad")
		if i < 0 {
			return
		}
		at += i
		p.Report(Finding{Span: workflows.Span{Start: at, End: at + 8}, Message: "known since today"})
	}
}}

func judged(t *testing.T, k *Known, source string, rules ...*Rule) *Result {
	t.Helper()
	r := Run(context.Background(), repository(ci, source), Options{Rules: rules})
	k.Judge(r, "the base")
	return r
}

func baseline(t *testing.T, source string, rules ...*Rule) *Known {
	t.Helper()
	var b bytes.Buffer
	if err := WriteBaseline(&b, Run(context.Background(), repository(ci, source), Options{Rules: rules})); err != nil {
		t.Fatal(err)
	}
	k, err := ReadBaseline(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func counts(r *Result) [3]int {
	failing := len(r.Failing())
	return [3]int{failing, len(r.Findings) - failing, len(r.Old)}
}

func TestJudgeLeavesWhatTheChangeBrings(t *testing.T) {
	const bad, accepted = "      - run: bad!\n", "      - run: bad! # stint: ignore[bad-word]\n"
	for name, test := range map[string]struct {
		base, change         string
		fromCommit, fromFile [3]int // failing, notices, old
	}{
		"nothing changes":                {head + bad, head + bad, [3]int{0, 0, 1}, [3]int{0, 0, 1}},
		"lines move":                     {head + bad, "# top\n" + head + "      - run: good\n" + bad, [3]int{0, 0, 1}, [3]int{0, 0, 1}},
		"one more that is equal":         {head + bad, head + bad + bad, [3]int{1, 0, 1}, [3]int{1, 0, 1}},
		"one is mended":                  {head + bad + bad, head + bad, [3]int{0, 0, 1}, [3]int{0, 0, 1}},
		"the base is clean":              {head, head + bad, [3]int{1, 0, 0}, [3]int{1, 0, 0}},
		"a comment is taken away":        {head + accepted, head + bad, [3]int{1, 0, 0}, [3]int{0, 0, 1}},
		"another job is named otherwise": {head + bad, strings.Replace(head, "  a:", "  b:", 1) + bad, [3]int{1, 0, 0}, [3]int{1, 0, 0}},
	} {
		was := Run(context.Background(), repository(ci, test.base), Options{Rules: []*Rule{words}})
		if got := counts(judged(t, KnownOf(was), test.change, words)); got != test.fromCommit {
			t.Errorf("%s: against the commit %v, want %v", name, got, test.fromCommit)
		}
		if got := counts(judged(t, baseline(t, test.base, words), test.change, words)); got != test.fromFile {
			t.Errorf("%s: against the file %v, want %v", name, got, test.fromFile)
		}
	}
}

// What comes true by the clock is a notice on a line that was there, whether the base
// already knows it (judged today) or not (a file of yesterday), and fails on a new line.
func TestTheClockFailsNoUntouchedLine(t *testing.T) {
	const line = "      - run: uses-bad one\n"
	base := head + line
	for name, k := range map[string]*Known{
		"the commit, judged today":   KnownOf(Run(context.Background(), repository(ci, base), Options{Rules: []*Rule{clocked}})),
		"a file, written before it":  baseline(t, base),
		"a file, written after it":   baseline(t, base, clocked),
		"a file, the line elsewhere": baseline(t, "# top\n"+head+"      - run: good\n"+line),
		"a file, other white space":  baseline(t, head+"      -  run: good\n  "+strings.ReplaceAll(line, "\n", "   \n")),
	} {
		if got := counts(judged(t, k, base, clocked)); got != [3]int{0, 1, 0} {
			t.Errorf("%s: untouched: %v", name, got)
		}
		if got := counts(judged(t, k, base+"      - run: uses-bad two\n", clocked)); got != [3]int{1, 1, 0} {
			t.Errorf("%s: with one more: %v", name, got)
		}
	}
	if got := counts(judged(t, baseline(t, head), base, clocked)); got != [3]int{1, 0, 0} {
		t.Errorf("a line that the baseline lacks: %v", got)
	}
}

// The same defect is worth more when more can be lost through it: that the change brings.
func TestARisenSeverityIsBrought(t *testing.T) {
	at := reach.Exposure{}
	rule := &Rule{ID: "grows", Check: func(p *Pass) {
		p.Report(Finding{Span: workflows.Span{Start: 0, End: 2}, Message: "m", Exposure: at})
	}}
	low := KnownOf(Run(context.Background(), repository(ci, head), Options{Rules: []*Rule{rule}}))
	at = standing("NPM_TOKEN")
	if got := counts(judged(t, low, head, rule)); got != [3]int{1, 0, 0} {
		t.Errorf("risen: %v", got)
	}
	high := KnownOf(Run(context.Background(), repository(ci, head), Options{Rules: []*Rule{rule}}))
	at = reach.Exposure{}
	if got := counts(judged(t, high, head, rule)); got != [3]int{0, 0, 1} {
		t.Errorf("fallen: %v", got)
	}
}

// What either of two configurations reports is reported once, at its worst; what one of
// them says of itself is not.
func TestJoinTakesWhatEitherSays(t *testing.T) {
	at := reach.Exposure{}
	grows := &Rule{ID: "grows", Check: func(p *Pass) { p.Report(Finding{Span: workflows.Span{End: 2}, Message: "m", Exposure: at}) }}
	alone := &Rule{ID: "alone", Check: func(p *Pass) { p.Report(Finding{Span: workflows.Span{End: 3}, Message: "m", Redact: true}) }}
	itself := &Rule{ID: "itself", CheckSuppressions: func(p *Pass) { p.Report(Finding{File: p.Repository.Files[0], Message: "m"}) }}
	by := func(disabled string) *Result {
		return Run(context.Background(), repository(ci, head), Options{Rules: []*Rule{grows, alone, itself}, Config: &Config{Disable: []string{disabled}}})
	}
	r := by("alone")
	at = standing("NPM_TOKEN")
	r.Join(by("itself"))
	var got []string
	for _, f := range r.Findings {
		got = append(got, f.Rule.ID+" "+f.Severity.String())
	}
	if want := []string{"alone info", "grows " + reach.Grade(at).String(), "itself info"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if len(r.NotChecked) > 0 || len(r.Redacted) != 1 {
		t.Errorf("not checked %q, %d places to keep out", r.NotChecked, len(r.Redacted))
	}
	r = by("itself")
	r.Join(by("alone"))
	if slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Rule == itself }) {
		t.Error("the other configuration speaks of itself")
	}
}

func TestBaselineIsTheSameWhateverTheOrder(t *testing.T) {
	write := func(paths ...string) string {
		var files []string
		for _, p := range paths {
			files = append(files, p, head+"      - run: bad!\n")
		}
		var b bytes.Buffer
		if err := WriteBaseline(&b, Run(context.Background(), repository(files...), Options{Rules: []*Rule{words}})); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	a, b := ".github/workflows/a.yml", ".github/workflows/b.yml"
	if write(a, b) != write(b, a) {
		t.Error("the order of the files shows")
	}
}

// FuzzReadBaseline: a hostile file is refused or read, and judges without a panic.
func FuzzReadBaseline(f *testing.F) {
	f.Add([]byte(`{"version": 1, "findings": [{"fingerprint": "a", "severity": "low"}], "lines": {"a": ["b"]}}`))
	f.Add([]byte(`{"version": 1, "findings": null, "lines": {"": null}}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := ReadBaseline(b)
		if err != nil {
			return
		}
		r := Run(context.Background(), repository(ci, head+"      - run: bad! uses-bad\n"), Options{Rules: []*Rule{words, clocked}})
		n := len(r.Findings)
		if k.Judge(r, "x"); len(r.Findings)+len(r.Old) != n {
			t.Errorf("%d findings became %d and %d", n, len(r.Findings), len(r.Old))
		}
	})
}
