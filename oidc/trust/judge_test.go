package trust

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
)

// A globs is a policy of our own: each claim must fit one of its patterns, in which
// "*" stands for any text and "?" for one character.
type globs map[string][]string

func (g globs) Decide(c oidc.Claims) Answer {
	for claim, patterns := range g {
		if !slices.ContainsFunc(patterns, func(p string) bool { return fits(p, c.Get(claim)) }) {
			return Answer{Exact: true, Why: claim + " differs"}
		}
	}
	return Answer{Admits: true, Exact: true, Why: "all fit"}
}

func fits(pattern, s string) bool {
	return regexp.MustCompile("^(?s:" + strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern)) + ")$").MatchString(s)
}

func (g globs) Audience() string  { return "relying-party" }
func (g globs) Targets() []Target { return Named(g) }
func (g globs) Review() []Finding { return nil }

func classesIn(found []Finding) []string {
	var list []string
	for _, f := range found {
		list = append(list, f.Class)
	}
	return list
}

func TestJudge(t *testing.T) {
	const main = "repo:umbrella/shop:ref:refs/heads/main"
	for name, c := range map[string]struct {
		policy globs
		grade  Grade
		class  string // that must be found, "" for none
	}{
		"exact subject":                      {globs{"sub": {main}}, Good, "name-only"},
		"exact immutable subject":            {globs{"sub": {"repo:umbrella@32/shop@31:ref:refs/heads/main"}}, Good, ""},
		"ids, ref and event":                 {globs{"repository_id": {"31"}, "repository_owner_id": {"32"}, "ref": {"refs/heads/main"}, "event_name": {"push"}}, Good, ""},
		"ids and ref without event":          {globs{"repository_id": {"31"}, "ref": {"refs/heads/main"}}, Caution, "event-not-bound"},
		"id alone":                           {globs{"repository_id": {"31"}}, Caution, "any-ref-of-repository"},
		"name alone":                         {globs{"repository": {"umbrella/shop"}}, Caution, "any-ref-of-repository"},
		"owner alone":                        {globs{"repository_owner": {"umbrella"}}, Bad, "any-repository"},
		"owner's id alone":                   {globs{"repository_owner_id": {"32"}}, Bad, "any-repository"},
		"environment alone":                  {globs{"environment": {"live"}}, Bad, "forgeable-claim"},
		"environment of a repository":        {globs{"repository_id": {"31"}, "environment": {"live"}}, Caution, "environment-only"},
		"environment, ref of a repository":   {globs{"repository_id": {"31"}, "environment": {"live"}, "ref": {"refs/heads/main"}}, Good, ""},
		"actor alone":                        {globs{"actor": {"ada"}}, Bad, "actor-only"},
		"actor besides":                      {globs{"sub": {main}, "actor": {"ada"}}, Caution, "actor-bound"},
		"private repositories":               {globs{"repository_visibility": {"private"}}, Bad, "visibility-only"},
		"nothing":                            {globs{}, Bad, "no-subject"},
		"pull requests of name and id":       {globs{"sub": {"repo:umbrella/shop:pull_request"}, "repository_id": {"31"}}, Bad, "pull-request"},
		"immutable pull requests and main":   {globs{"sub": {"repo:umbrella@32/shop@31:pull_request", "repo:umbrella@32/shop@31:ref:refs/heads/main"}}, Caution, "pull-request"},
		"called workflow on any ref":         {globs{"sub": {main}, "job_workflow_ref": {"umbrella/pipes/.github/workflows/ship.yml@*"}}, Bad, "called-workflow-ref"},
		"own file on its ref":                {globs{"sub": {main}, "job_workflow_ref": {"umbrella/shop/.github/workflows/ship.yml@refs/heads/main"}}, Good, ""},
		"owner's template":                   {globs{"sub": {"environment:live:repository_owner:umbrella"}}, Bad, "wide-template"},
		"template of the repository":         {globs{"sub": {"repo:umbrella/shop"}}, Bad, "wide-template"},
		"template of the called workflow":    {globs{"sub": {"job_workflow_ref:umbrella/pipes/.github/workflows/ship.yml@refs/heads/main"}}, Bad, "called-workflow-only"},
		"any environment":                    {globs{"sub": {"repo:umbrella/shop:environment:*"}}, Bad, "environment-pattern"},
		"owner with a question":              {globs{"sub": {"repo:umbrell?/shop:ref:refs/heads/main"}}, Bad, "owner-prefix"},
		"repository with a question":         {globs{"sub": {"repo:umbrella/sho?:ref:refs/heads/main"}}, Bad, "repository-prefix"},
		"whole repository by name and id":    {globs{"sub": {"repo:umbrella/shop:*"}, "repository_id": {"31"}}, Caution, "any-ref-of-repository"},
		"whole owner calls one file":         {globs{"sub": {"repo:umbrella/*"}, "job_workflow_ref": {"umbrella/pipes/.github/workflows/ship.yml@refs/tags/v1"}}, Caution, "any-repository"},
		"repository calls one file":          {globs{"sub": {"repo:umbrella/shop:*"}, "job_workflow_ref": {"umbrella/pipes/.github/workflows/ship.yml@refs/tags/v1"}}, Good, ""},
		"hyphens for ids":                    {globs{"sub": {"repo:umbrella-32/shop-31:ref:refs/heads/main"}}, Bad, "hyphen-ids"},
		"capitals":                           {globs{"sub": {"repo:Umbrella/Shop:ref:refs/heads/main"}}, Dead, "letter-case"},
		"a capital in the owner":             {globs{"sub": {"repo:Umbrella/shop:ref:refs/heads/main"}}, Good, ""},
		"any id":                             {globs{"sub": {"repo:umbrella@*/shop@*:ref:refs/heads/main"}}, Caution, "any-owner-id"},
		"subject that contradicts the claim": {globs{"sub": {main}, "ref": {"refs/heads/other"}}, Dead, "never-admits"},
		"repository of any owner":            {globs{"sub": {"*/shop:ref:refs/heads/main"}}, Bad, "any-owner"},
		"end of an owner's name":             {globs{"sub": {"repo:*umbrella/shop:ref:refs/heads/main"}}, Bad, "owner-prefix"},
		"anything around a name":             {globs{"sub": {"*umbrella/shop*"}}, Bad, "any-owner"},
		"part of the repository claim":       {globs{"repository": {"*umbrella/*"}}, Bad, "owner-prefix"},
		"branch without refs/heads":          {globs{"sub": {"repo:umbrella/shop:ref:main"}}, Dead, "never-admits"},
		"no subject of any template":         {globs{"sub": {"umbrella/shop"}}, Dead, "never-admits"},
		"space after a branch":               {globs{"sub": {main + " "}}, Dead, "never-admits"},
		"pull requests on the main branch":   {globs{"sub": {"repo:umbrella/shop:pull_request"}, "ref": {"refs/heads/main"}}, Bad, "pull-request"},
		"pull requests by event":             {globs{"repository_id": {"31"}, "event_name": {"pull_request"}}, Bad, "pull-request"},
		"any repository id":                  {globs{"sub": {"repo:umbrella@32/shop@*:ref:refs/heads/main"}}, Caution, "any-owner-id"},
		"two repositories by their ids":      {globs{"repository_id": {"31", "33"}, "ref": {"refs/heads/main"}, "event_name": {"push"}}, Caution, "several-repositories"},
		"a claim that no token has":          {globs{"repository_id": {"31"}, "repo_name": {"shop"}}, Dead, "never-admits"},
		"template with the called workflow":  {globs{"sub": {"repo:umbrella/shop:job_workflow_ref:umbrella/pipes/.github/workflows/ship.yml@refs/heads/main"}}, Good, ""},
		"template after the environment":     {globs{"sub": {"repo:umbrella/shop:environment:live:workflow:deploy"}}, Caution, "environment-only"},
		"template open at its end":           {globs{"sub": {"repository_owner:umbrella:*"}}, Bad, "any-repository"},
		"template of a ref":                  {globs{"sub": {"ref:refs/heads/main:*"}}, Bad, "forgeable-template"},
		"enterprise's id":                    {globs{"sub": {"repo:*"}, "enterprise_id": {"77"}}, Caution, "any-repository"},
		"all of an enterprise's issuer":      {globs{"iss": {GitHubIssuer + "/umbrella"}, "sub": {"repo:*"}}, Caution, "any-repository"},
		"end of a repository's name":         {globs{"sub": {"repo:*shop:ref:refs/heads/main"}}, Bad, "any-owner"},
		"end of the repository claim":        {globs{"repository": {"*shop"}, "ref": {"refs/heads/main"}}, Bad, "no-subject"},
		"beginning of a repository id":       {globs{"sub": {"repo:umbrella@32/shop@31*"}}, Bad, "repository-prefix"},
		"wildcard before pull requests":      {globs{"sub": {"repo:umbrella/shop:*pull_request"}}, Bad, "pull-request"},
		"beginning of pull requests":         {globs{"sub": {"repo:umbrella/shop:pull*"}}, Bad, "pull-request"},
		"beginning of the kind":              {globs{"sub": {"repo:umbrella@32/shop@31:env*"}}, Bad, "environment-pattern"},
		"ref of a pull request":              {globs{"sub": {"repo:umbrella/shop:ref:refs/pull/7/merge"}}, Dead, "never-admits"},
		"environment and a branch's subject": {globs{"sub": {main}, "environment": {"live"}}, Dead, "never-admits"},
		"environment or a branch's subject":  {globs{"sub": {main}, "environment": {"live", ""}}, Good, ""},
		"wildcard amid a branch":             {globs{"sub": {"repo:umbrella@32/shop@31:ref:refs/heads/release/*/final"}}, Caution, "any-branch"},
		"tags of three parts":                {globs{"sub": {"repo:umbrella@32/shop@31:ref:refs/tags/v?.?.?"}}, Caution, "tag-pattern"},
		"every tag":                          {globs{"sub": {"repo:umbrella@32/shop@31:ref:refs/tags/*"}}, Caution, "tag-pattern"},
		"template of the repository's id":    {globs{"sub": {"repository_id:31:*"}}, Caution, "any-ref-of-repository"},
		"any context before the called file": {globs{"sub": {"repo:umbrella/shop:*:job_workflow_ref:umbrella/pipes/.github/workflows/ship.yml@refs/tags/v1"}}, Good, ""},
		"main before the called file":        {globs{"sub": {main + ":job_workflow_ref:umbrella/pipes/.github/workflows/ship.yml@refs/tags/v1"}}, Good, ""},
		"enterprise's own issuer":            {globs{"sub": {main}, "iss": {GitHubIssuer + "/umbrella"}}, Good, ""},
	} {
		grade, found := Judge(c.policy)
		if grade != c.grade || c.class != "" && !slices.Contains(classesIn(found), c.class) {
			t.Errorf("%s: %s with %s, want %s with %s", name, grade, classesIn(found), c.grade, c.class)
		}
		for _, f := range found {
			if f.Severity == "" || f.Message == "" || f.Next == "" {
				t.Errorf("%s: finding without words: %+v", name, f)
			}
		}
	}
}

