package workflows

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func messages(f *File) string {
	var out []string
	for _, p := range f.Problems {
		at := f.Position(p.Span.Start)
		out = append(out, fmt.Sprintf("%d:%d %s", at.Line, at.Column, p.Message))
	}
	return strings.Join(out, "\n")
}

const workflowPath = ".github/workflows/x.yml"

// TestBrokenYAML gives what the library refuses: one problem for the whole file
// that names the line in which it goes wrong.
func TestBrokenYAML(t *testing.T) {
	tests := []struct{ name, source, want string }{
		{"indentation", "a:\n  b: 1\n c: 2\n", "3:2 not valid YAML in line 3: did not find expected key"},
		{"colon", "a: 1\nb: c: d\n", "2:1 not valid YAML in line 2: mapping values are not allowed in this context"},
		{"open quote", "a: 1\nb: \"x\nc: 1\n", "2:1 not valid YAML in line 2: found unexpected end of stream"},
		{"open bracket", "a: [1\nb: 2\n", "1:1 not valid YAML in line 1: did not find expected ',' or ']'"},
		{"tab", "a:\n\tb: 1\n", "2:2 not valid YAML in line 2: found character that cannot start any token"},
		{"unknown anchor", "a: 1\n\nb: *nobody\n", "3:1 not valid YAML in line 3: unknown anchor 'nobody' referenced"},
		{"escape", "a: \"\\q\"\n", "1:1 not valid YAML in line 1: found unknown escape character"},
		{"with a byte order mark", "\ufeffa: 1\r\nb: c: d\r\n", "2:1 not valid YAML in line 2: mapping values are not allowed in this context"},
		{"odd line breaks", "a: 1 #\u2028b: 2\nb: c: d\n", "2:1 not valid YAML in line 2: mapping values are not allowed in this context"},
		{"empty", "", "1:1 empty file"},
		{"white space", " \n\n", "1:1 empty file"},
		{"comments", "# one\n# two\n", "1:1 empty file"},
		{"null", "~\n", "1:1 empty file"},
		{"text", "hello\n", "1:1 the file must be a mapping, found text"},
		{"list", "- a\n", "1:1 the file must be a mapping, found a list"},
		{"deep", strings.Repeat("[", 20_000), "1:1 not valid YAML in line 1: exceeded max depth of 10000"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := Parse(workflowPath, []byte(test.source))
			if got := messages(f); got != test.want || !f.Problems[0].Whole {
				t.Errorf("got %v whole=%v, want %v", got, f.Problems[0].Whole, test.want)
			}
		})
	}
}

func TestLargeBrokenYAML(t *testing.T) {
	source := "on: push\n" + strings.Repeat("# padding\n", maxBisectBytes/10) + "a: b: c\n"
	f := Parse(workflowPath, []byte(source))
	if len(f.Problems) != 1 || !strings.Contains(f.Problems[0].Message, "mapping values") {
		t.Error(messages(f))
	}
	if got, want := f.Position(f.Problems[0].Span.Start).Line, strings.Count(source, "\n"); got != want {
		t.Errorf("line %d, want %d", got, want)
	}
}

func TestStructureProblems(t *testing.T) {
	const rest = "\non: push\njobs: {a: {runs-on: x, steps: []}}\n"
	tests := []struct{ name, source, want string }{
		{"duplicate", "name: a\nname: b" + rest, `2:1 the key "name" is there twice and the first is used; GitHub refuses this file`},
		{"duplicate among many", many(20) + "x-7: 1" + rest, `21:1 the key "x-7" is there twice and the first is used; GitHub refuses this file`},
		{"key that is a list", "[a]: b" + rest, "1:1 a key must be text, found a list"},
		{"key that is nothing", "\"\": b" + rest, "1:1 a key must not be empty"},
		{"merge of text", "<<: a" + rest, "1:1 << must name a mapping, found text"},
		{"merge of a list of texts", "<<: [a]" + rest, "1:1 << must name a mapping, found text"},
		{"cycle", "a: &a [*a]" + rest, `1:8 the alias "a" stands inside the value it stands for`},
		{"cycle in a mapping", "a: &a {b: *a}" + rest, `1:11 the alias "a" stands inside the value it stands for`},
		{"cycle by merge", "a: &a\n  <<: *a" + rest, "2:7 the alias \"a\" stands inside the value it stands for"},
		{"second document", "name: a" + rest + "---\non: push\n", "4:1 a second YAML document begins in line 4 and is not read; GitHub refuses this file"},
		{"end marker", "---\nname: a" + rest + "...\n# bye\n", ""},
		{"empty second document", "name: a" + rest + "---\n# bye\n", ""},
		{"no on", "jobs: {a: {runs-on: x, steps: []}}", "1:1 on is missing; GitHub refuses this file"},
		{"no jobs", "on: push", "1:1 jobs is missing; GitHub refuses this file"},
		{"empty jobs", "on: push\njobs: {}", "2:1 jobs is empty; GitHub refuses this file"},
		{"empty mapping", "{}", "1:1 on is missing; GitHub refuses this file\n1:1 jobs is missing; GitHub refuses this file"},
		{"hostile names", "on: push\njobs: {\"a\\e[31m\": {steps: 1}}", `2:26 jobs."a\x1b[31m" has no runs-on; GitHub refuses this file` + "\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := Parse(workflowPath, []byte(test.source))
			if got := messages(f); test.name == "hostile names" {
				if strings.Contains(got, "\x1b") || !strings.Contains(got, `jobs."a\x1b[31m".steps must be a list`) {
					t.Errorf("got %q", got)
				}
			} else if got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
			if f.Workflow == nil {
				t.Error("the rest was not used")
			}
		})
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "x-%d: 1\n", i)
	}
	return b.String()
}

