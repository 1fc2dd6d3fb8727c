package workflows

import (
	"testing"
)

func TestSetWorkflowPermissions(t *testing.T) {
	const jobs = "jobs:\n  a:\n    runs-on: x\n    steps:\n      - run: a\n"
	with := func(name, before, after string) editTest {
		if after != "" {
			after += jobs
		}
		return editTest{name, before + jobs, after}
	}
	tests := []editTest{
		with("none", "on: push\n\n", "on: push\n\npermissions:\n  contents: read\n\n"),
		with("none, comments above jobs", "on: push\n\n# about\n# jobs\n", "on: push\n\npermissions:\n  contents: read\n\n# about\n# jobs\n"),
		with("there", "on: push\npermissions:\n  contents: read # why\n", "on: push\npermissions:\n  contents: read # why\n"),
		with("write-all", "on: push\npermissions: write-all # why\n", "on: push\npermissions:\n  contents: read # why\n"),
		with("empty", "on: push\npermissions: {}\n", "on: push\npermissions:\n  contents: read\n"),
		with("another level", "on: push\npermissions:\n  contents: write # why\n", "on: push\npermissions:\n  contents: read # why\n"),
		with("more", "on: push\npermissions:\n  # first\n  id-token: write # a\n  contents: write # b\n  packages: read\n",
			"on: push\npermissions:\n  # first\n  contents: read # b\n"),
		with("another scope", "on: push\npermissions:\n  packages: write # b\n", "on: push\npermissions:\n  contents: read # b\n"),
		with("braces", "on: push\npermissions: {contents: write, packages: read}\n", "on: push\npermissions:\n  contents: read\n"),
		{"file in braces", "{on: push, permissions: write-all, jobs: {a: {runs-on: x, steps: [{run: a}]}}}\n",
			"{on: push, permissions: {contents: read}, jobs: {a: {runs-on: x, steps: [{run: a}]}}}\n"},
		{"none in a file in braces", "{on: push, jobs: {a: {runs-on: x, steps: [{run: a}]}}}\n", ""},
		{"none in a file in braces over lines", "{on: push,\njobs: {a: {runs-on: x, steps: [{run: a}]}}}\n", ""},
		{"jobs first", jobs + "on: push\n", "permissions:\n  contents: read\n\n" + jobs + "on: push\n"},
		{"byte order mark", "\ufeff" + jobs + "on: push\n", ""},
	}
	runEditTests(t, tests, func(f *File) ([]Edit, bool) {
		return f.SetWorkflowPermissions(map[string]Access{"contents": AccessRead})
	})
	runEditTests(t, []editTest{
		with("to nothing", "on: push\n", "on: push\npermissions: {}\n\n"),
		with("write-all to nothing", "on: push\npermissions: write-all\n", "on: push\npermissions: {}\n"),
		with("some to nothing", "on: push\npermissions:\n  contents: read\n  packages: write\n", "on: push\npermissions: {}\n"),
	}, func(f *File) ([]Edit, bool) { return f.SetWorkflowPermissions(nil) })
}