func TestJudgeKnowsHowNamesAreSpelt(t *testing.T) {
	for policy, want := range map[string]Grade{"Umbrella/Shop": Good, "umbrella/shop": Dead, "Umbrella/Blog": Dead, "umbrella/blog": Good} {
		if grade, found := Judge(globs{"sub": {"repo:" + policy + ":ref:refs/heads/main"}}, "Umbrella/Shop"); grade != want {
			t.Errorf("%s: grade is %s, want %s: %s", policy, grade, want, classesIn(found))
		}
	}
}

// A review's finding takes the place of those that it replaces, and its grade counts.
type reviewed struct {
	globs
	found []Finding
}

func (r reviewed) Review() []Finding { return r.found }

func TestJudgeJoinsTheReview(t *testing.T) {
	wide := globs{"sub": {"repo:umbrella/shop:*"}}
	said := Found("set-operator", Caution)
	said.Replaces = []string{"pull-request"}
	grade, found := Judge(reviewed{wide, []Finding{said}})
	if grade != Caution || slices.Contains(classesIn(found), "pull-request") {
		t.Errorf("%s with %s", grade, classesIn(found))
	}
	// globs looks at no issuer unless it names one.
	exact := globs{"sub": {"repo:umbrella/shop:ref:refs/heads/main"}}
	if grade, _ := Judge(reviewed{exact, []Finding{Found("issuer-pattern", "")}}); grade != Bad {
		t.Errorf("grade is %s where any issuer gets in, want bad", grade)
	}
	exact["iss"] = []string{GitHubIssuer}
	if grade, _ := Judge(reviewed{exact, []Finding{Found("issuer-pattern", "")}}); grade != Good {
		t.Errorf("grade is %s where the pattern fits one issuer, want good", grade)
	}
	if grade, _ := Judge(reviewed{wide, []Finding{Found("invalid", Invalid)}}); grade != Invalid {
		t.Errorf("grade is %s, want invalid", grade)
	}
}

