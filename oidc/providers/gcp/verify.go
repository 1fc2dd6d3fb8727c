package gcp

import (
	"context"
	"fmt"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

func verifyError(hint, format string, args ...any) *oidc.Error {
	return &oidc.Error{Stage: oidc.StageVerify, Message: fmt.Sprintf(format, args...), Hint: hint}
}

const notOurs = "nothing was handed over; if endpoint: names a server of yours, check it, otherwise report this with the receipt"

// Verify compares identity and times of a credential with what the grant and the
// request ask for. Google's replies state no identity, so that the account is the one
// that the call was for.
func (p *provider) Verify(c *oidc.Credential, req oidc.Request) error {
	if c == nil {
		return verifyError(notOurs, "there is no credential to check")
	}
	want := p.settings.ServiceAccount
	if want == "" {
		want = p.settings.Provider
	}
	if c.Identity != want {
		return verifyError(notOurs, "the token is for another identity than grant %q names: expected %q, got %.300q", p.grant.Name, want, c.Identity)
	}
	const clock = "set this machine's clock; nothing was handed over"
	now := p.opts.Now()
	limit := now.Add(req.TTL + clockLeeway)
	switch {
	case c.UsableUntil.After(c.Expires) || c.UsableUntil.IsZero():
		return verifyError(notOurs, "the credential does not say when it ends")
	case !c.UsableUntil.After(now):
		return verifyError(clock, "the token is already over: it ends at %s, and here it is %s", wire.Stamp(c.UsableUntil), wire.Stamp(now))
	case c.Expires.After(limit):
		return verifyError(clock+"; if it is right, name a longer ttl or a service-account, whose tokens take one",
			"the token lives longer than asked: it ends at %s, %s at the latest was expected", wire.Stamp(c.Expires), wire.Stamp(limit))
	}
	return nil
}

// An Ender says how tokens end, from their handles alone: the process that cleans up
// needs no grant file, which a step in between may have changed.
type Ender struct {
	// Now is the clock; nil is the real one.
	Now func() time.Time
}

// NewEnder makes an Ender with the clock of opts; Google needs none of the rest.
func NewEnder(opts Options) Ender { return Ender{Now: opts.Now} }

// End reports until when the token stays valid. It makes no call: Google has none that
// ends a token of a workload or of a service account. (Its revocation endpoint is for
// users' tokens; disabling the service account stops the tokens of all its users.)
func (e Ender) End(_ context.Context, h oidc.Handle) oidc.Ending {
	now := time.Now
	if e.Now != nil {
		now = e.Now
	}
	t := now()
	switch {
	case h.Expires.IsZero():
		return oidc.Ending{Outcome: oidc.Open, At: t, Detail: "it is not known when this token expires; google cannot end it early"}
	case !t.Before(h.Expires):
		return oidc.Ending{Outcome: oidc.Expired, At: h.Expires, Detail: "expired at " + wire.Stamp(h.Expires)}
	}
	return oidc.Ending{Outcome: oidc.Expires, At: h.Expires,
		Detail: "google cannot end a token early; this one stays valid until " + wire.Stamp(h.Expires)}
}
