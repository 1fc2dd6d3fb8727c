package workflows

import "testing"

func TestNarrowEnv(t *testing.T) {
	file := func(top, own, steps string) string {
		return "on: push\n" + top + "jobs:\n  a:\n    runs-on: x\n" + own + "    steps:\n" + steps
	}
	const use, other = "      - run: a\n", "      - uses: b/c@v1\n"
	moved := "      - env:\n          KEY: ${{ secrets.KEY }}\n        run: a\n"
	tests := []editTest{
		{"all of it", file("", "    env:\n      KEY: ${{ secrets.KEY }}\n", use+other), file("", "", moved+other)},
		{"one of several", file("", "    env:\n      A: b\n      KEY: ${{ secrets.KEY }} # why\n      # kept\n      C: d\n", use),
			file("", "    env:\n      A: b\n      # kept\n      C: d\n", moved)},
		{"braces", file("", "    env: {A: b, KEY: '${{ secrets.KEY }}'}\n", use), file("", "    env: {A: b}\n", moved)},
		{"all of the braces", file("", "    env: {KEY: '${{ secrets.KEY }}'} # why\n", use), file("", "", moved)},
		{"there already", file("", "    env:\n      KEY: ${{ secrets.KEY }}\n", moved), file("", "", moved)},
		{"another value in the step", file("", "    env:\n      KEY: ${{ secrets.KEY }}\n", "      - run: a\n        env: {KEY: b}\n"), ""},
		{"not there", file("", "    env:\n      A: b\n", use), ""},
		{"no env", file("", "", use), ""},
		{"an alias", "on: push\nx-e: &e {KEY: b}\njobs:\n  a:\n    runs-on: x\n    env: *e\n    steps:\n" + use, ""},
		{"a job in braces", "on: push\njobs:\n  a: {runs-on: x, env: {KEY: b}, steps: [{run: a}]}\n", ""},
	}
	runEditTests(t, tests, func(f *File) ([]Edit, bool) {
		j := f.Workflow.Jobs[0]
		return f.NarrowEnv(j, []string{"KEY"}, j.Steps[:1])
	})
	runEditTests(t, []editTest{
		{"of the workflow", file("env:\n  A: ${{ secrets.A }}\n  KEY: ${{ secrets.KEY }}\n", "", use),
			file("", "", "      - env:\n          A: ${{ secrets.A }}\n          KEY: ${{ secrets.KEY }}\n        run: a\n")},
	}, func(f *File) ([]Edit, bool) {
		return f.NarrowEnv(nil, []string{"A", "KEY"}, f.Workflow.Jobs[0].Steps[:1])
	})
	if _, ok := Parse("a/action.yml", []byte("runs: {using: composite, steps: []}\n")).NarrowEnv(nil, []string{"A"}, nil); ok {
		t.Error("an action has an env:")
	}
}
