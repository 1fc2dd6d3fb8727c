package aws

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// The facts of a credential, by key.
const (
	FactSession      = "session_name"       // RoleSessionName, by which CloudTrail knows the run
	FactRequestID    = "request_id"         // of the reply
	FactPolicyDigest = "policy_digest"      // "sha256:…" of the inline session policy
	FactPackedPolicy = "packed_policy_size" // percent of AWS's second limit
	FactAsked        = "duration_seconds"   // DurationSeconds
	FactRequestedAt  = "requested_at"       // when the call began, by this machine's clock
	FactDenyAfter    = "deny_after"         // from when the session policy denies all
	FactAttempts     = "attempts"
	FactIdentity     = "identity_check" // only when the server did not state one
)

// Exchange asks STS for a session of the role. It retries what retryRule allows,
// with a fresh token each time and a random wait, for a minute at most.
func (p *provider) Exchange(ctx context.Context, req oidc.Request) (*oidc.Credential, error) {
	if err := p.checkRequest(req); err != nil {
		return nil, err
	}
	loop := retryLoop{deadline: p.opts.Now().Add(exchangeTimeout), opts: p.opts}
	for {
		loop.attempts++
		cred, fail := p.attempt(ctx, req)
		if fail == nil {
			cred.Facts[FactAttempts] = strconv.Itoa(loop.attempts)
			return cred, nil
		}
		if err := loop.next(ctx, fail); err != nil {
			return nil, err
		}
	}
}

// checkRequest refuses what the settings, checked for the grant's ttl, do not cover.
func (p *provider) checkRequest(req oidc.Request) error {
	if req.TTL < MinTTL || req.TTL > p.settings.ttl {
		return &oidc.Error{Stage: oidc.StageExchange,
			Message: "a lifetime of " + req.TTL.String() + " is not within what grant " + strconv.Quote(p.grant) + " gives",
			Hint:    "ask for " + MinTTL.String() + " to " + p.settings.ttl.String()}
	}
	// A shorter ttl may need the deny that the grant's own does not.
	s := *p.settings
	s.ttl = req.TTL
	return s.checkBudget(wire.Block{Grant: p.grant, Provider: Name})
}

// An order is one attempt's request in full.
type order struct {
	session     string
	policy      string
	requestedAt time.Time
	asked       time.Duration
	deny        time.Time // zero: the session's own expiry is the end
	token       *oidc.Token
}

// attempt asks once, with a token of its own.
func (p *provider) attempt(ctx context.Context, req oidc.Request) (*oidc.Credential, *failure) {
	tok, err := req.Source.Token(ctx, p.Audience())
	if err != nil {
		return nil, &failure{err: err, tries: tryOnce} // the source has its own retries
	}
	o := order{session: sessionName(req.Run), requestedAt: p.opts.Now(), token: tok}
	o.asked, o.deny = durations(req.TTL, o.requestedAt)
	o.policy = p.settings.sessionPolicy(o.deny)
	out, err := p.client(req.Run).AssumeRoleWithWebIdentity(ctx, p.input(o))
	if err != nil {
		if ctx.Err() != nil { // the caller's own end, not this attempt's
			return nil, stopped(ctx, p.settings.host())
		}
		return nil, explain(err, p.settings.host(), sent{p.settings.role.String(), tok.Claims.Subject, p.Audience()})
	}
	cred, err := p.credential(out, o)
	if err != nil {
		return nil, &failure{err: err, tries: tryOnce}
	}
	return cred, nil
}

func (p *provider) input(o order) *sts.AssumeRoleWithWebIdentityInput {
	in := &sts.AssumeRoleWithWebIdentityInput{
		RoleArn:          awssdk.String(p.settings.role.String()),
		RoleSessionName:  awssdk.String(o.session),
		WebIdentityToken: awssdk.String(o.token.Raw.Reveal()),
		DurationSeconds:  awssdk.Int32(int32(o.asked / time.Second)),
	}
	if o.policy != "" {
		in.Policy = awssdk.String(o.policy)
	}
	for _, arn := range p.settings.ManagedPolicies {
		in.PolicyArns = append(in.PolicyArns, types.PolicyDescriptorType{Arn: awssdk.String(arn)})
	}
	return in
}

