package github

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/wire"
	"github.com/stint-dev/stint/oidc/trust"
)

// codes are the names of gRPC's status codes, by which octo-sts says why.
var codes = map[int]string{
	3: "InvalidArgument", 4: "DeadlineExceeded", 5: "NotFound", 7: "PermissionDenied", 8: "ResourceExhausted",
	9: "FailedPrecondition", 13: "Internal", 14: "Unavailable", 16: "Unauthenticated",
}

// refused explains a bad answer. Nothing of its text is repeated but the code.
func (p *provider) refused(r *wire.Reply, c oidc.Claims) error {
	e := oidc.Error{Stage: oidc.StageExchange, Status: r.Status, RequestID: requestID(r), RetryAfter: r.RetryAfter()}
	if !p.ownKey() {
		e.Code = grpcCode(r.Body)
	}
	if r.Status == http.StatusTooManyRequests || r.Status >= 500 || e.Code == "Unavailable" || e.Code == "ResourceExhausted" {
		e.Retryable = true
		e.Message = fmt.Sprintf("%s is busy or has a fault (%s)", p.host(), wire.Answer(e))
		e.Hint = "run the job again later"
		return &e
	}
	if !p.ownKey() {
		e.Message = fmt.Sprintf("%s did not take the id-token for %q of %q (%s)", p.host(), p.Identity, p.Scope, wire.Answer(e))
		e.Hint = p.stsHint(e, c)
		return &e
	}
	e.Message = fmt.Sprintf("%s gave no token of installation %s (%s)", p.host(), p.Installation, wire.Answer(e))
	e.Hint = appHint(r.Status)
	return &e
}

func grpcCode(body []byte) string {
	var b struct {
		Code int `json:"code"`
	}
	if json.Unmarshal(body, &b) != nil {
		return ""
	}
	return codes[b.Code]
}

// stsHint ranks the usual reasons by the code.
func (p *provider) stsHint(e oidc.Error, c oidc.Claims) string {
	policy := fmt.Sprintf(".github/chainguard/%s.sts.yaml on the default branch", p.Identity)
	presented := fmt.Sprintf("; presented: subject %.300q, audience %q, issuer %.200q; %s", c.Subject, p.audience, c.Issuer,
		trust.Against(Trust, p.grant, p.target, c))
	switch e.Code {
	case "NotFound":
		return "most likely first: there is no " + policy + "; the app is not installed on the target; scope: names another repository"
	case "Unauthenticated":
		return "the server could not verify the id-token: most likely first: it expects another audience, it does not know the issuer, a clock is wrong" + presented
	case "PermissionDenied":
		return "the policy does not admit the token: compare issuer, subject, audience and claim patterns of " + policy + presented
	case "InvalidArgument", "FailedPrecondition":
		return "the policy or the request cannot be read: check " + policy + ", and scope: and identity: in the grant"
	}
	return "compare " + policy + " with the token" + presented
}

// appHint ranks the usual reasons by the status, which is all that GitHub documents.
func appHint(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "most likely first: the key is not one of this app; id: names another app; this machine's clock is wrong"
	case http.StatusForbidden:
		return "most likely first: the installation is suspended; the app reached a limit"
	case http.StatusNotFound:
		return "most likely first: installation: is of another app or was removed; api: names another server"
	case http.StatusUnprocessableEntity:
		return "most likely first: the installation does not have one of the repositories; the app does not have one of the permissions"
	}
	return "look the status up in the REST reference of installation tokens; the request id finds the call for GitHub's support"
}
