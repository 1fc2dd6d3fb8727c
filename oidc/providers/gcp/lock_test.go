package gcp

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc/trust"
	"github.com/stint-dev/stint/oidc/trust/trusttest"
)

const poolPath = "iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p"

// tokens are those of testdata/locks.txt.
func tokens() map[string]map[string]string {
	base := map[string]string{
		"iss": trust.GitHubIssuer, "repository": "acme/app", "repository_id": "2001", "repository_owner": "acme", "repository_owner_id": "1001",
		"ref": "refs/heads/main", "event_name": "push", "actor": "alice", "runner_environment": "github-hosted",
		"sub": "repo:acme/app:ref:refs/heads/main", "workflow_ref": "acme/app/.github/workflows/deploy.yml@refs/heads/main",
		"job_workflow_ref": "acme/app/.github/workflows/deploy.yml@refs/heads/main",
	}
	with := func(pairs ...string) map[string]string {
		m := maps.Clone(base)
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	return map[string]map[string]string{
		"main":      base,
		"immutable": with("sub", "repo:acme@1001/app@2001:ref:refs/heads/main"),
		"feature":   with("sub", "repo:acme/app:ref:refs/heads/x", "ref", "refs/heads/x"),
		"pull":      with("sub", "repo:acme/app:pull_request", "ref", "refs/pull/7/merge", "event_name", "pull_request"),
		"prod":      with("sub", "repo:acme/app:environment:prod", "environment", "prod"),
		"outsider":  with("sub", "repo:mallory/x:ref:refs/heads/main", "repository", "mallory/x", "repository_id", "9001", "repository_owner", "mallory", "repository_owner_id", "9002", "actor", "mallory"),
		"longer":    with("sub", "repo:acme-evil/app:ref:refs/heads/main", "repository", "acme-evil/app", "repository_id", "9003", "repository_owner", "acme-evil", "repository_owner_id", "9004", "actor", "mallory"),
	}
}

// A lockCase is one entry of testdata/locks.txt.
type lockCase struct {
	name, grade    string
	body           map[string]any
	admits, review []string
}

func readLocks(t *testing.T) []lockCase {
	t.Helper()
	b, err := os.ReadFile("testdata/locks.txt")
	if err != nil {
		t.Fatal(err)
	}
	var list []lockCase
	for line := range strings.Lines(string(b)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "" || line[0] == '#':
		case line[0] != '\t':
			list = append(list, lockCase{name: line, body: map[string]any{
				"attributeMapping": map[string]string{"google.subject": "assertion.sub", "attribute.repository": "assertion.repository", "attribute.repository_id": "assertion.repository_id"},
				"oidc":             map[string]any{"issuerUri": trust.GitHubIssuer},
			}})
		default:
			key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
			list[len(list)-1].set(t, key, strings.TrimSpace(value))
		}
	}
	return list
}

func (c *lockCase) set(t *testing.T, key, value string) {
	switch key {
	case "condition":
		c.body["attributeCondition"] = value
	case "mapping":
		name, src, _ := strings.Cut(value, " = ")
		c.body["attributeMapping"].(map[string]string)[name] = src
	case "member":
		members, _ := c.body["members"].([]string)
		c.body["members"] = append(members, strings.Replace(value, "://P/", "://"+poolPath+"/", 1))
	case "provider":
		c.body["name"] = value
	case "state":
		c.body["disabled"] = value == "disabled"
	case "issuer":
		c.body["oidc"].(map[string]any)["issuerUri"] = value
	case "audience":
		c.body["oidc"].(map[string]any)["allowedAudiences"] = []string{value}
	case "admits":
		c.admits = strings.Fields(value)
	case "review":
		c.review = strings.Fields(value)
	case "grade":
		c.grade = value
	default:
		t.Fatalf("locks.txt has the key %q", key)
	}
}

func TestOwnLocks(t *testing.T) {
	for _, c := range readLocks(t) {
		t.Run(c.name, func(t *testing.T) {
			body, err := json.Marshal(c.body)
			if err != nil {
				t.Fatal(err)
			}
			p := trusttest.Read(t, Trust, "provider.json", body)
			var admits []string
			for _, name := range slices.Sorted(maps.Keys(tokens())) {
				claims := tokens()[name]
				claims["aud"] = p.Audience()
				a := p.Decide(trusttest.Claims(claims))
				if strings.TrimSpace(a.Why) == "" || strings.ContainsAny(a.Why, "\n\x1b") {
					t.Errorf("token %s: why is %q", name, a.Why)
				}
				switch {
				case a.Admits && a.Exact:
					admits = append(admits, name)
				case a.Admits:
					admits = append(admits, name+"?")
				case !a.Exact:
					t.Errorf("token %s is refused without being sure: %s", name, a.Why)
				}
				claims["aud"] = "https://github.com/acme"
				if other := p.Decide(trusttest.Claims(claims)); other.Admits {
					t.Errorf("token %s for another audience is admitted", name)
				}
			}
			want := slices.DeleteFunc(slices.Clone(c.admits), func(s string) bool { return s == "-" })
			slices.Sort(want)
			if !slices.Equal(admits, want) {
				t.Errorf("admits %q, want %q", admits, want)
			}
			var classes []string
			for _, f := range p.Review() {
				classes = append(classes, f.Class)
			}
			if !slices.Equal(classes, c.review) {
				t.Errorf("review finds %q, want %q", classes, c.review)
			}
			if grade, findings := trust.Judge(p); string(grade) != c.grade {
				t.Errorf("grade is %s, want %s: %+v", grade, c.grade, findings)
			}
		})
	}
}

// Every class that Review gives is one of those that are documented.
func TestClassesAreKnown(t *testing.T) {
	for _, c := range readLocks(t) {
		for _, class := range c.review {
			if !slices.Contains(trust.Classes(), class) {
				t.Errorf("%s: %q is not a class", c.name, class)
			}
		}
	}
}
