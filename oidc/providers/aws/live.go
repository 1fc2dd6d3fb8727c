package aws

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/aws/policy"
	"github.com/stint-dev/stint/oidc/providers/wire"
	"github.com/stint-dev/stint/oidc/trust"
)

// maxLiveProviders is how many OpenID providers of one role are looked up.
const maxLiveProviders = 10

// ReadLive reads the trust policy of the grant's role, and which audiences the account's
// OpenID providers take that the policy names, as IAM has them (GetRole,
// GetOpenIDConnectProvider). Credentials and an endpoint other than AWS's own are
// found as AWS's tools find them: profile, AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL_IAM.
func ReadLive(ctx context.Context, g *grant.Grant, t *grant.Target, opts Options) ([]trust.Document, error) {
	s, err := targetSettings(g, t)
	if err != nil {
		return nil, err
	}
	r := iamReader{role: s.role, opts: opts.WithDefaults(), timeout: wire.CallTimeout}
	return r.read(ctx, s.Region)
}

// An iamReader reads one role.
type iamReader struct {
	role    roleARN
	opts    Options
	timeout time.Duration // of one call
	host    string        // that was asked last, for messages
	iam     *iam.Client
}

func (r *iamReader) read(ctx context.Context, region string) ([]trust.Document, error) {
	if err := r.login(ctx, region); err != nil {
		return nil, err
	}
	role, err := r.getRole(ctx)
	if err != nil {
		return nil, err
	}
	d := trust.Document{Cloud: Name, Path: r.role.String(), Name: role.RoleName}
	if d.Body, err = json.Marshal(role); err != nil {
		return nil, r.lookup().Garbled()
	}
	p, err := parseTrust(d)
	if err != nil {
		return []trust.Document{d}, nil // whoever parses it says what is wrong with it
	}
	if role.Providers, err = r.getProviders(ctx, p.(*trustPolicy)); err != nil {
		return nil, err
	}
	d.Body, err = json.Marshal(role)
	return []trust.Document{d}, err
}

// login finds the credentials before anything is asked, so that their absence is told
// apart from a refusal.
func (r *iamReader) login(ctx context.Context, region string) error {
	ctx, cancel := context.WithTimeout(ctx, wire.ReadTimeout)
	defer cancel()
	cfg, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRegion(region), awsconfig.WithLogger(logging.Nop{}))
	if err == nil {
		_, err = cfg.Credentials.Retrieve(ctx)
	}
	if err != nil { // it can hold a piece of a file or of a reply
		return r.lookup().NoLogin("aws")
	}
	r.iam = iam.NewFromConfig(cfg, func(o *iam.Options) {
		o.HTTPClient = &http.Client{Transport: r}
		o.Retryer = awssdk.NopRetryer{} // wire.Read has them
	})
	return nil
}

// RoundTrip carries the SDK's calls and notes the host that they go to.
func (r *iamReader) RoundTrip(req *http.Request) (*http.Response, error) {
	r.host = req.URL.Host
	return wire.Transport{Caller: wire.Caller{Options: r.opts, Stage: oidc.StageRead, Timeout: r.timeout}}.RoundTrip(req)
}

// lookup words the errors about the role.
func (r *iamReader) lookup() wire.Lookup {
	return wire.Lookup{Host: cmp.Or(r.host, "iam"), What: fmt.Sprintf("role %q", r.role.name),
		Login:   "log in as for the aws cli (aws sso login, AWS_PROFILE, AWS_ACCESS_KEY_ID); the read needs iam:GetRole on " + r.role.String(),
		Right:   "iam:GetRole on " + r.role.String(),
		Missing: "compare role: in the grant with the account of the credentials (aws sts get-caller-identity); stint grant render writes the role's trust policy"}
}

