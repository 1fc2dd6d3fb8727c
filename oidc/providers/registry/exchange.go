package registry

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/wire"
	"github.com/stint-dev/stint/oidc/trust"
)

// The facts of a credential, by key.
const (
	FactRequestID = "request_id"     // of the reply
	FactTokenID   = "id_token_jti"   // "sha256:…" of the jti that the registry marked as used
	FactIdentity  = "identity_check" // only when the registry did not name the package
	FactExpiry    = "expiry"         // where the expiry is from, when the reply does not say
	FactRights    = "rights"         // as the reply states them, joined with ","
)

// notStated is the value of FactIdentity.
const notStated = "not stated by the registry"

// Exchange asks for one id-token and trades it in one call. It never tries again: the
// registry has marked the id-token as used, and may have issued a token that was lost.
func (p *provider) Exchange(ctx context.Context, req oidc.Request) (*oidc.Credential, error) {
	if req.TTL < max(MinTTL, p.registry.Life) || req.TTL > p.ttl {
		return nil, &oidc.Error{Stage: oidc.StageExchange,
			Message: fmt.Sprintf("a lifetime of %s is not within what grant %q gives", req.TTL, p.grant.Name),
			Hint:    fmt.Sprintf("ask for %s to %s", max(MinTTL, p.registry.Life), p.ttl)}
	}
	tok, err := req.Source.Token(ctx, p.audience)
	if err != nil {
		return nil, err
	}
	r, err := p.registry.Request(p.origin, p.pkg, tok.Raw.Reveal())
	if err != nil {
		return nil, p.failed(oidc.Error{Message: "the request could not be built", Hint: "check package: and endpoint: in the grant"})
	}
	asked := p.opts.Now()
	caller := wire.Caller{Options: p.opts, Stage: oidc.StageExchange, Run: req.Run}
	reply, err := caller.Do(ctx, r.WithContext(ctx))
	if err != nil {
		return nil, p.ambiguous(err)
	}
	if !reply.Good() {
		return nil, p.refused(reply, tok.Claims)
	}
	return p.credential(reply, tok.Claims, asked)
}

func (p *provider) failed(e oidc.Error) *oidc.Error {
	e.Stage = oidc.StageExchange
	return &e
}

// ambiguous says of a call without an answer what may have come of it.
func (p *provider) ambiguous(err error) error {
	var e *oidc.Error
	if !errors.As(err, &e) {
		return err
	}
	out := *e
	out.Hint = "not tried again, because the id-token may be used up"
	if p.registry.Life > 0 {
		out.Hint += "; a token may have been issued that nobody holds and that ends within " + minutes(p.registry.Life)
	}
	out.Hint += "; run the job again"
	return &out
}

// refused explains a bad answer.
func (p *provider) refused(r *wire.Reply, c oidc.Claims) error {
	e := oidc.Error{Stage: oidc.StageExchange, Status: r.Status, RetryAfter: r.RetryAfter(), RequestID: requestID(r)}
	busy := r.Status == 429 || r.Status >= 500
	var hint string
	if e.Code, hint = p.registry.Refusal(r); hint == "" {
		hint = "most likely first: " + p.likely(c)
	}
	e.Code = wire.Code(e.Code)
	e.Retryable = busy
	if busy {
		e.Message = fmt.Sprintf("%s is busy or has a fault (%s)", p.origin.Host, wire.Answer(e))
		e.Hint = "run the job again later; the id-token was sent once and is not sent again"
		return &e
	}
	e.Message = fmt.Sprintf("%s did not take the id-token (%s)", p.origin.Host, wire.Answer(e))
	e.Hint = hint + "; presented: " + presented(c) + "; " + p.against(c)
	return &e
}

// likely ranks the reasons of a refusal that says none.
func (p *provider) likely(c oidc.Claims) string {
	reasons := []string{
		fmt.Sprintf("package %q has no trusted publisher for this repository", p.pkg),
		"the publisher names another workflow file or environment",
	}
	if e := c.Get("event_name"); p.registry.Form.refuses(e) {
		reasons = append([]string{fmt.Sprintf("%s takes no token of a run started by %q", p.registry.Title, e)}, reasons...)
	}
	return strings.Join(append(reasons, "the repository or its owner was renamed or made anew since"), "; ")
}

// against holds the token against the form that fits the grant. Who sets up a server of
// his own knows what it admits.
func (p *provider) against(c oidc.Claims) string {
	if p.other {
		return "compare them with what the server admits"
	}
	return trust.Against(trust.Cloud{Name: p.registry.Name,
		Render: func(g *grant.Grant, _ *grant.Target, repo trust.Repository) (trust.Lock, error) {
			return Render(p.registry, p.config, g, repo)
		}}, p.grant, nil, c)
}

