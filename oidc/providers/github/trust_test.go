package github

import (
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/trust"
	"github.com/stint-dev/stint/oidc/trust/trusttest"
)

func TestLabelledPolicies(t *testing.T) { trusttest.Cases(t, Trust) }

func TestRenderedPoliciesAgreeWithTheGrant(t *testing.T) {
	trusttest.Agree(t, 500, func(g *grant.Grant, repo trust.Repository) (trust.Lock, error) {
		return Trust.Render(g, nil, repo)
	}, "job_workflow_ref")
}

// jobToken makes the claims of a job of acme/app on main, with changes given as name=value.
func jobToken(changes ...string) map[string]string {
	v := map[string]string{
		"iss": trust.GitHubIssuer, "sub": "repo:acme/app:ref:refs/heads/main", "aud": octoDomain, "head_ref": "",
		"repository": "acme/app", "repository_id": "2001", "ref": "refs/heads/main", "event_name": "push", "ref_protected": "true",
		"job_workflow_ref": "acme/app/.github/workflows/deploy.yml@refs/heads/main",
	}
	for _, c := range changes {
		name, value, _ := strings.Cut(c, "=")
		v[name] = value
	}
	return v
}

// stsText is a policy that has the issuer and a permission already.
func stsText(more string) string {
	return "issuer: " + trust.GitHubIssuer + "\npermissions: { contents: read }\n" + more
}

func TestPoliciesAnswerAsOctoSTSDoes(t *testing.T) {
	const exact = "subject: repo:acme/app:ref:refs/heads/main\n"
	for _, c := range []struct {
		more, change string
		want         bool
	}{
		{exact, "", true},
		{exact, "aud=other", false},
		{exact + "audience: mine\n", "", false},
		{exact + "audience: mine\n", "aud=mine", true},
		{exact + "audience_pattern: octo.*\n", "", true},
		{exact + "audience_pattern: octo\n", "", false},
		{exact + "audience: a\naudience_pattern: octo.*\n", "", false},
		{exact, "iss=" + trust.GitHubIssuer + "/acme", false},
		{exact + "issuer_pattern: .*\n", "", false},
		{exact + "subject_pattern: .*\n", "", false},
		{"", "", false},
		{"subject: repo:acme/.*\n", "", false},
		{"subject_pattern: repo:acme/app:.*\n", "", true},
		{"subject_pattern: repo:acme/app\n", "", false},
		{"subject_pattern: acme/app:.*\n", "", false},
		{"subject_pattern: REPO:acme/app:.*\n", "", false},
		{"subject_pattern: (?i)REPO:ACME/app:.*\n", "", true},
		{"subject_pattern: repo:acme/a.p:.*\n", "sub=repo:acme/axp:x", true},
		{"subject_pattern: repo:acme/app:ref:refs/heads/main|repo:acme/app:pull_request\n", "sub=repo:acme/app:ref:refs/heads/main-evil", true},
		{"subject_pattern: repo:acme/app:ref:refs/heads/main|repo:acme/app:pull_request\n", "sub=x:repo:acme/app:pull_request", true},
		{"subject_pattern: (repo:acme/app:ref:refs/heads/main|repo:acme/app:pull_request)\n", "sub=repo:acme/app:ref:refs/heads/main-evil", false},
		{"subject_pattern: '('\n", "", false},
		{"subject_pattern: 'a)|(repo.*'\n", "", false},
		{"subject_pattern: .*\n", "sub=" + strings.Repeat("a", maxSubject+1), false},
		{"subject_pattern: .*\n", "sub=repo:acme@1/app@2:ref:x", true},
		{"subject_pattern: .*\n", "sub=a b", false},
		{"subject_pattern: .*\n", "sub=a$b", false},
		{"subject_pattern: .*\n", "sub=a[b", false},
		{"subject_pattern: .*\n", "sub=", false},
		{exact + "claim_pattern: { ref: refs/heads/main }\n", "", true},
		{exact + "claim_pattern: { ref: main }\n", "", false},
		{exact + "claim_pattern: { environment: '.*' }\n", "", false},
		{exact + "claim_pattern: { head_ref: '.*' }\n", "", true},
		{exact + "claim_pattern: { ref: refs/heads/main, event_name: push }\n", "event_name=schedule", false},
	} {
		p := trusttest.Read(t, Trust, "x.sts.yaml", []byte(stsText(c.more)))
		values := jobToken()
		if c.change != "" {
			values = jobToken(c.change)
		}
		if a := p.Decide(trusttest.Claims(values)); a.Admits != c.want || a.Exact != !(strings.Contains(c.more, "main|repo") && c.want) || a.Why == "" {
			t.Errorf("%s%s: %+v, want %v", c.more, c.change, a, c.want)
		}
	}
}

func stsClass(p trust.Policy, class string) (trust.Finding, bool) {
	list := p.Review()
	i := slices.IndexFunc(list, func(f trust.Finding) bool { return f.Class == class && f.Message != "" })
	if i < 0 {
		return trust.Finding{}, false
	}
	return list[i], true
}

