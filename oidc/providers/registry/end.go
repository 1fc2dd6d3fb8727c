package registry

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// How often and how long a token is taken back: a cancelled job has ten seconds in all.
const (
	revokeTries   = 3
	revokeTimeout = 3 * time.Second
	revokeWithin  = 6 * time.Second
)

// An Ender ends tokens from their handles alone.
type Ender struct {
	registry Registry
	opts     Options
}

// NewEnder makes the Ender of a registry.
func NewEnder(r Registry, opts Options) Ender { return Ender{r, opts.WithDefaults()} }

// End takes the token back where the registry can do that, and says otherwise until
// when it stays valid. It is idempotent: no registry minds a token that is gone.
func (e Ender) End(ctx context.Context, h oidc.Handle) oidc.Ending {
	now, title := e.opts.Now(), e.registry.Title
	switch {
	case h.Expires.IsZero():
		return oidc.Ending{Outcome: oidc.Open, At: now, Detail: title + " does not say when this token expires, and cannot end it early"}
	case !now.Before(h.Expires):
		return oidc.Ending{Outcome: oidc.Expired, At: h.Expires, Detail: "expired at " + wire.Stamp(h.Expires)}
	case e.registry.Revoke == nil:
		return oidc.Ending{Outcome: oidc.Expires, At: h.Expires,
			Detail: title + " cannot end a token early; this one stays valid until " + wire.Stamp(h.Expires)}
	case h.Revoke == "":
		return oidc.Ending{Outcome: oidc.Open, At: now, Detail: "the token to end is not in the state; it expires at " + wire.Stamp(h.Expires)}
	}
	if reason := e.revoke(ctx, h); reason != "" {
		return oidc.Ending{Outcome: oidc.Open, At: now, Detail: reason + "; the token may be valid until " + wire.Stamp(h.Expires)}
	}
	return oidc.Ending{Outcome: oidc.Revoked, At: e.opts.Now(),
		Detail: "taken back: " + title + " confirmed the deletion; it has no call that would show it afterwards"}
}

// revoke returns why the token could not be taken back, "" when it was.
func (e Ender) revoke(ctx context.Context, h oidc.Handle) string {
	origin, err := wire.ParseEndpoint(cmp.Or(h.Endpoint, e.registry.Origin))
	if err != nil {
		return "the saved state names no server that the token could be sent to"
	}
	caller := wire.Caller{Options: e.opts, Stage: oidc.StageEnd, Timeout: revokeTimeout}
	loop := wire.Loop{Options: e.opts, Tries: revokeTries, Deadline: e.opts.Now().Add(revokeWithin)}
	for {
		err := e.revokeOnce(ctx, caller, origin, h.Revoke)
		if err == nil {
			return ""
		}
		if err = loop.Next(ctx, err); err != nil {
			return err.Error()
		}
	}
}

func (e Ender) revokeOnce(ctx context.Context, caller wire.Caller, origin *url.URL, token string) error {
	r, err := e.registry.Revoke(origin, token)
	if err != nil {
		return &oidc.Error{Stage: oidc.StageEnd, Message: "the request to end the token could not be built", Hint: "report this"}
	}
	reply, err := caller.Do(ctx, r)
	if err != nil {
		return err
	}
	if reply.Status == http.StatusNoContent {
		return nil
	}
	failed := oidc.Error{Stage: oidc.StageEnd, Status: reply.Status, RequestID: requestID(reply), RetryAfter: reply.RetryAfter(),
		Retryable: reply.Status == http.StatusTooManyRequests || reply.Status >= 500}
	failed.Message = origin.Host + " did not confirm the end (" + wire.Answer(failed) + ")"
	return &failed
}
