package lint

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/workflows"
)

// words is a rule that reports every "bad" in a file's source, wherever it is, so
// that tests of the engine need no rule of the product.
var words = &Rule{
	ID: "bad-word", Title: "bad words", Since: "2026-11", Confidence: HighConfidence,
	Check: func(p *Pass) {
		src := string(p.File.Source)
		for i := 0; ; {
			at := strings.Index(src[i:], "bad!")
			if at < 0 {
				return
			}
			i += at + 1
			p.Report(Finding{Span: workflows.Span{Start: i - 1, End: i + 3}, Message: "a bad word"})
		}
	},
}

// unused says in its message what a suppression did.
var unused = &Rule{
	ID: "unused", Since: "2026-11", Confidence: HighConfidence,
	CheckSuppressions: func(p *Pass) {
		for _, s := range p.Suppressions {
			text := fmt.Sprintf("%s expired=%t until=%s reason=%s", s.Problem, s.Expired, s.Until, s.Reason)
			for _, r := range s.Rules {
				text += fmt.Sprintf(" %s:known=%t,judged=%t,matched=%d", r.ID, r.Known, r.Judged, r.Matched)
			}
			p.Report(Finding{File: s.File, Span: s.Span, Message: text})
		}
	},
}

func repository(files ...string) *workflows.Repository {
	r := &workflows.Repository{Root: "."}
	for i := 0; i+1 < len(files); i += 2 {
		r.Files = append(r.Files, workflows.Parse(files[i], []byte(files[i+1])))
	}
	slices.SortFunc(r.Files, func(a, b *workflows.File) int { return strings.Compare(a.Path, b.Path) })
	return r
}

const ci = ".github/workflows/ci.yml"

func lintWords(src string, o Options) *Result {
	o.Rules = append(o.Rules, words)
	if o.Today == "" {
		o.Today = "2026-11-21"
	}
	return Run(context.Background(), repository(ci, src), o)
}

// linesOf returns the line numbers of findings of a rule.
func linesOf(res *Result, rule string) []int {
	var lines []int
	for _, f := range res.Findings {
		if f.Rule.ID == rule {
			lines = append(lines, f.File.Position(f.Span.Start).Line)
		}
	}
	return lines
}

// head is valid YAML in front of which tests put their steps.
const head = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n"

func TestSuppressionCovers(t *testing.T) {
	const mark = "# stint: ignore[bad-word]"
	tests := []struct {
		name, src string
		want      []int // lines whose findings are left; head has 5
	}{
		{"nothing", head + "      - run: bad!\n", []int{6}},
		{"the line", head + "      - run: bad! " + mark + "\n      - run: bad!\n", []int{7}},
		{"not the lines below", head + "      - name: x " + mark + "\n        run: bad!\n", []int{7}},
		{"beside a version", head + "      - uses: bad!/x@v1 # v1.2.3 " + mark + " # more\n", nil},
		{"the step below", head + "      " + mark + "\n      - name: bad!\n        run: bad!\n      - run: bad!\n", []int{9}},
		{"through other comments and blank lines", head + "      " + mark + "\n      # why\n\n      - run: bad!\n", nil},
		{"a wrongly indented comment", head + mark + "\n      - name: bad!\n        run: bad!\n      - run: bad!\n", []int{9}},
		{"a key in a step", head + "      - name: bad!\n        " + mark + "\n        env:\n          A: bad!\n          B: bad!\n        run: bad!\n", []int{6, 11}},
		{"a job", "on: push\njobs:\n  " + mark + "\n  a:\n    runs-on: bad!\n    steps:\n      - run: bad!\n  b:\n    runs-on: bad!\n", []int{9}},
		{"items at the indentation of their key", "on: push\njobs:\n  a:\n    runs-on: x\n    " + mark + "\n    steps:\n    - run: bad!\n    - run: bad!\n    name: bad!\n", []int{9}},
		{"a block scalar by its header", head + "      - run: | " + mark + "\n          a\n          # bad!\n          bad!\n        shell: bad!\n", []int{10}},
		{"a folded scalar with indicators", head + "      - name: x\n        run: >2- " + mark + "\n            bad!\n\n            bad!\n        shell: bad!\n", []int{11}},
		{"no comment inside a script", head + "      - run: |\n          bad! " + mark + "\n", []int{7}},
		{"no comment line inside a script", head + "      - run: |\n          " + mark + "\n          bad!\n", []int{8}},
		{"a block scalar in a step below", head + "      " + mark + "\n      - run: |\n          bad!\n      - run: bad!\n", []int{9}},
		{"carriage returns", strings.ReplaceAll(head+"      - run: bad! "+mark+"\n      - run: bad!\n", "\n", "\r\n"), []int{7}},
		{"at the end of the file", head + "      - run: bad!\n" + mark, []int{6}},
		{"another rule", head + "      - run: bad! # stint: ignore[other]\n", []int{6}},
		{"one of several", head + "      - run: bad! # stint: ignore[other, bad-word]\n", nil},
		{"malformed", head + "      - run: bad! # stint: ignore[bad-word] for now\n", []int{6}},
		{"its last day", head + "      - run: bad! " + mark + " until=2026-11-21\n", nil},
		{"run out", head + "      - run: bad! " + mark + " until=2026-11-20\n", []int{6}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			res := lintWords(test.src, Options{})
			if got := linesOf(res, "bad-word"); !slices.Equal(got, test.want) {
				t.Errorf("left on lines %v, want %v in\n%s", got, test.want, test.src)
			}
			if all := strings.Count(test.src, "bad!"); res.Suppressed != all-len(test.want) {
				t.Errorf("suppressed %d of %d, want all but %d", res.Suppressed, all, len(test.want))
			}
		})
	}
}

