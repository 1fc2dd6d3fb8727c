package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/registry"
	"github.com/stint-dev/stint/oidc/providers/wire"
	"github.com/stint-dev/stint/oidc/providertest"
	"github.com/stint-dev/stint/oidc/sandbox"
)

const (
	issuedToken = "canaryIssuedToken0123456789"
	bodyCanary  = "canary-body-text"
	shelf       = "shelf" // the registry of these tests
)

// A store is a stand-in that verifies the id-token, uses it up and takes tokens back.
type store struct {
	bench   *providertest.Bench
	mu      sync.Mutex
	used    map[string]bool
	alive   map[string]bool
	expires string // of the reply, "" for none
	pkg     string
	rights  []string
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if r.Method == http.MethodDelete {
		delete(s.alive, bearer)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	c, err := s.bench.Verify(bearer, "shelf.example")
	switch {
	case err != nil || r.URL.Path != "/exchange/acme-site":
		http.Error(w, bodyCanary, http.StatusForbidden)
		return
	case s.used[c.ID]:
		http.Error(w, `{"code":"reused","text":"`+bodyCanary+`"}`, http.StatusBadRequest)
		return
	}
	s.used[c.ID], s.alive[issuedToken] = true, true
	w.Header().Set("X-Request-Id", "req-1;<b>")
	_ = json.NewEncoder(w).Encode(map[string]any{"token": issuedToken, "expires": s.expires, "package": s.pkg, "rights": s.rights})
}

// definition is a registry with everything that a registry can have.
func definition() registry.Registry {
	return registry.Registry{
		Name: shelf, Title: "Shelf", Origin: "https://shelf.example", Audience: "shelf.example", PURL: "shelf",
		IsPackage: func(s string) bool { return s == "acme-site" }, Example: "acme-site",
		Rights: []string{"publish"}, Life: 15 * time.Minute,
		Request: func(o *url.URL, pkg, token string) (*http.Request, error) {
			return registry.Post(o, "/exchange/"+pkg, token, nil)
		},
		Read: func(b []byte) registry.Issued {
			var r struct {
				Token, Package string
				Rights         []string
				Expires        json.RawMessage
			}
			_ = json.Unmarshal(b, &r)
			return registry.Issued{Token: r.Token, Package: r.Package, Rights: r.Rights, Expires: registry.ReadTime(r.Expires)}
		},
		Refusal: func(r *wire.Reply) (string, string) {
			var b struct{ Code string }
			_ = json.Unmarshal(r.Body, &b)
			return b.Code, registry.By(r, []registry.Phrase{{Says: "reused", Hint: "it was used before"}})
		},
		HandOver: func(o *url.URL, pkg string, token oidc.Secret) ([]oidc.Var, []oidc.PrivateFile) {
			return []oidc.Var{{Name: "SHELF_TOKEN", Value: token}}, []oidc.PrivateFile{{Name: "shelfrc", Var: "SHELF_CONFIG", Content: token}}
		},
		Revoke: func(o *url.URL, token string) (*http.Request, error) {
			r, err := http.NewRequest(http.MethodDelete, o.String()+"/exchange", nil)
			if err == nil {
				r.Header.Set("Authorization", "Bearer "+token)
			}
			return r, err
		},
		Form: registry.Form{File: "workflow_ref", Refuses: []string{"workflow_run"}},
	}
}

// A bench is the stand-in with a provider of it.
type bench struct {
	*providertest.Bench
	*providertest.Server
	store    *store
	registry registry.Registry
	provider oidc.Provider
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{Bench: providertest.NewBench(t), registry: definition()}
	b.store = &store{bench: b.Bench, used: map[string]bool{}, alive: map[string]bool{}}
	b.Server = providertest.NewServer(t, b.store)
	b.make(t)
	return b
}

func (b *bench) make(t *testing.T) {
	t.Helper()
	g := providertest.Grant(t, shelf, "15m", "{ package: acme-site, endpoint: "+b.URL+" }")
	p, err := registry.New(b.registry, g.Targets[0], g, b.options())
	if err != nil {
		t.Fatal(err)
	}
	b.provider = p
}

func (b *bench) options() registry.Options {
	return registry.Options{Version: "1.2.3", Now: b.Now, Sleep: b.Sleep, Rand: func() float64 { return 0.5 }}
}

// exchange trades, and looks for secrets in whatever comes of it.
func (b *bench) exchange(t *testing.T) (*oidc.Credential, error) {
	t.Helper()
	c, err := b.provider.Exchange(t.Context(), b.Request(15*time.Minute))
	secrets := append(b.Tokens(), issuedToken, bodyCanary)
	if err != nil {
		providertest.Silent(t, secrets, err)
		return nil, err
	}
	providertest.Silent(t, secrets, providertest.Shown(c)...)
	return c, nil
}

func TestExchangeHandsOverAndTakesBack(t *testing.T) {
	b := newBench(t)
	b.store.pkg, b.store.rights = "acme-site", []string{"publish"}
	c, err := b.exchange(t)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.provider.Verify(c, b.Request(15*time.Minute)); err != nil {
		t.Error(err)
	}
	until := providertest.Start.Add(15 * time.Minute)
	if c.Identity != "pkg:shelf/acme-site" || !c.Expires.Equal(until) || c.Handle.Endpoint != b.URL || c.Handle.Revoke != issuedToken {
		t.Errorf("credential %+v", c)
	}
	if c.Vars[0].Value.Reveal() != issuedToken || c.Vars[0].Public || c.Files[0].Content.Reveal() != issuedToken {
		t.Errorf("hand-over %v %v", c.Vars, c.Files)
	}
	if f := c.Facts; f[registry.FactRequestID] != "req-1b" || !strings.HasPrefix(f[registry.FactTokenID], "sha256:") || f[registry.FactExpiry] == "" {
		t.Errorf("facts %v", f)
	}
	if agent := b.Requests()[0].Header.Get("User-Agent"); agent != "stint/1.2.3 (run 9876543210; attempt 2)" {
		t.Errorf("user agent %q", agent)
	}
	if e := registry.NewEnder(b.registry, b.options()).End(t.Context(), c.Handle); e.Outcome != oidc.Revoked || b.store.alive[issuedToken] {
		t.Errorf("ending %+v, alive %v", e, b.store.alive)
	}
	if e := b.provider.End(t.Context(), c.Handle); e.Outcome != oidc.Revoked {
		t.Errorf("the second end says %+v", e)
	}
}

// Whatever goes wrong, one id-token is asked for and one call is made.
func TestOneTokenOneTry(t *testing.T) {
	faults := map[string]struct {
		fault     providertest.Fault
		hint      string
		retryable bool
	}{
		"busy":        {providertest.Fault{Status: 429, RetryAfter: "7", Body: bodyCanary}, "not sent again", true},
		"fault":       {providertest.Fault{Status: 503, Body: bodyCanary}, "not sent again", true},
		"dropped":     {providertest.Fault{Drop: true}, "may be used up", true},
		"lost answer": {providertest.Fault{Lose: true}, "a token may have been issued", true},
		"half":        {providertest.Fault{Half: true}, "may be used up", true},
		"redirect":    {providertest.Fault{Status: 307, Location: "https://evil.example/x"}, "may be used up", false},
		"too large":   {providertest.Fault{Status: 200, Body: strings.Repeat(" ", wire.MaxReplyBytes+1)}, "may be used up", false},
		"not json":    {providertest.Fault{Status: 200, Body: "<html>" + bodyCanary}, "used up", false},
		"no token":    {providertest.Fault{Status: 201, Body: `{"token":""}`}, "used up", false},
		"bad token":   {providertest.Fault{Status: 201, Body: `{"token":"a b\n"}`}, "used up", false},
		"refused":     {providertest.Fault{Status: 403, Body: bodyCanary}, "most likely first", false},
		"coded":       {providertest.Fault{Status: 400, Body: `{"code":"reused"}`}, "used before", false},
		"hostile":     {providertest.Fault{Status: 400, Body: `{"code":"` + bodyCanary + ` \u001b[2J"}`}, "presented", false},
	}
	for name, test := range faults {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.Script(test.fault)
			_, err := b.exchange(t)
			var e *oidc.Error
			if !errors.As(err, &e) {
				t.Fatalf("error %v", err)
			}
			if e.Stage != oidc.StageExchange || e.Retryable != test.retryable || !strings.Contains(e.Hint, test.hint) {
				t.Errorf("error %+v", e)
			}
			if len(b.Requests()) != 1 || len(b.Tokens()) != 1 || len(b.Waits()) != 0 {
				t.Errorf("%d calls, %d tokens, waits %v", len(b.Requests()), len(b.Tokens()), b.Waits())
			}
			if test.fault.RetryAfter != "" && e.RetryAfter != 7*time.Second {
				t.Errorf("retry after %s", e.RetryAfter)
			}
		})
	}
}

