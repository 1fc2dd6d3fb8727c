package lease_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/lease"
	"github.com/stint-dev/stint/oidc/providers/aws"
	"github.com/stint-dev/stint/oidc/sandbox"
)

// emptyHash is the SHA-256 of no bytes, for signing.
const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

const grantFile = `version: 1
grants:
  deploy-site:
    intent: publish the built site
    owner: "@acme/web"
    for: { workflow: .github/workflows/deploy.yml, refs: [refs/heads/main], events: [push] }
    ttl: 2m
    aws:
      role: arn:aws:iam::111122223333:role/site-deploy
      region: eu-west-1
      endpoint: %s
      allow: [{ actions: [s3:PutObject], resources: ["arn:aws:s3:::site/*"] }]
`

// A stage is a sandbox with one job in it, and everything that a run with real
// parts needs.
type stage struct {
	*sandbox.Sandbox
	mu    sync.Mutex
	now   time.Time
	grant *grant.Grant
	prov  oidc.Provider
	src   oidc.Source
	said  []string // tokens and keys seen on the way: what must not be shown
	log   []lease.Event
}

func (s *stage) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *stage) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func parseGrants(t *testing.T, endpoint string) *grant.File {
	t.Helper()
	f, err := grant.Parse(grant.Path, fmt.Appendf(nil, grantFile, endpoint), grant.Options{Providers: []string{"aws"}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func newStage(t *testing.T, job sandbox.Job, fault func(sandbox.Call) *sandbox.Fault) *stage {
	t.Helper()
	s := &stage{now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	opts := sandbox.Options{Now: s.clock, Fault: fault}
	if err := opts.AddGrants(parseGrants(t, "http://127.0.0.1:1"), sandbox.Repository{Name: "acme/site"}); err != nil {
		t.Fatal(err)
	}
	box, err := sandbox.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	env, err := box.Env(job)
	if err != nil {
		t.Fatal(err)
	}
	s.Sandbox, s.grant = box, parseGrants(t, box.STSURL()).Grants[0]
	instant := func(ctx context.Context, d time.Duration) error { s.pass(d); return ctx.Err() }
	s.src = oidc.NewRunner(oidc.RunnerOptions{Getenv: func(k string) string { return env[k] }, Now: s.clock, Sleep: instant, AllowLoopback: true})
	s.prov, err = aws.New(s.grant.Targets[0], s.grant, aws.Options{Now: s.clock, Sleep: instant})
	if err != nil {
		t.Fatal(err)
	}
	s.said = append(s.said, env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"])
	return s
}

func deployJob() sandbox.Job {
	return sandbox.Job{Repository: "acme/site", Ref: "refs/heads/main", WorkflowPath: ".github/workflows/deploy.yml", RunID: "9876543210", RunAttempt: "2"}
}

func (s *stage) open(t *testing.T) (*lease.Lease, error) {
	t.Helper()
	return lease.Open(t.Context(), s.grant, []oidc.Provider{s.prov}, s.src, lease.Options{
		Run:    oidc.Run{Repository: "acme/site", ID: "9876543210", Attempt: "2"},
		Expect: grant.Expect{Repository: "acme/site", Issuer: s.Issuer()}, Now: s.clock,
		Observe: func(e lease.Event) { s.log = append(s.log, e) }})
}

// put writes an object with the lease's keys and returns the store's status.
func (s *stage) put(t *testing.T, vars map[string]string, object string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.StoreURL()+"/"+object, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Amz-Content-Sha256", emptyHash)
	keys := awssdk.Credentials{AccessKeyID: vars["AWS_ACCESS_KEY_ID"], SecretAccessKey: vars["AWS_SECRET_ACCESS_KEY"], SessionToken: vars["AWS_SESSION_TOKEN"]}
	if err := v4.NewSigner().SignHTTP(t.Context(), keys, req, emptyHash, "s3", vars["AWS_REGION"], s.clock()); err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func values(l *lease.Lease) map[string]string {
	m := map[string]string{}
	for _, v := range l.Vars() {
		m[v.Name] = v.Value.Reveal()
	}
	return m
}

// The whole way with real parts: a signed token, a verified exchange, an evaluated
// session policy. What the grant does not allow is refused, and so is everything
// after the ttl, although the session itself lives on.
func TestLeaseAgainstTheSandbox(t *testing.T) {
	s := newStage(t, deployJob(), nil)
	l, err := s.open(t)
	if err != nil {
		t.Fatal(explained(err))
	}
	vars := values(l)
	if got := s.put(t, vars, "site/index.html"); got != http.StatusOK {
		t.Errorf("an action of the grant: status %d", got)
	}
	for _, object := range []string{"other/index.html", "site2/index.html"} {
		if got := s.put(t, vars, object); got != http.StatusForbidden {
			t.Errorf("%s, which the grant does not name: status %d", object, got)
		}
	}
	s.pass(2*time.Minute + time.Second)
	if got := s.put(t, vars, "site/index.html"); got != http.StatusForbidden {
		t.Errorf("after the ttl: status %d", got)
	}
	ended := l.End(t.Context())
	if len(ended) != 1 || ended[0].Outcome != oidc.Expires || !strings.Contains(ended[0].Detail, "denies everything since 2026-11-21T12:02:00Z") {
		t.Errorf("ended %+v", ended)
	}
}

// Secrets of this run turn up in the command's environment, in the masks and in
// the job's environment file, and nowhere else.
func TestNoSecretOfARunIsShown(t *testing.T) {
	s := newStage(t, deployJob(), nil)
	l, err := s.open(t)
	if err != nil {
		t.Fatal(explained(err))
	}
	vars := values(l)
	secrets := append(s.said, vars["AWS_SECRET_ACCESS_KEY"], vars["AWS_SESSION_TOKEN"])
	state, err := l.State().Encode()
	if err != nil {
		t.Fatal(err)
	}
	_, _, overlapErr := lease.ChildEnv(nil, l, l)
	env := lease.RunnerFile{Name: "GITHUB_ENV", Path: filepath.Join(t.TempDir(), "env")}
	missing := lease.HandToJob(&bytes.Buffer{}, env, l)
	if err := os.WriteFile(env.Path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := lease.HandToJob(&bytes.Buffer{}, env, l); err != nil {
		t.Fatal(err)
	}
	handedOver, _ := os.ReadFile(env.Path)
	shown := fmt.Sprintf("%s %+v %#v %v %v %+v %#v %+v", state, s.log, s.log, explained(overlapErr), explained(missing), l.Credentials(), l.Credentials(), l.End(t.Context()))
	for i, secret := range secrets {
		if secret == "" || strings.Contains(shown, secret) {
			t.Errorf("secret %d is empty or shown", i)
		}
		if i > 0 && !bytes.Contains(handedOver, []byte(secret)) {
			t.Errorf("secret %d was not handed over: the test looks for the wrong value", i)
		}
	}
	if strings.Contains(shown, "eyJ") {
		t.Error("something that looks like a token is shown")
	}
}

// Each row spoils the run. Nothing may come out.
func TestSpoiltRunsAgainstTheSandbox(t *testing.T) {
	onSTS := func(f sandbox.Fault) func(sandbox.Call) *sandbox.Fault {
		return func(c sandbox.Call) *sandbox.Fault {
			if c.Endpoint != sandbox.EndpointSTS {
				return nil
			}
			return &f
		}
	}
	onIssuer := func(f sandbox.Fault) func(sandbox.Call) *sandbox.Fault {
		return func(c sandbox.Call) *sandbox.Fault {
			if c.Endpoint != sandbox.EndpointIssuer {
				return nil
			}
			return &f
		}
	}
	job := func(change func(*sandbox.Job)) sandbox.Job {
		j := deployJob()
		change(&j)
		return j
	}
	rows := map[string]struct {
		job   sandbox.Job
		fault func(sandbox.Call) *sandbox.Fault
		stage oidc.Stage
	}{
		"another branch":       {job(func(j *sandbox.Job) { j.Ref = "refs/heads/x" }), nil, oidc.StageDecide},
		"low-trust event":      {job(func(j *sandbox.Job) { j.Event = "workflow_run" }), nil, oidc.StageDecide},
		"another repository":   {job(func(j *sandbox.Job) { j.Repository = "mallory/site" }), nil, oidc.StageDecide},
		"foreign key":          {deployJob(), onIssuer(sandbox.Fault{ForeignKey: true}), oidc.StageExchange},
		"other audience":       {deployJob(), onIssuer(sandbox.Fault{Audience: "sigstore"}), oidc.StageToken},
		"expired token":        {deployJob(), onIssuer(sandbox.Fault{Expired: time.Minute}), ""},
		"role refuses":         {deployJob(), onSTS(sandbox.Fault{Code: "AccessDenied", Status: 403}), oidc.StageExchange},
		"100 MB":               {deployJob(), onSTS(sandbox.Fault{Bytes: 100 << 20}), oidc.StageExchange},
		"redirect":             {deployJob(), onSTS(sandbox.Fault{Redirect: "https://evil.example/"}), oidc.StageExchange},
		"hangs up":             {deployJob(), onSTS(sandbox.Fault{Drop: true}), oidc.StageExchange},
		"throttled for ever":   {deployJob(), onSTS(sandbox.Fault{Code: "Throttling"}), oidc.StageExchange},
		"busy for a long time": {deployJob(), onSTS(sandbox.Fault{Status: 503, RetryAfter: "600"}), oidc.StageExchange},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, row.job, row.fault)
			l, err := s.open(t)
			var e *oidc.Error
			if l != nil || !errors.As(err, &e) || row.stage != "" && e.Stage != row.stage || e.Hint == "" || strings.Contains(e.Message+e.Hint, "\n") {
				t.Fatalf("lease %v, error %v", l, explained(err))
			}
			shown := fmt.Sprintf("%v %+v %#v %+v", explained(err), e, e, s.log)
			if strings.Contains(shown, "eyJ") || strings.Contains(shown, s.said[0]) {
				t.Errorf("a token is shown: %s", shown)
			}
			for _, event := range s.log {
				if event.Kind == lease.Issuance {
					t.Error("something was issued")
				}
			}
		})
	}
}

// explained is an error with its hint.
func explained(err error) string {
	var e *oidc.Error
	if errors.As(err, &e) {
		return string(e.Stage) + ": " + e.Message + " | " + e.Hint
	}
	return fmt.Sprint(err)
}
