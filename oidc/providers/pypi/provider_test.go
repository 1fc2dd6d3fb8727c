package pypi

import (
	"net/http"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/registry"
	"github.com/stint-dev/stint/oidc/providers/registry/registrytest"
	"github.com/stint-dev/stint/oidc/providertest"
)

const canary = "pypi-canaryMacaroon0123456789"

// reply has the shape of a recorded one.
const reply = `{"success":true,"token":"` + canary + `","expires":1795263300}`

func TestPyPI(t *testing.T) {
	registrytest.Suite{
		Name: Name, New: New, NewEnder: NewEnder, Canary: canary, TTL: 15 * time.Minute,
		Desk: func() *providertest.Desk {
			return &providertest.Desk{Path: "/_/oidc/mint-token", Audience: "testpypi", Field: "token", Status: http.StatusOK, Reply: reply}
		},
		Keys: "package: acme-site, audience: testpypi",
		Vars: map[string]string{
			"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": canary, "UV_PUBLISH_TOKEN": canary,
			"FLIT_USERNAME": "__token__", "FLIT_PASSWORD": canary, "HATCH_INDEX_USER": "__token__", "HATCH_INDEX_AUTH": canary,
			"PDM_PUBLISH_USERNAME": "__token__", "PDM_PUBLISH_PASSWORD": canary, "POETRY_PYPI_TOKEN_PYPI": canary,
		},
		Issued: func(t *testing.T, _ *providertest.Server, c *oidc.Credential) {
			if c.Facts[registry.FactExpiry] != "" {
				t.Errorf("facts %v", c.Facts)
			}
		},
		Refusals: map[providertest.Answer]string{
			{Status: 422, Body: `{"message":"Token request failed","errors":[{"code":"invalid-publisher","description":"` + canary + `"}]}`}: "no trusted publisher of the project matches",
			{Status: 422, Body: `{"errors":[{"code":"invalid-token"}]}`}:                                                                     "another audience",
			{Status: 422, Body: `{"errors":[{"code":"invalid-reuse-token"}]}`}:                                                               "used before",
			{Status: 422, Body: `{"errors":[{"code":"invalid-pending-publisher"}]}`}:                                                         "pending publisher",
			{Status: 422, Body: `{"errors":[{"code":"not-enabled"}]}`}:                                                                       "switched off",
			{Status: 422, Body: `{"errors":[{"code":"invalid-payload"}]}`}:                                                                   "could not read",
			{Status: 422, Body: `{"errors":[{"code":"` + canary + `!"}]}`}:                                                                   "most likely first",
			{Status: 403, Body: canary}: "most likely first",
		},
		Least: "{ package: acme-site }", Audience: "pypi",
		Refused: map[string]string{
			"{ }":                                "not the name",
			"{ package: -x }":                    "not the name",
			"{ package: acme-site, project: x }": "project",
		},
	}.Run(t)
}
