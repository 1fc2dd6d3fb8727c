package sandbox_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/stint-dev/stint/oidc/sandbox"
)

func goodClaims(s *sandbox.Sandbox, now time.Time) map[string]any {
	return map[string]any{
		"iss": s.Issuer(), "sub": mainSub, "aud": "sts.amazonaws.com",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
}

// TestSignatureIsVerified: the STS takes what the issuer's published key signed
// with RS256 and nothing else, whatever the token says of itself.
func TestSignatureIsVerified(t *testing.T) {
	t.Parallel()
	s, c := start(t, sandbox.Options{Roles: []sandbox.Role{shipRole()}})
	kid := map[jose.HeaderKey]any{"kid": s.Thumbprint()}
	good := goodClaims(s, c.Now())
	genuine := sign(t, jose.RS256, signingKey(), kid, good)
	header, payload, _ := cut3(genuine)
	_, _, signature := cut3(genuine)
	public, err := x509.MarshalPKIXPublicKey(&signingKey().PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"` + s.Thumbprint() + `"}`))
	foreignJWK := map[jose.HeaderKey]any{"kid": s.Thumbprint(), "jwk": jose.JSONWebKey{Key: &foreignKey().PublicKey, Algorithm: "RS256"}}

	tests := []struct{ name, token, code string }{
		{"genuine", genuine, ""},
		{"foreign key", sign(t, jose.RS256, foreignKey(), kid, good), "InvalidIdentityToken"},
		{"foreign key in the header", sign(t, jose.RS256, foreignKey(), foreignJWK, good), "InvalidIdentityToken"},
		{"no kid", sign(t, jose.RS256, signingKey(), nil, good), "InvalidIdentityToken"},
		{"unknown kid", sign(t, jose.RS256, signingKey(), map[jose.HeaderKey]any{"kid": "k"}, good), "InvalidIdentityToken"},
		{"another algorithm", sign(t, jose.RS512, signingKey(), kid, good), "InvalidIdentityToken"},
		{"PSS", sign(t, jose.PS256, signingKey(), kid, good), "InvalidIdentityToken"},
		{"HMAC with the public key", sign(t, jose.HS256, publicPEM, kid, good), "InvalidIdentityToken"},
		{"HMAC with the modulus", sign(t, jose.HS256, signingKey().N.Bytes(), kid, good), "InvalidIdentityToken"},
		{"alg none", none + "." + payload + ".", "InvalidIdentityToken"},
		{"alg none, signature kept", none + "." + payload + "." + signature, "InvalidIdentityToken"},
		{"no signature", header + "." + payload + ".", "InvalidIdentityToken"},
		{"tampered claims", header + "." + tamper(t, payload) + "." + signature, "InvalidIdentityToken"},
		{"JSON serialisation", `{"protected":"` + header + `","payload":"` + payload + `","signature":"` + signature + `"}`, "InvalidIdentityToken"},
		{"no JWT", "hello", "InvalidIdentityToken"},
		{"too long", strings.Repeat("a", 20_001), "ValidationError"},
		{"too short", "abc", "ValidationError"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := post(t, s, assumeForm(tt.token, nil))
			if errorCode(body) != tt.code || (resp.StatusCode == http.StatusOK) != (tt.code == "") {
				t.Errorf("status %d, code %q, want %q", resp.StatusCode, errorCode(body), tt.code)
			}
			if len(tt.token) > 10 && tt.code != "" && strings.Contains(body, tt.token) {
				t.Error("the answer repeats the token")
			}
		})
	}
}

func cut3(token string) (header, payload, signature string) {
	parts := strings.Split(token, ".")
	return parts[0], parts[1], parts[2]
}

// tamper makes the payload one of another branch.
func tamper(t *testing.T, payload string) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(b, &claims); err != nil {
		t.Fatal(err)
	}
	claims["exp"] = claims["exp"].(float64) + 1
	if b, err = json.Marshal(claims); err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// TestClaimsAreVerified: a good signature does not help wrong claims.
func TestClaimsAreVerified(t *testing.T) {
	t.Parallel()
	s, c := start(t, sandbox.Options{Roles: []sandbox.Role{shipRole()}})
	now := c.Now()
	tests := []struct {
		name   string
		change map[string]any // nil removes a claim
		code   string
	}{
		{"as they are", nil, ""},
		{"a list of audiences", map[string]any{"aud": []string{"other", "sts.amazonaws.com"}}, ""},
		{"ended a second ago", map[string]any{"exp": now.Add(-time.Second).Unix()}, "ExpiredTokenException"},
		{"ends now", map[string]any{"exp": now.Unix()}, "ExpiredTokenException"},
		{"no end", map[string]any{"exp": nil}, "InvalidIdentityToken"},
		{"the end is text", map[string]any{"exp": "2099-01-01"}, "InvalidIdentityToken"},
		{"no beginning", map[string]any{"iat": nil}, "InvalidIdentityToken"},
		{"not yet valid", map[string]any{"nbf": now.Add(2 * time.Minute).Unix()}, "InvalidIdentityToken"},
		{"issued in the future", map[string]any{"iat": now.Add(2 * time.Minute).Unix()}, "InvalidIdentityToken"},
		{"the beginning is text", map[string]any{"nbf": "now"}, "InvalidIdentityToken"},
		{"no nbf", map[string]any{"nbf": nil}, ""},
		{"a little ahead", map[string]any{"iat": now.Add(30 * time.Second).Unix()}, ""},
		{"another issuer", map[string]any{"iss": "https://token.actions.githubusercontent.com"}, "InvalidIdentityToken"},
		{"no issuer", map[string]any{"iss": nil}, "InvalidIdentityToken"},
		{"another audience", map[string]any{"aud": "https://github.com/birch"}, "InvalidIdentityToken"},
		{"no audience", map[string]any{"aud": nil}, "InvalidIdentityToken"},
		{"azp goes before aud", map[string]any{"azp": "someone"}, "InvalidIdentityToken"},
		{"no subject", map[string]any{"sub": nil}, "IDPRejectedClaim"},
		{"a subject that is no text", map[string]any{"sub": 5}, "IDPRejectedClaim"},
		{"a long subject", map[string]any{"sub": strings.Repeat("x", 256)}, "IDPRejectedClaim"},
		{"another subject", map[string]any{"sub": "repo:birch/press:pull_request"}, "AccessDenied"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			claims := goodClaims(s, now)
			maps.Copy(claims, tt.change)
			maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
			raw := sign(t, jose.RS256, signingKey(), map[jose.HeaderKey]any{"kid": s.Thumbprint()}, claims)
			if _, body := post(t, s, assumeForm(raw, nil)); errorCode(body) != tt.code {
				t.Errorf("code %q, want %q: %s", errorCode(body), tt.code, body)
			}
		})
	}
}

// TestRotation: tokens of the key before still verify, those of a key that is no
// longer published do not.
func TestRotation(t *testing.T) {
	t.Parallel()
	s, _ := start(t, sandbox.Options{Roles: []sandbox.Role{shipRole()}})
	first := s.Thumbprint()
	old := token(t, s, pushJob())
	for rotation := range 3 {
		if err := s.RotateKey(); err != nil {
			t.Fatal(err)
		}
		if s.Thumbprint() == first {
			t.Fatal("the key is the same after a rotation")
		}
		want := ""
		if rotation == 2 {
			want = "InvalidIdentityToken"
		}
		if _, body := post(t, s, assumeForm(old, nil)); errorCode(body) != want {
			t.Errorf("after %d rotations: code %q, want %q", rotation+1, errorCode(body), want)
		}
		if _, body := post(t, s, assumeForm(token(t, s, pushJob()), nil)); errorCode(body) != "" {
			t.Errorf("after %d rotations the new key does not verify: %s", rotation+1, body)
		}
	}
}

// TestTokenEnds: a token is of use until its exp by the sandbox's clock.
func TestTokenEnds(t *testing.T) {
	t.Parallel()
	s, c := start(t, sandbox.Options{Roles: []sandbox.Role{shipRole()}, TokenLife: 90 * time.Second})
	raw := token(t, s, pushJob())
	c.Advance(89 * time.Second)
	if _, body := post(t, s, assumeForm(raw, nil)); errorCode(body) != "" {
		t.Errorf("before its end: %s", body)
	}
	c.Advance(time.Second)
	if _, body := post(t, s, assumeForm(raw, nil)); errorCode(body) != "ExpiredTokenException" {
		t.Errorf("at its end: %s", body)
	}
}
