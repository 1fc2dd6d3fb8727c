package lease

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
)

func file(name, variable, content string) oidc.PrivateFile {
	return oidc.PrivateFile{Name: name, Var: variable, Content: oidc.NewSecret(content)}
}

// openIn opens the scene's lease with its private files below temp.
func (s *scene) openIn(t *testing.T, temp string, change func(*Options)) (*Lease, error) {
	t.Helper()
	opts := Options{Expect: grant.Expect{Repository: "acme/site"}, Temp: temp, Rand: func() float64 { return 0 },
		Now: func() time.Time { return s.now }, Observe: func(e Event) { s.events = append(s.events, e) },
		Sleep: func(ctx context.Context, d time.Duration) error { s.now = s.now.Add(d); return ctx.Err() }}
	if change != nil {
		change(&opts)
	}
	return Open(t.Context(), s.grant, []oidc.Provider{s.one, s.two}, s.source, opts)
}

func left(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error { names = append(names, path); return err })
	if err != nil {
		t.Fatal(err)
	}
	return names[1:]
}

func TestPrivateFilesLiveWithTheLease(t *testing.T) {
	s, temp := newScene(t), t.TempDir()
	s.one.files = []oidc.PrivateFile{file("token", "ONE_TOKEN_FILE", canarySecret)}
	l, err := s.openIn(t, temp, nil)
	if err != nil {
		t.Fatal(err)
	}
	var path string
	for _, v := range l.Vars() {
		if v.Name == "ONE_TOKEN_FILE" {
			path = v.Value.Reveal()
			if !v.Public {
				t.Error("the path is masked")
			}
		}
	}
	b, err := os.ReadFile(path)
	if err != nil || string(b) != canarySecret {
		t.Fatalf("%q: %q %v", path, b, err)
	}
	if runtime.GOOS != "windows" {
		for p, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
			if info, err := os.Lstat(p); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v %v", p, info.Mode(), err)
			}
		}
	}
	state := l.State()
	if state.Dir != filepath.Dir(path) {
		t.Errorf("the state lists %q", state.Dir)
	}
	text, err := state.Encode()
	if err != nil || strings.Contains(string(text), canarySecret) {
		t.Errorf("%s %v", text, err)
	}
	if ended := l.End(t.Context()); len(ended) != 2 || len(left(t, temp)) != 0 {
		t.Errorf("%v, left %v", ended, left(t, temp))
	}
}

// Whatever goes wrong, no file stays, and what was issued is ended.
func TestPrivateFilesThatCannotBe(t *testing.T) {
	rows := map[string]struct {
		spoil func(*scene, *Options)
		says  string
	}{
		"one variable by two": {func(s *scene, _ *Options) { s.one.files = []oidc.PrivateFile{file("a", "TWO_SECRET", canarySecret)} }, "TWO_SECRET is set by both"},
		"one variable by two files": {func(s *scene, _ *Options) {
			s.one.files, s.two.files = []oidc.PrivateFile{file("a", "F", canarySecret)}, []oidc.PrivateFile{file("b", "F", canarySecret)}
		}, "F is set by both"},
		"one file by two": {func(s *scene, _ *Options) {
			s.one.files, s.two.files = []oidc.PrivateFile{file("a", "F", canarySecret)}, []oidc.PrivateFile{file("a", "G", canarySecret)}
		}, `the file "a" is set by both`},
		"the loader's variable": {func(s *scene, _ *Options) { s.one.files = []oidc.PrivateFile{file("a", "LD_PRELOAD", canarySecret)} }, "LD_PRELOAD"},
		"a path for a name":     {func(s *scene, _ *Options) { s.one.files = []oidc.PrivateFile{file("../a", "F", canarySecret)} }, "could not be written"},
		"the owner's name":      {func(s *scene, _ *Options) { s.one.files = []oidc.PrivateFile{file(ownerName, "F", canarySecret)} }, "could not be written"},
		"too large": {func(s *scene, _ *Options) {
			s.one.files = []oidc.PrivateFile{file("a", "F", canarySecret+strings.Repeat("x", MaxPrivateBytes))}
		}, "could not be written"},
		"no such place": {func(s *scene, o *Options) {
			s.one.files, o.Temp = []oidc.PrivateFile{file("a", "F", canarySecret)}, filepath.Join(o.Temp, "none")
		}, "no private directory"},
		"nothing fills it": {func(s *scene, _ *Options) { s.one.files = []oidc.PrivateFile{file("a", "F", "")} }, "nothing to answer"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			s, temp := newScene(t), t.TempDir()
			l, err := s.openIn(t, temp, func(o *Options) { row.spoil(s, o) })
			var e *oidc.Error
			if l != nil || !errors.As(err, &e) || !strings.Contains(e.Message, row.says) || e.Hint == "" {
				t.Errorf("%v", err)
			}
			checkSilent(t, "error", err)
			if files := left(t, temp); len(files) > 0 || s.journal[len(s.journal)-1] != "end one" {
				t.Errorf("left %v, journal %v", files, s.journal)
			}
		})
	}
}

