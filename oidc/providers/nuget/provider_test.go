package nuget

import (
	"net/http"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/registry/registrytest"
	"github.com/stint-dev/stint/oidc/providertest"
)

const canary = "oy2canaryKey0123456789"

// reply has the shape of a recorded one.
const reply = `{"tokenType":"ApiKey","expires":"2026-11-21T13:00:00Z","apiKey":"` + canary + `"}`

func TestNuGet(t *testing.T) {
	registrytest.Suite{
		Name: Name, New: New, NewEnder: NewEnder, Canary: canary, TTL: time.Hour,
		Desk: func() *providertest.Desk {
			return &providertest.Desk{Path: "/api/v2/token", Audience: "gallery.example", Field: "", Status: http.StatusOK, Reply: reply}
		},
		Keys: "package: Acme.Site, user: acme, audience: gallery.example",
		Vars: map[string]string{"NUGET_API_KEY": canary},
		Issued: func(t *testing.T, s *providertest.Server, _ *oidc.Credential) {
			if body := s.Bodies()[0]; body != `{"tokenType":"ApiKey","username":"acme"}` || s.Requests()[0].Header.Get("User-Agent") == "" {
				t.Errorf("sent %s", body)
			}
		},
		Refusals: map[providertest.Answer]string{
			{Status: 401, Body: `{"error":"` + canary + `"}`}: "another account",
			{Status: 400, Body: canary}:                       "most likely first",
		},
		Least: "{ package: Acme.Site, user: acme }", Audience: origin,
		Refused: map[string]string{
			"{ package: Acme.Site }":                "not the name of an account",
			"{ package: Acme.Site, user: \"a b\" }": "not the name of an account",
			"{ package: a..b, user: acme }":         "not the name of one",
			"{ package: A, user: acme, owner: x }":  "owner",
		},
	}.Run(t)
}
