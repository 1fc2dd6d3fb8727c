package gcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
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
	canaryRefresh = "canary-refresh-token"
	canaryAccess  = "ya29.canary-access-token"
)

var liveRepository = trust.Repository{Name: "acme/site", ID: "456789", OwnerID: "123456"}

// A project is Google's IAM, and the token service that its login asks.
type project struct {
	*providertest.Server
	clock            *providertest.Clock
	account          string
	provider, policy string // "" when there is none
	logins           int
}

func newProject(t *testing.T) *project {
	t.Helper()
	p := &project{clock: providertest.NewClock(), account: testAccount}
	p.Server = providertest.NewServer(t, http.HandlerFunc(p.serveIAM))
	tokens := providertest.NewServer(t, http.HandlerFunc(p.serveToken))
	file := filepath.Join(t.TempDir(), "login.json")
	login, err := json.Marshal(map[string]string{"type": "authorized_user", "client_id": "x", "client_secret": "y",
		"refresh_token": canaryRefresh, "token_uri": tokens.URL + "/token", "quota_project_id": "my-project"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, login, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", file)
	t.Setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "")
	return p
}

func (p *project) serveToken(w http.ResponseWriter, r *http.Request) {
	if p.logins++; r.PostFormValue("refresh_token") != canaryRefresh {
		http.Error(w, "who are you", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":3599}`, canaryAccess)
}

func (p *project) serveIAM(w http.ResponseWriter, r *http.Request) {
	reply := ""
	switch r.Method + " " + r.URL.RequestURI() {
	case "GET /v1/" + testProvider:
		reply = p.provider
	case "POST /v1/projects/-/serviceAccounts/" + p.account + ":getIamPolicy?options.requestedPolicyVersion=3":
		reply = p.policy
	}
	switch {
	case r.Header.Get("Authorization") != "Bearer "+canaryAccess || r.Header.Get("X-Goog-User-Project") != "my-project":
		http.Error(w, `{"error":{"status":"UNAUTHENTICATED"}}`, http.StatusUnauthorized)
	case reply == "":
		w.Header().Set("X-Request-Id", "77aa")
		http.Error(w, `{"error":{"code":404,"status":"NOT_FOUND","message":"canary-message"}}`, http.StatusNotFound)
	default:
		fmt.Fprint(w, reply)
	}
}

func (p *project) read(ctx context.Context, g *grant.Grant, call time.Duration) ([]trust.Document, error) {
	s, err := targetSettings(g, g.Targets[0])
	if err != nil {
		return nil, err
	}
	opts := Options{Now: p.clock.Now, Sleep: p.clock.Sleep, Rand: func() float64 { return 0.5 }}
	r := poolReader{settings: s, opts: opts.WithDefaults(), address: p.URL, timeout: call}
	return r.read(ctx)
}

// withLock gives the project the lock of a grant.
func (p *project) withLock(t *testing.T, g *grant.Grant) {
	t.Helper()
	lock, err := renderLock(g, g.Targets[0], liveRepository)
	if err != nil {
		t.Fatal(err)
	}
	p.provider, p.policy = lock.Documents[0].Body, lock.Documents[1].Body
}

func TestLiveDriftIsThatOfTheFile(t *testing.T) {
	for block, account := range map[string]string{
		"service-account: " + testAccount: testAccount,
		"service-account: " + testAccount + ", delegates: [first@my-project.iam.gserviceaccount.com]": "first@my-project.iam.gserviceaccount.com",
		"endpoint: http://127.0.0.1:9": "", // nothing is sent there
	} {
		g := providertest.Grant(t, Name, "15m", "{ provider: "+testProvider+", "+block+" }")
		for class, change := range map[string]func(p *project){
			"":             func(*project) {},
			trust.Wider:    func(p *project) { p.change(t, "attributeCondition", "assertion.repository_owner == 'acme'") },
			trust.DeadLock: func(p *project) { p.change(t, "attributeCondition", "assertion.ref == 'refs/heads/next'") },
		} {
			p := newProject(t)
			p.account = account
			p.withLock(t, g)
			if change(p); class == trust.Wider {
				p.policy = strings.NewReplacer("principal:", "principalSet:", "/subject/repo:acme/site:environment:production", "/attribute.repository/acme/site").Replace(p.policy)
			}
			live, err := p.read(t.Context(), g, wire.CallTimeout)
			if err != nil {
				t.Fatalf("%s, %q: %v", block, class, err)
			}
			export := "[" + p.provider + "," + p.policy + "]"
			if account == "" {
				export = p.provider
			}
			file, err := findLocks("export.json", []byte(export))
			if err != nil {
				t.Fatal(err)
			}
			got := trusttest.SameDrift(t, Trust, g, liveRepository, live, file)
			if class == "" && len(got) > 0 || class != "" && !slices.Contains(got, class) {
				t.Errorf("%s, %q: found %v", block, class, got)
			}
			if p.logins != 1 || live[0].Path != testProvider {
				t.Errorf("%d logins for %q", p.logins, live[0].Path)
			}
		}
	}
}

// change sets one member of the provider.
func (p *project) change(t *testing.T, name, value string) {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(p.provider), &object); err != nil {
		t.Fatal(err)
	}
	object[name] = value
	b, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	p.provider = string(b)
}

// An account that nobody may act as has a policy without bindings.
func TestLiveReadOfAnAccountThatNobodyIsBoundTo(t *testing.T) {
	p := newProject(t)
	g := providertest.Grant(t, Name, "15m", "{ provider: "+testProvider+", service-account: "+testAccount+" }")
	p.withLock(t, g)
	p.policy = `{"version":1,"etag":"ACAB"}`
	docs, err := p.read(t.Context(), g, wire.CallTimeout)
	if err != nil {
		t.Fatal(err)
	}
	if found := trusttest.Drift(t, Trust, g, liveRepository, docs[0]); len(found) != 1 || found[0].Class != trust.DeadLock {
		t.Errorf("found %+v", found)
	}
}

func TestLiveReadFails(t *testing.T) {
	p := newProject(t)
	g := providertest.Grant(t, Name, "15m", "{ provider: "+testProvider+", service-account: "+testAccount+" }")
	p.withLock(t, g)
	secrets := []string{canaryRefresh, canaryAccess, "canary-message"}
	providertest.Reading{Server: p.Server, Clock: p.clock, Right: "iam.googleapis.com/workloadIdentityPoolProviders.get", Secrets: secrets,
		Read: func(ctx context.Context, call time.Duration) error {
			_, err := p.read(ctx, g, call)
			return err
		}}.Fails(t)
	for want, set := range map[string]func(*testing.T){
		"iam.serviceAccounts.getIamPolicy": func(*testing.T) {
			p.Script(providertest.Fault{}, providertest.Fault{Status: 403, Body: `{"error":{"status":"PERMISSION_DENIED","message":"canary-message"}}`})
		},
		"compare provider: and service-account:": func(*testing.T) { p.policy = "" },
		"look for a proxy":                       func(t *testing.T) { p.change(t, "name", strings.Replace(testProvider, "github", "other", 1)) },
		"gcloud auth application-default login":  func(t *testing.T) { t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "none.json") },
	} {
		t.Run(want, func(t *testing.T) { // the next one has its own environment
			p.withLock(t, g)
			set(t)
			_, err := p.read(t.Context(), g, wire.CallTimeout)
			var e *oidc.Error
			if !errors.As(err, &e) || e.Stage != oidc.StageRead || !strings.Contains(e.Hint, want) {
				t.Errorf("want %q, got %+v", want, err)
			}
			providertest.Silent(t, secrets, err)
		})
	}
}
