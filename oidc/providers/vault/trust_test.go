package vault

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/trust"
	"github.com/stint-dev/stint/oidc/trust/trusttest"
)

const testAddress = "https://vault.example"

// parseGrant reads a grant file whose vault block is given, through the real parser.
func parseGrant(t testing.TB, ttl, block string) *grant.Grant {
	t.Helper()
	file := `version: 1
grants:
  deploy-site:
    intent: publish the built site
    owner: "@acme/web"
    for: { workflow: .github/workflows/deploy.yml, ref: refs/heads/main, repository: acme/site }
    ttl: ` + ttl + `
    vault:
` + block
	f, err := grant.Parse(".github/stint.yml", []byte(file), grant.Options{Providers: []string{Name}})
	if err != nil {
		t.Fatal(err)
	}
	return f.Grants[0]
}

const testBlock = `      address: ` + testAddress + `
      role: site-deploy
      secrets:
        - { path: secret/data/site, fields: { token: NPM_TOKEN } }
`

func TestLabelledRoles(t *testing.T) { trusttest.Cases(t, Trust) }

func TestRenderedRolesAgreeWithTheGrant(t *testing.T) {
	target := parseGrant(t, "15m", testBlock).Targets[0]
	trusttest.Agree(t, 500, func(g *grant.Grant, repo trust.Repository) (trust.Lock, error) {
		return Trust.Render(g, target, repo)
	}, "job_workflow_ref")
}

// token makes the claims of a job of acme/app on main, with changes given as name=value.
func token(changes ...string) map[string]string {
	v := map[string]string{
		"iss": trust.GitHubIssuer, "sub": "repo:acme/app:ref:refs/heads/main", "aud": testAddress, "head_ref": "",
		"repository": "acme/app", "repository_id": "2001", "repository_owner_id": "1001", "ref": "refs/heads/main",
		"event_name": "push", "ref_protected": "true", "run_id": "7",
	}
	for _, c := range changes {
		name, value, _ := strings.Cut(c, "=")
		v[name] = value
	}
	return v
}

// body is a role with more fields than the usual ones.
func body(more string) string {
	var fields map[string]json.RawMessage // of two the later counts
	whole := `{"role_type":"jwt","user_claim":"repository_id","bound_audiences":["` + testAddress + `"],"token_ttl":"10m"` + more + `}`
	if json.Unmarshal([]byte(whole), &fields) != nil {
		return whole
	}
	b, _ := json.Marshal(fields)
	return string(b)
}

