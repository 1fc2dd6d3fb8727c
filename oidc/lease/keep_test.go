package lease

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
)

// refreshes are the refresh events of the scene, in a word each.
func (s *scene) refreshes() []string {
	var list []string
	for _, e := range s.events {
		switch {
		case e.Kind != Refresh:
		case e.Last:
			list = append(list, "over")
		case e.Err != nil:
			list = append(list, "failed")
		default:
			list = append(list, "fresh")
		}
	}
	return list
}

// living makes what the providers issue last for d from then, each with its own id.
func (s *scene) living(d time.Duration) {
	for _, p := range []*fakeProvider{s.one, s.two} {
		p.shape = func(c *oidc.Credential, n int, req oidc.Request) {
			c.Expires = s.now.Add(min(d, req.TTL))
			c.UsableUntil, c.Handle.Expires, c.Handle.UsableUntil = c.Expires, c.Expires, c.Expires
			c.Handle.ID += "-" + strings.Repeat("i", n)
		}
	}
}

// A lease that is followed is refreshed when a third of its life is left, with a new
// token that was decided, and the old credential is ended a minute later; nothing
// outlasts the bound.
func TestKeepRefreshes(t *testing.T) {
	s := newScene(t)
	s.living(15 * time.Minute)
	s.two.vars = nil
	l, err := s.openIn(t, t.TempDir(), func(o *Options) { o.Followed, o.Until = true, noon.Add(30*time.Minute) })
	if err != nil {
		t.Fatal(err)
	}
	s.journal, s.events = nil, nil
	l.Keep(t.Context())

	var at []time.Duration
	var last time.Time
	for _, e := range s.events {
		if e.Kind == Refresh && e.Provider == "one" && e.Err == nil {
			at = append(at, e.At.Sub(noon))
			last = e.Credential.UsableUntil
			if e.Credential.Vars != nil || e.TTL > 15*time.Minute {
				t.Errorf("event %+v", e)
			}
		}
	}
	// At 10m until 25m, at 20m until 30m, which is the bound.
	if len(at) != 2 || at[0] != 10*time.Minute || at[1] != 20*time.Minute || last.After(noon.Add(30*time.Minute)) || !last.Equal(noon.Add(30*time.Minute)) {
		t.Errorf("refreshed at %v, last until %s", at, last)
	}
	if n := s.source.n; n != 2+2*len(at) {
		t.Errorf("%d tokens for %d refreshes of two", n, len(at))
	}
	i := slices.IndexFunc(s.events, func(e Event) bool { return e.Kind == End && e.Ended.Handle.ID == "id-one-i" })
	if i < 0 || s.events[i].At.Sub(noon) != 11*time.Minute || s.events[i].Ended.Outcome != oidc.Revoked {
		t.Errorf("the replaced credential: event %d of %+v", i, s.events)
	}
	ended := len(l.End(t.Context()))
	if want := 2 + 2*len(at); ended != want {
		t.Errorf("%d endings, want each of %d credentials once", ended, want)
	}
	checkSilent(t, "events", s.events)
}

// Variables of a command that runs stay what they are: nothing is asked for in vain.
func TestKeepLeavesWhatNobodySees(t *testing.T) {
	s := newScene(t)
	l, err := s.openIn(t, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	l.Keep(t.Context())
	if s.source.n != 2 || !s.now.Equal(noon) {
		t.Errorf("%d tokens, %s", s.source.n, s.now.Sub(noon))
	}
}

func TestKeepEndsWithItsContext(t *testing.T) {
	s := newScene(t)
	ctx, cancel := context.WithCancel(t.Context())
	l, err := s.openIn(t, t.TempDir(), func(o *Options) {
		o.Followed = true
		o.Sleep = func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }
	})
	if err != nil {
		t.Fatal(err)
	}
	l.Keep(ctx)
	if s.source.n != 2 || len(s.refreshes()) != 0 {
		t.Errorf("%d tokens", s.source.n)
	}
}

