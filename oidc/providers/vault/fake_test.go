package vault

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providertest"
	"github.com/stint-dev/stint/oidc/trust"
)

// Values that no output may hold.
const (
	canaryToken    = "hvs.canaryClientToken0123456789"
	canaryField    = "canary-field-value"
	canaryPassword = "canary-password"
	canaryBody     = "canary-body-text"
)

var canaries = []string{canaryToken, canaryField, canaryPassword, canaryBody}

// A fakeVault is a Vault with one mount of the JWT method, a key-value store of each
// version and a database that makes users. It verifies id-tokens by the issuer's keys
// and decides by the role that the test gives it, read by our own evaluator.
type fakeVault struct {
	bench     *providertest.Bench
	role      trust.Policy
	audience  string
	namespace string
	policies  []string
	ttl       time.Duration
	leaseTTL  time.Duration
	batch     bool
	noSelf    bool // the token has no policy that lets it look at or end itself
	old       bool // an older server: a bad token gives "permission denied" and no more
	undead    bool // revoke-self says yes and does nothing
	stuck     bool // renew-self says yes and extends by an hour more than asked

	mu      sync.Mutex
	tokens  map[string]*fakeToken
	revoked []string // leases and accessors, in order
	paths   []string
}

type fakeToken struct {
	accessor string
	expires  time.Time
	leases   []string
}

const testRoleBody = `{"role_type":"jwt","user_claim":"repository_id","bound_audiences":["https://vault.example"],"bound_claims_type":"string",
	"bound_claims":{"sub":"repo:acme/site:environment:production","ref":"refs/heads/main","event_name":"push"},"token_ttl":"15m"}`

func newFakeVault(t *testing.T, b *providertest.Bench) *fakeVault {
	t.Helper()
	f := &fakeVault{bench: b, audience: "https://vault.example", policies: []string{"default", "site-deploy"}, ttl: 15 * time.Minute,
		leaseTTL: time.Hour, tokens: map[string]*fakeToken{}}
	f.setRole(t, testRoleBody)
	return f
}

func (f *fakeVault) setRole(t *testing.T, body string) {
	t.Helper()
	p, err := parseRole(trust.Document{Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	f.role = p
}

func (f *fakeVault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/v1/")
	f.mu.Lock()
	defer f.mu.Unlock()
	f.paths = append(f.paths, r.Method+" "+path)
	switch {
	case r.Header.Get("X-Vault-Request") != "true" || r.Header.Get("X-Vault-Namespace") != f.namespace:
		refuse(w, http.StatusNotFound, "no handler for route")
	case path == "auth/jwt/login" && r.Method == http.MethodPut:
		f.login(w, r)
	default:
		f.withToken(w, r, path)
	}
}

func refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []string{text + " " + canaryBody}})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (f *fakeVault) login(w http.ResponseWriter, r *http.Request) {
	var in struct{ Role, JWT string }
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&in); err != nil || in.Role != "site-deploy" {
		refuse(w, http.StatusBadRequest, `role "x" could not be found`)
		return
	}
	claims, err := f.bench.Verify(in.JWT, f.audience)
	if err != nil {
		refuse(w, http.StatusBadRequest, "error validating token: error verifying token signature: no known key successfully validated the token signature")
		return
	}
	if a := f.role.Decide(claims); !a.Admits {
		refuse(w, http.StatusBadRequest, f.loginText(claims))
		return
	}
	now := f.bench.Cloud.Now()
	token := canaryToken + fmt.Sprint(len(f.tokens))
	accessor := "acc" + randomHex()
	if f.batch {
		token, accessor = strings.Replace(token, "hvs.", "hvb.", 1), ""
	}
	f.tokens[token] = &fakeToken{accessor: accessor, expires: now.Add(f.ttl)}
	answer(w, map[string]any{"request_id": "req-1", "auth": map[string]any{
		"client_token": token, "accessor": accessor, "policies": f.policies, "token_policies": f.policies,
		"metadata": map[string]string{"role": in.Role}, "lease_duration": int(f.ttl / time.Second), "renewable": !f.batch, "entity_id": "ent-1",
	}})
}

// loginText is what the JWT method would say of the first bound claim that differs.
func (f *fakeVault) loginText(c oidc.Claims) string {
	for name, b := range f.role.(*role).Claims {
		if why := b.refusal(name, c, false); why != "" {
			if !c.Has(name) {
				return fmt.Sprintf("error validating claims: claim %q is missing", name)
			}
			return fmt.Sprintf("error validating claims: claim %q does not match any associated bound claim values", name)
		}
	}
	return "permission denied"
}

func randomHex() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

