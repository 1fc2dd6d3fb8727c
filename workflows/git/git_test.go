package git

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// repository makes a repository with one commit of the files, or skips.
func repository(t *testing.T, files map[string]string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git binary to make a repository with")
	}
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			if err := os.Symlink(target, path); err != nil {
				t.Skip("links cannot be made here")
			}
			continue
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	do(t, dir, "init", "--quiet", "--initial-branch=main")
	do(t, dir, "add", ".")
	do(t, dir, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "-m", "one")
	return dir
}

func do(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestExportWritesWhatIsWantedAndNothingElse(t *testing.T) {
	const odd = "sub/a file \"with\" ümlauts\n.yml"
	dir := repository(t, map[string]string{
		".github/workflows/a.yml": "on: push\n", odd: "x: 1", "other.txt": "no", "empty.yml": "", "link.yml": "-> other.txt", "out.yml": "-> ../../secret",
	})
	r := Open(dir, os.Environ())
	commit, err := r.Base(t.Context(), "HEAD")
	if err != nil || commit != do(t, dir, "rev-parse", "HEAD") {
		t.Fatalf("base %q: %v", commit, err)
	}
	into := t.TempDir()
	want := func(path string) bool { return strings.HasSuffix(path, ".yml") }
	if err := r.Export(t.Context(), commit, into, want); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{".github/workflows/a.yml": "on: push\n", odd: "x: 1", "empty.yml": ""} {
		if b, err := os.ReadFile(filepath.Join(into, filepath.FromSlash(name))); string(b) != content || err != nil {
			t.Errorf("%q holds %q: %v", name, b, err)
		}
	}
	if target, err := os.Readlink(filepath.Join(into, "link.yml")); target != "other.txt" || err != nil {
		t.Errorf("the link leads to %q: %v", target, err)
	}
	if _, err := os.Lstat(filepath.Join(into, "other.txt")); err == nil {
		t.Error("a file that nobody wants was written")
	}
}

// A subdirectory of a repository is compared with itself, under its own paths.
func TestExportOfASubdirectory(t *testing.T) {
	dir := repository(t, map[string]string{"sub/.github/workflows/a.yml": "on: push\n", "b.yml": "x"})
	r := Open(filepath.Join(dir, "sub"), os.Environ())
	commit, err := r.Base(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	into := t.TempDir()
	if err := r.Export(t.Context(), commit, into, func(string) bool { return true }); err != nil {
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(into)
	if len(entries) != 1 || entries[0].Name() != ".github" {
		t.Errorf("written: %v", entries)
	}
}

func TestHostileRefsNeverReachGit(t *testing.T) {
	t.Setenv("PATH", t.TempDir()) // a ref that gets there finds no git, which is another error
	for _, ref := range []string{"", "-h", "--upload-pack=x", "a b", "a\x00b", "a\nb", "main..x", "main:path", "^main", ":/text", "main@{u}\x1b[31m", strings.Repeat("a", 300)} {
		_, err := Open(".", nil).Base(t.Context(), ref)
		var e *Error
		if !errors.As(err, &e) || !strings.HasSuffix(e.Message, "names no commit") || e.Hint == "" {
			t.Errorf("%q: %v", ref, err)
		}
	}
	for _, ref := range []string{"main", "origin/main", "HEAD^1", "HEAD~2", "v1.0", "feature/a_b-c+d", "@", "0123abcd", "main@{1}"} {
		_, err := Open(".", nil).Base(t.Context(), ref)
		var e *Error
		if !errors.As(err, &e) || e.Message != "there is no git to ask for the base" {
			t.Errorf("%q: %v", ref, err)
		}
	}
}

// The variables of a hook belong to another repository than the one that is judged.
func TestVariablesOfGitAreLeftOut(t *testing.T) {
	dir := repository(t, map[string]string{"a.yml": "x"})
	environ := append(os.Environ(), "GIT_DIR="+t.TempDir(), "GIT_INDEX_FILE=nowhere", "GIT_EXTERNAL_DIFF=false")
	if _, err := Open(dir, environ).Head(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestUnrelatedHistoryAndCancellation(t *testing.T) {
	dir := repository(t, map[string]string{"a.yml": "x"})
	do(t, dir, "switch", "--quiet", "--orphan", "other")
	do(t, dir, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--allow-empty", "-m", "two")
	_, err := Open(dir, os.Environ()).Base(t.Context(), "main")
	if err == nil || err.Error() != `git finds no commit from which "main" and HEAD have both grown` {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(dir, os.Environ()).Base(ctx, "main"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if err := Open(dir, os.Environ()).Export(t.Context(), "main", t.TempDir(), func(string) bool { return true }); err == nil {
		t.Error("a branch is exported as a commit")
	}
}

// In a container the checkout often belongs to another user.
func TestAnotherUsersRepositoryHasANextStep(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in for git is a script")
	}
	dir := t.TempDir()
	const script = "#!/bin/sh\necho \"fatal: detected dubious ownership in repository at '/x'\" >&2\nexit 128\n"
	if err := os.WriteFile(filepath.Join(dir, "git"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	_, err := Open(t.TempDir(), os.Environ()).Base(t.Context(), "main")
	var e *Error
	if !errors.As(err, &e) || !strings.Contains(e.Hint, "safe.directory") {
		t.Errorf("%v", err)
	}
}

func TestParseEntry(t *testing.T) {
	id := strings.Repeat("a", 40)
	for line, ok := range map[string]bool{
		"100644 blob " + id + "      12\ta.yml":          true,
		"100755 blob " + id + " 12\tsub/a.yml":           true,
		"120000 blob " + id + " 12\ta.yml":               true,
		"160000 commit " + id + " -\tsub":                false,
		"100644 blob " + id + " 12\t../a.yml":            false,
		"100644 blob " + id + " 12\t/etc/a.yml":          false,
		"100644 blob " + id + " -1\ta.yml":               false,
		"100644 blob short 12\ta.yml":                    false,
		"100644 blob " + id + " 12 a.yml":                false,
		"100644 blob " + id + " 99999999999999999999\ta": false,
		"": false,
	} {
		if _, got := parseEntry(line); got != ok {
			t.Errorf("%q: %v", line, got)
		}
	}
}

// FuzzReadObject: whatever git answers, no more than the size that was listed is read,
// and nothing else is taken for the file.
func FuzzReadObject(f *testing.F) {
	id := strings.Repeat("a", 40)
	f.Add(id+" blob 3\nabc\n", int64(3))
	f.Add(id+" missing\n", int64(3))
	f.Add(id+" blob 4\nabc\n", int64(3))
	f.Fuzz(func(t *testing.T, answer string, size int64) {
		if size < 0 || size > 1<<16 {
			return
		}
		content, err := readObject(bufio.NewReader(strings.NewReader(answer)), entry{id: id, path: "a", size: size})
		if err == nil && (int64(len(content)) != size || !strings.Contains(answer, string(content))) {
			t.Errorf("%d bytes of %d", len(content), size)
		}
	})
}
