package crates

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/registry"
	"github.com/stint-dev/stint/oidc/providers/registry/registrytest"
	"github.com/stint-dev/stint/oidc/providertest"
)

const canary = "cio_tp_canaryToken0123456789"

// reply has the shape of a recorded one.
const reply = `{"token":"` + canary + `"}`

var suite = registrytest.Suite{
	Name: Name, New: New, NewEnder: NewEnder, Canary: canary, TTL: 30 * time.Minute,
	Desk: func() *providertest.Desk {
		return &providertest.Desk{Path: tokens, Audience: "crates.example", Field: "jwt", Status: http.StatusOK, Reply: reply,
			Other: http.HandlerFunc(takeBack)}
	},
	Keys: "package: acme-site, audience: crates.example",
	Vars: map[string]string{"CARGO_REGISTRY_TOKEN": canary},
	Issued: func(t *testing.T, _ *providertest.Server, c *oidc.Credential) {
		if c.Facts[registry.FactExpiry] == "" {
			t.Errorf("facts %v", c.Facts)
		}
	},
	Revokes: true,
	Refusals: map[providertest.Answer]string{
		{Status: 400, Body: said("No Trusted Publishing config found for repository `x`.")}: "no trusted publisher",
		{Status: 400, Body: said("does not match the repository owner ID (1)")}:             "another account",
		{Status: 400, Body: said("does not match the workflow filename `x`")}:               "another workflow file",
		{Status: 400, Body: said("requires an environment, but")}:                           "another environment",
		{Status: 400, Body: said("JWT has already been used")}:                              "used before",
		{Status: 400, Body: said("Unsupported JWT issuer: x")}:                              "own issuer",
		{Status: 400, Body: said("Failed to decode JWT")}:                                   "another audience",
		{Status: 400, Body: said("triggered by this event")}:                                "by this event",
		{Status: 403, Body: canary}:                                                         "most likely first",
	},
	Least: "{ package: acme-site }", Audience: host,
	Refused: map[string]string{
		"{ }":                        "not the name",
		"{ package: 1acme }":         "not the name",
		"{ package: acme, user: x }": "user",
	},
}

func TestCrates(t *testing.T) { suite.Run(t) }

func TestTokenIsTakenBack(t *testing.T) {
	b, s, p := suite.Open(t)
	c, err := suite.Trade(t, b, p)
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
	b.Pass(suite.TTL)
	if e := p.End(t.Context(), c.Handle); e.Outcome != oidc.Expired {
		t.Errorf("ending %+v", e)
	}
}

// takeBack is the stand-in's window for tokens that come back.
func takeBack(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodDelete && r.URL.Path == tokens && r.Header.Get("Authorization") == "Bearer "+canary {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	http.Error(w, canary, http.StatusUnauthorized)
}

// said is a refusal in the registry's shape.
func said(detail string) string { return `{"errors":[{"detail":"` + detail + " " + canary + `"}]}` }
