package terraform

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/stint-dev/stint/oidc/trust"
)

// role reads the trust policy of an aws_iam_role.
func (m *module) role(b *block) []trust.Document {
	v := m.values()
	body := v.text(b.body, "assume_role_policy")
	if !aboutGitHub(body, v) {
		return nil
	}
	d := m.document(b, "aws", []byte(body), v)
	if attr := b.body.Attributes["assume_role_policy"]; attr != nil {
		d.Line = attr.SrcRange.Start.Line
	}
	const hour = 3600
	if n, err := strconv.Atoi(v.text(b.body, "max_session_duration")); err == nil && n > hour && json.Valid(d.Body) {
		role := map[string]any{"RoleName": b.address, "MaxSessionDuration": n, "AssumeRolePolicyDocument": json.RawMessage(body)}
		if whole, err := json.Marshal(role); err == nil {
			d.Body = whole
		}
	}
	return []trust.Document{d}
}

// aboutGitHub reports whether a trust policy may be about GitHub's tokens. One that
// is not known at all is not.
func aboutGitHub(body string, v *values) bool {
	if !strings.Contains(strings.ToLower(body), "sts:assumerolewithwebidentity") && !strings.Contains(body, "NotAction") {
		return false
	}
	return strings.Contains(body, "token.actions.") || strings.Contains(body, "/_services/token") ||
		strings.Contains(strings.Join(v.unresolved, " "), "github")
}

// policyAlone reads a policy document that no role of the module uses: it goes into
// a role elsewhere.
func (m *module) policyAlone(b *block) []trust.Document {
	for _, other := range m.order {
		if other.kind == "aws_iam_role" {
			v := m.values()
			v.text(other.body, "assume_role_policy")
			if v.used[b.address] {
				return nil
			}
		}
	}
	v := m.values()
	body := v.policyDocument(b)
	if !aboutGitHub(body, v) {
		return nil
	}
	return []trust.Document{m.document(b, "aws", []byte(body), v)}
}

// policyDocument writes the JSON of a data.aws_iam_policy_document.
func (v *values) policyDocument(b *block) string {
	version := v.text(b.body, "version")
	if version == "" {
		version = "2012-10-17"
	}
	statements := []any{}
	for _, s := range b.body.Blocks {
		switch s.Type {
		case "statement":
			statements = append(statements, v.statement(s.Body))
		case "dynamic":
			v.unresolved = append(v.unresolved, "dynamic "+strings.Join(s.Labels, " "))
		}
	}
	for _, name := range []string{"source_policy_documents", "override_policy_documents", "source_json", "override_json"} {
		if b.body.Attributes[name] != nil {
			v.unresolved = append(v.unresolved, name)
		}
	}
	out, err := json.Marshal(map[string]any{"Version": version, "Statement": statements})
	if err != nil {
		return ""
	}
	// The data source writes the policy variables of IAM with "&".
	return strings.ReplaceAll(string(out), `\u0026{`, "${")
}

func (v *values) statement(body *hclsyntax.Body) map[string]any {
	s := map[string]any{"Effect": "Allow"}
	if effect := v.text(body, "effect"); effect != "" {
		s["Effect"] = effect
	}
	for _, pair := range [][2]string{{"Action", "actions"}, {"NotAction", "not_actions"}, {"Resource", "resources"}, {"NotResource", "not_resources"}} {
		if body.Attributes[pair[1]] != nil {
			s[pair[0]] = v.list(body, pair[1])
		}
	}
	if sid := v.text(body, "sid"); sid != "" {
		s["Sid"] = sid
	}
	conditions := map[string]map[string][]string{}
	for _, b := range body.Blocks {
		switch b.Type {
		case "principals":
			v.principals(s, "Principal", b.Body)
		case "not_principals":
			v.principals(s, "NotPrincipal", b.Body)
		case "condition":
			v.condition(conditions, b.Body)
		case "dynamic":
			v.unresolved = append(v.unresolved, "dynamic "+strings.Join(b.Labels, " "))
		}
	}
	if len(conditions) > 0 {
		s["Condition"] = conditions
	}
	return s
}

func (v *values) principals(s map[string]any, element string, body *hclsyntax.Body) {
	kind, ids := v.text(body, "type"), v.list(body, "identifiers")
	if kind == "*" {
		s[element] = "*"
		return
	}
	all, ok := s[element].(map[string][]string)
	if !ok {
		all = map[string][]string{}
		s[element] = all
	}
	all[kind] = append(all[kind], ids...)
}

func (v *values) condition(all map[string]map[string][]string, body *hclsyntax.Body) {
	test, key := v.text(body, "test"), v.text(body, "variable")
	if all[test] == nil {
		all[test] = map[string][]string{}
	}
	// Two conditions with one test and key are joined into one list.
	all[test][key] = append(all[test][key], v.list(body, "values")...)
}
