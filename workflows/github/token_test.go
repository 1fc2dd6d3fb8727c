package github_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/workflows/github"
)

// appHost makes installation tokens for who signs with the key.
type appHost struct {
	t      *testing.T
	key    *rsa.PublicKey
	now    *time.Time
	made   int
	forOrg bool
}

func (h *appHost) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := h.verify(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")); err != nil {
		h.t.Error(err)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /api/v3/orgs/acme/installation":
		if !h.forOrg {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		fmt.Fprint(w, `{"id": 77}`)
	case "GET /api/v3/users/acme/installation":
		fmt.Fprint(w, `{"id": 77}`)
	case "POST /api/v3/app/installations/77/access_tokens":
		h.made++
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"token": "ghs_made%d", "expires_at": %q}`, h.made, h.now.Add(time.Hour).Format(time.RFC3339))
	default:
		h.t.Errorf("%s %s", r.Method, r.URL)
		w.WriteHeader(http.StatusNotFound)
	}
}

// verify checks the app's own token as a host does.
func (h *appHost) verify(jwt string) error {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return fmt.Errorf("%d parts", len(parts))
	}
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return err
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(h.key, crypto.SHA256, digest[:], sig); err != nil {
		return err
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return err
	}
	var claims struct {
		Iss      string
		Iat, Exp int64
	}
	if err := json.Unmarshal(raw, &claims); err != nil {
		return err
	}
	if now := h.now.Unix(); claims.Iss != "Iv1.abc" || claims.Iat > now || claims.Exp <= now || claims.Exp-claims.Iat > 600 {
		return fmt.Errorf("claims %+v at %d", claims, now)
	}
	return nil
}

func keyFile(t *testing.T, pkcs8 bool) (string, *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	if pkcs8 {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		block = &pem.Block{Type: "PRIVATE KEY", Bytes: der}
	}
	name := filepath.Join(t.TempDir(), "app.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return name, key
}

func TestAppToken(t *testing.T) {
	for _, org := range []bool{true, false} {
		file, key := keyFile(t, org)
		now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
		h := &appHost{t: t, key: &key.PublicKey, now: &now, forOrg: org}
		server := httptest.NewServer(h)
		defer server.Close()
		source, err := github.NewAppToken(github.AppOptions{Host: server.URL, Now: func() time.Time { return now }, ID: "Iv1.abc", Owner: "acme", KeyFile: file})
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			after time.Duration
			want  string
		}{{0, "ghs_made1"}, {54 * time.Minute, "ghs_made1"}, {2 * time.Minute, "ghs_made2"}, {0, "ghs_made2"}} {
			now = now.Add(step.after)
			if got, err := source.Token(t.Context()); err != nil || got != step.want {
				t.Errorf("%q, %v; want %q", got, err, step.want)
			}
		}
		if text := fmt.Sprintf("%v %+v %#v", source, source, source); strings.Contains(text, "ghs_") {
			t.Error("the token prints")
		}
	}
}

func TestBadAppKeys(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"empty": "", "text": "hello", "other": "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := github.NewAppToken(github.AppOptions{ID: "1", Installation: 1, KeyFile: file}); err == nil {
			t.Errorf("%s is a key", name)
		}
	}
	good, _ := keyFile(t, false)
	for _, o := range []github.AppOptions{{ID: "1", Installation: 1, KeyFile: filepath.Join(dir, "none")}, {ID: "", Installation: 1, KeyFile: good},
		{ID: "1", KeyFile: good}, {ID: "1", Owner: "a/b", KeyFile: good}, {ID: "1", Installation: 1, KeyFile: good, Host: "http://example.com"}} {
		if _, err := github.NewAppToken(o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

func TestMalformedTokens(t *testing.T) {
	for _, s := range []string{"", "a b", "a\r\nHost: evil", "ä"} {
		if _, err := github.StaticToken(s).Token(t.Context()); err == nil || s != "" && strings.Contains(err.Error(), s) {
			t.Errorf("%q: %v", s, err)
		}
	}
}