// A disk that is full: half a file is written, and none stays.
func TestFullDisk(t *testing.T) {
	defer func(f func(*os.File, string) error) { writeFile = f }(writeFile)
	writeFile = func(f *os.File, content string) error {
		_, _ = f.WriteString(content[:len(content)/2])
		return errors.New("no space left on device")
	}
	for _, job := range []string{"", "job-1"} {
		s, temp := newScene(t), t.TempDir()
		s.one.files = []oidc.PrivateFile{file("a", "F", canarySecret)}
		l, err := s.openIn(t, temp, func(o *Options) { o.Job = job })
		if l != nil || err == nil || hintOf(err) == "" {
			t.Errorf("%v", err)
		}
		if files := left(t, temp); len(files) > 0 {
			t.Errorf("left %v", files)
		}
	}
}

// What lies in the way is not followed, and not written to.
func TestPutFollowsNoLink(t *testing.T) {
	d, err := NewDirectory(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Remove() }()
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"token", ".draft"} {
		if err := os.Symlink(victim, filepath.Join(d.Path(), name)); err != nil {
			t.Skip(err)
		}
	}
	path, err := d.Put("token", oidc.NewSecret(canarySecret))
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(victim); string(b) != "old" {
		t.Errorf("the victim holds %q", b)
	}
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		t.Errorf("%v %v", info, err)
	}
}

// Post removes what the state lists, if it is one of ours at its place, and nothing else.
func TestRemoveListed(t *testing.T) {
	temp := t.TempDir()
	d, err := NewDirectory(temp, "job-1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Put("credentials", oidc.NewSecret("x")); err != nil {
		t.Fatal(err)
	}
	d.Leave()
	outside, inside := t.TempDir(), filepath.Join(temp, "something")
	if err := os.Mkdir(inside, 0o700); err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(d.Path())
	for _, dir := range []string{outside, inside, temp, "/", filepath.Join(outside, name), d.Path() + "/..", d.Path() + "/", filepath.Join(temp, "x", "..", "something"),
		filepath.Join(temp, "stint-lease-"), d.Path() + "0"} {
		if (State{Dir: dir}).EmptyListed(temp) == nil || (State{Dir: dir}).RemoveListed(temp) == nil {
			t.Errorf("%s: no error", dir)
		}
	}
	for _, dir := range []string{outside, inside, d.Path()} {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("%s is gone", dir)
		}
	}
	if err := (State{Dir: d.Path()}).EmptyListed(temp); err != nil {
		t.Error(err)
	}
	if kept, err := os.ReadDir(d.Path()); err != nil || len(kept) != 1 || kept[0].Name() != ownerName {
		t.Errorf("emptied, it holds %v, %v", kept, err)
	}
	for range 2 { // it may run twice
		if err := (State{Dir: d.Path()}).RemoveListed(temp); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(d.Path()); err == nil {
		t.Error("it is still there")
	}
	if err := (State{Dir: d.Path()}).EmptyListed(temp); err != nil {
		t.Error(err)
	}
}

func TestSweepTakesWhatIsLeft(t *testing.T) {
	if !canLock {
		t.Skip("no locks here")
	}
	temp := t.TempDir()
	make := func(job string, leave func(*Directory)) string {
		d, err := NewDirectory(temp, job)
		if err != nil {
			t.Fatal(err)
		}
		leave(d)
		return d.Path()
	}
	running := func(d *Directory) { t.Cleanup(func() { _ = d.Remove() }) } // holds it
	killed := func(d *Directory) { _ = d.lock.Close() }                    // as the system does
	alive := make("", running)
	dead := make("", killed)
	ours := make("job-2", (*Directory).Leave)
	theirs := make("job-1", (*Directory).Leave)
	opened := make("", killed)
	_ = os.Chmod(opened, 0o755) // no directory of ours is so
	foreign := filepath.Join(temp, "stint-lease-x")
	_ = os.Mkdir(foreign, 0o700)
	young, old := filepath.Join(temp, "stint-lease-"+strings.Repeat("0", 32)), filepath.Join(temp, "stint-lease-"+strings.Repeat("1", 32))
	now := time.Now()
	for dir, at := range map[string]time.Time{young: now, old: now.Add(-2 * sweepAge)} {
		_ = os.Mkdir(dir, 0o700)
		_ = os.Chtimes(dir, at, at)
	}
	target := t.TempDir()
	_ = os.Symlink(target, filepath.Join(temp, "stint-lease-"+strings.Repeat("2", 32)))

	removed, err := Sweep(temp, "job-2", now, nil)
	if err != nil || len(removed) != 3 {
		t.Errorf("removed %v, %v", removed, err)
	}
	for path, stays := range map[string]bool{alive: true, dead: false, ours: true, theirs: false, opened: true, foreign: true, young: true, old: false, target: true} {
		if _, err := os.Stat(path); (err == nil) != stays {
			t.Errorf("%s: stays is %v, want %v", path, err == nil, stays)
		}
	}
	// A command of no job leaves the directories of jobs alone.
	other := make("job-3", (*Directory).Leave)
	if removed, err := Sweep(temp, "", now, nil); err != nil || len(removed) != 0 {
		t.Errorf("removed %v, %v", removed, err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Error(err)
	}
}
