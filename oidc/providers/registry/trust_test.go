package registry_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/crates"
	"github.com/stint-dev/stint/oidc/providers/npm"
	"github.com/stint-dev/stint/oidc/providers/nuget"
	"github.com/stint-dev/stint/oidc/providers/pypi"
	"github.com/stint-dev/stint/oidc/providers/rubygems"
	"github.com/stint-dev/stint/oidc/providertest"
	"github.com/stint-dev/stint/oidc/trust"
)

const issuer = "https://token.actions.githubusercontent.com"

// all are the registries, each with a block of a grant.
var all = []struct {
	trust trust.Cloud
	block string
}{
	{pypi.Trust, "{ package: acme-site }"},
	{npm.Trust, "{ package: acme-site }"},
	{crates.Trust, "{ package: acme-site }"},
	{rubygems.Trust, "{ package: acme-site }"},
	{nuget.Trust, "{ package: Acme.Site, user: acme }"},
}

// grants are for: blocks of every kind that a form can be filled in for.
var grants = []string{
	"{ workflow: .github/workflows/release.yml, ref: refs/heads/main, environment: production }",
	"{ workflow: .github/workflows/release.yml, refs: [refs/tags/*] }",
	"{ workflow: .github/workflows/release.yml, runner: any, environment: production, repository-owner-id: 123456 }",
	"{ workflow: .github/workflows/release.yml, actors: [ann], ref-protected: true, repository-id: 456789, events: [push, workflow_dispatch] }",
}

func pick(r *rand.Rand, values ...string) string { return values[r.IntN(len(values))] }

// token makes claims that GitHub could give, near those of the grants.
func token(r *rand.Rand, audience string) oidc.Claims {
	repo, ref := pick(r, "acme/site", "acme/site", "acme/site", "acme/other"), pick(r, "refs/heads/main", "refs/heads/main", "refs/tags/v1.0.0", "refs/heads/next")
	event := pick(r, "push", "push", "workflow_dispatch", "issue_comment", "workflow_run", "pull_request_target", "release")
	started := repo + "/.github/workflows/" + pick(r, "release.yml", "release.yml", "release.yml", "other.yml") + "@" + ref
	defines := pick(r, started, started, started, repo+"/.github/workflows/release.yml@"+ref, "else/where/.github/workflows/release.yml@refs/heads/main")
	environment := pick(r, "production", "production", "staging", "")
	claims := map[string]any{
		"iss": issuer, "aud": audience, "repository": repo, "repository_owner": "acme",
		"repository_id": pick(r, "456789", "456789", "7"), "repository_owner_id": pick(r, "123456", "123456", "8"),
		"ref": ref, "sha": strings.Repeat("0", 40), "event_name": event, "actor": pick(r, "ann", "ann", "eve"),
		"workflow_ref": started, "job_workflow_ref": defines, "runner_environment": pick(r, "github-hosted", "github-hosted", "self-hosted"),
		"ref_protected": pick(r, "true", "true", "false"), "sub": "repo:" + repo + ":ref:" + ref,
	}
	if environment != "" {
		claims["environment"], claims["sub"] = environment, "repo:"+repo+":environment:"+environment
	}
	b, _ := json.Marshal(claims)
	c, err := oidc.ParseClaims(b)
	if err != nil {
		panic(err)
	}
	return c
}

// What a form admits is what the grant admits, and beyond that exactly what the residue
// says: nothing that is refused for another claim, and each claim of it shows.
func TestRenderedFormAdmitsTheGrantAndTheResidue(t *testing.T) {
	for _, r := range all {
		for _, who := range grants {
			t.Run(r.trust.Name+"/"+who, func(t *testing.T) {
				g := providertest.GrantFor(t, who, r.trust.Name, "1h", r.block)
				lock, err := r.trust.Render(g, g.Targets[0], trust.Repository{Name: "acme/site"})
				if err != nil {
					t.Fatal(err)
				}
				compare(t, g, lock)
			})
		}
	}
}

