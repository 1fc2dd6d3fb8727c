package vault

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providertest"
)

// ender ends by the handle alone, as the process does that cleans up.
func (s *shop) ender() Ender { return NewEnder(Options{Now: s.Now, Sleep: s.Sleep}) }

// end ends and demands the outcome, and that nothing secret is said.
func (s *shop) end(t *testing.T, h oidc.Handle, want oidc.Outcome) oidc.Ending {
	t.Helper()
	ending := s.ender().End(t.Context(), h)
	if ending.Outcome != want || ending.Detail == "" || strings.Contains(ending.Detail, "\n") || ending.At.IsZero() {
		t.Errorf("ending %+v, want %s", ending, want)
	}
	providertest.Silent(t, canaries, ending)
	return ending
}

func TestEndRevokesAndLooks(t *testing.T) {
	s := newShop(t, "secrets: [{ path: database/creds/site, fields: { password: DB_PASSWORD } }]")
	c := s.good(t)
	s.end(t, c.Handle, oidc.Revoked)
	if ended := s.fake.ended(); len(ended) != 2 || ended[0] != c.Facts[FactLeases] || ended[1] != c.Handle.ID || s.fake.open() != 0 {
		t.Errorf("ended %v", ended)
	}
	asked := s.fake.asked()
	if want := []string{"PUT auth/token/revoke-self", "GET auth/token/lookup-self"}; !slices.Equal(asked[len(asked)-2:], want) {
		t.Errorf("asked %v", asked)
	}
	s.end(t, c.Handle, oidc.Revoked) // again, as a post that runs twice does
}

func TestEndClaimsNothingThatItDidNotSee(t *testing.T) {
	drop, busy := providertest.Fault{Drop: true}, providertest.Fault{Status: 500, Body: canaryBody}
	for name, c := range map[string]struct {
		change func(*fakeVault)
		faults []providertest.Fault
		pass   time.Duration
		want   oidc.Outcome
		open   int
	}{
		"the lookup still answers":       {change: func(f *fakeVault) { f.undead = true }, want: oidc.Open, open: 1},
		"no policy for it":               {change: func(f *fakeVault) { f.noSelf = true }, want: oidc.Open, open: 1},
		"the lookup is not answered":     {faults: []providertest.Fault{{}, drop}, want: oidc.Open},
		"the lookup has a fault":         {faults: []providertest.Fault{{}, busy}, want: oidc.Open},
		"no answer at all":               {faults: []providertest.Fault{drop, drop, drop}, want: oidc.Open, open: 1},
		"sealed":                         {faults: []providertest.Fault{{Status: 503}, {Status: 503}, {Status: 503}}, want: oidc.Open, open: 1},
		"a redirect":                     {faults: []providertest.Fault{{Status: 307, Location: "/v1/x"}, {Status: 307}, {Status: 307}}, want: oidc.Open, open: 1},
		"one fault":                      {faults: []providertest.Fault{busy}, want: oidc.Revoked},
		"the answer is lost":             {faults: []providertest.Fault{{Lose: true}}, want: oidc.Revoked},
		"the answer of an older is lost": {change: func(f *fakeVault) { f.old = true }, faults: []providertest.Fault{{Lose: true}}, want: oidc.Open},
		"too late":                       {pass: ttl, want: oidc.Expired, open: 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, siteSecrets)
			h := s.good(t).Handle
			if c.change != nil {
				c.change(s.fake)
			}
			s.Pass(c.pass)
			s.Cloud.Pass(c.pass)
			s.server.Script(c.faults...)
			if e := s.end(t, h, c.want); name == "the lookup still answers" && !strings.Contains(e.Detail, "still answers") {
				t.Errorf("%+v", e)
			}
			if n := s.fake.open(); n != c.open {
				t.Errorf("%d tokens are open, want %d", n, c.open)
			}
		})
	}
}

func TestEndIsQuickWhenTheServerHangs(t *testing.T) {
	s := newShop(t, siteSecrets)
	h := s.good(t).Handle
	ctx, cancel := context.WithCancel(t.Context())
	s.server.Script(providertest.Fault{Hang: true, Then: cancel})
	if e := s.ender().End(ctx, h); e.Outcome != oidc.Open {
		t.Errorf("%+v", e)
	}
}

