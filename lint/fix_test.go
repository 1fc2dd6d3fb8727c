package lint

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/workflows"
)

var fixable = &Rule{ID: "fixable"}

// finding makes one with fixes; each is safe when its title is.
func fixes(f *workflows.File, at int, titlesAndEdits ...any) Finding {
	out := Finding{Rule: fixable, File: f, Span: workflows.Span{Start: at, End: at + 1}}
	for i := 0; i < len(titlesAndEdits); i += 2 {
		title := titlesAndEdits[i].(string)
		out.Fixes = append(out.Fixes, Fix{Title: title, Safe: title == "safe", Edits: titlesAndEdits[i+1].([]workflows.Edit)})
	}
	return out
}

func edit(start, end int, text string) []workflows.Edit {
	return []workflows.Edit{{Span: workflows.Span{Start: start, End: end}, New: text}}
}

func TestMendChooses(t *testing.T) {
	f := workflows.Parse(ci, []byte("on: push # abc\njobs: {}\n"))
	for _, test := range []struct {
		name    string
		finding Finding
		unsafe  bool
		want    string
	}{
		{"safe", fixes(f, 4, "safe", edit(4, 8, "safe")), false, "safe"},
		{"the first safe one", fixes(f, 4, "other", edit(4, 8, "other"), "safe", edit(4, 8, "safe")), true, "safe"},
		{"unsafe when asked", fixes(f, 4, "other", edit(4, 8, "other")), true, "other"},
		{"not unsafe", fixes(f, 4, "other", edit(4, 8, "other")), false, ""},
		{"none", fixes(f, 4), true, ""},
		{"no edits", fixes(f, 4, "safe", edit(0, 0, "")[:0]), true, ""},
	} {
		r := Mend([]Finding{test.finding}, test.unsafe)
		if test.want == "" {
			if len(r.Files) > 0 {
				t.Errorf("%s: %s", test.name, r.Files[0].Source)
			}
			continue
		}
		if len(r.Files) != 1 || string(r.Files[0].Source) != "on: "+test.want+" # abc\njobs: {}\n" || r.Files[0].Titles[0] != test.want || len(r.Files[0].Applied) != 1 {
			t.Errorf("%s: %+v", test.name, r.Files)
		}
	}
}

func TestMendSkips(t *testing.T) {
	src := "on: push\nname: abcdef\njobs: {}\n"
	f := workflows.Parse(ci, []byte(src))
	at := strings.Index(src, "abcdef")
	for _, test := range []struct {
		name       string
		a, b       []workflows.Edit
		want, skip string
	}{
		{"apart", edit(at, at+2, "X"), edit(at+3, at+4, "Y"), "XcYef", ""},
		{"side by side", edit(at, at+2, "X"), edit(at+2, at+4, "Y"), "XYef", ""},
		{"overlapping", edit(at, at+3, "X"), edit(at+2, at+4, "Y"), "Xdef", "it overlaps the fix of fixable on line 1"},
		{"two insertions at one point", edit(at, at, "X"), edit(at, at, "Y"), "Xabcdef", "overlaps"},
		{"an insertion at the edge", edit(at, at+2, "X"), edit(at+2, at+2, "Y"), "Xcdef", "overlaps"},
		{"the same edit", edit(at, at+2, "X"), edit(at, at+2, "X"), "Xcdef", ""},
		{"one that does not parse", edit(at, at+6, "[{"), edit(at-6, at-6, "# c\n"), "abcdef", "it cannot be applied"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := Mend([]Finding{fixes(f, 4, "safe", test.a), fixes(f, 5, "safe", test.b)}, false)
			if len(r.Files) != 1 || !strings.Contains(string(r.Files[0].Source), "name: "+test.want+"\n") {
				t.Fatalf("got %s", r.Files[0].Source)
			}
			if (len(r.Skipped) > 0) != (test.skip != "") || test.skip != "" && !strings.Contains(r.Skipped[0].Why, test.skip) {
				t.Errorf("skipped %+v, want %q", r.Skipped, test.skip)
			}
			if len(r.Files[0].Applied)+len(r.Skipped) != 2 {
				t.Errorf("%d applied, %d skipped", len(r.Files[0].Applied), len(r.Skipped))
			}
		})
	}
}

func TestMendKeepsFilesApart(t *testing.T) {
	a, b := workflows.Parse("a.yml", []byte("on: push\njobs: {}\n")), workflows.Parse("b.yml", []byte("on: push\njobs: {}\n"))
	r := Mend([]Finding{fixes(a, 1, "safe", edit(4, 8, "a")), fixes(b, 1, "safe", edit(4, 8, "b"))}, false)
	if len(r.Files) != 2 || r.Files[0].File != a || string(r.Files[1].Source) != "on: b\njobs: {}\n" {
		t.Errorf("got %+v", r.Files)
	}
}

// Whatever the fixes, each is applied or skipped with a reason, what is applied
// does not depend on chance, and the result parses.
func TestMendAppliesOrSkipsAll(t *testing.T) {
	src := "on: push\nname: abcdefghijklmnopqrstuvwxyz\njobs: {}\n"
	f := workflows.Parse(ci, []byte(src))
	texts := []string{"", "x", "y y", "[", "\"", "\n", ": ", "# "}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		var fs []Finding
		for range r.IntN(8) {
			start := 9 + r.IntN(30)
			fs = append(fs, fixes(f, start, "safe", edit(start, start+r.IntN(6), texts[r.IntN(len(texts))])))
		}
		slices.SortStableFunc(fs, byPlace)
		one, two := Mend(fs, false), Mend(fs, false)
		applied := 0
		for i, file := range one.Files {
			applied += len(file.Applied)
			if !bytes.Equal(file.Source, two.Files[i].Source) {
				t.Fatalf("seed %d: two runs differ", seed)
			}
			if again := workflows.Parse(ci, file.Source); again.Workflow == nil {
				t.Fatalf("seed %d: does not parse: %s", seed, file.Source)
			}
		}
		if applied+len(one.Skipped) != len(fs) {
			t.Fatalf("seed %d: %d applied, %d skipped of %d", seed, applied, len(one.Skipped), len(fs))
		}
	}
}

func TestDiff(t *testing.T) {
	f := workflows.Parse(ci, []byte("on: push\nname: a\njobs: {}"))
	r := Mend([]Finding{fixes(f, 1, "safe", edit(15, 16, "b"))}, false)
	want := `diff a/.github/workflows/ci.yml b/.github/workflows/ci.yml
--- a/.github/workflows/ci.yml
+++ b/.github/workflows/ci.yml
@@ -1,3 +1,3 @@
 on: push
-name: a
+name: b
 jobs: {}
\ No newline at end of file
`
	if got := string(r.Files[0].Diff()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The diff is one that the usual tool applies.
func TestDiffApplies(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("git is not installed")
	}
	src := "on: push\r\nname: é\njobs: {}"
	f := workflows.Parse(ci, []byte(src))
	r := Mend([]Finding{fixes(f, 1, "safe", edit(0, 0, "# first\n")), fixes(f, 9, "safe", edit(len(src), len(src), "\n"))}, false)
	dir := t.TempDir()
	path := filepath.Join(dir, ci)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, f.Source, 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(git, "apply", "-")
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(r.Files[0].Diff())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s\n%s", err, out, r.Files[0].Diff())
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, r.Files[0].Source) {
		t.Errorf("git made %q, want %q", got, r.Files[0].Source)
	}
}
