package aws

import (
	"context"
	"fmt"
	"regexp"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

func verifyError(hint, format string, args ...any) *oidc.Error {
	return &oidc.Error{Stage: oidc.StageVerify, Message: fmt.Sprintf(format, args...), Hint: hint}
}

const notOurs = "nothing was handed over; if endpoint: names a server of yours, check it, otherwise report this with the receipt"

var (
	keyID = regexp.MustCompile(`^[A-Za-z0-9_]{16,128}$`)
	// A secret goes into an environment variable: printable, without spaces.
	secretText = regexp.MustCompile(`^[!-~]+$`)
)

// checkReply holds a reply against the API's contract and against the token that
// was sent. Subject and audience are compared where the server states them.
func (p *provider) checkReply(out *sts.AssumeRoleWithWebIdentityOutput, sent oidc.Claims) error {
	c := out.Credentials
	switch {
	case c == nil:
		return verifyError(notOurs, "the reply of %s holds no credentials", p.settings.host())
	case !keyID.MatchString(awssdk.ToString(c.AccessKeyId)):
		return verifyError(notOurs, "the reply of %s has no valid access key id", p.settings.host())
	case !secretText.MatchString(awssdk.ToString(c.SecretAccessKey)):
		return verifyError(notOurs, "the reply of %s has no valid secret access key", p.settings.host())
	case !secretText.MatchString(awssdk.ToString(c.SessionToken)):
		return verifyError(notOurs, "the reply of %s has no valid session token", p.settings.host())
	case c.Expiration == nil || c.Expiration.IsZero():
		return verifyError(notOurs, "the reply of %s does not say when the session expires", p.settings.host())
	}
	if got := awssdk.ToString(out.SubjectFromWebIdentityToken); got != "" && got != sent.Subject {
		return verifyError(notOurs, "the reply of %s is for another subject: sent %.300q, got %.300q", p.settings.host(), sent.Subject, got)
	}
	if got := awssdk.ToString(out.Audience); got != "" && got != p.Audience() {
		return verifyError(notOurs, "the reply of %s is for another audience: sent %q, got %.300q", p.settings.host(), p.Audience(), got)
	}
	return nil
}

// Verify compares account, role, session name and times of a credential with what
// the grant and the request ask for.
func (p *provider) Verify(c *oidc.Credential, req oidc.Request) error {
	if c == nil {
		return verifyError(notOurs, "there is no credential to check")
	}
	if err := p.verifyIdentity(c.Identity, sessionName(req.Run)); err != nil {
		return err
	}
	return p.verifyTimes(c, req.TTL)
}

// verifyIdentity demands the very session that was asked for. A server that is not
// AWS's, under a partition that is not AWS's, may leave the identity out (MinIO
// does); the credential's facts then say so.
func (p *provider) verifyIdentity(got, session string) error {
	_, known := partitionOf(p.settings.role.partition)
	if got == "" && !known {
		return nil
	}
	if want := p.settings.role.assumed(session); got != want {
		return verifyError(notOurs, "%s issued another identity than grant %q names: expected %q, got %.300q",
			p.settings.host(), p.grant, want, got)
	}
	return nil
}

// verifyTimes demands an end in the future and not later than asked. When the
// session policy's deny is what ends the session, it also holds the two clocks
// against each other, because the deny was written by this machine's clock and
// will be judged by the cloud's.
func (p *provider) verifyTimes(c *oidc.Credential, ttl time.Duration) error {
	now, asked := p.opts.Now(), minDuration
	const clock = "set this machine's clock; nothing was handed over"
	asked, _ = durations(ttl, now)
	if !c.Expires.After(now) || !c.UsableUntil.After(now) {
		return verifyError(clock, "the session is already over: it ends at %s, and here it is %s", wire.Stamp(c.UsableUntil), wire.Stamp(now))
	}
	if limit := now.Add(asked + clockLeeway); c.Expires.After(limit) {
		return verifyError(clock+"; if it is right, "+p.settings.host()+" issues longer than it is asked",
			"the session lives longer than asked: it ends at %s, %s at the latest was expected", wire.Stamp(c.Expires), wire.Stamp(limit))
	}
	if c.UsableUntil.After(now.Add(ttl + clockLeeway)) {
		return verifyError(notOurs, "the session is usable until %s, longer than the ttl of %s", wire.Stamp(c.UsableUntil), ttl)
	}
	return p.verifyClock(c, asked)
}

func (p *provider) verifyClock(c *oidc.Credential, asked time.Duration) error {
	if c.Facts[FactDenyAfter] == "" || !c.UsableUntil.Before(c.Expires) {
		return nil
	}
	requested, err := time.Parse(time.RFC3339Nano, c.Facts[FactRequestedAt])
	if err != nil {
		return verifyError(notOurs, "the credential does not say when it was asked for")
	}
	if ahead := requested.Sub(c.Expires.Add(-asked)); ahead > clockLeeway {
		return verifyError("set this machine's clock; nothing was handed over",
			"this machine's clock is %s ahead of the cloud's, so the session would outlast its ttl by that", ahead.Round(time.Second))
	}
	return nil
}

// An Ender says how sessions end, from their handles alone: the process that
// cleans up needs no grant file, which a step in between may have changed.
type Ender struct {
	// Now is the clock; nil is the real one.
	Now func() time.Time
}

// NewEnder makes an Ender with the clock of opts; AWS needs none of the rest.
func NewEnder(opts Options) Ender { return Ender{Now: opts.Now} }

// End reports until when the session stays valid. It makes no call: AWS has none
// that ends one session. (A Deny on aws:TokenIssueTime on the role ends all its
// sessions, those of other runs too; that is for an incident, not for a job.)
func (e Ender) End(_ context.Context, h oidc.Handle) oidc.Ending {
	now := time.Now
	if e.Now != nil {
		now = e.Now
	}
	t := now()
	switch {
	case h.Expires.IsZero() || h.UsableUntil.IsZero() || h.UsableUntil.After(h.Expires):
		return oidc.Ending{Outcome: oidc.Open, At: t, Detail: "it is not known when this session expires; aws cannot end it early"}
	case !t.Before(h.Expires):
		return oidc.Ending{Outcome: oidc.Expired, At: h.Expires, Detail: "expired at " + wire.Stamp(h.Expires)}
	case h.UsableUntil.Equal(h.Expires):
		return oidc.Ending{Outcome: oidc.Expires, At: h.Expires,
			Detail: "aws cannot end a session early; this one stays valid until " + wire.Stamp(h.Expires)}
	case !t.Before(h.UsableUntil):
		return oidc.Ending{Outcome: oidc.Expires, At: h.Expires,
			Detail: "its session policy denies everything since " + wire.Stamp(h.UsableUntil) + "; aws itself lists it until " + wire.Stamp(h.Expires)}
	}
	return oidc.Ending{Outcome: oidc.Expires, At: h.UsableUntil,
		Detail: "aws cannot end a session early; its session policy denies everything from " + wire.Stamp(h.UsableUntil) +
			", aws itself lists it until " + wire.Stamp(h.Expires)}
}
