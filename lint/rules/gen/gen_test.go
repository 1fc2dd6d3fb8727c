package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const rulesDir = ".."

func TestListIsFresh(t *testing.T) {
	want, err := list(rulesDir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(rulesDir, listFile))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("lint/rules/%s is stale: run go generate ./lint/rules (%v)", listFile, err)
	}
}

func TestListIsSorted(t *testing.T) {
	dir := t.TempDir()
	for _, id := range []string{"b-rule", "a-rule", "c"} {
		if err := scaffold(dir, id); err != nil {
			t.Fatal(err)
		}
	}
	for _, other := range []string{"gen/main.go", "README.md"} { // no rules
		path := filepath.Join(dir, other)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	ids, err := ruleIDs(dir)
	if err != nil || !slices.Equal(ids, []string{"a-rule", "b-rule", "c"}) {
		t.Errorf("got %q, %v", ids, err)
	}
	src, err := list(dir)
	if err != nil || !strings.Contains(string(src), "\tarule.Rule,\n\tbrule.Rule,\n\tc.Rule,\n") {
		t.Errorf("got %v\n%s", err, src)
	}
}

func TestScaffoldRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, id := range []string{"", "Upper", "under_score", "-dash", "dash-", "two--dashes", "../up", "a/b", "gen", "go", "1st"} {
		if err := scaffold(dir, id); err == nil {
			t.Errorf("%q is accepted", id)
		}
	}
	if err := scaffold(dir, "fine"); err != nil {
		t.Error(err)
	}
	if err := scaffold(dir, "fine"); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("an existing rule: %v", err)
	}
}

// A new rule compiles as it is, in its place in this module.
func TestScaffoldCompiles(t *testing.T) {
	dir := t.TempDir()
	if err := scaffold(dir, "new-rule"); err != nil {
		t.Fatal(err)
	}
	place, err := filepath.Abs(filepath.Join(rulesDir, "new-rule"))
	if err != nil {
		t.Fatal(err)
	}
	overlay := map[string]map[string]string{"Replace": {}}
	for _, f := range scaffoldFiles {
		overlay["Replace"][filepath.Join(place, f.name)] = filepath.Join(dir, "new-rule", f.name)
	}
	b, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, b, 0o666); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "build", "-overlay", file, place).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestModuleRoot(t *testing.T) {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	root, err := moduleRoot(dir)
	if err != nil || filepath.Join(root, "lint", "rules", "gen") != dir {
		t.Errorf("got %q, %v", root, err)
	}
	if _, err := moduleRoot(t.TempDir()); err == nil {
		t.Error("a directory of no module has a root")
	}
}

func TestBadArguments(t *testing.T) {
	for _, args := range [][]string{{"old"}, {"new"}, {"new", "a", "b"}} {
		if err := run(args); err == nil || !strings.HasPrefix(err.Error(), "usage: ") {
			t.Errorf("%q: %v", args, err)
		}
	}
}
