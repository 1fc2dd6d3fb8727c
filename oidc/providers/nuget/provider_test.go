package nuget

import (
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providertest"
)

const canary = "oy2canaryKey0123456789"

// reply has the shape of a recorded one.
const reply = `{"tokenType":"ApiKey","expires":"2026-11-21T13:00:00Z","apiKey":"` + canary + `"}`

// open gives a stand-in that answers reply, and the provider of a grant for it.
func open(t *testing.T) (*providertest.Bench, *providertest.Server, oidc.Provider) {
	t.Helper()
	b := providertest.NewBench(t)
	desk := &providertest.Desk{Bench: b, Method: http.MethodPost, Path: "/api/v2/token",
		Audience: "gallery.example", Field: "", Status: http.StatusOK, Reply: reply}
	s := providertest.NewServer(t, desk)
	g := providertest.Grant(t, Name, "1h", "{ package: Acme.Site, user: acme, audience: gallery.example, endpoint: "+s.URL+" }")
	p, err := New(g.Targets[0], g, Options{Now: b.Now, Sleep: b.Sleep})
	if err != nil {
		t.Fatal(err)
	}
	return b, s, p
}

func TestExchange(t *testing.T) {
	b, s, p := open(t)
	c, err := providertest.Trade(t, b, p, time.Hour, canary)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"NUGET_API_KEY": canary}
	if got := providertest.Vars(c); !maps.Equal(got, want) {
		t.Errorf("variables %v", got)
	}
	if until := providertest.Start.Add(time.Hour); !c.Expires.Equal(until) || c.Handle.Provider != Name {
		t.Errorf("credential %+v", c)
	}
	if body := s.Bodies()[0]; body != `{"tokenType":"ApiKey","username":"acme"}` || s.Requests()[0].Header.Get("User-Agent") == "" {
		t.Errorf("sent %s", body)
	}
}

func TestEndClaimsNoMoreThanIsTrue(t *testing.T) {
	b, s, p := open(t)
	c, err := providertest.Trade(t, b, p, time.Hour, canary)
	if err != nil {
		t.Fatal(err)
	}
	calls := len(s.Requests())
	if e := p.End(t.Context(), c.Handle); e.Outcome != oidc.Expires || !e.At.Equal(c.Expires) || c.Handle.Revoke != "" {
		t.Errorf("ending %+v", e)
	}
	b.Pass(time.Hour)
	if e := NewEnder(Options{Now: b.Now}).End(t.Context(), c.Handle); e.Outcome != oidc.Expired || len(s.Requests()) != calls {
		t.Errorf("ending %+v", e)
	}
}

// The explanations of the recorded refusals.
func TestRefusals(t *testing.T) {
	for answer, want := range map[providertest.Answer]string{
		{Status: 401, Body: `{"error":"` + canary + `"}`}: "another account",
		{Status: 400, Body: canary}:                       "most likely first",
	} {
		b, s, p := open(t)
		s.Script(providertest.Fault{Status: answer.Status, Body: answer.Body})
		_, err := providertest.Trade(t, b, p, time.Hour, canary)
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
	g := providertest.Grant(t, Name, "1h", "{ package: Acme.Site, user: acme }")
	p, err := New(g.Targets[0], g, Options{})
	if err != nil || p.Name() != Name || p.Audience() != origin {
		t.Errorf("%v %v", p, err)
	}
}

func TestNewRefuses(t *testing.T) {
	for block, want := range map[string]string{
		"{ package: Acme.Site }":                "not the name of an account",
		"{ package: Acme.Site, user: \"a b\" }": "not the name of an account",
		"{ package: a..b, user: acme }":         "not the name of one",
		"{ package: A, user: acme, owner: x }":  "owner",
	} {
		g := providertest.Grant(t, Name, "1h", block)
		_, err := New(g.Targets[0], g, Options{})
		var e *oidc.Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, want) || e.Hint == "" {
			t.Errorf("%s: %v", block, err)
		}
	}
}
