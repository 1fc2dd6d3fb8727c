package sigstore

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providertest"
	"github.com/stint-dev/stint/oidc/trust"
	"github.com/stint-dev/stint/oidc/trust/trusttest"
)

const (
	site    = "acme/site/.github/workflows/release.yml@"
	someone = "acme/platform/.github/workflows/sign.yml@refs/tags/v3"
)

// A job is what GitHub makes the claims of a token from.
type job struct {
	repository, repositoryID, ownerID string
	ref, event, environment, actor    string
	started, defines                  string // workflow_ref and job_workflow_ref
	runner, protected                 string
}

// claims are consistent: sub says what the others say.
func (j job) claims() oidc.Claims {
	v := map[string]string{
		"iss": trust.GitHubIssuer, "aud": "sigstore", "repository": j.repository, "repository_id": j.repositoryID, "repository_owner_id": j.ownerID,
		"ref": j.ref, "event_name": j.event, "actor": j.actor, "workflow_ref": j.started, "job_workflow_ref": j.defines,
		"runner_environment": j.runner, "ref_protected": j.protected, "sub": "repo:" + j.repository + ":ref:" + j.ref,
	}
	if j.environment != "" {
		v["environment"], v["sub"] = j.environment, "repo:"+j.repository+":environment:"+j.environment
	}
	return trusttest.Claims(v)
}

// good is a job that the grants of the test admit, but for what follows from their refs.
func good(f grant.For) job {
	ref := "refs/heads/main"
	if len(f.Refs) > 0 {
		ref = strings.Replace(f.Refs[0], "*", "v1", 1)
	}
	j := job{repository: "acme/site", repositoryID: "456789", ownerID: "123456", ref: ref, event: "push", environment: f.Environment, actor: "ann",
		started: site + ref, defines: site + ref, runner: "github-hosted", protected: "true"}
	if f.Called != "" {
		j.defines = someone
	}
	return j
}

func pick(r *rand.Rand, values ...string) string { return values[r.IntN(len(values))] }

// near changes what a job may have otherwise, each part in one of a few jobs.
func near(r *rand.Rand, j job) job {
	for _, part := range []struct {
		at     *string
		others []string
	}{
		{&j.repository, []string{"acme/other", "acme/site-evil", "Acme/site"}}, {&j.repositoryID, []string{"7"}}, {&j.ownerID, []string{"8"}},
		{&j.ref, []string{"refs/heads/next", "refs/heads/main-evil", "refs/tags/v1"}}, {&j.event, []string{"workflow_dispatch", "issue_comment", "workflow_run"}},
		{&j.environment, []string{"", "staging", "production"}}, {&j.actor, []string{"eve"}}, {&j.runner, []string{"self-hosted"}}, {&j.protected, []string{"false"}},
		{&j.started, []string{"acme/site/.github/workflows/other.yml@" + j.ref, site + "refs/heads/next"}},
		{&j.defines, []string{site + "refs/heads/next", "evil/x/.github/workflows/release.yml@refs/heads/main", site + "refs/heads/main-evil", someone, "evil/" + site + "refs/heads/main", strings.Replace(site, ".yml", "-yml", 1) + "refs/heads/main"}},
	} {
		if r.IntN(6) == 0 {
			*part.at = pick(r, part.others...)
		}
	}
	return j
}

// mend gives the job the good values of the claims that a lock does not look at. Where the
// file that was started has to be the one that defines the job, that is it.
func mend(j, from job, claims []trust.Residue) (job, []string) {
	var changed []string
	if from.started == from.defines {
		from.started = j.defines
	}
	parts := map[string][2]*string{
		"repository_id": {&j.repositoryID, &from.repositoryID}, "repository_owner_id": {&j.ownerID, &from.ownerID}, "ref": {&j.ref, &from.ref},
		"event_name": {&j.event, &from.event}, "environment": {&j.environment, &from.environment}, "actor": {&j.actor, &from.actor},
		"workflow_ref": {&j.started, &from.started}, "runner_environment": {&j.runner, &from.runner}, "ref_protected": {&j.protected, &from.protected},
	}
	for _, r := range claims {
		part, ok := parts[r.Claim]
		if !ok {
			panic(r.Claim)
		}
		if *part[0] != *part[1] {
			*part[0] = *part[1]
			changed = append(changed, r.Claim)
		}
	}
	return j, changed
}

