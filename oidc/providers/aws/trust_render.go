package aws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/aws/policy"
	"github.com/stint-dev/stint/oidc/trust"
)

// maxTrustCharacters is the default quota of a role trust policy, white space not
// counted (IAM quotas; an account can have it raised to 4,096).
const maxTrustCharacters = 2048

// defaultSession is the shortest MaxSessionDuration that a role can have.
const defaultSession = time.Hour

// renderTrust writes the trust policy of a grant: the subject, the ids, and every
// other claim of the grant that AWS has a condition key for.
func renderTrust(g *grant.Grant, target *grant.Target, repo trust.Repository) (trust.Lock, error) {
	s, err := targetSettings(g, target)
	if err != nil {
		return trust.Lock{}, err
	}
	terms, err := trust.TermsOf(g, repo)
	if err != nil {
		return trust.Lock{}, err
	}
	return writeTrust(s, terms)
}

func writeTrust(s *settings, terms trust.Terms) (trust.Lock, error) {
	provider, ok := strings.CutPrefix(terms.Repository.Issuer, "https://")
	if !ok {
		return trust.Lock{}, trustError("name the issuer with https://", "issuer %.200q is not an https url", terms.Repository.Issuer)
	}
	w := trustWriter{provider: provider}
	w.condition("aud", trust.Value{Text: s.Audience})
	w.condition("sub", terms.Subjects...)
	var seen []string
	for _, term := range terms.Terms {
		if term.Claim == "repository" || term.InSubject && term.Claim != "environment" || len(term.Values) == 0 || !w.filled(term.Claim) {
			continue
		}
		seen = append(seen, term.Claim)
		w.condition(term.Claim, term.Values...)
	}
	lock := trust.Lock{Cloud: Name, AlsoAdmits: terms.Without(seen...)}
	body, err := w.document(policy.ProviderARN(s.role.partition, s.role.account, provider))
	if err != nil {
		return trust.Lock{}, err
	}
	lock.Documents = []trust.Rendered{{Name: "trust-policy", Body: body}}
	lock.Terraform, lock.CLI = w.terraform(s), trustCLI(s)
	lock.Policy, err = parseTrust(trust.Document{Cloud: Name, Body: []byte(body)})
	return lock, err
}

func trustError(hint, format string, args ...any) error {
	return &oidc.Error{Stage: oidc.StageDecide, Message: fmt.Sprintf(format, args...), Hint: hint}
}

// A trustWriter collects the conditions of one statement.
type trustWriter struct {
	provider   string
	conditions []trustCondition
}

// A trustCondition is one key; its operator reads wildcards if a value needs them.
type trustCondition struct {
	operator, key string
	values        []string
}

func (w *trustWriter) filled(claim string) bool {
	for _, key := range policy.ClaimKeys(w.provider) {
		if key == claim {
			return true
		}
	}
	return false
}

func (w *trustWriter) condition(claim string, values ...trust.Value) {
	c := trustCondition{operator: "StringEquals", key: w.provider + ":" + claim}
	for _, v := range values {
		if v.Open {
			c.operator = "StringLike"
		}
	}
	for _, v := range values {
		text := strings.ReplaceAll(v.Text, "${", "${$}{")
		if c.operator == "StringLike" {
			text = strings.NewReplacer("*", "${*}", "?", "${?}", "${", "${$}{").Replace(v.Text)
		}
		if v.Open {
			text += "?*" // one character or more
		}
		c.values = append(c.values, text)
	}
	w.conditions = append(w.conditions, c)
}

// A trustDocument has the elements in the order in which people read them.
type trustDocument struct {
	Version   string
	Statement []trustStatement
}

type trustStatement struct {
	Effect    policy.Effect
	Principal map[string]string
	Action    string
	Condition map[string]map[string]any
}

// document writes the JSON and checks its size.
func (w *trustWriter) document(provider string) (string, error) {
	condition := map[string]map[string]any{}
	for _, c := range w.conditions {
		if condition[c.operator] == nil {
			condition[c.operator] = map[string]any{}
		}
		condition[c.operator][c.key] = c.values
		if len(c.values) == 1 {
			condition[c.operator][c.key] = c.values[0]
		}
	}
	document := trustDocument{Version: "2012-10-17", Statement: []trustStatement{{
		Effect: policy.EffectAllow, Principal: map[string]string{"Federated": provider},
		Action: policy.AssumeRoleWithWebIdentity, Condition: condition,
	}}}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(document); err != nil {
		return "", err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, b.Bytes()); err != nil {
		return "", err
	}
	if n := compact.Len(); n > maxTrustCharacters {
		return "", trustError("name fewer refs, or one form of the subject, or split the grant",
			"the trust policy has %d characters, and a role takes %d", n, maxTrustCharacters)
	}
	return b.String(), nil
}

// session is the MaxSessionDuration that the grant needs.
func session(s *settings) int { return int(max(defaultSession, s.ttl) / time.Second) }

// terraform writes the role with its trust; rights are attached elsewhere. It is ""
// when a value has "&{", which the data source would take for the "${" of a variable.
func (w *trustWriter) terraform(s *settings) string {
	if slices.ContainsFunc(w.conditions, func(c trustCondition) bool { return strings.Contains(strings.Join(c.values, " "), "&{") }) {
		return ""
	}
	var b strings.Builder
	name := strings.Map(identifierRune, s.role.name)
	fmt.Fprintf(&b, "data \"aws_iam_policy_document\" %q {\n  statement {\n    actions = [%q]\n    principals {\n      type        = \"Federated\"\n      identifiers = [%s]\n    }\n",
		name+"_trust", policy.AssumeRoleWithWebIdentity, trust.HCLText(policy.ProviderARN(s.role.partition, s.role.account, w.provider)))
	for _, c := range w.conditions {
		values := make([]string, len(c.values))
		for i, v := range c.values {
			values[i] = trust.HCLText(strings.ReplaceAll(v, "${", "&{")) // the data source's own spelling
		}
		fmt.Fprintf(&b, "    condition {\n      test     = %q\n      variable = %s\n      values   = [%s]\n    }\n", c.operator, trust.HCLText(c.key), strings.Join(values, ", "))
	}
	fmt.Fprintf(&b, "  }\n}\n\nresource \"aws_iam_role\" %q {\n  name                 = %s\n  path                 = %s\n  max_session_duration = %d\n  assume_role_policy   = data.aws_iam_policy_document.%s_trust.json\n}\n",
		name, trust.HCLText(s.role.name), trust.HCLText(s.role.path), session(s), name)
	return b.String()
}

// identifierRune makes a name of Terraform out of a role's.
func identifierRune(r rune) rune {
	if r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
		return r
	}
	return '_'
}

func trustCLI(s *settings) string {
	return fmt.Sprintf("aws iam update-assume-role-policy --role-name %s \\\n  --policy-document file://trust-policy.json\naws iam update-role --role-name %s --max-session-duration %d\n",
		s.role.name, s.role.name, session(s))
}