func TestRolesAnswerAsVaultDoes(t *testing.T) {
	for _, c := range []struct {
		more, change string
		want         bool
	}{
		{``, "", true},
		{``, "aud=other", false},
		{`,"role_type":"oidc"`, "", false},
		{`,"bound_subject":""`, "", true},
		{`,"bound_audiences":[]`, "", false},
		{`,"bound_audiences":"a, ` + testAddress + `"`, "", true},
		{`,"bound_subject":"repo:acme/app:ref:refs/heads/main"`, "", true},
		{`,"bound_subject":"repo:acme/app:*","bound_claims_type":"glob"`, "", false},
		{`,"bound_claims":{"ref":"refs/heads/main"}`, "", true},
		{`,"bound_claims":{"ref":["a","refs/heads/main"]}`, "", true},
		{`,"bound_claims":{"ref":[]}`, "", false},
		{`,"bound_claims":{"ref":null}`, "", false},
		{`,"bound_claims":{"environment":""}`, "", false},
		{`,"bound_claims":{"head_ref":""}`, "", true},
		{`,"bound_claims":{"head_ref":"*"},"bound_claims_type":"glob"`, "", true},
		{`,"bound_claims":{"/ref":"refs/heads/main"}`, "", true},
		{`,"bound_claims":{"/ref/x":"refs/heads/main"}`, "", false},
		{`,"bound_claims":{"aud":"` + testAddress + `"}`, "", true},
		{`,"bound_claims":{"repository_id":2001}`, "", false},
		{`,"bound_claims":{"ref_protected":true}`, "", false},
		{`,"bound_claims":{"ref_protected":["true",true]}`, "", true},
		{`,"bound_claims":{"repository_id":2001},"bound_claims_type":"glob"`, "", false},
		{`,"bound_claims":{"ref":"refs/heads/*"}`, "", false},
		{`,"bound_claims":{"ref":"refs/heads/*"},"bound_claims_type":"glob"`, "ref=refs/heads/", true},
		{`,"bound_claims":{"ref":"refs/heads/*"},"bound_claims_type":"glob"`, "ref=refs/head", false},
		{`,"bound_claims":{"ref":"refs/*/x/*/y"},"bound_claims_type":"glob"`, "ref=refs/a/x/b/c/y", true},
		{`,"bound_claims":{"ref":"*main"},"bound_claims_type":"glob"`, "ref=main2", false},
		{`,"bound_claims":{"ref":"refs/heads/mai?"},"bound_claims_type":"glob"`, "", false},
		{`,"bound_claims":{"ref":"REFS/heads/*"},"bound_claims_type":"glob"`, "", false},
		{`,"bound_claims":{"ref":"a"},"bound_claims_type":"regex"`, "ref=a", false},
		{`,"user_claim":"environment"`, "", false},
		{`,"user_claim":"/ref","user_claim_json_pointer":true`, "", true},
		{`,"groups_claim":"teams"`, "", false},
	} {
		p := trusttest.Read(t, Trust, "role.json", []byte(body(c.more)))
		values := token()
		if c.change != "" {
			values = token(c.change)
		}
		if a := p.Decide(trusttest.Claims(values)); a.Admits != c.want || !a.Exact || a.Why == "" {
			t.Errorf("%s %s: %+v, want %v", c.more, c.change, a, c.want)
		}
	}
}

func TestWhatIsNotReadIsNotExact(t *testing.T) {
	for _, more := range []string{`,"token_bound_cidrs":["10.0.0.0/8"]`, `,"cel_program":{"expression":"claims.ref == 'x'"}`} {
		if a := trusttest.Read(t, Trust, "x", []byte(body(more))).Decide(trusttest.Claims(token())); !a.Admits || a.Exact {
			t.Errorf("%s: %+v", more, a)
		}
	}
}

func TestGlobMatchesAsTheServersLibrary(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "a/b:c", true}, {"a*", "a", true}, {"a*a", "a", false}, {"a*a", "aa", true},
		{"*a*", "bab", true}, {"*ab*ab", "abab", true}, {"*ab*ab", "ab", false}, {"a**b", "ab", true}, {"a", "a", true}, {"?", "x", false},
	} {
		if got := matchGlob(c.pattern, c.s); got != c.want {
			t.Errorf("%q on %q is %v", c.pattern, c.s, got)
		}
	}
}

func hasClass(p trust.Policy, class string) bool {
	return slices.ContainsFunc(p.Review(), func(f trust.Finding) bool { return f.Class == class && f.Message != "" })
}

