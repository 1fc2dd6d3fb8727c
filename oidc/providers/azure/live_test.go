package azure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/wire"
	"github.com/stint-dev/stint/oidc/providertest"
	"github.com/stint-dev/stint/oidc/trust"
	"github.com/stint-dev/stint/oidc/trust/trusttest"
)

const (
	liveTenant   = "11111111-2222-3333-4444-555555555555"
	liveClient   = "66666666-7777-8888-9999-aaaaaaaaaaaa"
	liveIdentity = "/subscriptions/bbbbbbbb-cccc-dddd-eeee-ffffffffffff/resourcegroups/web/providers/Microsoft.ManagedIdentity/userAssignedIdentities/site-deploy"
	canaryLogin  = "canary-login-token"
)

// A directory is Graph and Resource Manager on one server. It takes the token that its
// login gave out for the service, which is told by the path.
type directory struct {
	*providertest.Server
	clock     *providertest.Clock
	app       string // credentials of the application, "" when there is none
	identity  string // those of the identity
	principal string // what Graph says of it
	fails     error  // of the login
	scopes    []string
}

func newDirectory(t *testing.T) *directory {
	t.Helper()
	d := &directory{clock: providertest.NewClock(),
		principal: `{"servicePrincipalType":"ManagedIdentity","alternativeNames":["isExplicit=True","` + liveIdentity + `"]}`}
	d.Server = providertest.NewServer(t, d)
	return d
}

// GetToken gives a token that names its scope.
func (d *directory) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	d.scopes = append(d.scopes, o.Scopes...)
	return azcore.AccessToken{Token: canaryLogin + "-" + url.QueryEscape(o.Scopes[0])}, d.fails
}