// withToken serves what needs a token that lives.
func (f *fakeVault) withToken(w http.ResponseWriter, r *http.Request, path string) {
	token := f.tokens[r.Header.Get("X-Vault-Token")]
	if token == nil || !f.bench.Cloud.Now().Before(token.expires) {
		text := "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"
		if f.old {
			text = "permission denied"
		}
		refuse(w, http.StatusForbidden, text)
		return
	}
	if strings.HasPrefix(path, "auth/token/") || strings.HasPrefix(path, "sys/") {
		f.self(w, r, path, token)
		return
	}
	f.secret(w, r, path, token)
}

func (f *fakeVault) self(w http.ResponseWriter, r *http.Request, path string, token *fakeToken) {
	var in struct {
		Increment json.Number `json:"increment"`
		LeaseID   string      `json:"lease_id"`
	}
	_ = json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&in)
	asked, _ := in.Increment.Int64()
	extended := min(time.Duration(asked)*time.Second, f.ttl)
	if f.stuck {
		extended = time.Duration(asked)*time.Second + time.Hour
	}
	switch {
	case f.noSelf:
		refuse(w, http.StatusForbidden, "permission denied")
	case path == "auth/token/revoke-self" && f.undead:
		w.WriteHeader(http.StatusNoContent)
	case path == "auth/token/revoke-self":
		f.revoked = append(f.revoked, append(token.leases, token.accessor)...)
		delete(f.tokens, r.Header.Get("X-Vault-Token"))
		w.WriteHeader(http.StatusNoContent)
	case path == "auth/token/lookup-self":
		answer(w, map[string]any{"data": map[string]any{"accessor": token.accessor, "policies": f.policies}})
	case path == "auth/token/renew-self":
		token.expires = f.bench.Cloud.Now().Add(extended)
		answer(w, map[string]any{"auth": map[string]any{"client_token": r.Header.Get("X-Vault-Token"), "lease_duration": int(extended / time.Second), "renewable": true}})
	case path == "sys/leases/renew" && len(token.leases) > 0 && in.LeaseID == token.leases[0]:
		answer(w, map[string]any{"lease_id": in.LeaseID, "lease_duration": int(min(f.leaseTTL, extended) / time.Second), "renewable": true})
	default:
		refuse(w, http.StatusNotFound, "no handler for route")
	}
}

func (f *fakeVault) secret(w http.ResponseWriter, r *http.Request, path string, token *fakeToken) {
	if r.Method == http.MethodPut {
		f.make(w, r, path, token)
		return
	}
	switch {
	case r.Method != http.MethodGet:
		refuse(w, http.StatusMethodNotAllowed, "unsupported operation")
	case path == "secret/data/site":
		answer(w, map[string]any{"data": map[string]any{"data": map[string]any{"token": canaryField, "port": 5432, "open": true, "empty": "", "nested": map[string]any{"a": 1}},
			"metadata": map[string]any{"version": 3}}})
	case path == "secret/data/gone":
		answer(w, map[string]any{"data": map[string]any{"data": nil, "metadata": map[string]any{"deletion_time": "2026-01-01T00:00:00Z"}}})
	case path == "kv1/site":
		answer(w, map[string]any{"lease_duration": 2764800, "data": map[string]any{"key": canaryField}})
	case path == "database/creds/site":
		lease := path + "/" + randomHex()
		token.leases = append(token.leases, lease)
		answer(w, map[string]any{"lease_id": lease, "lease_duration": int(f.leaseTTL / time.Second), "renewable": true,
			"data": map[string]any{"username": "v-jwt-site", "password": canaryPassword}})
	case path == "secret/data/closed":
		refuse(w, http.StatusForbidden, "1 error occurred:\n\t* permission denied\n\n")
	default:
		refuse(w, http.StatusNotFound, "")
	}
}

// make serves an engine that is told what to make.
func (f *fakeVault) make(w http.ResponseWriter, r *http.Request, path string, token *fakeToken) {
	var in map[string]any
	if json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&in) != nil || path != "ssh/creds/site" || len(in) != 1 || in["ip"] != "10.0.0.7" {
		refuse(w, http.StatusForbidden, "permission denied")
		return
	}
	lease := path + "/" + randomHex()
	token.leases = append(token.leases, lease)
	answer(w, map[string]any{"lease_id": lease, "lease_duration": int(f.leaseTTL / time.Second), "data": map[string]any{"key": canaryPassword, "port": 22}})
}

// asked returns what was called so far.
func (f *fakeVault) asked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.paths...)
}

// open is the number of tokens that live.
func (f *fakeVault) open() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.tokens)
}

func (f *fakeVault) ended() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.revoked...)
}
