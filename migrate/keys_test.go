package migrate

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/rules"
)

func keyPlan(t *testing.T, a *archive) *KeyPlan {
	t.Helper()
	g := a.graph()
	result := lint.Run(context.Background(), g.Repository, lint.Options{Rules: rules.All, Graph: g, Today: a.opts.Today})
	plan, err := Keys(g, result.Findings, "", a.opts)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestKeys(t *testing.T) {
	paths, _ := filepath.Glob("testdata/keys/*.txtar")
	if len(paths) < 3 {
		t.Fatalf("only %d archives", len(paths))
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			a := readArchive(t, path)
			plan := keyPlan(t, a)
			var out bytes.Buffer
			w := Writer{Out: &out, Show: func(s string) string { return s }}
			if err := w.Keys(plan); err != nil {
				t.Fatal(err)
			}
			a.compare(t, plan.Changes, out.String())
			for _, c := range plan.Changes {
				checkChange(t, c)
			}
			for _, k := range plan.Keys {
				checkOrder(t, k)
			}
		})
	}
}

// TestMarkdownIsPlain writes what a hostile workflow could name into an issue.
func TestMarkdownIsPlain(t *testing.T) {
	k := &Key{Place: "aws", Secrets: []string{"A"}, Path: "a.yml", Line: 1, Job: "j", Stays: "@everyone <img src=x> [a](b) `c` | d\n## e\x1b[31m", StaysNext: "n"}
	p := &KeyPlan{Keys: []*Key{k}}
	p.Changes = []*Change{{Path: "a.yml", Before: []byte("a\n"), After: []byte("```\n# b\n````\n")}}
	var out bytes.Buffer
	w := Writer{Out: &out, Markdown: true, Show: func(s string) string { return s }}
	if err := w.Keys(p); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for _, bad := range []string{"@everyone", "<img src=x>", " [a](b)", "\n## e", "\x1b"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q stands in\n%s", bad, text)
		}
	}
	if !strings.Contains(text, "\n`````diff\n") {
		t.Errorf("the fence is as long as one inside:\n%s", text)
	}
}

// TestOnePlace plans for one cloud and leaves the others' keys out.
func TestOnePlace(t *testing.T) {
	a := readArchive(t, "testdata/keys/cloud.txtar")
	g := a.graph()
	result := lint.Run(context.Background(), g.Repository, lint.Options{Rules: rules.All, Graph: g, Today: a.opts.Today})
	plan, err := Keys(g, result.Findings, "gcp", a.opts)
	if err != nil || len(plan.Keys) != 1 || plan.Keys[0].Place != "gcp" {
		t.Errorf("got %+v, %v", plan, err)
	}
	a.opts.Grants = []byte("version: 3\n")
	if _, err := Keys(g, result.Findings, "", a.opts); err == nil {
		t.Error("a grant file that cannot be read is added to")
	}
}

// TestLockNeedsNames says what is missing when a lock cannot be rendered.
func TestLockNeedsNames(t *testing.T) {
	a := readArchive(t, "testdata/keys/cloud.txtar")
	a.opts.Repository.Name = ""
	for _, k := range keyPlan(t, a).Keys {
		if k.Stays == "" && (k.Lock != nil || k.LockProblem == "" || !strings.Contains(k.LockHint, "stint grant render "+k.Grant)) {
			t.Errorf("%s: lock %v, %q, %q", k.Job, k.Lock, k.LockProblem, k.LockHint)
		}
	}
}

// checkOrder holds the steps of a key against what must come before what.
func checkOrder(t *testing.T, k *Key) {
	t.Helper()
	var all []string
	for _, s := range k.Order() {
		all = append(all, s.Text+" "+strings.Join(s.Commands, " "))
	}
	if (len(all) == 0) != (k.Stays != "") {
		t.Fatalf("%s: stays %q with the steps %q", k.Job, k.Stays, all)
	}
	for i, text := range all {
		if strings.Contains(text, "gh secret delete") && i != len(all)-1 {
			t.Errorf("%s: the secret goes in step %d of %d", k.Job, i+1, len(all))
		}
	}
}
