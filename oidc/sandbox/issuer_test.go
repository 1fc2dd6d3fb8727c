package sandbox_test

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/sandbox"
)

func getJSON(t *testing.T, address string, v any) {
	t.Helper()
	resp, body := do(t, newRequest(t, http.MethodGet, address, nil))
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d: %s", address, resp.StatusCode, body)
	}
	if err := json.Unmarshal([]byte(body), v); err != nil {
		t.Fatalf("%s: %v", address, err)
	}
}

// TestDiscovery walks the way of a relying party: discovery, keys, signature. The
// verification here is the library's, not the sandbox's.
func TestDiscovery(t *testing.T) {
	t.Parallel()
	s, c := start(t, sandbox.Options{})
	var document struct {
		Issuer  string   `json:"issuer"`
		JWKSURI string   `json:"jwks_uri"`
		Algs    []string `json:"id_token_signing_alg_values_supported"`
	}
	getJSON(t, s.Issuer()+"/.well-known/openid-configuration", &document)
	if document.Issuer != s.Issuer() || !slices.Equal(document.Algs, []string{"RS256"}) || document.JWKSURI != s.IssuerURL()+"/.well-known/jwks" {
		t.Errorf("document %+v", document)
	}
	var set jose.JSONWebKeySet
	getJSON(t, document.JWKSURI, &set)

	raw := token(t, s, pushJob())
	jws, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	header := jws.Signatures[0].Header
	keys := set.Key(header.KeyID)
	if len(keys) != 1 {
		t.Fatalf("%d keys with kid %q", len(keys), header.KeyID)
	}
	key := keys[0]
	payload, err := jws.Verify(key)
	if err != nil {
		t.Fatal(err)
	}
	cert := key.Certificates[0]
	sum := sha1.Sum(cert.Raw)
	if err := cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature); err != nil {
		t.Errorf("the certificate does not sign itself: %v", err)
	}
	if x5t := base64.RawURLEncoding.EncodeToString(sum[:]); header.ExtraHeaders["x5t"] != x5t || header.ExtraHeaders["typ"] != "JWT" {
		t.Errorf("header %+v, want x5t %s", header.ExtraHeaders, x5t)
	}
	if c.Now().Before(cert.NotBefore) || c.Now().After(cert.NotAfter) {
		t.Errorf("the certificate is for %s to %s", cert.NotBefore, cert.NotAfter)
	}
	if key.Use != "sig" || key.Algorithm != "RS256" || !key.IsPublic() {
		t.Errorf("key: use %q, alg %q, public %v", key.Use, key.Algorithm, key.IsPublic())
	}
	if !strings.Contains(string(payload), mainSub) {
		t.Errorf("payload %s", payload)
	}
}

// TestClaims holds the claims of a token against what GitHub's have.
func TestClaims(t *testing.T) {
	t.Parallel()
	s, c := start(t, sandbox.Options{TokenLife: 4 * time.Minute})
	job := pushJob()
	job.Environment, job.Actor, job.RunAttempt = "live", "ada", "2"
	parsed, err := oidc.ParseToken(token(t, s, job))
	if err != nil {
		t.Fatal(err)
	}
	got := parsed.Claims
	if !got.IssuedAt.Equal(c.Now()) || !got.Expires.Equal(c.Now().Add(4*time.Minute)) || !got.NotBefore.Before(got.IssuedAt) {
		t.Errorf("iat %s, exp %s, nbf %s", got.IssuedAt, got.Expires, got.NotBefore)
	}
	values := maps.Clone(got.Values)
	for _, varying := range []string{"iss", "jti", "iat", "nbf", "exp"} {
		if values[varying] == "" {
			t.Errorf("no %s", varying)
		}
		delete(values, varying)
	}
	zeros := strings.Repeat("0", 40)
	file := "birch/press/.github/workflows/ship.yml@refs/heads/main"
	want := map[string]string{
		"sub": "repo:birch/press:environment:live", "aud": "sts.amazonaws.com", "environment": "live",
		"actor": "ada", "actor_id": "1", "repository": "birch/press", "repository_id": "31",
		"repository_owner": "birch", "repository_owner_id": "7", "repository_visibility": "private",
		"event_name": "push", "ref": "refs/heads/main", "ref_type": "branch", "ref_protected": "false",
		"head_ref": "", "base_ref": "", "sha": zeros, "run_id": "1", "run_number": "1", "run_attempt": "2",
		"runner_environment": "github-hosted", "workflow": ".github/workflows/ship.yml", "workflow_ref": file,
		"workflow_sha": zeros, "job_workflow_ref": file, "job_workflow_sha": zeros,
	}
	if !maps.Equal(values, want) {
		t.Errorf("claims\n%v\nwant\n%v", values, want)
	}
}

