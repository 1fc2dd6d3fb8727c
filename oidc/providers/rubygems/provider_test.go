package rubygems

import (
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/registry"
	"github.com/stint-dev/stint/oidc/providertest"
)

const canary = "rubygems_canaryKey0123456789"

// reply has the shape of a recorded one.
const reply = `{"rubygems_api_key":"` + canary + `","name":"GitHub Actions acme/site","scopes":["push_rubygem"],"gem":null,"expires_at":"2026-11-21T12:15:00.000Z"}`

// open gives a stand-in that answers reply, and the provider of a grant for it.
func open(t *testing.T) (*providertest.Bench, *providertest.Server, oidc.Provider) {
	t.Helper()
	b := providertest.NewBench(t)
	desk := &providertest.Desk{Bench: b, Method: http.MethodPost, Path: "/api/v1/oidc/trusted_publisher/exchange_token",
		Audience: "gems.example", Field: "jwt", Status: http.StatusCreated, Reply: reply}
	s := providertest.NewServer(t, desk)
	g := providertest.Grant(t, Name, "15m", "{ package: acme-site, audience: gems.example, endpoint: "+s.URL+" }")
	p, err := New(g.Targets[0], g, Options{Now: b.Now, Sleep: b.Sleep})
	if err != nil {
		t.Fatal(err)
	}
	return b, s, p
}

func TestExchange(t *testing.T) {
	b, s, p := open(t)
	c, err := providertest.Trade(t, b, p, 15*time.Minute, canary)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"GEM_HOST_API_KEY": canary}
	if got := providertest.Vars(c); !maps.Equal(got, want) {
		t.Errorf("variables %v", got)
	}
	if until := providertest.Start.Add(15 * time.Minute); !c.Expires.Equal(until) || c.Handle.Provider != Name {
		t.Errorf("credential %+v", c)
	}
	if len(s.Requests()) != 1 || c.Facts[registry.FactRights] != "push_rubygem" || c.Identity != "" {
		t.Errorf("%d calls, identity %q, facts %v", len(s.Requests()), c.Identity, c.Facts)
	}
}

func TestEndClaimsNoMoreThanIsTrue(t *testing.T) {
	b, s, p := open(t)
	c, err := providertest.Trade(t, b, p, 15*time.Minute, canary)
	if err != nil {
		t.Fatal(err)
	}
	calls := len(s.Requests())
	if e := p.End(t.Context(), c.Handle); e.Outcome != oidc.Expires || !e.At.Equal(c.Expires) || c.Handle.Revoke != "" {
		t.Errorf("ending %+v", e)
	}
	b.Pass(15 * time.Minute)
	if e := NewEnder(Options{Now: b.Now}).End(t.Context(), c.Handle); e.Outcome != oidc.Expired || len(s.Requests()) != calls {
		t.Errorf("ending %+v", e)
	}
}

// The explanations of the recorded refusals.
func TestRefusals(t *testing.T) {
	for answer, want := range map[providertest.Answer]string{
		{Status: 404, Body: canary}: "no trusted publisher matches",
		{Status: 401, Body: canary}: "most likely first",
	} {
		b, s, p := open(t)
		s.Script(providertest.Fault{Status: answer.Status, Body: answer.Body})
		_, err := providertest.Trade(t, b, p, 15*time.Minute, canary)
		var e *oidc.Error
		if !errors.As(err, &e) || e.Status != answer.Status || !strings.Contains(e.Hint, want) || !strings.Contains(e.Hint, "presented: repository") {
			t.Errorf("%d: %+v", answer.Status, err)
		}
		if len(s.Requests()) != 1 || len(b.Tokens()) != 1 {
			t.Errorf("%d calls with %d tokens", len(s.Requests()), len(b.Tokens()))
		}
	}
}

func TestDefaultsAreTheRegistrysOwn(t *testing.T) {
	g := providertest.Grant(t, Name, "15m", "{ package: acme-site }")
	p, err := New(g.Targets[0], g, Options{})
	if err != nil || p.Name() != Name || p.Audience() != host {
		t.Errorf("%v %v", p, err)
	}
}

func TestNewRefuses(t *testing.T) {
	for block, want := range map[string]string{
		"{ }":                    "not the name",
		"{ package: a/b }":       "not the name",
		"{ package: a, gem: b }": "gem",
	} {
		g := providertest.Grant(t, Name, "15m", block)
		_, err := New(g.Targets[0], g, Options{})
		var e *oidc.Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, want) || e.Hint == "" {
			t.Errorf("%s: %v", block, err)
		}
	}
}

// A key for another gem, or for more than pushing, goes no further.
func TestVerifyHoldsTheReplyAgainstTheGrant(t *testing.T) {
	for answer, want := range map[string]string{
		`{"rubygems_api_key":"` + canary + `","gem":"other","scopes":["push_rubygem"]}`:                       "pkg:gem/other",
		`{"rubygems_api_key":"` + canary + `","scopes":["push_rubygem","yank_rubygem"]}`:                      "yank_rubygem",
		`{"rubygems_api_key":"` + canary + `","expires_at":"2026-11-22T12:15:00Z","scopes":["push_rubygem"]}`: "longer than the ttl",
	} {
		b, s, p := open(t)
		s.Script(providertest.Fault{Status: 201, Body: answer})
		if _, err := providertest.Trade(t, b, p, 15*time.Minute, canary); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
	b, s, p := open(t)
	s.Script(providertest.Fault{Status: 201, Body: `{"rubygems_api_key":"` + canary + `","gem":"acme-site","scopes":["push_rubygem"]}`})
	if c, err := providertest.Trade(t, b, p, 15*time.Minute, canary); err != nil || c.Identity != "pkg:gem/acme-site" {
		t.Errorf("%v %v", c, err)
	}
}
