package azure

import (
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/trust"
	"github.com/stint-dev/stint/oidc/trust/trusttest"
)

func TestLabelledCredentials(t *testing.T) { trusttest.Cases(t, Trust) }

func TestRenderedCredentialsAgreeWithTheGrant(t *testing.T) {
	trusttest.Agree(t, 500, func(g *grant.Grant, repo trust.Repository) (trust.Lock, error) {
		return Trust.Render(g, nil, repo)
	}, "actor", "environment", "event_name", "job_workflow_ref", "ref", "ref_protected",
		"runner_environment", "workflow_ref")
}

// token makes the claims of a job of acme/app on main, with changes given as name=value.
func token(changes ...string) map[string]string {
	v := map[string]string{
		"iss": trust.GitHubIssuer, "sub": "repo:acme/app:ref:refs/heads/main", "aud": "api://AzureADTokenExchange",
		"repository": "acme/app", "repository_id": "2001", "repository_owner_id": "1001", "ref": "refs/heads/main",
		"event_name": "push", "job_workflow_ref": "acme/app/.github/workflows/deploy.yml@refs/heads/main",
	}
	for _, c := range changes {
		name, value, _ := strings.Cut(c, "=")
		v[name] = value
	}
	return v
}

const plainIssuer = `"issuer":"https://token.actions.githubusercontent.com","audiences":["api://AzureADTokenExchange"]`

func classicBody(subject string) string { return `{` + plainIssuer + `,"subject":"` + subject + `"}` }

func flexibleBody(value string) string {
	return `{` + plainIssuer + `,"claimsMatchingExpression":{"languageVersion":1,"value":"` + value + `"}}`
}

func TestCredentialsAnswerAsEntraDoes(t *testing.T) {
	const id = ` and claims['repository_id'] eq '2001'`
	for _, c := range []struct {
		body, change string
		want         bool
	}{
		{classicBody("repo:acme/app:ref:refs/heads/main"), "", true},
		{classicBody("repo:acme/app:ref:refs/heads/main"), "repository_id=9", true},
		{classicBody("repo:acme/app:ref:refs/heads/main"), "sub=repo:acme/app:ref:refs/heads/main2", false},
		{classicBody("repo:acme/app:ref:refs/heads/main"), "aud=api://AzureADTokenExchangeChina", false},
		{classicBody("repo:acme/app:ref:refs/heads/main"), "iss=https://token.actions.githubusercontent.com/acme", false},
		{classicBody("repo:acme/app:ref:refs/heads/mai?"), "", false},
		{classicBody("repo:acme/app:*"), "sub=repo:acme/app:*", true},
		{classicBody("repo:Acme/app:ref:refs/heads/main"), "", false},
		{flexibleBody("claims['sub'] matches 'repo:acme/*'" + id), "sub=repo:acme/app", true},
		{flexibleBody("claims['sub'] matches 'repo:acme/app*'" + id), "sub=repo:acme/app", true},
		{flexibleBody("claims['sub'] matches '*:main?'" + id), "sub=x:main", false},
		{flexibleBody("claims['sub'] matches '*main'" + id), "sub=x/main/y", false},
		{flexibleBody("claims['sub'] matches '*main'" + id), "sub=main:main", true},
		{flexibleBody("claims['sub'] matches 'repo:ACME/*'" + id), "", false},
		{flexibleBody("claims['sub'] eq 'repo:acme/*'" + id), "", false},
		{flexibleBody("claims['sub'] matches '*'" + id), "repository_id=2002", false},
		{flexibleBody("claims['sub'] eq 'it''s'" + id), "sub=it's", true},
		{flexibleBody("claims['environment'] eq 'prod'"), "", false},
		{flexibleBody("claims['sub'] eq 'a' or claims['sub'] matches '*'"), "", false},
		{flexibleBody("claims['sub']  matches '*'"), "", false},
		{flexibleBody("(claims['sub'] matches '*')"), "", false},
		{flexibleBody("claims['sub'] matches '*' and "), "", false},
		{flexibleBody("claims['sub'] ne 'x'"), "", false},
		{flexibleBody(""), "", false},
		{`{` + plainIssuer + `,"subject":"repo:acme/app:ref:refs/heads/main","claimsMatchingExpression":{"value":"claims['sub'] matches '*'","languageVersion":1}}`, "", false},
	} {
		p := trusttest.Read(t, Trust, "fic.json", []byte(c.body))
		values := token()
		if c.change != "" {
			values = token(c.change)
		}
		if a := p.Decide(trusttest.Claims(values)); a.Admits != c.want || !a.Exact || a.Why == "" || strings.Contains(a.Why, "\n") {
			t.Errorf("%s\n%s: %+v, want %v", c.body, c.change, a, c.want)
		}
	}
}

func TestAbsentClaimsNeverMatch(t *testing.T) {
	for _, body := range []string{classicBody("x"), flexibleBody("claims['sub'] matches '*'")} {
		values := token()
		delete(values, "sub")
		if p := trusttest.Read(t, Trust, "fic.json", []byte(body)); p.Decide(trusttest.Claims(values)).Admits {
			t.Errorf("%s admits a token without sub", body)
		}
	}
}