// credential reads a reply. It is refused when a field is missing or is not of
// its form, or when it answers another token than the one that was sent.
func (p *provider) credential(out *sts.AssumeRoleWithWebIdentityOutput, o order) (*oidc.Credential, error) {
	if err := p.checkReply(out, o.token.Claims); err != nil {
		return nil, err
	}
	key, identity := *out.Credentials.AccessKeyId, ""
	if out.AssumedRoleUser != nil {
		identity = awssdk.ToString(out.AssumedRoleUser.Arn)
	}
	expires := out.Credentials.Expiration.UTC()
	usable := expires
	if !o.deny.IsZero() && o.deny.Before(expires) {
		usable = o.deny
	}
	return &oidc.Credential{
		Vars:        p.vars(out.Credentials, usable),
		Identity:    identity,
		Expires:     expires,
		UsableUntil: usable,
		Handle: oidc.Handle{Provider: Name, Grant: p.grant, ID: key, Identity: identity,
			Expires: expires, UsableUntil: usable},
		Facts: p.facts(out, o, identity),
	}, nil
}

// vars are the names that AWS's SDKs and CLI read. The access key id is public: it
// is the name by which CloudTrail knows the session, and masking it would blank it
// in the receipt that has to join with it. AWS_CREDENTIAL_EXPIRATION (read by
// botocore, printed by aws configure export-credentials) says when the session
// stops being of use, so that tools fail with that reason.
func (p *provider) vars(c *types.Credentials, usable time.Time) []oidc.Var {
	public := func(name, value string) oidc.Var {
		return oidc.Var{Name: name, Value: oidc.NewSecret(value), Public: true}
	}
	return []oidc.Var{
		public("AWS_ACCESS_KEY_ID", *c.AccessKeyId),
		{Name: "AWS_SECRET_ACCESS_KEY", Value: oidc.NewSecret(*c.SecretAccessKey)},
		{Name: "AWS_SESSION_TOKEN", Value: oidc.NewSecret(*c.SessionToken)},
		public("AWS_REGION", p.settings.Region),
		public("AWS_DEFAULT_REGION", p.settings.Region),
		public("AWS_CREDENTIAL_EXPIRATION", usable.Format(time.RFC3339)),
	}
}

func (p *provider) facts(out *sts.AssumeRoleWithWebIdentityOutput, o order, identity string) map[string]string {
	f := map[string]string{
		FactSession:     o.session,
		FactAsked:       strconv.Itoa(int(o.asked / time.Second)),
		FactRequestedAt: o.requestedAt.UTC().Format(time.RFC3339Nano),
	}
	if id, ok := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata); ok {
		f[FactRequestID] = wire.SafeText(id)
	}
	if o.policy != "" {
		sum := sha256.Sum256([]byte(o.policy))
		f[FactPolicyDigest] = "sha256:" + hex.EncodeToString(sum[:])
	}
	//lint:ignore SA1019 its successor is a measure of the token, and not every server sends it
	if size := out.PackedPolicySize; size != nil {
		f[FactPackedPolicy] = strconv.Itoa(int(*size))
	}
	if !o.deny.IsZero() {
		f[FactDenyAfter] = o.deny.Format(policyTime)
	}
	if identity == "" {
		f[FactIdentity] = "not stated by the server"
	}
	return f
}

var notInSession = regexp.MustCompile(`[^A-Za-z0-9_+=,.@-]+`)

// sessionName names the run in the cloud's log: gh-<run id>-<attempt>-<repo>, in
// the 64 characters that STS takes, cut at the end so that the run id survives.
func sessionName(r oidc.Run) string {
	parts := []string{"gh"}
	_, repo, _ := strings.Cut(r.Repository, "/")
	for _, s := range []string{r.ID, r.Attempt, repo} {
		if s = strings.Trim(notInSession.ReplaceAllString(s, "-"), "-"); s != "" {
			parts = append(parts, s)
		}
	}
	name := strings.Join(parts, "-")
	return name[:min(len(name), 64)]
}
