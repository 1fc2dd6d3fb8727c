package pypi

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

const canary = "pypi-canaryMacaroon0123456789"

// reply has the shape of a recorded one.
const reply = `{"success":true,"token":"` + canary + `","expires":1795263300}`

// open gives a stand-in that answers reply, and the provider of a grant for it.
func open(t *testing.T) (*providertest.Bench, *providertest.Server, oidc.Provider) {
	t.Helper()
	b := providertest.NewBench(t)
	desk := &providertest.Desk{Bench: b, Method: http.MethodPost, Path: "/_/oidc/mint-token",
		Audience: "testpypi", Field: "token", Status: http.StatusOK, Reply: reply}
	s := providertest.NewServer(t, desk)
	g := providertest.Grant(t, Name, "15m", "{ package: acme-site, audience: testpypi, endpoint: "+s.URL+" }")
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
	want := map[string]string{
		"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": canary, "UV_PUBLISH_TOKEN": canary,
		"FLIT_USERNAME": "__token__", "FLIT_PASSWORD": canary, "HATCH_INDEX_USER": "__token__", "HATCH_INDEX_AUTH": canary,
		"PDM_PUBLISH_USERNAME": "__token__", "PDM_PUBLISH_PASSWORD": canary, "POETRY_PYPI_TOKEN_PYPI": canary,
	}
	if got := providertest.Vars(c); !maps.Equal(got, want) {
		t.Errorf("variables %v", got)
	}
	if until := providertest.Start.Add(15 * time.Minute); !c.Expires.Equal(until) || c.Handle.Provider != Name {
		t.Errorf("credential %+v", c)
	}
	for _, v := range c.Vars {
		if v.Public != (v.Value.Reveal() == "__token__") {
			t.Errorf("%s public: %v", v.Name, v.Public)
		}
	}
	if len(s.Requests()) != 1 || c.Facts[registry.FactExpiry] != "" {
		t.Errorf("%d calls, facts %v", len(s.Requests()), c.Facts)
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
		{Status: 422, Body: `{"message":"Token request failed","errors":[{"code":"invalid-publisher","description":"` + canary + `"}]}`}: "no trusted publisher of the project matches",
		{Status: 422, Body: `{"errors":[{"code":"invalid-token"}]}`}:                                                                     "another audience",
		{Status: 422, Body: `{"errors":[{"code":"invalid-reuse-token"}]}`}:                                                               "used before",
		{Status: 422, Body: `{"errors":[{"code":"invalid-pending-publisher"}]}`}:                                                         "pending publisher",
		{Status: 422, Body: `{"errors":[{"code":"not-enabled"}]}`}:                                                                       "switched off",
		{Status: 422, Body: `{"errors":[{"code":"invalid-payload"}]}`}:                                                                   "could not read",
		{Status: 422, Body: `{"errors":[{"code":"` + canary + `!"}]}`}:                                                                   "most likely first",
		{Status: 403, Body: canary}: "most likely first",
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
	if err != nil || p.Name() != Name || p.Audience() != "pypi" {
		t.Errorf("%v %v", p, err)
	}
}

func TestNewRefuses(t *testing.T) {
	for block, want := range map[string]string{
		"{ }":                                "not the name",
		"{ package: -x }":                    "not the name",
		"{ package: acme-site, project: x }": "project",
	} {
		g := providertest.Grant(t, Name, "15m", block)
		_, err := New(g.Targets[0], g, Options{})
		var e *oidc.Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, want) || e.Hint == "" {
			t.Errorf("%s: %v", block, err)
		}
	}
}
