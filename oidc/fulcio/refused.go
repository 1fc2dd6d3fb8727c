package fulcio

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// A reason is what a refusal means, by a part of its text in lower case. The text itself
// is never printed. Source: pkg/server/error.go of sigstore/fulcio 1.8.8, read November 2026.
type reason struct {
	part, code, hint string
}

var reasons = []reason{
	{"processing the identity token", "identity-token", ""}, // which of many it does not say
	{"signature supplied in the request", "proof-of-possession", "the proof of possession did not verify: the Fulcio takes another claim of the token for its subject; look at the type of the issuer in its configuration"},
	{"public key supplied in the request", "public-key", "the Fulcio takes no ECDSA P-256 keys; add that algorithm to those that it allows"},
	{"certificate in ctl", "certificate-log", "its certificate log did not take the certificate; run the job again later"},
	{"communicating with ca backend", "authority", "its own authority did not answer; run the job again later"},
}

// refused explains a bad answer. Nothing of its text is repeated.
func (a Authority) refused(r *wire.Reply, c oidc.Claims) error {
	known := reasonOf(r.Body)
	e := oidc.Error{Stage: oidc.StageExchange, Status: r.Status, Code: known.code, RetryAfter: r.RetryAfter()}
	if r.Status == http.StatusTooManyRequests || r.Status >= 500 {
		e.Retryable = true
		e.Message = fmt.Sprintf("%s is busy or has a fault (%s)", a.Address.Host, wire.Answer(e))
		e.Hint = "run the job again later"
		if known.hint != "" {
			e.Hint = known.hint
		}
		return &e
	}
	e.Message = fmt.Sprintf("%s gave no certificate for the id-token (%s)", a.Address.Host, wire.Answer(e))
	e.Hint = known.hint
	switch {
	case r.Status == http.StatusNotFound || r.Status == http.StatusMethodNotAllowed:
		e.Hint = "most likely first: the address is not that of a Fulcio, or not its base; the Fulcio is too old for /api/v2/signingCert"
	case e.Hint == "":
		e.Hint = "fulcio does not say why; most likely first: " + strings.Join(a.likely(c), "; ")
	}
	e.Hint += "; presented: " + presented(c)
	return &e
}

func reasonOf(body []byte) reason {
	var b struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &b) != nil {
		return reason{}
	}
	text := strings.ToLower(b.Message)
	for _, r := range reasons {
		if strings.Contains(text, r.part) {
			return r
		}
	}
	return reason{}
}

// githubIssuer is that of github.com; an enterprise may have its own below it.
const githubIssuer = "https://token.actions.githubusercontent.com"

// likely ranks the reasons for which a token is refused.
func (a Authority) likely(c oidc.Claims) []string {
	var list []string
	if isPublic(a.Address.Hostname()) && c.Issuer != githubIssuer && !strings.HasPrefix(c.Issuer, githubIssuer+"/") {
		list = append(list, "of GitHub's issuers the public instance knows github.com's only")
	}
	list = append(list, "its configuration does not list the issuer", "it expects another audience (audience: in the grant)")
	if c.Get("job_workflow_ref") == "" {
		list = append(list, "the token lacks job_workflow_ref, and the issuer's type is github-workflow")
	}
	return append(list, "a clock is wrong", "it does not reach the issuer's keys")
}

// presented are the claims that a Fulcio looks at.
func presented(c oidc.Claims) string {
	text := fmt.Sprintf("issuer %.200q, audience %.200q, subject %.300q", c.Issuer, strings.Join(c.Audience, ", "), c.Subject)
	if c.Has("job_workflow_ref") {
		text += fmt.Sprintf(", job_workflow_ref %.300q", c.Get("job_workflow_ref"))
	}
	return text
}