func TestStopWhileTheRegistryIsSilent(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	b.Script(providertest.Fault{Hang: true, Then: cancel})
	_, err := b.provider.Exchange(ctx, b.Request(15*time.Minute))
	if err == nil || !strings.Contains(err.Error(), "stopped") || !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// The stand-in takes no token but the job's own, for it, now.
func TestBadTokensAreNotTaken(t *testing.T) {
	for name, spoil := range map[string]*sandbox.Fault{"foreign key": {ForeignKey: true}} {
		b := newBench(t)
		b.Spoil(spoil)
		if _, err := b.exchange(t); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	b := newBench(t)
	b.Cloud.Pass(time.Hour) // the cloud's clock, and the issuer's with it, is ahead
	if _, err := b.exchange(t); err != nil {
		t.Errorf("a clock behind the cloud's: %v", err)
	}
	b = newBench(t)
	b.Pass(time.Hour)
	if _, err := b.exchange(t); err == nil || len(b.Requests()) != 0 {
		t.Errorf("a token that is over by this clock was sent: %v", err)
	}
	b.Spoil(&sandbox.Fault{Status: 500})
	if _, err := b.exchange(t); err == nil || len(b.Requests()) != 0 {
		t.Errorf("no token, and yet a call: %v", err)
	}
}

func TestRefusalShowsWhatWasPresented(t *testing.T) {
	b := newBench(t)
	b.Script(providertest.Fault{Status: 403})
	_, err := b.exchange(t)
	var e *oidc.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	for _, want := range []string{`"acme/site"`, `"123456"`, `"production"`, `"push"`, "release.yml@refs/heads/main", "no trusted publisher"} {
		if !strings.Contains(e.Hint, want) {
			t.Errorf("the hint lacks %s: %s", want, e.Hint)
		}
	}
}

// At the registry itself the token is held against the form for the grant, too.
func TestRefusalSaysWhetherTheTokenFitsTheForm(t *testing.T) {
	for want, claims := range map[string]map[string]string{
		"it fits the lock that `stint grant render release --for shelf` gives": {},
		"does not fit the lock for this grant: environment":                    {"environment": "staging"},
		"no lock can be rendered for this grant: Shelf takes tokens of":        {"iss": issuer + "/acme"},
		"Shelf takes no token of a run started by":                             {"event_name": "workflow_run"},
	} {
		g := providertest.Grant(t, shelf, "15m", "{ package: acme-site }")
		p, err := registry.New(definition(), g.Targets[0], g, registry.Options{Transport: refusing{}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Exchange(t.Context(), oidc.Request{Source: made(claims), TTL: 15 * time.Minute})
		var e *oidc.Error
		if !errors.As(err, &e) || !strings.Contains(e.Hint, want) {
			t.Errorf("want %q: %+v", want, err)
		}
	}
}

// refusing answers 403 to everything.
type refusing struct{}

func (refusing) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// made is a source of claims that were made up.
type made map[string]string

func (made) Name() string { return "test" }

func (m made) Token(_ context.Context, audience string) (*oidc.Token, error) {
	c := oidc.Claims{Audience: []string{audience}, Values: map[string]string{"iss": issuer, "repository": "acme/site",
		"repository_owner_id": "123456", "environment": "production", "event_name": "push", "workflow_ref": "acme/site/.github/workflows/release.yml@refs/heads/main"}}
	for k, v := range m {
		c.Values[k] = v
	}
	c.Issuer = c.Values["iss"]
	return &oidc.Token{Raw: oidc.NewSecret("t"), Claims: c}, nil
}

func TestVerifyRefuses(t *testing.T) {
	b := newBench(t)
	good, err := b.exchange(t)
	if err != nil {
		t.Fatal(err)
	}
	change := map[string]func(*oidc.Credential){
		"package": func(c *oidc.Credential) { c.Identity = "pkg:shelf/other" },
		"unsaid":  func(c *oidc.Credential) { c.Identity, c.Facts = "", nil },
		"rights":  func(c *oidc.Credential) { c.Facts[registry.FactRights] = "publish,own" },
		"over":    func(c *oidc.Credential) { c.Expires = providertest.Start },
		"unknown": func(c *oidc.Credential) { c.Expires, c.UsableUntil = time.Time{}, time.Time{} },
		"long": func(c *oidc.Credential) {
			c.Expires = providertest.Start.Add(16 * time.Minute)
			c.UsableUntil = c.Expires
		},
	}
	for name, f := range change {
		c := *good
		c.Facts = map[string]string{registry.FactIdentity: good.Facts[registry.FactIdentity]}
		f(&c)
		err := b.provider.Verify(&c, b.Request(15*time.Minute))
		var e *oidc.Error
		if !errors.As(err, &e) || e.Stage != oidc.StageVerify || e.Hint == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if b.provider.Verify(nil, b.Request(time.Minute)) == nil {
		t.Error("nothing passes")
	}
}

// A registry of whose tokens nobody knows the end is believed, and says so at the end.
func TestUnknownExpiry(t *testing.T) {
	b := newBench(t)
	b.registry.Life, b.registry.Revoke = 0, nil
	b.make(t)
	c, err := b.exchange(t)
	if err != nil || !c.Expires.IsZero() {
		t.Fatalf("%v %v", c, err)
	}
	if err := b.provider.Verify(c, b.Request(15*time.Minute)); err != nil {
		t.Error(err)
	}
	if e := b.provider.End(t.Context(), c.Handle); e.Outcome != oidc.Open || !strings.Contains(e.Detail, "does not say") {
		t.Errorf("ending %+v", e)
	}
	b.store.expires, b.store.used = "2026-11-21T12:10:00Z", map[string]bool{}
	if c, err = b.exchange(t); err != nil || !c.Expires.Equal(providertest.Start.Add(10*time.Minute)) {
		t.Errorf("stated expiry: %v %v", c, err)
	}
	if e := b.provider.End(t.Context(), c.Handle); e.Outcome != oidc.Expires || !e.At.Equal(c.Expires) {
		t.Errorf("ending %+v", e)
	}
}

func TestEndRetriesAndStaysHonest(t *testing.T) {
	handle := func(b *bench) oidc.Handle {
		return oidc.Handle{Provider: shelf, Endpoint: b.URL, Revoke: issuedToken, Expires: providertest.Start.Add(time.Hour), UsableUntil: providertest.Start.Add(time.Hour)}
	}
	rows := map[string]struct {
		faults []providertest.Fault
		change func(*oidc.Handle)
		want   oidc.Outcome
		calls  int
	}{
		"busy once":      {[]providertest.Fault{{Status: 503}}, nil, oidc.Revoked, 2},
		"answer lost":    {[]providertest.Fault{{Lose: true}}, nil, oidc.Revoked, 2},
		"always busy":    {[]providertest.Fault{{Status: 500}, {Status: 500}, {Status: 500}}, nil, oidc.Open, 3},
		"refused":        {[]providertest.Fault{{Status: 401, Body: bodyCanary}}, nil, oidc.Open, 1},
		"other success":  {[]providertest.Fault{{Status: 200, Body: "{}"}}, nil, oidc.Open, 1},
		"long wait":      {[]providertest.Fault{{Status: 429, RetryAfter: "60"}}, nil, oidc.Open, 1},
		"redirect":       {[]providertest.Fault{{Status: 302, Location: "https://evil.example/"}}, nil, oidc.Open, 1},
		"expired":        {nil, func(h *oidc.Handle) { h.Expires = providertest.Start }, oidc.Expired, 0},
		"no token":       {nil, func(h *oidc.Handle) { h.Revoke = "" }, oidc.Open, 0},
		"open line":      {nil, func(h *oidc.Handle) { h.Endpoint = "http://shelf.example" }, oidc.Open, 0},
		"not an address": {nil, func(h *oidc.Handle) { h.Endpoint = "%" }, oidc.Open, 0},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.Script(row.faults...)
			h := handle(b)
			if row.change != nil {
				row.change(&h)
			}
			e := b.provider.End(t.Context(), h)
			if e.Outcome != row.want || len(b.Requests()) != row.calls || e.Detail == "" {
				t.Errorf("%d calls, %+v", len(b.Requests()), e)
			}
			providertest.Silent(t, []string{issuedToken, bodyCanary}, e)
		})
	}
}

func TestNewRefuses(t *testing.T) {
	rows := map[string]struct{ ttl, block, want string }{
		"no package":     {"15m", "{ }", "not the name"},
		"other package":  {"15m", "{ package: x }", "not the name"},
		"unknown key":    {"15m", "{ package: acme-site, user: x }", "user"},
		"short ttl":      {"10m", "{ package: acme-site }", "no ttl makes that shorter"},
		"open line":      {"15m", "{ package: acme-site, endpoint: \"http://shelf.example\" }", "open line"},
		"path":           {"15m", "{ package: acme-site, endpoint: \"https://shelf.example/x\" }", "without user"},
		"not a url":      {"15m", "{ package: acme-site, endpoint: shelf }", "not an url"},
		"owner's url":    {"15m", "{ package: acme-site, audience: \"https://github.com/acme\" }", "every token"},
		"not audience":   {"15m", "{ package: acme-site, audience: \"a b\" }", "audience"},
		"too long a ttl": {"12h", "{ package: \"\" }", "not the name"},
	}
	for name, row := range rows {
		g := providertest.Grant(t, shelf, row.ttl, row.block)
		p, err := registry.New(definition(), g.Targets[0], g, registry.Options{})
		var e *oidc.Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, row.want) || e.Hint == "" || p != nil {
			t.Errorf("%s: %v %+v", name, p, err)
		}
	}
}

func TestExchangeRefusesAnotherLifetime(t *testing.T) {
	b := newBench(t)
	for _, ttl := range []time.Duration{0, 14 * time.Minute, 16 * time.Minute} {
		if _, err := b.provider.Exchange(t.Context(), b.Request(ttl)); err == nil || len(b.Tokens()) != 0 {
			t.Errorf("%s: %v", ttl, err)
		}
	}
}

func TestReadTime(t *testing.T) {
	for raw, want := range map[string]string{
		`1795262400`: "2026-11-21T12:00:00Z", `"2026-11-21T13:00:00+01:00"`: "2026-11-21T12:00:00Z",
		`""`: "", `-1`: "", `9e99`: "", `99999999999999`: "", `{}`: "", `"soon"`: "",
	} {
		got := registry.ReadTime(json.RawMessage(raw))
		if text := got.Format(time.RFC3339); want == "" && !got.IsZero() || want != "" && text != want {
			t.Errorf("%s is %s, want %s", raw, text, want)
		}
	}
}
