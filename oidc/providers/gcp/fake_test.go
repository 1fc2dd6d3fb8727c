package gcp

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providertest"
	"github.com/stint-dev/stint/oidc/trust"
)

const (
	testProvider = "projects/123456789/locations/global/workloadIdentityPools/github/providers/release"
	testAccount  = "deploy@my-project.iam.gserviceaccount.com"
	middleman    = "middle@my-project.iam.gserviceaccount.com"
	testAudience = "https://iam.googleapis.com/" + testProvider
	// canary begins every token that the stand-in issues, and canaryText is in every
	// description of an error.
	canary     = "ya29.canary"
	canaryText = "canary-description"
)

// A held is a token that the stand-in issued.
type held struct {
	identity identity
	account  string
	expires  time.Time
	boundary string
}

// A cloud is a stand-in of Google's token service and of its credentials API: it
// verifies id-tokens against the issuer's keys, asks a lock, and gives replies in the
// shapes of Google's references.
type cloud struct {
	bench  *providertest.Bench
	lock   *lock
	server *providertest.Server
	// idLife is how long a federated token lives.
	idLife time.Duration
	// longest is the longest lifetime of a service account's token.
	longest time.Duration

	mu     sync.Mutex
	tokens map[string]held
	used   map[string]bool
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{bench: providertest.NewBench(t), idLife: 5 * time.Minute, longest: time.Hour, tokens: map[string]held{}, used: map[string]bool{}}
	c.server = providertest.NewServer(t, c)
	c.trust(t, providertest.Grant(t, Name, "15m", "{ provider: "+testProvider+", service-account: "+testAccount+" }"))
	return c
}

// trust makes the stand-in hold the lock of a grant, for its own issuer.
func (c *cloud) trust(t *testing.T, g *grant.Grant) {
	t.Helper()
	rendered, err := Trust.Render(g, g.Targets[0], trust.Repository{Name: "acme/site", OwnerID: "123456", ID: "456789", Issuer: c.bench.Issuer()})
	if err != nil {
		t.Fatal(err)
	}
	c.lock = rendered.Policy.(*lock)
}

// make makes a provider of a block, with the stand-in as its endpoint.
func (c *cloud) make(t *testing.T, ttl, block string) oidc.Provider {
	t.Helper()
	g := providertest.Grant(t, Name, ttl, "{ provider: "+testProvider+", endpoint: "+c.server.URL+", "+block+" }")
	p, err := New(g.Targets[0], g, Options{Version: "1.2.3", Now: c.bench.Now, Sleep: c.bench.Sleep, Rand: func() float64 { return 0.5 }})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	c.mu.Lock()
	defer c.mu.Unlock()
	account, method, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v1/projects/-/serviceAccounts/"), ":")
	switch {
	case r.Method != http.MethodPost:
		w.WriteHeader(http.StatusNotFound)
	case r.URL.Path == "/v1/token":
		c.exchange(w, r)
	case ok && (account == testAccount || account == middleman):
		c.ofAccount(w, r, account, method)
	default:
		googleError(w, http.StatusNotFound, "NOT_FOUND")
	}
}

// oauthError and googleError are the two shapes of refusals.
func oauthError(w http.ResponseWriter, status int, code, description string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": description + " " + canaryText})
}

func googleError(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": status, "message": canaryText, "status": code}})
}

func (c *cloud) exchange(w http.ResponseWriter, r *http.Request) {
	if r.ParseForm() != nil || r.Header.Get("Authorization") != "" || r.PostForm.Get("grant_type") != grantExchange || r.PostForm.Get("requested_token_type") != typeAccess {
		oauthError(w, http.StatusBadRequest, "invalid_request", "")
		return
	}
	if r.PostForm.Get("subject_token_type") == typeAccess {
		c.cut(w, r.PostForm)
		return
	}
	id, code, err := c.federate(r.PostForm)
	if err != nil {
		oauthError(w, http.StatusBadRequest, code, err.Error())
		return
	}
	c.reply(w, held{identity: id, expires: c.bench.Cloud.Now().Add(c.idLife)}, true)
}

