package workflows

import "testing"

func TestSwapStepWith(t *testing.T) {
	const uses = "      - uses: a/login@v1\n"
	tests := []editTest{
		stepTest("in place of the first", uses+"        with:\n          c: d\n          key: x # why\n          SECRET: |\n            y\n            z\n          e: f\n",
			uses+"        with:\n          c: d\n          role: r # why\n          e: f\n"),
		stepTest("with a comment of its own", uses+"        with:\n          key: 'x'\n", uses+"        with:\n          role: r # new\n"),
		stepTest("first of several", uses+"        with:\n          secret: y\n          # kept\n          key: x\n",
			uses+"        with:\n          role: r # new\n          # kept\n"),
		stepTest("braces", uses+"        with: {c: d, key: x, e: f, secret: y}\n", uses+"        with: {c: d, role: r, e: f}\n"),
		stepTest("neighbours in braces", uses+"        with: { key: x, secret: \"y\", e: f }\n", uses+"        with: { role: r, e: f }\n"),
		stepTest("step in braces", "      - {uses: a/login@v1, with: {key: x}}\n", "      - {uses: a/login@v1, with: {role: r}}\n"),
		stepTest("none there", uses+"        with:\n          c: d\n", ""),
		stepTest("no with", uses, ""),
		stepTest("there already", uses+"        with:\n          key: x\n          role: q\n", ""),
		stepTest("an expression", uses+"        with: ${{ fromJSON(x) }}\n", ""),
		{"an alias", "on: push\nx-w: &w {key: x}\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: a/login@v1\n        with: *w\n", ""},
		{"a value that is an alias", "on: push\nx-k: &k x\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: a/login@v1\n        with:\n          key: *k\n", ""},
	}
	runEditTests(t, tests, func(f *File) ([]Edit, bool) {
		return f.SwapStepWith(firstStep(f), []string{"key", "secret"}, []Setting{{"role", "r", "new"}})
	})
	runEditTests(t, []editTest{
		stepTest("several new ones", uses+"        with:\n          key: x\n",
			uses+"        with:\n          a: '<A>' # first\n          b: c:d\n"),
		stepTest("several new ones in braces", uses+"        with: {key: x}\n", uses+"        with: {a: '<A>', b: c:d}\n"),
	}, func(f *File) ([]Edit, bool) {
		return f.SwapStepWith(firstStep(f), []string{"key"}, []Setting{{"a", "<A>", "first"}, {"b", "c:d", ""}})
	})
	runEditTests(t, []editTest{
		stepTest("the last entry takes the key along", uses+"        with:\n          key: x\n          secret: y\n        if: c\n", uses+"        if: c\n"),
		stepTest("in braces", uses+"        with: {key: x, c: d, secret: y}\n", uses+"        with: {c: d}\n"),
		stepTest("all of a step in braces", "      - {uses: a/login@v1, with: {key: x}, if: c}\n", "      - {uses: a/login@v1, if: c}\n"),
		stepTest("behind the dash", "      - with:\n          key: x\n        uses: a/login@v1\n", "      - uses: a/login@v1\n"),
	}, func(f *File) ([]Edit, bool) { return f.SwapStepWith(firstStep(f), []string{"key", "secret"}, nil) })
}

func TestRemoveStepEnv(t *testing.T) {
	tests := []editTest{
		stepTest("one of two", "      - run: a\n        env:\n          TOKEN: x # y\n          B: c\n", "      - run: a\n        env:\n          B: c\n"),
		stepTest("the only one", "      - run: a\n        env:\n          TOKEN: x\n        if: b\n", "      - run: a\n        if: b\n"),
		stepTest("the only one at the end", "      - run: a\n        env:\n          TOKEN: x", "      - run: a"),
		stepTest("behind the dash", "      - env: {TOKEN: x}\n        run: a\n", "      - run: a\n"),
		stepTest("behind the dash, a comment next", "      - env: {TOKEN: x}\n        # why\n        run: a\n", ""),
		stepTest("first of a step in braces", "      - {env: {TOKEN: x}, run: a}\n", ""),
		stepTest("in braces", "      - run: a\n        env: {TOKEN: x, B: c}\n", "      - run: a\n        env: {B: c}\n"),
		stepTest("not there", "      - run: a\n        env: {B: c}\n", ""),
		stepTest("no env", "      - run: a\n", ""),
	}
	runEditTests(t, tests, func(f *File) ([]Edit, bool) { return f.RemoveStepEnv(firstStep(f), []string{"TOKEN"}) })
}

func TestAllowJob(t *testing.T) {
	const steps = "    steps:\n      - run: a\n"
	file := func(top, own string) string {
		return "on: push\n" + top + "jobs:\n  a:\n    runs-on: x\n" + own + steps
	}
	tests := []editTest{
		{"the workflow's are kept", file("permissions:\n  contents: read\n", ""),
			file("permissions:\n  contents: read\n", "    permissions:\n      contents: read\n      id-token: write\n")},
		{"the job's are kept", file("permissions: {}\n", "    permissions:\n      packages: write # why\n"),
			file("permissions: {}\n", "    permissions:\n      packages: write # why\n      id-token: write\n")},
		{"a lower level", file("", "    permissions: {id-token: none}\n"), file("", "    permissions:\n      id-token: write\n")},
		{"there already", file("permissions: write-all\n", ""), file("permissions: write-all\n", "")},
		{"read-all", file("permissions: read-all\n", ""), ""},
		{"default", file("", ""), ""},
		{"not understood", file("permissions: {contents: much}\n", ""), ""},
	}
	runEditTests(t, tests, func(f *File) ([]Edit, bool) { return f.AllowJob(f.Workflow.Jobs[0], "id-token", AccessWrite) })
}