func TestSuppressionInStrict(t *testing.T) {
	for attributes, problem := range map[string]string{
		"":                                  "it has no reason and no end",
		` reason="x"`:                       "it has no end",
		" until=2027-01-31":                 "it has no reason",
		` until=2027-01-31 reason="for x"`:  "",
		` reason="for x" until=2027-01-31 `: "",
	} {
		src := head + "      - run: bad! # stint: ignore[bad-word]" + attributes + "\n"
		if got := len(lintWords(src, Options{}).Findings); got != 0 {
			t.Errorf("%q: %d findings without strict", attributes, got)
		}
		res := lintWords(src, Options{Strict: true, Rules: []*Rule{unused}})
		if left := len(linesOf(res, "bad-word")) > 0; left != (problem != "") {
			t.Errorf("%q: reported with strict: %t", attributes, left)
		}
		if !strings.HasPrefix(res.Findings[len(res.Findings)-1].Message, problem+" expired") {
			t.Errorf("%q: %q, want %q", attributes, res.Findings[0].Message, problem)
		}
	}
}

func TestSuppressionIsJudged(t *testing.T) {
	broken := &Rule{ID: "broken", Check: func(*Pass) { panic("broken") }}
	online := &Rule{ID: "online", Check: func(p *Pass) { p.Resolver.Commit(p.Context, "a", "b", "c") }}
	idle := &Rule{ID: "idle", Check: func(*Pass) {}}
	asleep := &Rule{ID: "asleep"}
	all := []*Rule{words, unused, broken, online, idle, asleep}
	tests := []struct{ name, id, tail, want string }{
		{"matches", "bad-word", "", "known=true,judged=true,matched=1"},
		{"matches nothing", "idle", "", "known=true,judged=true,matched=0"},
		{"its rule broke", "broken", "", "known=true,judged=false,matched=0"},
		{"its rule is offline", "online", "", "known=true,judged=false,matched=0"},
		{"its rule does not run", "asleep", "", "known=true,judged=false,matched=0"},
		{"no such rule", "nosuch", "", "known=false,judged=false,matched=0"},
		{"this rule itself", "unused", "", "known=false,judged=true,matched=0"},
		{"a file not read whole", "idle", "  b: [1]\n", "known=true,judged=false,matched=0"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			src := head + "      - run: bad! # stint: ignore[" + test.id + "]\n" + test.tail
			res := lintWords(src, Options{Rules: []*Rule{unused, broken, online, idle}, Known: all})
			i := slices.IndexFunc(res.Findings, func(f Finding) bool { return f.Rule == unused })
			if i < 0 || !strings.HasSuffix(res.Findings[i].Message, test.id+":"+test.want) {
				t.Errorf("got %v, want %s", res.Findings, test.want)
			}
		})
	}
}