func TestReview(t *testing.T) {
	const exact = "subject: repo:acme/app:ref:refs/heads/main\n"
	for more, class := range map[string]string{
		stsText(exact): "", stsText(""): "invalid", stsText("subject_pattern: '['\n"): "invalid", stsText("subject: a\nsubject_pattern: b\n"): "invalid",
		stsText("subject_pattern: repo:a/b:x|repo:a/b:y\n"):                                         "pattern-anchoring",
		stsText("subject_pattern: (?:repo:a/b:x|repo:a/b:y)\n"):                                     "",
		stsText("subject_pattern: repo:a/b:[|]\n"):                                                  "",
		stsText("subject_pattern: repo:a/b:\\|\n"):                                                  "",
		stsText(exact + "claim_pattern: { job_workflow_ref: acme/app/.github/x }\n"):                "unescaped-dot",
		stsText(exact + "claim_pattern: { job_workflow_ref: 'acme/app/\\.github/.+' }\n"):           "",
		stsText("subject: repo:acme/*\n"):                                                           "literal-wildcard",
		stsText("subject: a$b\n"):                                                                   "never-admits",
		stsText(exact + "subjekt: x\n"):                                                             "not-resolved",
		"issuer_pattern: https://.*\npermissions: {a: read}\n" + exact:                              "issuer-pattern",
		"issuer: https://x/\npermissions: {a: read}\n" + exact:                                      "wrong-issuer",
		"issuer: https://vstoken.actions.githubusercontent.com/a\npermissions: {a: read}\n" + exact: "old-issuer",
		"issuer: https://x\npermissions: {}\n" + exact:                                              "invalid",
		"issuer: https://x\npermissions: {contents: write}\nsubject: repo:a/b:pull_request\n":       "write-permission",
		"issuer: https://x\npermissions: {contents: write}\nsubject_pattern: repo:a/b:.*\n":         "write-permission",
		"issuer: https://x\npermissions: {contents: write}\nsubject_pattern: repo:a@1/b@2:.*\n":     "write-permission",
		"issuer: https://x\npermissions: {contents: write}\n" + exact:                               "",
	} {
		p := trusttest.Read(t, Trust, "x.sts.yaml", []byte(more))
		if _, ok := stsClass(p, class); class == "" && len(p.Review()) > 0 || class != "" && !ok {
			t.Errorf("%s: %+v, want %q", more, p.Review(), class)
		}
	}
}

func TestAlternativesAreShownByAToken(t *testing.T) {
	p := trusttest.Read(t, Trust, "x.sts.yaml", []byte(stsText("subject_pattern: repo:a/b:ref:refs/heads/main|repo:a/b:environment:prod\n")))
	f, ok := stsClass(p, "pattern-anchoring")
	if !ok || f.Witness == nil || f.Grade != trust.Bad || !p.Decide(trusttest.Claims(f.Witness)).Admits {
		t.Errorf("%+v", f)
	}
}

func TestOrganizationPoliciesNameTheirRepositories(t *testing.T) {
	const text = "subject: repo:acme/app:ref:refs/heads/main\n"
	for path, want := range map[string]bool{".github/.github/chainguard/x.sts.yaml": true, "app/.github/chainguard/x.sts.yaml": false} {
		if _, ok := stsClass(trusttest.Read(t, Trust, path, []byte(stsText(text))), "all-repositories"); ok != want {
			t.Errorf("%s: %v", path, ok)
		}
	}
	if _, ok := stsClass(trusttest.Read(t, Trust, ".github/.github/chainguard/x.sts.yaml", []byte(stsText(text+"repositories: [app]\n"))), "all-repositories"); ok {
		t.Error("a policy that lists its repositories is reported")
	}
}

func TestMeanings(t *testing.T) {
	for pattern, want := range map[string][]string{
		"repo:a/b:x": {"repo:a/b:x"}, ".*": {"*"}, "repo:a/.*": {"repo:a/*"}, "a(b|c)d": {"abd", "acd"}, "a|b": {"a*", "*b"},
		`a\.b`: {"a.b"}, "a.b": {"a.b"}, "a[0-9]+": {"a*"}, "(": nil, "a(x|yz)?b": {"ab", "axb", "ayzb"},
	} {
		got := meanings(pattern)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%q means %q, want %q", pattern, got, want)
		}
	}
}

func TestFindKnowsPoliciesByNameAndByFields(t *testing.T) {
	good := stsText("subject: x\n")
	for _, c := range []struct {
		path, text string
		want       int
		fails      bool
	}{
		{"a/x.sts.yaml", good, 1, false}, {"x.yml", good, 1, false}, {"x.sts.yaml", "- a\n", 0, true}, {"x.yaml", "- a\n", 0, false},
		{"x.yaml", "issuer: x\nsubject: y\n", 0, false}, {"x.json", `{"issuer":"x","subject":"y","audiences":["z"]}`, 0, false},
		{"x.sts.yaml", "", 0, false}, {"x.sts.yaml", good + strings.Repeat("#", maxSTSBytes), 0, true}, {"x.yaml", "{", 0, false},
	} {
		docs, err := findSTS(c.path, []byte(c.text))
		if len(docs) != c.want || (err != nil) != c.fails {
			t.Errorf("%s: %d documents, %v", c.path, len(docs), err)
		}
	}
}