// What is rendered admits a job if and only if the grant admits it with other values of
// the claims of the residue, and each claim of the residue lets some job in by itself.
func TestRenderedIdentityAdmitsTheGrantAndTheResidue(t *testing.T) {
	for _, who := range []string{
		"{ workflow: .github/workflows/release.yml, ref: refs/heads/main, environment: production, events: [push] }",
		"{ workflow: .github/workflows/release.yml, refs: [refs/heads/main, refs/tags/v1], actors: [ann], events: [push, schedule] }",
		"{ workflow: .github/workflows/release.yml, refs: [refs/tags/*], runner: any, ref-protected: true, repository-id: 456789 }",
		"{ workflow: .github/workflows/release.yml, repository-owner-id: 123456, environment: production }",
		"{ called: \"acme/platform/.github/workflows/sign.yml@refs/tags/*\", workflow: .github/workflows/release.yml, ref: refs/heads/main }",
		"{ called: \"acme/platform/.github/workflows/sign.yml@refs/tags/v3\" }",
	} {
		t.Run(who, func(t *testing.T) {
			compare(t, providertest.GrantFor(t, who, Name, "10m", "{ fulcio: \"https://ca.example\" }"))
		})
	}
}

func compare(t *testing.T, g *grant.Grant) {
	t.Helper()
	lock, err := Trust.Render(g, g.Targets[0], trust.Repository{Name: "acme/site"})
	if err != nil {
		t.Fatal(err)
	}
	rng, from, alone, admitted := rand.New(rand.NewPCG(5, 6)), good(g.For), map[string]bool{}, 0
	expect := grant.Expect{Repository: "acme/site", Issuer: trust.GitHubIssuer, Audience: "sigstore"}
	if d := g.Decide(from.claims(), expect); !d.Admit {
		t.Fatalf("the grant refuses its own job: %+v", d.Reasons)
	}
	for range 4000 {
		j := near(rng, from)
		mended, changed := mend(j, from, lock.AlsoAdmits)
		want := g.Decide(mended.claims(), expect).Admit
		got := lock.Policy.Decide(j.claims())
		if got.Admits != want || !got.Exact {
			t.Fatalf("the lock answers %+v, want %v\njob %+v\n%s\nresidue %+v", got, want, j, lock.Documents[0].Body, lock.AlsoAdmits)
		}
		if got.Admits {
			admitted++
			if len(changed) == 1 && !g.Decide(j.claims(), expect).Admit {
				alone[changed[0]] = true
			}
		}
	}
	if admitted == 0 {
		t.Error("no job was admitted: the test shows nothing")
	}
	for _, r := range lock.AlsoAdmits {
		if !alone[r.Claim] && r.Claim != "workflow_ref" { // a started file that is not the job's own shows in two claims
			t.Errorf("the residue names %s (%s), and no job shows it", r.Claim, r.Text)
		}
	}
}

func TestRenderedIdentity(t *testing.T) {
	g := providertest.Grant(t, Name, "10m", "{ fulcio: \"https://ca.example\", audience: ca.example }")
	lock, err := Trust.Render(g, g.Targets[0], trust.Repository{Name: "acme/site"})
	if err != nil {
		t.Fatal(err)
	}
	const want = `cosign verify-blob --bundle ARTIFACT.sigstore.json \
  --certificate-identity 'https://github.com/acme/site/.github/workflows/release.yml@refs/heads/main' \
  --certificate-oidc-issuer 'https://token.actions.githubusercontent.com' \
  --certificate-github-workflow-repository 'acme/site' \
  --certificate-github-workflow-ref 'refs/heads/main' \
  --certificate-github-workflow-trigger 'push' \
  ARTIFACT
`
	if lock.CLI != want || lock.Policy.Audience() != "ca.example" {
		t.Errorf("for %s:\n%s", lock.Policy.Audience(), lock.CLI)
	}
	docs, err := Trust.Find("identity.json", []byte(lock.Documents[0].Body))
	if err != nil || len(docs) != 1 {
		t.Fatalf("%d documents, %v", len(docs), err)
	}
	p, err := Trust.Parse(docs[0])
	if err != nil {
		t.Fatal(err)
	}
	at := p.Targets()[0]
	if at.Owner+"/"+at.Repository != "acme/site" || at.Workflow != ".github/workflows/release.yml" || at.Ref != "refs/heads/main" || len(p.Review()) != 0 {
		t.Errorf("%+v", at)
	}
	if grade, found := trust.Judge(p); grade == trust.Dead || grade == trust.Invalid || grade == trust.Bad {
		t.Errorf("%s: %+v", grade, found)
	}
}