func (d *directory) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	reply, service, version := "", d.URL+"/graph", ""
	switch r.URL.Path {
	case "/graph/beta/applications(appId='" + liveClient + "')/federatedIdentityCredentials":
		reply = d.app
	case "/graph/v1.0/servicePrincipals(appId='" + liveClient + "')":
		reply = d.principal
	case "/manager" + liveIdentity + "/federatedIdentityCredentials":
		reply, service, version = d.identity, d.URL+"/manager", identityAPI
	}
	switch {
	case r.Header.Get("Authorization") != "Bearer "+canaryLogin+"-"+url.QueryEscape(service+"/.default") || r.URL.Query().Get("api-version") != version:
		http.Error(w, "who are you", http.StatusUnauthorized)
	case reply == "":
		w.Header().Set("Request-Id", "5b5c")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"error":{"code":"Request_ResourceNotFound","message":"canary-message"}}`)
	default:
		fmt.Fprint(w, reply)
	}
}

func liveGrant(t *testing.T) *grant.Grant {
	t.Helper()
	return providertest.Grant(t, Name, "90m", "{ tenant: "+liveTenant+", client-id: "+liveClient+" }")
}

// read asks the directory, below whose address Graph and Resource Manager are.
func (d *directory) read(ctx context.Context, t *testing.T, g *grant.Grant, call time.Duration) ([]trust.Document, error) {
	t.Helper()
	s, err := targetSettings(g, g.Targets[0])
	if err != nil {
		return nil, err
	}
	s.graph, s.manager = d.URL+"/graph", d.URL+"/manager"
	opts := Options{Now: d.clock.Now, Sleep: d.clock.Sleep, Rand: func() float64 { return 0.5 }}
	r := credentialReader{settings: s, opts: opts.WithDefaults(), timeout: call, login: d}
	return r.read(ctx)
}

func listOf(credentials ...string) string {
	return `{"@odata.context":"https://graph.microsoft.com/beta/$metadata","value":[` + strings.Join(credentials, ",") + `]}`
}

func TestLiveDriftIsThatOfTheFile(t *testing.T) {
	d, g := newDirectory(t), liveGrant(t)
	lock, err := renderFederated(g, g.Targets[0], trust.Repository{Name: "acme/site"})
	if err != nil || len(lock.Documents) != 1 {
		t.Fatalf("%d documents, %v", len(lock.Documents), err)
	}
	fits := lock.Documents[0].Body
	for class, body := range map[string]string{
		"":             fits,
		trust.Wider:    `{"name":"org","issuer":"https://token.actions.githubusercontent.com","audiences":["api://AzureADTokenExchange"],"claimsMatchingExpression":{"value":"claims['sub'] matches 'repo:acme/*'","languageVersion":1}}`,
		trust.DeadLock: strings.Replace(fits, "environment:production", "environment:Production", 1),
	} {
		file, err := findFederated("credentials.json", []byte(listOf(body)))
		if err != nil {
			t.Fatal(err)
		}
		for where, set := range map[string]func(){
			"application": func() { d.app, d.identity = listOf(body), "" },
			"identity": func() {
				d.app, d.identity = "", `{"value":[{"id":"x","name":"org","type":"Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials","properties":`+body+`}]}`
			},
		} {
			set()
			live, err := d.read(t.Context(), t, g, wire.CallTimeout)
			if err != nil {
				t.Fatalf("%s of %s: %v", class, where, err)
			}
			got := trusttest.SameDrift(t, Trust, g, trust.Repository{Name: "acme/site"}, live, file)
			if class == "" && len(got) > 0 || class != "" && !slices.Contains(got, class) {
				t.Errorf("%q of %s: found %v", class, where, got)
			}
		}
	}
	if !slices.Contains(d.scopes, d.URL+"/manager/.default") {
		t.Errorf("tokens for %v", d.scopes)
	}
}

// Any of the credentials admits: one for another job makes the lock wider, and two that
// are needed together are not called narrower each.
func TestLiveCredentialsAreOneLock(t *testing.T) {
	d := newDirectory(t)
	g := providertest.GrantFor(t, "{ workflow: .github/workflows/release.yml, refs: [refs/heads/main, refs/heads/stable], events: [push], repository: acme/site }",
		Name, "90m", "{ tenant: "+liveTenant+", client-id: "+liveClient+" }")
	lock, err := renderFederated(g, g.Targets[0], trust.Repository{Name: "acme/site"})
	if err != nil || len(lock.Documents) != 2 {
		t.Fatalf("%d documents, %v", len(lock.Documents), err)
	}
	both := []string{lock.Documents[0].Body, lock.Documents[1].Body}
	drift := func(bodies ...string) []trust.Finding {
		d.app = listOf(bodies...)
		docs, err := d.read(t.Context(), t, g, wire.CallTimeout)
		if err != nil {
			t.Fatal(err)
		}
		return trusttest.Drift(t, Trust, g, trust.Repository{Name: "acme/site"}, docs[0])
	}
	if found := drift(both...); len(found) > 0 {
		t.Errorf("what was rendered: %+v", found)
	}
	if found := drift(both[0]); len(found) == 0 || found[0].Class != trust.Narrower {
		t.Errorf("one of two: %+v", found)
	}
	other := strings.Replace(both[0], "acme/site:ref", "acme/other:ref", 1)
	if found := drift(append(both, other)...); len(found) == 0 || found[0].Class != trust.Wider || found[0].Witness["repository"] != "acme/other" {
		t.Errorf("with a credential of another repository: %+v", found)
	}
}

func TestLiveReadSaysWhatIsNotThere(t *testing.T) {
	for want, set := range map[string]func(*directory){
		"has no federated credential:":     func(d *directory) { d.app = listOf() },
		"has no federated credentials of":  func(d *directory) { d.principal = "" },
		"neither an application of tenant": func(d *directory) { d.principal = `{"servicePrincipalType":"Application","alternativeNames":[]}` },
		"neither an application of": func(d *directory) {
			d.principal = `{"servicePrincipalType":"ManagedIdentity","alternativeNames":["/subscriptions/x/../../../secrets"]}`
		},
		"answered something that is not":          func(d *directory) { d.app = `{"value":null}` },
		"no credentials of azure were found here": func(d *directory) { d.fails = errors.New(canaryLogin) },
	} {
		d := newDirectory(t)
		set(d)
		_, err := d.read(t.Context(), t, liveGrant(t), wire.CallTimeout)
		var e *oidc.Error
		if !errors.As(err, &e) || e.Stage != oidc.StageRead || !strings.Contains(e.Message, want) {
			t.Errorf("want %q, got %+v", want, err)
		}
		providertest.Silent(t, []string{canaryLogin, "canary-message"}, err)
	}
}

func TestLiveReadFails(t *testing.T) {
	d, g := newDirectory(t), liveGrant(t)
	d.app = listOf(`{"name":"a","issuer":"https://token.actions.githubusercontent.com","subject":"x","audiences":["y"]}`)
	reading := providertest.Reading{Server: d.Server, Clock: d.clock, Right: "Application.Read.All", Secrets: []string{canaryLogin},
		Read: func(ctx context.Context, call time.Duration) error {
			_, err := d.read(ctx, t, g, call)
			return err
		}}
	reading.Fails(t)
	d.app, d.identity = "", "{}"
	d.Script(providertest.Fault{}, providertest.Fault{}, providertest.Fault{Status: 403, Body: `{"error":{"code":"AuthorizationFailed","message":"` + canaryLogin + `"}}`})
	_, err := d.read(t.Context(), t, g, wire.CallTimeout)
	var e *oidc.Error
	if !errors.As(err, &e) || e.Code != "AuthorizationFailed" || !strings.Contains(e.Hint, managerRight) {
		t.Errorf("got %+v", err)
	}
	providertest.Silent(t, []string{canaryLogin}, err)
}

// The grant's own endpoint is where the exchange is; a login goes to the cloud's.
func TestLiveReadIgnoresTheGrantsEndpoint(t *testing.T) {
	d := newDirectory(t)
	g := providertest.Grant(t, Name, "90m", "{ tenant: "+liveTenant+", client-id: "+liveClient+", cloud: usgov, endpoint: "+d.URL+" }")
	s, err := targetSettings(g, g.Targets[0])
	if err != nil || s.graph != "https://graph.microsoft.us" || s.manager != "https://management.usgovcloudapi.net" || s.authority != "login.microsoftonline.us" {
		t.Errorf("%+v, %v", s, err)
	}
}
