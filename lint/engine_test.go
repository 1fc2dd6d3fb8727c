package lint

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// standing is an exposure that grades as medium.
func standing(name string) reach.Exposure {
	return reach.Exposure{Credentials: []*reach.Credential{{Name: name, Lifetime: reach.Standing}}}
}

// print writes all of a result that must not depend on the scheduler.
func print(res *Result) string {
	var b strings.Builder
	for _, f := range res.Findings {
		fmt.Fprintln(&b, f.File.Path, f.Span, f.Rule.ID, f.Severity, f.Message, f.Next, f.Fingerprint)
	}
	fmt.Fprintln(&b, res.Suppressed, res.Below, res.StrictOnly, res.NotChecked, res.Failures)
	return b.String()
}

func TestRunIsDeterministic(t *testing.T) {
	var files []string
	for i := range 30 {
		src := head + strings.Repeat("      - run: bad!\n", i%7) + "      - run: bad! # stint: ignore[bad-word]\n"
		files = append(files, fmt.Sprintf(".github/workflows/%02d.yml", i), src)
	}
	across := &Rule{ID: "across", CheckRepository: func(p *Pass) {
		for _, f := range p.Repository.Files {
			p.Report(Finding{File: f, Span: workflows.Span{Start: 0, End: 2}, Message: "seen"})
		}
	}}
	across.Check = func(p *Pass) { // says the same of the place, and only the order tells which is kept
		p.Report(Finding{Span: workflows.Span{Start: 0, End: 2}, Message: "seen", Next: "of the file"})
	}
	broken := &Rule{ID: "broken", Check: func(p *Pass) {
		if strings.HasSuffix(p.File.Path, "3.yml") {
			panic("three")
		}
		p.NotChecked("this and that")
	}}
	rules := []*Rule{words, across, broken, unused}
	run := func(rules []*Rule, processors int) string {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		return print(Run(context.Background(), repository(files...), Options{Rules: rules}))
	}
	want := run(rules, 1)
	if !strings.Contains(want, "bad-word") || strings.Count(want, "failed on") != 3 {
		t.Fatalf("the run is no test:\n%s", want)
	}
	for range 10 {
		if got := run(rules, 8); got != want {
			t.Fatalf("with 8 processors:\n%s\nwith one:\n%s", got, want)
		}
	}
	slices.Reverse(rules)
	if got := run(rules, 8); got != want {
		t.Errorf("with the rules in another order:\n%s\nwant:\n%s", got, want)
	}
}

func TestPanicIsAFailure(t *testing.T) {
	broken := &Rule{ID: "broken", Check: func(p *Pass) {
		p.Report(Finding{Span: workflows.Span{Start: 0, End: 2}, Message: "before"})
		panic("no such\nthing")
	}}
	res := lintWords(head+"      - run: bad!\n", Options{Rules: []*Rule{broken}})
	if want := []string{"rule broken failed on " + ci + ": no such thing"}; !slices.Equal(res.Failures, want) {
		t.Errorf("failures %q, want %q", res.Failures, want)
	}
	if len(res.Findings) != 2 {
		t.Errorf("findings of the broken and of the other rule: %v", res.Findings)
	}
	whole := &Rule{ID: "whole", CheckRepository: func(p *Pass) { _ = p.Repository.Files[len(p.Repository.Files)] }}
	res = lintWords(head, Options{Rules: []*Rule{whole}})
	if len(res.Failures) != 1 || !strings.HasPrefix(res.Failures[0], "rule whole failed on the repository: ") {
		t.Errorf("failures %q", res.Failures)
	}
}

