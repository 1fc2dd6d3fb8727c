package aws

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc/providers/aws/policy"
	"github.com/stint-dev/stint/oidc/trust"
)

// optionalClaims are those of GitHub's that some tokens do not have; the rest is
// always there, so that a condition on it never meets an absent key.
var optionalClaims = []string{"environment", "enterprise_id", "amr"}

// Review finds what the text of a trust policy tells: operators that hold where they
// should not, keys that AWS never fills, principals that are too wide.
func (p *trustPolicy) Review() []trust.Finding {
	r := &reviewer{policy: p, dead: !p.admitsTargets()}
	for _, n := range p.doc.Notes {
		if n.Invalid && !(p.unresolved && placeholder.MatchString(n.Text)) {
			r.add("invalid", trust.Invalid, fmt.Sprintf("iam refuses statement %d: %s", n.Statement+1, n.Text))
		}
	}
	for i := range p.doc.Statements {
		s := &p.doc.Statements[i]
		if s.Effect == policy.EffectDeny {
			r.deny(s)
		} else if webIdentity(s) {
			r.allow(s)
		}
	}
	if p.maxSession > 3600 {
		r.add("session-too-long", "", fmt.Sprintf("the role's MaxSessionDuration is %d seconds: a session may outlast its job by hours", p.maxSession))
	}
	return r.found
}

// admitsTargets reports whether some token that the policy names gets in.
func (p *trustPolicy) admitsTargets() bool {
	const most = 64 // of a document that is larger than any that IAM stores
	targets := p.Targets()
	for _, t := range targets[:min(len(targets), most)] {
		t.Audience = p.Audience()
		for _, probe := range trust.Probes(t) {
			if p.Decide(probe.Claims).Admits {
				return true
			}
		}
	}
	return false
}

type reviewer struct {
	policy *trustPolicy
	// dead is set when no token gets in that the policy names.
	dead  bool
	found []trust.Finding
}

// add adds a finding of a class in words of its own, once.
func (r *reviewer) add(class string, grade trust.Grade, message string, replaces ...string) {
	f := trust.Found(class, grade)
	f.Message, f.Replaces = message, replaces
	if !slices.ContainsFunc(r.found, func(g trust.Finding) bool { return g.Class == class && g.Message == message }) {
		r.found = append(r.found, f)
	}
}

func (r *reviewer) allow(s *policy.Statement) {
	r.principals(s)
	if s.NotAction {
		r.add("not-action", trust.Bad, "NotAction admits every way to take the role that it does not list")
	}
	for i := range s.Conditions {
		r.condition(s, &s.Conditions[i])
	}
	if r.dead {
		r.repeated(s)
	}
	if aboutGitHub(s) && !storable(s) {
		r.add("refused-on-write", "", "iam would refuse this on its next change: the first value of sub or job_workflow_ref must say something")
	}
}

func (r *reviewer) principals(s *policy.Statement) {
	if s.NotPrincipal {
		r.add("any-provider", trust.Bad, "NotPrincipal trusts every provider and account that it does not list")
	}
	for _, who := range s.Principals {
		at, isProvider := parseProvider(who.ID)
		switch {
		case who.ID == "*":
			r.add("any-provider", trust.Bad, "the principal is a wildcard: every identity provider of the account is trusted, and only a condition on its own claims binds its tokens")
		case who.ID == cognito:
			r.add("indirect-trust", trust.Caution, "an identity pool of Cognito stands between the token and the role: its rules and its mapping of claims decide", "never-admits")
		case who.Type == "AWS":
			r.add("shared-role", "", fmt.Sprintf("%.200q may take the role beside the web identity", who.ID))
		case isProvider && strings.HasSuffix(at.name, "/"):
			r.add("wrong-issuer", trust.Dead, "the provider's name ends with a slash, which no issuer does")
		case isProvider && strings.HasPrefix(at.name, "vstoken.actions."):
			r.add("old-issuer", trust.Dead, "the provider is "+at.name+", an issuer that GitHub no longer uses")
		}
	}
}

// condition looks at one condition of an Allow.
func (r *reviewer) condition(s *policy.Statement, c *policy.Condition) {
	provider, claim, ok := splitKey(c.Key)
	if !ok {
		return
	}
	set := strings.HasPrefix(c.Operator, "ForAllValues:")
	ifExists := strings.HasSuffix(c.Operator, "IfExists")
	negated := strings.Contains(baseOperator(c.Operator), "Not")
	switch why := r.neverFilled(s, provider, claim); {
	case why != "" && vacuous(*c):
		r.add("no-control", trust.Bad, fmt.Sprintf("%s on %.100q holds for every token: %s", c.Operator, c.Key, why))
		return
	case why != "":
		class := "claim-never-present"
		if strings.Contains(why, "provider") {
			class = "other-providers-key"
		}
		r.add(class, "", fmt.Sprintf("%s on %.100q never holds: %s", c.Operator, c.Key, why))
		return
	}
	optional := slices.Contains(optionalClaims, claim)
	switch {
	case set && optional:
		r.add("set-operator", trust.Bad, fmt.Sprintf("%s holds for tokens without %s, and most have none", c.Operator, claim))
	case set:
		r.add("set-operator", trust.Caution, fmt.Sprintf("%s on %s happens to bite, because every token has one %s; AWS advises against it", c.Operator, claim, claim), "pull-request")
		r.found[len(r.found)-1].Severity = "medium"
	case ifExists && optional:
		r.add("holds-when-absent", trust.Bad, fmt.Sprintf("%s holds for tokens without %s, and most have none", c.Operator, claim))
	case ifExists && !negated:
		r.add("holds-when-absent", trust.Caution, fmt.Sprintf("%s on %s happens to bite, because every token has one %s", c.Operator, claim, claim))
		r.found[len(r.found)-1].Severity = "low"
	case negated && !pinned(s, claim):
		r.add("negated-condition", trust.Bad, fmt.Sprintf("%s on %s shuts out what it lists, and other forms and jobs of the same kind get in", c.Operator, claim))
	}
	r.literal(c, claim)
}

