package grant

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc"
)

// A maker makes grants and the claims that meet them.
type maker struct{ *rand.Rand }

func (m maker) coin() bool { return m.IntN(2) == 0 }

func pick[T any](m maker, list ...T) T { return list[m.IntN(len(list))] }

// some returns from one to all of the list.
func some[T any](m maker, list ...T) []T {
	m.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list[:1+m.IntN(len(list))]
}

// grant makes a grant of any shape that Parse can give.
func (m maker) grant() *Grant {
	f := For{Runner: pick(m, GitHubHosted, SelfHosted, AnyRunner), RefProtected: m.coin()}
	if m.coin() {
		f.Workflow = ".github/workflows/" + pick(m, "deploy.yml", "a@b.yaml")
	}
	if m.coin() {
		f.Called = "acme/platform/.github/workflows/deploy.yml@" + pick(m, "refs/tags/v3", "refs/heads/*", strings.Repeat("ab12", 10))
	}
	if m.coin() {
		f.Refs = some(m, "refs/heads/main", "refs/heads/release/*", "refs/tags/v1", "refs/tags/v/*")
	}
	if m.coin() {
		f.Environment = pick(m, "production", "a:b", "50%")
	}
	if m.coin() {
		f.Events = some(m, "push", "pull_request_target", "issue_comment", "schedule")
	}
	if m.coin() {
		f.Repository = pick(m, "acme/site", "acme/other.repo")
	}
	if m.coin() {
		f.RepositoryID = "2001"
	}
	if m.coin() {
		f.RepositoryOwnerID = "1001"
	}
	if m.coin() {
		f.Actors = some(m, "ann", "bob", "acme[bot]")
	}
	return &Grant{Name: "made", For: f}
}

// claims makes the claims of a job that meets the grant.
func (m maker) claims(f For) oidc.Claims {
	repository := f.Repository
	if repository == "" {
		repository = atHome.Repository
	}
	ref := "refs/heads/any"
	if len(f.Refs) > 0 {
		ref = concrete(pick(m, f.Refs...))
	}
	v := map[string]string{
		"iss": "https://token.actions.githubusercontent.com", "repository": repository, "repository_id": "2001", "repository_owner_id": "1001",
		"ref": ref, "ref_protected": "true", "event_name": pick(m, normalTrust...), "actor": "cyd", "runner_environment": f.Runner,
	}
	if len(f.Events) > 0 {
		v["event_name"] = pick(m, f.Events...)
	}
	if len(f.Actors) > 0 {
		v["actor"] = pick(m, f.Actors...)
	}
	if f.Runner == AnyRunner {
		v["runner_environment"] = pick(m, GitHubHosted, SelfHosted)
	}
	path := f.Workflow
	if path == "" {
		path = ".github/workflows/some.yml"
	}
	v["workflow_ref"] = repository + "/" + path + "@" + ref
	v["job_workflow_ref"] = v["workflow_ref"]
	if f.Called != "" {
		v["job_workflow_ref"] = concrete(f.Called)
	}
	v["sub"] = m.subject(v, f.Environment)
	c := oidc.Claims{Subject: v["sub"], Issuer: v["iss"], Audience: []string{"x"}, Values: v}
	if f.Environment != "" {
		v["environment"] = f.Environment
	}
	return c
}

// concrete is a ref that a pattern admits.
func concrete(pattern string) string { return strings.Replace(pattern, "/*", "/a/b", 1) }

func (m maker) subject(v map[string]string, environment string) string {
	owner, repo, _ := strings.Cut(v["repository"], "/")
	s := oidc.Subject{Owner: owner, Repo: repo, Kind: oidc.SubjectRef, Value: v["ref"]}
	if m.coin() {
		s.OwnerID, s.RepoID = v["repository_owner_id"], v["repository_id"]
	}
	if environment != "" {
		s.Kind, s.Value = oidc.SubjectEnvironment, environment
	} else if v["event_name"] == "pull_request_target" && m.coin() {
		s.Kind, s.Value = oidc.SubjectPullRequest, ""
	}
	return s.String()
}

// constrained are the claims that a grant decides on, with a value that it does
// not admit.
func constrained(f For) map[string]string {
	flips := map[string]string{
		"repository": "acme/site-x", "event_name": "watch", "sub": "repo:acme/site-x:ref:refs/heads/main",
		"environment": "elsewhere", "job_workflow_ref": "acme/x/.github/workflows/x.yml@refs/heads/x",
	}
	if f.Workflow != "" {
		flips["workflow_ref"] = "acme/site/.github/workflows/evil.yml@refs/heads/main"
	}
	if len(f.Refs) > 0 {
		flips["ref"] = "refs/heads/release"
	}
	if f.RepositoryID != "" {
		flips["repository_id"] = "20010"
	}
	if f.RepositoryOwnerID != "" {
		flips["repository_owner_id"] = "0"
	}
	if len(f.Actors) > 0 {
		flips["actor"] = "eve"
	}
	if f.Runner != AnyRunner {
		flips["runner_environment"] = "larger"
	}
	if f.RefProtected {
		flips["ref_protected"] = "false"
	}
	return flips
}