func TestRenderRefusesWhatNoFlagSays(t *testing.T) {
	for who, repo := range map[string]trust.Repository{
		"{ ref: refs/heads/main }":                                      {Name: "acme/site"},
		"{ workflow: .github/workflows/release.yml }":                   {},
		"{ workflow: .github/workflows/50%.yml }":                       {Name: "acme/site"},
		"{ workflow: .github/workflows/a.yml, environment: production}": {Name: "acme/site", Issuer: "https://ghe.example/_services/token"},
	} {
		g := providertest.GrantFor(t, who, Name, "10m", "{ fulcio: \"https://ca.example\" }")
		if lock, err := Trust.Render(g, nil, repo); err == nil {
			t.Errorf("%s: %v", who, lock.Documents)
		}
	}
}

// The answers that cosign 3.1 gave for certificates of a real Fulcio.
func TestPoliciesAnswerAsCosignDoes(t *testing.T) {
	const issuer = `"certificate-oidc-issuer":"` + trust.GitHubIssuer + `"`
	j := good(grant.For{})
	for body, want := range map[string]bool{
		issuer + `,"certificate-identity":"https://github.com/acme/site/.github/workflows/release.yml@refs/heads/main"`:                                        true,
		issuer + `,"certificate-identity":"https://github.com/acme/site/.github/workflows/release.yml@refs/heads/mai"`:                                         false,
		issuer + `,"certificate-identity":"https://github.com/Acme/site/.github/workflows/release.yml@refs/heads/main"`:                                        false,
		issuer + `,"certificate-identity-regexp":"github.com/acme/"`:                                                                                           true,
		issuer + `,"certificate-identity-regexp":"github.com/acme$"`:                                                                                           false,
		issuer + `,"certificate-identity-regexp":"^acme/"`:                                                                                                     false,
		`"certificate-oidc-issuer-regexp":"^https://token","certificate-identity-regexp":"."`:                                                                  true,
		`"certificate-oidc-issuer-regexp":"^http://token","certificate-identity-regexp":"."`:                                                                   false,
		`"certificate-oidc-issuer":"` + trust.GitHubIssuer + `/acme","certificate-identity-regexp":"."`:                                                        false,
		issuer + `,"certificate-identity-regexp":".","certificate-github-workflow-repository":"acme/site","certificate-github-workflow-ref":"refs/heads/main"`: true,
		issuer + `,"certificate-identity-regexp":".","certificate-github-workflow-ref":"refs/heads/next"`:                                                      false,
		issuer + `,"certificate-identity-regexp":".","certificate-github-workflow-trigger":"push"`:                                                             true,
		issuer + `,"certificate-identity-regexp":".","certificate-github-workflow-trigger":"Push"`:                                                             false,
		issuer + `,"certificate-identity-regexp":".","certificate-github-workflow-name":"release"`:                                                             false,
		issuer + `,"certificate-identity-regexp":".","certificate-github-workflow-sha":"0123456789012345678901234567890123456789"`:                             false,
	} {
		p, err := Trust.Parse(trust.Document{Body: []byte("{" + body + "}")})
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if a := p.Decide(j.claims()); a.Admits != want || !a.Exact || a.Why == "" {
			t.Errorf("%s: %+v", body, a)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, body := range []string{
		`{`, `[]`, `{}`, `{"certificate-oidc-issuer":"x"}`, `{"certificate-identity":"x"}`, `{"certificate-identity":"x","certificate-oidc-issuer":1}`,
		`{"certificate-identity":"x","certificate-identity-regexp":"y","certificate-oidc-issuer":"z"}`,
		`{"certificate-identity-regexp":"(","certificate-oidc-issuer":"z"}`, `{"certificate-identity":"x","certificate-oidc-issuer-regexp":"("}`,
		`{"certificate-identity":"x","certificate-oidc-issuer":"z","certificate-chain":"c"}`,
		fmt.Sprintf(`{"certificate-identity-regexp":%q,"certificate-oidc-issuer":"z"}`, strings.Repeat("a", maxPattern+1)),
	} {
		if p, err := Trust.Parse(trust.Document{Name: "x", Body: []byte(body)}); err == nil {
			t.Errorf("%.100s: %+v", body, p)
		}
	}
	for _, text := range []string{"", "x", "{}", `[{"certificate-oidc-issuer":"x"}]`, `{"x":"certificate-oidc-issuer"}`, `{"certificate-oidc-issuer`} {
		if docs, err := Trust.Find("x", []byte(text)); len(docs) != 0 || err != nil {
			t.Errorf("%q: %v %v", text, docs, err)
		}
	}
}

func TestLooseIdentitiesAreFound(t *testing.T) {
	for body, want := range map[string]string{
		`{"certificate-identity-regexp":"github.com/acme/","certificate-oidc-issuer":"` + trust.GitHubIssuer + `"}`:          "substring-match",
		`{"certificate-identity-regexp":"^https://github.com/acme/","certificate-oidc-issuer":"` + trust.GitHubIssuer + `"}`: "any-repository",
		`{"certificate-identity-regexp":"^https://github.com/acme/site/.*","certificate-oidc-issuer-regexp":".*"}`:           "substring-match",
		`{"certificate-identity-regexp":".*","certificate-oidc-issuer":"` + trust.GitHubIssuer + `"}`:                        "no-subject",
	} {
		p, err := Trust.Parse(trust.Document{Body: []byte(body)})
		if err != nil {
			t.Fatal(err)
		}
		grade, found := trust.Judge(p)
		var classes []string
		for _, f := range found {
			classes = append(classes, f.Class)
		}
		if grade != trust.Bad || !slices.Contains(classes, want) {
			t.Errorf("%s is %s: %q", body, grade, classes)
		}
	}
}

func TestMeanings(t *testing.T) {
	for pattern, want := range map[string]string{
		`^https://github\.com/acme/site/\.github/workflows/a\.yml@refs/heads/main$`: "acme/site/.github/workflows/a.yml@refs/heads/main",
		`^https://github.com/acme/site/.github/workflows/a.yml@refs/tags/v.*$`:      "acme/site/.github/workflows/a.yml@refs/tags/v*",
		`^(?:https://github\.com/acme/a|https://github\.com/acme/b)$`:               "acme/a*",
		`github.com/acme/`: "acme/*",
		`.*`:               "*",
		``:                 "*",
	} {
		if got := meaning(pattern); got != want {
			t.Errorf("%s means %q, want %q", pattern, got, want)
		}
	}
}

// The certificates of other issuers are those of a Fulcio that may name another server.
func TestOtherIssuersAreNotExact(t *testing.T) {
	p, err := Trust.Parse(trust.Document{Body: []byte(`{"certificate-identity-regexp":"^https://github.com/acme/","certificate-oidc-issuer":"https://ghe.example"}`)})
	if err != nil {
		t.Fatal(err)
	}
	c := good(grant.For{}).claims()
	c.Values["iss"], c.Issuer = "https://ghe.example", "https://ghe.example"
	if a := p.Decide(c); !a.Admits || a.Exact {
		t.Errorf("%+v", a)
	}
	c.Audience = []string{"elsewhere"}
	if a := p.Decide(c); a.Admits {
		t.Errorf("%+v", a)
	}
}

func FuzzIdentity(f *testing.F) {
	f.Add([]byte(`{"certificate-identity-regexp":"^https://github\\.com/acme/","certificate-oidc-issuer":"`+trust.GitHubIssuer+`"}`), someone)
	f.Add([]byte(`{"certificate-identity":"https://github.com/`+someone+`","certificate-oidc-issuer":"x","certificate-github-workflow-ref":"y"}`), "a/b%zz@c")
	f.Fuzz(func(t *testing.T, b []byte, file string) {
		docs, err := Trust.Find("x", b)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range docs {
			p, err := Trust.Parse(d)
			if err != nil {
				continue
			}
			j := good(grant.For{})
			j.defines = file
			if a := p.Decide(j.claims()); a.Admits && p.(*identity).SAN != "" && sanOf(file) != p.(*identity).SAN {
				t.Errorf("%s admits %q", b, file)
			}
			p.Targets()
			p.Review()
		}
	})
}
