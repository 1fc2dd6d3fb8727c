package gcp

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc/trust"
	"github.com/stint-dev/stint/oidc/trust/trusttest"
)

const (
	describe = `attributeCondition: assertion.repository_id == '2001'
attributeMapping:
  attribute.repository_id: assertion.repository_id
  google.subject: assertion.sub
displayName: deploy
name: projects/1/locations/global/workloadIdentityPools/p/providers/x
oidc:
  issuerUri: https://token.actions.githubusercontent.com
state: ACTIVE
`
	loose  = `{"name": "projects/1/locations/global/workloadIdentityPools/p/providers/y", "attributeMapping": {"google.subject": "assertion.sub"}, "attributeCondition": "true", "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"}}`
	exact  = `{"name": "projects/1/locations/global/workloadIdentityPools/p/providers/x", "attributeMapping": {"google.subject": "assertion.sub"}, "attributeCondition": "assertion.repository_id == '2001'", "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"}}`
	policy = `{"bindings": [{"role": "roles/iam.workloadIdentityUser", "members": ["principal://` + poolPath + `/subject/repo:acme/app:ref:refs/heads/main", "user:ann@acme.example"]},
  {"role": "roles/viewer", "members": ["principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/other/*"]}], "etag": "x"}`
	conditional = `{"bindings": [{"role": "roles/iam.workloadIdentityUser", "members": ["principalSet://` + poolPath + `/*"], "condition": {"expression": "request.time < timestamp('2027-01-01T00:00:00Z')"}}]}`
)

func TestFind(t *testing.T) {
	type lockAt struct {
		name   string
		line   int
		answer string // to the token "main"
	}
	for name, row := range map[string]struct {
		path, file string
		want       []lockAt
	}{
		"describe":          {"p.yaml", describe, []lockAt{{"p/x", 1, "maybe"}}},
		"list of gcloud":    {"p.yml", "---\n" + describe + "---\n" + strings.Replace(describe, "providers/x", "providers/y", 1), []lockAt{{"p/x", 2, "maybe"}, {"p/y", 12, "maybe"}}},
		"with a policy":     {"p.json", "[" + exact + ",\n" + policy + "]", []lockAt{{"p/x", 1, "yes"}}},
		"two and a policy":  {"p.json", "[" + exact + ",\n\n" + loose + ",\n" + policy + "]", []lockAt{{"p/x", 1, "yes"}, {"p/y", 3, "yes"}}},
		"an object of both": {"p.json", `{"providers": [` + exact + `], ` + policy[1:], []lockAt{{"p/x", 1, "yes"}}},
		"under a condition": {"p.json", "[" + exact + "," + conditional + "]", []lockAt{{"p/x", 1, "maybe"}}},
		"a policy alone":    {"p.json", policy, []lockAt{{"p", 1, "maybe"}, {"other", 1, "maybe"}}},
		"nothing is bound":  {"p.json", "[" + exact + `,{"bindings": []}]`, []lockAt{{"p/x", 1, "no"}}},
		"another policy":    {"p.json", `{"bindings": [{"role": "roles/viewer", "members": ["user:ann@acme.example"]}], "x": "workloadIdentityPools/"}`, nil},
		"another file":      {"p.json", `{"attributeless": true}`, nil},
		"a word in a text":  {"main.go", "package attributeMapping", nil},
		"a workflow":        {"deploy.yml", "on: push\njobs: {a: {steps: [{with: {workload_identity_provider: projects/1/locations/global/workloadIdentityPools/p/providers/x}}]}}\n", nil},
		"with a byte mark":  {"p.json", "\ufeff" + exact, []lockAt{{"p/x", 1, "maybe"}}},
	} {
		docs, err := findLocks(row.path, []byte(row.file))
		if err != nil || len(docs) != len(row.want) {
			t.Errorf("%s: %d locks, %v", name, len(docs), err)
			continue
		}
		for i, want := range row.want {
			p, err := parseLock(docs[i])
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			claims := tokens()["main"]
			claims["aud"] = p.Audience()
			if docs[i].Name != want.name || docs[i].Line != want.line || docs[i].Path != row.path || docs[i].Cloud != Name {
				t.Errorf("%s: %+v, want %+v", name, docs[i], want)
			}
			if got := says(p.Decide(trusttest.Claims(claims))); got != want.answer {
				t.Errorf("%s: lock %d says %s, want %s", name, i, got, want.answer)
			}
		}
	}
}

func says(a trust.Answer) string {
	switch {
	case a.Admits && a.Exact:
		return "yes"
	case a.Admits:
		return "maybe"
	}
	return "no"
}

