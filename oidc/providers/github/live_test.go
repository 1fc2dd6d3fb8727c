package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/wire"
	"github.com/stint-dev/stint/oidc/providertest"
	"github.com/stint-dev/stint/oidc/trust"
	"github.com/stint-dev/stint/oidc/trust/trusttest"
)

const canaryPersonal = "ghp_canaryPersonalToken"

// A host has one file of one repository, for the bearer of the token.
type host struct {
	*providertest.Server
	clock        *providertest.Clock
	path, policy string
}

func newHost(t *testing.T) *host {
	t.Helper()
	h := &host{clock: providertest.NewClock(), path: "/repos/acme/infra/contents/.github/chainguard/release.sts.yaml"}
	h.Server = providertest.NewServer(t, h)
	for _, name := range []string{"GITHUB_TOKEN", "GH_HOST", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"} {
		t.Setenv(name, "")
	}
	t.Setenv("GH_TOKEN", canaryPersonal)
	return h
}

func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Github-Request-Id", "AB12:34")
	if r.Method+" "+r.URL.RequestURI() != "GET "+h.path || r.Header.Get("Authorization") != "Bearer "+canaryPersonal ||
		r.Header.Get("Accept") != "application/vnd.github.raw+json" {
		http.Error(w, `{"message":"Not Found canary-message"}`, http.StatusNotFound)
		return
	}
	fmt.Fprint(w, h.policy)
}

func liveGrant(t *testing.T, more string) *grant.Grant {
	t.Helper()
	return providertest.Grant(t, Name, "1h", "{ scope: acme/infra, identity: release, permissions: { contents: read }"+more+" }")
}

func (h *host) read(ctx context.Context, g *grant.Grant, call time.Duration) ([]trust.Document, error) {
	s, err := targetSettings(g, g.Targets[0])
	if err != nil {
		return nil, err
	}
	opts := Options{Now: h.clock.Now, Sleep: h.clock.Sleep, Rand: func() float64 { return 0.5 }}
	r := policyReader{settings: s, address: h.URL, opts: opts.WithDefaults(), timeout: call}
	return r.read(ctx)
}

func TestLiveDriftIsThatOfTheFile(t *testing.T) {
	h, g := newHost(t), liveGrant(t, "")
	lock, err := renderSTS(g, g.Targets[0], trust.Repository{Name: "acme/site"})
	if err != nil {
		t.Fatal(err)
	}
	fits := lock.Documents[0].Body
	for class, policy := range map[string]string{
		"":             fits,
		trust.Wider:    "issuer: https://token.actions.githubusercontent.com\nsubject_pattern: 'repo:acme/site:.*'\npermissions:\n  contents: read\n",
		trust.DeadLock: strings.Replace(fits, "environment:production", "environment:Production", 1),
	} {
		h.policy = policy
		live, err := h.read(t.Context(), g, wire.CallTimeout)
		if err != nil {
			t.Fatal(err)
		}
		file, err := findSTS("infra/"+octoDirectory+"release.sts.yaml", []byte(policy))
		if err != nil {
			t.Fatal(err)
		}
		got := trusttest.SameDrift(t, Trust, g, trust.Repository{Name: "acme/site"}, live, file)
		if class == "" && len(got) > 0 || class != "" && !slices.Contains(got, class) {
			t.Errorf("%q: found %v", class, got)
		}
		if live[0].Path != "acme/infra/.github/chainguard/release.sts.yaml" {
			t.Errorf("path %q", live[0].Path)
		}
	}
}

// The policy of an organization lies in its repository .github.
func TestLiveReadOfAnOrganization(t *testing.T) {
	h := newHost(t)
	h.path, h.policy = "/repos/acme/.github/contents/.github/chainguard/release.sts.yaml", "permissions: {}\n"
	g := providertest.Grant(t, Name, "1h", "{ scope: acme, identity: release, repositories: [site], permissions: { contents: read } }")
	docs, err := h.read(t.Context(), g, wire.CallTimeout)
	if err != nil || docs[0].Path != "acme/.github/.github/chainguard/release.sts.yaml" {
		t.Errorf("%+v, %v", docs, err)
	}
}

// A token goes to the server that it is for, whatever a grant names.
func TestLiveReadSendsTheTokenToItsOwnServer(t *testing.T) {
	h := newHost(t)
	g := liveGrant(t, ", api: "+h.URL+"/api/v3")
	for _, set := range []func(){
		func() {},
		func() { t.Setenv("GH_ENTERPRISE_TOKEN", canaryPersonal) },
		func() { t.Setenv("GH_HOST", "github.acme.example") },
	} {
		set()
		_, err := ReadLive(t.Context(), g, g.Targets[0], Options{})
		var e *oidc.Error
		if !errors.As(err, &e) || !strings.Contains(e.Hint, "GH_HOST=") {
			t.Errorf("got %+v", err)
		}
		providertest.Silent(t, []string{canaryPersonal}, err)
	}
	if n := len(h.Requests()); n > 0 {
		t.Fatalf("%d requests were sent", n)
	}
	h.path, h.policy = "/api/v3"+h.path, "permissions: {}\n"
	t.Setenv("GH_HOST", strings.TrimPrefix(h.URL, "http://"))
	if _, err := ReadLive(t.Context(), g, g.Targets[0], Options{}); err != nil {
		t.Errorf("the server that GH_HOST names: %v", err)
	}
	own := providertest.Grant(t, Name, "1h", "{ app: Iv1.x, installation: \"7\", key-file: /run/keys/app.pem, repositories: [site], permissions: { contents: read } }")
	if _, err := ReadLive(t.Context(), own, own.Targets[0], Options{}); err == nil || !strings.Contains(err.Error(), "own key") {
		t.Errorf("an app with its own key: %v", err)
	}
}

func TestLiveReadFails(t *testing.T) {
	h, g := newHost(t), liveGrant(t, "")
	h.policy = "permissions: {}\n"
	secrets := []string{canaryPersonal, "canary-message"}
	read := func(ctx context.Context, call time.Duration) error {
		_, err := h.read(ctx, g, call)
		return err
	}
	providertest.Reading{Server: h.Server, Clock: h.clock, Right: "contents: read on acme/infra", Secrets: secrets, Read: read}.Fails(t)
	h.path = "/elsewhere"
	err := read(t.Context(), wire.CallTimeout)
	var e *oidc.Error
	if !errors.As(err, &e) || e.RequestID == "" || !strings.Contains(e.Hint, "contents: read") {
		t.Errorf("got %+v", err)
	}
	providertest.Silent(t, secrets, err)
	h.Script(providertest.Fault{Status: 403, RetryAfter: "2"})
	h.path = "/repos/acme/infra/contents/.github/chainguard/release.sts.yaml"
	if err := read(t.Context(), wire.CallTimeout); err != nil {
		t.Errorf("a limit that is used up was not waited for: %v", err)
	}
}