func TestParseRefusesInOneLine(t *testing.T) {
	for _, text := range []string{"", "[]", "{", "issuer: [a]", "claim_pattern: x", "permissions: [a]", strings.Repeat("a", maxSTSBytes+1)} {
		p, err := Trust.Parse(trust.Document{Body: []byte(text)})
		if err == nil || p != nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.40q: %v %v", text, p, err)
		}
	}
}

func TestRenderWritesAnExactPolicy(t *testing.T) {
	g := &grant.Grant{Name: "deploy", For: grant.For{Refs: []string{"refs/heads/main"}, Workflow: ".github/workflows/deploy.yml"}}
	lock, err := Trust.Render(g, nil, trust.Repository{Name: "acme/app", OwnerID: "1001", ID: "2001", Subject: trust.ImmutableSubject})
	if err != nil {
		t.Fatal(err)
	}
	text := lock.Documents[0].Body
	for _, want := range []string{"subject: 'repo:acme@1001/app@2001:ref:refs/heads/main'", `job_workflow_ref: 'acme/app/\.github/workflows/deploy\.yml@refs/heads/main'`,
		"permissions:\n  metadata: 'read'", "event_name: '(?:push|"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if lock.Documents[0].Name != ".github/chainguard/deploy.sts.yaml" || len(lock.AlsoAdmits) > 0 || len(lock.Policy.Review()) > 0 {
		t.Errorf("%+v %+v", lock, lock.Policy.Review())
	}
	g.For.Environment = "it's"
	if _, err := Trust.Render(g, nil, trust.Repository{Name: "acme/app"}); err == nil {
		t.Error("a subject that octo-sts refuses is rendered")
	}
}

func TestRenderTakesTheBlock(t *testing.T) {
	read := func(block string) (trust.Lock, error) {
		f, err := grant.Parse(grant.Path, []byte("version: 1\ngrants:\n  deploy:\n    intent: x\n    owner: x\n    ttl: 1h\n    for: { ref: refs/heads/main }\n    github: "+block+"\n"),
			grant.Options{Providers: []string{Name}})
		if err != nil {
			t.Fatal(err)
		}
		return Trust.Render(f.Grants[0], f.Grants[0].Targets[0], trust.Repository{Name: "acme/app"})
	}
	lock, err := read("{ scope: acme, identity: ship, audience: mine, repositories: [web, docs], permissions: { contents: write } }")
	if err != nil {
		t.Fatal(err)
	}
	text := lock.Documents[0].Body
	if lock.Documents[0].Name != ".github/chainguard/ship.sts.yaml" || lock.Policy.Audience() != "mine" ||
		!strings.Contains(text, "contents: 'write'") || !strings.Contains(text, "repositories:\n  - 'web'\n  - 'docs'") {
		t.Errorf("%s", text)
	}
	if lock, err = read("{ scope: acme/web, identity: ship, repositories: [web], permissions: { contents: read } }"); err != nil || strings.Contains(lock.Documents[0].Body, "repositories") {
		t.Errorf("%+v %v", lock, err)
	}
	for _, block := range []string{"{ scope: acme }", "{ app: Iv1, installation: \"1\", key-file: k.pem, repositories: [web], permissions: { contents: read } }"} {
		if _, err := read(block); err == nil {
			t.Errorf("%s is rendered", block)
		}
	}
}

func FuzzPolicy(f *testing.F) {
	f.Add([]byte(stsText("subject_pattern: a|b.c[]x]\\Q.\\E\nclaim_pattern: {ref: x}\n")), "a")
	f.Fuzz(func(t *testing.T, b []byte, sub string) {
		p, err := Trust.Parse(trust.Document{Body: b})
		if err != nil {
			return
		}
		p.Review()
		p.Targets()
		p.Audience()
		if strings.ContainsAny(p.Decide(trusttest.Claims(jobToken("sub="+sub))).Why, "\n\x1b") {
			t.Error("the reason has control characters")
		}
	})
}

func FuzzScan(f *testing.F) {
	for _, s := range []string{"a|b", "[^]|]", `\Qa|b`, "(a|b)|c", `\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		scanPattern(pattern)
		if len(meanings(pattern)) > maxMeanings*maxMeanings {
			t.Errorf("%q means too much", pattern)
		}
	})
}

func TestAPatternOfAnyLetterCaseIsJudgedByItsNames(t *testing.T) {
	body := "issuer: https://token.actions.githubusercontent.com\nsubject_pattern: (?i)repo:umbrella/shop:ref:refs/heads/main\npermissions:\n  contents: read\n"
	p := trusttest.Read(t, Trust, "x.sts.yaml", []byte(body))
	if grade, found := trust.Judge(p); grade != trust.Good {
		t.Errorf("grade is %s: %+v", grade, found)
	}
}
