package lease

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
)

// Values of known text that must turn up nowhere but where they belong.
const (
	canaryToken  = "canary-id-token-0123456789"
	canarySecret = "canary/secret+key=0123456789"
	canaryRevoke = "canary-revoke-token-0123456789"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func testGrant(t *testing.T) *grant.Grant {
	t.Helper()
	const file = `version: 1
grants:
  deploy-site:
    intent: publish the built site
    owner: "@acme/web"
    for: { workflow: .github/workflows/deploy.yml, refs: [refs/heads/main], events: [push], repository: acme/site }
    ttl: 15m
    one: { x: 1 }
`
	f, err := grant.Parse(".github/stint.yml", []byte(file), grant.Options{Providers: []string{"one"}})
	if err != nil {
		t.Fatalf("%v (%s)", err, hintOf(err))
	}
	g, err := f.Grant("deploy-site")
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func hintOf(err error) string {
	if h, ok := err.(interface{ NextStep() string }); ok {
		return h.NextStep()
	}
	return ""
}

// claimsFor are those of a push to main, with changes.
func claimsFor(t *testing.T, audience string, at time.Time, change map[string]any) oidc.Claims {
	t.Helper()
	m := map[string]any{
		"iss": "https://token.actions.githubusercontent.com", "sub": "repo:acme/site:ref:refs/heads/main", "aud": audience,
		"jti": "token-1", "iat": at.Unix(), "nbf": at.Unix() - 60, "exp": at.Unix() + 300,
		"repository": "acme/site", "repository_id": "1001", "repository_owner": "acme", "repository_owner_id": "2001",
		"repository_visibility": "private", "actor": "mona", "actor_id": "3001", "event_name": "push",
		"ref": "refs/heads/main", "ref_type": "branch", "ref_protected": "true", "sha": strings.Repeat("a", 40),
		"run_id": "9876543210", "run_number": "7", "run_attempt": "2", "runner_environment": "github-hosted",
		"workflow":     "deploy",
		"workflow_ref": "acme/site/.github/workflows/deploy.yml@refs/heads/main", "workflow_sha": strings.Repeat("a", 40),
		"job_workflow_ref": "acme/site/.github/workflows/deploy.yml@refs/heads/main", "job_workflow_sha": strings.Repeat("a", 40),
	}
	for k, v := range change {
		m[k] = v
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	c, err := oidc.ParseClaims(b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A fakeSource gives numbered tokens; change alters the claims of the n-th, from 1.
type fakeSource struct {
	t      *testing.T
	now    func() time.Time
	n      int
	asked  []string
	change func(n int) map[string]any
	fail   error
}

func (s *fakeSource) Name() string { return "test" }

func (s *fakeSource) Token(_ context.Context, audience string) (*oidc.Token, error) {
	s.n++
	s.asked = append(s.asked, audience)
	if s.fail != nil {
		return nil, s.fail
	}
	var change map[string]any
	if s.change != nil {
		change = s.change(s.n)
	}
	return &oidc.Token{Raw: oidc.NewSecret(fmt.Sprintf("%s-%d", canaryToken, s.n)), Claims: claimsFor(s.t, audience, s.now(), change)}, nil
}

// A fakeProvider takes as many tokens as it has attempts and issues vars.
type fakeProvider struct {
	name      string
	vars      []oidc.Var
	attempts  int
	exchange  error
	verify    error
	journal   *[]string
	tokens    []string
	ctxAlive  bool
	lastReq   oidc.Request
	afterTake func()
	ending    func()
	files     []oidc.PrivateFile
	issued    int
	shape     func(c *oidc.Credential, n int, req oidc.Request) // the n-th, from 1
}

func (p *fakeProvider) Name() string     { return p.name }
func (p *fakeProvider) Audience() string { return "aud-" + p.name }

func (p *fakeProvider) note(what string) { *p.journal = append(*p.journal, what+" "+p.name) }

func (p *fakeProvider) Exchange(ctx context.Context, req oidc.Request) (*oidc.Credential, error) {
	p.note("exchange")
	p.lastReq = req
	for range max(p.attempts, 1) {
		tok, err := req.Source.Token(ctx, p.Audience())
		if err != nil {
			return nil, err
		}
		p.tokens = append(p.tokens, tok.Raw.Reveal())
		if p.afterTake != nil {
			p.afterTake()
		}
	}
	if p.exchange != nil {
		return nil, p.exchange
	}
	h := oidc.Handle{Provider: p.name, Grant: "deploy-site", ID: "id-" + p.name, Identity: "who-" + p.name,
		Expires: noon.Add(15 * time.Minute), UsableUntil: noon.Add(15 * time.Minute), Revoke: canaryRevoke}
	c := &oidc.Credential{Vars: p.vars, Files: p.files, Identity: h.Identity, Expires: h.Expires, UsableUntil: h.UsableUntil, Handle: h,
		Facts: map[string]string{"session_name": "gh-1"}}
	p.issued++
	if p.shape != nil {
		p.shape(c, p.issued, req)
	}
	return c, nil
}

// A renewing provider extends what it issued.
type renewing struct {
	*fakeProvider
	renewed int
}

func (p *renewing) Renew(_ context.Context, c *oidc.Credential, req oidc.Request) (*oidc.Credential, error) {
	p.renewed++
	longer := *c
	p.shape(&longer, 0, req)
	return &longer, nil
}

// An answering provider can be brokered, with an address and a file.
type answering struct {
	*fakeProvider
	answers int
}

func (p *answering) Point(url string, _ oidc.Secret) ([]oidc.Var, []oidc.PrivateFile) {
	return []oidc.Var{{Name: "ONE_URL", Value: oidc.NewSecret(url), Public: true}}, []oidc.PrivateFile{{Name: "answer", Var: "ONE_FILE"}}
}

func (p *answering) Answer(_ context.Context, c *oidc.Credential, _ oidc.Request) (oidc.Secret, error) {
	p.answers++
	return oidc.NewSecret(fmt.Sprintf("answer %d for %s", p.answers, c.Handle.ID)), nil
}

var expectSite = grant.Expect{Repository: "acme/site"}

func (p *fakeProvider) Verify(*oidc.Credential, oidc.Request) error {
	p.note("verify")
	return p.verify
}

func (p *fakeProvider) End(ctx context.Context, h oidc.Handle) oidc.Ending {
	p.note("end")
	if p.ending != nil {
		p.ending()
	}
	_, hasDeadline := ctx.Deadline()
	p.ctxAlive = ctx.Err() == nil && hasDeadline
	if h.Revoke != canaryRevoke {
		return oidc.Ending{Outcome: oidc.Open, Detail: "the handle came without its revoke token"}
	}
	return oidc.Ending{Outcome: oidc.Revoked, At: noon, Detail: "ended"}
}

// A scene is a grant with two providers.
type scene struct {
	grant    *grant.Grant
	source   *fakeSource
	one, two *fakeProvider
	journal  []string
	events   []Event
	now      time.Time
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{grant: testGrant(t), now: noon}
	s.source = &fakeSource{t: t, now: func() time.Time { return s.now }}
	s.one = &fakeProvider{name: "one", journal: &s.journal, vars: []oidc.Var{
		{Name: "ONE_KEY", Value: oidc.NewSecret("public-id"), Public: true}, {Name: "ONE_SECRET", Value: oidc.NewSecret(canarySecret)}}}
	s.two = &fakeProvider{name: "two", journal: &s.journal, vars: []oidc.Var{{Name: "TWO_SECRET", Value: oidc.NewSecret(canarySecret + "-2")}}}
	return s
}

func (s *scene) open(ctx context.Context) (*Lease, error) {
	return Open(ctx, s.grant, []oidc.Provider{s.one, s.two}, s.source, Options{
		Run: oidc.Run{Repository: "acme/site", ID: "9876543210", Attempt: "2"}, Expect: grant.Expect{Repository: "acme/site"},
		Now: func() time.Time { return s.now }, Observe: func(e Event) { s.events = append(s.events, e) }})
}

func (s *scene) mustOpen(t *testing.T) *Lease {
	t.Helper()
	l, err := s.open(t.Context())
	if err != nil {
		t.Fatalf("%v (%s)", err, hintOf(err))
	}
	return l
}

// checkSilent fails when a text shows a canary.
func checkSilent(t *testing.T, what string, values ...any) {
	t.Helper()
	text := fmt.Sprintf("%v %+v %#v", values, values, values)
	if b, err := json.Marshal(values); err == nil {
		text += string(b)
	}
	for _, canary := range []string{canaryToken, canarySecret, canaryRevoke} {
		if strings.Contains(text, canary) {
			t.Errorf("%s shows %q: %s", what, canary, text)
		}
	}
}
