package github

import (
	"encoding/base64"
	"errors"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providertest"
	"github.com/stint-dev/stint/oidc/sandbox"
)

func TestOctoSTS(t *testing.T) {
	for _, token := range []string{shortToken, longToken} {
		b := newTable(t)
		b.hub.token = token
		p := b.provider(t, octoBlock)
		c, err := b.trade(t, p)
		if err != nil {
			t.Fatal(err)
		}
		if p.Audience() != octo || c.Identity != "octo-sts:acme/site/release" || c.Facts[FactRights] != notStated || c.Facts[FactExpiry] == "" {
			t.Errorf("%s %+v", p.Audience(), c)
		}
		host := strings.TrimPrefix(b.URL, "http://")
		want := map[string]string{"GH_HOST": host, "GH_ENTERPRISE_TOKEN": token, "GITHUB_ENTERPRISE_TOKEN": token}
		if got := providertest.Vars(c); !maps.Equal(got, want) {
			t.Errorf("variables %v", got)
		}
		if !c.Expires.Equal(providertest.Start.Add(time.Hour)) || c.Handle.Revoke != token || c.Handle.Endpoint != b.URL+"/api/v3" {
			t.Errorf("handle of %d bytes until %s at %s", len(c.Handle.Revoke), c.Expires, c.Handle.Endpoint)
		}
		e := NewEnder(b.options()).End(t.Context(), c.Handle)
		if e.Outcome != oidc.Revoked || b.hub.alive[token] {
			t.Errorf("ending %+v", e)
		}
		if e := p.End(t.Context(), c.Handle); e.Outcome != oidc.Revoked {
			t.Errorf("the second end says %+v", e)
		}
	}
}

func TestAppToken(t *testing.T) {
	b := newTable(t)
	p := b.provider(t, appBlock)
	c, err := b.trade(t, p)
	if err != nil {
		t.Fatal(err)
	}
	if c.Identity != "github-app:Iv1.abc/installation/77" || c.Facts[FactRepositories] != "site" || c.Facts[FactPermissions] != "contents=write,metadata=read" {
		t.Errorf("%s %v", c.Identity, c.Facts)
	}
	if len(b.Requests()) != 1 || strings.Contains(b.Bodies()[0]+b.Requests()[0].URL.String(), b.Tokens()[0]) || b.Requests()[0].Header.Get("Authorization") == "Bearer "+b.Tokens()[0] {
		t.Error("the id-token was sent to the API, which has no use for it")
	}
	if e := p.End(t.Context(), c.Handle); e.Outcome != oidc.Revoked {
		t.Errorf("ending %+v", e)
	}
}

func TestPublicNamesAndGit(t *testing.T) {
	g := providertest.Grant(t, Name, "1h", "{ scope: acme, identity: release, repositories: [site], permissions: { contents: read }, git: true }")
	p, err := New(g.Targets[0], g, Options{})
	if err != nil || p.Audience() != "octo-sts.dev" || p.Name() != "github" {
		t.Fatalf("%v %v", p, err)
	}
	vars := p.(*provider).vars(shortToken)
	header := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("x-access-token:"+shortToken))
	const key = "http.https://github.com/.extraheader"
	want := map[string]string{"GH_TOKEN": shortToken, "GITHUB_TOKEN": shortToken, "GIT_CONFIG_COUNT": "2",
		"GIT_CONFIG_KEY_0": key, "GIT_CONFIG_VALUE_0": "", "GIT_CONFIG_KEY_1": key, "GIT_CONFIG_VALUE_1": header}
	if got := providertest.Vars(&oidc.Credential{Vars: vars}); !maps.Equal(got, want) {
		t.Errorf("variables %v", got)
	}
	for _, v := range vars {
		if secret := want[v.Name] == shortToken || want[v.Name] == header; v.Public == secret {
			t.Errorf("%s public: %v", v.Name, v.Public)
		}
	}
}