func TestEndReachesTheNamespace(t *testing.T) {
	s := newShop(t, siteSecrets+", namespace: team/web")
	s.fake.namespace = "team/web"
	s.end(t, s.good(t).Handle, oidc.Revoked)
}

func TestBatchTokensExpire(t *testing.T) {
	s := newShop(t, siteSecrets)
	s.fake.batch = true
	c := s.good(t)
	if c.Handle.Revoke != "" || c.Facts[FactTokenType] != "batch" {
		t.Errorf("facts %v", c.Facts)
	}
	if e := s.end(t, c.Handle, oidc.Expires); !e.At.Equal(c.Expires) {
		t.Errorf("%+v", e)
	}
	s.Pass(ttl)
	s.end(t, c.Handle, oidc.Expired)
	if n := len(s.fake.asked()); n != 2 {
		t.Errorf("%d calls: %v", n, s.fake.asked())
	}
}

func TestHandlesThatAreNotOursAreSaidToBeOpen(t *testing.T) {
	s := newShop(t, siteSecrets)
	good := s.good(t).Handle
	for name, h := range map[string]oidc.Handle{
		"nothing known":   {},
		"a strange token": {Revoke: "a\r\nX-Evil: 1", Endpoint: good.Endpoint},
		"a long token":    {Revoke: strings.Repeat("x", maxTokenBytes+1), Endpoint: good.Endpoint},
		"no certificate":  {Revoke: good.Revoke, Endpoint: good.Endpoint + "?ca=y"},
		"a namespace":     {Revoke: good.Revoke, Endpoint: good.Endpoint + "?namespace=../sys"},
		"another query":   {Revoke: good.Revoke, Endpoint: good.Endpoint + "?%zz"},
		"no server":       {Revoke: good.Revoke},
		"an open line":    {Revoke: good.Revoke, Endpoint: "http://vault.example"},
		"a path":          {Revoke: good.Revoke, Endpoint: good.Endpoint + "/elsewhere"},
	} {
		t.Run(name, func(t *testing.T) { s.end(t, h, oidc.Open) })
	}
	if s.fake.open() != 1 {
		t.Error("the token was ended by a handle that does not name it")
	}
}

// A second process: this test binary, which gets nothing but the saved handle.
func TestEndInAnotherProcess(t *testing.T) {
	const handleVar = "VAULT_TEST_HANDLE"
	if saved := os.Getenv(handleVar); saved != "" {
		var h oidc.Handle
		if err := json.Unmarshal([]byte(saved), &h); err != nil {
			t.Fatal(err)
		}
		fmt.Println("outcome:", NewEnder(Options{}).End(t.Context(), h).Outcome)
		return
	}
	s := newShop(t, siteSecrets)
	h := s.good(t).Handle
	saved, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestEndInAnotherProcess$")
	cmd.Env = append(os.Environ(), handleVar+"="+string(saved))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "outcome: revoked") || s.fake.open() != 0 {
		t.Errorf("%s %v, %d open", out, err, s.fake.open())
	}
}

func TestTheGrantsOwnCertificate(t *testing.T) {
	s := newShop(t, siteSecrets)
	secure := httptest.NewUnstartedServer(s.fake)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // it refuses us once, on purpose
	secure.StartTLS()
	t.Cleanup(secure.Close)
	p := s.provider(t, secure.URL, siteSecrets)
	if _, err := p.Exchange(t.Context(), s.Request(ttl)); err == nil || !strings.Contains(err.Error(), "does not trust") {
		t.Fatalf("without the certificate: %v", err)
	}
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}))
	p = s.provider(t, secure.URL, siteSecrets+", ca: \""+strings.ReplaceAll(ca, "\n", `\n`)+`"`)
	c, err := p.Exchange(t.Context(), s.Request(ttl))
	if err != nil {
		t.Fatalf("%v: %s", err, hintOf(err))
	}
	if providertest.Vars(c)["VAULT_CACERT_BYTES"] != ca {
		t.Error("the certificate is not handed over")
	}
	many := config{Address: secure.URL, Role: "x", Token: true, CA: strings.Repeat(ca, 3)}
	if _, err := newSettings(many, &grant.Grant{Name: "x", TTL: ttl}, 3); err == nil || !strings.Contains(err.Error(), "too long together") {
		t.Errorf("three certificates: %v", err)
	}
	s.end(t, c.Handle, oidc.Revoked)
}