// TestRunner: the real source of a job gets its token from the variables of Env.
func TestRunner(t *testing.T) {
	t.Parallel()
	s, c := start(t, sandbox.Options{})
	env, err := s.Env(pushJob())
	if err != nil {
		t.Fatal(err)
	}
	runner := oidc.NewRunner(oidc.RunnerOptions{
		Getenv: func(name string) string { return env[name] }, Now: c.Now, AllowLoopback: true,
	})
	got, err := runner.Token(t.Context(), "an audience & more")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Claims.Audience, []string{"an audience & more"}) || got.Claims.Subject != mainSub {
		t.Errorf("claims %v", got.Claims)
	}
	if env["GITHUB_REPOSITORY"] != "birch/press" || env["GITHUB_REF_NAME"] != "main" || env["GITHUB_ACTIONS"] != "true" {
		t.Errorf("environment %v", env)
	}
}

// TestTokenEndpoint: what the runner's endpoint takes and refuses.
func TestTokenEndpoint(t *testing.T) {
	t.Parallel()
	s, _ := start(t, sandbox.Options{})
	env, err := s.Env(pushJob())
	if err != nil {
		t.Fatal(err)
	}
	other, err := s.Env(pushJob())
	if err != nil {
		t.Fatal(err)
	}
	address, bearer := env["ACTIONS_ID_TOKEN_REQUEST_URL"], env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
	if bearer == other["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] || len(bearer) < 32 {
		t.Fatal("bearers are not random")
	}
	unknown := strings.Replace(address, "/job/", "/job/0", 1)
	tests := []struct {
		name, method, address, authorization string
		status                               int
		audience                             string
	}{
		{"good", "GET", address + "&audience=sts.amazonaws.com", "Bearer " + bearer, 200, "sts.amazonaws.com"},
		{"no audience", "GET", address, "Bearer " + bearer, 200, "https://github.com/birch"},
		{"two audiences", "GET", address + "&audience=a&audience=b", "Bearer " + bearer, 400, ""},
		{"a long audience", "GET", address + "&audience=" + strings.Repeat("a", 3000), "Bearer " + bearer, 400, ""},
		{"query appended to a query", "GET", address + "?audience=a", "Bearer " + bearer, 400, ""},
		{"query that is none", "GET", address + "&audience=%zz", "Bearer " + bearer, 400, ""},
		{"no version", "GET", strings.TrimSuffix(address, "?api-version=2.0"), "Bearer " + bearer, 400, ""},
		{"POST", "POST", address, "Bearer " + bearer, 405, ""},
		{"no bearer", "GET", address, "", 401, ""},
		{"empty bearer", "GET", address, "Bearer ", 401, ""},
		{"another scheme", "GET", address, "Basic " + bearer, 401, ""},
		{"bearer of another job", "GET", address, "Bearer " + other["ACTIONS_ID_TOKEN_REQUEST_TOKEN"], 401, ""},
		{"half a bearer", "GET", address, "Bearer " + bearer[:20], 401, ""},
		{"unknown job", "GET", unknown, "Bearer " + bearer, 401, ""},
		{"unknown job, empty bearer", "GET", unknown, "Bearer ", 401, ""},
		{"another path", "GET", s.IssuerURL() + "/", "Bearer " + bearer, 404, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRequest(t, tt.method, tt.address, nil)
			if tt.authorization != "" {
				r.Header.Set("Authorization", tt.authorization)
			}
			resp, body := do(t, r)
			if resp.StatusCode != tt.status {
				t.Fatalf("status %d, want %d: %s", resp.StatusCode, tt.status, body)
			}
			if strings.Contains(body, bearer) {
				t.Error("the answer repeats the bearer")
			}
			if tt.status != http.StatusOK {
				return
			}
			var reply struct {
				Count int
				Value string
			}
			if err := json.Unmarshal([]byte(body), &reply); err != nil || reply.Count != len(reply.Value) {
				t.Fatalf("reply %s: %v", body, err)
			}
			parsed, err := oidc.ParseToken(reply.Value)
			if err != nil || !slices.Equal(parsed.Claims.Audience, []string{tt.audience}) {
				t.Errorf("audience of the token: %v %v", parsed, err)
			}
			if resp.Header.Get("Cache-Control") != "no-store" {
				t.Error("a token may be cached")
			}
		})
	}
}

// TestHost: a name that leads to loopback is not served, so that a page in a
// browser cannot reach the sandbox under a name of its own.
func TestHost(t *testing.T) {
	t.Parallel()
	s, _ := start(t, sandbox.Options{})
	for _, base := range []string{s.IssuerURL() + "/.well-known/jwks", s.STSURL(), s.StoreURL()} {
		u, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		for _, host := range []string{"localhost:" + u.Port(), "evil.example", "evil.example:" + u.Port(), "127.0.0.1"} {
			r := newRequest(t, http.MethodGet, base, nil)
			r.Host = host
			if resp, _ := do(t, r); resp.StatusCode != http.StatusMisdirectedRequest {
				t.Errorf("%s as %s: status %d", base, host, resp.StatusCode)
			}
		}
	}
}
