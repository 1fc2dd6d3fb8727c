package azure

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/trust"
)

// renderFederated writes the credentials of a grant: exact subjects where that says all
// that Entra can hold of the grant, else expressions, which are in preview and need
// the ids of the repository. There is one credential for each subject.
func renderFederated(g *grant.Grant, target *grant.Target, repo trust.Repository) (trust.Lock, error) {
	terms, err := trust.TermsOf(g, repo)
	if err != nil {
		return trust.Lock{}, err
	}
	audience, client, err := federatedBlock(g, target)
	if err != nil {
		return trust.Lock{}, err
	}
	w := federatedWriter{terms: terms, audience: audience, grant: g}
	list, err := w.credentials()
	if err != nil {
		return trust.Lock{}, err
	}
	lock := trust.Lock{Cloud: "azure", Terraform: federatedTerraform(list), CLI: federatedCLI(list, client), AlsoAdmits: terms.Without(w.seen...)}
	for _, f := range list {
		body, err := json.MarshalIndent(f.graph(), "", "  ")
		if err != nil {
			return trust.Lock{}, err
		}
		lock.Documents = append(lock.Documents, trust.Rendered{Name: f.Name, Body: string(body) + "\n"})
	}
	lock.Policy, err = readBack(lock.Documents)
	return lock, err
}

// readBack parses what was written, so that the policy is that of the text.
func readBack(docs []trust.Rendered) (trust.Policy, error) {
	bodies := make([]string, len(docs))
	for i, d := range docs {
		bodies[i] = d.Body
	}
	return parseFederated(trust.Document{Cloud: "azure", Body: []byte("[" + strings.Join(bodies, ",") + "]")})
}

// federatedBlock takes from a grant's azure block what the lock needs; without a block
// it is the public cloud, and the application is left to be filled in.
func federatedBlock(g *grant.Grant, target *grant.Target) (audience, client string, err error) {
	if target == nil {
		return audiences["public"], "APP-ID", nil
	}
	s, err := targetSettings(g, target)
	if err != nil {
		return "", "", err
	}
	return s.Audience, s.ClientID, nil
}

// A federatedWriter writes the credentials of one grant.
type federatedWriter struct {
	terms    trust.Terms
	grant    *grant.Grant
	audience string
	seen     []string // the claims beside sub that the credentials look at
}

func (w *federatedWriter) credentials() ([]*federated, error) {
	open := false
	for _, s := range w.terms.Subjects {
		open = open || s.Open
	}
	r := w.terms.Repository
	flexible := r.Issuer == trust.GitHubIssuer && (r.ID != "" || r.OwnerID != "")
	if open && !flexible {
		return nil, fmt.Errorf("grant %q admits more than one ref by a pattern: azure needs the repository's ids and the issuer of github.com for that", w.grant.Name)
	}
	if !open && (!flexible || r.Subject == trust.ImmutableSubject && len(w.terms.Of("job_workflow_ref")) == 0) {
		return w.classic()
	}
	return w.flexible()
}

func (w *federatedWriter) add(list []*federated, f federated) ([]*federated, error) {
	if len(list) == maxFederated {
		return nil, fmt.Errorf("grant %q needs more than the %d credentials that an application takes: name fewer refs", w.grant.Name, maxFederated)
	}
	suffix := "-" + strconv.Itoa(len(list)+1)
	f.Name = "stint-" + w.grant.Name
	f.Name = f.Name[:min(len(f.Name), maxFederatedName-len(suffix))] + suffix
	f.Issuer, f.Audiences = w.terms.Repository.Issuer, []string{w.audience}
	return append(list, &f), nil
}

