package sandbox_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/sandbox"
)

// grantFile has a grant of each kind; every one names a role of its own.
const grantFile = `version: 1
grants:
  main: { intent: a, owner: b, for: { workflow: .github/workflows/ship.yml, ref: refs/heads/main }, aws: { role: "arn:aws:iam::444455556666:role/main", region: eu-west-1, allow: [{ actions: ["s3:PutObject"], resources: ["arn:aws:s3:::press/*"] }] } }
  live: { intent: a, owner: b, for: { workflow: .github/workflows/ship.yml, refs: [refs/heads/main, "refs/tags/*"], environment: "live:eu" }, aws: { role: "arn:aws:iam::444455556666:role/live", audience: "https://other.example" } }
  any: { intent: a, owner: b, for: { workflow: .github/workflows/ship.yml }, aws: { role: "arn:aws:iam::444455556666:role/any" } }
  next: { intent: a, owner: b, for: { ref: "refs/heads/next/*", actors: [ada, bob] }, aws: { role: "arn:aws:iam::444455556666:role/next" } }
  pull: { intent: a, owner: b, for: { workflow: .github/workflows/ship.yml, events: [pull_request] }, aws: { role: "arn:aws:iam::444455556666:role/pull" } }
  call: { intent: a, owner: b, for: { ref: refs/heads/main, called: birch/ci/.github/workflows/x.yml@refs/heads/main }, aws: { role: "arn:aws:iam::444455556666:role/call" } }
  ids: { intent: a, owner: b, for: { ref: refs/heads/main, repository-id: 31, repository-owner-id: 7, environment: "a*b" }, aws: { role: "arn:aws:iam::444455556666:role/ids" } }
`

