package azure

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/wire"
	"github.com/stint-dev/stint/oidc/providertest"
	"github.com/stint-dev/stint/oidc/sandbox"
)

const (
	tenant       = "11111111-2222-3333-4444-555555555555"
	client       = "66666666-7777-8888-9999-aaaaaaaaaaaa"
	subscription = "bbbbbbbb-cccc-dddd-eeee-ffffffffffff"
	bodyCanary   = "canary-body-text"
	tokenPath    = "/" + tenant + "/oauth2/v2.0/token"
)

// An entra is a stand-in with one federated credential, for the environment production
// of acme/site, that verifies assertions and answers in the recorded shapes.
type entra struct {
	bench *providertest.Bench
	mu    sync.Mutex
	// change is merged into the claims of the access token; opaque makes it no JWT.
	change map[string]any
	opaque bool
	life   time.Duration
	token  string // the last one issued
	forms  []map[string]string
}

func (e *entra) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Ms-Request-Id", "req-1;<b>")
	switch {
	case r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/v2.0/.well-known/openid-configuration"):
		at := "https://" + r.Host + "/" + tenant
		fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":%q}`, at+"/v2.0", at+"/oauth2/v2.0/authorize", at+"/oauth2/v2.0/token")
	case r.Method == http.MethodPost && r.URL.Path == tokenPath:
		e.serveToken(w, r)
	default:
		refuse(w, http.StatusNotFound, 90002)
	}
}

func (e *entra) serveToken(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	_ = r.ParseForm()
	form := map[string]string{}
	for k := range r.PostForm {
		form[k] = r.PostForm.Get(k)
	}
	e.forms = append(e.forms, form)
	c, err := e.bench.Verify(form["client_assertion"], "api://AzureADTokenExchange")
	switch {
	case err != nil && strings.Contains(err.Error(), "audience"):
		refuse(w, http.StatusBadRequest, 700212)
	case err != nil:
		refuse(w, http.StatusUnauthorized, 700027)
	case c.Subject != "repo:acme/site:environment:production":
		refuse(w, http.StatusBadRequest, 700213)
	case form["client_id"] != client || form["grant_type"] != "client_credentials":
		refuse(w, http.StatusBadRequest, 700016)
	default:
		e.token = e.accessToken(strings.TrimSuffix(strings.Fields(form["scope"])[0], "/.default"))
		_ = json.NewEncoder(w).Encode(map[string]any{"token_type": "Bearer", "expires_in": int(e.life.Seconds()),
			"ext_expires_in": int(e.life.Seconds()), "access_token": e.token})
	}
}

func refuse(w http.ResponseWriter, status, code int) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error":"invalid_client","error_description":"AADSTS%d: %s. Trace ID: x","error_codes":[%d],"timestamp":"2026-11-21 12:00:00Z","trace_id":"t","correlation_id":"c"}`, code, bodyCanary, code)
}

func (e *entra) accessToken(resource string) string {
	if e.opaque {
		return "opaqueCanaryAccessToken0123456789"
	}
	claims := map[string]any{"iss": "https://sts.example/" + tenant + "/", "sub": "s", "aud": resource, "tid": tenant, "appid": client,
		"uti": "AbCdEf", "exp": e.bench.Cloud.Now().Add(e.life).Unix()}
	maps.Copy(claims, e.change)
	b, _ := json.Marshal(claims)
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + part(b) + "." + part([]byte("canarySignature"))
}

type table struct {
	*providertest.Bench
	*providertest.Server
	entra *entra
}

func newTable(t *testing.T) *table {
	t.Helper()
	b := &table{Bench: providertest.NewBench(t)}
	b.entra = &entra{bench: b.Bench, life: 75 * time.Minute}
	b.Server = providertest.NewServer(t, b.entra)
	return b
}

func (b *table) provider(t *testing.T, more string) *provider {
	t.Helper()
	block := fmt.Sprintf("{ tenant: %s, client-id: %s, subscription: %s, endpoint: %q%s }", tenant, client, subscription, b.URL, more)
	g := providertest.Grant(t, Name, "90m", block)
	p, err := New(g.Targets[0], g, Options{Version: "1.2.3", Now: b.Now, Sleep: b.Sleep, Rand: func() float64 { return 0.5 }})
	if err != nil {
		t.Fatal(err)
	}
	return p.(*provider)
}

func (b *table) trade(t *testing.T, p oidc.Provider) (*oidc.Credential, error) {
	t.Helper()
	return providertest.Trade(t, b.Bench, p, 90*time.Minute, bodyCanary, "canarySignature", "opaqueCanary",
		base64.RawURLEncoding.EncodeToString([]byte("canarySignature")))
}