func TestFaultsAreTriedAgainWithAFreshToken(t *testing.T) {
	rows := map[string]struct {
		faults []providertest.Fault
		calls  int
		ok     bool
	}{
		"busy, then well":  {[]providertest.Fault{{Status: 429, RetryAfter: "3"}}, 2, true},
		"fault":            {[]providertest.Fault{{Status: 502, Body: bodyCanary}, {Status: 503}}, 3, true},
		"dropped":          {[]providertest.Fault{{Drop: true}}, 2, true},
		"half":             {[]providertest.Fault{{Half: true}}, 2, true},
		"answer lost":      {[]providertest.Fault{{Lose: true}}, 2, true},
		"always busy":      {[]providertest.Fault{{Status: 500}, {Status: 500}, {Status: 500}, {Status: 500}}, 4, false},
		"too long a wait":  {[]providertest.Fault{{Status: 429, RetryAfter: "90"}}, 1, false},
		"refused":          {[]providertest.Fault{{Status: 404, Body: bodyCanary}}, 1, false},
		"unavailable":      {[]providertest.Fault{{Status: 400, Body: `{"code":14}`}}, 2, true},
		"redirect":         {[]providertest.Fault{{Status: 301, Location: "https://evil.example/"}}, 1, false},
		"no token":         {[]providertest.Fault{{Status: 200, Body: `{"token":"a\u001b[2Jb"}`}}, 1, false},
		"not json":         {[]providertest.Fault{{Status: 200, Body: "<html>" + bodyCanary}}, 1, false},
		"an endless token": {[]providertest.Fault{{Status: 200, Body: `{"token":"` + strings.Repeat("x", maxTokenBytes+1) + `"}`}}, 1, false},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			b := newTable(t)
			b.Script(row.faults...)
			c, err := b.trade(t, b.provider(t, octoBlock))
			if (err == nil) != row.ok || len(b.Requests()) != row.calls || len(b.Tokens()) != row.calls {
				t.Errorf("%d calls with %d tokens: %v %v", len(b.Requests()), len(b.Tokens()), c, err)
			}
			sent := map[string]bool{}
			for _, r := range b.Requests() {
				if bearer := r.Header.Get("Authorization"); sent[bearer] {
					t.Error("an id-token was sent twice")
				} else {
					sent[bearer] = true
				}
			}
		})
	}
}

func TestRefusalsAreExplained(t *testing.T) {
	rows := map[string]struct{ block, want, code string }{
		"policy":   {strings.Replace(octoBlock, "identity: release", "identity: other", 1), "there is no .github/chainguard/other.sts.yaml", "NotFound"},
		"audience": {strings.Replace(octoBlock, octo, "elsewhere.example", 1), "expects another audience", "Unauthenticated"},
		"app":      {strings.Replace(appBlock, "Iv1.abc", "Iv1.other", 1), "names another app", ""},
		"number":   {strings.Replace(appBlock, "\"77\"", "\"78\"", 1), "of another app or was removed", ""},
	}
	for name, row := range rows {
		b := newTable(t)
		_, err := b.trade(t, b.provider(t, row.block))
		var e *oidc.Error
		if !errors.As(err, &e) || !strings.Contains(e.Hint, row.want) || e.Code != row.code || e.RequestID != "ABCD1" {
			t.Errorf("%s: %+v", name, err)
		}
	}
	for code, want := range map[string]string{"7": "does not admit", "3": "cannot be read", "99": "compare"} {
		b := newTable(t)
		b.Script(providertest.Fault{Status: 403, Body: `{"code":` + code + `,"message":"` + bodyCanary + `"}`})
		_, err := b.trade(t, b.provider(t, octoBlock))
		var e *oidc.Error
		if !errors.As(err, &e) || !strings.Contains(e.Hint, want) || code == "7" && !strings.Contains(e.Hint, `does not fit the lock for this grant: claim "runner_environment" is "self-hosted"`) {
			t.Errorf("code %s: %+v", code, err)
		}
	}
	for status, want := range map[int]string{403: "suspended", 422: "does not have one of the repositories", 418: "REST reference"} {
		b := newTable(t)
		b.Script(providertest.Fault{Status: status, Body: bodyCanary})
		_, err := b.trade(t, b.provider(t, appBlock))
		var e *oidc.Error
		if !errors.As(err, &e) || !strings.Contains(e.Hint, want) {
			t.Errorf("status %d: %+v", status, err)
		}
	}
}