func made(seed uint64) maker { return maker{rand.New(rand.NewPCG(seed, 7))} }

func TestAnyOneClaimFlippedIsRefusedByName(t *testing.T) {
	for seed := range uint64(1_500) {
		m := made(seed)
		g := m.grant()
		c := m.claims(g.For)
		if d := g.Decide(c, atHome); !d.Admit {
			t.Fatalf("seed %d: what meets the grant is refused: %+v\n%+v\n%v", seed, d.Reasons, g.For, c.Values)
		}
		for claim, value := range constrained(g.For) {
			for _, v := range []string{value, "-", ""} {
				if v != value && claim == "environment" && g.For.Environment == "" {
					continue // a job without an environment has no such claim
				}
				d := g.Decide(with(t, c, claim, v), atHome)
				checkDecision(t, d)
				if d.Admit || !slices.ContainsFunc(d.Reasons, func(r Reason) bool { return r.Claim == claim }) {
					t.Fatalf("seed %d: %s = %q is not refused by name: %+v\n%+v", seed, claim, v, d, g.For)
				}
			}
		}
	}
}

func TestUpperAndLowerCaseMatter(t *testing.T) {
	for seed := range uint64(1_000) {
		m := made(seed)
		g := m.grant()
		c := m.claims(g.For)
		for _, claim := range []string{"repository", "ref", "environment", "event_name", "actor", "runner_environment", "workflow_ref", "job_workflow_ref"} {
			upper := strings.ToUpper(c.Get(claim))
			if _, ok := constrained(g.For)[claim]; !ok || upper == c.Get(claim) {
				continue
			}
			if g.Decide(with(t, c, claim, upper), atHome).Admit {
				t.Fatalf("seed %d: %s in upper case is admitted: %+v", seed, claim, g.For)
			}
		}
	}
}

// A longer list admits at least what the shorter one did.
func TestWideningNeverRefuses(t *testing.T) {
	for seed := range uint64(3_000) {
		m := made(seed)
		g, other := m.grant(), m.grant()
		c := m.claims(g.For)
		if m.coin() {
			c = m.claims(other.For) // mostly refused: then widening may do as it likes
		}
		before := g.Decide(c, atHome)
		wide := *g
		for list, more := range map[*[]string][]string{
			&wide.For.Refs: {"refs/heads/z", "refs/heads/*"}, &wide.For.Events: {"watch", "push"}, &wide.For.Actors: {"zoe"},
		} {
			if len(*list) > 0 {
				*list = slices.Concat(some(m, more...), *list)
			}
		}
		if before.Admit && !wide.Decide(c, atHome).Admit {
			t.Fatalf("seed %d: %+v admits, %+v does not", seed, g.For, wide.For)
		}
	}
}

// unsafe says, in other words than decide.go, why claims must not have a grant.
func unsafe(f For, c oidc.Claims, want Expect) string {
	get := c.Get
	repository := f.Repository
	if repository == "" {
		repository = want.Repository
	}
	in := func(list []string, v string) bool { return slices.Contains(list, v) }
	switch {
	case repository == "" || get("repository") != repository:
		return "repository"
	case f.RepositoryID != "" && get("repository_id") != f.RepositoryID:
		return "repository id"
	case f.RepositoryOwnerID != "" && get("repository_owner_id") != f.RepositoryOwnerID:
		return "owner id"
	case get("environment") != f.Environment:
		return "environment"
	case !in(f.Events, get("event_name")) && (len(f.Events) > 0 || !in([]string{"push", "schedule", "workflow_dispatch", "release", "deployment", "create", "merge_group"}, get("event_name"))):
		return "event"
	case f.Runner != AnyRunner && get("runner_environment") != f.Runner:
		return "runner"
	case len(f.Actors) > 0 && !in(f.Actors, get("actor")):
		return "actor"
	case f.RefProtected && get("ref_protected") != "true":
		return "protection"
	case len(f.Refs) > 0 && !under(f.Refs, get("ref")):
		return "ref"
	case f.Called == "" && (get("job_workflow_ref") == "" || get("job_workflow_ref") != get("workflow_ref")):
		return "called"
	case f.Called != "" && !under([]string{f.Called}, get("job_workflow_ref")):
		return "another called"
	case f.Workflow != "" && !strings.HasPrefix(get("workflow_ref"), repository+"/"+f.Workflow+"@"):
		return "workflow"
	case strings.HasPrefix(get("sub"), "repo:") && strings.HasSuffix(get("sub"), ":ref:"+get("ref")) && get("environment") != "":
		return "subject"
	}
	return ""
}

