package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providertest"
	"github.com/stint-dev/stint/oidc/sandbox"
	"github.com/stint-dev/stint/oidc/trust"
	"github.com/stint-dev/stint/oidc/trust/trusttest"
)

const readerRole = "arn:aws:iam::111122223333:role/reader"

// The trust policies of the role, by what drift must call them.
var liveTrusts = map[string]string{
	"":      trustFor(`"token.actions.githubusercontent.com:sub":"repo:acme/site:ref:refs/heads/main","token.actions.githubusercontent.com:job_workflow_ref":"acme/site/.github/workflows/deploy.yml@refs/heads/main"`),
	"wider": trustFor(`"token.actions.githubusercontent.com:repository":"acme/site"`),
	"dead":  trustFor(`"token.actions.githubusercontent.com:sub":"repo:acme/site:environment:production"`),
}

func trustFor(conditions string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
		"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com",` + conditions + `}}}]}`
}

// liveGrant is about a role of the account.
func liveGrant(t *testing.T, role string) *grant.Grant {
	t.Helper()
	return parseGrant(t, "      role: "+role+"\n      region: eu-west-1\n      allow: [{ actions: [s3:PutObject], resources: [\"arn:aws:s3:::site/*\"] }]\n")
}

// alone leaves no credentials of this machine but those that the test sets.
func alone(t *testing.T, endpoint string) {
	t.Helper()
	nowhere := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": nowhere, "AWS_SHARED_CREDENTIALS_FILE": nowhere, "AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "",
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_WEB_IDENTITY_TOKEN_FILE": "",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI": "", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "", "AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_IAM": endpoint,
	} {
		t.Setenv(name, value)
	}
}

// An account is a sandbox whose IAM verifies signatures, with an engineer's session.
func account(t *testing.T, actions string, roles map[string]string) {
	t.Helper()
	list := []sandbox.Role{{ARN: readerRole, Trust: trustFor(`"token.actions.githubusercontent.com:repository":"acme/site"`),
		Policies: []string{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":` + actions + `,"Resource":"*"}]}`}}}
	for arn, text := range roles {
		list = append(list, sandbox.Role{ARN: arn, Trust: text})
	}
	box, err := sandbox.New(sandbox.Options{Roles: list})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	alone(t, box.STSURL())
	env, err := box.Env(sandbox.Job{Repository: "acme/site", Ref: "refs/heads/main", WorkflowPath: ".github/workflows/deploy.yml"})
	if err != nil {
		t.Fatal(err)
	}
	source := oidc.NewRunner(oidc.RunnerOptions{Getenv: func(k string) string { return env[k] }, AllowLoopback: true})
	g := parseGrant(t, "      role: "+readerRole+"\n      region: eu-west-1\n      endpoint: "+box.STSURL()+"\n")
	p, err := New(g.Targets[0], g, Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.Exchange(t.Context(), oidc.Request{Source: source, TTL: 15 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range c.Vars {
		t.Setenv(v.Name, v.Value.Reveal())
	}
}

func TestLiveDriftIsThatOfTheFile(t *testing.T) {
	roles := map[string]string{}
	for class, text := range liveTrusts {
		roles["arn:aws:iam::111122223333:role/team/site-"+class+"x"] = text
	}
	account(t, `["iam:GetRole","iam:GetOpenIDConnectProvider"]`, roles)
	for class, text := range liveTrusts {
		t.Run("class "+class, func(t *testing.T) {
			arn := "arn:aws:iam::111122223333:role/team/site-" + class + "x"
			g := liveGrant(t, arn)
			live, err := ReadLive(t.Context(), g, g.Targets[0], Options{})
			if err != nil {
				t.Fatal(err)
			}
			if live[0].Path != arn {
				t.Errorf("path %q", live[0].Path)
			}
			file, err := findTrust("role.json", []byte(`{"Role":{"RoleName":"x","AssumeRolePolicyDocument":`+text+`}}`))
			if err != nil {
				t.Fatal(err)
			}
			got := trusttest.SameDrift(t, Trust, g, trust.Repository{Name: "acme/site"}, live, file)
			if class == "" && len(got) > 0 || class != "" && !slices.Contains(got, class) {
				t.Errorf("found %v", got)
			}
		})
	}
}

func TestLiveReadNeedsTheRightsThatItNames(t *testing.T) {
	arn := "arn:aws:iam::111122223333:role/site"
	g := liveGrant(t, arn)
	for actions, want := range map[string]string{
		`"iam:GetOpenIDConnectProvider"`: "iam:GetRole on " + arn,
		`"iam:GetRole"`:                  "iam:GetOpenIDConnectProvider on arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com",
	} {
		account(t, actions, map[string]string{arn: liveTrusts[""]})
		_, err := ReadLive(t.Context(), g, g.Targets[0], Options{})
		var e *oidc.Error
		if !errors.As(err, &e) || e.Code != "AccessDenied" || e.RequestID == "" || !strings.Contains(e.Hint, want) {
			t.Errorf("with %s: %+v", actions, err)
		}
	}
	account(t, `"iam:*"`, nil)
	_, err := ReadLive(t.Context(), g, g.Targets[0], Options{})
	var e *oidc.Error
	if !errors.As(err, &e) || e.Code != "NoSuchEntity" || !strings.Contains(e.Message, `has no role "site"`) {
		t.Errorf("a role that is not there: %+v", err)
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", canarySecret) // the sandbox verifies the signature
	_, err = ReadLive(t.Context(), g, g.Targets[0], Options{})
	if !errors.As(err, &e) || e.Code != "SignatureDoesNotMatch" || !strings.Contains(e.Hint, "log in") {
		t.Errorf("a wrong key: %+v", err)
	}
	checkSilent(t, err)
}

// A provider that does not list the audience, or is not there, lets nobody in.
func TestLiveReadKnowsTheProvidersAudiences(t *testing.T) {
	for name, ids := range map[string]string{"other": `<member>elsewhere</member>`, "none": "", "ours": "<member>x</member><member>sts.amazonaws.com</member>"} {
		iam := newIAM(t, testRole, liveTrusts[""], ids)
		found := liveDrift(t, iam, testRole)
		if dead := len(found) == 1 && found[0].Class == trust.DeadLock && strings.Contains(found[0].Message, "client id"); dead == (name == "ours") {
			t.Errorf("%s: %+v", name, found)
		}
	}
	gone := newIAM(t, testRole, liveTrusts[""], "")
	gone.noProvider = true
	if found := liveDrift(t, gone, testRole); len(found) != 1 || found[0].Class != trust.DeadLock {
		t.Errorf("no provider: %+v", found)
	}
}

func liveDrift(t *testing.T, iam *fakeIAM, arn string) []trust.Finding {
	t.Helper()
	g := liveGrant(t, arn)
	docs, err := iam.read(t.Context(), g, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return trusttest.Drift(t, Trust, g, trust.Repository{Name: "acme/site"}, docs[0])
}

// GetRole takes a name: the role of another account has its own lock.
func TestLiveReadRefusesTheRoleOfAnotherAccount(t *testing.T) {
	iam := newIAM(t, strings.Replace(testRole, "111122223333", "444455556666", 1), liveTrusts[""], "")
	g := liveGrant(t, testRole)
	_, err := iam.read(t.Context(), g, time.Minute)
	var e *oidc.Error
	if !errors.As(err, &e) || !strings.Contains(e.Message, "444455556666") || !strings.Contains(e.Hint, "account 111122223333") {
		t.Errorf("got %+v", err)
	}
	iam = newIAM(t, testRole, `{"Statement":`, "")
	docs, err := iam.read(t.Context(), g, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parseTrust(docs[0]); err == nil {
		t.Error("half a policy was read")
	}
}

func TestLiveReadWithoutALogin(t *testing.T) {
	iam := newIAM(t, testRole, liveTrusts[""], "")
	alone(t, iam.URL)
	g := liveGrant(t, testRole)
	_, err := ReadLive(t.Context(), g, g.Targets[0], Options{})
	var e *oidc.Error
	if !errors.As(err, &e) || e.Stage != oidc.StageRead || !strings.Contains(e.Hint, "aws sso login") || len(iam.Requests()) > 0 {
		t.Errorf("got %+v after %d requests", err, len(iam.Requests()))
	}
}

func TestLiveReadFails(t *testing.T) {
	iam := newIAM(t, testRole, liveTrusts[""], "<member>sts.amazonaws.com</member>")
	g := liveGrant(t, testRole)
	providertest.Reading{Server: iam.Server, Clock: iam.clock, Right: "iam:GetRole on " + testRole, Secrets: []string{canarySecret, canarySession, canaryBody},
		Read: func(ctx context.Context, call time.Duration) error {
			_, err := iam.read(ctx, g, call)
			return err
		}}.Fails(t)
	iam.Script(providertest.Fault{Status: 400, Body: errorReply(400, "Throttling", canaryBody).body})
	if _, err := iam.read(t.Context(), g, time.Minute); err != nil {
		t.Errorf("throttling was not waited for: %v", err)
	}
	iam.Script(providertest.Fault{Status: 403, Body: errorReply(403, "ExpiredToken", canaryBody).body})
	_, err := iam.read(t.Context(), g, time.Minute)
	checkSilent(t, err)
	var e *oidc.Error
	if !errors.As(err, &e) || e.Code != "ExpiredToken" || e.RequestID != "req-1" || !strings.Contains(e.Message, "does not take the credentials") {
		t.Errorf("got %+v", err)
	}
}

// A fakeIAM answers in IAM's shape to whoever signs with the test's key.
type fakeIAM struct {
	*providertest.Server
	clock           *providertest.Clock
	arn, trust, ids string
	noProvider      bool
}

func newIAM(t *testing.T, arn, trust, ids string) *fakeIAM {
	t.Helper()
	f := &fakeIAM{clock: providertest.NewClock(), arn: arn, trust: trust, ids: ids}
	f.Server = providertest.NewServer(t, f)
	alone(t, f.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", testKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", canarySecret)
	t.Setenv("AWS_SESSION_TOKEN", canarySession)
	return f
}

func (f *fakeIAM) read(ctx context.Context, g *grant.Grant, call time.Duration) ([]trust.Document, error) {
	s, err := targetSettings(g, g.Targets[0])
	if err != nil {
		return nil, err
	}
	opts := Options{Now: f.clock.Now, Sleep: f.clock.Sleep, Rand: func() float64 { return 0.5 }}
	r := iamReader{role: s.role, opts: opts.WithDefaults(), timeout: call}
	return r.read(ctx, s.Region)
}

func (f *fakeIAM) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || !strings.Contains(r.Header.Get("Authorization"), "Credential="+testKeyID+"/") ||
		!strings.Contains(r.Header.Get("Authorization"), "/iam/aws4_request") || r.Header.Get("X-Amz-Security-Token") != canarySession {
		http.Error(w, "not signed", http.StatusForbidden)
		return
	}
	name := r.PostForm.Get("Action")
	body := "<Role><Arn>" + f.arn + "</Arn><RoleName>x</RoleName><MaxSessionDuration>3600</MaxSessionDuration><AssumeRolePolicyDocument>" +
		url.PathEscape(f.trust) + "</AssumeRolePolicyDocument></Role>"
	switch {
	case name == "GetOpenIDConnectProvider" && f.noProvider:
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, errorReply(404, "NoSuchEntity", canaryBody).body)
		return
	case name == "GetOpenIDConnectProvider":
		body = "<Url>token.actions.githubusercontent.com</Url><ClientIDList>" + f.ids + "</ClientIDList>"
	}
	w.Header().Set("Content-Type", "text/xml")
	fmt.Fprintf(w, `<%[1]sResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>`, name, body)
}

// What a live read adds to a role survives a file, so that its output can be kept.
func TestProvidersOfAnExport(t *testing.T) {
	body, err := json.Marshal(roleExport{RoleName: "x", AssumeRolePolicyDocument: []byte(liveTrusts[""]),
		Providers: []providerExport{{URL: gitHubProvider, ClientIDs: []string{"elsewhere"}}}})
	if err != nil {
		t.Fatal(err)
	}
	docs, err := findTrust("role.json", body)
	if err != nil || len(docs) != 1 {
		t.Fatalf("%v, %v", docs, err)
	}
	p, err := parseTrust(docs[0])
	if err != nil {
		t.Fatal(err)
	}
	c := oidc.Claims{Issuer: "https://" + gitHubProvider, Audience: []string{"sts.amazonaws.com"}, Values: map[string]string{
		"aud": "sts.amazonaws.com", "sub": testSubject, "event_name": "push"}}
	if a := p.Decide(c); a.Admits || !a.Exact {
		t.Errorf("admitted a token for an audience that the account does not take: %+v", a)
	}
}
