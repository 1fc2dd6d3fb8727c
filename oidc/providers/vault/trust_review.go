package vault

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stint-dev/stint/oidc/trust"
)

// What a role should not go beyond.
const (
	longToken = time.Hour
	// Defaults of the JWT method's leeways.
	usualLeeway      = 150 * time.Second
	usualClockLeeway = 60 * time.Second
)

// Review says what Vault refuses, what never matches and what the token may do beyond
// what admits it.
func (r *role) Review() []trust.Finding {
	found := r.reviewBounds()
	found = append(found, r.reviewWildcards()...)
	found = append(found, r.reviewToken()...)
	return append(found, r.reviewIdentity()...)
}

func finding(class string, grade trust.Grade, format string, args ...any) trust.Finding {
	f := trust.Found(class, grade)
	f.Message = fmt.Sprintf(format, args...)
	return f
}

func (r *role) reviewBounds() []trust.Finding {
	if r.Program != nil {
		return r.reviewProgram()
	}
	var found []trust.Finding
	bound := r.Subject != "" || len(r.Claims) > 0
	switch {
	case !bound && len(r.Audiences) == 0 && len(r.CIDRs) == 0:
		found = append(found, finding("invalid", trust.Invalid, "the role binds nothing; vault wants one of bound_audiences, bound_subject, bound_claims and token_bound_cidrs"))
	case !bound:
		found = append(found, trust.Found("audience-only", trust.Bad))
	case len(r.Audiences) == 0:
		found = append(found, finding("never-admits", trust.Dead, "bound_audiences is empty, and every token of GitHub has an audience: each login is refused"))
	}
	if r.Type != "jwt" {
		found = append(found, finding("role-type", trust.Dead, "role_type is %.40q: vault refuses logins with a token", orDefault(r.Type, "oidc")))
	}
	if why := r.broken(); why != "" {
		found = append(found, finding("invalid", trust.Invalid, "vault refuses the role: %s", why))
	}
	if slices.ContainsFunc(r.Audiences, func(a string) bool { return strings.HasPrefix(strings.ToLower(a), "https://github.com/") }) {
		found = append(found, finding("audience-not-bound", trust.Caution, "bound_audiences has the address that every token has which was asked for without an audience"))
	}
	return found
}

// reviewProgram knows of a CEL program only whether it says yes to all.
func (r *role) reviewProgram() []trust.Finding {
	var program struct {
		Expression string `json:"expression"`
	}
	text := ""
	if json.Unmarshal(r.Program, &program) == nil {
		text = program.Expression
	} else if json.Unmarshal(r.Program, &text) != nil {
		text = ""
	}
	if strings.Trim(text, "() ") == "true" {
		return []trust.Finding{trust.Found("tautology", trust.Bad)}
	}
	return []trust.Finding{finding("not-resolved", "", "the role's CEL program is not read: what it refuses is not known here")}
}

// reviewWildcards finds characters that are compared as they stand.
func (r *role) reviewWildcards() []trust.Finding {
	var found []trust.Finding
	if strings.Contains(r.Subject, "*") {
		found = append(found, finding("literal-wildcard", trust.Dead, "bound_subject is compared as it stands, also its star; glob is for bound_claims alone"))
	}
	for _, name := range r.Claims.names() {
		b := r.Claims[name]
		stars := 0
		for _, v := range b.texts {
			if strings.Contains(v, "*") && r.ClaimsType != "glob" {
				stars++
			}
			if strings.Contains(v, "?") && r.ClaimsType == "glob" {
				found = append(found, finding("literal-wildcard", "", "%.60q has a question mark, which stands for itself: * is the only wildcard", name))
			}
		}
		switch {
		case stars > 0 && stars == len(b.texts):
			found = append(found, finding("literal-wildcard", trust.Dead, "%.60q has a star, which is compared as it stands unless bound_claims_type is glob", name))
		case stars > 0:
			found = append(found, finding("literal-wildcard", "", "one value of %.60q has a star, which is compared as it stands unless bound_claims_type is glob", name))
		}
		switch {
		case b.others && len(b.texts) == 0:
			found = append(found, finding("claim-type", trust.Dead, "%.60q is compared with a number or boolean, and claims of GitHub are texts", name))
		case len(b.texts) == 0:
			found = append(found, finding("never-admits", trust.Dead, "%.60q has no value that would be admitted", name))
		case strings.Count(name, "/") > 1:
			found = append(found, finding("claim-never-present", trust.Dead, "%.60q points into a claim, and claims of GitHub have no parts", name))
		}
	}
	return found
}

func (r *role) reviewToken() []trust.Finding {
	var found []trust.Finding
	ttl := time.Duration(max(r.TTL, r.Period))
	switch {
	case r.Period > 0:
		found = append(found, finding("token-lifetime", "", "token_period lets the token be renewed for ever"))
	case r.TTL == 0 && r.MaxTTL == 0 && r.ExplicitMaxTTL == 0:
		found = append(found, trust.Found("token-lifetime", ""))
	case ttl > longToken:
		found = append(found, finding("session-too-long", "", "the token lives for %s", ttl))
	}
	if slices.Contains(r.Policies, "root") {
		found = append(found, finding("wide-rights", "", "token_policies has root, which may do everything"))
	}
	if r.PolicyTemplates {
		found = append(found, finding("wide-rights", "", "token_policies_template_claims makes names of policies from claims, such as those of branches, which the author of a run chooses"))
	}
	if r.TokenType == "batch" {
		f := finding("token-lifetime", "", "the token is a batch token, which cannot be revoked")
		f.Severity, f.Next = "info", "use token_type service, so that the token can be revoked when the job is done"
		found = append(found, f)
	}
	if time.Duration(max(r.ExpiryLeeway, r.NotBeforeLeeway)) > usualLeeway || time.Duration(r.ClockLeeway) > usualClockLeeway {
		found = append(found, finding("token-lifetime", "", "the leeways are longer than the defaults: id-tokens are taken long after they expire"))
	}
	return found
}

func (r *role) reviewIdentity() []trust.Finding {
	switch strings.TrimPrefix(r.UserClaim, "/") {
	case "actor", "actor_id", "workflow", "event_name", "environment", "ref":
		return []trust.Finding{finding("entity-claim", "", "user_claim is %.60q, which jobs of other repositories share: one entity would stand for all of them", r.UserClaim)}
	case "":
		if r.Program == nil {
			return []trust.Finding{finding("invalid", trust.Invalid, "the role has no user_claim, which vault demands")}
		}
	}
	return nil
}