// What GitHub gives beyond what was asked for goes no further.
func TestVerifyHoldsTheReplyAgainstTheGrant(t *testing.T) {
	for want, reply := range map[string]map[string]any{
		"repository *":           {"repository_selection": "all"},
		"repository other":       {"repositories": []map[string]string{{"name": "site"}, {"name": "other"}}},
		"contents=admin":         {"permissions": map[string]string{"contents": "admin"}},
		"issues=read":            {"permissions": map[string]string{"contents": "write", "issues": "read"}},
		"contents=owner":         {"permissions": map[string]string{"contents": "owner"}},
		"does not say":           {"permissions": nil, "repository_selection": ""},
		"longer than the ttl":    {"expires_at": "2026-11-21T14:00:00Z"},
		"is already over":        {"expires_at": "2026-11-21T12:00:00Z"},
		"does not say for what ": {"permissions": map[string]string{}},
	} {
		b := newTable(t)
		b.hub.reply = reply
		if _, err := b.trade(t, b.provider(t, appBlock)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
	b := newTable(t)
	b.hub.reply = map[string]any{"permissions": map[string]string{"contents": "read"}, "repositories": []map[string]string{{"name": "Site"}}}
	if _, err := b.trade(t, b.provider(t, appBlock)); err != nil {
		t.Errorf("less than asked for: %v", err)
	}
}

func TestEndLooksAgain(t *testing.T) {
	rows := map[string]struct {
		lingers int
		faults  []providertest.Fault
		want    oidc.Outcome
		calls   int
	}{
		"at once":         {0, nil, oidc.Revoked, 2},
		"a moment later":  {2, nil, oidc.Revoked, 4},
		"never":           {9, nil, oidc.Open, 4},
		"busy":            {0, []providertest.Fault{{Status: 503}, {Drop: true}}, oidc.Revoked, 4},
		"not deleted":     {0, []providertest.Fault{{Status: 403, Body: bodyCanary}}, oidc.Open, 1},
		"lost":            {0, []providertest.Fault{{Lose: true}}, oidc.Revoked, 3},
		"check redirects": {0, []providertest.Fault{{Status: 204}, {Status: 302, Location: "https://evil.example/"}}, oidc.Open, 2},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			b := newTable(t)
			b.hub.alive[shortToken], b.hub.lingers = true, row.lingers
			b.Script(row.faults...)
			h := oidc.Handle{Provider: Name, Revoke: shortToken, Endpoint: b.URL + "/api/v3", Expires: providertest.Start.Add(time.Hour)}
			e := NewEnder(b.options()).End(t.Context(), h)
			if e.Outcome != row.want || len(b.Requests()) != row.calls {
				t.Errorf("%d calls, %+v", len(b.Requests()), e)
			}
			providertest.Silent(t, []string{shortToken, bodyCanary}, e)
		})
	}
	ender := NewEnder(Options{Now: func() time.Time { return providertest.Start }})
	for name, h := range map[string]oidc.Handle{
		"no token":  {Expires: providertest.Start.Add(time.Hour)},
		"open line": {Revoke: shortToken, Endpoint: "http://github.example/api/v3"},
	} {
		if e := ender.End(t.Context(), h); e.Outcome != oidc.Open {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestKeyIsUsedOnlyOnAHostOfOnesOwn(t *testing.T) {
	hosted := newTable(t)
	hosted.Bench = providertest.NewBench(t) // a job on GitHub's own runner
	if _, err := hosted.trade(t, hosted.provider(t, appBlock)); err == nil || !strings.Contains(err.Error(), "github-hosted") {
		t.Errorf("on a hosted runner: %v", err)
	}
	b := newTable(t)
	p := b.provider(t, appBlock)
	if _, err := p.Exchange(t.Context(), oidc.Request{Source: named{b.Bench}, TTL: time.Hour}); err == nil || !strings.Contains(err.Error(), "nobody verifies") {
		t.Errorf("a token of another source: %v", err)
	}
	if err := os.Chmod(b.keyFile, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := b.trade(t, p); err == nil || !strings.Contains(err.Error(), "others on this host") {
		t.Errorf("a key that others read: %v", err)
	}
	for name, do := range map[string]func() error{
		"no key":  func() error { return os.WriteFile(b.keyFile, []byte("x"), 0o600) },
		"no file": func() error { return os.Remove(b.keyFile) },
	} {
		_ = os.Chmod(b.keyFile, 0o600)
		if err := do(); err != nil {
			t.Fatal(err)
		}
		if _, err := b.trade(t, p); err == nil || !strings.Contains(err.Error(), "key-file") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(b.Requests())+len(hosted.Requests()) != 0 {
		t.Error("a call was made")
	}
}

// named is a source by another name.
type named struct{ oidc.Source }

func (named) Name() string { return "file" }

func TestNoTokenNoCall(t *testing.T) {
	b := newTable(t)
	b.Spoil(&sandbox.Fault{ForeignKey: true})
	if _, err := b.trade(t, b.provider(t, octoBlock)); err == nil {
		t.Error("a token of a foreign key is taken")
	}
	b = newTable(t)
	b.Pass(time.Hour)
	if _, err := b.trade(t, b.provider(t, octoBlock)); err == nil || len(b.Requests()) != 0 {
		t.Errorf("an expired token was sent: %v", err)
	}
	if _, err := b.provider(t, octoBlock).Exchange(t.Context(), b.Request(time.Minute)); err == nil || len(b.Requests()) != 0 {
		t.Error("a lifetime that nobody can keep is promised")
	}
}
