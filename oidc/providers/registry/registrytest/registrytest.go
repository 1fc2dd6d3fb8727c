// Package registrytest is the test that every package registry has to pass: against a
// stand-in that takes an id-token once, it trades, hands over, ends, explains what was
// refused and takes no block that is wrong. The tests of a registry say what is its own:
// shapes, names, texts.
package registrytest

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/registry"
	"github.com/stint-dev/stint/oidc/providertest"
)

// A Suite is what one registry has of its own. All fields but Issued are needed.
type Suite struct {
	// Name is the key of its block in a grant.
	Name     string
	New      func(*grant.Target, *grant.Grant, registry.Options) (oidc.Provider, error)
	NewEnder func(registry.Options) registry.Ender

	// Canary is the token in the replies, for which all output is searched.
	Canary string
	// TTL is that of the grant, and how long the token lives.
	TTL time.Duration
	// Desk makes the stand-in, which answers a POST with a reply of a recorded shape. Its
	// bench is set here.
	Desk func() *providertest.Desk
	// Keys are those of the block for the stand-in, without its endpoint, in flow style.
	Keys string

	// Vars are the variables of the hand-over; one that is not the Canary is public.
	Vars map[string]string
	// Issued checks what else there is to see of a good exchange; nil for nothing.
	Issued func(t *testing.T, s *providertest.Server, c *oidc.Credential)
	// Revokes is set where a token is taken back, which the registry's own test shows.
	Revokes bool
	// Refusals are recorded ones, with a part of the hint that explains each.
	Refusals map[providertest.Answer]string

	// Least is a block that names no more than it must, and Audience what its tokens are for.
	Least, Audience string
	// Refused are blocks that New refuses, with a part of its message.
	Refused map[string]string
}

// Run runs the whole suite.
func (s Suite) Run(t *testing.T) {
	t.Run("exchange", s.exchange)
	if !s.Revokes {
		t.Run("end claims no more than is true", s.end)
	}
	t.Run("refusals", s.refusals)
	t.Run("defaults are the registry's own", s.defaults)
	t.Run("new refuses", s.newRefuses)
}

// Open gives the stand-in, and the provider of a grant for it.
func (s Suite) Open(t *testing.T) (*providertest.Bench, *providertest.Server, oidc.Provider) {
	t.Helper()
	b, desk := providertest.NewBench(t), s.Desk()
	desk.Bench, desk.Method = b, http.MethodPost
	server := providertest.NewServer(t, desk)
	p, err := s.make(t, "{ "+s.Keys+", endpoint: "+server.URL+" }", registry.Options{Now: b.Now, Sleep: b.Sleep})
	if err != nil {
		t.Fatal(err)
	}
	return b, server, p
}

func (s Suite) make(t *testing.T, block string, opts registry.Options) (oidc.Provider, error) {
	t.Helper()
	g := providertest.Grant(t, s.Name, fmt.Sprintf("%dm", int(s.TTL.Minutes())), block)
	return s.New(g.Targets[0], g, opts)
}

// Trade exchanges at a stand-in of [Suite.Open], and looks for secrets in what may be shown.
func (s Suite) Trade(t *testing.T, b *providertest.Bench, p oidc.Provider) (*oidc.Credential, error) {
	t.Helper()
	return providertest.Trade(t, b, p, s.TTL, s.Canary)
}

func (s Suite) exchange(t *testing.T) {
	b, server, p := s.Open(t)
	c, err := s.Trade(t, b, p)
	if err != nil {
		t.Fatal(err)
	}
	if got := providertest.Vars(c); !maps.Equal(got, s.Vars) {
		t.Errorf("variables %v", got)
	}
	for _, v := range c.Vars {
		if v.Public == (v.Value.Reveal() == s.Canary) {
			t.Errorf("%s public: %v", v.Name, v.Public)
		}
	}
	if until := providertest.Start.Add(s.TTL); !c.Expires.Equal(until) || c.Handle.Provider != s.Name {
		t.Errorf("credential %+v", c)
	}
	if len(server.Requests()) != 1 {
		t.Errorf("%d calls", len(server.Requests()))
	}
	if s.Issued != nil {
		s.Issued(t, server, c)
	}
}

func (s Suite) end(t *testing.T) {
	b, server, p := s.Open(t)
	c, err := s.Trade(t, b, p)
	if err != nil {
		t.Fatal(err)
	}
	calls := len(server.Requests())
	if e := p.End(t.Context(), c.Handle); e.Outcome != oidc.Expires || !e.At.Equal(c.Expires) || c.Handle.Revoke != "" {
		t.Errorf("ending %+v", e)
	}
	b.Pass(s.TTL)
	if e := s.NewEnder(registry.Options{Now: b.Now}).End(t.Context(), c.Handle); e.Outcome != oidc.Expired || len(server.Requests()) != calls {
		t.Errorf("ending %+v after %d calls", e, len(server.Requests()))
	}
}

// A refusal is explained, with the claims that were presented, and never tried again.
func (s Suite) refusals(t *testing.T) {
	for answer, want := range s.Refusals {
		b, server, p := s.Open(t)
		server.Script(providertest.Fault{Status: answer.Status, Body: answer.Body})
		_, err := s.Trade(t, b, p)
		var e *oidc.Error
		if !errors.As(err, &e) || e.Status != answer.Status || !strings.Contains(e.Hint, want) || !strings.Contains(e.Hint, "presented: repository") {
			t.Errorf("%d %s: want %q, got %+v", answer.Status, answer.Body, want, err)
		}
		if len(server.Requests()) != 1 || len(b.Tokens()) != 1 {
			t.Errorf("%d calls with %d tokens", len(server.Requests()), len(b.Tokens()))
		}
	}
}

func (s Suite) defaults(t *testing.T) {
	p, err := s.make(t, s.Least, registry.Options{})
	if err != nil || p.Name() != s.Name || p.Audience() != s.Audience {
		t.Errorf("%v %v", p, err)
	}
}

func (s Suite) newRefuses(t *testing.T) {
	for block, want := range s.Refused {
		_, err := s.make(t, block, registry.Options{})
		var e *oidc.Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, want) || e.Hint == "" {
			t.Errorf("%s: want %q, got %v", block, want, err)
		}
	}
}