// posts counts the calls of the token endpoint.
func (b *table) posts() int {
	n := 0
	for _, r := range b.Requests() {
		if r.Method == http.MethodPost {
			n++
		}
	}
	return n
}

func TestExchange(t *testing.T) {
	b := newTable(t)
	p := b.provider(t, ", access-token: AZURE_ACCESS_TOKEN")
	c, err := b.trade(t, p)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"AZURE_CLIENT_ID": client, "AZURE_TENANT_ID": tenant, "AZURE_AUTHORITY_HOST": b.URL + "/", "AZURE_SUBSCRIPTION_ID": subscription,
		"ARM_USE_OIDC": "true", "ARM_CLIENT_ID": client, "ARM_TENANT_ID": tenant, "ARM_SUBSCRIPTION_ID": subscription,
		"ARM_ENVIRONMENT": "public", "AZURE_ACCESS_TOKEN": b.entra.token,
	}
	if got := providertest.Vars(c); !maps.Equal(got, want) {
		t.Errorf("variables %v", got)
	}
	for _, v := range c.Vars {
		if v.Public == (v.Name == "AZURE_ACCESS_TOKEN") {
			t.Errorf("%s public: %v", v.Name, v.Public)
		}
	}
	for i, name := range []string{"AZURE_FEDERATED_TOKEN_FILE", "ARM_OIDC_TOKEN_FILE_PATH"} {
		if f := c.Files[i]; f.Var != name || f.Content.Reveal() != b.Tokens()[0] {
			t.Errorf("file %d is %+v", i, f)
		}
	}
	if c.Identity != tenant+"/"+client+" for https://management.azure.com" || c.Handle.ID != "AbCdEf" || !c.Expires.Equal(providertest.Start.Add(75*time.Minute)) {
		t.Errorf("credential %+v", c)
	}
	if f := c.Facts; f[FactRequestID] != "req-1b" || f[FactAttempts] != "1" || f[FactResource] != "https://management.azure.com" {
		t.Errorf("facts %v", f)
	}
	form := b.entra.forms[0]
	if form["client_assertion_type"] != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" || !strings.HasPrefix(form["scope"], "https://management.azure.com/.default") {
		t.Errorf("sent %v", form)
	}
	if agent := b.Requests()[0].Header.Get("User-Agent"); agent != "stint/1.2.3 (run 9876543210; attempt 2)" {
		t.Errorf("user agent %q", agent)
	}
	if p.Name() != "azure" || p.Audience() != "api://AzureADTokenExchange" {
		t.Errorf("%s for %s", p.Name(), p.Audience())
	}
}

func TestBrokerKeepsTheFileFresh(t *testing.T) {
	b := newTable(t)
	var p oidc.Brokered = b.provider(t, "")
	vars, files := p.Point("http://127.0.0.1:1", oidc.NewSecret("bearer"))
	if len(files) != 2 || !files[0].Content.IsZero() || len(vars) != 9 {
		t.Errorf("%v %v", vars, files)
	}
	seen := map[string]bool{}
	for range 3 {
		got, err := p.Answer(t.Context(), nil, b.Request(90*time.Minute))
		if err != nil || seen[got.Reveal()] {
			t.Fatalf("the same answer twice, or %v", err)
		}
		seen[got.Reveal()] = true
		if _, err := b.Verify(got.Reveal(), p.Audience()); err != nil {
			t.Error(err)
		}
		b.Pass(oidc.FileLife)
		b.Cloud.Pass(oidc.FileLife)
	}
	b.Spoil(&sandbox.Fault{Status: 401})
	if _, err := p.Answer(t.Context(), nil, b.Request(90*time.Minute)); err == nil {
		t.Error("no token, and no error")
	}
}

