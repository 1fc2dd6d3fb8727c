package vault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providertest"
	"github.com/stint-dev/stint/oidc/sandbox"
)

const ttl = 15 * time.Minute

// A shop is a provider in front of its stand-in.
type shop struct {
	*providertest.Bench
	fake   *fakeVault
	server *providertest.Server
	p      *provider
}

const siteSecrets = "secrets: [{ path: secret/data/site, fields: { token: NPM_TOKEN } }]"

func newShop(t *testing.T, more string) *shop {
	t.Helper()
	s := &shop{Bench: providertest.NewBench(t)}
	s.fake = newFakeVault(t, s.Bench)
	s.server = providertest.NewServer(t, s.fake)
	s.p = s.provider(t, s.server.URL, more)
	return s
}

func (s *shop) provider(t *testing.T, address, more string) *provider {
	t.Helper()
	g := providertest.Grant(t, Name, "15m", "{ address: \""+address+"\", audience: \"https://vault.example\", role: site-deploy, "+more+" }")
	p, err := New(g.Targets[0], g, Options{Version: "1.2.3", Now: s.Now, Sleep: s.Sleep, Rand: func() float64 { return 0.5 }})
	if err != nil {
		t.Fatal(err)
	}
	return p.(*provider)
}

func (s *shop) trade(t *testing.T) (*oidc.Credential, error) {
	t.Helper()
	return providertest.Trade(t, s.Bench, s.p, ttl, canaries...)
}

func (s *shop) good(t *testing.T) *oidc.Credential {
	t.Helper()
	c, err := s.trade(t)
	if err != nil {
		t.Fatalf("%v: %s", err, hintOf(err))
	}
	return c
}

func hintOf(err error) string {
	var e *oidc.Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}

// refused demands an error with the text, and that no token is left open.
func (s *shop) refused(t *testing.T, want string) *oidc.Error {
	t.Helper()
	c, err := s.p.Exchange(t.Context(), s.Request(ttl))
	if err == nil {
		t.Fatalf("exchanged: %+v", c.Facts)
	}
	providertest.Silent(t, append(s.Tokens(), canaries...), err)
	var e *oidc.Error
	if !errors.As(err, &e) || !strings.Contains(e.Message, want) || strings.Contains(e.Message+e.Hint, "\n") {
		t.Fatalf("error %q with hint %q does not say %q", err, hintOf(err), want)
	}
	if n := s.fake.open(); n > 0 {
		t.Errorf("%d tokens are left open", n)
	}
	return e
}

func TestExchangeHandsOverTheNamedFieldsOnly(t *testing.T) {
	s := newShop(t, `secrets: [{ path: secret/data/site, fields: { token: NPM_TOKEN, port: DB_PORT, open: DB_OPEN } },
		{ path: kv1/site, fields: { key: SIGN_KEY } }, { path: database/creds/site, fields: { password: DB_PASSWORD, username: DB_USER } }]`)
	c := s.good(t)
	want := map[string]string{"VAULT_ADDR": s.server.URL, "NPM_TOKEN": canaryField, "DB_PORT": "5432", "DB_OPEN": "true", "SIGN_KEY": canaryField,
		"DB_PASSWORD": canaryPassword, "DB_USER": "v-jwt-site"}
	if got := providertest.Vars(c); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("vars %v, want %v", got, want)
	}
	for _, v := range c.Vars {
		if v.Public != (v.Name == "VAULT_ADDR") {
			t.Errorf("%s is public: %v", v.Name, v.Public)
		}
	}
	if !c.Expires.Equal(providertest.Start.Add(ttl)) || !c.UsableUntil.Equal(c.Expires) {
		t.Errorf("expires %s, usable until %s", c.Expires, c.UsableUntil)
	}
	if c.Facts[FactPolicies] != "default,site-deploy" || !strings.HasPrefix(c.Facts[FactLeases], "database/creds/site/") || c.Facts[FactTokenType] != "service" {
		t.Errorf("facts %v", c.Facts)
	}
	if c.Handle.ID == "" || c.Handle.Endpoint != s.server.URL || !strings.HasSuffix(c.Identity, "/auth/jwt/role/site-deploy") {
		t.Errorf("handle %+v", providertest.Shown(c))
	}
	agent := s.server.Requests()[0].Header.Get("User-Agent")
	if !strings.HasPrefix(agent, "stint/1.2.3 (run 9876543210") {
		t.Errorf("agent %q", agent)
	}
}

