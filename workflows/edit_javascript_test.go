package workflows

import (
	"strings"
	"testing"
)

func moveAllJavaScript(f *File) ([]Edit, bool) {
	step := firstStep(f)
	input := step.With.Get("script")
	names := map[string]string{}
	var moves []Move
	for _, e := range input.Exprs {
		if names[e.Text] == "" {
			names[e.Text] = []string{"X", "X2"}[len(names)]
		}
		moves = append(moves, Move{e, names[e.Text]})
	}
	return f.MoveToProcessEnv(step, input, moves)
}

func TestMoveToProcessEnv(t *testing.T) {
	tests := []struct{ name, before, after string }{
		{"single quotes", "a('${{ t }}')", "a(process.env.X)"},
		{"double quotes", `a("${{ t }}")`, "a(process.env.X)"},
		{"template", "a(`b ${{ t }} c`)", "a(`b ${process.env.X} c`)"},
		{"template of its own", "a(`${{ t }}`)", "a(`${process.env.X}`)"},
		{"start of a string", "a('${{ t }} b')", "a(process.env.X + ' b')"},
		{"end of a string", "a('b ${{ t }}')", "a('b ' + process.env.X)"},
		{"inside a string", "a('b ${{ t }} c')", "a('b ' + process.env.X + ' c')"},
		{"member of the whole", "'${{ t }}'.split(',')", "process.env.X.split(',')"},
		{"after a comment with an apostrophe", "// don't\na('${{ t }}')", "// don't\na(process.env.X)"},
		{"after a block comment", "/* it's */ a('${{ t }}')", "/* it's */ a(process.env.X)"},
		{"twice", "a('${{ t }}', '${{ t }}')", "a(process.env.X, process.env.X)"},
		{"two in a template", "a(`${{ t }} ${{ u }}`)", "a(`${process.env.X} ${process.env.X2}`)"},
		{"escaped quote before", `a('it\'s ${{ t }}')`, `a('it\'s ' + process.env.X)`},

		{"as code", "a(${{ t }})", ""},
		{"member of a longer string", "'b ${{ t }}'.split(',')", ""},
		{"in a comment", "// '${{ t }}'", ""},
		{"after a string", "a('b', ${{ t }})", ""},
	}
	for _, test := range tests {
		script := "        with:\n          script: |\n            " + strings.ReplaceAll(test.before, "\n", "\n            ") + "\n"
		before, after := "      - uses: a/b@v1\n"+script, ""
		if test.after != "" {
			env := "        env:\n          X: ${{ t }}\n"
			if strings.Contains(test.before, "{ u }") {
				env += "          X2: ${{ u }}\n"
			}
			after = "      - uses: a/b@v1\n" + env + "        with:\n          script: |\n            " + strings.ReplaceAll(test.after, "\n", "\n            ") + "\n"
		}
		runEditTests(t, []editTest{stepTest(test.name, before, after)}, moveAllJavaScript)
	}
}

func TestMoveToProcessEnvStyles(t *testing.T) {
	runEditTests(t, []editTest{
		stepTest("plain", "      - uses: a/b@v1\n        with: { script: \"a('${{ t }}')\" }\n", ""),
		stepTest("env there", "      - uses: a/b@v1\n        env:\n          B: c\n        with:\n          script: |\n            a('${{ t }}')\n",
			"      - uses: a/b@v1\n        env:\n          B: c\n          X: ${{ t }}\n        with:\n          script: |\n            a(process.env.X)\n"),
		stepTest("variable with another value", "      - uses: a/b@v1\n        env:\n          X: c\n        with:\n          script: |\n            a('${{ t }}')\n", ""),
	}, moveAllJavaScript)
}
