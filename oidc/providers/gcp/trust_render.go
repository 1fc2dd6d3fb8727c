package gcp

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/gcp/cel"
	"github.com/stint-dev/stint/oidc/trust"
)

// maxMembers is how many subjects are bound one by one; above it an attribute is.
const maxMembers = 8

// A rendering is the lock of one grant in parts.
type rendering struct {
	terms     trust.Terms
	settings  *settings
	mapping   map[string]string
	condition string
	members   []string
}

// renderLock writes a provider and its members for a grant. The provider's condition
// says the whole grant, so there is one provider for one grant; the members repeat the
// subject or the repository, because a pool may have other providers.
func renderLock(g *grant.Grant, target *grant.Target, repo trust.Repository) (trust.Lock, error) {
	s, err := targetSettings(g, target)
	if err != nil {
		return trust.Lock{}, err
	}
	return renderSettings(g, s, repo)
}

func renderSettings(g *grant.Grant, s *settings, repo trust.Repository) (trust.Lock, error) {
	terms, err := trust.TermsOf(g, repo)
	if err != nil {
		return trust.Lock{}, err
	}
	r := &rendering{terms: terms, settings: s}
	r.condition = conditionOf(terms, g.For.Called != "")
	if n := len([]rune(r.condition)); n > maxConditionChars {
		return trust.Lock{}, fmt.Errorf("the condition of grant %q has %d characters; google takes %d: name fewer refs, events or actors", g.Name, n, maxConditionChars)
	}
	r.mapClaims()
	r.bind()
	return r.lock()
}

// conditionOf writes the terms of a grant as a condition. What the subject settles is
// not said twice, but for the ids. called says that the grant is for the jobs of a
// reusable workflow; without it the job's file must be the one that was started.
func conditionOf(t trust.Terms, called bool) string {
	parts := []string{anyOf("sub", t.Subjects)}
	for _, term := range t.Terms {
		switch {
		case term.InSubject && !strings.HasSuffix(term.Claim, "_id"):
		case term.Claim == "job_workflow_ref" && !called:
			parts = append(parts, "assertion.job_workflow_ref == assertion.workflow_ref")
			if len(t.Of("workflow_ref")) == 0 {
				parts = append(parts, "assertion.workflow_ref != ''")
			}
		default:
			parts = append(parts, anyOf(term.Claim, term.Values))
		}
	}
	return strings.Join(parts, " && ")
}

// anyOf demands that a claim has one of the values.
func anyOf(claim string, values []trust.Value) string {
	var exact, alternatives []string
	for _, v := range values {
		if v.Open {
			alternatives = append(alternatives, fmt.Sprintf("assertion.%s.startsWith(%s) && assertion.%[1]s != %[2]s", claim, cel.Quote(v.Text)))
			continue
		}
		exact = append(exact, cel.Quote(v.Text))
	}
	switch len(exact) {
	case 0:
	case 1:
		alternatives = append(alternatives, "assertion."+claim+" == "+exact[0])
	default:
		alternatives = append(alternatives, "assertion."+claim+" in ["+strings.Join(exact, ", ")+"]")
	}
	if len(alternatives) == 1 {
		return alternatives[0]
	}
	for i, a := range alternatives {
		alternatives[i] = "(" + a + ")"
	}
	return "(" + strings.Join(alternatives, " || ") + ")"
}

// mapClaims chooses the mapping. google.subject is sub where each subject fits its 127
// bytes; a longer one would make the exchange fail, so that then it is the
// repository's id, which the log can still be searched for.
func (r *rendering) mapClaims() {
	r.mapping = map[string]string{
		subjectAttribute:                     "assertion.sub",
		customPrefix + "repository":          "assertion.repository",
		customPrefix + "repository_id":       "assertion.repository_id",
		customPrefix + "repository_owner_id": "assertion.repository_owner_id",
	}
	if !r.subjectsFit() {
		r.mapping[subjectAttribute] = "'repository_id:' + assertion.repository_id"
	}
}

func (r *rendering) subjectsFit() bool {
	return !slices.ContainsFunc(r.terms.Subjects, func(v trust.Value) bool { return v.Open || len(v.Text) > maxSubjectBytes })
}

// bind chooses the members: the subjects where they are few and exact, else the
// repository, by its id where that is known.
func (r *rendering) bind() {
	if r.subjectsFit() && len(r.terms.Subjects) <= maxMembers {
		for _, v := range r.terms.Subjects {
			r.members = append(r.members, "principal://iam.googleapis.com/"+r.settings.pool.String()+"/subject/"+v.Text)
		}
		return
	}
	attribute := "attribute.repository/" + r.terms.Repository.Name
	if id := r.terms.Repository.ID; id != "" {
		attribute = "attribute.repository_id/" + id
	}
	r.members = []string{"principalSet://iam.googleapis.com/" + r.settings.pool.String() + "/" + attribute}
}

// lock writes the documents and reads them back.
func (r *rendering) lock() (trust.Lock, error) {
	provider := map[string]any{
		"name":               r.settings.pool.String() + "/providers/" + r.settings.providerID,
		"attributeMapping":   r.mapping,
		"attributeCondition": r.condition,
		"oidc": map[string]any{
			"issuerUri":        r.terms.Repository.Issuer,
			"allowedAudiences": []string{r.settings.Audience},
		},
	}
	trustBody, err := indented(provider)
	if err != nil {
		return trust.Lock{}, err
	}
	policy, err := indented(map[string]any{"bindings": r.bindings()})
	if err != nil {
		return trust.Lock{}, err
	}
	provider["members"] = r.members
	whole, err := json.Marshal(provider)
	if err != nil {
		return trust.Lock{}, err
	}
	back, err := readLock(trust.Document{Cloud: Name, Body: whole})
	if err != nil {
		return trust.Lock{}, err
	}
	if len(back.broken) > 0 {
		return trust.Lock{}, fmt.Errorf("google would refuse the lock: %s", back.broken[0])
	}
	return trust.Lock{
		Cloud:      Name,
		Documents:  []trust.Rendered{{Name: "provider", Body: trustBody}, {Name: "iam-policy", Body: policy}},
		Terraform:  r.terraform(),
		CLI:        r.commands(),
		AlsoAdmits: []trust.Residue{}, // a condition can look at every claim
		Policy:     back,
	}, nil
}

// bindings give the members what they need: the right to act as the service account,
// or, without one, the roles that the grant's access boundary names.
func (r *rendering) bindings() []binding {
	var list []binding
	for _, t := range r.toolBindings() {
		if !slices.ContainsFunc(list, func(b binding) bool { return b.Role == t.role }) {
			list = append(list, binding{Role: t.role, Members: r.members})
		}
	}
	return list
}

func indented(v any) (string, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // && is what a condition is made of
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return "", err
	}
	return b.String(), nil
}
