package aws

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/trust"
	"github.com/stint-dev/stint/oidc/trust/trusttest"
)

func TestTrustCases(t *testing.T) { trusttest.Cases(t, Trust) }

// statementOf is a trust policy with one statement.
func statementOf(condition string) []byte {
	return []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
		"Principal":{"Federated":"arn:aws:iam::444455556666:oidc-provider/token.actions.githubusercontent.com"},
		"Action":"sts:AssumeRoleWithWebIdentity","Condition":` + strings.ReplaceAll(condition, "K:", "token.actions.githubusercontent.com:") + `}]}`)
}

// testdata/trust.txtar holds our own policies: the comment line of each file is
// the grade and the classes that must be found, the rest the conditions or, where it
// begins with a bracket, the statements.
func TestTrustGrades(t *testing.T) {
	archive, err := txtar.ParseFile(filepath.Join("testdata", "trust.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.Files {
		t.Run(f.Name, func(t *testing.T) {
			first, body, _ := strings.Cut(string(f.Data), "\n")
			want := strings.Fields(strings.TrimPrefix(first, "#"))
			document := statementOf(body)
			if strings.HasPrefix(body, "[") {
				document = []byte(`{"Version":"2012-10-17","Statement":` + strings.ReplaceAll(body, "K:", "token.actions.githubusercontent.com:") + `}`)
			}
			p := trusttest.Read(t, Trust, f.Name, document)
			grade, found := trust.Judge(p)
			if string(grade) != want[0] {
				t.Errorf("grade is %s, want %s: %s", grade, want[0], classesOf(found))
			}
			for _, class := range want[1:] {
				if !slices.ContainsFunc(found, func(f trust.Finding) bool { return f.Class == class }) {
					t.Errorf("no %s among %s", class, classesOf(found))
				}
			}
			for _, f := range found {
				if f.Witness == nil {
					continue
				}
				c := trusttest.Claims(f.Witness)
				if f.Class != "never-admits" && !p.Decide(c).Admits {
					t.Errorf("the witness of %s does not get in: %v", f.Class, f.Witness)
				}
			}
		})
	}
}

// What is not known of a policy neither narrows an Allow nor widens a Deny.
func TestPlaceholdersNeverNarrow(t *testing.T) {
	const allow = `{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::444455556666:oidc-provider/token.actions.githubusercontent.com"},
		"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"%s":{"K:sub":%s}}}`
	const deny = `{"Effect":"Deny","Principal":"*","Action":"*","Condition":{"%s":{"K:sub":%s}}}`
	exact := fmt.Sprintf(allow, "StringEquals", `"repo:umbrella/shop:ref:refs/heads/main"`)
	shop, blog, stranger := "repo:umbrella/shop:ref:refs/heads/main", "repo:umbrella/blog:ref:refs/heads/main", "repo:mallory/x:ref:refs/heads/main"
	for name, c := range map[string]struct {
		statements string
		unresolved []string
		admits     []string
	}{
		"a list":             {fmt.Sprintf(allow, "StringLike", `["unresolved-1"]`), []string{"var.subjects"}, []string{shop, blog, stranger}},
		"a repository":       {fmt.Sprintf(allow, "StringEquals", `"repo:umbrella/unresolved-1:ref:refs/heads/main"`), []string{"var.repo"}, []string{shop, blog}},
		"one value of two":   {fmt.Sprintf(allow, "StringLike", `["repo:umbrella/shop:*","repo:umbrella/unresolved-1:*"]`), []string{"each.key"}, []string{shop, blog}},
		"denied values":      {exact + "," + fmt.Sprintf(deny, "StringNotEquals", `"unresolved-1"`), []string{"var.allowed"}, []string{shop}},
		"denied patterns":    {exact + "," + fmt.Sprintf(deny, "StringNotLike", `"repo:umbrella/unresolved-1:*"`), []string{"var.repo"}, []string{shop}},
		"denied by owner":    {exact + "," + fmt.Sprintf(deny, "StringLike", `"repo:umbrella/*"`), []string{`dynamic "condition"`}, []string{shop, blog, stranger}},
		"another statement":  {exact, []string{`dynamic "statement"`}, []string{shop, blog, stranger}},
		"an unknown action":  {strings.Replace(exact, "sts:AssumeRoleWithWebIdentity", "unresolved-1", 1), []string{"var.action"}, []string{shop, blog, stranger}},
		"an unknown account": {strings.Replace(exact, "arn:aws:iam::444455556666:oidc-provider/token.actions.githubusercontent.com", "unresolved-1", 1), []string{"module.oidc.arn"}, []string{shop}},
	} {
		body := strings.ReplaceAll(`{"Version":"2012-10-17","Statement":[`+c.statements+`]}`, "K:", "token.actions.githubusercontent.com:")
		p, err := parseTrust(trust.Document{Body: []byte(body), Unresolved: c.unresolved})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, sub := range []string{shop, blog, stranger} {
			answer := p.Decide(trusttest.Claims(map[string]string{"iss": trust.GitHubIssuer, "sub": sub, "aud": "sts.amazonaws.com"}))
			if answer.Admits != slices.Contains(c.admits, sub) || answer.Exact {
				t.Errorf("%s: %s: %+v", name, sub, answer)
			}
		}
	}
}