// A pool's providers are told of each other.
func TestOneOfSeveralProviders(t *testing.T) {
	docs, err := findLocks("p.json", []byte("["+exact+","+loose+","+policy+"]"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := parseLock(docs[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range p.Review() {
		if f.Class == "several-providers" {
			return
		}
	}
	t.Errorf("review says %+v", p.Review())
}

func TestWhatCannotBeRead(t *testing.T) {
	for name, row := range map[string][2]string{
		"half an export": {"p.json", exact[:len(exact)-2]},
		"half a list":    {"p.json", "[" + exact},
		"bindings":       {"p.json", `{"bindings": {"members": "principalSet://` + poolPath + `/*"}, "x": "attributeMapping"}`},
		"an alias":       {"p.yaml", "attributeMapping: &a {google.subject: assertion.sub}\nother: *a\n"},
		"a key twice":    {"p.yaml", "attributeMapping: {}\nattributeMapping: {}\n"},
		"deep":           {"p.yaml", "attributeMapping: " + strings.Repeat("[", 60) + strings.Repeat("]", 60)},
		"no YAML":        {"p.yaml", "attributeMapping: [\n"},
		"providers":      {"p.json", "[" + exact + strings.Repeat(","+exact, maxProviders) + "]"},
		"members":        {"p.json", `{"bindings": [{"members": ["principalSet://` + poolPath + `/*"` + strings.Repeat(`,"principalSet://`+poolPath+`/*"`, maxBound) + `]}]}`},
	} {
		docs, err := findLocks(row[0], []byte(row[1]))
		if err == nil || strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("%s: %d locks, %v", name, len(docs), err)
		}
	}
	for _, body := range []string{``, `[]`, `{}`, `{"attributeMapping": 1}`, `{"name": "x"}`} {
		if _, err := parseLock(trust.Document{Body: []byte(body)}); err == nil {
			t.Errorf("%q is a lock", body)
		}
	}
}

// What Google does not store is said, with the limit.
func TestLimitsOfALock(t *testing.T) {
	many := map[string]string{"google.subject": "assertion.sub"}
	for i := range maxAttributes + 2 {
		many[fmt.Sprintf("attribute.a%d", i)] = "assertion.sub"
	}
	long := "assertion.sub == '" + strings.Repeat("x", maxConditionChars) + "'"
	oidc := map[string]any{"issuerUri": trust.GitHubIssuer}
	for says, body := range map[string]map[string]any{
		"the condition has":            {"attributeMapping": many, "attributeCondition": long, "oidc": oidc},
		"attributes are mapped":        {"attributeMapping": many, "oidc": oidc},
		"the mapping of attribute.b":   {"attributeMapping": map[string]string{"google.subject": "assertion.sub", "attribute.b": long}, "oidc": oidc},
		"is not an attribute":          {"attributeMapping": map[string]string{"google.subject": "assertion.sub", "attribute.B c": "'x'"}, "oidc": oidc},
		"google.subject is not mapped": {"attributeMapping": map[string]string{"attribute.b": "'x'"}, "oidc": oidc},
		"is no expression at":          {"attributeMapping": map[string]string{"google.subject": "assertion."}, "oidc": oidc},
		"audiences are allowed":        {"attributeMapping": many, "oidc": map[string]any{"issuerUri": trust.GitHubIssuer, "allowedAudiences": strings.Split(strings.Repeat("a,", 10)+"a", ",")}},
	} {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		p, err := parseLock(trust.Document{Body: b})
		if err != nil {
			t.Errorf("%s: %v", says, err)
			continue
		}
		if !slices.ContainsFunc(p.Review(), func(f trust.Finding) bool {
			return f.Class == "invalid" && f.Grade == trust.Invalid && strings.Contains(f.Message, says)
		}) {
			t.Errorf("%q is not among %+v", says, p.Review())
		}
	}
}

func FuzzFind(f *testing.F) {
	for _, text := range []string{describe, exact, "[" + loose + "," + policy + "]", conditional, "- " + strings.ReplaceAll(describe, "\n", "\n  ")} {
		f.Add("p.yaml", []byte(text))
	}
	f.Fuzz(func(t *testing.T, path string, b []byte) {
		docs, err := findLocks(path, b)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("the error is %q", err)
			}
			return
		}
		for _, d := range docs {
			p, err := parseLock(d)
			if err != nil {
				continue
			}
			for _, claims := range tokens() {
				claims["aud"] = p.Audience()
				if a := p.Decide(trusttest.Claims(claims)); strings.ContainsAny(a.Why, "\n\x1b") || !a.Admits && !a.Exact && len(d.Unresolved) == 0 {
					t.Errorf("the answer is %+v", a)
				}
			}
			for _, finding := range p.Review() {
				if strings.ContainsAny(finding.Message, "\n\x1b") || finding.Message == "" {
					t.Errorf("the finding is %+v", finding)
				}
			}
			p.Targets()
		}
	})
}