// Files are replaced whole: a reader has the old content or the new, and the path stays.
func TestKeepRewritesFiles(t *testing.T) {
	s := newScene(t)
	s.living(15 * time.Minute)
	shape := s.one.shape
	s.one.shape = func(c *oidc.Credential, n int, req oidc.Request) {
		shape(c, n, req)
		c.Files = []oidc.PrivateFile{file("token", "ONE_FILE", canarySecret+strings.Repeat("!", n))}
	}
	s.two.vars = nil
	l, err := s.openIn(t, t.TempDir(), func(o *Options) { o.Until = noon.Add(30 * time.Minute) })
	if err != nil {
		t.Fatal(err)
	}
	path := func() string { v := l.Vars(); return v[len(v)-1].Value.Reveal() }
	before := path()
	l.Keep(t.Context())
	b, err := os.ReadFile(before)
	if err != nil || path() != before || !strings.HasPrefix(string(b), canarySecret+"!!") {
		t.Errorf("%v: %d bytes", err, len(b))
	}
}

// A failure is tried again until the old credential ends, and then said to be final. A
// refusal is final at once. A credential that is not good, or cannot be written, is ended.
func TestKeepFails(t *testing.T) {
	rows := map[string]struct {
		spoil func(*scene)
		check func(*testing.T, *scene, []string)
	}{
		"the cloud is down": {func(s *scene) { s.one.exchange = &oidc.Error{Message: "busy"} }, func(t *testing.T, s *scene, got []string) {
			if len(got) < 5 || got[len(got)-1] != "over" || got[0] != "failed" || !s.now.Before(noon.Add(15*time.Minute)) || s.now.Before(noon.Add(13*time.Minute)) {
				t.Errorf("%v until %s", got, s.now.Sub(noon))
			}
		}},
		"the cloud comes back": {func(s *scene) {
			s.one.exchange = &oidc.Error{Message: "busy"}
			s.one.afterTake = func() {
				if s.now.After(noon.Add(11 * time.Minute)) {
					s.one.exchange = nil
				}
			}
		}, func(t *testing.T, _ *scene, got []string) {
			if !slices.Contains(got, "fresh") || got[0] != "failed" {
				t.Errorf("%v", got)
			}
		}},
		"the grant refuses": {func(s *scene) { s.source.change = refuseFrom(1) }, func(t *testing.T, s *scene, got []string) {
			if len(got) != 1 || got[0] != "over" {
				t.Errorf("%v", got)
			}
			if i := slices.IndexFunc(s.events, func(e Event) bool { return e.Kind == Decision && !e.Decision.Admit }); i < 0 {
				t.Error("the refusal is no event")
			}
		}},
		"no id-token": {func(s *scene) { s.source.fail = errors.New("gone") }, func(t *testing.T, _ *scene, got []string) {
			if got[len(got)-1] != "over" {
				t.Errorf("%v", got)
			}
		}},
		"not good": {func(s *scene) { s.one.verify = &oidc.Error{Message: "another identity"} }, func(t *testing.T, s *scene, got []string) {
			if slices.Contains(got, "fresh") || !slices.Contains(s.journal, "end one") {
				t.Errorf("%v, journal %v", got, s.journal)
			}
		}},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.living(15 * time.Minute)
			l, err := Open(t.Context(), s.grant, []oidc.Provider{s.one}, s.source, Options{Expect: expectSite, Followed: true, Until: noon.Add(18 * time.Minute),
				Rand: func() float64 { return 0.5 }, Now: func() time.Time { return s.now }, Observe: func(e Event) { s.events = append(s.events, e) },
				Sleep: func(ctx context.Context, d time.Duration) error { s.now = s.now.Add(d); return ctx.Err() }})
			if err != nil {
				t.Fatal(err)
			}
			s.journal, s.events = nil, nil
			row.spoil(s)
			l.Keep(t.Context())
			row.check(t, s, s.refreshes())
			checkSilent(t, "events", s.events)
		})
	}
}

