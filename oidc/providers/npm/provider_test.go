package npm

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

const canary = "npm_canaryToken0123456789"

// reply has the shape of a recorded one.
const reply = `{"token_type":"oidc","token":"` + canary + `","created":"2026-11-21T12:00:00.000Z","expires":"2026-11-21T13:00:00.000Z"}`

// open gives a stand-in that answers reply, and the provider of a grant for it.
func open(t *testing.T) (*providertest.Bench, *providertest.Server, oidc.Provider) {
	t.Helper()
	b := providertest.NewBench(t)
	desk := &providertest.Desk{Bench: b, Method: http.MethodPost, Path: "/-/npm/v1/oidc/token/exchange/package/@acme%2fsite",
		Audience: "npm:127.0.0.1", Field: "", Status: http.StatusCreated, Reply: reply}
	s := providertest.NewServer(t, desk)
	g := providertest.Grant(t, Name, "1h", "{ package: \"@acme/site\", endpoint: "+s.URL+" }")
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
	want := map[string]string{}
	if got := providertest.Vars(c); !maps.Equal(got, want) {
		t.Errorf("variables %v", got)
	}
	if until := providertest.Start.Add(time.Hour); !c.Expires.Equal(until) || c.Handle.Provider != Name {
		t.Errorf("credential %+v", c)
	}
	host := strings.TrimPrefix(s.URL, "http://")
	if f := c.Files; len(f) != 1 || f[0].Var != "NPM_CONFIG_USERCONFIG" || f[0].Name != "npmrc" || f[0].Content.Reveal() != "//"+host+"/:_authToken="+canary+"\n" {
		t.Errorf("files %v", f)
	}
	if r := s.Requests()[0]; r.ContentLength != 0 || r.Header.Get("Content-Type") != "" {
		t.Errorf("sent %d bytes of %q", r.ContentLength, r.Header.Get("Content-Type"))
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
		{Status: 404, Body: `{"message":"OIDC token exchange error - package not found ` + canary + `"}`}: "lapsed",
		{Status: 401, Body: `{"message":"` + canary + `"}`}:                                               "no trusted publisher",
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
	g := providertest.Grant(t, Name, "1h", "{ package: \"@acme/site\" }")
	p, err := New(g.Targets[0], g, Options{})
	if err != nil || p.Name() != Name || p.Audience() != "npm:"+host {
		t.Errorf("%v %v", p, err)
	}
	_, files := npm.HandOver(nil, "", oidc.NewSecret("x"))
	if text := files[0].Content.Reveal(); text != "//"+host+"/:_authToken=x\n" {
		t.Errorf("user configuration %q", text)
	}
}

func TestNewRefuses(t *testing.T) {
	for block, want := range map[string]string{
		"{ }":                             "not the name",
		"{ package: \"@acme\" }":          "not the name",
		"{ package: Acme }":               "not the name",
		"{ package: a, registry: b }":     "registry",
		"{ package: a, endpoint: \"%\" }": "not an url",
	} {
		g := providertest.Grant(t, Name, "1h", block)
		_, err := New(g.Targets[0], g, Options{})
		var e *oidc.Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, want) || e.Hint == "" {
			t.Errorf("%s: %v", block, err)
		}
	}
}