// under compares with exact names and prefixes.
func under(patterns []string, v string) bool {
	for _, p := range patterns {
		if v == p && !strings.HasSuffix(p, "*") {
			return true
		}
		if n := len(p) - 1; p[n] == '*' && len(v) > n && v[:n] == p[:n] {
			return true
		}
	}
	return false
}

func TestNothingUnsafeIsAdmitted(t *testing.T) {
	admitted := 0
	for seed := range uint64(20_000) {
		m := made(seed)
		g, other := m.grant(), m.grant()
		c := m.claims(other.For)
		why, d := unsafe(g.For, c, atHome), g.Decide(c, atHome)
		if d.Admit && why != "" {
			t.Fatalf("seed %d: admitted in spite of %s: %+v\n%v", seed, why, g.For, c.Values)
		}
		if !d.Admit && why == "" {
			t.Fatalf("seed %d: refused without need: %+v\n%+v\n%v", seed, d.Reasons, g.For, c.Values)
		}
		if d.Admit {
			admitted++
		}
	}
	if admitted < 20 {
		t.Errorf("only %d of the decisions admitted: the property says little", admitted)
	}
}

// Every subject that an admitted job presents is one that the grant lists, so
// that a trust policy made of the list shuts nobody out.
func TestSubjectsListsWhatJobsPresent(t *testing.T) {
	for seed := range uint64(3_000) {
		m := made(seed)
		g := m.grant()
		sub := m.claims(g.For).Subject
		subs := g.Subjects(Repository{Name: "acme/site", ID: "2001", OwnerID: "1001"})
		ok := slices.ContainsFunc(subs, func(p string) bool {
			before, after, wild := strings.Cut(p, "*")
			return p == sub || wild && strings.HasPrefix(sub, before) && strings.HasSuffix(sub, after)
		})
		if !ok {
			t.Fatalf("seed %d: %q is not among %q of %+v", seed, sub, subs, g.For)
		}
	}
}

func FuzzDecide(f *testing.F) {
	for _, block := range []string{deployFor, "{ ref: refs/heads/* }", "{ events: [pull_request_target], runner: any }", "{ repository: a/b, repository-id: 1, actors: [x] }"} {
		for _, preset := range []string{"production-immutable", "main", "pull-request", "hand-made", "hostile"} {
			f.Add(block, readFile(f, "claims/"+preset+".json"))
		}
	}
	f.Fuzz(func(t *testing.T, block string, claims []byte) {
		file, err := Parse(Path, []byte(fileWith("    for: "+block+"\n")), known)
		if err != nil || len(file.Grants) == 0 {
			return
		}
		c, err := oidc.ParseClaims(claims)
		if err != nil {
			return
		}
		g := file.Grants[0]
		d := g.Decide(c, atHome)
		checkDecision(t, d)
		if again := g.Decide(c, atHome); !reflect.DeepEqual(d, again) {
			t.Errorf("decisions differ: %+v, %+v", d, again)
		}
		if why := unsafe(g.For, c, atHome); d.Admit && why != "" {
			t.Errorf("admitted in spite of %s: %+v, %v", why, g.For, c.Values)
		}
		var out bytes.Buffer
		if err := WriteDecision(&out, d); err != nil {
			t.Error(err)
		}
		if text := strings.ReplaceAll(out.String(), "\n", ""); printable(text) != text {
			t.Errorf("a terminal would take some of it for commands: %q", text)
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	g, c := grantOf(b, deployFor), claimsOf(b, "production")
	for b.Loop() {
		if !g.Decide(c, atHome).Admit {
			b.Fatal("refused")
		}
	}
}

func ExampleGrant_Decide() {
	file, err := Parse(Path, []byte(fileWith("    for: { ref: refs/heads/main }\n")), Options{Providers: []string{"aws"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	claims, err := oidc.ParseClaims([]byte(`{
		"sub": "repo:acme/site:ref:refs/heads/fix", "repository": "acme/site", "ref": "refs/heads/fix", "event_name": "push",
		"workflow_ref": "acme/site/.github/workflows/a.yml@refs/heads/fix",
		"job_workflow_ref": "acme/site/.github/workflows/a.yml@refs/heads/fix", "runner_environment": "github-hosted"
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range file.Grants[0].Decide(claims, Expect{Repository: "acme/site"}).Reasons {
		fmt.Printf("%s (%s): %s\n", r.Claim, r.Class, r.Text)
	}
	// Output:
	// ref (other-branch): the run is on "refs/heads/fix", which the grant does not admit
}