func TestAnEngineIsToldWhatToMake(t *testing.T) {
	s := newShop(t, `secrets: [{ path: ssh/creds/site, data: { ip: 10.0.0.7 }, fields: { key: SSH_OTP } }]`)
	c := s.good(t)
	if got := providertest.Vars(c)["SSH_OTP"]; got != canaryPassword || !strings.HasPrefix(c.Facts[FactLeases], "ssh/creds/site/") {
		t.Errorf("vars %v, facts %v", providertest.Vars(c), c.Facts)
	}
	s.p.End(t.Context(), c.Handle)
	if ended := s.fake.ended(); len(ended) != 2 || ended[0] != c.Facts[FactLeases] {
		t.Errorf("ended %v", ended)
	}
	s = newShop(t, `secrets: [{ path: ssh/creds/site, data: { ip: 10.0.0.8 }, fields: { key: SSH_OTP } }]`)
	if e := s.refused(t, "does not let the token update"); !strings.Contains(e.Hint, "add update on the path") {
		t.Errorf("%+v", e)
	}
}

func TestTokenIsHandedOverOnlyWhenAskedFor(t *testing.T) {
	s := newShop(t, "token: true, namespace: team/web/")
	s.fake.namespace = "team/web"
	vars := providertest.Vars(s.good(t))
	if !strings.HasPrefix(vars["VAULT_TOKEN"], canaryToken) || vars["VAULT_NAMESPACE"] != "team/web" || len(vars) != 3 {
		t.Errorf("vars %v", vars)
	}
}

func TestNothingIsTakenFromTheEnvironment(t *testing.T) {
	for name, value := range map[string]string{"VAULT_ADDR": "http://127.0.0.1:1", "VAULT_TOKEN": "ambient", "VAULT_NAMESPACE": "elsewhere",
		"VAULT_HEADERS": `{"X-Evil":"1"}`, "VAULT_WRAP_TTL": "60s", "VAULT_AGENT_ADDR": "http://127.0.0.1:1"} {
		t.Setenv(name, value)
	}
	s := newShop(t, siteSecrets)
	s.good(t)
	for _, r := range s.server.Requests() {
		if r.Header.Get("X-Evil")+r.Header.Get("X-Vault-Wrap-TTL") != "" || r.Header.Get("X-Vault-Token") == "ambient" {
			t.Errorf("sent %v", r.Header)
		}
	}
	// Nor does one that the module cannot read keep a token from being had, or from its end.
	for _, name := range []string{"VAULT_HEADERS", "VAULT_CACERT", "VAULT_CLIENT_CERT", "VAULT_SKIP_VERIFY", "VAULT_CLIENT_TIMEOUT", "VAULT_RATE_LIMIT"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, canaryBody)
			s := newShop(t, siteSecrets)
			s.end(t, s.good(t).Handle, oidc.Revoked)
			if os.Getenv(name) != canaryBody {
				t.Error("the variable is gone")
			}
		})
	}
}

func TestShortLeaseEndsTheUse(t *testing.T) {
	s := newShop(t, "secrets: [{ path: database/creds/site, fields: { password: DB_PASSWORD } }]")
	s.fake.leaseTTL = 5 * time.Minute
	c := s.good(t)
	if !c.UsableUntil.Equal(providertest.Start.Add(5*time.Minute)) || !c.Expires.Equal(providertest.Start.Add(ttl)) || !c.Handle.UsableUntil.Equal(c.UsableUntil) {
		t.Errorf("usable until %s, expires %s", c.UsableUntil, c.Expires)
	}
}

func TestLoginIsRefusedWithAReason(t *testing.T) {
	t.Run("bound claim", func(t *testing.T) {
		s := newShop(t, siteSecrets)
		s.fake.setRole(t, strings.Replace(testRoleBody, "refs/heads/main", "refs/heads/other", 1))
		if e := s.refused(t, `the claim ref`); e.Status != 400 || e.Retryable || !strings.Contains(e.Message, `"refs/heads/main"`) || len(s.Tokens()) != 1 {
			t.Errorf("%+v", e)
		}
	})
	t.Run("missing claim", func(t *testing.T) {
		s := newShop(t, siteSecrets)
		s.fake.setRole(t, strings.Replace(testRoleBody, `"ref":`, `"enterprise":`, 1))
		s.refused(t, "a claim that the token does not have")
	})
	t.Run("another key", func(t *testing.T) {
		s := newShop(t, siteSecrets)
		s.Spoil(&sandbox.Fault{ForeignKey: true})
		s.refused(t, "signature")
	})
	t.Run("another audience", func(t *testing.T) {
		s := newShop(t, siteSecrets)
		s.fake.audience = "elsewhere"
		s.refused(t, "signature") // the stand-in's own checks have one answer
	})
	t.Run("another namespace", func(t *testing.T) {
		s := newShop(t, siteSecrets+", namespace: other")
		s.refused(t, "no jwt method")
	})
	for text, want := range map[string]string{
		"role \\\"x\\\" could not be found":                              "no such role",
		"error validating token: invalid subject (sub) claim":            "another subject",
		"audience claim found in JWT but no audiences bound to the role": "no bound_audiences",
		"role with oidc role_type is not allowed":                        "type is oidc",
		"error validating token: invalid issuer (iss) claim":             "another issuer",
		"claim \\\"enterprise\\\" not found in token":                    "lacks the claim",
		"role \\\"audience\\\" could not be found":                       "no such role",
		"permission denied":                                              "refused the login",
		`claim \"evil; rm\" is missing`:                                  "refused the login",
	} {
		s := newShop(t, siteSecrets)
		s.server.Script(providertest.Fault{Status: 400, Body: `{"errors":["` + text + " " + canaryBody + `"]}`})
		if e := s.refused(t, want); e.Retryable {
			t.Errorf("%s: %+v", text, e)
		}
	}
}