func TestConfigSuppression(t *testing.T) {
	const src = head + "      - run: bad!\n"
	for _, test := range []struct {
		entry string
		left  int
	}{
		{"{ rule: bad-word, path: .github/workflows/ci.yml }", 0},
		{"{ rule: bad-word, path: .github/**/*.yml, until: 2027-01-31, reason: old }", 0},
		{"{ rule: bad-word, path: '*.yml' }", 1},
		{"{ rule: other, path: '**' }", 1},
		{"{ rule: bad-word, path: '**', until: 2026-01-31 }", 1},
	} {
		c, err := ParseConfig(ConfigPath, []byte("lint:\n  ignore:\n    - "+test.entry+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the configuration is not changed by a run
			res := lintWords(src, Options{Config: c, Rules: []*Rule{unused}})
			if got := len(linesOf(res, "bad-word")); got != test.left || res.Suppressed != 1-test.left {
				t.Errorf("%s: %d findings left, %d suppressed", test.entry, got, res.Suppressed)
			}
			at := res.Findings[slices.IndexFunc(res.Findings, func(f Finding) bool { return f.Rule == unused })]
			if at.File.Path != ConfigPath || at.File.Text(at.Span) != test.entry {
				t.Errorf("%s: the place is %q", test.entry, at.File.Text(at.Span))
			}
		}
	}
}

func TestTooManySuppressions(t *testing.T) {
	src := head + strings.Repeat("      # stint: ignore[bad-word]\n", maxSuppressions+5) + "      - run: bad!\n"
	res := lintWords(src, Options{})
	if len(res.Failures) != 1 || !strings.Contains(res.Failures[0], "over 500 suppressions") {
		t.Errorf("failures: %q", res.Failures)
	}
	if res.Suppressed != 1 {
		t.Errorf("suppressed %d, want the one finding", res.Suppressed)
	}
}

func TestRemoval(t *testing.T) {
	tests := []struct{ line, remove, want string }{
		{"- run: x # stint: ignore[a]", "a", "- run: x"},
		{"- run: x # stint: ignore[a, b] until=2027-01-31", "a", "- run: x # stint: ignore[b] until=2027-01-31"},
		{"- run: x # stint: ignore[a, b]", "a b", "- run: x"},
		{"- run: x # v1.2.3 # stint: ignore[a]", "a", "- run: x # v1.2.3"},
		{"- run: x # stint: ignore[a] reason=\"y\" # v1.2.3", "a", "- run: x # v1.2.3"},
		{"- run: x # v1 # stint: ignore[a] # other: ignore[b]", "a", "- run: x # v1 # other: ignore[b]"},
		{"# stint: ignore[a]\n      - run: x", "a", "- run: x"},
		{"# stint: ignore[a] # keep\n      - run: x", "a", "# keep\n      - run: x"},
		{"# keep # stint: ignore[a]\n      - run: x", "a", "# keep\n      - run: x"},
	}
	for _, test := range tests {
		t.Run(test.line, func(t *testing.T) {
			f := workflows.Parse(ci, []byte(head+"      "+test.line+"\n"))
			sups := fileSuppressions(f)
			if len(sups) != 1 {
				t.Fatalf("%d suppressions", len(sups))
			}
			got, err := workflows.Apply(f, sups[0].Removal(strings.Fields(test.remove)...))
			if want := head + "      " + test.want + "\n"; err != nil || string(got) != want {
				t.Errorf("got (%v)\n%s\nwant\n%s", err, got, want)
			}
		})
	}
}

// Whatever the file, every finding is either left or suppressed, and taking a
// suppression out of the file leaves one that parses as before.
func FuzzSuppressions(f *testing.F) {
	f.Add(head + "      - run: bad! # v1 # stint: ignore[bad-word] until=2027-01-31 reason=\"x\" # y\n")
	f.Add(head + "      # stint: ignore[a, bad-word]\n      - run: |2 # stint: ignore[b]\n          bad!\n")
	f.Add("# stint: ignore[x]\r\n---\r\non: push # stint: ignore[y]")
	f.Fuzz(func(t *testing.T, src string) {
		res := lintWords(src, Options{})
		if all := strings.Count(src, "bad!"); len(res.Findings)+res.Suppressed != all {
			t.Fatalf("%d left and %d suppressed of %d", len(res.Findings), res.Suppressed, all)
		}
		file := res.Repository.Files[0]
		for _, s := range fileSuppressions(file) {
			out, err := workflows.Apply(file, s.Removal(s.marker.ids...))
			if err != nil {
				continue // refused as a whole: the file did not parse before
			}
			if again := workflows.Parse(ci, out); len(again.Problems) > len(file.Problems) {
				t.Fatalf("without %q there are problems: %v", file.Text(s.Span), again.Problems)
			}
		}
	})
}
