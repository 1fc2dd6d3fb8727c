package providers

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"mvdan.cc/sh/v3/syntax"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/trust"
)

// hostile are names that mean something to one of the languages in which locks are
// written. An environment may be called like any of them, and many branches may.
var hostile = []string{
	"${aws:username}", "$${x}", "$$${x}", "&{aws:username}", "%{ if true }x", "%%{x}", "$", "%", "$${", "x${", "x%{",
	`it's "so"`, `back\slash`, `end\`, "`id`", "$(id)", "$HOME", "'; touch x; '", "\"; touch x; \"", "a&b|c;d>e<f", "x\nSTINT\nid\n",
	"a\nb", "tab\there", "\x01", "\x7f", "\a\b\v\f", "\u0085", "\u2028", "\u00a0", "\u202e", "\u00e9", "\U0001f600", "\ufeff",
	"{{identity.entity.name}}", "{}", "*", "?", "a*b", "a,b", " leading", "trailing ", "# x", "- x", "x: y", "!!int 7", "~", "null", "@x", "--flag", "a and b", "true", "7",
}

// lockBlocks are the least blocks of the clouds that write more than a form.
var lockBlocks = map[string]string{
	"aws":    `{ role: arn:aws:iam::111122223333:role/ci/site-deploy, region: eu-west-1 }`,
	"gcp":    `{ provider: projects/123456789/locations/global/workloadIdentityPools/github/providers/release }`,
	"azure":  `{ tenant: 11111111-2222-3333-4444-555555555555, client-id: 66666666-7777-8888-9999-000000000000 }`,
	"vault":  `{ address: "https://vault.example", role: site-deploy, secrets: [{ path: secret/data/site, fields: { token: NPM_TOKEN } }] }`,
	"github": `{ scope: acme/site, identity: release, permissions: { contents: read } }`,
}

// hostileGrants puts a text where a grant names what others choose.
func hostileGrants(text, provider string) []string {
	quote := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	var files []string
	ttl := cmp.Or(map[string]string{"azure": "90m", "github": "1h"}[provider], "15m")
	for _, who := range []string{
		"{ environment: " + quote(text) + " }",
		"{ ref: " + quote("refs/heads/"+text) + " }",
		"{ ref: refs/heads/main, workflow: " + quote(".github/workflows/"+text+".yml") + " }",
		"{ ref: refs/heads/main, called: " + quote("acme/pipes/.github/workflows/a.yml@refs/heads/"+text) + " }",
		"{ ref: refs/heads/main, actors: [" + quote(text) + "] }",
	} {
		files = append(files, fmt.Sprintf("version: 1\ngrants:\n  release:\n    intent: publish\n    owner: \"@acme/release\"\n    for: %s\n    ttl: %s\n    %s: %s\n", who, ttl, provider, lockBlocks[provider]))
	}
	return files
}

// TestHostileNamesStayText renders locks of names like code and reads every text back
// with a parser of its language: each must be the value of the lock's own document,
// and nothing else may have become of it.
func TestHostileNamesStayText(t *testing.T) {
	repo := trust.Repository{Name: "acme/site", OwnerID: "1001", ID: "2001", Subject: trust.ImmutableSubject}
	for _, provider := range slices.Sorted(maps.Keys(lockBlocks)) {
		t.Run(provider, func(t *testing.T) {
			rendered, refused := 0, error(nil)
			for _, text := range hostile {
				for _, file := range hostileGrants(text, provider) {
					f, err := grant.Parse(grant.Path, []byte(file), grant.Options{Providers: []string{provider}})
					if err != nil {
						refused = err
						continue
					}
					cloud, ok := LockOf(provider)
					if !ok {
						t.Fatalf("no lock of %q", provider)
					}
					lock, err := cloud.Render(f.Grants[0], f.Grants[0].Targets[0], repo)
					if err != nil {
						refused = err
						continue
					}
					rendered++
					what := fmt.Sprintf("%q in %+v", text, f.Grants[0].For)
					admitsItsJob(t, what, lock, f.Grants[0], repo)
					readBack(t, what, lock)
				}
			}
			if rendered < len(hostile) {
				t.Errorf("%d locks were rendered; the last refusal: %v", rendered, refused)
			}
		})
	}
}

// admitsItsJob asks the lock, read back from its document, about the job that the grant
// names.
func admitsItsJob(t *testing.T, what string, lock trust.Lock, g *grant.Grant, repo trust.Repository) {
	t.Helper()
	terms, err := trust.TermsOf(g, repo)
	if err != nil || len(terms.Subjects) != 1 || terms.Subjects[0].Open {
		return
	}
	claims := map[string]string{
		"iss": trust.GitHubIssuer, "aud": lock.Policy.Audience(), "sub": terms.Subjects[0].Text, "repository": repo.Name,
		"workflow_ref": "acme/site/.github/workflows/a.yml@refs/heads/main", "job_workflow_ref": "acme/site/.github/workflows/a.yml@refs/heads/main",
	}
	for _, term := range terms.Terms {
		if len(term.Values) > 0 {
			claims[term.Claim] = term.Values[0].Text
		}
		if len(term.Values) > 0 && term.Values[0].Open {
			claims[term.Claim] += "more"
		}
	}
	c := oidc.Claims{Issuer: claims["iss"], Subject: claims["sub"], Audience: []string{claims["aud"]}, Values: claims}
	if answer := lock.Policy.Decide(c); !answer.Admits || !answer.Exact {
		t.Errorf("%s: the lock answers %+v to its own job %v:\n%s", what, answer, claims, lock.Documents[0].Body)
	}
}

func readBack(t *testing.T, what string, lock trust.Lock) {
	t.Helper()
	want := map[string]bool{}
	for _, d := range lock.Documents {
		var body any
		if json.Unmarshal([]byte(d.Body), &body) == nil {
			leaves(body, want)
		}
	}
	if got := terraformTexts(t, what, lock); got != nil {
		for text := range want {
			if meant := strings.ReplaceAll(text, "\n", ""); !got[text] && (strings.Contains(meant, "acme/site") || lock.Cloud == "gcp" && strings.Contains(meant, "assertion.")) && lock.Cloud != "vault" {
				t.Errorf("%s: Terraform lacks %q of the documents, it is\n%s", what, text, lock.Terraform)
			}
		}
	}
	commands(t, what, lock, want)
}

// leaves collects the texts of a document.
func leaves(v any, into map[string]bool) {
	switch v := v.(type) {
	case string:
		into[v] = true
	case []any:
		for _, one := range v {
			leaves(one, into)
		}
	case map[string]any:
		for _, one := range v {
			leaves(one, into)
		}
	}
}

// terraformTexts are the values of all texts of a configuration. References are values
// of other blocks; templates must not be.
func terraformTexts(t *testing.T, what string, lock trust.Lock) map[string]bool {
	t.Helper()
	if lock.Terraform == "" {
		return nil
	}
	file, diags := hclparse.NewParser().ParseHCL([]byte(lock.Terraform), "lock.tf")
	if diags.HasErrors() {
		t.Errorf("%s: %v in\n%s", what, diags, lock.Terraform)
		return nil
	}
	got := map[string]bool{}
	diags = hclsyntax.VisitAll(file.Body.(*hclsyntax.Body), func(n hclsyntax.Node) hcl.Diagnostics {
		template, ok := n.(*hclsyntax.TemplateExpr)
		if !ok {
			return nil
		}
		v, diags := template.Value(nil)
		if diags.HasErrors() || v.Type() != cty.String {
			t.Errorf("%s: a text is a template (%v) in\n%s", what, diags, lock.Terraform)
			return nil
		}
		text := v.AsString()
		if lock.Cloud == "aws" {
			text = strings.ReplaceAll(text, "&{", "${") // so aws_iam_policy_document
		}
		got[text] = true
		return nil
	})
	if diags.HasErrors() {
		t.Errorf("%s: %v", what, diags)
	}
	return got
}

// commands reads the commands as a shell does: no word expands, only the tools run, and
// a document that is a word or a here-document is the lock's own.
func commands(t *testing.T, what string, lock trust.Lock, want map[string]bool) {
	t.Helper()
	if lock.CLI == "" {
		return
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(lock.CLI), "")
	if err != nil {
		t.Errorf("%s: %v in\n%s", what, err, lock.CLI)
		return
	}
	var words []string
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CallExpr:
			if tool := n.Args[0].Lit(); !slices.Contains([]string{"aws", "gcloud", "az", "vault"}, tool) {
				t.Errorf("%s: the commands run %q:\n%s", what, tool, lock.CLI)
			}
			for _, w := range n.Args {
				words = append(words, literalWord(t, what, w, lock.CLI))
			}
		case *syntax.Redirect:
			if n.Hdoc != nil {
				words = append(words, literalWord(t, what, n.Hdoc, lock.CLI))
			}
		case *syntax.BinaryCmd, *syntax.Subshell, *syntax.CmdSubst, *syntax.ParamExp:
			t.Errorf("%s: the commands have an operator:\n%s", what, lock.CLI)
		}
		return true
	})
	got := map[string]bool{}
	for _, w := range words {
		got[w] = true
		if _, value, ok := strings.Cut(w, "="); ok {
			got[value] = true
		}
		var body any
		if json.Unmarshal([]byte(w), &body) == nil {
			leaves(body, got)
		}
	}
	for text := range want {
		if lock.Cloud != "aws" && strings.Contains(text, "acme/site") && !got[text] {
			t.Errorf("%s: the commands lack %q of the documents:\n%s", what, text, lock.CLI)
		}
	}
}

// literalWord is what a word is to the command that gets it.
func literalWord(t *testing.T, what string, w *syntax.Word, cli string) string {
	t.Helper()
	var b strings.Builder
	for _, part := range w.Parts {
		switch part := part.(type) {
		case *syntax.Lit:
			b.WriteString(part.Value)
		case *syntax.SglQuoted:
			b.WriteString(part.Value)
		case *syntax.DblQuoted:
			for _, inner := range part.Parts {
				if lit, ok := inner.(*syntax.Lit); ok {
					b.WriteString(lit.Value)
				} else {
					t.Errorf("%s: a word expands in\n%s", what, cli)
				}
			}
		default:
			t.Errorf("%s: a word expands in\n%s", what, cli)
		}
	}
	return strings.ReplaceAll(b.String(), `\'`, `'`)
}

// A key that is given twice is said: the cloud may take the other of the two.
func TestAKeyGivenTwiceIsSaid(t *testing.T) {
	for cloud, body := range map[string]string{
		"aws":      `{"Version":"2012-10-17","Statement":[],"Statement":[]}`,
		"azure":    `{"name":"a","issuer":"https://token.actions.githubusercontent.com","subject":"a","subject":"b","audiences":["c"]}`,
		"gcp":      `{"attributeMapping":{"google.subject":"assertion.sub"},"attributeCondition":"false","attributeCondition":"true","oidc":{"issuerUri":"https://token.actions.githubusercontent.com"}}`,
		"vault":    `{"role_type":"jwt","bound_audiences":["a"],"bound_claims":{"sub":"a","sub":"b"}}`,
		"octo-sts": "issuer: a\nsubject: b\nsubject: c\npermissions: {contents: read}\n",
	} {
		lock, ok := Cloud(cloud)
		if !ok {
			t.Fatalf("there is no cloud %q", cloud)
		}
		if _, err := lock.Parse(trust.Document{Cloud: cloud, Body: []byte(body)}); err == nil || !strings.Contains(err.Error(), "twice") {
			t.Errorf("%s: %v", cloud, err)
		}
	}
	lock, _ := Cloud("vault")
	if _, err := lock.Parse(trust.Document{Cloud: "vault", Body: []byte(`{"role_type":"jwt","bound_audiences":["a"],"Bound_Claims":{"sub":"a"}}`)}); err == nil {
		t.Error("a field that Vault passes over is read")
	}
}