func TestTransientFaultsAreTriedAgainWithFreshTokens(t *testing.T) {
	for name, fault := range map[string]providertest.Fault{
		"429": {Status: 429, Body: canaryBody, RetryAfter: "3"}, "500": {Status: 500, Body: canaryBody}, "sealed": {Status: 503, Body: `{"errors":["Vault is sealed"]}`},
		"412": {Status: 412}, "473": {Status: 473}, "drop": {Drop: true}, "half": {Half: true}, "not json": {Status: 200, Body: canaryBody},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, siteSecrets)
			s.server.Script(fault, fault)
			c := s.good(t)
			tokens := s.Tokens()
			if c.Facts[FactAttempts] != "3" || len(tokens) != 3 || tokens[0] == tokens[1] || tokens[1] == tokens[2] {
				t.Errorf("attempts %s with %d tokens", c.Facts[FactAttempts], len(tokens))
			}
			if fault.RetryAfter != "" && !slices.Contains(s.Waits(), 3*time.Second) {
				t.Errorf("waited %v", s.Waits())
			}
		})
	}
}

func TestTheExchangeGivesUp(t *testing.T) {
	s := newShop(t, siteSecrets)
	fault := providertest.Fault{Status: 503, Body: canaryBody}
	s.server.Script(fault, fault, fault, fault, fault, fault)
	if e := s.refused(t, "this was attempt 5"); e.Status != 503 || !strings.Contains(e.Message, "sealed") {
		t.Errorf("%+v", e)
	}
	s.server.Script(providertest.Fault{Status: 429, RetryAfter: "600"})
	s.refused(t, "too often")
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	s := newShop(t, siteSecrets)
	elsewhere := providertest.NewServer(t, http.NotFoundHandler())
	s.server.Script(providertest.Fault{Status: 307, Location: elsewhere.URL + "/v1/auth/jwt/login"})
	if e := s.refused(t, "sends elsewhere"); e.Retryable || len(elsewhere.Requests()) > 0 {
		t.Errorf("%+v", e)
	}
}

func TestLargeRepliesAreNotRead(t *testing.T) {
	s := newShop(t, siteSecrets)
	s.server.Script(providertest.Fault{Status: 200, Body: `{"auth":{"client_token":"` + strings.Repeat("x", 2<<20) + `"}}`})
	s.refused(t, "larger than")
}

func TestTheCallerCanStop(t *testing.T) {
	s := newShop(t, siteSecrets)
	ctx, cancel := context.WithCancel(t.Context())
	s.server.Script(providertest.Fault{Hang: true, Then: cancel})
	_, err := s.p.Exchange(ctx, s.Request(ttl))
	if !errors.Is(err, context.Canceled) || hintOf(err) == "" {
		t.Errorf("%v", err)
	}
}

func TestSilentServersAreGivenUp(t *testing.T) {
	s := newShop(t, siteSecrets)
	s.p.server.timeout = 300 * time.Millisecond // a real one: on a slow machine a good answer may miss it too
	s.server.Script(providertest.Fault{Hang: true})
	if c, err := s.trade(t); err != nil || c.Facts[FactAttempts] == "1" {
		t.Errorf("%v", err)
	}
}

func TestATokenWhoseSecretsCannotBeReadIsRevoked(t *testing.T) {
	for more, want := range map[string]string{
		"{ path: secret/data/closed, fields: { a: A } }":        "does not let the token read",
		"{ path: secret/data/none, fields: { a: A } }":          "has nothing at",
		"{ path: secret/data/gone, fields: { a: A } }":          "has been deleted",
		"{ path: secret/data/site, fields: { tokn: A } }":       "no field",
		"{ path: secret/data/site, fields: { empty: A } }":      "is empty or not a text",
		"{ path: secret/data/site, fields: { nested: A } }":     "is empty or not a text",
		"{ path: database/creds/site, fields: { nothing: A } }": "no field",
	} {
		s := newShop(t, "secrets: ["+more+"]")
		if e := s.refused(t, want); len(s.fake.ended()) == 0 || e.Retryable {
			t.Errorf("%s: %+v", more, e)
		}
	}
}

