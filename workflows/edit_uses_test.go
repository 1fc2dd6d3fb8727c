package workflows

import (
	"testing"
)

func TestSetRef(t *testing.T) {
	const sha = "0123456789abcdef0123456789abcdef01234567"
	tests := []editTest{
		stepTest("no comment", "      - uses: a/b@v1\n        if: c\n", "      - uses: a/b@"+sha+" # v1.2.3\n        if: c\n"),
		stepTest("end of file", "      - uses: a/b@v1", "      - uses: a/b@"+sha+" # v1.2.3"),
		stepTest("path", "      - uses: a/b/c/d@main\n", "      - uses: a/b/c/d@"+sha+" # v1.2.3\n"),
		stepTest("version", "      - uses: a/b@v1  #  v1.0.0\n", "      - uses: a/b@"+sha+"  #  v1.2.3\n"),
		stepTest("version and text", "      - uses: a/b@v1 # v1.0.0, reviewed by me\n", "      - uses: a/b@"+sha+" # v1.2.3, reviewed by me\n"),
		stepTest("tag= and text", "      - uses: a/b@v1 # tag=v1 why\n", "      - uses: a/b@"+sha+" # v1.2.3 why\n"),
		stepTest("named version", "      - uses: a/b@v1 # codeql-bundle-v2.1\n", "      - uses: a/b@"+sha+" # v1.2.3\n"),
		stepTest("text only", "      - uses: a/b@v1 # get the code\n", "      - uses: a/b@"+sha+" # v1.2.3 get the code\n"),
		stepTest("text that starts with a number", "      - uses: a/b@v1 #3 runs of it\n", "      - uses: a/b@"+sha+" #v1.2.3 3 runs of it\n"),
		stepTest("bare number", "      - uses: a/b@v1 # 3\n", "      - uses: a/b@"+sha+" # v1.2.3\n"),
		stepTest("empty comment", "      - uses: a/b@v1 #\n", "      - uses: a/b@"+sha+" # v1.2.3\n"),
		stepTest("single quotes", "      - uses: 'a/b@v1'\n", "      - uses: 'a/b@"+sha+"' # v1.2.3\n"),
		stepTest("double quotes", "      - uses: \"a/b@v1\" # v1\n", "      - uses: \"a/b@"+sha+"\" # v1.2.3\n"),
		stepTest("braces", "      - {uses: a/b@v1, if: c}\n", "      - {uses: a/b@"+sha+", if: c}\n"),
		stepTest("block", "      - uses: >-\n          a/b@v1\n", "      - uses: >-\n          a/b@"+sha+"\n"),
		stepTest("done already", "      - uses: a/b@"+sha+" # v1.2.3\n", "      - uses: a/b@"+sha+" # v1.2.3\n"),
		stepTest("local", "      - uses: ./a\n", ""),
		stepTest("docker", "      - uses: docker://a:1\n", ""),
		stepTest("escapes", "      - uses: \"a/b@\\x76\\x31\"\n", ""),
	}
	runEditTests(t, tests, func(f *File) ([]Edit, bool) { return f.SetRef(firstStep(f).Uses, sha, "v1.2.3") })
	runEditTests(t, tests[:1], func(f *File) ([]Edit, bool) {
		for _, bad := range []string{"", "a b", "a\nb", "a#b", "a'b"} {
			if edits, ok := f.SetRef(firstStep(f).Uses, bad, "v1"); ok {
				t.Errorf("the ref %q is taken: %v", bad, edits)
			}
			if edits, ok := f.SetRef(firstStep(f).Uses, "x", bad); ok && bad != "" {
				t.Errorf("the version %q is taken: %v", bad, edits)
			}
		}
		return f.SetRef(firstStep(f).Uses, sha, "v1.2.3")
	})
	runEditTests(t, []editTest{stepTest("no version", "      - uses: a/b@v1 # v1\n", "      - uses: a/b@v2 # v1\n")},
		func(f *File) ([]Edit, bool) { return f.SetRef(firstStep(f).Uses, "v2", "") })
}

func TestNameSecrets(t *testing.T) {
	call := func(rest string) string { return "on: push\njobs:\n  a:\n    uses: ./.github/workflows/b.yml\n" + rest }
	tests := []editTest{
		{"last key", call("    secrets: inherit # all\n"), call("    secrets:\n      A: ${{ secrets.A }}\n      B: ${{ secrets.B }} # all\n")},
		{"between keys", call("    secrets: inherit\n    with:\n      c: d\n"), call("    secrets:\n      A: ${{ secrets.A }}\n      B: ${{ secrets.B }}\n    with:\n      c: d\n")},
		{"quoted", call("    secrets: 'inherit'\n"), call("    secrets:\n      A: ${{ secrets.A }}\n      B: ${{ secrets.B }}\n")},
		{"braces", "on: push\njobs:\n  a: {uses: ./.github/workflows/b.yml, secrets: inherit}\n",
			"on: push\njobs:\n  a: {uses: ./.github/workflows/b.yml, secrets: {A: '${{ secrets.A }}', B: '${{ secrets.B }}'}}\n"},
		{"value on the next line", call("    secrets:\n      inherit\n"), ""},
		{"named already", call("    secrets:\n      A: ${{ secrets.A }}\n"), ""},
		{"alias", "on: push\nx-i: &i inherit\njobs:\n  a:\n    uses: ./.github/workflows/b.yml\n    secrets: *i\n", ""},
	}
	runEditTests(t, tests, func(f *File) ([]Edit, bool) { return f.NameSecrets(f.Workflow.Jobs[0], []string{"B", "A"}) })
	runEditTests(t, []editTest{
		{"none needed", call("    secrets: inherit # all\n    with:\n      c: d\n"), call("    with:\n      c: d\n")},
		{"none needed at the end", call("    secrets: inherit"), call("")[:len(call(""))-1]},
		{"none needed in braces", "on: push\njobs:\n  a: {uses: ./.github/workflows/b.yml, secrets: inherit}\n",
			"on: push\njobs:\n  a: {uses: ./.github/workflows/b.yml, secrets: {}}\n"},
	}, func(f *File) ([]Edit, bool) { return f.NameSecrets(f.Workflow.Jobs[0], nil) })
}