// Each token of a probe agrees with itself, as a true one does.
func TestProbesAreConsistent(t *testing.T) {
	for _, target := range []Target{
		{}, {Owner: "umbrella", Repository: "shop", Ref: "refs/heads/main"},
		{Owner: "umbrella", OwnerID: "32", Repository: "shop", RepositoryID: "31", Environment: "a:b", Immutable: true},
		{Owner: "umbrella", Repository: "shop", Subject: "repo:umbrella/shop:pull_request"},
		{Called: "umbrella/pipes/.github/workflows/ship.yml@refs/tags/v1", Claims: map[string]string{"event_name": "pull_request_target"}},
		{Subject: "workflow:deploy:*"},
	} {
		probes := Probes(target)
		if len(probes) < 40 || len(named(probes, probeWorkload)) == 0 {
			t.Fatalf("%+v has %d probes", target, len(probes))
		}
		for _, p := range probes {
			c := p.Claims
			s := oidc.ParseSubject(c.Subject)
			if s.Form != oidc.SubjectCustom && (s.Owner+"/"+s.Repo != c.Get("repository") || s.OwnerID != "" && s.OwnerID != c.Get("repository_owner_id")) {
				t.Errorf("%s: sub %q of %q", p.Name, c.Subject, c.Get("repository"))
			}
			if s.Kind == oidc.SubjectRef && s.Form != oidc.SubjectCustom && (s.Value != c.Get("ref") || c.Get("environment") != "") {
				t.Errorf("%s: sub %q on %q", p.Name, c.Subject, c.Get("ref"))
			}
			if !strings.HasPrefix(c.Get("workflow_ref"), c.Get("repository")+"/") || !strings.HasSuffix(c.Get("workflow_ref"), "@"+c.Get("ref")) {
				t.Errorf("%s: workflow_ref %q of %q on %q", p.Name, c.Get("workflow_ref"), c.Get("repository"), c.Get("ref"))
			}
			if c.Issuer == "" || len(c.Audience) != 1 || c.Values["aud"] != c.Audience[0] {
				t.Errorf("%s: issuer %q, audience %q", p.Name, c.Issuer, c.Audience)
			}
		}
	}
}

