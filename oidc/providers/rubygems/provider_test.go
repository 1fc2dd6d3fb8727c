package rubygems

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

const canary = "rubygems_canaryKey0123456789"

// reply has the shape of a recorded one.
const reply = `{"rubygems_api_key":"` + canary + `","name":"GitHub Actions acme/site","scopes":["push_rubygem"],"gem":null,"expires_at":"2026-11-21T12:15:00.000Z"}`

var suite = registrytest.Suite{
	Name: Name, New: New, NewEnder: NewEnder, Canary: canary, TTL: 15 * time.Minute,
	Desk: func() *providertest.Desk {
		return &providertest.Desk{Path: "/api/v1/oidc/trusted_publisher/exchange_token",
			Audience: "gems.example", Field: "jwt", Status: http.StatusCreated, Reply: reply}
	},
	Keys: "package: acme-site, audience: gems.example",
	Vars: map[string]string{"GEM_HOST_API_KEY": canary},
	Issued: func(t *testing.T, _ *providertest.Server, c *oidc.Credential) {
		if c.Facts[registry.FactRights] != "push_rubygem" || c.Identity != "" {
			t.Errorf("identity %q, facts %v", c.Identity, c.Facts)
		}
	},
	Refusals: map[providertest.Answer]string{
		{Status: 404, Body: canary}: "no trusted publisher matches",
		{Status: 401, Body: canary}: "most likely first",
	},
	Least: "{ package: acme-site }", Audience: host,
	Refused: map[string]string{
		"{ }":                    "not the name",
		"{ package: a/b }":       "not the name",
		"{ package: a, gem: b }": "gem",
	},
}

func TestRubyGems(t *testing.T) { suite.Run(t) }

// A key for another gem, or for more than pushing, goes no further.
func TestVerifyHoldsTheReplyAgainstTheGrant(t *testing.T) {
	for answer, want := range map[string]string{
		`{"rubygems_api_key":"` + canary + `","gem":"other","scopes":["push_rubygem"]}`:                       "pkg:gem/other",
		`{"rubygems_api_key":"` + canary + `","scopes":["push_rubygem","yank_rubygem"]}`:                      "yank_rubygem",
		`{"rubygems_api_key":"` + canary + `","expires_at":"2026-11-22T12:15:00Z","scopes":["push_rubygem"]}`: "longer than the ttl",
	} {
		b, s, p := suite.Open(t)
		s.Script(providertest.Fault{Status: 201, Body: answer})
		if _, err := suite.Trade(t, b, p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
	b, s, p := suite.Open(t)
	s.Script(providertest.Fault{Status: 201, Body: `{"rubygems_api_key":"` + canary + `","gem":"acme-site","scopes":["push_rubygem"]}`})
	if c, err := suite.Trade(t, b, p); err != nil || c.Identity != "pkg:gem/acme-site" {
		t.Errorf("%v %v", c, err)
	}
}