func TestReview(t *testing.T) {
	const ref = `,"bound_claims":{"ref":"refs/heads/main","repository_id":"2001"}`
	for more, class := range map[string]string{
		ref: "", ``: "audience-only", ref + `,"role_type":""`: "role-type", ref + `,"bound_audiences":[]`: "never-admits",
		`,"bound_audiences":[]`:                                "invalid",
		ref + `,"bound_audiences":["https://github.com/acme"]`: "audience-not-bound",
		`,"bound_subject":"repo:a/*"`:                          "literal-wildcard", `,"bound_claims":{"ref":"refs/*"}`: "literal-wildcard",
		`,"bound_claims":{"ref":["refs/*","x"]}`:                         "literal-wildcard",
		`,"bound_claims":{"ref":"mai?"},"bound_claims_type":"glob"`:      "literal-wildcard",
		`,"bound_claims":{"repository_id":1}`:                            "claim-type",
		`,"bound_claims":{"repository_id":1},"bound_claims_type":"glob"`: "invalid",
		`,"bound_claims":{"ref":[]}`:                                     "never-admits", `,"bound_claims":{"/a/b":"x"}`: "claim-never-present",
		ref + `,"token_ttl":0`: "token-lifetime", ref + `,"token_ttl":"6h"`: "session-too-long", ref + `,"token_ttl":86400`: "session-too-long",
		ref + `,"token_period":"1h"`: "token-lifetime", ref + `,"token_type":"batch"`: "token-lifetime", ref + `,"expiration_leeway":3600`: "token-lifetime",
		ref + `,"token_policies":["root"]`: "wide-rights", ref + `,"token_policies_template_claims":true`: "wide-rights",
		ref + `,"user_claim":"actor"`: "entity-claim", ref + `,"user_claim":""`: "invalid",
		`,"cel_program":{"expression":"(true)"}`: "tautology", `,"cel_program":"claims.x"`: "not-resolved",
	} {
		p := trusttest.Read(t, Trust, "x.json", []byte(body(more)))
		if found := p.Review(); class == "" && len(found) > 0 || class != "" && !hasClass(p, class) {
			t.Errorf("%s: %+v, want %q", more, found, class)
		}
	}
}

func TestFindReadsBodiesAndTheCommandsOutput(t *testing.T) {
	read := "{\n\"request_id\": \"x\",\n\"lease_id\": \"\",\n\"data\": " + body(`,"bound_claims":null,"token_ttl":600,"bound_subject":""`) + "}"
	for text, want := range map[string]int{
		body(""): 1, read: 1, `{"data":{"data":{}}}`: 0, `{"data":7}`: 0, `{}`: 0, ``: 0, `[]`: 0, `nonsense`: 0, `{"Statement":[]}`: 0,
		`{"issuer":"x","subject":"y","audiences":[]}`: 0, `{"cel_program":{"expression":"x"}}`: 1,
	} {
		docs, err := findRoles("x.json", []byte(text))
		if err != nil || len(docs) != want {
			t.Errorf("%s: %d documents, want %d: %v", text, len(docs), want, err)
		}
	}
	docs, err := findRoles("x.json", []byte(read))
	if err != nil || docs[0].Line != 4 {
		t.Fatalf("%+v %v", docs, err)
	}
	if p, err := Trust.Parse(docs[0]); err != nil || !p.Decide(trusttest.Claims(token())).Admits {
		t.Errorf("%v", err)
	}
}

func TestParseRefusesInOneLine(t *testing.T) {
	for _, text := range []string{``, `[]`, `{`, `7`, `{"role_type":7}`, `{"bound_audiences":{"a":1}}`, `{"bound_claims":{"a":{"b":1}}}`, `{"token_ttl":"soon"}`, `{"token_ttl":{}}`} {
		p, err := Trust.Parse(trust.Document{Body: []byte(text)})
		if err == nil || p != nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v %v", text, p, err)
		}
	}
}

func TestRenderWritesRolePolicyAndMount(t *testing.T) {
	g := parseGrant(t, "15m", testBlock+"      namespace: team/web\n      mount: auth/github\n")
	lock, err := Trust.Render(g, g.Targets[0], trust.Repository{Name: "acme/site", OwnerID: "1001", ID: "2001"})
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{
		`"token_explicit_max_ttl": "900s"`: lock.Documents[0].Body, `path "secret/data/site"`: lock.Documents[2].Body, `"bound_issuer"`: lock.Documents[1].Body,
		"auth/github/role/site-deploy": lock.CLI, "-namespace=team/web": lock.CLI, `"repo:acme/site:ref:refs/heads/main,repo:acme@1001/site@2001:ref:refs/heads/main"`: lock.Terraform,
		`namespace = "team/web"`: lock.Terraform, `"job_workflow_ref": "acme/site/.github/workflows/deploy.yml@refs/heads/main"`: lock.Documents[0].Body,
	} {
		if !strings.Contains(text, what) {
			t.Errorf("%q is not in\n%s", what, text)
		}
	}
	if found := lock.Policy.Review(); len(found) > 0 || len(lock.AlsoAdmits) > 0 {
		t.Errorf("the lock is not clean: %+v %+v", found, lock.AlsoAdmits)
	}
}

