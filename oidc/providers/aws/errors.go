package aws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// A failure is why an attempt gave no credential, and how often its kind may be
// tried in all.
type failure struct {
	err   error
	tries int
}

// failed builds a failure of the exchange itself.
func failed(e oidc.Error, tries int) *failure {
	e.Stage, e.Retryable = oidc.StageExchange, tries > tryOnce
	return &failure{&e, tries}
}

// stopped is the failure of an exchange whose caller gave up.
func stopped(ctx context.Context, host string) *failure {
	return failed(oidc.Error{Message: "stopped before " + host + " answered",
		Hint: "nothing was handed over; run the job again", Err: ctx.Err()}, tryOnce)
}

// A rule says how often a kind of failure may be tried in all, and what to do
// about it. Sources: the errors of AssumeRoleWithWebIdentity in the API reference
// and the common errors of STS.
type rule struct {
	tries int
	text  string
	hint  string
}

const (
	tryOnce   = 1 // the same request fails again
	tryTwice  = 2 // a new token may help
	tryFew    = 3 // the issuer or its keys are out of AWS's reach for the moment
	tryOften  = 5 // the service is busy or the line is broken
	laterHint = "run the job again later; if it stays so, see health.aws.amazon.com"
)

var (
	busy        = rule{tryOften, "is busy or has a fault", laterHint}
	issuerAway  = rule{tryFew, "could not reach the token's issuer or fetch its keys", "run the job again; if it stays so, check the url and the reachability of the issuer in the account's oidc provider"}
	unknownRule = rule{tryOnce, "refused the request", "look the code up in the API reference of AssumeRoleWithWebIdentity; the request id finds the call in CloudTrail"}
)

// rules by the code on the wire.
var rules = map[string]rule{
	"IDPCommunicationError": issuerAway,
	"InvalidIdentityToken": {tryTwice, "did not take the id-token",
		"check that the account has an oidc provider for this very issuer and that its client ids hold the audience"},
	"ExpiredTokenException":   {tryTwice, "found the id-token expired", "compare this machine's clock with the cloud's"},
	"IDPRejectedClaim":        {tryOnce, "found a claim of the id-token rejected", "run stint grant explain and compare subject and audience with the role's trust policy"},
	"AccessDenied":            {tryOnce, "did not let this job assume the role", ""},
	"MalformedPolicyDocument": {tryOnce, "did not take the session policy", "check the actions and resources under allow for what iam accepts, one by one if need be"},
	"PackedPolicyTooLarge": {tryOnce, "found the session policy too large once packed",
		"shorten allow although it is under 2048 characters: fewer different words pack smaller; or move rights into a managed policy"},
	"RegionDisabledException": {tryOnce, "is switched off in this region for the account", "switch the region on for the account, or name another one under region:"},
	"ValidationError":         {tryOnce, "found a parameter out of range", "for a ttl over one hour raise MaxSessionDuration of the role; otherwise compare role and managed-policies with the account"},
	"Throttling":              busy,
	"ThrottlingException":     busy,
	"RequestLimitExceeded":    busy,
}

// sent is what an explanation may quote of a request: public things only.
type sent struct {
	role, subject, audience string
}

// explain turns an error of the SDK into ours. The SDK's error is dropped: it can
// hold a piece of the reply.
func explain(err error, host string, of sent) *failure {
	var reply *smithyhttp.ResponseError
	var line *oidc.Error
	switch {
	case errors.As(err, &line) && line.Retryable:
		return failed(*line, tryOften)
	case errors.As(err, &line):
		return failed(*line, tryOnce)
	case errors.As(err, &reply) && reply.HTTPStatusCode() != 0:
		return explainReply(err, reply, host, of)
	}
	return failed(oidc.Error{Message: host + " could not be reached", Hint: "check the network of the runner and, if it is set, endpoint: in the grant"}, tryOften)
}

func explainReply(err error, reply *smithyhttp.ResponseError, host string, of sent) *failure {
	e := oidc.Error{Status: reply.HTTPStatusCode(), RetryAfter: (&wire.Reply{Header: reply.Response.Header}).RetryAfter()}
	var withID *awshttp.ResponseError
	if errors.As(err, &withID) {
		e.RequestID = wire.SafeText(withID.ServiceRequestID())
	}
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() != "UnknownError" {
		e.Code = wire.Code(api.ErrorCode())
	}
	r := ruleFor(e, api)
	e.Hint = r.hint
	if e.Code == "AccessDenied" || e.Code == "" && e.Status == http.StatusForbidden { // Ceph sends no code that the SDK reads
		e.Hint = accessDeniedHint(of)
	}
	e.Message = fmt.Sprintf("%s %s (%s)", host, r.text, wire.Answer(e))
	return failed(e, r.tries)
}

// ruleFor picks the rule by code, then by status. A good status that comes here
// had a body which is not a reply of STS.
func ruleFor(e oidc.Error, api smithy.APIError) rule {
	// Text seen when AWS cannot fetch the issuer's keys for the moment; it shares
	// its code with tokens that are wrong for good.
	if e.Code == "InvalidIdentityToken" && strings.Contains(api.ErrorMessage(), "retrieve verification key") {
		return issuerAway
	}
	if r, ok := rules[e.Code]; ok {
		return r
	}
	switch {
	case e.Status == http.StatusTooManyRequests || e.Status >= 500:
		return busy
	case e.Status < 300:
		return rule{tryFew, "answered something that is not a whole reply of sts", "check endpoint: in the grant and the proxy of the runner"}
	}
	return unknownRule
}

// accessDeniedHint ranks the usual reasons. AWS gives one answer for all of them,
// so it names none as the cause.
func accessDeniedHint(s sent) string {
	return fmt.Sprintf("aws does not say why; most likely first: the role's trust policy does not admit subject %.300q; "+
		"it wants another audience than %q; role %q does not exist; the account has no oidc provider for the issuer; "+
		"a policy of the organization denies it; run stint grant explain", s.subject, s.audience, s.role)
}