func TestFaultsAreTriedAgainWithAFreshToken(t *testing.T) {
	well := providertest.Fault{} // the discovery document
	rows := map[string]struct {
		faults []providertest.Fault
		tokens int
		ok     bool
	}{
		"busy":              {[]providertest.Fault{well, {Status: 429, RetryAfter: "5"}}, 2, true},
		"faults":            {[]providertest.Fault{well, {Status: 503, Body: bodyCanary}, well, {Status: 500}}, 3, true},
		"no discovery":      {[]providertest.Fault{{Status: 502}}, 2, true},
		"dropped":           {[]providertest.Fault{well, {Drop: true}}, 2, true},
		"half":              {[]providertest.Fault{well, {Half: true}}, 2, true},
		"lost":              {[]providertest.Fault{well, {Lose: true}}, 2, true},
		"a loop":            {[]providertest.Fault{well, {Status: 400, Body: `{"error":"x","error_codes":[50196]}`}}, 2, true},
		"long wait":         {[]providertest.Fault{well, {Status: 429, RetryAfter: "600"}}, 1, false},
		"redirect":          {[]providertest.Fault{{Status: 302, Location: "https://evil.example/"}}, 1, false},
		"not json":          {[]providertest.Fault{well, {Status: 200, Body: "<html>" + bodyCanary}}, 1, false},
		"no token":          {[]providertest.Fault{well, {Status: 200, Body: `{"token_type":"Bearer","expires_in":3600}`}}, 1, false},
		"no end":            {[]providertest.Fault{well, {Status: 200, Body: `{"token_type":"Bearer","access_token":"opaqueCanary"}`}}, 1, false},
		"discovery to evil": {[]providertest.Fault{{Status: 200, Body: `{"issuer":"https://evil.example/x","authorization_endpoint":"https://evil.example/a","token_endpoint":"https://evil.example/t"}`}}, 1, false},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			b := newTable(t)
			b.Script(row.faults...)
			_, err := b.trade(t, b.provider(t, ""))
			if (err == nil) != row.ok || len(b.Tokens()) != row.tokens {
				t.Errorf("%d tokens, waits %v: %v", len(b.Tokens()), b.Waits(), err)
			}
			sent := map[string]bool{}
			for _, body := range b.Bodies() {
				if body != "" && sent[body] {
					t.Error("an id-token was sent twice")
				}
				sent[body] = true
			}
		})
	}
}

// A discovery document on the right host cannot lead the token to another one.
func TestTokenGoesToTheAuthorityOnly(t *testing.T) {
	b := newTable(t)
	host := strings.TrimPrefix(b.URL, "http://")
	doc := fmt.Sprintf(`{"issuer":"https://%s/x","authorization_endpoint":"https://%s/a","token_endpoint":"https://evil.example/t"}`, host, host)
	b.Script(providertest.Fault{Status: 200, Body: doc})
	_, err := b.trade(t, b.provider(t, ""))
	if err == nil || b.posts() != 0 {
		t.Errorf("%d posts: %v", b.posts(), err)
	}
	t.Setenv("AZURE_REGIONAL_AUTHORITY_NAME", "westus")
	b = newTable(t)
	if _, err = b.trade(t, b.provider(t, "")); err == nil || b.posts() != 0 || !strings.Contains(err.Error(), "instead of "+strings.TrimPrefix(b.URL, "http://")) {
		t.Errorf("%d posts: %v", b.posts(), err)
	}
}

func TestCodesAreExplained(t *testing.T) {
	for code, want := range map[string]string{
		"70021": "some minutes to work", "700211": "enterprise", "700212": "audience: in the grant", "700213": "environment or ref",
		"7002138": "very case", "700016": "object id", "700024": "clock", "90002": "mistyped", "500011": "scope:", "424242": "list of error codes",
	} {
		b := newTable(t)
		b.Script(providertest.Fault{}, providertest.Fault{Status: 400,
			Body: `{"error":"invalid_client","error_description":"AADSTS` + code + `: ` + bodyCanary + `","error_codes":[` + code + `],"trace_id":"trace-1"}`})
		_, err := b.trade(t, b.provider(t, ""))
		var e *oidc.Error
		if !errors.As(err, &e) || e.Code != "AADSTS"+code || !strings.Contains(e.Hint, want) || e.RequestID != "trace-1" || e.Retryable {
			t.Errorf("%s: %+v", code, err)
		}
	}
	for _, body := range []string{bodyCanary, `{"error_description":"AADSTS70021 ` + bodyCanary + `"}`, `{"error_codes":"x"}`, strings.Repeat("[", 1000)} {
		b := newTable(t)
		b.Script(providertest.Fault{}, providertest.Fault{Status: 401, Body: body})
		_, err := b.trade(t, b.provider(t, ""))
		var e *oidc.Error
		if !errors.As(err, &e) || !strings.Contains(e.Hint, `subject "repo:acme/site:environment:production"`) || (e.Code == "AADSTS70021") != strings.Contains(body, "70021") {
			t.Errorf("%.40s: %+v", body, err)
		}
	}
}