func TestAReadThatFailsForTheMomentTakesANewLogin(t *testing.T) {
	s := newShop(t, siteSecrets)
	s.server.Script(providertest.Fault{}, providertest.Fault{Status: 502})
	if c := s.good(t); c.Facts[FactAttempts] != "2" || s.fake.open() != 1 || len(s.fake.ended()) != 1 {
		t.Errorf("attempts %s, %d open, %d ended", c.Facts[FactAttempts], s.fake.open(), len(s.fake.ended()))
	}
}

func TestATokenThatCannotBeGivenBackIsSaidToBeOpen(t *testing.T) {
	s := newShop(t, siteSecrets)
	s.fake.undead = true
	s.server.Script(providertest.Fault{}, providertest.Fault{Status: 500})
	_, err := s.p.Exchange(t.Context(), s.Request(ttl))
	if err == nil || !strings.Contains(err.Error(), "could not be ended") || s.fake.open() != 1 {
		t.Errorf("%v with %d open", err, s.fake.open())
	}
	providertest.Silent(t, append(s.Tokens(), canaries...), err)
}

func TestRepliesThatAreNotWholeAreRefused(t *testing.T) {
	for body, want := range map[string]string{
		`{}`: "no valid token", `{"auth":null}`: "no valid token", `{"auth":{"client_token":""}}`: "no valid token",
		`{"auth":{"client_token":"a b","lease_duration":9}}`:                                            "no valid token",
		`{"auth":{"client_token":"` + strings.Repeat("x", maxTokenBytes+1) + `"}}`:                      "no valid token",
		`{"auth":{"client_token":"hvs.x","accessor":"a","lease_duration":0}}`:                           "does not expire",
		`{"auth":{"client_token":"hvs.x","accessor":"a\n","lease_duration":9}}`:                         "accessor",
		`{"auth":{"client_token":"hvs.x","lease_duration":9,"mfa_requirement":{"mfa_request_id":"x"}}}`: "second factor",
	} {
		s := newShop(t, siteSecrets)
		s.server.Script(providertest.Fault{Status: 200, Body: body})
		s.refused(t, want)
	}
}

func TestVerifyHoldsTheTokenAgainstTheGrant(t *testing.T) {
	for name, c := range map[string]struct {
		more   string
		change func(*fakeVault)
		want   string
	}{
		"root":          {siteSecrets, func(f *fakeVault) { f.policies = []string{"root"} }, "policy root"},
		"another":       {siteSecrets + ", policies: [site-read]", func(*fakeVault) {}, `policy "site-deploy"`},
		"named":         {siteSecrets + ", policies: [site-deploy]", func(*fakeVault) {}, ""},
		"a strange one": {siteSecrets + ", policies: [site-deploy]", func(f *fakeVault) { f.policies = []string{"a,site-deploy"} }, `policy "?"`},
		"longer":        {siteSecrets, func(f *fakeVault) { f.ttl = time.Hour }, "lives longer"},
		"shorter":       {siteSecrets, func(f *fakeVault) { f.ttl = time.Minute }, ""},
	} {
		s := newShop(t, c.more)
		c.change(s.fake)
		_, err := s.trade(t)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	s := newShop(t, siteSecrets)
	c := s.good(t)
	other := *c
	other.Identity = "elsewhere"
	s.Pass(ttl)
	for what, one := range map[string]*oidc.Credential{"no credential": nil, "another role": &other, "already over": c} {
		if err := s.p.Verify(one, s.Request(ttl)); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestClocksMayDiffer(t *testing.T) {
	s := newShop(t, siteSecrets)
	s.Pass(20 * time.Second) // this machine's clock is ahead
	c := s.good(t)
	if !c.Expires.Equal(s.Now().Add(ttl)) {
		t.Errorf("expires %s by a clock that shows %s", c.Expires, s.Now())
	}
}

func TestLifetimesOutsideTheGrantAreNotAskedFor(t *testing.T) {
	s := newShop(t, siteSecrets)
	for _, d := range []time.Duration{0, time.Second, ttl + time.Second} {
		if _, err := s.p.Exchange(t.Context(), s.Request(d)); err == nil || len(s.fake.asked()) > 0 {
			t.Errorf("%s: %v", d, err)
		}
	}
}