func (w *federatedWriter) classic() (list []*federated, err error) {
	for _, s := range w.terms.Subjects {
		if len(s.Text) > maxFederatedSubject {
			return nil, fmt.Errorf("the subject %.60q… has %d characters, and entra takes %d", s.Text, len(s.Text), maxFederatedSubject)
		}
		if list, err = w.add(list, federated{Subject: s.Text}); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// flexible writes an expression for each subject and each file that may go with it.
func (w *federatedWriter) flexible() (list []*federated, err error) {
	var ids []clause
	for _, id := range []string{"repository_id", "repository_owner_id"} {
		for _, v := range w.terms.Of(id) {
			ids = append(ids, clause{claim: id, value: v.Text})
			w.seen = append(w.seen, id)
		}
	}
	for _, s := range w.terms.Subjects {
		sub, err := wildcarded("sub", s)
		if err != nil {
			return nil, err
		}
		files := w.filesOf(s)
		if len(files) == 0 {
			files = []trust.Value{{}}
		}
		for _, file := range files {
			clauses := append([]clause{sub}, ids...)
			if file.Text != "" {
				c, err := wildcarded("job_workflow_ref", file)
				if err != nil {
					return nil, err
				}
				clauses = append(clauses, c)
			}
			if list, err = w.add(list, federated{Matching: &expression{Value: joined(clauses), LanguageVersion: 1}}); err != nil {
				return nil, err
			}
		}
	}
	if len(w.terms.Of("job_workflow_ref")) > 0 {
		w.seen = append(w.seen, "job_workflow_ref")
	}
	return list, nil
}

// filesOf are the values of job_workflow_ref that go with a subject. A run reads its
// own workflow file from its own ref, so that a subject with a ref has one file.
func (w *federatedWriter) filesOf(sub trust.Value) []trust.Value {
	files := w.terms.Of("job_workflow_ref")
	_, ref, ok := strings.Cut(sub.Text, ":ref:")
	if !ok {
		return files
	}
	for _, f := range files {
		if strings.HasSuffix(f.Text, "@"+ref) {
			return []trust.Value{f}
		}
	}
	return files
}

// wildcarded is eq, or matches for an open value.
func wildcarded(claim string, v trust.Value) (clause, error) {
	if !v.Open {
		return clause{claim: claim, value: v.Text}, nil
	}
	if strings.ContainsAny(v.Text, "*?") {
		return clause{}, fmt.Errorf("%.200q has a character that azure takes for a wildcard, and must be matched by one", v.Text)
	}
	return clause{claim: claim, like: true, value: v.Text + "*"}, nil
}

func joined(clauses []clause) string {
	texts := make([]string, len(clauses))
	for i, c := range clauses {
		texts[i] = c.String()
	}
	return strings.Join(texts, " and ")
}

// graph is the body that Graph takes: one of subject and expression.
func (f *federated) graph() map[string]any {
	m := map[string]any{"name": f.Name, "issuer": f.Issuer, "audiences": f.Audiences}
	if f.Matching != nil {
		m["claimsMatchingExpression"] = f.Matching
	} else {
		m["subject"] = f.Subject
	}
	return m
}

func federatedTerraform(list []*federated) string {
	var b strings.Builder
	for _, f := range list {
		kind, what, value, audience := "azuread_application_federated_identity_credential", "subject", f.Subject, "audiences"
		list := "[" + trust.HCLText(f.Audiences[0]) + "]"
		if f.Matching != nil {
			kind, what, value = "azuread_application_flexible_federated_identity_credential", "claims_matching_expression", f.Matching.Value
			audience, list = "audience", trust.HCLText(f.Audiences[0])
		}
		fmt.Fprintf(&b, "resource %q %q {\n  application_id = var.application_id\n  display_name = %s\n  issuer = %s\n  %s = %s\n  %s = %s\n}\n\n",
			kind, strings.ReplaceAll(f.Name, ".", "-"), trust.HCLText(f.Name), trust.HCLText(f.Issuer), audience, list, what, trust.HCLText(value))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func federatedCLI(list []*federated, client string) string {
	var b strings.Builder
	for _, f := range list {
		body, err := json.Marshal(f.graph())
		if err != nil {
			continue // strings and numbers only: it always encodes
		}
		quoted := "'" + strings.ReplaceAll(string(body), "'", `'\''`) + "'"
		if f.Matching == nil {
			fmt.Fprintf(&b, "az ad app federated-credential create --id %s --parameters %s\n", client, quoted)
			continue
		}
		fmt.Fprintf(&b, "az rest --method post --headers Content-Type=application/json \\\n"+
			"  --url \"https://graph.microsoft.com/beta/applications(appId='%s')/federatedIdentityCredentials\" \\\n  --body %s\n", client, quoted)
	}
	return b.String()
}
