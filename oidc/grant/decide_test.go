package grant

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
)

// issued is when the tokens of testdata/claims are fresh.
var issued = time.Unix(1795435200, 0).UTC()

var atHome = Expect{Repository: "acme/site", Now: issued}

func claimsOf(t testing.TB, name string) oidc.Claims {
	t.Helper()
	c, err := oidc.ParseClaims(readFile(t, "claims/"+name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// with returns the claims changed as the pairs say; "-" removes one.
func with(t testing.TB, c oidc.Claims, pairs ...string) oidc.Claims {
	t.Helper()
	c.Values = maps.Clone(c.Values)
	for i := 0; i < len(pairs); i += 2 {
		name, value := pairs[i], pairs[i+1]
		c.Values[name] = value
		if value == "-" {
			delete(c.Values, name)
		}
		switch name {
		case "sub":
			c.Subject = c.Values[name]
		case "iss":
			c.Issuer = c.Values[name]
		case "aud", "exp", "nbf", "iat":
			t.Fatalf("%s is changed by its field", name)
		}
	}
	return c
}

const deployFor = "{ workflow: .github/workflows/deploy.yml, ref: refs/heads/main, environment: production, events: [push] }"

func TestDecide(t *testing.T) {
	const (
		deploy  = ".github/workflows/deploy.yml"
		onMain  = "{ workflow: " + deploy + ", ref: refs/heads/main }"
		caller  = "called: acme/platform/.github/workflows/deploy.yml@refs/tags/v3"
		staging = "{ environment: staging }"
	)
	tests := map[string]struct {
		claims, forBlock string
		change           []string
		want             string // claim:class of each reason; "" admits
	}{
		"as declared":                     {"production", deployFor, nil, ""},
		"as declared, immutable":          {"production-immutable", deployFor, nil, ""},
		"on main":                         {"main", onMain, nil, ""},
		"on main, immutable":              {"main-immutable", onMain, nil, ""},
		"a template of one's own":         {"custom-subject", deployFor, nil, ""},
		"a template without repository":   {"production", deployFor, []string{"sub", "repository_owner:acme:environment:production"}, ""},
		"by ids":                          {"main", "{ repository-id: 2001, repository-owner-id: 1001 }", nil, ""},
		"by an actor":                     {"main", "{ actors: [bob, ann] }", nil, ""},
		"by another actor":                {"main", "{ actors: [bob] }", nil, "actor:differs"},
		"by an actor in other case":       {"main", "{ actors: [Ann] }", nil, "actor:case-only"},
		"a protected branch":              {"main", "{ ref-protected: true }", nil, ""},
		"a branch without protection":     {"main", "{ ref-protected: true }", []string{"ref_protected", "false"}, "ref_protected:differs"},
		"protection not told":             {"main", "{ ref-protected: true }", []string{"ref_protected", "-"}, "ref_protected:missing-claim"},
		"protection of True":              {"main", "{ ref-protected: true }", []string{"ref_protected", "True"}, "ref_protected:differs"},
		"an environment too many":         {"production", onMain, nil, "environment:environment-instead-of-ref"},
		"an environment too few":          {"main", deployFor, nil, "environment:environment-missing"},
		"another environment":             {"production", staging, nil, "environment:differs"},
		"an environment in other case":    {"other-case", deployFor, nil, "environment:case-only"},
		"a tag for a branch":              {"tag", onMain, nil, "workflow_ref:tag-instead-of-branch ref:tag-instead-of-branch"},
		"a branch for a tag":              {"main", "{ refs: [refs/tags/*] }", nil, "ref:branch-instead-of-tag"},
		"another branch":                  {"main", "{ refs: [refs/heads/a, refs/tags/main] }", nil, "ref:other-branch"},
		"a branch in other case":          {"main", "{ ref: refs/heads/Main }", nil, "ref:case-only"},
		"a longer branch":                 {"main", "{ ref: refs/heads/mai }", nil, "ref:other-branch"},
		"a tag below":                     {"tag", "{ ref: refs/tags/* }", nil, ""},
		"not below":                       {"main", "{ ref: refs/heads/main/* }", nil, "ref:other-branch"},
		"a pull request":                  {"pull-request", onMain, nil, "workflow_ref:pull-request ref:pull-request event_name:pull-request"},
		"a pull request, named":           {"pull-request", "{ workflow: " + deploy + ", events: [pull_request] }", nil, ""},
		"a pull request on a branch":      {"pull-request", "{ ref: refs/heads/main, events: [push, pull_request] }", nil, "ref:pull-request"},
		"pull_request_target":             {"pull-request-target", onMain, nil, "event_name:pull-request"},
		"pull_request_target, named":      {"pull-request-target", "{ events: [pull_request_target] }", nil, ""},
		"pull_request_target, as a ref":   {"pull-request-target", "{ events: [pull_request_target] }", []string{"sub", "repo:acme/site:ref:refs/heads/main"}, ""},
		"a comment":                       {"comment", "{ ref: refs/heads/main }", nil, "event_name:low-trust-event"},
		"a comment, named":                {"comment", "{ events: [issue_comment] }", nil, ""},
		"a push where a schedule is":      {"main", "{ events: [schedule] }", nil, "event_name:event"},
		"an event in other case":          {"main", onMain, []string{"event_name", "Push"}, "event_name:low-trust-event"},
		"a dispatch from outside":         {"main", onMain, []string{"event_name", "repository_dispatch"}, "event_name:low-trust-event"},
		"a workflow_ref of no path":       {"main", "{ workflow: " + deploy + " }", []string{"workflow_ref", "acme/site@refs/heads/main", "job_workflow_ref", "acme/site@refs/heads/main"}, "workflow_ref:differs"},
		"no event":                        {"main", onMain, []string{"event_name", "-"}, "event_name:missing-claim"},
		"a called job":                    {"called", deployFor, nil, "job_workflow_ref:reusable-workflow"},
		"a called job, named":             {"called", "{ environment: production, " + caller + " }", nil, ""},
		"a called job, named with caller": {"called", "{ environment: production, workflow: " + deploy + ", " + caller + " }", nil, ""},
		"a called job, by prefix":         {"called", "{ environment: production, called: acme/platform/.github/workflows/deploy.yml@refs/tags/* }", nil, ""},
		"a job that is not called":        {"production", "{ environment: production, " + caller + " }", nil, "job_workflow_ref:reusable-workflow"},
		"called at another tag":           {"called", "{ environment: production, " + caller + " }", []string{"job_workflow_ref", "acme/platform/.github/workflows/deploy.yml@refs/tags/v4"}, "job_workflow_ref:reusable-workflow"},
		"called another file":             {"called", "{ environment: production, " + caller + " }", []string{"job_workflow_ref", "acme/platform/.github/workflows/other.yml@refs/tags/v3"}, "job_workflow_ref:reusable-workflow"},
		"called from a look-alike":        {"called", "{ environment: production, " + caller + " }", []string{"job_workflow_ref", "acme/platform-x/.github/workflows/deploy.yml@refs/tags/v3"}, "job_workflow_ref:reusable-workflow"},
		"called in other case":            {"called", "{ environment: production, " + caller + " }", []string{"job_workflow_ref", "Acme/platform/.github/workflows/deploy.yml@refs/tags/v3"}, "job_workflow_ref:case-only"},
		"the same file, another ref":      {"production", deployFor, []string{"job_workflow_ref", "acme/site/.github/workflows/deploy.yml@refs/heads/x"}, "job_workflow_ref:reusable-workflow"},
		"another workflow":                {"comment", "{ workflow: " + deploy + ", events: [issue_comment] }", nil, "workflow_ref:differs"},
		"a workflow in other case":        {"main", "{ workflow: .github/workflows/Deploy.yml }", nil, "workflow_ref:case-only"},
		"a workflow from a branch": {"production", deployFor, []string{
			"workflow_ref", "acme/site/.github/workflows/deploy.yml@refs/heads/x", "job_workflow_ref", "acme/site/.github/workflows/deploy.yml@refs/heads/x"}, "workflow_ref:other-branch"},
		"a workflow of another repository": {"production", deployFor, []string{
			"workflow_ref", "acme/x/.github/workflows/deploy.yml@refs/heads/main", "job_workflow_ref", "acme/x/.github/workflows/deploy.yml@refs/heads/main"}, "workflow_ref:other-repository"},
		"a branch named like a path": {"main", "{ workflow: " + deploy + " }", []string{
			"workflow_ref", "acme/site/.github/workflows/evil.yml@refs/heads/x/.github/workflows/deploy.yml@refs/heads/main",
			"job_workflow_ref", "acme/site/.github/workflows/evil.yml@refs/heads/x/.github/workflows/deploy.yml@refs/heads/main"}, "workflow_ref:differs"},
		"a workflow_ref of junk":   {"main", "{ workflow: " + deploy + " }", []string{"workflow_ref", "junk", "job_workflow_ref", "junk"}, "workflow_ref:differs"},
		"no workflow_ref":          {"main", onMain, []string{"workflow_ref", "-"}, "workflow_ref:missing-claim"},
		"no job_workflow_ref":      {"main", onMain, []string{"job_workflow_ref", "-"}, "job_workflow_ref:missing-claim"},
		"a runner of one's own":    {"self-hosted", deployFor, nil, "runner_environment:self-hosted-runner"},
		"such a runner, named":     {"self-hosted", "{ environment: production, runner: self-hosted }", nil, ""},
		"any runner":               {"self-hosted", "{ environment: production, runner: any }", nil, ""},
		"the wrong runner, named":  {"production", "{ environment: production, runner: self-hosted }", nil, "runner_environment:differs"},
		"no runner told":           {"main", onMain, []string{"runner_environment", "-"}, "runner_environment:missing-claim"},
		"another repository":       {"main", "{ repository: acme/other }", nil, "repository:other-repository"},
		"a repository by its case": {"main", "{ repository: Acme/site }", nil, "repository:case-only"},
		"a renamed repository":     {"renamed", "{ environment: production, repository-id: 2001 }", nil, "repository:renamed-repository"},
		"a renamed one, followed":  {"renamed", "{ environment: production, repository: acme/www, repository-id: 2001 }", nil, ""},
		"a name made again":        {"main", "{ repository-id: 2009 }", nil, "repository_id:recreated-repository"},
		"an owner made again":      {"main", "{ repository-owner-id: 1009 }", nil, "repository_owner_id:recreated-repository"},
		"another's id":             {"main", "{ repository: acme/other, repository-id: 2009 }", nil, "repository:other-repository repository_id:other-repository"},
		"no id told":               {"main", "{ repository-id: 2001 }", []string{"repository_id", "-"}, "repository_id:missing-claim"},
		"no repository told":       {"custom-subject", "{ environment: production }", []string{"repository", "-", "sub", "x"}, "repository:missing-claim"},
		"no ref told":              {"production", deployFor, []string{"ref", "-"}, "ref:missing-claim"},
		"no sub told":              {"production", deployFor, []string{"sub", "-"}, "sub:missing-claim"},
		// Claims that contradict each other were put together by hand.
		"sub of another environment":   {"hand-made", staging, nil, "sub:claims-disagree"},
		"sub of another repository":    {"production", deployFor, []string{"sub", "repo:acme/www:environment:production"}, "sub:claims-disagree"},
		"sub of the name in caps":      {"production", deployFor, []string{"sub", "repo:Acme/site:environment:production"}, "sub:case-only"},
		"sub of another repository id": {"production-immutable", deployFor, []string{"repository_id", "2009"}, "sub:immutable-subject"},
		"sub of another owner id":      {"production-immutable", deployFor, []string{"repository_owner_id", "1009"}, "sub:immutable-subject"},
		"sub of ids, none told":        {"production-immutable", deployFor, []string{"repository_id", "-"}, "sub:immutable-subject"},
		"sub of another ref":           {"main", onMain, []string{"sub", "repo:acme/site:ref:refs/heads/x"}, "sub:claims-disagree"},
		"sub of an environment alone":  {"main", onMain, []string{"sub", "repo:acme/site:environment:production"}, "sub:claims-disagree"},
		"sub without the environment":  {"production", deployFor, []string{"sub", "repo:acme/site:ref:refs/heads/main"}, "sub:claims-disagree"},
		"sub of a pull, from a push":   {"main", onMain, []string{"sub", "repo:acme/site:pull_request"}, "sub:pull-request"},
		"sub of a template, elsewhere": {"custom-subject", deployFor, []string{"sub", "repo:acme/www:environment:production:workflow:deploy"}, "sub:claims-disagree"},
		"an environment with a colon":  {"production", "{ environment: \"a:b\" }", []string{"environment", "a:b", "sub", "repo:acme/site:environment:a%3Ab"}, ""},
		"its twin without one":         {"production", "{ environment: \"a%3Ab\" }", []string{"environment", "a%3Ab", "sub", "repo:acme/site:environment:a%3Ab"}, ""},
		"a colon that is not escaped":  {"production", "{ environment: \"a:b\" }", []string{"environment", "a:b", "sub", "repo:acme/site:environment:A%3Ab"}, "sub:claims-disagree"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := grantOf(t, test.forBlock).Decide(with(t, claimsOf(t, test.claims), test.change...), atHome)
			checkDecision(t, d)
			if got := classes(d); got != test.want {
				t.Errorf("reasons are %q, want %q: %+v", got, test.want, d.Reasons)
			}
		})
	}
}

// classes writes the reasons as claim:class.
func classes(d Decision) string {
	var out []string
	for _, r := range d.Reasons {
		out = append(out, r.Claim+":"+string(r.Class))
	}
	return strings.Join(out, " ")
}

// checkDecision checks what holds of every decision.
func checkDecision(t *testing.T, d Decision) {
	t.Helper()
	if d.Admit != (len(d.Reasons) == 0) || d.Grant == "" {
		t.Errorf("decision is %+v", d)
	}
	for _, r := range d.Reasons {
		if r.Claim == "" || r.Expected == "" || r.Class == "" || r.Text == "" || r.Next == "" ||
			printable(r.Text) != r.Text || printable(r.Next) != r.Next {
			t.Errorf("reason is %+v", r)
		}
	}
}

func TestDecideExpects(t *testing.T) {
	g := grantOf(t, deployFor)
	c := claimsOf(t, "production")
	const iss = "https://token.actions.githubusercontent.com"
	twoAudiences, noAudience := c, c
	twoAudiences.Audience, noAudience.Audience = []string{"sts.amazonaws.com", "x"}, nil
	timeless := c
	timeless.Expires, timeless.NotBefore = time.Time{}, time.Time{}
	at := func(second int64) Expect { return Expect{Repository: "acme/site", Now: time.Unix(second, 0)} }
	tests := map[string]struct {
		claims oidc.Claims
		want   Expect
		reason string
	}{
		"nothing but the repository": {c, Expect{Repository: "acme/site"}, ""},
		"no repository":              {c, Expect{}, "repository:other-repository"},
		"the issuer":                 {c, Expect{Repository: "acme/site", Issuer: iss}, ""},
		"the enterprise's issuer":    {c, Expect{Repository: "acme/site", Issuer: iss + "/acme"}, "iss:issuer"},
		"an enterprise's token":      {with(t, c, "iss", iss+"/acme"), Expect{Repository: "acme/site", Issuer: iss}, "iss:issuer"},
		"no issuer told":             {with(t, c, "iss", "-"), Expect{Repository: "acme/site", Issuer: iss}, "iss:missing-claim"},
		"the audience":               {c, Expect{Repository: "acme/site", Audience: "sts.amazonaws.com"}, ""},
		"another audience":           {c, Expect{Repository: "acme/site", Audience: "sts.amazonaws.com.cn"}, "aud:audience"},
		"two audiences":              {twoAudiences, Expect{Repository: "acme/site", Audience: "sts.amazonaws.com"}, "aud:audience"},
		"no audience":                {noAudience, Expect{Repository: "acme/site", Audience: "sts.amazonaws.com"}, "aud:audience"},
		"the last second":            {c, at(1795435490 + 29), ""},
		"the second after":           {c, at(1795435490 + 30), "exp:expired"},
		"the first second":           {c, at(1795434890 - 30), ""},
		"the second before":          {c, at(1795434890 - 31), "nbf:expired"},
		"claims without times":       {timeless, at(1), ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := g.Decide(test.claims, test.want)
			checkDecision(t, d)
			if got := classes(d); got != test.reason {
				t.Errorf("reasons are %q, want %q", got, test.reason)
			}
		})
	}
}

func TestEveryEventHasItsTrust(t *testing.T) {
	low := []string{
		"pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment", "workflow_run", "issue_comment",
		"issues", "discussion", "discussion_comment", "fork", "watch", "gollum", "repository_dispatch", "check_run", "check_suite",
		"status", "label", "milestone", "page_build", "public", "registry_package", "delete", "deployment_status", "branch_protection_rule",
		"dynamic", "workflow_call", "image_version", "", "PUSH", "push ",
	}
	for _, e := range low {
		if NormalTrust(e) {
			t.Errorf("%q is admitted without being named", e)
		}
	}
	for _, e := range []string{"push", "schedule", "workflow_dispatch", "release", "deployment", "create", "merge_group"} {
		if !NormalTrust(e) {
			t.Errorf("%q must be named", e)
		}
	}
}

func TestMatchRef(t *testing.T) {
	tests := []struct {
		pattern, ref string
		want         bool
	}{
		{"refs/heads/main", "refs/heads/main", true},
		{"refs/heads/main", "refs/heads/main/x", false},
		{"refs/heads/main", "refs/heads/mainx", false},
		{"refs/heads/*", "refs/heads/a/b", true},
		{"refs/heads/*", "refs/heads/", false},
		{"refs/heads/*", "refs/tags/a", false},
		{"refs/heads/release/*", "refs/heads/release", false},
		{"refs/heads/release/*", "refs/heads/release/*", true},
		{"refs/heads/release/*", "refs/heads/releases/1", false},
	}
	for _, test := range tests {
		if got := matchRef(test.pattern, test.ref); got != test.want {
			t.Errorf("%q matches %q: %v", test.pattern, test.ref, got)
		}
	}
}

func TestParseFileRef(t *testing.T) {
	commit := strings.Repeat("ab", 20)
	tests := map[string]fileRef{
		"a/b/.github/workflows/c.yml@refs/heads/main":          {"a/b", ".github/workflows/c.yml", "refs/heads/main"},
		"a/b/.github/workflows/c.yml@" + commit:                {"a/b", ".github/workflows/c.yml", commit},
		"a/b/.github/workflows/c@d.yml@refs/tags/v1":           {"a/b", ".github/workflows/c@d.yml", "refs/tags/v1"},
		"a/b/.github/workflows/c@d.yml@" + commit:              {"a/b", ".github/workflows/c@d.yml", commit},
		"a/b/.github/workflows/c.yml@refs/heads/x@refs/tags/v": {"a/b", ".github/workflows/c.yml", "refs/heads/x@refs/tags/v"},
	}
	for s, want := range tests {
		if got, ok := parseFileRef(s); !ok || got != want {
			t.Errorf("%q is %+v, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "@", "a@b", "a/b@c", "a/b/@c", "/b/c@d", "a//c@d", "a/b/c", "a/b/c@"} {
		if got, ok := parseFileRef(s); ok {
			t.Errorf("%q is %+v", s, got)
		}
	}
}

// The lines that a reason names are those of the file.
func TestReasonsNameTheLine(t *testing.T) {
	g := mustParse(t, readFile(t, "files/many.yml")).Grants[0]
	d := g.Decide(claimsOf(t, "main"), Expect{Repository: "acme/tool"})
	next := map[string]string{}
	for _, r := range d.Reasons {
		next[r.Claim] = r.Next
	}
	for claim, want := range map[string]string{
		"workflow_ref": Path + ":7, for.workflow", "ref": Path + ":8, for.refs", "repository": Path + ":11, for.repository", "repository_id": Path + ":12, for.repository-id",
	} {
		if !strings.Contains(next[claim], want) {
			t.Errorf("%s: next is %q, want %q in it", claim, next[claim], want)
		}
	}
}

// Every preset has a meaning, so that none lies about unused.
func TestPresetsAreUsed(t *testing.T) {
	files, err := filepath.Glob("testdata/claims/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	sources, _ := filepath.Glob("*_test.go")
	var all strings.Builder
	for _, s := range sources {
		b, _ := os.ReadFile(s)
		all.Write(b)
	}
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), ".json"); !strings.Contains(all.String(), `"`+name+`"`) {
			t.Errorf("%s is not used", f)
		}
	}
}

func TestDecideIsDeterministic(t *testing.T) {
	g := mustParse(t, readFile(t, "files/many.yml")).Grants[0]
	c := claimsOf(t, "comment")
	before := maps.Clone(c.Values)
	first := g.Decide(c, atHome)
	for range 100 {
		if again := g.Decide(c, atHome); !reflect.DeepEqual(first, again) {
			t.Fatalf("decisions differ: %+v, %+v", first, again)
		}
	}
	if !maps.Equal(before, c.Values) || !slices.Equal(g.For.Events, []string{"push", "release"}) {
		t.Error("the decision changed what it was given")
	}
}
