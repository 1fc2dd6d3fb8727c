package vault

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

const (
	notOurs   = "nothing was handed over; check address: in the grant, and that vault or openbao answers there"
	laterHint = "run the job again later; if it stays so, ask who runs the server"
	lineHint  = "check the network of the runner and address: in the grant"
)

// A rule is what a refusal means and what to do about it.
type rule struct {
	text  string
	hint  string
	retry bool
}

// loginTexts are what the JWT method answers, by a part of its text. The text itself
// is never printed. Source: path_login.go and claims.go of vault-plugin-auth-jwt and of
// OpenBao, read November 2026.
var loginTexts = []struct {
	part string
	rule rule
}{
	{"could not be found", rule{"has no such role", "compare role:, mount: and namespace: in the grant with the server", false}},
	{"no audiences bound", rule{"refused the login: the role has no bound_audiences", "add the grant's audience to bound_audiences of the role", false}},
	{"audience", rule{"refused the login: the role is for another audience", "compare audience: in the grant with bound_audiences of the role", false}},
	{"invalid subject", rule{"refused the login: the role is for another subject", "compare bound_subject of the role with the job's sub", false}},
	{"oidc role_type", rule{"refused the login: the role's type is oidc", "set role_type of the role to jwt", false}},
	{"invalid issuer", rule{"refused the login: the mount is for another issuer", "compare bound_issuer of the mount with the issuer of the token", false}},
	{"not found in token", rule{"refused the login: the token lacks the claim that names the entity or its groups", "set user_claim of the role to repository_id, and no groups_claim", false}},
	{"token is expired", rule{"found the id-token expired", "compare this machine's clock with the server's", true}},
	{"not yet valid", rule{"found the id-token not valid yet", "compare this machine's clock with the server's", true}},
	{"no known key", rule{"could not verify the id-token's signature", "compare oidc_discovery_url of the mount with the issuer of the token", true}},
	{"token validator", rule{"could not reach the token's issuer", "check oidc_discovery_url of the mount, and that the server reaches it", true}},
	{"missing client token", rule{"has no jwt method at this path", "compare mount: and namespace: in the grant with the server", false}},
	{"no handler for route", rule{"has no jwt method at this path", "compare mount: and namespace: in the grant with the server", false}},
}

// boundClaim is the answer that names a claim.
var boundClaim = regexp.MustCompile(`^(?:error validating claims: )?claim "([a-z_/]{1,64})" (is missing|does not match)`)

// explainLogin turns an error of the login into ours.
func (p *provider) explainLogin(err error, claims oidc.Claims) error {
	r := refusedWith(err)
	if r == nil {
		return p.lineError(err)
	}
	known, named := loginRule(r, claims)
	if known.text == "" {
		known = rule{text: "refused the login", hint: fmt.Sprintf("vault does not always say why; most likely first: bound_claims or bound_subject of role %q do not admit "+
			"subject %.300q; its bound_audiences lack %q; the role or the mount %q does not exist; the mount is for another issuer; run stint grant explain",
			p.settings.Role, claims.Subject, p.Audience(), p.settings.Mount)}
	}
	e := p.refused(oidc.StageExchange, r, known)
	if named != "" {
		e.Message += fmt.Sprintf("; the token's %s is %.200q", named, claims.Get(named))
	}
	return e
}

// loginRule picks the rule by a known text, and the claim that the text names if the
// token's claims are known to us.
func loginRule(r *refusal, claims oidc.Claims) (rule, string) {
	if busy, ok := busyRule(r.reply.Status); ok {
		return busy, ""
	}
	for _, text := range r.texts {
		if m := boundClaim.FindStringSubmatch(text); m != nil {
			name := strings.TrimPrefix(m[1], "/")
			if claims.Has(name) {
				return rule{"refused the login: bound_claims of the role do not admit the claim " + name, "run the job as the role says, or render the role from the grant again", false}, name
			}
			return rule{"refused the login: the role wants a claim that the token does not have", "compare bound_claims of the role with the grant: an environment, for one, is only in the token of a job that has one", false}, ""
		}
		for _, known := range loginTexts {
			if strings.Contains(strings.ToLower(text), known.part) {
				return known.rule, ""
			}
		}
	}
	return rule{}, ""
}

// busyRule is for answers that have nothing to do with what was asked.
func busyRule(status int) (rule, bool) {
	switch {
	case status == http.StatusPreconditionFailed:
		return rule{"is still catching up with its primary", laterHint, true}, true
	case status == http.StatusTooManyRequests:
		return rule{"is asked too often", laterHint, true}, true
	case status == http.StatusServiceUnavailable:
		return rule{"is sealed or down for maintenance", laterHint, true}, true
	case status == 472 || status == 473:
		return rule{"is a standby that does not answer", "use the address of the active server or of the load balancer", true}, true
	case status >= 500:
		return rule{"has a fault", laterHint, true}, true
	}
	return rule{}, false
}

// explainRead turns an error of reading a secret into ours.
func (p *provider) explainRead(err error, one secret) error {
	path, right, command := one.Path, "read", "vault read with the same path"
	if len(one.Data) > 0 {
		right, command = "update", "vault write with the same path and data"
	}
	r := refusedWith(err)
	if r == nil {
		return p.lineError(err)
	}
	known, busy := busyRule(r.reply.Status)
	switch {
	case busy:
	case r.reply.Status == http.StatusForbidden:
		known = rule{text: fmt.Sprintf("does not let the token %s %q", right, path), hint: "add " + right + " on the path to a policy of the role: stint grant render writes it"}
	case r.reply.Status == http.StatusNotFound:
		return p.missing(path)
	default:
		known = rule{text: fmt.Sprintf("refused to give %q", path), hint: "try " + command + "; for version 2 of the key-value store it has data/ behind the mount"}
	}
	return p.refused(oidc.StageExchange, r, known)
}

func (p *provider) missing(path string) error {
	return &oidc.Error{Stage: oidc.StageExchange, Status: http.StatusNotFound,
		Message: fmt.Sprintf("%s has nothing at %q", p.host(), path),
		Hint:    "check the path with vault read; for version 2 of the key-value store it has data/ behind the mount, and a deleted version is as good as none"}
}

// refused builds the error of a refusal.
func (p *provider) refused(stage oidc.Stage, r *refusal, known rule) *oidc.Error {
	e := oidc.Error{Stage: stage, Status: r.reply.Status, RetryAfter: r.reply.RetryAfter(), Retryable: known.retry, Hint: known.hint}
	e.Message = fmt.Sprintf("%s %s (%s)", p.host(), known.text, wire.Answer(e))
	return &e
}

// lineError is a failure of the line, or a reply that is not one of Vault.
func (p *provider) lineError(err error) error {
	var e *oidc.Error
	if errors.As(err, &e) {
		ours := *e
		if ours.Err == nil {
			ours.Hint = lineHint
		}
		return &ours
	}
	return &oidc.Error{Stage: oidc.StageExchange, Retryable: true,
		Message: p.host() + " answered something that is not a whole reply of vault", Hint: lineHint}
}