// vacuous reports whether a condition holds where its key is absent.
func vacuous(c policy.Condition) bool {
	base := baseOperator(c.Operator)
	return strings.HasPrefix(c.Operator, "ForAllValues:") || strings.HasSuffix(c.Operator, "IfExists") ||
		strings.Contains(base, "Not") || base == "Null" && slices.Contains(c.Values, "true")
}

// neverFilled says why a statement's token never has a claim, "" when it may.
func (r *reviewer) neverFilled(s *policy.Statement, provider, claim string) string {
	at := providers(s)
	if len(at) > 0 && !slices.ContainsFunc(at, func(p providerName) bool { return strings.EqualFold(p.name, provider) }) {
		return "the principal is another provider"
	}
	if isGitHub(provider) && !slices.Contains(policy.ClaimKeys(provider), claim) {
		return "aws does not fill this key for GitHub (as of August 2026)"
	}
	return ""
}

// literal finds wildcards where they have no meaning.
func (r *reviewer) literal(c *policy.Condition, claim string) {
	if base := baseOperator(c.Operator); base != "StringEquals" && base != "StringEqualsIgnoreCase" {
		return
	}
	for _, v := range c.Values {
		if strings.ContainsAny(v, "*?") {
			r.add("literal-wildcard", "", fmt.Sprintf("%s compares the wildcard in %.200q as it is written", c.Operator, v))
		}
	}
}

// pinned reports whether a claim, or sub, must be one of exact values besides.
func pinned(s *policy.Statement, claim string) bool {
	return slices.ContainsFunc(s.Conditions, func(c policy.Condition) bool {
		_, key, ok := splitKey(c.Key)
		return ok && (key == claim || key == "sub") && c.Operator == "StringEquals"
	})
}

// repeated finds keys that stand under several operators, all of which must hold.
func (r *reviewer) repeated(s *policy.Statement) {
	seen := map[string]string{}
	for _, c := range s.Conditions {
		key := strings.ToLower(c.Key)
		if _, claim, ok := splitKey(key); ok && positive(c.Operator) {
			if other := seen[key]; other != "" && other != c.Operator {
				r.add("operators-on-one-key", "", fmt.Sprintf("%s and %s on %s must both hold, and no token meets both", other, c.Operator, claim))
			}
			seen[key] = c.Operator
		}
	}
}

// storable follows the check that IAM makes when a trust policy for GitHub is
// written: sub or job_workflow_ref under one of three operators, and the first value
// of the list not a wildcard alone. Source: replies of IAM, 2026.
func storable(s *policy.Statement) bool {
	return slices.ContainsFunc(s.Conditions, func(c policy.Condition) bool {
		_, claim, ok := splitKey(c.Key)
		checked := ok && (claim == "sub" || claim == "job_workflow_ref") && positive(c.Operator)
		return checked && len(c.Values) > 0 && strings.Trim(c.Values[0], "*") != ""
	})
}

// deny looks at a Deny, which is no more than a list of what is shut out.
func (r *reviewer) deny(s *policy.Statement) {
	for _, c := range s.Conditions {
		provider, claim, ok := splitKey(c.Key)
		why := r.neverFilled(s, provider, claim)
		switch {
		case !ok:
		case why != "" && vacuous(c):
			r.add("claim-never-present", "", fmt.Sprintf("%s on %.100q of a Deny holds for every token: %s", c.Operator, c.Key, why))
		case why != "":
			r.add("no-control", trust.Bad, fmt.Sprintf("the Deny stops no token, because %s on %.100q never holds: %s", c.Operator, c.Key, why))
		case strings.Contains(baseOperator(c.Operator), "Not") && !strings.HasSuffix(c.Operator, "IfExists") && slices.Contains(optionalClaims, claim):
			r.add("broken-deny", "", fmt.Sprintf("the Deny also stops every token without %s, because %s holds when it is absent", claim, c.Operator))
		case claim == "sub" && positive(c.Operator) && slices.ContainsFunc(c.Values, nameForm):
			r.add("broken-deny", "", "the Deny names subjects without ids, and misses the immutable form of the same jobs")
		}
	}
}

// nameForm reports whether a subject pattern fits the form without ids only.
func nameForm(sub string) bool {
	segment, _, _ := strings.Cut(strings.TrimPrefix(sub, "repo:"), ":")
	return strings.HasPrefix(sub, "repo:") && !strings.ContainsAny(segment, "@*?")
}