// federate verifies an id-token and maps it, as the provider says.
func (c *cloud) federate(form url.Values) (identity, string, error) {
	if form.Get("audience") != "//iam.googleapis.com/"+c.lock.body.Name {
		return identity{}, "invalid_target", errors.New("The target service indicated by the \"audience\" parameters is invalid.")
	}
	claims, err := c.bench.Verify(form.Get("subject_token"), c.lock.Audience())
	switch {
	case err != nil:
		return identity{}, "invalid_grant", errors.New("The audience or the issuer in ID Token does not match, or it is stale.")
	case c.used[claims.ID]:
		return identity{}, "invalid_grant", errors.New("the token was seen before")
	}
	c.used[claims.ID] = true
	id, why, _ := c.lock.identity(claims)
	if why != "" {
		return identity{}, "invalid_request", errors.New("The size of mapped attribute google.subject exceeds the 127 bytes limit.")
	}
	if outcome, _ := c.lock.conditionOutcome(id); outcome != 1 {
		return identity{}, "unauthorized_client", errors.New("The given credential is rejected by the attribute condition.")
	}
	return id, "", nil
}

// cut gives a token with an access boundary.
func (c *cloud) cut(w http.ResponseWriter, form url.Values) {
	t, ok := c.tokens[form.Get("subject_token")]
	var options struct {
		AccessBoundary struct {
			Rules []struct {
				Resource    string   `json:"availableResource"`
				Permissions []string `json:"availablePermissions"`
			} `json:"accessBoundaryRules"`
		} `json:"accessBoundary"`
	}
	err := json.Unmarshal([]byte(form.Get("options")), &options)
	rules := options.AccessBoundary.Rules
	if !ok || err != nil || len(rules) == 0 || len(rules) > 10 || !strings.HasPrefix(rules[0].Resource, "//storage.googleapis.com/projects/_/buckets/") || len(rules[0].Permissions) == 0 {
		oauthError(w, http.StatusBadRequest, "invalid_request", "")
		return
	}
	t.boundary = form.Get("options")
	c.reply(w, t, t.account == "")
}

func (c *cloud) reply(w http.ResponseWriter, t held, lifetime bool) {
	out := map[string]any{"access_token": c.issue(t), "issued_token_type": typeAccess, "token_type": "Bearer"}
	if lifetime {
		out["expires_in"] = int(t.expires.Sub(c.bench.Cloud.Now()) / time.Second)
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (c *cloud) issue(t held) string {
	token := fmt.Sprintf("%s-%d", canary, len(c.tokens)+1)
	c.tokens[token] = t
	return token
}

func (c *cloud) ofAccount(w http.ResponseWriter, r *http.Request, account, method string) {
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	t, ok := c.tokens[bearer]
	var ask struct {
		Delegates []string `json:"delegates"`
		Scope     []string `json:"scope"`
		Lifetime  string   `json:"lifetime"`
		Audience  string   `json:"audience"`
	}
	if !ok || !c.bench.Cloud.Now().Before(t.expires) {
		googleError(w, http.StatusUnauthorized, "UNAUTHENTICATED")
		return
	}
	if json.NewDecoder(r.Body).Decode(&ask) != nil {
		googleError(w, http.StatusBadRequest, "INVALID_ARGUMENT")
		return
	}
	if bound, _ := c.lock.bound(t.identity); bound != yes || account == middleman && !slices.Equal(ask.Delegates, []string{"projects/-/serviceAccounts/" + testAccount}) {
		googleError(w, http.StatusForbidden, "PERMISSION_DENIED")
		return
	}
	life, err := time.ParseDuration(ask.Lifetime)
	switch {
	case method == "generateIdToken" && ask.Audience != "":
		_ = json.NewEncoder(w).Encode(map[string]string{"token": c.idToken(account, ask.Audience)})
	case method != "generateAccessToken" || err != nil || life > c.longest || len(ask.Scope) == 0:
		googleError(w, http.StatusBadRequest, "INVALID_ARGUMENT")
	default:
		t.account, t.expires = account, c.bench.Cloud.Now().Add(life)
		_ = json.NewEncoder(w).Encode(map[string]string{"accessToken": c.issue(t), "expireTime": t.expires.Format(time.RFC3339)})
	}
}

// idToken is unsigned but for the look of it: whoever it is for verifies it, not stint.
func (c *cloud) idToken(account, audience string) string {
	now := c.bench.Cloud.Now()
	token := jwt(map[string]any{"iss": "https://accounts.google.com", "sub": "1122334455", "aud": audience, "email": account,
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix()})
	c.tokens[token] = held{account: account}
	return token
}

// secrets are the tokens that the stand-in gave out, and what its errors say.
func (c *cloud) secrets() []string { return []string{canary, canaryText} }

func (c *cloud) trade(t *testing.T, p oidc.Provider, ttl time.Duration) (*oidc.Credential, error) {
	t.Helper()
	return providertest.Trade(t, c.bench, p, ttl, c.secrets()...)
}