func TestMisplacedFindings(t *testing.T) {
	span := workflows.Span{Start: 0, End: 2}
	for name, report := range map[string]func(p *Pass){
		"names no file": func(p *Pass) { p.Report(Finding{Span: span, Message: "x"}) },
		"outside the file": func(p *Pass) {
			p.Report(Finding{File: p.Repository.Files[0], Span: workflows.Span{Start: 2, End: 9999}})
		},
		"lies outside": func(p *Pass) { p.Report(Finding{File: p.Repository.Files[0], Span: workflows.Span{Start: 5, End: 2}}) },
		"outside its file": func(p *Pass) {
			p.Report(Finding{File: p.Repository.Files[0], Related: []Related{{File: p.Repository.Files[0], Span: workflows.Span{End: 9999}}}})
		},
		"related place outside": func(p *Pass) { p.Report(Finding{File: p.Repository.Files[0], Related: []Related{{Text: "no file"}}}) },
	} {
		res := lintWords(head, Options{Rules: []*Rule{{ID: "lost", CheckRepository: report}}})
		if len(res.Findings) != 0 || len(res.Failures) != 1 || !strings.Contains(res.Failures[0], name) {
			t.Errorf("%s: findings %v, failures %q", name, res.Findings, res.Failures)
		}
	}
}

func TestCancelledRun(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	calls := 0
	stopper := &Rule{ID: "stopper", Check: func(p *Pass) {
		calls++
		p.Report(Finding{Span: workflows.Span{End: 2}, Message: "seen"})
		cancel(errors.New("no more time"))
	}}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	repo := repository("a.yml", head+"      - run: x # stint: ignore[stopper]\n", "b.yml", head, "c.yml", head)
	res := Run(ctx, repo, Options{Rules: []*Rule{stopper, unused}})
	if calls != 1 || len(res.Findings) != 1 {
		t.Errorf("%d calls, findings %v", calls, res.Findings)
	}
	if len(res.Failures) != 1 || !strings.Contains(res.Failures[0], "no more time") {
		t.Errorf("failures %q", res.Failures)
	}
}