func manyFlow(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "K%d: 1, ", i)
	}
	return b.String()
}

// TestBombs gives small files that would ask for much: each ends soon, with one
// problem, and with what is beside the bomb read.
func TestBombs(t *testing.T) {
	var laughs strings.Builder
	laughs.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 20; i++ {
		fmt.Fprintf(&laughs, "a%d: &a%d [%s]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9))
	}
	var deepAliases strings.Builder
	deepAliases.WriteString("b0: &b0 [x]\n")
	for i := 1; i < 300; i++ {
		fmt.Fprintf(&deepAliases, "b%d: &b%d [*b%d]\n", i, i, i-1)
	}
	merges := "m: &m {" + manyFlow(19) + "}\nn:\n  <<: [" + strings.Repeat("*m, ", 40_000) + "]\n"
	tests := []struct{ name, bomb, want string }{
		{"laughs", laughs.String(), "aliases stand for more than 400000 values"},
		{"deep aliases", deepAliases.String(), "nested deeper than 200 levels"},
		{"merges", merges, "aliases stand for more than 400000 values"},
		{"deep", "a: " + strings.Repeat("[", 900) + strings.Repeat("]", 900) + "\n", "nested deeper than 200 levels"},
	}
	const rest = "on: push\njobs: {a: {runs-on: x, steps: [{run: make}]}} # end\n"
	for _, test := range tests {
		for _, source := range []string{rest + test.bomb, test.bomb + rest} {
			t.Run(test.name, func(t *testing.T) {
				start := time.Now()
				f := Parse(workflowPath, []byte(source))
				if len(f.Problems) != 1 || !strings.HasPrefix(f.Problems[0].Message, test.want) {
					t.Fatalf("problems %v", messages(f))
				}
				if took := time.Since(start); took > 20*time.Second {
					t.Errorf("took %v", took)
				}
				if len(f.Workflow.Jobs) != 1 || len(f.Workflow.Jobs[0].Steps) != 1 || len(f.Comments) != 1 {
					t.Error("what is beside the bomb was lost")
				}
			})
		}
	}
}

// TestTooManyValues gives a file that is large without aliases: what comes before
// the limit is used.
func TestTooManyValues(t *testing.T) {
	source := "on: push\njobs: {a: {runs-on: x, steps: []}}\nz: [" + strings.Repeat("a,", MaxNodes) + "]\n"
	f := Parse(workflowPath, []byte(source))
	if got := messages(f); !strings.HasSuffix(got, " more than 400000 values; the rest is not read") || strings.Count(got, "\n") > 0 {
		t.Error(got)
	}
	if f.Workflow == nil || len(f.Workflow.Jobs) != 1 {
		t.Error("what comes before was lost")
	}
}

func TestManyProblems(t *testing.T) {
	f := Parse(workflowPath, []byte("on: push\njobs: {a: {runs-on: x, steps: [{run: x}]}}\n"+strings.Repeat("name: x\n", 10*MaxProblems)))
	last := f.Problems[len(f.Problems)-1]
	if len(f.Problems) != MaxProblems+1 || last.Message != "more than 200 problems in this file; the others are not listed" {
		t.Errorf("%d problems, last %v", len(f.Problems), last)
	}
	if len(f.Workflow.Jobs[0].Steps) != 1 {
		t.Error("the rest was not used")
	}
}

// TestLongLine reads a file of one long line, where finding places by line and
// column, or comments on the same line, afresh each time would take a time that
// grows with the square of its length.
func TestLongLine(t *testing.T) {
	source := `{on: push, jobs: {a: {runs-on: x, steps: [` + strings.Repeat(`{uses: "é/b@v1"},`, 60_000) + `]}}} # end`
	start := time.Now()
	f := Parse(workflowPath, []byte(source))
	if got := len(f.Workflow.Jobs[0].Steps); got != 60_000 {
		t.Errorf("%d steps", got)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestComments(t *testing.T) {
	tests := []struct {
		name, source string
		want         []string
	}{
		{"own line and trailing", "# one\na: 1 # two\n  # three\n", []string{"one", "two", "three"}},
		{"not in texts", "a: 'x # y'\nb: \"x # y\"\nc: x#y\nd: |\n  # no\n  x # no\n# yes\ne: >\n  # no\n", []string{"yes"}},
		{"block header", "a: | # yes\n  # no\n", []string{"yes"}},
		{"flow", "a: [ # one\n  x, # two\n  y # three\n] # four\n", []string{"one", "two", "three", "four"}},
		{"without a space before", "a: 'x'#one\nb: [y,#two\n z]\n", []string{"one", "two"}},
		{"anchors and tags", "a: &x#y 1 # one\nb: *x#y\nc: !t # two\n  z\n", []string{"one", "two"}},
		{"list", "- # one\n  a\n- b # two\n", []string{"one", "two"}},
		{"around markers", "# one\n--- # two\na: 1\n... # three\n# four\n", []string{"one", "two", "three", "four"}},
		{"empty values", "a: # one\nb:\n  # two\n  c: # three\n", []string{"one", "two", "three"}},
		{"empty comment", "a: 1 #\n##\n", []string{"", "#"}},
		{"explicit keys", "? a # one\n# two\n: b # three\n", []string{"one", "two", "three"}},
		{"directives", "%YAML 1.1 # one\n---\na: 1\n", []string{"one"}},
		{"only comments", "# one\n\n# two", []string{"one", "two"}},
		{"at an odd break", "a: 1 # one\u2028b: 2 # two\n", []string{"one", "two"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, _, _ := readText(test.source)
			var got []string
			for _, c := range f.Comments {
				got = append(got, c.Text)
				text := f.Text(c.Span)
				if !strings.HasPrefix(text, "#") || strings.TrimSpace(text[1:]) != c.Text {
					t.Errorf("span %q of %q", text, c.Text)
				}
				before := f.LineText(f.Position(c.Span.Start).Line)
				own := strings.HasPrefix(strings.TrimSpace(before), "#")
				if c.OwnLine != own {
					t.Errorf("%q own line: %v", c.Text, c.OwnLine)
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(test.want) || len(got) != len(test.want) {
				t.Errorf("got %q, want %q; %v", got, test.want, f.Problems)
			}
		})
	}
}

// TestMerge holds the order in which keys win: the mapping's own, then the
// sources in turn.
func TestMerge(t *testing.T) {
	_, _, root := readText("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {z: 3, <<: [*a, *b], w: 3}\nd: {<<: {v: 4}, <<: *b}\n")
	got := func(key string) string {
		n, _ := root.get(key)
		var out []string
		for _, f := range n.fields {
			out = append(out, f.key.Value+f.val.scalar.Value)
		}
		return strings.Join(out, " ")
	}
	if got("c") != "z3 w3 x1 y1" || got("d") != "v4 y2 z2" {
		t.Errorf("merged to %q and %q", got("c"), got("d"))
	}
}

// TestSpans holds the places of collections. «» mark them.
func TestSpans(t *testing.T) {
	tests := []struct{ name, source string }{
		{"block mapping", "«a: 1\nb: 2» # c\n"},
		{"block mapping with an anchor", "k: &x # c\n  «a: 1\n  b: 2»\n"},
		{"anchored first key", "k:\n  &x «a: 1»\n"},
		{"ends in nothing", "k:\n  «a:»\n"},
		{"ends in a block", "k:\n  «a: |\n    x\n    y»\n\n\n"},
		{"ends in an alias", "b: &b 1\nk:\n  «a: *b» # c\n"},
		{"flow mapping", "k: «{a: 1, b: [2]}» # c\n"},
		{"flow mapping, odd", "k: «{a, b: , # }\n c: }»\n"},
		{"flow mapping, empty", "k: «{ }»\n"},
		{"block list", "k:\n  «- a\n  - b» # c\n"},
		{"list at the key's column", "k:\n«- a\n- b»\nl: 1\n"},
		{"list with an anchor", "k: &x\n  «- a»\n"},
		{"list of nothing", "k:\n  «- a\n  -»\n"},
		{"flow list", "k: «[a, b # ]\n, c ]» # d\n"},
		{"single pair in a list", "k: [«a: b»]\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			start := strings.Index(test.source, "«")
			end := strings.Index(test.source, "»") - len("«")
			f, _, root := readText(strings.NewReplacer("«", "", "»", "").Replace(test.source))
			n := root
			if v, ok := root.get("k"); ok {
				n = v
			}
			if test.name == "single pair in a list" {
				n = n.items[0]
			}
			if want := (Span{start, end}); n.span != want {
				t.Errorf("got %q, want %q; %v", f.Text(n.span), f.Text(want), f.Problems)
			}
		})
	}
}
