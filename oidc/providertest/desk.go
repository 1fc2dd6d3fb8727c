package providertest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
)

// A Desk is a stand-in with one window: it takes an id-token that it has not seen
// before, verifies it, and gives the recorded reply.
type Desk struct {
	Bench *Bench
	// Method and Path are where it is; Audience is whose tokens it takes.
	Method, Path, Audience string
	// Field is the member of the JSON body that holds the id-token; "" is the bearer.
	Field string
	// Status and Reply are the answer to a good token.
	Status int
	Reply  string
	// Other serves what is not at Path; nil answers 404.
	Other http.Handler

	mu   sync.Mutex
	used map[string]bool
}

// ServeHTTP answers 404 for what it does not know, 403 for a token that it does not
// take and 409 for one that it has taken.
func (d *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != d.Method || r.URL.EscapedPath() != d.Path {
		if d.Other != nil {
			d.Other.ServeHTTP(w, r)
			return
		}
		http.NotFound(w, r)
		return
	}
	c, err := d.Bench.Verify(d.token(r), d.Audience)
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusForbidden)
	case d.used[c.ID]:
		http.Error(w, "seen", http.StatusConflict)
	default:
		if d.used == nil {
			d.used = map[string]bool{}
		}
		d.used[c.ID] = true
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(d.Status)
		_, _ = io.WriteString(w, d.Reply)
	}
}

func (d *Desk) token(r *http.Request) string {
	if d.Field == "" {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		return token
	}
	var body map[string]any
	_ = json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&body)
	token, _ := body[d.Field].(string)
	return token
}

// Trade exchanges and verifies, and looks for the id-tokens and the other secrets in
// all that may be shown of it.
func Trade(t *testing.T, b *Bench, p oidc.Provider, ttl time.Duration, secrets ...string) (*oidc.Credential, error) {
	t.Helper()
	c, err := p.Exchange(t.Context(), b.Request(ttl))
	if err == nil {
		err = p.Verify(c, b.Request(ttl))
	}
	secrets = append(b.Tokens(), secrets...)
	if err != nil {
		Silent(t, secrets, err)
		return nil, err
	}
	Silent(t, secrets, Shown(c)...)
	return c, nil
}

// Vars are the variables of a credential by their names, with their values. A test
// compares them; nothing else may see them.
func Vars(c *oidc.Credential) map[string]string {
	vars := map[string]string{}
	for _, v := range c.Vars {
		vars[v.Name] = v.Value.Reveal()
	}
	return vars
}
