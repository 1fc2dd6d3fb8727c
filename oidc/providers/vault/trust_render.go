package vault

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/trust"
)

// boundClaims are the claims beside sub that a role compares; any claim can be.
var boundClaims = []string{
	"repository", "repository_id", "repository_owner_id", "environment", "ref", "workflow_ref", "job_workflow_ref",
	"event_name", "actor", "runner_environment", "ref_protected",
}

// renderRole writes the role of a grant, the policy that its secrets need, and what the
// mount must know of the issuer. A role cannot compare two claims with each other:
// that the job is not in a reusable workflow is said only where the grant names the file.
func renderRole(g *grant.Grant, target *grant.Target, repo trust.Repository) (trust.Lock, error) {
	s, err := targetSettings(g, target)
	if err != nil {
		return trust.Lock{}, err
	}
	terms, err := trust.TermsOf(g, repo)
	if err != nil {
		return trust.Lock{}, err
	}
	bound, kind, err := s.bounds(terms)
	if err != nil {
		return trust.Lock{}, fmt.Errorf("grant %q: %w", g.Name, err)
	}
	body := s.roleBody(bound, kind)
	role, err := json.MarshalIndent(body, "", "  ")
	if err != nil {
		return trust.Lock{}, err
	}
	mount, err := json.MarshalIndent(map[string]any{"oidc_discovery_url": terms.Repository.Issuer, "bound_issuer": terms.Repository.Issuer}, "", "  ")
	if err != nil {
		return trust.Lock{}, err
	}
	lock := trust.Lock{Cloud: "vault", AlsoAdmits: terms.Without(boundClaims...), Documents: []trust.Rendered{
		{Name: "role", Body: string(role) + "\n"},
		{Name: "mount-config", Body: string(mount) + "\n"},
	}}
	if s.ownPolicy() {
		lock.Documents = append(lock.Documents, trust.Rendered{Name: "policy", Body: s.policy()})
	}
	lock.Terraform, lock.CLI = s.terraform(body), s.commands(lock.Documents)
	lock.Policy, err = parseRole(trust.Document{Cloud: "vault", Body: role})
	return lock, err
}

func targetSettings(g *grant.Grant, target *grant.Target) (*settings, error) {
	if target == nil {
		return nil, fmt.Errorf("grant %q has no vault block", g.Name)
	}
	var c config
	if err := target.Decode(&c); err != nil {
		return nil, err
	}
	return newSettings(c, g, target.Line)
}

// bounds are bound_claims and their type: glob where one value is open. The type is
// that of all values, so that a star in another one would become a wildcard.
func (s *settings) bounds(terms trust.Terms) (map[string]any, string, error) {
	all := map[string][]trust.Value{"sub": terms.Subjects}
	for _, t := range terms.Terms {
		if len(t.Values) > 0 {
			all[t.Claim] = t.Values
		}
	}
	kind := "string"
	for _, values := range all {
		if slices.ContainsFunc(values, func(v trust.Value) bool { return v.Open }) {
			kind = "glob"
		}
	}
	bound := map[string]any{}
	for claim, values := range all {
		var list []string
		for _, v := range values {
			if kind == "glob" && strings.Contains(v.Text, "*") {
				return nil, "", fmt.Errorf("%.200q has a star, which vault takes for a wildcard beside the grant's patterns", v.Text)
			}
			if v.Open {
				v.Text += "*"
			}
			list = append(list, v.Text)
		}
		if bound[claim] = list; len(list) == 1 {
			bound[claim] = list[0]
		}
	}
	return bound, kind, nil
}

// policies are the names for the role: those of the grant, or one like the role. Vault
// keeps them in lower case.
func (s *settings) policies() []string {
	if len(s.Policies) > 0 {
		return s.Policies
	}
	return []string{strings.ToLower(s.Role)}
}

// ownPolicy reports whether the policy called like the role is the one for the grant's
// secrets. Another name in the grant is that of a policy that somebody keeps elsewhere.
func (s *settings) ownPolicy() bool {
	return len(s.Secrets) > 0 && slices.Contains(s.policies(), strings.ToLower(s.Role))
}

// roleBody is what auth/MOUNT/role/NAME takes. The token ends after the grant's ttl,
// renewed or not. Its entity is that of the repository's id, which outlives a rename.
func (s *settings) roleBody(bound map[string]any, kind string) map[string]any {
	ttl := strconv.Itoa(int(s.ttl/time.Second)) + "s"
	return map[string]any{
		"role_type": "jwt", "user_claim": "repository_id", "bound_audiences": []string{s.Audience},
		"bound_claims_type": kind, "bound_claims": bound,
		"claim_mappings": map[string]string{"repository": "repository", "run_id": "run_id", "run_attempt": "run_attempt", "workflow_ref": "workflow_ref"},
		"token_policies": s.policies(), "token_type": "service",
		"token_ttl": ttl, "token_max_ttl": ttl, "token_explicit_max_ttl": ttl,
	}
}

