package crates

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

const canary = "cio_tp_canaryToken0123456789"

// reply has the shape of a recorded one.
const reply = `{"token":"` + canary + `"}`

// open gives a stand-in that answers reply, and the provider of a grant for it.
func open(t *testing.T) (*providertest.Bench, *providertest.Server, oidc.Provider) {
	t.Helper()
	b := providertest.NewBench(t)
	desk := &providertest.Desk{Bench: b, Method: http.MethodPost, Path: tokens,
		Audience: "crates.example", Field: "jwt", Status: http.StatusOK, Reply: reply}
	desk.Other = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete && r.URL.Path == tokens && r.Header.Get("Authorization") == "Bearer "+canary {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		http.Error(w, canary, http.StatusUnauthorized)
	})
	s := providertest.NewServer(t, desk)
	g := providertest.Grant(t, Name, "30m", "{ package: acme-site, audience: crates.example, endpoint: "+s.URL+" }")
	p, err := New(g.Targets[0], g, Options{Now: b.Now, Sleep: b.Sleep})
	if err != nil {
		t.Fatal(err)
	}
	return b, s, p
}

func TestExchange(t *testing.T) {
	b, s, p := open(t)
	c, err := providertest.Trade(t, b, p, 30*time.Minute, canary)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"CARGO_REGISTRY_TOKEN": canary}
	if got := providertest.Vars(c); !maps.Equal(got, want) {
		t.Errorf("variables %v", got)
	}
	if until := providertest.Start.Add(30 * time.Minute); !c.Expires.Equal(until) || c.Handle.Provider != Name {
		t.Errorf("credential %+v", c)
	}
	if len(s.Requests()) != 1 || c.Facts[registry.FactExpiry] == "" {
		t.Errorf("%d calls, facts %v", len(s.Requests()), c.Facts)
	}
}

func TestTokenIsTakenBack(t *testing.T) {
	b, s, p := open(t)
	c, err := providertest.Trade(t, b, p, 30*time.Minute, canary)
	if err != nil {
		t.Fatal(err)
	}
	e := NewEnder(Options{Now: b.Now, Sleep: b.Sleep}).End(t.Context(), c.Handle)
	if e.Outcome != oidc.Revoked || len(s.Requests()) != 2 || s.Requests()[1].Method != http.MethodDelete {
		t.Errorf("ending %+v after %d calls", e, len(s.Requests()))
	}
	c.Handle.Revoke = "another"
	if e := p.End(t.Context(), c.Handle); e.Outcome != oidc.Open || strings.Contains(e.Detail, canary) {
		t.Errorf("a token that the registry does not know: %+v", e)
	}
	b.Pass(30 * time.Minute)
	if e := p.End(t.Context(), c.Handle); e.Outcome != oidc.Expired {
		t.Errorf("ending %+v", e)
	}
}

// The explanations of the recorded refusals.
func TestRefusals(t *testing.T) {
	for answer, want := range map[providertest.Answer]string{
		{Status: 400, Body: said("No Trusted Publishing config found for repository `x`.")}: "no trusted publisher",
		{Status: 400, Body: said("does not match the repository owner ID (1)")}:             "another account",
		{Status: 400, Body: said("does not match the workflow filename `x`")}:               "another workflow file",
		{Status: 400, Body: said("requires an environment, but")}:                           "another environment",
		{Status: 400, Body: said("JWT has already been used")}:                              "used before",
		{Status: 400, Body: said("Unsupported JWT issuer: x")}:                              "own issuer",
		{Status: 400, Body: said("Failed to decode JWT")}:                                   "another audience",
		{Status: 400, Body: said("triggered by this event")}:                                "by this event",
		{Status: 403, Body: canary}:                                                         "most likely first",
	} {
		b, s, p := open(t)
		s.Script(providertest.Fault{Status: answer.Status, Body: answer.Body})
		_, err := providertest.Trade(t, b, p, 30*time.Minute, canary)
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
	g := providertest.Grant(t, Name, "30m", "{ package: acme-site }")
	p, err := New(g.Targets[0], g, Options{})
	if err != nil || p.Name() != Name || p.Audience() != host {
		t.Errorf("%v %v", p, err)
	}
}

func TestNewRefuses(t *testing.T) {
	for block, want := range map[string]string{
		"{ }":                        "not the name",
		"{ package: 1acme }":         "not the name",
		"{ package: acme, user: x }": "user",
	} {
		g := providertest.Grant(t, Name, "30m", block)
		_, err := New(g.Targets[0], g, Options{})
		var e *oidc.Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, want) || e.Hint == "" {
			t.Errorf("%s: %v", block, err)
		}
	}
}

// said is a refusal in the registry's shape.
func said(detail string) string { return `{"errors":[{"detail":"` + detail + " " + canary + `"}]}` }