func compare(t *testing.T, g *grant.Grant, lock trust.Lock) {
	t.Helper()
	rng, seen, admitted := rand.New(rand.NewPCG(1, 2)), map[string]bool{}, 0
	want := grant.Expect{Repository: "acme/site", Issuer: issuer, Audience: lock.Policy.Audience()}
	for range 1_000 {
		c := token(rng, lock.Policy.Audience())
		d, a := g.Decide(c, want), lock.Policy.Decide(c)
		switch {
		case d.Admit && a.Admits:
			admitted++
		case d.Admit && !strings.Contains(a.Why, "takes no token of a run"):
			t.Fatalf("the form refuses what the grant admits: %s\n%v", a.Why, c.Values)
		case !d.Admit && a.Admits:
			for _, why := range d.Reasons {
				if !slices.ContainsFunc(lock.AlsoAdmits, func(x trust.Residue) bool { return x.Claim == why.Claim }) {
					t.Fatalf("the form admits what the grant refuses for %s, and the residue does not say so\n%v", why.Claim, c.Values)
				}
				seen[why.Claim] = true
			}
		}
	}
	if admitted == 0 {
		t.Error("no token was admitted: the test shows nothing")
	}
	for _, x := range lock.AlsoAdmits {
		if !seen[x.Claim] {
			t.Errorf("the residue names %s (%s), and no token shows it", x.Claim, x.Text)
		}
	}
}

func TestRenderedFormIsFoundAndReadAgain(t *testing.T) {
	for _, r := range all {
		g := providertest.Grant(t, r.trust.Name, "1h", r.block)
		lock, err := r.trust.Render(g, g.Targets[0], trust.Repository{OwnerID: "123456"})
		if err != nil {
			t.Fatal(err)
		}
		body := lock.Documents[0].Body
		for _, text := range []string{body, "[" + body + "," + body + "]"} {
			docs, err := r.trust.Find("form.json", []byte(text))
			if err != nil || len(docs) != 1+strings.Count(text, ",\n  \"owner\"")/2 {
				t.Fatalf("%s: %d documents, %v", r.trust.Name, len(docs), err)
			}
			p, err := r.trust.Parse(docs[0])
			if err != nil || p.Targets()[0].Workflow != ".github/workflows/release.yml" || len(p.Review()) != 0 {
				t.Errorf("%s: %v, %v", r.trust.Name, p, err)
			}
			if grade, found := trust.Judge(p); grade == trust.Dead || grade == trust.Invalid {
				t.Errorf("%s is %s: %v", r.trust.Name, grade, found)
			}
		}
	}
}

func FuzzPublisher(f *testing.F) {
	f.Add([]byte(`{"registry":"pypi","package":"acme-site","owner":"acme","repository":"site","workflow":"release.yml","environment":"production"}`), "acme/site/.github/workflows/release.yml@refs/heads/main")
	f.Add([]byte(`[{"registry":"pypi","owner":"","repository":"site","workflow":"a/b"}]`), "@")
	f.Fuzz(func(t *testing.T, b []byte, ref string) {
		docs, err := pypi.Trust.Find("x", b)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range docs {
			p, err := pypi.Trust.Parse(d)
			if err != nil {
				continue
			}
			at := p.Targets()[0]
			c := oidc.Claims{Issuer: issuer, Audience: []string{p.Audience()}, Values: map[string]string{
				"repository": "acme/site", "repository_owner_id": at.OwnerID, "job_workflow_ref": ref, "ref": "refs/heads/main", "environment": at.Environment}}
			if a := p.Decide(c); a.Admits && (!strings.EqualFold(at.Owner+"/"+at.Repository, "acme/site") || !strings.HasSuffix(ref, "@refs/heads/main")) {
				t.Errorf("%s admits %q", b, ref)
			}
			p.Review()
		}
	})
}

