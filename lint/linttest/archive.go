package linttest

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/stint-dev/stint/lint"
)

// An archive is a small repository with what the rule is to find in it:
//
//	# Prose about the case.
//	strict: true
//	-- .github/workflows/ci.yml --
//	…
//	-- want --
//	.github/workflows/ci.yml:12:9 high rule-id any part of the message
//	-- fixed/.github/workflows/ci.yml --
//	…
//
// Before the first file stand prose in lines that start with '#' and settings:
// repository: owner/repo; strict: true; unsafe: true, to apply unsafe fixes too;
// today: YYYY-MM-DD. want has a line for each finding, in order, whose last part
// is a part of the message, and lines "not-checked: …" and "suppressed: N".
// fixed/ holds the bytes after the fixes of each file that they change; an
// archive without fixed/ does not look at them. A file network makes the run an
// online one and says what is answered, see [Network].
//
// go test -update writes want, and fixed/ for what the fixes change.
type archive struct {
	*txtar.Archive
	settings map[string]string
	want     string
	files    map[string][]byte
	fixed    map[string][]byte
}

const fixedDir = "fixed/"

func parseArchive(src []byte) (*archive, error) {
	a := &archive{Archive: txtar.Parse(src), settings: map[string]string{}, files: map[string][]byte{}, fixed: map[string][]byte{}}
	for l := range strings.Lines(string(a.Comment)) {
		l = strings.TrimSpace(l)
		if l == "" || strings.HasPrefix(l, "#") {
			continue
		}
		key, value, ok := strings.Cut(l, ": ")
		if !ok || !slices.Contains([]string{"repository", "strict", "unsafe", "today"}, key) {
			return nil, fmt.Errorf("%q is neither prose, which starts with #, nor a setting", l)
		}
		a.settings[key] = value
	}
	for _, f := range a.Files {
		name, isFixed := strings.CutPrefix(f.Name, fixedDir)
		switch {
		case f.Name == "want":
			a.want = string(f.Data)
		case isFixed:
			a.fixed[name] = f.Data
		case a.files[f.Name] != nil:
			return nil, fmt.Errorf("%s is there twice", f.Name)
		default:
			a.files[f.Name] = f.Data
		}
	}
	return a, nil
}

func (a *archive) setup(t *testing.T) *setup {
	t.Helper()
	s := newSetup(t, a.files)
	if s.repo.Name = a.settings["repository"]; s.repo.Name != "" {
		s.repo.Host = "github.com"
	}
	s.strict = a.settings["strict"] == "true"
	s.unsafe = a.settings["unsafe"] == "true"
	if d := a.settings["today"]; d != "" {
		s.today = d
	}
	return s
}

func checkArchive(t *testing.T, rule *lint.Rule, path string) {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	a, err := parseArchive(src)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	s := a.setup(t)
	for _, p := range s.problems(rule, a.want) {
		t.Errorf("%s: %s", path, p)
	}
	res := s.check(t, rule)
	changed := s.mend(t, rule, res)
	if *update {
		if err := os.WriteFile(path, a.updated(render(res), changed), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, d := range differences(a.want, render(res)) {
		t.Errorf("%s: %s", path, d)
	}
	if len(a.fixed) > 0 {
		compareFixed(t, path, a.fixed, changed)
	}
}

// differences compares the lines of want and got in order; a line of want agrees
// with a finding when all but the message is equal and the message holds its text.
func differences(want, got string) []string {
	w, g := nonEmptyLines(want), nonEmptyLines(got)
	var ds []string
	for len(w) > 0 || len(g) > 0 {
		switch {
		case len(w) > 0 && len(g) > 0 && agrees(w[0], g[0]):
			w, g = w[1:], g[1:]
		case len(g) == 0 || len(w) > 0 && !slices.ContainsFunc(g, func(l string) bool { return agrees(w[0], l) }):
			ds = append(ds, "missing: "+w[0])
			w = w[1:]
		default:
			ds = append(ds, "unexpected: "+g[0])
			g = g[1:]
		}
	}
	return ds
}

func agrees(want, got string) bool {
	if strings.HasPrefix(want, suppressedWord) {
		return want == got
	}
	if text, ok := strings.CutPrefix(want, notCheckedWord); ok {
		return strings.HasPrefix(got, notCheckedWord) && strings.Contains(got, strings.TrimSpace(text))
	}
	w, g := strings.SplitN(want, " ", 4), strings.SplitN(got, " ", 4)
	if len(w) < 3 || len(g) < 4 || !slices.Equal(w[:3], g[:3]) {
		return false
	}
	return len(w) == 3 || strings.Contains(g[3], w[3])
}

func nonEmptyLines(s string) []string {
	return slices.DeleteFunc(strings.Split(s, "\n"), func(l string) bool { return strings.TrimSpace(l) == "" })
}

func compareFixed(t *testing.T, path string, want, got map[string][]byte) {
	t.Helper()
	names := slices.Sorted(maps.Keys(want))
	for name := range got {
		if want[name] == nil {
			t.Errorf("%s: the fixes also change %s", path, name)
		}
	}
	for _, name := range names {
		if !bytes.Equal(want[name], got[name]) {
			t.Errorf("%s: the fixes make of %s:\n%s\nwant:\n%s", path, name, got[name], want[name])
		}
	}
}

// updated returns the archive with want and fixed/ as they are now.
func (a *archive) updated(want string, changed map[string][]byte) []byte {
	out := &txtar.Archive{Comment: a.Comment}
	for _, f := range a.Files {
		if f.Name != "want" && !strings.HasPrefix(f.Name, fixedDir) {
			out.Files = append(out.Files, f)
		}
	}
	out.Files = append(out.Files, txtar.File{Name: "want", Data: []byte(want)})
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		out.Files = append(out.Files, txtar.File{Name: fixedDir + name, Data: changed[name]})
	}
	return txtar.Format(out)
}
