package aws

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc/providers/aws/policy"
	"github.com/stint-dev/stint/oidc/trust"
)

// findTrust returns the trust policies of a file that are about tokens of GitHub's:
// a policy alone, or what `aws iam get-role`, `list-roles` and
// `get-account-authorization-details` print.
func findTrust(path string, b []byte) ([]trust.Document, error) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if len(b) > trust.MaxDocumentBytes {
		return nil, nil
	}
	if !json.Valid(b) {
		if bytes.HasPrefix(bytes.TrimSpace(b), []byte("{")) && bytes.Contains(b, []byte(`"`+policy.AssumeRoleWithWebIdentity+`"`)) && strings.HasSuffix(path, ".json") {
			return nil, errors.New("the file is not one JSON document, and speaks of trust")
		}
		return nil, nil
	}
	var file struct {
		Statement      json.RawMessage   `json:"Statement"`
		Role           json.RawMessage   `json:"Role"`
		Roles          []json.RawMessage `json:"Roles"`
		RoleDetailList []json.RawMessage `json:"RoleDetailList"`
		roleExport
	}
	if json.Unmarshal(b, &file) != nil {
		return nil, nil // a list, or an object with other members of these names
	}
	switch {
	case file.Statement != nil:
		return findPolicy(path, b)
	case file.AssumeRolePolicyDocument != nil:
		return findRoles(path, b, []json.RawMessage{b})
	case file.Role != nil:
		return findRoles(path, b, []json.RawMessage{file.Role})
	}
	return findRoles(path, b, append(file.Roles, file.RoleDetailList...))
}

// findPolicy takes a trust policy. A policy of rights, which has resources and no
// principals, is none.
func findPolicy(path string, b []byte) ([]trust.Document, error) {
	d := trust.Document{Cloud: Name, Path: path, Line: 1, Body: b}
	p, err := parseTrust(d)
	if err != nil {
		if bytes.Contains(b, []byte(policy.AssumeRoleWithWebIdentity)) {
			return nil, err
		}
		return nil, nil
	}
	if t := p.(*trustPolicy); !t.aboutGitHub() && !t.throughCognito() {
		return nil, nil
	}
	return []trust.Document{d}, nil
}

func findRoles(path string, file []byte, roles []json.RawMessage) ([]trust.Document, error) {
	var found []trust.Document
	for _, body := range roles {
		var role roleExport
		if json.Unmarshal(body, &role) != nil || role.AssumeRolePolicyDocument == nil {
			continue
		}
		d := trust.Document{Cloud: Name, Path: path, Line: lineOf(file, role.RoleName), Name: role.RoleName, Body: body}
		p, err := parseTrust(d)
		if err != nil {
			return found, fmt.Errorf("role %.64q: %w", role.RoleName, err)
		}
		if p.(*trustPolicy).aboutGitHub() {
			found = append(found, d)
		}
	}
	return found, nil
}

// lineOf is where a role's name first stands in a file.
func lineOf(file []byte, name string) int {
	quoted, err := json.Marshal(name)
	at := bytes.Index(file, quoted)
	if err != nil || at < 0 || name == "" {
		return 1
	}
	return 1 + bytes.Count(file[:at], []byte("\n"))
}

// aboutGitHub reports whether some statement, be it one that admits nothing, is about
// tokens of GitHub's.
func (p *trustPolicy) aboutGitHub() bool {
	for i := range p.doc.Statements {
		if aboutGitHub(&p.doc.Statements[i]) {
			return true
		}
	}
	return false
}

// cognito is the principal of Amazon Cognito's identity pools.
const cognito = "cognito-identity.amazonaws.com"

// throughCognito reports whether some statement trusts what an identity pool made of
// another token, which may be GitHub's.
func (p *trustPolicy) throughCognito() bool {
	for i := range p.doc.Statements {
		s := &p.doc.Statements[i]
		if s.Effect == policy.EffectAllow && webIdentity(s) && slices.ContainsFunc(s.Principals, func(who policy.Principal) bool { return who.ID == cognito }) {
			return true
		}
	}
	return false
}

// aboutGitHub reports whether a statement's principals or conditions name GitHub.
func aboutGitHub(s *policy.Statement) bool {
	for _, at := range providers(s) {
		if isGitHub(at.name) {
			return true
		}
	}
	for _, c := range s.Conditions {
		if provider, _, ok := splitKey(c.Key); ok && isGitHub(provider) {
			return true
		}
	}
	return false
}

// webIdentity reports whether a statement is about the action that tokens are
// traded by.
func webIdentity(s *policy.Statement) bool {
	for _, a := range s.Actions {
		a = strings.ToLower(a)
		if a == "*" || a == "sts:*" || strings.HasPrefix(a, "sts:assumerole") {
			return !s.NotAction || !strings.EqualFold(a, policy.AssumeRoleWithWebIdentity)
		}
	}
	return s.NotAction
}