func TestFoldedFindings(t *testing.T) {
	span := workflows.Span{Start: 3, End: 7}
	twice := &Rule{ID: "twice", Confidence: MediumConfidence, Check: func(p *Pass) {
		p.Report(Finding{Span: span, Message: "b"})
		p.Report(Finding{Span: span, Message: "c", Exposure: standing("X")})
		p.Report(Finding{Span: span, Message: "a", Exposure: standing("X"), Confidence: LowConfidence})
		p.Report(Finding{Span: workflows.Span{Start: 3, End: 8}, Message: "longer"})
		p.Report(Finding{Message: "nowhere"})
		p.Report(Finding{Message: "nowhere"})
		p.Report(Finding{Message: "nowhere else"})
	}}
	res := lintWords(head, Options{Rules: []*Rule{twice}})
	var got []string
	for _, f := range res.Findings {
		got = append(got, f.Severity.String()+" "+f.Message)
	}
	if want := []string{"info nowhere", "info nowhere else", "medium c", "info longer"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAliasIsOneFinding(t *testing.T) {
	steps := &Rule{ID: "steps", Check: func(p *Pass) {
		for _, j := range p.File.Workflow.Jobs {
			for _, s := range j.AllSteps() {
				p.Report(Finding{Span: s.Run.Span, Message: "a step of " + j.ID})
			}
		}
	}}
	res := lintWords("on: push\njobs:\n  a:\n    runs-on: x\n    steps: &s\n      - run: make\n  b:\n    runs-on: x\n    steps: *s\n", Options{Rules: []*Rule{steps}})
	if len(res.Findings) != 1 {
		t.Errorf("findings %v", print(res))
	}
}

func TestDefaultsAndGrading(t *testing.T) {
	low := reach.Low
	r := &Rule{ID: "r", Confidence: MediumConfidence, Check: func(p *Pass) {
		p.Report(Finding{Span: workflows.Span{Start: 1, End: 2}, Message: "plain", Exposure: standing("X")})
		p.Report(Finding{Span: workflows.Span{Start: 2, End: 3}, Message: "capped", Exposure: standing("X"), Ceiling: &low,
			Confidence: HighConfidence, Next: "do it"})
		p.Report(Finding{Span: workflows.Span{Start: 3, End: 4}, Message: "under the cap", Ceiling: &low})
	}}
	fs := lintWords(head, Options{Rules: []*Rule{r}}).Findings
	for i, want := range []struct {
		severity   reach.Severity
		confidence Confidence
		next       string
	}{
		{reach.Medium, MediumConfidence, "run `stint explain r`"},
		{reach.Low, HighConfidence, "do it"},
		{reach.Info, MediumConfidence, "run `stint explain r`"},
	} {
		f := fs[i]
		if f.Severity != want.severity || f.Confidence != want.confidence || f.Next != want.next || f.Rule != r || f.File.Path != ci {
			t.Errorf("%s: %v %v %q %v %v", f.Message, f.Severity, f.Confidence, f.Next, f.Rule.ID, f.File.Path)
		}
	}
}

func TestFilters(t *testing.T) {
	at := func(i int) workflows.Span { return workflows.Span{Start: i, End: i + 1} }
	mixed := &Rule{ID: "mixed", Since: "2026-11", Check: func(p *Pass) {
		p.Report(Finding{Span: at(1), Message: "medium", Exposure: standing("X")})
		p.Report(Finding{Span: at(2), Message: "info"})
		p.Report(Finding{Span: at(3), Message: "strict", Strict: true})
	}}
	strict := &Rule{ID: "strict", Since: "2027-01", Audience: Strict, Check: func(p *Pass) {
		p.Report(Finding{Span: at(4), Message: "of a strict rule"})
	}}
	medium := reach.Medium
	parse := func(s string) *Config {
		c, err := ParseConfig(ConfigPath, []byte(s))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, test := range []struct {
		name              string
		o                 Options
		findings          string
		below, strictOnly int
		notChecked        string
	}{
		{"by default", Options{}, "medium info", 0, 2, ""},
		{"strict", Options{Strict: true}, "medium info strict of a strict rule", 0, 0, ""},
		{"strict by configuration", Options{Config: parse("lint: { strict: true }")}, "medium info strict of a strict rule", 0, 0, ""},
		{"least severity", Options{MinSeverity: &medium}, "medium", 1, 2, ""},
		{"least severity by configuration", Options{Config: parse("lint: { min-severity: medium }")}, "medium", 1, 2, ""},
		{"the option wins", Options{MinSeverity: new(reach.Info), Config: parse("lint: { min-severity: medium }")}, "medium info", 0, 2, ""},
		{"disabled", Options{Strict: true, Config: parse("lint: { disable: [mixed] }")}, "of a strict rule", 0, 0, "mixed: switched off by .github/stint.yml"},
		{"profile", Options{Strict: true, Config: parse("lint: { profile: 2026-11 }")}, "medium info strict", 0, 0, "strict: younger than the profile 2026-11 of .github/stint.yml"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.o.Rules = []*Rule{mixed, strict}
			res := Run(context.Background(), repository(ci, head), test.o)
			var got []string
			for _, f := range res.Findings {
				got = append(got, f.Message)
			}
			if strings.Join(got, " ") != test.findings || res.Below != test.below || res.StrictOnly != test.strictOnly || strings.Join(res.NotChecked, " ") != test.notChecked {
				t.Errorf("findings %q, below %d, strict only %d, not checked %q", got, res.Below, res.StrictOnly, res.NotChecked)
			}
		})
	}
}

func TestOnlyAskedFiles(t *testing.T) {
	repo := repository(".github/workflows/a.yml", head+"      - run: bad!\n", ".github/workflows/b.yml", head+"      - run: bad! # stint: ignore[nosuch]\n")
	repo.Only = []string{".github/workflows/a.yml"}
	repo.Unread = []workflows.Unread{{Path: ".github/workflows/c.yml", Reason: "too large"}}
	all := &Rule{ID: "all", CheckRepository: func(p *Pass) {
		for _, f := range p.Repository.Files {
			p.Report(Finding{File: f, Span: workflows.Span{End: 2}, Message: "seen"})
		}
		p.Report(Finding{File: workflows.Parse(p.Repository.Unread[0].Path, nil), Message: "unread"})
	}}
	c, err := ParseConfig(ConfigPath, []byte("lint: { ignore: [{ rule: bad-word, path: nowhere }] }"))
	if err != nil {
		t.Fatal(err)
	}
	res := Run(context.Background(), repo, Options{Rules: []*Rule{words, all, unused}, Config: c})
	var got []string
	for _, f := range res.Findings {
		got = append(got, f.File.Path+" "+f.Message)
	}
	want := []string{".github/workflows/a.yml seen", ".github/workflows/a.yml a bad word", ".github/workflows/c.yml unread"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDebtIsNoted(t *testing.T) {
	c, err := ParseConfig(ConfigPath, []byte("debt:\n  - { secret: NPM_TOKEN, owner: \"@acme/web\", reason: later, until: 2027-01-31 }\n  - secret: OTHER\n"))
	if err != nil {
		t.Fatal(err)
	}
	loss := &Rule{ID: "loss", Check: func(p *Pass) {
		p.Report(Finding{Span: workflows.Span{End: 2}, Message: "x", Exposure: standing("npm_token")})
		p.Report(Finding{Span: workflows.Span{End: 3}, Message: "y", Exposure: standing("FREE")})
	}}
	fs := lintWords(head, Options{Rules: []*Rule{loss}, Config: c}).Findings
	if len(fs) != 2 || len(fs[0].Related) != 1 || len(fs[1].Related) != 0 {
		t.Fatalf("findings %+v", fs)
	}
	note := fs[0].Related[0]
	if want := `"NPM_TOKEN" is declared as debt by "@acme/web" until 2027-01-31`; note.Text != want {
		t.Errorf("note %q, want %q", note.Text, want)
	}
	if got := note.File.Text(note.Span); !strings.HasPrefix(got, "{ secret: NPM_TOKEN") {
		t.Errorf("the note is at %q", got)
	}
	if fs[0].Severity != reach.Medium {
		t.Errorf("severity %v: debt must not lower it", fs[0].Severity)
	}
}

func TestTrustedOwners(t *testing.T) {
	c := &Config{TrustedOwners: []string{"acme"}}
	code := func(trust reach.Trust, uses string) *reach.Code {
		return &reach.Code{Trust: trust, Uses: workflows.ParseUses(uses)}
	}
	for _, test := range []struct {
		code        *reach.Code
		steer, want reach.Trust
	}{
		{code(reach.MutableThirdParty, "Acme/x@v1"), reach.MutableThirdParty, reach.SameOwner},
		{code(reach.PinnedThirdParty, "acme/x@v1"), reach.PinnedThirdParty, reach.SameOwner},
		{code(reach.MutableThirdParty, "other/x@v1"), reach.MutableThirdParty, reach.MutableThirdParty},
		{code(reach.MaliciousCode, "acme/x@v1"), reach.MaliciousCode, reach.MaliciousCode},
		{code(reach.MutableInside, "acme/x@v1"), reach.MutableInside, reach.MutableInside},
		{code(reach.MutableThirdParty, "acme/x@v1"), reach.OutsiderCode, reach.OutsiderCode},
		{&reach.Code{Trust: reach.FetchedCode}, reach.FetchedCode, reach.FetchedCode},
	} {
		before := test.code.Trust
		r := &Rule{ID: "r", Check: func(p *Pass) {
			p.Report(Finding{Span: workflows.Span{End: 2}, Message: "x", Code: test.code, Exposure: reach.Exposure{Steer: test.steer}})
		}}
		f := lintWords(head, Options{Rules: []*Rule{r}, Config: c}).Findings[0]
		if f.Exposure.Steer != test.want {
			t.Errorf("%v: steered as %v, want %v", test.code.Uses, f.Exposure.Steer, test.want)
		}
		if test.code.Trust != before {
			t.Error("the graph's code was changed")
		}
	}
}

func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"a\n b\tc ":                     "a b c",
		"\xff":                          "�",
		strings.Repeat("é", 200):        strings.Repeat("é", 150) + "…",
		"x" + strings.Repeat("é", 200):  "x" + strings.Repeat("é", 149) + "…",
		strings.Repeat("a", 300) + "bc": strings.Repeat("a", 300) + "…",
	} {
		if got := oneLine(in); got != want {
			t.Errorf("%.20q…: %q, want %q", in, got, want)
		}
	}
}