func classesOf(found []trust.Finding) []string {
	var list []string
	for _, f := range found {
		list = append(list, f.Class)
	}
	return list
}

func trustSettings(t testing.TB) *settings {
	t.Helper()
	role, err := parseRoleARN("arn:aws:iam::111122223333:role/ci/site-deploy")
	if err != nil {
		t.Fatal(err)
	}
	return &settings{config: config{Audience: "sts.amazonaws.com"}, role: role}
}

// A rendered policy admits exactly what the grant admits, but for its residue.
func TestRenderedTrustAgreesWithTheGrant(t *testing.T) {
	trusttest.Agree(t, 400, func(g *grant.Grant, repo trust.Repository) (trust.Lock, error) {
		terms, err := trust.TermsOf(g, repo)
		if err != nil {
			return trust.Lock{}, err
		}
		s := trustSettings(t)
		s.ttl = g.TTL
		return writeTrust(s, terms)
	}, "event_name", "job_workflow_ref", "ref_protected", "runner_environment", "workflow_ref")
}

// What is rendered is graded as well as its grant allows.
func TestRenderedTrustIsGood(t *testing.T) {
	g := &grant.Grant{Name: "deploy", For: grant.For{Workflow: ".github/workflows/deploy.yml", Refs: []string{"refs/heads/main"}, Runner: grant.GitHubHosted}}
	for _, form := range []trust.SubjectForm{trust.NameSubject, trust.ImmutableSubject, trust.EitherSubject} {
		terms, err := trust.TermsOf(g, trust.Repository{Name: "umbrella/shop", ID: "31", OwnerID: "32", Subject: form})
		if err != nil {
			t.Fatal(err)
		}
		lock, err := writeTrust(trustSettings(t), terms)
		if err != nil {
			t.Fatal(err)
		}
		if grade, found := trust.Judge(lock.Policy); grade != trust.Good {
			t.Errorf("%s: grade is %s: %s", form, grade, classesOf(found))
		}
		docs, err := findTrust("trust.json", []byte(lock.Documents[0].Body))
		if err != nil || len(docs) != 1 {
			t.Errorf("what was rendered is not found: %v", err)
		}
		if !strings.Contains(lock.Terraform, `variable = "token.actions.githubusercontent.com:sub"`) || !strings.Contains(lock.CLI, "--role-name site-deploy") {
			t.Errorf("tools: %s\n%s", lock.Terraform, lock.CLI)
		}
	}
}

