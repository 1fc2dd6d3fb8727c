package azure

import (
	"fmt"
	"strings"

	"github.com/stint-dev/stint/oidc/trust"
)

// Review says what Entra refuses to store, and what can never match.
func (p federatedPolicy) Review() []trust.Finding {
	var found []trust.Finding
	for _, f := range p.any {
		found = append(found, f.reviewIssuer()...)
		found = append(found, f.reviewAudience()...)
		if f.Matching == nil {
			found = append(found, f.reviewSubject()...)
		} else {
			found = append(found, f.reviewExpression()...)
		}
	}
	if len(p.any) > maxFederated {
		found = append(found, invalid("there are %d credentials, and an application or identity takes %d", len(p.any), maxFederated))
	}
	return found
}

func (f *federated) reviewIssuer() []trust.Finding {
	finding := trust.Found("wrong-issuer", trust.Dead)
	switch {
	case strings.HasSuffix(f.Issuer, "/"):
		finding.Message = fmt.Sprintf("the issuer %.200q ends in a slash, and that of the tokens does not", f.Issuer)
	case !strings.HasPrefix(f.Issuer, "https://"):
		finding.Message = fmt.Sprintf("the issuer %.200q is not an https address, as that of every token is", f.Issuer)
	case strings.HasPrefix(f.Issuer, "https://vstoken.actions.githubusercontent.com"):
		finding = trust.Found("old-issuer", trust.Dead)
	case f.Issuer != trust.GitHubIssuer && strings.EqualFold(f.Issuer, trust.GitHubIssuer):
		finding.Message = fmt.Sprintf("the issuer %.200q differs from GitHub's in upper and lower case", f.Issuer)
	default:
		return nil
	}
	return []trust.Finding{finding}
}

func (f *federated) reviewAudience() []trust.Finding {
	switch {
	case len(f.Audiences) != 1:
		return []trust.Finding{invalid("the credential has %d audiences, and entra takes exactly one", len(f.Audiences))}
	case f.Audiences[0] != audiences["public"] && strings.EqualFold(f.Audiences[0], audiences["public"]):
		finding := trust.Found("letter-case", trust.Dead)
		finding.Message = fmt.Sprintf("the audience %.200q differs from %s in upper and lower case", f.Audiences[0], audiences["public"])
		finding.Next = "write " + audiences["public"]
		return []trust.Finding{finding}
	case strings.HasPrefix(strings.ToLower(f.Audiences[0]), "https://github.com/"):
		finding := trust.Found("audience-not-bound", trust.Caution)
		finding.Message = fmt.Sprintf("the audience %.200q is what every token has that was asked for without one", f.Audiences[0])
		finding.Next = "use " + audiences["public"] + ", or an audience for this credential alone"
		return []trust.Finding{finding}
	}
	return nil
}

func (f *federated) reviewSubject() []trust.Finding {
	var found []trust.Finding
	if f.Subject == "" {
		found = append(found, invalid("the credential has neither subject nor claimsMatchingExpression"))
	}
	if strings.Contains(f.Subject, "*") {
		finding := trust.Found("literal-wildcard", trust.Dead)
		finding.Message = fmt.Sprintf("the subject %.300q has a star, which entra compares as it stands: no token has one", f.Subject)
		finding.Next = "write one credential for each subject, or a claimsMatchingExpression with matches"
		found = append(found, finding)
	}
	if len(f.Subject) > maxFederatedSubject {
		found = append(found, invalid("the subject has %d characters, and entra takes %d", len(f.Subject), maxFederatedSubject))
	}
	return found
}

func invalid(format string, args ...any) trust.Finding {
	finding := trust.Found("invalid", trust.Invalid)
	finding.Message = fmt.Sprintf(format, args...)
	return finding
}

func (f *federated) reviewExpression() []trust.Finding {
	refused := func(format string, args ...any) trust.Finding {
		finding := trust.Found("refused-expression", trust.Invalid)
		finding.Message = "entra refuses such an expression today: " + fmt.Sprintf(format, args...)
		return finding
	}
	if f.refused != "" {
		return []trust.Finding{refused("%s", f.refused)}
	}
	var found []trust.Finding
	has := map[string]bool{}
	for _, c := range f.clauses {
		has[c.claim] = true
		like, known := flexibleClaims[c.claim]
		switch {
		case !strings.HasPrefix(f.Issuer, "https://token.actions."):
		case !known:
			found = append(found, refused("%.60q is not among the claims of GitHub that it reads", c.claim))
		case c.like && !like:
			found = append(found, refused("%s takes eq only", c.claim))
		}
	}
	switch {
	case f.Matching.LanguageVersion > 1: // Terraform leaves it out
		found = append(found, refused("languageVersion is %d, and 1 is the only one", f.Matching.LanguageVersion))
	case f.Issuer != trust.GitHubIssuer && strings.HasPrefix(f.Issuer, trust.GitHubIssuer+"/"), strings.HasSuffix(f.Issuer, ".ghe.com"):
		found = append(found, refused("it is for the issuer of github.com alone"))
	case f.Issuer == trust.GitHubIssuer && !(has["sub"] && (has["repository_id"] || has["repository_owner_id"])):
		found = append(found, refused("it must test sub and at least one of repository_id and repository_owner_id"))
	}
	if f.uneven {
		finding := trust.Found("flexible-expression", "")
		finding.Severity, finding.Next = "low", "write one clause for each claim"
		finding.Message = "two clauses are about one claim; it is not documented how entra reads that, here both must hold"
		found = append(found, finding)
	}
	return found
}