func TestSetJobPermissions(t *testing.T) {
	head, steps := "on: push\njobs:\n  a:\n", "    steps:\n      - run: a\n"
	tests := []editTest{
		{"none", head + "    runs-on: x # y\n" + steps, head + "    runs-on: x # y\n    permissions:\n      contents: read\n      id-token: write\n" + steps},
		{"none, labels in a list", head + "    runs-on:\n      - x\n      - y\n" + steps,
			head + "    runs-on:\n      - x\n      - y\n    permissions:\n      contents: read\n      id-token: write\n" + steps},
		{"none, comment before the first key", "on: push\njobs:\n  a: # b\n    # c\n    runs-on: x\n" + steps,
			"on: push\njobs:\n  a: # b\n    # c\n    runs-on: x\n    permissions:\n      contents: read\n      id-token: write\n" + steps},
		{"indented by four", "on: push\njobs:\n    a:\n        runs-on: x\n        steps:\n            - run: a\n",
			"on: push\njobs:\n    a:\n        runs-on: x\n        permissions:\n            contents: read\n            id-token: write\n        steps:\n            - run: a\n"},
		{"call", head + "    uses: a/b/.github/workflows/c.yml@v1 # v1\n    with:\n      d: e\n",
			head + "    uses: a/b/.github/workflows/c.yml@v1 # v1\n    permissions:\n      contents: read\n      id-token: write\n    with:\n      d: e\n"},
		{"id-token missing", head + "    runs-on: x\n    permissions:\n      contents: read # why\n" + steps,
			head + "    runs-on: x\n    permissions:\n      contents: read # why\n      id-token: write\n" + steps},
		{"replaced scope", head + "    runs-on: x\n    permissions:\n      contents: write # why\n      packages: write\n" + steps,
			head + "    runs-on: x\n    permissions:\n      contents: read # why\n      id-token: write\n" + steps},
		{"braces", head + "    runs-on: x\n    permissions: {packages: read}\n" + steps,
			head + "    runs-on: x\n    permissions:\n      contents: read\n      id-token: write\n" + steps},
		{"job in braces", "on: push\njobs:\n  a: {runs-on: x, steps: [{run: a}]}\n",
			"on: push\njobs:\n  a: {runs-on: x, permissions: {contents: read, id-token: write}, steps: [{run: a}]}\n"},
		{"job in braces with permissions", "on: push\njobs:\n  a: {runs-on: x, permissions: read-all, steps: [{run: a}]}\n",
			"on: push\njobs:\n  a: {runs-on: x, permissions: {contents: read, id-token: write}, steps: [{run: a}]}\n"},
		{"runs-on is an alias", "on: push\nx-r: &r x\njobs:\n  a:\n    runs-on: *r\n" + steps, ""},
		{"job with an anchor", "on: push\njobs:\n  a: &a\n    runs-on: x\n" + steps, ""},
		{"no runs-on", head + steps, ""},
	}
	runEditTests(t, tests, func(f *File) ([]Edit, bool) {
		return f.SetJobPermissions(f.Workflow.Jobs[0], map[string]Access{"id-token": AccessWrite, "contents": AccessRead})
	})
}

func TestSetJobCacheMode(t *testing.T) {
	for src, want := range map[string]string{
		"on: push\njobs:\n  a:\n    runs-on: x # own\n    steps:\n      - run: make\n":                      "on: push\njobs:\n  a:\n    runs-on: x # own\n    cache-mode: none\n    steps:\n      - run: make\n",
		"on: push\njobs:\n  a: { runs-on: x, steps: [ { run: make } ] }\n":                                  "on: push\njobs:\n  a: { runs-on: x, cache-mode: none, steps: [ { run: make } ] }\n",
		"on: push\njobs:\n  a:\n    cache-mode: \"write\"\n    runs-on: x\n    steps:\n      - run: make\n": "on: push\njobs:\n  a:\n    cache-mode: none\n    runs-on: x\n    steps:\n      - run: make\n",
		"on: push\njobs:\n  a:\n    uses: ./.github/workflows/b.yml\n":                                      "on: push\njobs:\n  a:\n    uses: ./.github/workflows/b.yml\n    cache-mode: none\n",
		"on: push\njobs:\n  a:\n    steps:\n      - run: make\n":                                            "",
	} {
		f := Parse(".github/workflows/w.yml", []byte(src))
		edits, ok := f.SetJobCacheMode(f.Workflow.Jobs[0], "none")
		if ok != (want != "") {
			t.Errorf("%q: ok is %v", src, ok)
			continue
		}
		if got, err := Apply(f, edits); ok && (err != nil || string(got) != want) {
			t.Errorf("%q:\n got %q, %v\nwant %q", src, got, err, want)
		}
	}
}