func TestRenderRefusesWhatARoleCannotHold(t *testing.T) {
	f := grant.For{Runner: grant.AnyRunner}
	for i := range 40 {
		f.Refs = append(f.Refs, "refs/heads/a-branch-with-a-rather-long-name-"+strings.Repeat("x", i))
	}
	terms, err := trust.TermsOf(&grant.Grant{Name: "many", For: f}, trust.Repository{Name: "umbrella/shop"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = writeTrust(trustSettings(t), terms)
	var e *oidc.Error
	if !errors.As(err, &e) || e.Hint == "" || !strings.Contains(e.Message, "2048") {
		t.Errorf("got %v", err)
	}
}

// Characters that IAM or HCL read in their own way are written so that they mean
// themselves.
func TestRenderEscapes(t *testing.T) {
	w := trustWriter{provider: gitHubProvider}
	w.condition("environment", trust.Value{Text: "a*b${c}"})
	w.condition("ref", trust.Value{Text: "refs/heads/?/", Open: true})
	if got := w.conditions[0].values[0]; got != "a*b${$}{c}" {
		t.Errorf("exact: %q", got)
	}
	if got := w.conditions[1].values[0]; got != "refs/heads/${?}/?*" || w.conditions[1].operator != "StringLike" {
		t.Errorf("open: %q under %s", got, w.conditions[1].operator)
	}
}

func TestFindReadsExports(t *testing.T) {
	policy := string(statementOf(`{"StringEquals":{"K:sub":"repo:umbrella/shop:ref:refs/heads/main"}}`))
	text, err := json.Marshal(url.PathEscape(policy))
	if err != nil {
		t.Fatal(err)
	}
	lambda := `{"Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	for name, c := range map[string]struct {
		file  string
		names []string
	}{
		"policy":        {policy, []string{""}},
		"get-role":      {`{"Role":{"RoleName":"ci","AssumeRolePolicyDocument":` + policy + `}}`, []string{"ci"}},
		"encoded":       {`{"Role":{"RoleName":"ci","AssumeRolePolicyDocument":` + string(text) + `}}`, []string{"ci"}},
		"list-roles":    {"{\"Roles\":[{\"RoleName\":\"fn\",\"AssumeRolePolicyDocument\":" + lambda + "},\n{\"RoleName\":\"ci\",\"AssumeRolePolicyDocument\":" + policy + "}]}", []string{"ci"}},
		"details":       {`{"RoleDetailList":[{"RoleName":"ci","AssumeRolePolicyDocument":` + policy + `}]}`, []string{"ci"}},
		"service":       {lambda, nil},
		"rights":        {`{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`, nil},
		"another thing": {`{"name":"package","version":"1"}`, nil},
		"a list":        {`[1,2]`, nil},
		"not json":      {"issuer: x", nil},
	} {
		docs, err := findTrust(name, []byte(c.file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var names []string
		for _, d := range docs {
			names = append(names, d.Name)
		}
		if !slices.Equal(names, c.names) {
			t.Errorf("%s: found %q, want %q", name, names, c.names)
		}
		if name == "list-roles" && docs[0].Line != 2 {
			t.Errorf("line is %d, want 2", docs[0].Line)
		}
	}
	two := string(statementOf(`{"StringEquals":{"K:sub":"a"}}`)) + "\n" + string(statementOf(`{}`))
	if _, err := findTrust("trust.json", []byte(two)); err == nil {
		t.Error("no error for two documents in one file")
	}
	if _, err := findTrust("x", []byte(`{"Statement":[{"Effect":"Permit","Action":"sts:AssumeRoleWithWebIdentity"}]}`)); err == nil {
		t.Error("a broken trust policy gives no error")
	}
}

func TestLongSessionsAreFound(t *testing.T) {
	role := `{"Role":{"RoleName":"ci","MaxSessionDuration":43200,"AssumeRolePolicyDocument":` +
		string(statementOf(`{"StringEquals":{"K:sub":"repo:umbrella/shop:ref:refs/heads/main","K:aud":"sts.amazonaws.com"}}`)) + `}}`
	grade, found := trust.Judge(trusttest.Read(t, Trust, "role.json", []byte(role)))
	if grade != trust.Good || !slices.Contains(classesOf(found), "session-too-long") {
		t.Errorf("grade %s, found %s", grade, classesOf(found))
	}
}

func FuzzTrust(f *testing.F) {
	f.Add(statementOf(`{"StringLike":{"K:sub":"repo:umbrella/*"}}`))
	f.Add([]byte(`{"Roles":[{"RoleName":"a","AssumeRolePolicyDocument":"%7B%7D"}]}`))
	f.Add([]byte(`{"Statement":[{"Effect":"Allow","Principal":"*","NotAction":"x","Condition":{"Null":{"a.b:sub":"true"}}}]}`))
	if b, err := os.ReadFile(filepath.Join("testdata", "trust.txtar")); err == nil {
		for _, file := range txtar.Parse(b).Files {
			_, body, _ := strings.Cut(string(file.Data), "\n")
			f.Add(statementOf(body))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		docs, _ := findTrust("fuzz.json", b)
		for _, d := range docs {
			p, err := parseTrust(d)
			if err != nil {
				t.Fatalf("found and not parsed: %v", err)
			}
			first, found := trust.Judge(p)
			if second, again := trust.Judge(p); first != second || len(found) != len(again) {
				t.Errorf("two answers: %s, %s", first, second)
			}
		}
	})
}