func TestTwoClausesOnOneClaimAreNotExact(t *testing.T) {
	p := trusttest.Read(t, Trust, "x", []byte(flexibleBody("claims['sub'] matches 'repo:*' and claims['sub'] matches '*main' and claims['repository_id'] eq '2001'")))
	if a := p.Decide(trusttest.Claims(token())); !a.Admits || a.Exact {
		t.Errorf("%+v", a)
	}
	if !hasClass(p, "flexible-expression") {
		t.Errorf("%+v", p.Review())
	}
}

func hasClass(p trust.Policy, class string) bool {
	return slices.ContainsFunc(p.Review(), func(f trust.Finding) bool { return f.Class == class && f.Message != "" })
}

func TestReview(t *testing.T) {
	const exact = "claims['sub'] eq 'repo:acme/app:ref:refs/heads/main' and claims['repository_id'] eq '2001'"
	for body, class := range map[string]string{
		classicBody("repo:acme/app:ref:refs/heads/main"): "",
		flexibleBody(exact):                                                                           "",
		classicBody("repo:acme/*"):                                                                    "literal-wildcard",
		strings.Replace(classicBody("x"), `.com"`, `.com/"`, 1):                                       "wrong-issuer",
		strings.Replace(classicBody("x"), `https://token`, `http://token`, 1):                         "wrong-issuer",
		strings.Replace(classicBody("x"), `"api://AzureADTokenExchange"`, `"a","b"`, 1):               "invalid",
		strings.Replace(classicBody("x"), `api://AzureADTokenExchange`, `https://github.com/acme`, 1): "audience-not-bound",
		classicBody(""): "invalid",
		strings.Replace(classicBody("x"), `api://AzureADTokenExchange`, `api://azureadtokenexchange`, 1):                          "letter-case",
		classicBody(strings.Repeat("x", maxFederatedSubject+1)):                                                                   "invalid",
		flexibleBody("claims['sub'] matches 'repo:acme/app:*'"):                                                                   "refused-expression",
		flexibleBody("claims['repository_id'] eq '2001'"):                                                                         "refused-expression",
		flexibleBody("claims['sub'] eq 'a' and claims['repository_id'] matches '2*'"):                                             "refused-expression",
		flexibleBody(exact + " and claims['environment'] eq 'prod'"):                                                              "refused-expression",
		flexibleBody("claims['sub'] eq 'a' or claims['repository_id'] eq '1'"):                                                    "refused-expression",
		strings.Replace(flexibleBody(exact), `"languageVersion":1`, `"languageVersion":2`, 1):                                     "refused-expression",
		strings.Replace(flexibleBody(exact), `githubusercontent.com"`, `githubusercontent.com/acme"`, 1):                          "refused-expression",
		strings.Replace(flexibleBody(exact), `https://token.actions.githubusercontent.com`, `https://token.actions.a.ghe.com`, 1): "refused-expression",
	} {
		p := trusttest.Read(t, Trust, "x.json", []byte(body))
		if found := p.Review(); class == "" && len(found) > 0 || class != "" && !hasClass(p, class) {
			t.Errorf("%s: %+v, want %q", body, found, class)
		}
	}
}

func TestFindReadsTheExports(t *testing.T) {
	one := classicBody("repo:acme/app:ref:refs/heads/main")
	arm := `{"name":"ci","type":"Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials","properties":` + one + `}`
	for body, want := range map[string]int{
		one: 1, "[" + one + "," + one + "]": 2, `{"@odata.context":"x","value":[` + one + `]}`: 1, `{"value":[` + arm + "," + arm + `]}`: 2, "\n " + arm: 1,
		`{"Statement":[]}`: 0, `{"issuer":"x"}`: 0, `not json`: 0, `[1,2]`: 0, ``: 0, `{"value":[]}`: 0, `{"value":7,"issuer":"x","subject":"y"}`: 1,
	} {
		docs, err := findFederated("x.json", []byte(body))
		if err != nil || len(docs) != want {
			t.Errorf("%s: %d documents, want %d: %v", body, len(docs), want, err)
		}
		for _, d := range docs {
			p, err := Trust.Parse(d)
			if err != nil {
				continue
			}
			if a := p.Decide(trusttest.Claims(token())); !strings.Contains(body, `"y"`) && !a.Admits {
				t.Errorf("%s: %+v", body, a)
			}
		}
	}
	docs, err := findFederated("x.json", []byte("[\n"+one+",\n"+arm+"]"))
	if err != nil || len(docs) != 2 || docs[1].Line != 3 || docs[1].Name != "ci" {
		t.Errorf("%+v %v", docs, err)
	}
}

func TestParseRefusesInOneLine(t *testing.T) {
	for _, body := range []string{``, `[]`, `{`, `7`, `{"issuer":7}`, `{"subject":"x"}`, `{"issuer":"x","subject":"y","audiences":"z"}`} {
		p, err := Trust.Parse(trust.Document{Body: []byte(body)})
		if err == nil || p != nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v %v", body, p, err)
		}
	}
}