func parseGrants(t *testing.T) *grant.File {
	t.Helper()
	f, err := grant.Parse(grant.Path, []byte(grantFile), grant.Options{Providers: []string{"aws"}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// randomJob is a job of birch/press or of a stranger, over few words.
func randomJob(g *rand.Rand) sandbox.Job {
	pick := func(from ...string) string { return from[g.IntN(len(from))] }
	j := sandbox.Job{
		Repository: pick("birch/press", "birch/press", "birch/press", "birch/other"), RepositoryID: pick("31", "31", "32"), OwnerID: "7",
		Ref:         pick("refs/heads/main", "refs/heads/main", "refs/heads/next/a", "refs/heads/next/a", "refs/heads/next/", "refs/tags/v1"),
		Event:       pick("push", "push", "workflow_dispatch", "pull_request"),
		Environment: pick("", "", "", "", "live:eu", "live", "a*b", "axb"), Actor: pick("ada", "bob", "eve"),
		WorkflowPath: pick(".github/workflows/ship.yml", ".github/workflows/ship.yml", ".github/workflows/test.yml"),
	}
	if j.Event == "pull_request" {
		j.Ref = "refs/pull/4/merge"
	}
	j.JobWorkflowRef = pick("", "", "birch/ci/.github/workflows/x.yml@refs/heads/main", "birch/ci/.github/workflows/x.yml@refs/heads/x")
	return j
}

// TestGrantRoles compares the role made from a grant with the grant's own
// decision, over many jobs: what the grant admits the role admits, and what the
// role admits the grant refuses only for what AWS has no key for.
func TestGrantRoles(t *testing.T) {
	t.Parallel()
	for _, immutable := range []bool{false, true} {
		f := parseGrants(t)
		opts := sandbox.Options{Now: newClock().Now, Key: signingKey()}
		repository := sandbox.Repository{Name: "birch/press", ID: "31", OwnerID: "7", ImmutableSubject: immutable}
		if err := opts.AddGrants(f, repository); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(opts.Audiences, []string{"sts.amazonaws.com", "https://other.example"}) || len(opts.Roles) != len(f.Grants) {
			t.Fatalf("audiences %q, %d roles", opts.Audiences, len(opts.Roles))
		}
		s, c := start(t, opts)
		g := rand.New(rand.NewPCG(7, 7))
		admitted, refused := map[string]int{}, map[string]int{}
		for range 150 {
			job := randomJob(g)
			job.ImmutableSubject = immutable
			tokens := map[string]string{}
			for _, audience := range opts.Audiences {
				var err error
				if tokens[audience], err = s.Token(job, audience); err != nil {
					t.Fatal(err)
				}
			}
			for _, gr := range f.Grants {
				if compareWithRole(t, s, gr, job, tokens, c.Now()) {
					admitted[gr.Name]++
				} else {
					refused[gr.Name]++
				}
			}
		}
		for _, gr := range f.Grants {
			if admitted[gr.Name] == 0 || refused[gr.Name] == 0 {
				t.Errorf("grant %s: %d jobs admitted, %d refused", gr.Name, admitted[gr.Name], refused[gr.Name])
			}
		}
	}
}

// inexpressible are the claims for which AWS has no key.
var inexpressible = []string{"event_name", "workflow_ref", "runner_environment"}

// compareWithRole reports whether the role admits; tokens are the job's by audience.
func compareWithRole(t *testing.T, s *sandbox.Sandbox, g *grant.Grant, job sandbox.Job, tokens map[string]string, now time.Time) bool {
	t.Helper()
	audience := sandbox.DefaultAudience
	if g.Name == "live" {
		audience = "https://other.example"
	}
	raw := tokens[audience]
	parsed, err := oidc.ParseToken(raw)
	if err != nil {
		t.Fatal(err)
	}
	_, body := post(t, s, assumeForm(raw, map[string]string{"RoleArn": "arn:aws:iam::444455556666:role/" + g.Name}))
	role := errorCode(body) == ""
	decision := g.Decide(parsed.Claims, grant.Expect{Repository: "birch/press", Audience: audience, Now: now})
	expressible := slices.DeleteFunc(slices.Clone(decision.Reasons), func(r grant.Reason) bool { return slices.Contains(inexpressible, r.Claim) })
	// An immutable subject tells a recreated repository from the one before it; a
	// grant that names no ids does not.
	recreated := job.ImmutableSubject && job.RepositoryID != "31"
	switch {
	case role && len(expressible) > 0:
		t.Errorf("grant %s: the role admits, the grant refuses for %+v: %+v", g.Name, expressible, job)
	case !role && decision.Admit && !recreated:
		t.Errorf("grant %s: the grant admits, the role does not: %+v", g.Name, job)
	}
	return role
}

// TestGrantSession: a role made from a grant may do everything, so the session
// policy alone decides.
func TestGrantSession(t *testing.T) {
	t.Parallel()
	opts := sandbox.Options{}
	if err := opts.AddGrants(parseGrants(t), sandbox.Repository{Name: "birch/press"}); err != nil {
		t.Fatal(err)
	}
	s, c := start(t, opts)
	keys := assume(t, s, map[string]string{
		"RoleArn": "arn:aws:iam::444455556666:role/main", "Policy": sessionPolicy(c.Now().Add(time.Hour)), "DurationSeconds": "43200",
	})
	expect(t, signed(t, keys, c.Now(), "PUT", s.StoreURL()+"/press/site/x", "x"), 200, "")
	expect(t, signed(t, keys, c.Now(), "PUT", s.StoreURL()+"/press/x", "x"), 403, "AccessDenied")
}

// TestGrantsShareARole: two grants of one role are two statements of its trust.
func TestGrantsShareARole(t *testing.T) {
	t.Parallel()
	text := strings.ReplaceAll(strings.ReplaceAll(grantFile, "role/any", "role/main"), "role/pull", "role/main")
	f, err := grant.Parse(grant.Path, []byte(text), grant.Options{Providers: []string{"aws"}})
	if err != nil {
		t.Fatal(err)
	}
	var opts sandbox.Options
	if err := opts.AddGrants(f, sandbox.Repository{Name: "birch/press"}); err != nil {
		t.Fatal(err)
	}
	if len(opts.Roles) != len(f.Grants)-2 || strings.Count(opts.Roles[0].Trust, `"Effect"`) != 3 {
		t.Errorf("%d roles, the first trusts %s", len(opts.Roles), opts.Roles[0].Trust)
	}
}

// TestGrantTextIsNoPattern: what is a wildcard in a policy is none in a grant.
func TestGrantTextIsNoPattern(t *testing.T) {
	t.Parallel()
	text := strings.Replace(grantFile, `{ ref: "refs/heads/next/*",`, `{ workflow: ".github/workflows/a?${b}.yml", ref: "refs/heads/next/*",`, 1)
	f, err := grant.Parse(grant.Path, []byte(text), grant.Options{Providers: []string{"aws"}})
	if err != nil {
		t.Fatal(err)
	}
	var opts sandbox.Options
	if err := opts.AddGrants(f, sandbox.Repository{Name: "birch/press"}); err != nil {
		t.Fatal(err)
	}
	s, _ := start(t, opts)
	for path, code := range map[string]string{"a?${b}.yml": "", "ax${b}.yml": "AccessDenied", "a?b.yml": "AccessDenied"} {
		job := sandbox.Job{Repository: "birch/press", Ref: "refs/heads/next/a", Actor: "ada", WorkflowPath: ".github/workflows/" + path}
		_, body := post(t, s, assumeForm(token(t, s, job), map[string]string{"RoleArn": "arn:aws:iam::444455556666:role/next"}))
		if errorCode(body) != code {
			t.Errorf("%s: code %q, want %q", path, errorCode(body), code)
		}
	}
}

func TestGrantWithoutARole(t *testing.T) {
	t.Parallel()
	text := strings.Replace(grantFile, "arn:aws:iam::444455556666:role/main", "arn:aws:iam::4:user/x", 1)
	f, err := grant.Parse(grant.Path, []byte(text), grant.Options{Providers: []string{"aws"}})
	if err != nil {
		t.Fatal(err)
	}
	var opts sandbox.Options
	if err := opts.AddGrants(f, sandbox.Repository{Name: "birch/press"}); err == nil || !strings.Contains(err.Error(), `grant "main" names "arn:aws:iam::4:user/x"`) {
		t.Errorf("error %v", err)
	}
}