// policy lets the token read what the grant names. The default policy, which the
// token has beside it, lets it look itself up, renew and revoke itself.
func (s *settings) policy() string {
	rights := map[string][]string{}
	var paths []string
	for _, one := range s.Secrets {
		right := "read"
		if len(one.Data) > 0 {
			right = "update"
		}
		if rights[one.Path] == nil {
			paths = append(paths, one.Path)
		}
		if !slices.Contains(rights[one.Path], right) {
			rights[one.Path] = append(rights[one.Path], right)
		}
	}
	var b strings.Builder
	for _, path := range paths {
		fmt.Fprintf(&b, "path %s {\n  capabilities = [\"%s\"]\n}\n", strconv.Quote(path), strings.Join(rights[path], `", "`))
	}
	return b.String()
}

// terraform is "" when a value has a comma: the provider would split it in two.
func (s *settings) terraform(body map[string]any) string {
	if hasComma(body["bound_claims"]) {
		return ""
	}
	var b strings.Builder
	label := "stint_" + strings.ReplaceAll(s.Role, ".", "_") // a label begins with a letter
	fmt.Fprintf(&b, "resource \"vault_jwt_auth_backend_role\" %q {\n  backend = %s\n  role_name = %s\n", label, trust.HCLText(s.Mount), trust.HCLText(s.Role))
	if s.Namespace != "" {
		fmt.Fprintf(&b, "  namespace = %s\n", trust.HCLText(s.Namespace))
	}
	names := []string{"role_type", "user_claim", "bound_audiences", "bound_claims_type", "bound_claims", "claim_mappings", "token_policies", "token_type"}
	for _, name := range names {
		fmt.Fprintf(&b, "  %s = %s\n", name, hclValue(body[name], name == "bound_claims"))
	}
	for _, name := range []string{"token_ttl", "token_max_ttl", "token_explicit_max_ttl"} {
		fmt.Fprintf(&b, "  %s = %d\n", name, int(s.ttl/time.Second))
	}
	b.WriteString("}\n")
	if s.ownPolicy() {
		fmt.Fprintf(&b, "\nresource \"vault_policy\" %q {\n  name = %s\n  policy = %s\n}\n", label, trust.HCLText(strings.ToLower(s.Role)), trust.HCLText(s.policy()))
	}
	return b.String()
}

// hclValue writes texts, lists and maps. In bound_claims Terraform's provider takes a
// list as one text with commas.
func hclValue(v any, commas bool) string {
	switch v := v.(type) {
	case string:
		return trust.HCLText(v)
	case []string:
		if commas {
			return trust.HCLText(strings.Join(v, ","))
		}
		quoted := make([]string, len(v))
		for i, s := range v {
			quoted[i] = trust.HCLText(s)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	case map[string]string:
		m := map[string]any{}
		for k, s := range v {
			m[k] = s
		}
		return hclValue(m, false)
	case map[string]any:
		var b strings.Builder
		b.WriteString("{\n")
		for _, k := range sortedKeys(v) {
			fmt.Fprintf(&b, "    %s = %s\n", trust.HCLText(k), hclValue(v[k], commas))
		}
		return b.String() + "  }"
	}
	return "null"
}

func hasComma(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, ",")
	case []string:
		return slices.ContainsFunc(v, func(s string) bool { return hasComma(s) })
	case map[string]any:
		for _, one := range v {
			if hasComma(one) {
				return true
			}
		}
	}
	return false
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// commands are for the vault command; bao takes the same.
func (s *settings) commands(docs []trust.Rendered) string {
	in := ""
	if s.Namespace != "" {
		in = "-namespace=" + s.Namespace + " "
	}
	targets := map[string]string{
		"role": "write " + in + "auth/" + s.Mount + "/role/" + s.Role, "mount-config": "write " + in + "auth/" + s.Mount + "/config",
		"policy": "policy write " + in + strings.ToLower(s.Role),
	}
	var b strings.Builder
	for _, d := range docs {
		if d.Name == "mount-config" {
			b.WriteString("# once, when the mount is made; it takes the place of what the mount has\n")
		}
		fmt.Fprintf(&b, "vault %s - <<'STINT'\n%sSTINT\n", targets[d.Name], d.Body)
	}
	return b.String()
}