func (r *iamReader) getRole(ctx context.Context) (*roleExport, error) {
	out, err := wire.Read(ctx, r.opts, func(ctx context.Context) (*iam.GetRoleOutput, error) {
		out, err := r.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: awssdk.String(r.role.name)})
		return out, r.explain(err, r.lookup())
	})
	if err != nil {
		return nil, err
	}
	if out.Role == nil || out.Role.AssumeRolePolicyDocument == nil {
		return nil, r.lookup().Garbled()
	}
	// GetRole takes a name, and another account may have a role of the same.
	if got := awssdk.ToString(out.Role.Arn); got != r.role.String() {
		return nil, &oidc.Error{Stage: oidc.StageRead,
			Message: fmt.Sprintf("the credentials of this machine see role %.200q, and the grant is about %q", got, r.role),
			Hint:    "use credentials of account " + r.role.account + ", as with AWS_PROFILE; or correct role: in the grant"}
	}
	text, err := json.Marshal(*out.Role.AssumeRolePolicyDocument)
	return &roleExport{RoleName: r.role.name, AssumeRolePolicyDocument: text,
		MaxSessionDuration: int(awssdk.ToInt32(out.Role.MaxSessionDuration))}, err
}

// getProviders looks up the providers of the role's own account, which are the only
// ones that STS takes tokens of for it.
func (r *iamReader) getProviders(ctx context.Context, p *trustPolicy) ([]providerExport, error) {
	var list []providerExport
	seen := map[string]bool{}
	for i := range p.doc.Statements {
		s := &p.doc.Statements[i]
		for _, at := range providers(s) {
			if s.Effect != policy.EffectAllow || at.account != r.role.account || seen[at.name] || len(seen) == maxLiveProviders {
				continue
			}
			seen[at.name] = true
			ids, err := r.getProvider(ctx, policy.ProviderARN(at.partition, at.account, at.name))
			if err != nil {
				return nil, err
			}
			list = append(list, providerExport{URL: at.name, ClientIDs: ids})
		}
	}
	return list, nil
}

// getProvider returns the client ids of a provider, none when there is no such provider.
func (r *iamReader) getProvider(ctx context.Context, arn string) ([]string, error) {
	l := r.lookup()
	l.What, l.Right = fmt.Sprintf("oidc provider %.200q", arn), "iam:GetOpenIDConnectProvider on "+arn
	out, err := wire.Read(ctx, r.opts, func(ctx context.Context) (*iam.GetOpenIDConnectProviderOutput, error) {
		out, err := r.iam.GetOpenIDConnectProvider(ctx, &iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: awssdk.String(arn)})
		return out, r.explain(err, l)
	})
	var e *oidc.Error
	switch {
	case errors.As(err, &e) && e.Status == http.StatusNotFound:
		return []string{}, nil
	case err != nil:
		return nil, err
	}
	return out.ClientIDList, nil
}

// liveClasses are the codes of IAM whose status says less than they do. Source: "Common
// errors" of the IAM API reference.
var liveClasses = map[string]int{
	"Throttling": http.StatusTooManyRequests, "ThrottlingException": http.StatusTooManyRequests, "RequestLimitExceeded": http.StatusTooManyRequests,
	"InvalidClientTokenId": http.StatusUnauthorized, "ExpiredToken": http.StatusUnauthorized, "ExpiredTokenException": http.StatusUnauthorized,
	"SignatureDoesNotMatch": http.StatusUnauthorized, "MissingAuthenticationToken": http.StatusUnauthorized,
	"RequestExpired": http.StatusUnauthorized, "IncompleteSignature": http.StatusUnauthorized, "NoSuchEntity": http.StatusNotFound,
}

// explain turns an error of the SDK into ours, and drops it: it can hold a piece of
// the reply.
func (r *iamReader) explain(err error, l wire.Lookup) error {
	var line *oidc.Error
	var reply *smithyhttp.ResponseError
	l.Host = cmp.Or(r.host, "iam")
	switch {
	case err == nil:
		return nil
	case errors.As(err, &line):
		return line
	case !errors.As(err, &reply) || reply.HTTPStatusCode() < 300:
		return l.Garbled()
	}
	said := oidc.Error{Status: reply.HTTPStatusCode(), RetryAfter: (&wire.Reply{Header: reply.Response.Header}).RetryAfter()}
	var withID *awshttp.ResponseError
	if errors.As(err, &withID) {
		said.RequestID = wire.SafeText(withID.ServiceRequestID())
	}
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() != "UnknownError" {
		said.Code = wire.Code(api.ErrorCode())
	}
	class, known := liveClasses[said.Code]
	if !known {
		class = said.Status
	}
	return l.Refused(class, said)
}
