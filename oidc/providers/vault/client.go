package vault

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	vaultapi "github.com/hashicorp/vault/api"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// A server is one Vault or OpenBao, as far as a call needs to know it.
type server struct {
	address   string
	namespace string
	ca        string // PEM, "" for the system's
	opts      wire.Options
	timeout   time.Duration // of one call; 0 is the usual one
}

// client returns the module's client for one stage, with a token or none. Nothing of it
// is from VAULT_* variables.
func (s server) client(stage oidc.Stage, run oidc.Run, token oidc.Secret) (*vaultapi.Client, error) {
	defer withoutVariables()()
	c, err := vaultapi.NewClient(&vaultapi.Config{
		Address: s.address,
		HttpClient: &http.Client{Transport: &transport{
			caller: wire.Caller{Options: s.opts, Stage: stage, Run: run, Timeout: s.timeout},
		}},
		Timeout:          wire.CallTimeout,
		DisableRedirects: true,
		// The loop around the exchange takes a fresh id-token each time.
		CheckRetry: func(context.Context, *http.Response, error) (bool, error) { return false, nil },
	})
	if err != nil {
		return nil, &oidc.Error{Stage: stage, Message: "vault's own client cannot be made", Hint: "report this"}
	}
	c.SetWrappingLookupFunc(func(string, string) string { return "" }) // else VAULT_WRAP_TTL says
	c.SetHeaders(http.Header{"X-Vault-Request": {"true"}})
	if s.namespace != "" {
		c.SetNamespace(s.namespace)
	}
	c.ClearToken()
	if !token.IsZero() {
		c.SetToken(token.Reveal())
	}
	return c, nil
}

var variables sync.Mutex

// withoutVariables takes the VAULT_* variables from the process until the function that
// it returns is called. The module reads them whatever it is given, and makes no client
// where it cannot: a step that sets one would keep post from revoking.
func withoutVariables() (restore func()) {
	variables.Lock()
	taken := map[string]string{}
	for _, entry := range os.Environ() {
		if name, value, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "VAULT_") {
			taken[name] = value
			_ = os.Unsetenv(name)
		}
	}
	return func() {
		for name, value := range taken {
			_ = os.Setenv(name, value)
		}
		variables.Unlock()
	}
}

// withRoots makes the transport trust the grant's own certificate.
func (s *settings) withRoots(o wire.Options) wire.Options {
	if s.roots == nil {
		return o
	}
	base, ok := o.Transport.(*http.Transport)
	if !ok {
		return o
	}
	own := base.Clone()
	if own.TLSClientConfig == nil {
		own.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	own.TLSClientConfig.RootCAs = s.roots
	o.Transport = own
	return o
}

// A transport carries the module's calls: bounded, without redirects. Whatever is not
// a success is an error, so that no text of the other side goes any further.
type transport struct {
	caller wire.Caller
}

// RoundTrip sends one request.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	reply, err := t.caller.Do(r.Context(), r)
	if err != nil {
		return nil, err
	}
	if !reply.Good() {
		return nil, newRefusal(reply)
	}
	return reply.Response(r), nil
}

// A refusal is an answer that is no success. Its texts are compared, never shown.
type refusal struct {
	reply *wire.Reply
	texts []string
}

func newRefusal(reply *wire.Reply) *refusal {
	var body struct {
		Errors []string `json:"errors"`
	}
	r := &refusal{reply: reply}
	if json.Unmarshal(reply.Body, &body) == nil {
		r.texts = body.Errors
	}
	return r
}

// Error names the status only.
func (r *refusal) Error() string { return fmt.Sprintf("status %d", r.reply.Status) }

// refusedWith returns the refusal in an error of the module, nil for another failure.
func refusedWith(err error) *refusal {
	var r *refusal
	if errors.As(err, &r) {
		return r
	}
	return nil
}