func TestRenderLeavesThePoliciesOfOthersAlone(t *testing.T) {
	for more, want := range map[string]bool{"": true, "      policies: [site-deploy, base]\n": true, "      policies: [base]\n": false} {
		g := parseGrant(t, "15m", testBlock+more)
		lock, err := Trust.Render(g, g.Targets[0], trust.Repository{Name: "acme/site"})
		if err != nil {
			t.Fatal(err)
		}
		for what, text := range map[string]string{"policy write": lock.CLI, "vault_policy": lock.Terraform, `path "secret/data/site"`: lock.Documents[len(lock.Documents)-1].Body} {
			if strings.Contains(text, what) != want {
				t.Errorf("%q: %q is written: %v, want %v", more, what, !want, want)
			}
		}
	}
}

func TestThePolicyGivesWhatEachPathIsAskedFor(t *testing.T) {
	s := settings{config: config{Secrets: []secret{{Path: "kv/a"}, {Path: "pki/issue/b", Data: map[string]string{"common_name": "x"}}, {Path: "pki/issue/b"}}}}
	want := "path \"kv/a\" {\n  capabilities = [\"read\"]\n}\npath \"pki/issue/b\" {\n  capabilities = [\"update\", \"read\"]\n}\n"
	if got := s.policy(); got != want {
		t.Errorf("%s", got)
	}
}

func TestTerraformIsLeftOutWhereItWouldSplitAValue(t *testing.T) {
	g := parseGrant(t, "15m", testBlock)
	for env, want := range map[string]bool{"a,b": false, "a b": true} {
		g.For.Environment = env
		lock, err := Trust.Render(g, g.Targets[0], trust.Repository{Name: "acme/site"})
		if err != nil || (lock.Terraform != "") != want {
			t.Errorf("%q: %v %s", env, err, lock.Terraform)
		}
	}
}

func TestRenderRefusesWhatVaultCannotHold(t *testing.T) {
	g := parseGrant(t, "15m", testBlock)
	star := *g
	star.For.Environment, star.For.Refs = "a*b", []string{"refs/heads/*"}
	for name, err := range map[string]error{
		"no block":      second(Trust.Render(g, nil, trust.Repository{Name: "acme/site"})),
		"no repository": second(Trust.Render(&grant.Grant{Name: "x", TTL: g.TTL}, g.Targets[0], trust.Repository{})),
		"a star":        second(Trust.Render(&star, g.Targets[0], trust.Repository{Name: "acme/site"})),
	} {
		if err == nil {
			t.Errorf("%s is rendered", name)
		}
	}
}

func second(_ trust.Lock, err error) error { return err }

func FuzzRole(f *testing.F) {
	f.Add([]byte(body(`,"bound_claims":{"ref":["a*",1,true]},"bound_claims_type":"glob"`)), "a")
	f.Add([]byte(`{"data":`+body(`,"token_ttl":"9d"`)+`}`), "x")
	f.Fuzz(func(t *testing.T, b []byte, ref string) {
		docs, err := findRoles("x", b)
		if err != nil {
			return
		}
		for _, d := range docs {
			p, err := Trust.Parse(d)
			if err != nil {
				continue
			}
			p.Review()
			p.Targets()
			if strings.ContainsAny(p.Decide(trusttest.Claims(token("ref="+ref))).Why, "\n\x1b") {
				t.Error("the reason has control characters")
			}
		}
	})
}
