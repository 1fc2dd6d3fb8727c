package github

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/trust"
)

// octoClaims are the claims beside sub that a policy compares; any claim can be.
var octoClaims = []string{
	"repository", "repository_id", "repository_owner_id", "environment", "ref", "workflow_ref", "job_workflow_ref",
	"event_name", "actor", "runner_environment", "ref_protected",
}

// renderSTS writes the policy of a grant. A policy cannot compare two claims with each
// other: that the job is not in a reusable workflow is said only where the grant names
// the file.
func renderSTS(g *grant.Grant, target *grant.Target, repo trust.Repository) (trust.Lock, error) {
	terms, err := trust.TermsOf(g, repo)
	if err != nil {
		return trust.Lock{}, err
	}
	for _, s := range terms.Subjects {
		if !validSubject(s.Text) {
			return trust.Lock{}, fmt.Errorf("grant %q has the subject %.200q, and octo-sts takes none with such characters", g.Name, s.Text)
		}
	}
	block, err := readSTSBlock(g, target)
	if err != nil {
		return trust.Lock{}, err
	}
	body := block.policy(terms)
	lock := trust.Lock{Cloud: "octo-sts", AlsoAdmits: terms.Without(octoClaims...), Documents: []trust.Rendered{{Name: octoDirectory + block.identity + octoSuffix, Body: body}}}
	lock.Policy, err = parseSTS(trust.Document{Cloud: "octo-sts", Path: lock.Documents[0].Name, Body: []byte(body)})
	return lock, err
}

// An stsBlock is what the lock needs of a grant's github block.
type stsBlock struct {
	identity, audience string
	permissions        map[string]string
	repositories       []string // of a policy for a whole organization
}

// readSTSBlock reads a block that names a policy. Without a block the policy has the
// name of the grant and the least that a token can have.
func readSTSBlock(g *grant.Grant, target *grant.Target) (stsBlock, error) {
	b := stsBlock{identity: g.Name, audience: octoDomain, permissions: map[string]string{"metadata": "read"}}
	if target == nil {
		return b, nil
	}
	s, err := targetSettings(g, target)
	if err != nil {
		return b, err
	}
	if s.ownKey() {
		return b, fmt.Errorf("grant %q uses the app's own key: octo-sts has no part in it", g.Name)
	}
	b.identity, b.audience = s.Identity, s.audience
	if len(s.Permissions) > 0 {
		b.permissions = s.Permissions
	}
	if !strings.Contains(s.Scope, "/") {
		b.repositories = s.Repositories
	}
	return b, nil
}

// policy writes the file. Every text is quoted, so that none is taken for another type.
func (b stsBlock) policy(terms trust.Terms) string {
	var w strings.Builder
	field := func(indent, name, value string) { fmt.Fprintf(&w, "%s%s: %s\n", indent, name, yamlText(value)) }
	field("", "issuer", terms.Repository.Issuer)
	if s := terms.Subjects; len(s) == 1 && !s[0].Open {
		field("", "subject", s[0].Text)
	} else {
		field("", "subject_pattern", patternOf(s))
	}
	if b.audience != octoDomain {
		field("", "audience", b.audience)
	}
	w.WriteString("claim_pattern:\n")
	for _, t := range terms.Terms {
		if len(t.Values) > 0 {
			field("  ", t.Claim, patternOf(t.Values))
		}
	}
	w.WriteString("permissions:\n")
	for _, name := range slices.Sorted(maps.Keys(b.permissions)) {
		field("  ", name, b.permissions[name])
	}
	if len(b.repositories) > 0 {
		w.WriteString("repositories:\n")
		for _, name := range b.repositories {
			w.WriteString("  - " + yamlText(name) + "\n")
		}
	}
	return w.String()
}

// patternOf matches the values and nothing else. Alternatives are grouped, because
// octo-sts puts an anchor before and behind the text as it stands.
func patternOf(values []trust.Value) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = regexp.QuoteMeta(v.Text)
		if v.Open {
			texts[i] += ".+"
		}
	}
	if len(texts) == 1 {
		return texts[0]
	}
	return "(?:" + strings.Join(texts, "|") + ")"
}

func yamlText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