// A renewing provider extends its credential in place, after a decision; it stays the
// same, is not ended, and needs nobody to follow it.
func TestKeepRenews(t *testing.T) {
	s := newScene(t)
	s.living(15 * time.Minute)
	p := &renewing{fakeProvider: s.one}
	s.one.shape = func(c *oidc.Credential, _ int, req oidc.Request) {
		c.UsableUntil = s.now.Add(req.TTL)
		c.Expires, c.Handle.UsableUntil, c.Handle.Expires = c.UsableUntil, c.UsableUntil, c.UsableUntil
	}
	l, err := Open(t.Context(), s.grant, []oidc.Provider{p}, s.source, Options{Expect: expectSite, Until: noon.Add(20 * time.Minute),
		Rand: func() float64 { return 0 }, Now: func() time.Time { return s.now }, Observe: func(e Event) { s.events = append(s.events, e) },
		Sleep: func(ctx context.Context, d time.Duration) error { s.now = s.now.Add(d); return ctx.Err() }})
	if err != nil {
		t.Fatal(err)
	}
	s.journal = nil
	l.Keep(t.Context())
	if p.renewed < 1 || slices.Contains(s.journal, "exchange one") || slices.Contains(s.journal, "end one") || s.source.n != 1+p.renewed {
		t.Errorf("renewed %d times with %d tokens, journal %v", p.renewed, s.source.n, s.journal)
	}
	if c := l.Credentials()[0]; c.UsableUntil.After(noon.Add(20 * time.Minute)) {
		t.Errorf("until %s", c.UsableUntil)
	}
	if ended := l.End(t.Context()); len(ended) != 1 {
		t.Errorf("%d endings", len(ended))
	}
}

// What a broker answers is of the moment: the fresh credential, nothing after its end,
// nothing after that of the lease. Its files are filled with it.
func TestAnswers(t *testing.T) {
	s, temp := newScene(t), t.TempDir()
	s.living(15 * time.Minute)
	p := &answering{fakeProvider: s.one}
	l, err := Open(t.Context(), s.grant, []oidc.Provider{p}, s.source, Options{Expect: expectSite, Temp: temp, Followed: true, Now: func() time.Time { return s.now },
		Form: func(p oidc.Provider, _ *oidc.Credential) ([]oidc.Var, []oidc.PrivateFile) {
			return p.(oidc.Brokered).Point("http://127.0.0.1:1/x", oidc.NewSecret("bearer"))
		}})
	if err != nil {
		t.Fatal(err)
	}
	vars := l.Vars()
	if len(vars) != 2 || vars[0].Name != "ONE_URL" {
		t.Fatalf("%v", vars)
	}
	if b, err := os.ReadFile(vars[1].Value.Reveal()); err != nil || string(b) != "answer 1 for id-one-i" {
		t.Errorf("%q %v", b, err)
	}
	s.now = noon.Add(oidc.FileLife)
	l.tend(t.Context())
	if b, err := os.ReadFile(vars[1].Value.Reveal()); err != nil || string(b) != "answer 2 for id-one-i" {
		t.Errorf("%q %v", b, err)
	}
	if got, err := l.Answer(t.Context(), "one"); err != nil || got.Reveal() != "answer 3 for id-one-i" {
		t.Errorf("%v", err)
	}
	if _, err := l.Answer(t.Context(), "two"); err == nil {
		t.Error("another provider's answer")
	}
	s.now = noon.Add(15 * time.Minute)
	if _, err := l.Answer(t.Context(), "one"); err == nil || !strings.Contains(err.Error(), "was not refreshed") {
		t.Errorf("after its end: %v", err)
	}
	s.now = noon
	l.End(t.Context())
	if _, err := l.Answer(t.Context(), "one"); err == nil || len(left(t, temp)) > 0 {
		t.Errorf("after the lease: %v, left %v", err, left(t, temp))
	}
}

// A lease that ends while a refresh is under way ends what comes of it.
func TestEndDuringARefresh(t *testing.T) {
	s := newScene(t)
	s.living(15 * time.Minute)
	l, err := s.openIn(t, t.TempDir(), func(o *Options) { o.Followed = true })
	if err != nil {
		t.Fatal(err)
	}
	s.journal = nil
	s.one.afterTake = func() { l.End(context.Background()) }
	s.now = noon.Add(10 * time.Minute)
	l.tend(t.Context())
	if n := strings.Count(strings.Join(s.journal, ","), "end one"); n != 2 {
		t.Errorf("journal %v", s.journal)
	}
}
