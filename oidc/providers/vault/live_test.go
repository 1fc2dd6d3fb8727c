package vault

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

const (
	gitHubMount = `{"oidc_discovery_url":"https://token.actions.githubusercontent.com","bound_issuer":"https://token.actions.githubusercontent.com","default_role":""}`
	liveRight   = "read on auth/jwt-ci/role/site-deploy and auth/jwt-ci/config"
)

// A liveVault gives a role and its mount's configuration to the bearer of the token.
type liveVault struct {
	*providertest.Server
	clock       *providertest.Clock
	role, mount string
	denied      string // a path that the token's policies do not have
}

func newLiveVault(t *testing.T, role, mount string) *liveVault {
	t.Helper()
	v := &liveVault{clock: providertest.NewClock(), role: role, mount: mount}
	v.Server = providertest.NewServer(t, v)
	for _, name := range []string{"VAULT_CACERT", "VAULT_NAMESPACE", "VAULT_AGENT_ADDR"} {
		t.Setenv(name, "")
	}
	t.Setenv("VAULT_ADDR", v.URL+"/")
	t.Setenv("VAULT_TOKEN", canaryToken)
	return v
}

func (v *liveVault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data := map[string]string{"/v1/auth/jwt-ci/role/site-deploy": v.role, "/v1/auth/jwt-ci/config": v.mount}[r.URL.Path]
	switch {
	case r.Header.Get("X-Vault-Token") != canaryToken || r.Header.Get("X-Vault-Namespace") != "team" || r.URL.Path == v.denied || r.Method != http.MethodGet:
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"errors":["permission denied %s"]}`, canaryBody)
	case data == "":
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"errors":[]}`)
	default:
		fmt.Fprintf(w, `{"request_id":"4b6e","lease_id":"","renewable":false,"lease_duration":0,"data":%s,"wrap_info":null,"warnings":null,"auth":null}`, data)
	}
}

func (v *liveVault) grant(t *testing.T, address string) *grant.Grant {
	t.Helper()
	return providertest.Grant(t, Name, "15m", "{ address: \""+address+"\", audience: \"https://vault.example\", role: site-deploy, mount: jwt-ci, namespace: team, token: true }")
}

func (v *liveVault) read(ctx context.Context, g *grant.Grant, call time.Duration) ([]trust.Document, error) {
	s, err := targetSettings(g, g.Targets[0])
	if err != nil {
		return nil, err
	}
	r := &roleReader{settings: s, timeout: call}
	if err := r.login(Options{Now: v.clock.Now, Sleep: v.clock.Sleep, Rand: func() float64 { return 0.5 }}); err != nil {
		return nil, err
	}
	return r.read(ctx)
}

func TestLiveDriftIsThatOfTheFile(t *testing.T) {
	v := newLiveVault(t, "", gitHubMount)
	g := v.grant(t, v.URL)
	lock, err := renderRole(g, g.Targets[0], trust.Repository{Name: "acme/site"})
	if err != nil {
		t.Fatal(err)
	}
	for class, role := range map[string]string{
		"":             lock.Documents[0].Body,
		trust.Wider:    `{"role_type":"jwt","user_claim":"repository_id","bound_audiences":["https://vault.example"],"bound_claims":{"repository":"acme/site"},"token_ttl":900}`,
		trust.DeadLock: strings.Replace(lock.Documents[0].Body, `"jwt"`, `"oidc"`, 1),
	} {
		v.role = role
		live, err := ReadLive(t.Context(), g, g.Targets[0], Options{})
		if err != nil {
			t.Fatalf("%s: %v", class, err)
		}
		file, err := findRoles("role.json", []byte(`{"data":`+role+`}`))
		if err != nil {
			t.Fatal(err)
		}
		got := trusttest.SameDrift(t, Trust, g, trust.Repository{Name: "acme/site"}, live, file)
		if class == "" && len(got) > 0 || class != "" && !slices.Contains(got, class) {
			t.Errorf("%s: found %v", class, got)
		}
	}
}

