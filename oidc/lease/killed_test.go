package lease

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stint-dev/stint/oidc"
)

// kill lets go of a lease as the system does with a process that is killed.
func kill(t *testing.T, l *Lease) {
	t.Helper()
	if l.dir == nil {
		t.Fatal("the lease has no directory")
	}
	_ = l.dir.lock.Close()
}

// What a killed run had open is ended by the next start, which has the record alone,
// also what was issued but not verified when the kill came, and after a refresh.
func TestSweepEndsWhatAKilledRunHeld(t *testing.T) {
	if !canLock {
		t.Skip("no locks here")
	}
	s, temp := newScene(t), t.TempDir()
	l, err := s.openIn(t, temp, nil)
	if err != nil {
		t.Fatal(err)
	}
	alive, err := s.openIn(t, temp, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer alive.End(t.Context())
	kill(t, l)
	s.journal = nil
	enders := map[string]Ender{"one": s.one} // of two this stint knows nothing
	var ended []Ended
	removed, err := Sweep(temp, "", time.Now(), func(open State) {
		if _, err := os.Stat(l.dir.Path()); err != nil {
			t.Error("the record is gone before what it lists is ended")
		}
		ended = EndState(t.Context(), open, enders, Options{})
	})
	if err != nil || len(removed) != 1 || removed[0] != l.dir.Path() {
		t.Errorf("removed %v, %v", removed, err)
	}
	if len(ended) != 2 || ended[0].Outcome != oidc.Open || ended[1].Outcome != oidc.Revoked || strings.Join(s.journal, ",") != "end one" {
		t.Errorf("ended %v, journal %v", ended, s.journal)
	}
	checkSilent(t, "what is said of it", ended)
}

// A record holds what revokes and no credential, and lies where only the user reads.
func TestRecordHoldsNoCredential(t *testing.T) {
	s, temp := newScene(t), t.TempDir()
	l, err := s.openIn(t, temp, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.End(t.Context())
	text, err := os.ReadFile(filepath.Join(l.dir.Path(), recordName))
	if err != nil || strings.Contains(string(text), canarySecret) || strings.Contains(string(text), canaryToken) {
		t.Errorf("%s, %v", text, err)
	}
	if strings.Count(string(text), canaryRevoke) != 2 {
		t.Errorf("%s", text)
	}
}

// With nothing to revoke and no private file there is no record.
func TestNoRecordOfNothing(t *testing.T) {
	s, temp := newScene(t), t.TempDir()
	for _, p := range []*fakeProvider{s.one, s.two} {
		p.shape = func(c *oidc.Credential, _ int, _ oidc.Request) { c.Handle.Revoke = "" }
	}
	l, err := s.openIn(t, temp, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.End(t.Context())
	if files := left(t, temp); len(files) > 0 {
		t.Errorf("there are %v", files)
	}
}

// What lies in place of a record is not followed and ends nothing.
func TestSweepReadsRecordsAsForeign(t *testing.T) {
	if !canLock {
		t.Skip("no locks here")
	}
	elsewhere := filepath.Join(t.TempDir(), "record")
	good := `{"version":1,"grant":"deploy-site","grant_digest":"","handles":[{"provider":"one","grant":"deploy-site","id":"x","identity":"y","expires":"2026-11-21T12:15:00Z","usable_until":"2026-11-21T12:15:00Z"}],"vars":[]}`
	if err := os.WriteFile(elsewhere, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	place := map[string]func(path string) error{
		"a link":      func(path string) error { return os.Symlink(elsewhere, path) },
		"a directory": func(path string) error { return os.Mkdir(path, 0o700) },
		"no json":     func(path string) error { return os.WriteFile(path, []byte("{"), 0o600) },
		"too much": func(path string) error {
			return os.WriteFile(path, []byte(good+strings.Repeat(" ", MaxStateBytes)), 0o600)
		},
	}
	for name, put := range place {
		temp := t.TempDir()
		d, err := NewDirectory(temp, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := put(filepath.Join(d.Path(), recordName)); err != nil {
			t.Fatal(err)
		}
		_ = d.lock.Close()
		removed, err := Sweep(temp, "", time.Now(), func(State) { t.Errorf("%s: it ends something", name) })
		if err != nil || len(removed) != 1 {
			t.Errorf("%s: removed %v, %v", name, removed, err)
		}
	}
}

// A disk that fills up while the job is given its variables: what was written of them
// is cut off again, so that the steps that follow find none.
func TestFullDiskHandsNothingToTheJob(t *testing.T) {
	s := newScene(t)
	l, err := s.openIn(t, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.End(t.Context())
	path := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(path, []byte("BEFORE=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	defer func(f func(*os.File, string) error) { writeFile = f }(writeFile)
	writeFile = func(f *os.File, content string) error {
		_, _ = f.WriteString(content[:len(content)-1])
		return errors.New("no space left on device")
	}
	err = HandToJob(&strings.Builder{}, RunnerFile{Name: "GITHUB_ENV", Path: path}, l)
	if err == nil {
		t.Error("it was handed over")
	}
	checkSilent(t, "the error", err)
	if b, err := os.ReadFile(path); err != nil || string(b) != "BEFORE=1\n" {
		t.Errorf("the file holds %q, %v", b, err)
	}
}

// A full disk does not end a lease that refreshes: the record stays the old one.
func TestFullDiskKeepsWhatWorks(t *testing.T) {
	s, temp := newScene(t), t.TempDir()
	l, err := s.openIn(t, temp, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.End(t.Context())
	defer func(f func(*os.File, string) error) { writeFile = f }(writeFile)
	writeFile = func(*os.File, string) error { return errors.New("no space left on device") }
	fresh := *l.held[0]
	cred := *fresh.cred
	cred.Handle.ID, fresh.cred = "fresh", &cred
	if err := l.replace(t.Context(), 0, &fresh); err != nil || l.held[0].cred.Handle.ID != "fresh" || len(l.former) != 1 {
		t.Errorf("%v, %v", err, l.held)
	}
}

// hanging never answers.
type hanging struct{ asked *int }

func (h hanging) End(ctx context.Context, _ oidc.Handle) oidc.Ending {
	*h.asked++
	<-ctx.Done()
	return oidc.Ending{Outcome: oidc.Open, Detail: "no answer"}
}

// Clouds that do not answer take 7 seconds together, however many there are and though
// the job was cancelled before: the runner kills what takes longer than 7.5.
func TestEndFitsTheTimeOfACancelledJob(t *testing.T) {
	for _, n := range []int{1, 2, 7, 32} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			asked, state := 0, State{}
			for range n {
				state.Handles = append(state.Handles, oidc.Handle{Provider: "one", Grant: "deploy-site"})
			}
			start := time.Now()
			ended := EndState(ctx, state, map[string]Ender{"one": hanging{&asked}}, Options{})
			took := time.Since(start)
			if took > endTimeout || took < endTimeout-time.Millisecond || asked != n || len(ended) != n {
				t.Errorf("%d credentials: %d were asked for in %s", n, asked, took)
			}
			for _, e := range ended {
				if e.Outcome != oidc.Open {
					t.Errorf("%d credentials: %v", n, e)
				}
			}
		})
	}
}

// A process that is killed while it revokes leaves the record of what it was revoking,
// and of the private files none.
func TestRecordOutlivesTheFiles(t *testing.T) {
	s, temp := newScene(t), t.TempDir()
	s.one.files = []oidc.PrivateFile{{Name: "token", Var: "ONE_FILE", Content: oidc.NewSecret(canarySecret)}}
	l, err := s.openIn(t, temp, nil)
	if err != nil {
		t.Fatal(err)
	}
	var there []string
	s.one.ending = func() {
		entries, err := os.ReadDir(l.dir.Path())
		if err != nil {
			t.Error(err)
		}
		for _, e := range entries {
			there = append(there, e.Name())
		}
	}
	l.End(t.Context())
	if strings.Join(there, ",") != ownerName+","+recordName {
		t.Errorf("while it was ended there were %q", there)
	}
	if files := left(t, temp); len(files) > 0 {
		t.Errorf("left %v", files)
	}
}
