package github

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
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providertest"
)

const (
	bodyCanary = "canary-body-text"
	octo       = "octo.example"
)

// A token of each kind: the short one, and the long stateless one with its two dots.
var (
	shortToken = "ghs_canaryToken0123456789canaryToken0123"
	longToken  = "ghs_12345_" + strings.Repeat("canary", 30) + "." + strings.Repeat("Payload", 40) + "." + strings.Repeat("signature", 10)
)

// A hub is a stand-in of octo-sts and of GitHub's REST API that verifies what it is shown.
type hub struct {
	bench *providertest.Bench
	key   *rsa.PublicKey

	mu      sync.Mutex
	token   string          // what is issued next
	alive   map[string]bool // tokens
	lingers int             // answers that a deleted token still gets
	reply   map[string]any  // changes of the reply to an app
}

func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	w.Header().Set("X-GitHub-Request-Id", "ABCD:1")
	switch r.Method + " " + r.URL.Path {
	case "GET /sts/exchange":
		h.exchange(w, r, bearer)
	case "POST /api/v3/app/installations/77/access_tokens":
		h.install(w, r, bearer)
	case "DELETE /api/v3/installation/token":
		h.delete(w, bearer)
	case "GET /api/v3/installation/repositories":
		h.repositories(w, bearer)
	default:
		http.Error(w, bodyCanary, http.StatusNotFound)
	}
}

// exchange is octo-sts with one policy: the environment production of acme/site.
func (h *hub) exchange(w http.ResponseWriter, r *http.Request, bearer string) {
	c, err := h.bench.Verify(bearer, octo)
	switch {
	case err != nil:
		refuse(w, http.StatusUnauthorized, 16)
	case r.URL.Query().Get("scope") != "acme/site" || r.URL.Query().Get("identity") != "release":
		refuse(w, http.StatusNotFound, 5)
	case c.Subject != "repo:acme/site:environment:production":
		refuse(w, http.StatusForbidden, 7)
	default:
		h.alive[h.token] = true
		_ = json.NewEncoder(w).Encode(map[string]string{"token": h.token})
	}
}

func refuse(w http.ResponseWriter, status, code int) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"code": code, "message": bodyCanary})
}

// install gives a token of installation 77 to the app Iv1.abc.
func (h *hub) install(w http.ResponseWriter, r *http.Request, bearer string) {
	if why := h.appToken(bearer); why != "" {
		http.Error(w, why+bodyCanary, http.StatusUnauthorized)
		return
	}
	var asked struct {
		Repositories []string
		Permissions  map[string]string
	}
	if json.NewDecoder(r.Body).Decode(&asked) != nil || len(asked.Repositories) == 0 || len(asked.Permissions) == 0 {
		http.Error(w, bodyCanary, http.StatusUnprocessableEntity)
		return
	}
	asked.Permissions["metadata"] = "read"
	var repos []map[string]string
	for _, name := range asked.Repositories {
		repos = append(repos, map[string]string{"name": name, "full_name": "acme/" + name})
	}
	answer := map[string]any{"token": h.token, "expires_at": h.bench.Cloud.Now().Add(time.Hour).Format(time.RFC3339),
		"permissions": asked.Permissions, "repository_selection": "selected", "repositories": repos}
	for k, v := range h.reply {
		answer[k] = v
	}
	h.alive[h.token] = true
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(answer)
}

// appToken says what is wrong with the app's own token, "" for nothing.
func (h *hub) appToken(jwt string) string {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return "form"
	}
	signature, _ := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(h.key, crypto.SHA256, sum[:], signature) != nil {
		return "signature"
	}
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	var c struct {
		Iss      string
		Iat, Exp int64
	}
	now := h.bench.Cloud.Now().Unix()
	if json.Unmarshal(payload, &c) != nil || c.Iss != "Iv1.abc" || c.Iat > now || c.Exp <= now || c.Exp > now+600 {
		return "claims"
	}
	return ""
}

func (h *hub) delete(w http.ResponseWriter, bearer string) {
	if !h.alive[bearer] {
		http.Error(w, bodyCanary, http.StatusUnauthorized)
		return
	}
	if h.lingers == 0 {
		delete(h.alive, bearer)
	}
	w.WriteHeader(http.StatusNoContent)
}

func (h *hub) repositories(w http.ResponseWriter, bearer string) {
	if h.lingers > 0 {
		if h.lingers--; h.lingers == 0 {
			delete(h.alive, bearer)
		}
	} else if !h.alive[bearer] {
		http.Error(w, bodyCanary, http.StatusUnauthorized)
		return
	}
	fmt.Fprint(w, `{"total_count":1,"repositories":[]}`)
}

// A table is the stand-in with a bench and a key.
type table struct {
	*providertest.Bench
	*providertest.Server
	hub     *hub
	keyFile string
}

func newTable(t *testing.T) *table {
	t.Helper()
	key, err := appKey()
	if err != nil {
		t.Fatal(err)
	}
	job := providertest.Job()
	job.RunnerEnvironment = "self-hosted"
	b := &table{Bench: providertest.NewBenchFor(t, job), keyFile: filepath.Join(t.TempDir(), "app.pem")}
	b.hub = &hub{bench: b.Bench, key: &key.PublicKey, token: shortToken, alive: map[string]bool{}}
	b.Server = providertest.NewServer(t, b.hub)
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	if err := os.WriteFile(b.keyFile, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return b
}

var appKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// provider makes the one of a block, in which $URL, $API and $KEY are filled in.
func (b *table) provider(t *testing.T, block string) oidc.Provider {
	t.Helper()
	block = strings.NewReplacer("$URL", b.URL, "$API", b.URL+"/api/v3", "$KEY", b.keyFile).Replace(block)
	g := providertest.Grant(t, Name, "1h", block)
	p, err := New(g.Targets[0], g, b.options())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (b *table) options() Options {
	return Options{Version: "1.2.3", Now: b.Now, Sleep: b.Sleep, Rand: func() float64 { return 0.5 }}
}

const (
	octoBlock = "{ scope: acme/site, identity: release, audience: " + octo + ", endpoint: $URL, permissions: { contents: write }, api: $API }"
	appBlock  = "{ app: Iv1.abc, installation: \"77\", key-file: $KEY, repositories: [site], permissions: { contents: write }, api: $API }"
)

func (b *table) trade(t *testing.T, p oidc.Provider) (*oidc.Credential, error) {
	t.Helper()
	return providertest.Trade(t, b.Bench, p, time.Hour, shortToken, longToken, bodyCanary,
		base64.StdEncoding.EncodeToString([]byte("x-access-token:"+shortToken)))
}