func TestRenewExtendsTheTokenAndItsLeases(t *testing.T) {
	s := newShop(t, "secrets: [{ path: database/creds/site, fields: { password: DB_PASSWORD } }]")
	s.fake.leaseTTL = 10 * time.Minute
	c := s.good(t)
	pass := func(d time.Duration) { s.Pass(d); s.Cloud.Pass(d) }
	pass(8 * time.Minute)
	longer, err := s.p.Renew(t.Context(), c, s.Request(ttl))
	if err != nil {
		t.Fatal(err)
	}
	if !longer.Expires.Equal(s.Now().Add(ttl)) || !longer.UsableUntil.Equal(s.Now().Add(10*time.Minute)) || !longer.Handle.Expires.Equal(longer.Expires) {
		t.Errorf("expires %s, usable until %s", longer.Expires, longer.UsableUntil)
	}
	if c.Expires.Equal(longer.Expires) || fmt.Sprint(providertest.Vars(c)) != fmt.Sprint(providertest.Vars(longer)) || len(s.Tokens()) != 1 {
		t.Error("the credential that was renewed has changed, or a new id-token was taken")
	}
	if err := s.p.Verify(longer, s.Request(ttl)); err != nil {
		t.Error(err)
	}
	pass(12 * time.Minute) // beyond the first end
	s.end(t, longer.Handle, oidc.Revoked)
}

func TestRenewFailsWhereANewExchangeIsNeeded(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*shop)
		ttl    time.Duration
		want   string
	}{
		"more than asked": {func(s *shop) { s.fake.stuck = true }, ttl, "did not extend the token"},
		"over":            {func(s *shop) { s.Cloud.Pass(ttl) }, ttl, "refused to renew"},
		"no policy":       {func(s *shop) { s.fake.noSelf = true }, ttl, "refused to renew"},
		"a fault":         {func(s *shop) { s.server.Script(providertest.Fault{Status: 503, Body: canaryBody}) }, ttl, "sealed"},
		"a bad line":      {func(s *shop) { s.server.Script(providertest.Fault{Half: true}) }, ttl, "breaks off"},
		"beyond the ttl":  {func(*shop) {}, ttl + time.Second, "not within"},
		"a lease fault":   {func(s *shop) { s.server.Script(providertest.Fault{}, providertest.Fault{Status: 403}) }, ttl, "refused to renew"},
		"a lease of none": {func(s *shop) {
			s.server.Script(providertest.Fault{}, providertest.Fault{Status: http.StatusOK, Body: `{"lease_duration":0}`})
		}, ttl, "a lease"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, "secrets: [{ path: database/creds/site, fields: { password: DB_PASSWORD } }]")
			held := s.good(t)
			c.change(s)
			_, err := s.p.Renew(t.Context(), held, s.Request(c.ttl))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v", err)
			}
			providertest.Silent(t, append(s.Tokens(), canaries...), err)
		})
	}
	s := newShop(t, siteSecrets)
	s.fake.batch = true
	if _, err := s.p.Renew(t.Context(), s.good(t), s.Request(ttl)); err == nil || !strings.Contains(err.Error(), "batch") {
		t.Errorf("%v", err)
	}
}

func FuzzEndpoint(f *testing.F) {
	f.Add("https://vault.example:8200?namespace=team%2Fweb")
	f.Add("http://127.0.0.1:1?ca=x&ca=y")
	f.Fuzz(func(t *testing.T, endpoint string) {
		s, err := serverAt(endpoint, Options{}.WithDefaults())
		if err != nil {
			return
		}
		again, err := serverAt(s.endpoint(), Options{}.WithDefaults())
		if err != nil || again.address != s.address || again.namespace != s.namespace || again.ca != s.ca {
			t.Errorf("%q reads as %+v, and that as %+v: %v", endpoint, s, again, err)
		}
	})
}
