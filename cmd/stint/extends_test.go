package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/workflows"
)

const extendedCommit = "0123456789abcdef0123456789abcdef01234567"

// A file is asked for once: it goes into the library, and what is there is taken without
// asking, offline as well.
func TestLibraryKeepsWhatItFetched(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "stint.yml")
	if err := os.WriteFile(path, []byte("version: 1\nextends: acme/.github:a/stint.yml@"+extendedCommit+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	asked := 0
	l := library{dir: filepath.Join(dir, "lib"), fetch: func(_ context.Context, owner, repo, path, commit string, most int64) ([]byte, error) {
		asked++
		if got := owner + " " + repo + " " + path + " " + commit; got != "acme .github a/stint.yml "+extendedCommit || most != lint.MaxConfigBytes {
			t.Errorf("asked for %s", got)
		}
		return []byte("version: 1\nlint: { strict: true }\n"), nil
	}}
	for range 2 {
		c, err := l.readConfig(t.Context(), path, "stint.yml")
		if err != nil || !c.Strict || c.Unread() != "" {
			t.Fatalf("%+v: %v", c, err)
		}
	}
	l.fetch = nil
	if c, err := l.readConfig(t.Context(), path, "stint.yml"); err != nil || !c.Strict || asked != 1 {
		t.Errorf("asked %d times, %v", asked, err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "lib", "acme", ".github@"+extendedCommit, "a", "*"))
	if err != nil || len(left) != 1 {
		t.Errorf("the library holds %v", left)
	}
}

// Without the file nothing counts by which the repository would report less, and a host
// that fails is no different from one that is not asked.
func TestLibraryFailsClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stint.yml")
	own := "version: 1\nextends: acme/.github:stint.yml@" + extendedCommit + `
lint:
  profile: 2020-01
  min-severity: critical
  strict: true
  disable: [unpinned-action]
  trusted-owners: [evil]
  actions: { deny: ["evil/*"] }
  ignore: [{ rule: unpinned-action, path: "**" }]
`
	if err := os.WriteFile(path, []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := func(context.Context, string, string, string, string, int64) ([]byte, error) {
		return nil, errors.New("no\x1banswer")
	}
	for _, l := range []library{{}, {fetch: broken}, {dir: t.TempDir(), fetch: broken}} {
		c, err := l.readConfig(t.Context(), path, "stint.yml")
		if err != nil {
			t.Fatal(err)
		}
		if c.Profile != "" || c.MinSeverity != nil || len(c.Disable)+len(c.TrustedOwners) > 0 {
			t.Errorf("it still loosens: %+v", c)
		}
		if !c.Strict || len(c.Actions.Deny) != 1 {
			t.Errorf("what tightens is gone: %+v", c)
		}
		if why := c.Unread(); why == "" || strings.Contains(why, "\x1b") {
			t.Errorf("why: %q", why)
		}
	}
}

// A stubHost has one file at every commit.
type stubHost struct {
	own error // nil for a commit of the repository itself
	has bool
}

func (h stubHost) Contains(context.Context, string, string, string) (bool, error) {
	return h.has, h.own
}

func (stubHost) File(context.Context, string, string, string, string, int64) ([]byte, error) {
	return []byte("version: 1\n"), nil
}

// A commit of a fork is no file of the organization, though its host gives it out as one.
func TestFetchRefusesTheCommitOfAFork(t *testing.T) {
	for name, c := range map[string]struct {
		host stubHost
		want bool
	}{
		"of the repository": {stubHost{has: true}, true},
		"of a fork":         {stubHost{}, false},
		"private":           {stubHost{own: workflows.ErrNotFound}, true},
		"no answer":         {stubHost{own: errors.New("no answer")}, false},
	} {
		b, err := fetchFrom(c.host)(t.Context(), "acme", ".github", "stint.yml", extendedCommit, lint.MaxConfigBytes)
		if (err == nil) != c.want || (b != nil) != c.want {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
}

// A file of the organization that cannot be used is an error of the repository's run.
func TestLibraryRefusesABrokenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stint.yml")
	if err := os.WriteFile(path, []byte("version: 1\nextends: acme/.github:stint.yml@"+extendedCommit+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, theirs := range []string{"lint: []\n", "secrets: []\n", "lint: { disable: [no-such-rule] }\n"} {
		l := library{fetch: func(context.Context, string, string, string, string, int64) ([]byte, error) {
			return []byte(theirs), nil
		}}
		if _, err := l.readConfig(t.Context(), path, "stint.yml"); err == nil || !strings.HasPrefix(err.Error(), "acme/.github:stint.yml@"+extendedCommit+":1: ") {
			t.Errorf("%q: %v", theirs, err)
		}
	}
}