// presented are the claims that registries look at, for the explanation of a refusal.
func presented(c oidc.Claims) string {
	var parts []string
	for _, name := range []string{"repository", "repository_owner_id", "workflow_ref", "environment", "event_name"} {
		value := fmt.Sprintf("%.200q", c.Get(name))
		if !c.Has(name) {
			value = "none"
		}
		parts = append(parts, name+" "+value)
	}
	if c.Get("job_workflow_ref") != c.Get("workflow_ref") {
		parts = append(parts, fmt.Sprintf("job_workflow_ref %.200q", c.Get("job_workflow_ref")))
	}
	return strings.Join(parts, ", ")
}

func requestID(r *wire.Reply) string {
	for _, name := range []string{"X-Request-Id", "X-Served-By-Request", "Request-Id", "Npm-Request-Id"} {
		if id := wire.SafeText(r.Header.Get(name)); id != "" {
			return id
		}
	}
	return ""
}

// credential reads a reply.
func (p *provider) credential(r *wire.Reply, c oidc.Claims, asked time.Time) (*oidc.Credential, error) {
	got := p.registry.Read(r.Body)
	if !wire.IsSecretText(got.Token) {
		return nil, p.failed(oidc.Error{Status: r.Status, RequestID: requestID(r),
			Message: "the reply of " + p.origin.Host + " holds no token",
			Hint:    "check endpoint: in the grant, if it is set, and the proxy of the runner; the id-token is used up"})
	}
	facts := map[string]string{}
	if id := requestID(r); id != "" {
		facts[FactRequestID] = id
	}
	if c.ID != "" {
		facts[FactTokenID] = wire.Digest(c.ID)
	}
	if len(got.Rights) > 0 {
		facts[FactRights] = rights(got.Rights)
	}
	identity := "pkg:" + p.registry.PURL + "/" + got.Package
	if got.Package == "" {
		identity, facts[FactIdentity] = "", notStated
	}
	expires := got.Expires.UTC()
	if got.Expires.IsZero() && p.registry.Life > 0 {
		// Counted from before the call: never later than the registry's own reckoning
		// would have it, give or take the clocks.
		expires, facts[FactExpiry] = asked.Add(p.registry.Life).UTC().Truncate(time.Second), "by the registry's documentation"
	}
	token := oidc.NewSecret(got.Token)
	cred := &oidc.Credential{Identity: identity, Expires: expires, UsableUntil: expires, Facts: facts,
		Handle: oidc.Handle{Provider: p.registry.Name, Grant: p.grant.Name, ID: wire.Digest(got.Token), Identity: identity,
			Expires: expires, UsableUntil: expires}}
	var own *url.URL
	if p.other {
		own, cred.Handle.Endpoint = p.origin, p.origin.String()
	}
	if p.registry.Revoke != nil {
		cred.Handle.Revoke = got.Token
	}
	cred.Vars, cred.Files = p.registry.HandOver(own, p.pkg, token)
	return cred, nil
}

// rights writes what a reply states, without what no right can hold.
func rights(stated []string) string {
	safe := make([]string, len(stated))
	for i, s := range stated {
		safe[i] = wire.SafeText(s)
	}
	return strings.Join(safe, ",")
}

// Verify compares package and times of a credential with what the grant and the
// request ask for. A registry that does not name the package is believed; the
// credential's facts then say so.
func (p *provider) Verify(c *oidc.Credential, req oidc.Request) error {
	const notOurs = "nothing was handed over; if endpoint: names a server of yours, check it, otherwise report this with the receipt"
	now := p.opts.Now()
	fail := func(hint, format string, args ...any) error {
		return &oidc.Error{Stage: oidc.StageVerify, Message: fmt.Sprintf(format, args...), Hint: hint}
	}
	switch {
	case c == nil:
		return fail(notOurs, "there is no credential to check")
	case c.Identity != p.purl() && (c.Identity != "" || c.Facts[FactIdentity] != notStated):
		return fail(notOurs, "%s issued a token for %.200q, and grant %q is for %q", p.origin.Host, c.Identity, p.grant.Name, p.purl())
	case !p.rightsAreThose(c.Facts[FactRights]):
		return fail(notOurs, "%s issued a token with the rights %.200q, and publishing needs only %q", p.origin.Host, c.Facts[FactRights], strings.Join(p.registry.Rights, ","))
	case c.Expires.IsZero() && p.registry.Life == 0 && c.UsableUntil.IsZero():
		return nil // the registry does not say, and nobody else knows
	case !c.Expires.After(now) || !c.UsableUntil.After(now):
		return fail("set this machine's clock; nothing was handed over",
			"the token is already over: it ends at %s, and here it is %s", wire.Stamp(c.Expires), wire.Stamp(now))
	case c.Expires.After(now.Add(req.TTL + clockLeeway)):
		return fail("if that is how long its tokens live, write a longer ttl; otherwise set this machine's clock; nothing was handed over",
			"the token lives until %s, longer than the ttl of %s", wire.Stamp(c.Expires), req.TTL)
	}
	return nil
}

// rightsAreThose reports whether all stated rights belong to publishing.
func (p *provider) rightsAreThose(stated string) bool {
	for right := range strings.SplitSeq(stated, ",") {
		if right != "" && !slices.Contains(p.registry.Rights, right) {
			return false
		}
	}
	return true
}
