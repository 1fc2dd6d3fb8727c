package workflows

import (
	"strings"
	"testing"
)

// An editTest is a file before and after the edits of one helper; an empty after
// means that there is no safe edit.
type editTest struct{ name, before, after string }

// runEditTests applies the edits that make gives, with both kinds of line breaks.
func runEditTests(t *testing.T, tests []editTest, make func(*File) ([]Edit, bool)) {
	t.Helper()
	for _, test := range tests {
		for _, lineBreak := range []string{"\n", "\r\n"} {
			t.Run(test.name, func(t *testing.T) {
				t.Helper()
				source := strings.ReplaceAll(test.before, "\n", lineBreak)
				want := strings.ReplaceAll(test.after, "\n", lineBreak)
				f := parseWorkflow(source)
				if f.Workflow == nil || len(f.Workflow.Jobs) == 0 {
					t.Fatalf("the file does not parse: %v", f.Problems)
				}
				edits, ok := make(f)
				if ok != (test.after != "") {
					t.Fatalf("ok is %v, edits %v", ok, edits)
				}
				if !ok {
					return
				}
				got, err := Apply(f, edits)
				if err != nil {
					t.Fatalf("%v\n%+v", err, edits)
				}
				if string(got) != want {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			})
		}
	}
}

// inStep puts the lines of a step's list into a workflow.
func inStep(lines string) string {
	return "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n" + lines
}

func stepTest(name, before, after string) editTest {
	if after != "" {
		after = inStep(after)
	}
	return editTest{name, inStep(before), after}
}

func firstStep(f *File) *Step { return f.Workflow.Jobs[0].Steps[0] }

func TestSetStepWith(t *testing.T) {
	tests := []editTest{
		stepTest("no with", "      - uses: a/checkout@v1\n      - run: b\n",
			"      - uses: a/checkout@v1\n        with:\n          persist-credentials: false\n      - run: b\n"),
		stepTest("no with, a comment, other keys", "      - name: x\n        uses: a/checkout@v1 # v1\n        if: a\n",
			"      - name: x\n        uses: a/checkout@v1 # v1\n        with:\n          persist-credentials: false\n        if: a\n"),
		stepTest("at the end of the file", "      - uses: a/checkout@v1", "      - uses: a/checkout@v1\n        with:\n          persist-credentials: false"),
		stepTest("quoted", "      - uses: 'a/checkout@v1'\n", "      - uses: 'a/checkout@v1'\n        with:\n          persist-credentials: false\n"),
		stepTest("dash on a line of its own", "      -\n        uses: a/checkout@v1\n",
			"      -\n        uses: a/checkout@v1\n        with:\n          persist-credentials: false\n"),
		stepTest("wide dash", "      -   uses: a/checkout@v1\n", "      -   uses: a/checkout@v1\n          with:\n            persist-credentials: false\n"),
		stepTest("list not indented", "    - uses: a/checkout@v1\n", "    - uses: a/checkout@v1\n      with:\n        persist-credentials: false\n"),
		stepTest("with", "      - uses: a/checkout@v1\n        with:\n          ref: b # c\n\n      - run: d\n",
			"      - uses: a/checkout@v1\n        with:\n          ref: b # c\n          persist-credentials: false\n\n      - run: d\n"),
		stepTest("with before uses, indented by four", "      - with:\n            ref: b\n        uses: a/checkout@v1\n",
			"      - with:\n            ref: b\n            persist-credentials: false\n        uses: a/checkout@v1\n"),
		stepTest("with ends in a block", "      - uses: a/checkout@v1\n        with:\n          x: |\n            b\n            c\n        if: d\n",
			"      - uses: a/checkout@v1\n        with:\n          x: |\n            b\n            c\n          persist-credentials: false\n        if: d\n"),
		stepTest("with ends without a value", "      - uses: a/checkout@v1\n        with:\n          token:\n        if: d\n",
			"      - uses: a/checkout@v1\n        with:\n          token:\n          persist-credentials: false\n        if: d\n"),
		stepTest("with ends in an alias", "      - uses: a/checkout@v1\n        with:\n          x: &x b\n          y: *x\n        if: d\n",
			"      - uses: a/checkout@v1\n        with:\n          x: &x b\n          y: *x\n          persist-credentials: false\n        if: d\n"),
		stepTest("there already", "      - uses: a/checkout@v1\n        with:\n          persist-credentials: false\n",
			"      - uses: a/checkout@v1\n        with:\n          persist-credentials: false\n"),
		stepTest("another value", "      - uses: a/checkout@v1\n        with:\n          Persist-Credentials: 'true' # why\n",
			"      - uses: a/checkout@v1\n        with:\n          Persist-Credentials: false # why\n"),
		stepTest("an expression", "      - uses: a/checkout@v1\n        with:\n          persist-credentials: ${{ inputs.x }}\n",
			"      - uses: a/checkout@v1\n        with:\n          persist-credentials: false\n"),
		stepTest("empty with", "      - uses: a/checkout@v1\n        with: # none\n        if: d\n",
			"      - uses: a/checkout@v1\n        with: # none\n          persist-credentials: false\n        if: d\n"),
		stepTest("with in braces", "      - uses: a/checkout@v1\n        with: {ref: b, x: c}\n",
			"      - uses: a/checkout@v1\n        with: {ref: b, x: c, persist-credentials: false}\n"),
		stepTest("with in braces over lines", "      - uses: a/checkout@v1\n        with: {\n          ref: b, # c\n        }\n",
			"      - uses: a/checkout@v1\n        with: {\n          ref: b, persist-credentials: false, # c\n        }\n"),
		stepTest("braces with an alias", "      - uses: a/checkout@v1\n        with: {x: &x b, y: *x}\n",
			"      - uses: a/checkout@v1\n        with: {persist-credentials: false, x: &x b, y: *x}\n"),
		stepTest("empty braces", "      - uses: a/checkout@v1\n        with: { } # none\n",
			"      - uses: a/checkout@v1\n        with: {persist-credentials: false} # none\n"),
		stepTest("step in braces", "      - {uses: a/checkout@v1, if: b}\n", "      - {uses: a/checkout@v1, with: {persist-credentials: false}, if: b}\n"),
		stepTest("step in braces with empty with", "      - {uses: a/checkout@v1, with: {}}\n", "      - {uses: a/checkout@v1, with: {persist-credentials: false}}\n"),
		{"steps in brackets", "on: push\njobs: {a: {runs-on: x, steps: [{uses: a/checkout@v1}, {run: b}]}}\n",
			"on: push\njobs: {a: {runs-on: x, steps: [{uses: a/checkout@v1, with: {persist-credentials: false}}, {run: b}]}}\n"},
		stepTest("uses in a block", "      - uses: >-\n          a/checkout@v1\n        if: b\n",
			"      - uses: >-\n          a/checkout@v1\n        with:\n          persist-credentials: false\n        if: b\n"),
		stepTest("in parallel", "      - parallel:\n          - uses: a/checkout@v1\n", ""),
		stepTest("with is an expression", "      - uses: a/checkout@v1\n        with: ${{ fromJSON(x) }}\n", ""),
		stepTest("no uses", "      - run: a\n", ""),
		stepTest("value in a block", "      - uses: a/checkout@v1\n        with:\n          persist-credentials: |\n            true\n", ""),
		stepTest("with from an alias", "      - uses: a/checkout@v1\n        with: *none\n", ""),
	}
	tests[len(tests)-1].before = strings.Replace(inStep("      - uses: a/checkout@v1\n        with: *w\n"), "jobs:", "x-w: &w {ref: b}\njobs:", 1)
	runEditTests(t, tests, func(f *File) ([]Edit, bool) {
		return f.SetStepWith(firstStep(f), "persist-credentials", "false")
	})
}

func TestSetStepWithMergedStep(t *testing.T) {
	before := "on: push\nx-s: &s\n  uses: a/checkout@v1\n  with: {ref: b}\njobs:\n  a:\n    runs-on: x\n    steps:\n      - <<: *s\n        name: c\n"
	runEditTests(t, []editTest{{"merged in", before, ""}}, func(f *File) ([]Edit, bool) {
		return f.SetStepWith(firstStep(f), "persist-credentials", "false")
	})
}

func TestSetStepWithInParallel(t *testing.T) {
	tests := []editTest{stepTest("in parallel", "      - parallel:\n          - uses: a/checkout@v1\n          - run: b\n",
		"      - parallel:\n          - uses: a/checkout@v1\n            with:\n              persist-credentials: false\n          - run: b\n")}
	runEditTests(t, tests, func(f *File) ([]Edit, bool) {
		return f.SetStepWith(firstStep(f).Parallel[0], "persist-credentials", "false")
	})
}

func TestSetStepEnv(t *testing.T) {
	tests := []editTest{
		stepTest("before run", "      - name: x\n        run: |\n          a\n        if: b\n",
			"      - name: x\n        env:\n          A: ${{ b }}\n        run: |\n          a\n        if: b\n"),
		stepTest("run first", "      - run: a\n", "      - env:\n          A: ${{ b }}\n        run: a\n"),
		stepTest("behind uses", "      - uses: a/b@v1 # c\n", "      - uses: a/b@v1 # c\n        env:\n          A: ${{ b }}\n"),
		stepTest("env", "      - run: a\n        env:\n          B: c\n", "      - run: a\n        env:\n          B: c\n          A: ${{ b }}\n"),
		stepTest("env in braces", "      - run: a\n        env: {B: c}\n", "      - run: a\n        env: {B: c, A: '${{ b }}'}\n"),
		stepTest("empty braces", "      - run: a\n        env: {}\n", "      - run: a\n        env: {A: '${{ b }}'}\n"),
		stepTest("step in braces", "      - {run: a}\n", "      - {run: a, env: {A: '${{ b }}'}}\n"),
		stepTest("there already", "      - run: a\n        env:\n          A: ${{ b }}\n", "      - run: a\n        env:\n          A: ${{ b }}\n"),
		stepTest("another value", "      - run: a\n        env:\n          A: c\n", ""),
		stepTest("env is an expression", "      - run: a\n        env: ${{ fromJSON(x) }}\n", ""),
		stepTest("neither run nor uses", "      - name: a\n", ""),
	}
	runEditTests(t, tests, func(f *File) ([]Edit, bool) { return f.SetStepEnv(firstStep(f), "A", "${{ b }}") })
}

func TestYAMLText(t *testing.T) {
	for _, text := range []string{
		"false", "a b", "${{ a.b }}", "a: b", "a #b", "a:", "- a", "*a", "&a", "!a", "null", "~", "", " a", "a ", "it's", `"a"`, "a\nb", "a\tb", "{a}", "[a]", "a, b",
		"%a", "@a", "`a`", "?", "? a", "|", ">", "#a", "é", "\x01", "${{ a == 'x: y' }}", "a]b", "-", "---", "=", "<<", "1.0", "'", "\\", "a\\b\"c",
	} {
		for _, inFlow := range []bool{false, true} {
			source := "on: push\nenv:\n  A: " + yamlText(text, inFlow) + "\njobs: {}\n"
			if inFlow {
				source = "on: push\nenv: {A: " + yamlText(text, inFlow) + ", B: c}\njobs: {}\n"
			}
			f := parseWorkflow(source)
			if f.Workflow == nil || f.Workflow.Env.Get("A").String() != text {
				t.Errorf("%q is read back otherwise from\n%s%v", text, source, f.Problems)
			}
		}
	}
}
