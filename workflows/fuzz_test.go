package workflows

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// hostile are small files of kinds that have broken parsers.
var hostile = []string{
	"", "\n", "\ufeff", "\ufeff\ufeffon: push", "---\n---\n", "...\n", "%YAML 1.1\n---\na: 1\n", "a: 1\n--- |\n x\n",
	"on: push\r\njobs:\r\n  a:\r\n    runs-on: x\r\n    steps:\r\n      - run: |\r\n          a\r\n          b\r\n",
	"on: push\rjobs:\r  a: {}\r", "a:\tb\n", "a: |\n\tb\n", "a: \x00\n", "a: \xff\n",
	"a: &a [*a, *a]\n", "a: &a\n  <<: *a\n", "<<: {<<: {a: b}}\n", "*a : b\n", "&a a: &b b\n*a : *b\n", "a: &x\nb: *x\n",
	"jobs: {a: {steps: [[], {}, ~, x, {run: }, {uses: }]}}\n", "jobs: [", "{{{{", "[[[[", "- - - -\n", "? ? ? a\n", "? |\n  a\n: >\n  b\n",
	"on: push\njobs: {a: {steps: [{parallel: [{parallel: [{run: x}]}]}, {uses: $/a}, {uses: ./b}, {uses: docker://c@sha256:d}]}}\n",
	"a: \"\\\n\\\n\n x\"\n", "a: '\n\n'\n", "a: |0\n", "a: |9+ # c\n         b\n\n", "a: >\n\n\n  b\n\n   c\n\n\n", "a: |\n  b", "a: |+\n\n\n",
	"a: b\u0085c: d\u2028e: f\u2029", "a: \"${{ 'x\n  y' }}\"\n", "a: ${{ ${{ }} }}\n", "a: '${{ ''}}'' }}'\n", "if: ${{\n", "a: !!null b\n!!str c: !<x> d\n",
	"runs: {using: composite, steps: [{run: x, shell: python}]}\n", "version: v0.0.2\n", "a: [b: c, ? d, ? e : f, : g]\n", "{a, b: , c}\n", "a: [x,#y\n]\n",
}

// checkFile holds what is true of every file, whatever is in it.
func checkFile(t *testing.T, f *File) {
	t.Helper()
	whole := Span{0, len(f.Source)}
	walkModel(f, func(name string, v any) {
		switch v := v.(type) {
		case Span:
			if v.Start > v.End || !whole.Contains(v) {
				t.Errorf("%s is %v of %d bytes", name, v, len(f.Source))
			}
		case *Scalar:
			if a := v.SpanOf(0, len(v.Value)); !v.Span.Contains(a) {
				t.Errorf("%s: value at %v outside %v", name, a, v.Span)
			}
			for _, e := range v.Exprs {
				checkExprPlaces(t, v, e)
			}
		}
	})
	last := 0
	for _, p := range f.Problems {
		if p.Span.Start < last || p.Message == "" || strings.ContainsAny(p.Message, "\n\r\x1b") {
			t.Errorf("problem %+v behind %d", p, last)
		}
		last = p.Span.Start
	}
	last = 0
	for _, c := range f.Comments {
		if c.Span.Start < last || !strings.HasPrefix(f.Text(c.Span), "#") || strings.ContainsAny(f.Text(c.Span), "\n\r") {
			t.Errorf("comment %+v behind %d", c, last)
		}
		last = c.Span.End
	}
	if f.Workflow == nil && f.Action == nil && f.Dependabot == nil && f.Lock == nil && len(f.Problems) == 0 {
		t.Error("nothing was read and nothing was said")
	}
}

func checkExprPlaces(t *testing.T, s *Scalar, e *Expr) {
	t.Helper()
	if e.Start > e.End || e.End > len(s.Value) || !s.Span.Contains(e.Span) || (e.Root == nil) != (e.Err != nil) {
		t.Errorf("expression %+v of %q", e, s.Value)
	}
	Walk(e.Root, func(n ExprNode) bool {
		if !e.Span.Contains(n.Range()) {
			t.Errorf("%T at %v outside %v", n, n.Range(), e.Span)
		}
		return true
	})
}

// fuzzPaths are paths of each kind.
var fuzzPaths = []string{
	workflowPath, "action.yml", ".github/dependabot.yml", ".github/workflows/actions.lock", "-",
}

func FuzzParse(f *testing.F) {
	for _, source := range hostile {
		for kind := range fuzzPaths {
			f.Add([]byte(source), byte(kind))
		}
	}
	names, err := filepath.Glob("testdata/parse/*.yml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		source, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(source, byte(0))
	}
	f.Fuzz(func(t *testing.T, source []byte, kind byte) {
		if len(source) > 64<<10 {
			return
		}
		checkFile(t, Parse(fuzzPaths[int(kind)%len(fuzzPaths)], source))
		if check := checkText(source); check.bad < 0 {
			if _, r, _ := readText(string(source)); len(r.undecoded) > 0 {
				t.Errorf("read differently from the library: %v in %q", r.undecoded, source)
			}
		}
	})
}

// TestFiles holds the same of our own files.
func TestFiles(t *testing.T) {
	for _, file := range parseData(t) {
		checkFile(t, Parse(file.path, file.source))
	}
}
