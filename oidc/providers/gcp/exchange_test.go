package gcp

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providertest"
	"github.com/stint-dev/stint/oidc/sandbox"
)

func jwt(claims map[string]any) string {
	part := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	return part(map[string]string{"alg": "RS256", "typ": "JWT"}) + "." + part(claims) + "." + part("signature of canary")
}

const account = "service-account: " + testAccount

func TestATokenOfTheServiceAccount(t *testing.T) {
	c := newCloud(t)
	p := c.make(t, "15m", account+", project: my-project")
	cred, err := c.trade(t, p, 15*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	vars := providertest.Vars(cred)
	token := vars["CLOUDSDK_AUTH_ACCESS_TOKEN"]
	want := map[string]string{"CLOUDSDK_AUTH_ACCESS_TOKEN": token, "GOOGLE_OAUTH_ACCESS_TOKEN": token,
		"CLOUDSDK_CORE_PROJECT": "my-project", "GOOGLE_CLOUD_PROJECT": "my-project"}
	if !reflect.DeepEqual(vars, want) || c.tokens[token].account != testAccount {
		t.Errorf("the command gets %v", vars)
	}
	for _, v := range cred.Vars {
		if v.Public == strings.Contains(v.Name, "TOKEN") {
			t.Errorf("%s: public is %v", v.Name, v.Public)
		}
	}
	end := providertest.Start.Add(15 * time.Minute)
	if !cred.Expires.Equal(end) || !cred.UsableUntil.Equal(end) || cred.Identity != testAccount || !strings.HasPrefix(cred.Handle.ID, "sha256:") || cred.Handle.Revoke != "" {
		t.Errorf("credential %+v", cred)
	}
	if cred.Facts[FactAsked] != "900" || cred.Facts[FactAttempts] != "1" || cred.Facts[FactAccount] != testAccount || cred.Facts[FactProvider] != testProvider {
		t.Errorf("facts %v", cred.Facts)
	}
	asked := c.server.Requests()
	if len(asked) != 2 || asked[0].Header.Get("Authorization") != "" || asked[1].URL.Path != "/v1/projects/-/serviceAccounts/"+testAccount+":generateAccessToken" {
		t.Errorf("%d requests", len(asked))
	}
	if got := asked[0].Header.Get("User-Agent"); got != "stint/1.2.3 (run 9876543210; attempt 2)" {
		t.Errorf("user agent %q", got)
	}
}

func TestADirectTokenLivesAsLongAsTheIDToken(t *testing.T) {
	c := newCloud(t)
	cred, err := c.trade(t, c.make(t, "15m", "scopes: [https://www.googleapis.com/auth/devstorage.read_only]"), 15*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if !cred.UsableUntil.Equal(providertest.Start.Add(5*time.Minute)) || cred.Identity != testProvider || len(c.server.Requests()) != 1 {
		t.Errorf("credential %+v", cred)
	}
	form, _ := url.ParseQuery(c.server.Bodies()[0])
	if form.Get("scope") != "https://www.googleapis.com/auth/devstorage.read_only" {
		t.Errorf("scope %q", form.Get("scope"))
	}
}

func TestAnAccessBoundaryIsTheLastStep(t *testing.T) {
	c := newCloud(t)
	p := c.make(t, "15m", account+`, allow: [{ bucket: my-site, permissions: [roles/storage.objectUser], prefix: "it's/" }]`)
	cred, err := c.trade(t, p, 15*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	got := c.tokens[providertest.Vars(cred)["GOOGLE_OAUTH_ACCESS_TOKEN"]]
	want := `{"accessBoundary":{"accessBoundaryRules":[{"availableResource":"//storage.googleapis.com/projects/_/buckets/my-site",` +
		`"availablePermissions":["inRole:roles/storage.objectUser"],"availabilityCondition":{"expression":` +
		`"resource.name.startsWith('projects/_/buckets/my-site/objects/it\\'s/') || api.getAttribute('storage.googleapis.com/objectListPrefix', '').startsWith('it\\'s/')"}}]}}`
	if got.boundary != want || got.account != testAccount {
		t.Errorf("token %+v", got)
	}
	if !cred.Expires.Equal(providertest.Start.Add(15*time.Minute)) || !strings.HasPrefix(cred.Facts[FactBoundary], "sha256:") {
		t.Errorf("expires %s, facts %v", cred.Expires, cred.Facts)
	}
	if _, ok := p.(oidc.Brokered); ok {
		t.Error("a grant with a boundary is brokered, whose file knows none")
	}
}

func TestDelegatesAndIDTokens(t *testing.T) {
	c := newCloud(t)
	chain := "service-account: " + middleman + ", delegates: [" + testAccount + "]"
	if _, err := c.trade(t, c.make(t, "15m", chain), 15*time.Minute); err != nil {
		t.Error(err)
	}
	cred, err := c.trade(t, c.make(t, "1h", account+", id-token-audience: https://service.example"), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	vars := providertest.Vars(cred)
	if len(vars) != 1 || c.tokens[vars["GOOGLE_ID_TOKEN"]].account != testAccount || !cred.Expires.Equal(providertest.Start.Add(time.Hour)) {
		t.Errorf("the command gets %d variables, until %s", len(vars), cred.Expires)
	}
}

// What a line or a busy server does is tried again, each time with a fresh id-token.
func TestFaultsAreTriedAgainWithAFreshToken(t *testing.T) {
	for name, fault := range map[string]providertest.Fault{
		"busy": {Status: 503, Body: canaryText}, "too many": {Status: 429, RetryAfter: "3"}, "dropped": {Drop: true},
		"half": {Half: true}, "lost": {Lose: true}, "a page": {Status: 200, Body: "<html>" + canaryText},
	} {
		for _, at := range []int{0, 1, 2} { // which of the calls
			c := newCloud(t)
			p := c.make(t, "15m", account+", allow: [{ bucket: my-site, permissions: [roles/storage.objectViewer] }]")
			script := make([]providertest.Fault, at+1)
			script[at] = fault
			c.server.Script(script...)
			cred, err := c.trade(t, p, 15*time.Minute)
			if err != nil {
				t.Errorf("%s at call %d: %v", name, at, err)
				continue
			}
			if n := len(c.bench.Tokens()); n != 2 || cred.Facts[FactAttempts] != "2" || len(c.bench.Waits()) != 1 {
				t.Errorf("%s at call %d: %d id-tokens, facts %v", name, at, n, cred.Facts)
			}
			if name == "too many" && c.bench.Waits()[0] != 3*time.Second {
				t.Errorf("waited %v", c.bench.Waits())
			}
		}
	}
}

func TestAServerThatStaysBusyEndsTheExchange(t *testing.T) {
	c := newCloud(t)
	busy := providertest.Fault{Status: 503, Body: `{"error":{"status":"UNAVAILABLE","message":"` + canaryText + `"}}`}
	c.server.Script(busy, busy, busy, busy, busy, busy, busy)
	_, err := c.trade(t, c.make(t, "15m", account), 15*time.Minute)
	var e *oidc.Error
	if !errors.As(err, &e) || e.Status != 503 || e.Code != "UNAVAILABLE" || !strings.Contains(e.Message, "this was attempt 5") || len(c.bench.Tokens()) != maxTries {
		t.Errorf("%+v", err)
	}
}

func TestAServerThatDoesNotAnswer(t *testing.T) {
	c := newCloud(t)
	p := c.make(t, "15m", account)
	p.(*brokered).timeout = 20 * time.Millisecond
	c.server.Script(providertest.Fault{Hang: true}, providertest.Fault{Hang: true})
	if cred, err := c.trade(t, p, 15*time.Minute); err != nil || cred.Facts[FactAttempts] != "3" {
		t.Errorf("%v, %v", cred, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c.server.Script(providertest.Fault{Hang: true, Then: cancel})
	p.(*brokered).timeout = 0
	if _, err := p.Exchange(ctx, c.bench.Request(15*time.Minute)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// A refusal is not tried again. It names the step, what was presented, and the likely
// reasons, and repeats no text of the other side.
func TestRefusalsAreExplained(t *testing.T) {
	other := "{ workflow: .github/workflows/other.yml, ref: refs/heads/main, environment: production, repository: acme/site }"
	block := "{ provider: " + testProvider + ", " + account + " }"
	for name, row := range map[string]struct {
		block  string
		spoil  func(*testing.T, *cloud)
		status int
		code   string
		says   []string
	}{
		"condition": {account, func(t *testing.T, c *cloud) { c.trust(t, providertest.GrantFor(t, other, Name, "15m", block)) }, 400, "unauthorized_client",
			[]string{"token exchange", "the provider's condition is not the one that stint renders", `sub "repo:acme/site:environment:production"`, `ref "refs/heads/main"`}},
		"expired": {account, func(_ *testing.T, c *cloud) { c.bench.Cloud.Pass(10 * time.Minute) }, 0, "", []string{""}},
		"signature": {account, func(_ *testing.T, c *cloud) { c.bench.Spoil(&sandbox.Fault{ForeignKey: true}) }, 400, "invalid_grant",
			[]string{"the provider's issuer is not"}},
		"subject": {account, func(_ *testing.T, c *cloud) { c.lock.mapping[subjectAttribute] = longSubject }, 400, "invalid_request",
			[]string{"google.subject is over 127 bytes"}},
		"provider": {account, func(_ *testing.T, c *cloud) { c.lock.body.Name = "gone" }, 400, "invalid_target", []string{"is disabled, deleted, or not there"}},
		"member":   {account, func(_ *testing.T, c *cloud) { c.lock.members = nil }, 403, "PERMISSION_DENIED", []string{"token of the service account", workloadUserRole}},
		"account":  {"service-account: gone@my-project.iam.gserviceaccount.com", func(*testing.T, *cloud) {}, 404, "NOT_FOUND", []string{"does not exist"}},
		"lifetime": {account, func(_ *testing.T, c *cloud) { c.longest = time.Minute }, 400, "INVALID_ARGUMENT", []string{"a lifetime of 15m0s"}},
		"id-token": {account, func(_ *testing.T, c *cloud) { c.bench.Spoil(&sandbox.Fault{Audience: "elsewhere"}) }, 0, "", []string{""}},
	} {
		c := newCloud(t)
		p := c.make(t, "15m", row.block)
		row.spoil(t, c)
		_, err := c.trade(t, p, 15*time.Minute)
		var e *oidc.Error
		if !errors.As(err, &e) || e.Status != row.status && row.status != 0 || e.Code != row.code && row.code != "" || e.Hint == "" {
			t.Errorf("%s: %+v", name, err)
			continue
		}
		for _, want := range row.says {
			if !strings.Contains(e.Message+" "+e.Hint, want) {
				t.Errorf("%s: %q is not in\n%s\n%s", name, want, e.Message, e.Hint)
			}
		}
		if n := len(c.bench.Tokens()); n > 1 {
			t.Errorf("%s was tried %d times", name, n)
		}
	}
}

// A token that the grant itself does not admit is named as such, before all else.
func TestARefusalNamesTheGrantsOwnReason(t *testing.T) {
	c := newCloud(t)
	who := "{ ref: refs/heads/release, environment: production, repository: acme/site }"
	g := providertest.GrantFor(t, who, Name, "15m", "{ provider: "+testProvider+", endpoint: "+c.server.URL+", "+account+" }")
	c.trust(t, g)
	p, err := New(g.Targets[0], g, Options{Now: c.bench.Now, Sleep: c.bench.Sleep})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.trade(t, p, 15*time.Minute)
	var e *oidc.Error
	if !errors.As(err, &e) || !strings.Contains(e.Hint, `the grant itself does not admit this token: the run is on "refs/heads/main"`) ||
		!strings.Contains(e.Hint, "the lock that stint renders refuses this token as well: the condition refuses:") {
		t.Errorf("%+v", err)
	}
	if end := p.End(t.Context(), oidc.Handle{Expires: providertest.Start.Add(time.Minute)}); end.Outcome != oidc.Expires {
		t.Errorf("ending %+v", end)
	}
}

// Replies that are not what the references say are refused, and shown to nobody.
func TestReplies(t *testing.T) {
	good := `{"access_token":"` + canary + `","issued_token_type":"` + typeAccess + `","token_type":"Bearer","expires_in":299}`
	for _, bad := range []string{
		`{}`, strings.Replace(good, canary, "", 1), strings.Replace(good, canary, canary+" x", 1), strings.Replace(good, canary, canary+`\n`, 1),
		strings.Replace(good, "Bearer", "DPoP", 1), strings.Replace(good, "299", "0", 1), strings.Replace(good, "299", "-1", 1), strings.Replace(good, "299", "99999999", 1),
		strings.Replace(good, `,"expires_in":299`, "", 1), strings.Replace(good, "access_token\",\"token", "jwt\",\"token", 1),
		strings.Replace(good, canary, strings.Repeat("x", maxTokenBytes+1), 1),
	} {
		c := newCloud(t)
		c.server.Script(providertest.Fault{Status: 200, Body: bad})
		_, err := c.trade(t, c.make(t, "15m", account), 15*time.Minute)
		var e *oidc.Error
		if !errors.As(err, &e) || e.Stage != oidc.StageVerify {
			t.Errorf("%.200s: %+v", bad, err)
		}
	}
	for _, bad := range []string{`{}`, `{"accessToken":"` + canary + `"}`, `{"accessToken":"` + canary + `","expireTime":"soon"}`, `{"expireTime":"2026-11-21T12:15:00Z"}`} {
		c := newCloud(t)
		c.server.Script(providertest.Fault{}, providertest.Fault{Status: 200, Body: bad})
		if _, err := c.trade(t, c.make(t, "15m", account), 15*time.Minute); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

func TestIDTokenReplies(t *testing.T) {
	hour := providertest.Start.Add(time.Hour).Unix()
	for _, claims := range []map[string]any{
		{"iss": "x", "sub": "y", "aud": "https://other.example", "exp": hour, "email": testAccount},
		{"iss": "x", "sub": "y", "aud": "https://service.example", "exp": hour, "email": middleman},
		{"iss": "x", "sub": "y", "aud": "https://service.example"},
		{"iss": "x", "sub": "y", "aud": "https://service.example", "exp": hour + 3600, "email": testAccount},
	} {
		c := newCloud(t)
		c.server.Script(providertest.Fault{}, providertest.Fault{Status: 200, Body: `{"token":"` + jwt(claims) + `"}`})
		if _, err := c.trade(t, c.make(t, "1h", account+", id-token-audience: https://service.example"), time.Hour); err == nil {
			t.Errorf("%v is taken", claims)
		}
	}
}

// Neither a token that outlives what was asked nor one that is over is handed over.
func TestClocks(t *testing.T) {
	for ahead, ok := range map[time.Duration]bool{0: true, 20 * time.Second: true, 2 * time.Minute: false, -2 * time.Minute: true, -20 * time.Minute: false} {
		c := newCloud(t)
		c.bench.Cloud.Pass(ahead)
		c.bench.Spoil(&sandbox.Fault{})
		_, err := c.trade(t, c.make(t, "15m", account), 15*time.Minute)
		if (err == nil) != ok {
			t.Errorf("the cloud's clock %s ahead: %v", ahead, err)
		}
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	c := newCloud(t)
	c.server.Script(providertest.Fault{Status: 307, Location: "https://evil.example/v1/token"})
	_, err := c.trade(t, c.make(t, "15m", account), 15*time.Minute)
	if err == nil || !strings.Contains(err.Error(), "evil.example") || len(c.server.Requests()) != 1 {
		t.Errorf("%v", err)
	}
}

func TestEndings(t *testing.T) {
	now := providertest.Start
	e := NewEnder(Options{Now: func() time.Time { return now }})
	for _, row := range []struct {
		expires time.Time
		want    oidc.Outcome
	}{{now.Add(time.Minute), oidc.Expires}, {now, oidc.Expired}, {time.Time{}, oidc.Open}} {
		got := e.End(t.Context(), oidc.Handle{Provider: Name, Expires: row.expires, UsableUntil: row.expires})
		if got.Outcome != row.want || got.Detail == "" {
			t.Errorf("%s: %+v", row.expires, got)
		}
	}
}

func TestVerifyRefusesAnotherIdentity(t *testing.T) {
	c := newCloud(t)
	p := c.make(t, "15m", account)
	cred, err := c.trade(t, p, 15*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for _, spoil := range []func(*oidc.Credential){
		func(c *oidc.Credential) { c.Identity = middleman },
		func(c *oidc.Credential) { c.UsableUntil = time.Time{} },
		func(c *oidc.Credential) { c.UsableUntil = c.Expires.Add(1) },
	} {
		bad := *cred
		spoil(&bad)
		if p.Verify(&bad, c.bench.Request(15*time.Minute)) == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	if p.Verify(nil, c.bench.Request(15*time.Minute)) == nil {
		t.Error("nothing is taken for a credential")
	}
	if _, err := p.Exchange(t.Context(), c.bench.Request(16*time.Minute)); err == nil {
		t.Error("more than the grant's ttl is asked for")
	}
}