func TestFindLeavesOthersAlone(t *testing.T) {
	for _, text := range []string{"", "x", "[1", "{}", `{"registry":"elsewhere"}`, `{"registry":1}`, `[{"registry":"npm"},3]`} {
		if docs, err := pypi.Trust.Find("x", []byte(text)); len(docs) != 0 || err != nil {
			t.Errorf("%q: %v %v", text, docs, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		`{`, `{"registry":"npm","owner":"a","repository":"b","workflow":"c.yml"}`, `{"registry":"pypi","owner":"a","workflow":"c.yml"}`,
		`{"registry":"pypi","owner":"a","repository":"b/c","workflow":"c.yml"}`, `{"registry":"pypi","owner":"a","repository":"b","workflow":"x/c.yml"}`,
		`{"registry":"pypi","owner":"a","repository":"b","workflow":"c.yml","issuer":"x"}`,
	} {
		if p, err := pypi.Trust.Parse(trust.Document{Body: []byte(text)}); err == nil {
			t.Errorf("%s: %v", text, p)
		}
	}
}

func TestRenderRefusesWhatNoFormSays(t *testing.T) {
	rows := map[string]struct {
		who  string
		repo trust.Repository
		in   trust.Cloud
		ok   bool
	}{
		"no repository":     {"{ workflow: .github/workflows/release.yml }", trust.Repository{}, npm.Trust, false},
		"no workflow":       {"{ ref: refs/heads/main }", trust.Repository{Name: "acme/site"}, npm.Trust, false},
		"not of jobs":       {"{ issuer: \"https://spire.example.org\", subject: \"spiffe://example.org/ci\" }", trust.Repository{Name: "acme/site"}, npm.Trust, false},
		"other issuer":      {grants[0], trust.Repository{Name: "acme/site", Issuer: issuer + "/acme"}, npm.Trust, false},
		"refused events":    {"{ workflow: .github/workflows/release.yml, events: [workflow_run] }", trust.Repository{Name: "acme/site"}, crates.Trust, false},
		"called elsewhere":  {"{ workflow: .github/workflows/a.yml, called: else/where/.github/workflows/r.yml@refs/heads/main }", trust.Repository{Name: "acme/site"}, pypi.Trust, false},
		"called by commit":  {"{ workflow: .github/workflows/a.yml, called: acme/site/.github/workflows/r.yml@" + strings.Repeat("a", 40) + " }", trust.Repository{Name: "acme/site"}, pypi.Trust, false},
		"called at home":    {"{ workflow: .github/workflows/a.yml, called: acme/site/.github/workflows/r.yml@refs/heads/main }", trust.Repository{Name: "acme/site"}, pypi.Trust, true},
		"called, by caller": {"{ workflow: .github/workflows/a.yml, called: else/where/.github/workflows/r.yml@refs/heads/main }", trust.Repository{Name: "acme/site"}, npm.Trust, true},
	}
	for name, row := range rows {
		g := providertest.GrantFor(t, row.who, row.in.Name, "1h", "{ package: acme-site }")
		lock, err := row.in.Render(g, g.Targets[0], row.repo)
		if (err == nil) != row.ok {
			t.Errorf("%s: %v %v", name, lock.Documents, err)
		}
	}
}

func TestFormWithoutEnvironmentIsNoted(t *testing.T) {
	g := providertest.GrantFor(t, grants[1], "pypi", "1h", "{ package: acme-site }")
	lock, err := pypi.Trust.Render(g, g.Targets[0], trust.Repository{Name: "acme/site"})
	if err != nil || len(lock.Policy.Review()) != 1 {
		t.Errorf("%v %v", lock.Policy, err)
	}
	if a := lock.Policy.Decide(token(rand.New(rand.NewPCG(3, 4)), "elsewhere")); a.Admits {
		t.Error("another audience is admitted")
	}
}
