package workflows

import (
	"slices"
	"strings"
	"testing"
)

const someCommit = "0123456789abcdef0123456789abcdef01234567"

const lockFile = `# written by a tool
version: v0.0.2
workflows:
  .github/workflows/ci.yml:
    - Acme/Build@v1
    - acme/deep@main
  .github/workflows/empty.yml: []
dependencies:
  Acme/Build@v1:
    ref: v1.2.3
    commit: sha1-` + "0123456789ABCDEF0123456789abcdef01234567" + `
    owner_id: 1
    repo_id: 2
    uses:
      - acme/deep@main
  acme/deep@main:
    ref: main
    commit: sha256-` + someCommit + "0123456789abcdef01234567" + `
    owner_id: 1
    repo_id: 3
  acme/unused@v1:
    ref: v1
    commit: sha1-` + someCommit + `
    owner_id: 1
    repo_id: 4
`

func parseLockFile(t *testing.T, source string) *File {
	t.Helper()
	f := Parse(lockPath, []byte(source))
	if f.Kind != KindLock {
		t.Fatalf("kind %d", f.Kind)
	}
	return f
}

func TestLockPinned(t *testing.T) {
	f := parseLockFile(t, lockFile)
	if len(f.Problems) > 0 || f.Lock == nil || f.Lock.Version != "v0.0.2" {
		t.Fatalf("%+v %v", f.Lock, f.Problems)
	}
	tests := []struct{ workflow, uses, commit string }{
		{".github/workflows/ci.yml", "acme/build@v1", someCommit},
		{".github/workflows/ci.yml", "ACME/build@v1", someCommit},
		// A pin holds for the whole repository, as the runner fetches it whole.
		{".github/workflows/ci.yml", "acme/build/sub/dir@v1", someCommit},
		{".github/workflows/ci.yml", "acme/deep@main", someCommit + "0123456789abcdef01234567"},
		{".github/workflows/ci.yml", "acme/build@V1", ""},
		{".github/workflows/ci.yml", "acme/build@v2", ""},
		{".github/workflows/ci.yml", "acme/unused@v1", ""},
		{".github/workflows/other.yml", "acme/build@v1", ""},
		{".github/workflows/empty.yml", "acme/build@v1", ""},
		{".github/workflows/ci.yml", "https://ghe.example.com/acme/build@v1", ""},
		{".github/workflows/ci.yml", "./acme", ""},
	}
	for _, test := range tests {
		pin, ok := f.Lock.Pinned(test.workflow, ParseUses(test.uses))
		if pin.Commit != test.commit || ok != (test.commit != "") {
			t.Errorf("%s in %s: %+v, %v", test.uses, test.workflow, pin, ok)
		}
	}
	if _, onboarded := f.Lock.Workflows[".github/workflows/empty.yml"]; !onboarded {
		t.Error("a workflow without pins is not known as locked")
	}
	var none *Lock
	if _, ok := none.Pinned("x", ParseUses("acme/build@v1")); ok {
		t.Error("no lock pins something")
	}
	if _, ok := f.Lock.Pinned("x", nil); ok {
		t.Error("no uses is pinned")
	}
}

// A lock that says something unclear pins less, never more.
func TestLockProblems(t *testing.T) {
	tests := []struct{ name, old, new, problem string }{
		{"another version", "v0.0.2", "v1.0.0", `version "v1.0.0" is not known`},
		{"no version", "version: v0.0.2", "x: y", "has no version"},
		{"short commit", "sha1-0123456789ABCDEF", "sha1-0123", "has no full commit"},
		{"other digest", "sha1-0123456789ABCDEF", "md5-0123456789ABCDEF", "has no full commit"},
		{"digest of the wrong kind", "sha1-0123456789ABCDEF", "sha256-0123456789ABCDEF", "has no full commit"},
		{"commit of the wrong shape", "commit: sha1-0123456789ABCDEF0123456789abcdef01234567", "commit: [a]", "has no full commit"},
		{"path in a pin", "  Acme/Build@v1:\n", "  Acme/Build/sub@v1:\n", "is not a pin"},
		{"pin without entry", "  Acme/Build@v1:\n", "  acme/other@v1:\n", "is not among the dependencies"},
		{"dependencies are a list", "dependencies:\n", "dependencies: []\nx:\n", "is not among the dependencies"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := parseLockFile(t, strings.Replace(lockFile, test.old, test.new, 1))
			var messages []string
			for _, p := range f.Problems {
				messages = append(messages, p.Message)
				if p.Whole || !(Span{0, len(f.Source)}).Contains(p.Span) {
					t.Errorf("problem %+v", p)
				}
			}
			if !strings.Contains(strings.Join(messages, "\n"), test.problem) {
				t.Errorf("problems %q, want one with %q", messages, test.problem)
			}
			if pin, ok := f.Lock.Pinned(".github/workflows/ci.yml", ParseUses("acme/build@v1")); ok {
				t.Errorf("still pinned by %+v", pin)
			}
		})
	}
	for _, source := range []string{"[]\n", "text\n", "- a\n"} {
		if f := parseLockFile(t, source); len(f.Problems) != 1 || !f.Problems[0].Whole || f.Lock != nil {
			t.Errorf("%q: %+v %v", source, f.Lock, f.Problems)
		}
	}
}

// Every name in the lock has its place, and a pin what it was made from and leads to.
func TestLockPlaces(t *testing.T) {
	f := parseLockFile(t, lockFile)
	ci := f.Lock.Workflows[".github/workflows/ci.yml"]
	if f.Text(ci.Span) != ".github/workflows/ci.yml" || len(ci.Pins) != 2 || f.Text(ci.Pins[0].Span) != "Acme/Build@v1" || ci.Pins[0].Key != "acme/build@v1" {
		t.Errorf("the workflow: %+v", ci)
	}
	pin := f.Lock.Pins["acme/build@v1"]
	if f.Text(pin.Span) != "Acme/Build@v1" || pin.Version != "v1.2.3" || !slices.Equal(pin.Uses, []string{"acme/deep@main"}) {
		t.Errorf("the pin: %+v", pin)
	}
	for key, pin := range f.Lock.Pins {
		if pinKey(f.Text(pin.Span)) != key {
			t.Errorf("%s is at %q", key, f.Text(pin.Span))
		}
	}
}