// What the stand-in does not take by itself.
func TestRealRefusals(t *testing.T) {
	rows := map[string]struct {
		more, want string
		spoil      *sandbox.Fault
	}{
		"audience": {", audience: \"api://elsewhere\"", "AADSTS700212", nil},
		"key":      {"", "AADSTS700027", &sandbox.Fault{ForeignKey: true}},
	}
	for name, row := range rows {
		b := newTable(t)
		b.Spoil(row.spoil)
		_, err := b.trade(t, b.provider(t, row.more))
		var e *oidc.Error
		if !errors.As(err, &e) || e.Code != row.want || len(b.Tokens()) != 1 || !strings.Contains(e.Hint, "it fits the lock that `stint grant render release --for azure` gives") {
			t.Errorf("%s: %+v", name, err)
		}
	}
	b := newTable(t)
	b.Pass(time.Hour)
	if _, err := b.trade(t, b.provider(t, "")); err == nil || len(b.Requests()) != 0 {
		t.Errorf("an expired token was sent: %v", err)
	}
}

func TestVerifyHoldsTheTokenAgainstTheGrant(t *testing.T) {
	for name, change := range map[string]map[string]any{
		"tenant":   {"tid": "00000000-0000-0000-0000-000000000000"},
		"client":   {"appid": "00000000-0000-0000-0000-000000000000"},
		"resource": {"aud": "https://vault.azure.net"},
		"long":     {"exp": providertest.Start.Add(24 * time.Hour).Unix()},
		"over":     {"exp": providertest.Start.Unix()},
	} {
		b := newTable(t)
		b.entra.change = change
		_, err := b.trade(t, b.provider(t, ""))
		var e *oidc.Error
		if !errors.As(err, &e) || e.Stage != oidc.StageVerify {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]map[string]any{
		"version 2":     {"appid": nil, "azp": client},
		"resource's id": {"aud": "797f4846-ba00-4fd7-ba43-dac1f8f63013"},
		"with a slash":  {"aud": "https://management.azure.com/"},
	} {
		b := newTable(t)
		b.entra.change = change
		if _, err := b.trade(t, b.provider(t, "")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	b := newTable(t)
	b.entra.opaque = true
	c, err := b.trade(t, b.provider(t, ""))
	if err != nil || c.Identity != "" || c.Facts[FactIdentity] == "" || !strings.HasPrefix(c.Handle.ID, "sha256:") {
		t.Errorf("an opaque token: %+v %v", c, err)
	}
	if p := b.provider(t, ""); p.Verify(nil, b.Request(time.Hour)) == nil || p.Verify(&oidc.Credential{}, b.Request(time.Hour)) == nil {
		t.Error("nothing passes")
	}
	if _, err := b.provider(t, "").Exchange(t.Context(), b.Request(time.Hour)); err == nil {
		t.Error("a lifetime that nobody can keep is promised")
	}
}

func TestEndClaimsNoMoreThanIsTrue(t *testing.T) {
	b := newTable(t)
	p := b.provider(t, "")
	c, err := b.trade(t, p)
	if err != nil {
		t.Fatal(err)
	}
	if e := p.End(t.Context(), c.Handle); e.Outcome != oidc.Expires || !e.At.Equal(c.Expires) || !strings.Contains(e.Detail, "cannot end") {
		t.Errorf("%+v", e)
	}
	b.Pass(75 * time.Minute)
	if e := p.End(t.Context(), c.Handle); e.Outcome != oidc.Expired {
		t.Errorf("%+v", e)
	}
	if e := p.End(t.Context(), oidc.Handle{}); e.Outcome != oidc.Open {
		t.Errorf("%+v", e)
	}
}

// Whatever Entra says, only a code comes through, and no text of it.
func FuzzRefusal(f *testing.F) {
	for _, body := range []string{"", `{"error_codes":[70021]}`, `{"error_description":"AADSTS700213: x","error_codes":[1,700213]}`, `{"error_codes":[-1]}`, `{"trace_id":"a\u001b[2J"}`} {
		f.Add(400, body)
	}
	p := &provider{grant: &grant.Grant{Name: "release"}, settings: &settings{host: "login.example"}}
	f.Fuzz(func(t *testing.T, status int, body string) {
		err := p.refused(&wire.Reply{Status: status, Header: http.Header{}, Body: []byte(body)}, oidc.Claims{Subject: "s", Issuer: "i"})
		e, ok := err.(*oidc.Error)
		if !ok || e.Message == "" || e.Hint == "" || strings.ContainsAny(e.Message+e.Hint+e.Code+e.RequestID, "\x00\x1b\n<") {
			t.Errorf("%+v", err)
		}
		if e.Code != "" && wire.Code(e.Code) == "" {
			t.Errorf("code %q", e.Code)
		}
	})
}
