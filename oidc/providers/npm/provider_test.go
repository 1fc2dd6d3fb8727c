package npm

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/registry/registrytest"
	"github.com/stint-dev/stint/oidc/providertest"
)

const canary = "npm_canaryToken0123456789"

// reply has the shape of a recorded one.
const reply = `{"token_type":"oidc","token":"` + canary + `","created":"2026-11-21T12:00:00.000Z","expires":"2026-11-21T13:00:00.000Z"}`

func TestNpm(t *testing.T) {
	registrytest.Suite{
		Name: Name, New: New, NewEnder: NewEnder, Canary: canary, TTL: time.Hour,
		Desk: func() *providertest.Desk {
			return &providertest.Desk{Path: "/-/npm/v1/oidc/token/exchange/package/@acme%2fsite",
				Audience: "npm:127.0.0.1", Field: "", Status: http.StatusCreated, Reply: reply}
		},
		Keys:   `package: "@acme/site"`,
		Issued: issued,
		Refusals: map[providertest.Answer]string{
			{Status: 404, Body: `{"message":"OIDC token exchange error - package not found ` + canary + `"}`}: "lapsed",
			{Status: 401, Body: `{"message":"` + canary + `"}`}:                                               "no trusted publisher",
		},
		Least: `{ package: "@acme/site" }`, Audience: "npm:" + host,
		Refused: map[string]string{
			"{ }":                             "not the name",
			"{ package: \"@acme\" }":          "not the name",
			"{ package: Acme }":               "not the name",
			"{ package: a, registry: b }":     "registry",
			"{ package: a, endpoint: \"%\" }": "not an url",
		},
	}.Run(t)
}

// issued checks the file of the hand-over, and that the call had no body.
func issued(t *testing.T, s *providertest.Server, c *oidc.Credential) {
	host := strings.TrimPrefix(s.URL, "http://")
	if f := c.Files; len(f) != 1 || f[0].Var != "NPM_CONFIG_USERCONFIG" || f[0].Name != "npmrc" || f[0].Content.Reveal() != "//"+host+"/:_authToken="+canary+"\n" {
		t.Errorf("files %v", f)
	}
	if r := s.Requests()[0]; r.ContentLength != 0 || r.Header.Get("Content-Type") != "" {
		t.Errorf("sent %d bytes of %q", r.ContentLength, r.Header.Get("Content-Type"))
	}
}

func TestTheFileIsForTheRegistryItself(t *testing.T) {
	_, files := npm.HandOver(nil, "", oidc.NewSecret("x"))
	if text := files[0].Content.Reveal(); text != "//"+host+"/:_authToken=x\n" {
		t.Errorf("user configuration %q", text)
	}
}