// The mount decides by the issuer; a role file knows nothing of it.
func TestLiveReadKnowsTheMount(t *testing.T) {
	for mount, dead := range map[string]bool{
		gitHubMount: false,
		`{"oidc_discovery_url":"https://token.actions.githubusercontent.com/","bound_issuer":""}`:                         false,
		`{"jwt_validation_pubkeys":["x"],"bound_issuer":""}`:                                                              false,
		`{"oidc_discovery_url":"https://login.example"}`:                                                                  true,
		`{"oidc_discovery_url":"https://token.actions.githubusercontent.com","bound_issuer":"https://elsewhere.example"}`: true,
	} {
		v := newLiveVault(t, "", mount)
		g := v.grant(t, v.URL)
		lock, err := renderRole(g, g.Targets[0], trust.Repository{Name: "acme/site"})
		if err != nil {
			t.Fatal(err)
		}
		v.role = lock.Documents[0].Body
		docs, err := v.read(t.Context(), g, wire.CallTimeout)
		if err != nil {
			t.Fatal(err)
		}
		found := trusttest.Drift(t, Trust, g, trust.Repository{Name: "acme/site"}, docs[0])
		if (len(found) == 1 && found[0].Class == trust.DeadLock && strings.Contains(found[0].Message, "mount")) != dead || !dead && len(found) > 0 {
			t.Errorf("%s: %+v", mount, found)
		}
	}
}

func TestLiveReadSendsTheTokenToVaultAddrAlone(t *testing.T) {
	v := newLiveVault(t, testRoleBody, gitHubMount)
	other := newLiveVault(t, testRoleBody, gitHubMount) // VAULT_ADDR is this one's
	for _, address := range []string{v.URL, "https://vault.example"} {
		g := v.grant(t, address)
		_, err := ReadLive(t.Context(), g, g.Targets[0], Options{})
		var e *oidc.Error
		if !errors.As(err, &e) || e.Stage != oidc.StageRead || !strings.Contains(e.Message, "VAULT_ADDR") {
			t.Errorf("%s: %+v", address, err)
		}
		providertest.Silent(t, canaries, err)
	}
	g := other.grant(t, other.URL)
	for _, token := range []string{"", "two words"} {
		t.Setenv("VAULT_TOKEN", token)
		_, err := ReadLive(t.Context(), g, g.Targets[0], Options{})
		var e *oidc.Error
		if !errors.As(err, &e) || !strings.Contains(e.Hint, "vault print token") {
			t.Errorf("without a token: %+v", err)
		}
	}
	t.Setenv("VAULT_TOKEN", canaryToken)
	t.Setenv("VAULT_CACERT", t.TempDir()+"/none.pem")
	if _, err := ReadLive(t.Context(), g, g.Targets[0], Options{}); err == nil || !strings.Contains(err.Error(), "VAULT_ variable") {
		t.Errorf("a certificate that is not there: %v", err)
	}
	if n := len(v.Requests()) + len(other.Requests()); n > 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestLiveReadFails(t *testing.T) {
	v := newLiveVault(t, testRoleBody, gitHubMount)
	g := v.grant(t, v.URL)
	providertest.Reading{Server: v.Server, Clock: v.clock, Right: liveRight, Secrets: canaries,
		Read: func(ctx context.Context, call time.Duration) error {
			_, err := v.read(ctx, g, call)
			return err
		}}.Fails(t)
	v.denied = "/v1/auth/jwt-ci/config"
	_, err := v.read(t.Context(), g, wire.CallTimeout)
	providertest.Silent(t, canaries, err)
	var e *oidc.Error
	if !errors.As(err, &e) || e.Status != http.StatusForbidden || !strings.Contains(e.Message, "jwt-ci/config") || !strings.Contains(e.Hint, liveRight) {
		t.Errorf("got %+v", err)
	}
	v.denied = ""
	v.Script(providertest.Fault{Status: 473}, providertest.Fault{Status: 412})
	if _, err := v.read(t.Context(), g, wire.CallTimeout); err != nil {
		t.Errorf("a standby was not asked again: %v", err)
	}
}