func TestNamed(t *testing.T) {
	for sub, want := range map[string]Target{
		"repo:umbrella/shop:ref:refs/heads/main":       {Owner: "umbrella", Repository: "shop", Ref: "refs/heads/main"},
		"repo:umbrella@32/shop@31:environment:a%3Ab":   {Owner: "umbrella", OwnerID: "32", Repository: "shop", RepositoryID: "31", Environment: "a:b", Immutable: true},
		"repo:umbrella/*":                              {Owner: "umbrella"},
		"repo:umbrella*":                               {Owner: "umbrella"},
		"repo:umbrella/shop*:ref:refs/heads/release/*": {Owner: "umbrella", Repository: "shop", Ref: "refs/heads/release/1"},
		"repo:umbrella/shop:ref:refs/heads/main*":      {Owner: "umbrella", Repository: "shop", Ref: "refs/heads/main"},
		"repo:umbrella/shop:ref:refs/tags/v*":          {Owner: "umbrella", Repository: "shop", Ref: "refs/tags/v1.2.3"},
		"repo:umbrella@*/shop@*:pull_request":          {Owner: "umbrella", Repository: "shop", Immutable: true},
		"*:environment:live":                           {Environment: "live"},
		"repository_owner:umbrella:environment:live":   {Owner: "umbrella", Environment: "live"},
	} {
		got := Named(map[string][]string{"sub": {sub}})
		want.Subject = sub
		if len(got) != 1 || got[0].Owner != want.Owner || got[0].Repository != want.Repository || got[0].OwnerID != want.OwnerID ||
			got[0].RepositoryID != want.RepositoryID || got[0].Ref != want.Ref || got[0].Environment != want.Environment || got[0].Immutable != want.Immutable || got[0].Subject != sub {
			t.Errorf("%s is %+v, want %+v", sub, got, want)
		}
	}
	if got := Named(map[string][]string{"repository": {"a/b", "a/c"}, "ref": {"x", "y"}}); len(got) != 4 {
		t.Errorf("two times two values give %d targets", len(got))
	}
	if got := Named(map[string][]string{"aud": {"x"}, "sub": nil}); got != nil {
		t.Errorf("an audience names %+v", got)
	}
	many := make([]string, 1000)
	if got := Named(map[string][]string{"sub": many, "ref": many}); len(got) > maxTargets {
		t.Errorf("%d targets", len(got))
	}
}