func rendered(t *testing.T, f grant.For, form trust.SubjectForm) trust.Lock {
	t.Helper()
	lock, err := Trust.Render(&grant.Grant{Name: "deploy", For: f}, nil, trust.Repository{Name: "acme/app", OwnerID: "1001", ID: "2001", Subject: form})
	if err != nil {
		t.Fatal(err)
	}
	return lock
}

func TestRenderWritesOneCredentialForEachSubject(t *testing.T) {
	f := grant.For{Refs: []string{"refs/heads/main"}, Workflow: ".github/workflows/deploy.yml"}
	lock := rendered(t, f, trust.EitherSubject)
	if len(lock.Documents) != 2 || !strings.Contains(lock.Documents[1].Body, "repo:acme@1001/app@2001:ref:refs/heads/main") ||
		!strings.Contains(lock.CLI, "az rest") || !strings.Contains(lock.Terraform, "flexible_federated_identity_credential") {
		t.Errorf("%+v", lock)
	}
	if p := lock.Policy; len(p.Review()) > 0 {
		t.Errorf("the lock is not clean: %+v", p.Review())
	}
	f.Workflow, f.Environment = "", "it's"
	lock = rendered(t, f, trust.ImmutableSubject)
	if len(lock.Documents) != 1 || !strings.Contains(lock.Documents[0].Body, `"subject": "repo:acme@1001/app@2001:environment:it's"`) ||
		!strings.Contains(lock.CLI, `it'\''s`) || !strings.Contains(lock.Terraform, `"azuread_application_federated_identity_credential"`) {
		t.Errorf("%+v", lock)
	}
}

func TestRenderTakesAudienceAndApplicationFromTheBlock(t *testing.T) {
	const app = "00000000-0000-0000-0000-000000000001"
	read := func(block string) (trust.Lock, error) {
		f, err := grant.Parse(grant.Path, []byte("version: 1\ngrants:\n  deploy:\n    intent: x\n    owner: x\n    ttl: 1h30m\n    for: { ref: refs/heads/main }\n    azure: "+block+"\n"),
			grant.Options{Providers: []string{Name}})
		if err != nil {
			t.Fatal(err)
		}
		return Trust.Render(f.Grants[0], f.Grants[0].Targets[0], trust.Repository{Name: "acme/app"})
	}
	lock, err := read("{ tenant: acme.example, client-id: " + app + ", cloud: usgov }")
	if err != nil || lock.Policy.Audience() != "api://AzureADTokenExchangeUSGov" || !strings.Contains(lock.CLI, app) {
		t.Errorf("%+v %v", lock, err)
	}
	if _, err := read("{ tenant: acme.example, client-id: app }"); err == nil {
		t.Error("a block that cannot work is rendered")
	}
}

func TestRenderRefusesWhatEntraCannotHold(t *testing.T) {
	many := make([]string, maxFederated+1)
	for i := range many {
		many[i] = "refs/heads/" + strings.Repeat("x", i+1)
	}
	for name, c := range map[string]struct {
		f    grant.For
		repo trust.Repository
	}{
		"a pattern without ids":   {grant.For{Refs: []string{"refs/heads/*"}}, trust.Repository{Name: "acme/app"}},
		"too many":                {grant.For{Refs: many}, trust.Repository{Name: "acme/app"}},
		"no repository":           {grant.For{}, trust.Repository{}},
		"a form without ids":      {grant.For{Refs: many[:1]}, trust.Repository{Name: "acme/app", Subject: trust.ImmutableSubject}},
		"a pattern of an own one": {grant.For{Refs: []string{"refs/heads/*"}}, trust.Repository{Name: "acme/app", ID: "1", OwnerID: "2", Issuer: trust.GitHubIssuer + "/acme"}},
	} {
		if _, err := Trust.Render(&grant.Grant{Name: "g", For: c.f}, nil, c.repo); err == nil {
			t.Errorf("%s is rendered", name)
		}
	}
}

func FuzzExpression(f *testing.F) {
	for _, s := range []string{"claims['sub'] eq 'a''b' and claims['x'] matches '*?'", "claims['", "' and ", "claims['a'] eq '''"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		clauses, err := parseExpression(s)
		if err == nil && joined(clauses) != s {
			t.Errorf("%q reads as %q", s, joined(clauses))
		}
		if err != nil && strings.ContainsAny(err.Error(), "\n\r\x1b") {
			t.Errorf("%q: the error has control characters: %q", s, err)
		}
	})
}

func FuzzFederated(f *testing.F) {
	f.Add([]byte(classicBody("x")), "x")
	f.Add([]byte(`{"value":[`+flexibleBody("claims['sub'] matches '*x'")+`]}`), "x")
	f.Fuzz(func(t *testing.T, body []byte, sub string) {
		docs, err := findFederated("x", body)
		if err != nil {
			return
		}
		for _, d := range docs {
			p, err := Trust.Parse(d)
			if err != nil {
				continue
			}
			p.Review()
			if p.Audience(); strings.ContainsAny(p.Decide(trusttest.Claims(token("sub="+sub))).Why, "\n\x1b") {
				t.Errorf("the reason has control characters")
			}
		}
	})
}