func TestClassesAreWellFormed(t *testing.T) {
	name := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	id := regexp.MustCompile(`^(M[0-4][0-9])?$`)
	seen := map[string]bool{}
	for _, c := range classes {
		if !name.MatchString(c.name) || !id.MatchString(c.id) || rank(c.severity) < 0 || c.message == "" || c.next == "" || seen[c.name] {
			t.Errorf("class %+v", c)
		}
		seen[c.name] = true
	}
}

func TestDrift(t *testing.T) {
	g := &grant.Grant{Name: "ship", For: grant.For{Workflow: ".github/workflows/ship.yml", Refs: []string{"refs/heads/main"}, Runner: grant.AnyRunner}}
	expect := grant.Expect{Repository: "umbrella/shop"}
	file := "umbrella/shop/.github/workflows/ship.yml@refs/heads/main"
	aud := []string{"relying-party"}
	exact := globs{"aud": aud, "sub": {"repo:umbrella/shop:ref:refs/heads/main"}, "workflow_ref": {file}, "job_workflow_ref": {file}, "event_name": grant.NormalEvents()}
	for name, c := range map[string]struct {
		policy globs
		want   []string
	}{
		"exact":        {exact, nil},
		"wider":        {globs{"aud": aud, "sub": {"repo:umbrella/shop:*"}, "workflow_ref": {"umbrella/shop/.github/workflows/ship.yml@*"}}, []string{Wider}},
		"any owner":    {globs{"aud": aud, "sub": {"*"}}, []string{Wider}},
		"dead":         {globs{"aud": aud, "sub": {"repo:umbrella/blog:ref:refs/heads/main"}}, []string{DeadLock, Wider}},
		"one event":    {globs{"aud": aud, "sub": exact["sub"], "workflow_ref": {file}, "job_workflow_ref": {file}, "event_name": {"push"}}, nil},
		"other branch": {globs{"aud": aud, "sub": {"repo:umbrella/shop:ref:refs/heads/next"}}, []string{DeadLock, Wider}},
	} {
		found, err := Drift(g, expect, c.policy, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Compact(slices.Sorted(slices.Values(classesIn(found)))); !slices.Equal(got, c.want) {
			t.Errorf("%s: %s, want %s: %+v", name, got, c.want, found)
		}
		for _, f := range found {
			claims := oidc.Claims{Issuer: f.Witness["iss"], Subject: f.Witness["sub"], Audience: []string{f.Witness["aud"]}, Values: f.Witness}
			wider := f.Class == Wider
			if c.policy.Decide(claims).Admits != wider || g.Decide(claims, expect).Admit == wider {
				t.Errorf("%s: the witness of %s shows nothing: %v", name, f.Message, f.Witness)
			}
		}
	}
	if _, err := Drift(g, grant.Expect{}, exact, nil); err == nil {
		t.Error("a grant of an unknown repository is compared")
	}
}

func TestDriftShowsWhatIsNarrower(t *testing.T) {
	g := &grant.Grant{Name: "ship", For: grant.For{Refs: []string{"refs/heads/main", "refs/heads/release/*"}, Runner: grant.AnyRunner}}
	found, err := Drift(g, grant.Expect{Repository: "umbrella/shop"}, globs{"sub": {"repo:umbrella/shop:ref:refs/heads/main"}}, nil)
	if err != nil || !slices.Contains(classesIn(found), Narrower) || slices.Contains(classesIn(found), DeadLock) {
		t.Errorf("found %s, %v", classesIn(found), err)
	}
}

// Each ref of a grant must get in: one that does makes up for no other.
func TestDriftAsksAboutEachRef(t *testing.T) {
	g := &grant.Grant{Name: "ship", For: grant.For{Refs: []string{"refs/heads/main", "refs/heads/stable"}, Runner: grant.AnyRunner}}
	for sub, want := range map[string]string{"repo:umbrella/shop:ref:refs/heads/main": "refs/heads/stable", "repo:umbrella/shop:ref:refs/heads/stable": "refs/heads/main"} {
		found, err := Drift(g, grant.Expect{Repository: "umbrella/shop"}, globs{"sub": {sub}}, globs{"sub": {"repo:umbrella/shop:*"}})
		if err != nil || len(found) == 0 || found[0].Class != Narrower || found[0].Witness["ref"] != want {
			t.Errorf("%s: %+v, %v", sub, found, err)
		}
	}
}

// What the cloud cannot hold is no finding, and stands before none: a token of another
// repository shows, though one of the same kind is not held.
func TestDriftLeavesOutWhatIsNotHeld(t *testing.T) {
	g := &grant.Grant{Name: "ship", For: grant.For{Workflow: ".github/workflows/ship.yml", Refs: []string{"refs/heads/main"}, Runner: grant.AnyRunner}}
	expect := grant.Expect{Repository: "umbrella/shop"}
	own := globs{"sub": {"repo:umbrella/shop:ref:refs/heads/main"}}
	both := globs{"sub": append([]string{"repo:umbrella/blog:ref:refs/heads/main"}, own["sub"]...)}
	if found, err := Drift(g, expect, own, nil); err != nil || len(found) == 0 {
		t.Fatalf("the lock holds all of the grant: %v, %v", found, err)
	}
	if found, err := Drift(g, expect, own, own); err != nil || len(found) > 0 {
		t.Errorf("against itself: %+v, %v", found, err)
	}
	found, err := Drift(g, expect, both, own)
	if err != nil || len(found) == 0 {
		t.Fatalf("found %+v, %v", found, err)
	}
	for _, f := range found {
		if f.Class != Wider || f.Witness["repository"] != "umbrella/blog" {
			t.Errorf("found %+v", f)
		}
	}
}

func FuzzNamed(f *testing.F) {
	f.Add("repo:a/b:ref:refs/heads/*", "a/b/.github/workflows/*@x")
	f.Add("*:environment:*", "@")
	f.Add("workflow:x:repo:y", "a/b/c")
	f.Fuzz(func(t *testing.T, sub, file string) {
		for _, target := range Named(map[string][]string{"sub": {sub}, "job_workflow_ref": {file}}) {
			for _, p := range Probes(target) {
				if p.Name == "" || p.Claims.Issuer == "" {
					t.Errorf("probe %+v", p)
				}
			}
		}
	})
}

func TestEachClassIsDocumented(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "trust.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range classes {
		id := c.id
		if id == "" {
			id = "-"
		}
		if !strings.Contains(string(b), "| `"+c.name+"` | "+id+" | "+c.severity+" |") {
			t.Errorf("docs/trust.md does not list %s, %s, %s", c.name, id, c.severity)
		}
	}
}
