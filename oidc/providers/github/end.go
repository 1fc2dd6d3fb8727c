package github

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// How often and how long a token is ended and looked at: a cancelled job has ten
// seconds in all.
const (
	endTries   = 3
	endTimeout = 2 * time.Second
	endWithin  = 6 * time.Second
)

// An Ender ends installation tokens from their handles alone.
type Ender struct{ opts Options }

// NewEnder makes what ends tokens.
func NewEnder(opts Options) Ender { return Ender{opts.WithDefaults()} }

// End deletes the token and then calls the API with it: only an answer of 401 is
// taken for its end. It is idempotent.
func (e Ender) End(ctx context.Context, h oidc.Handle) oidc.Ending {
	now := e.opts.Now()
	open := func(format string, args ...any) oidc.Ending {
		detail := fmt.Sprintf(format, args...)
		if !h.Expires.IsZero() {
			detail += "; the token may be valid until " + wire.Stamp(h.Expires)
		}
		return oidc.Ending{Outcome: oidc.Open, At: now, Detail: detail}
	}
	if !h.Expires.IsZero() && !now.Before(h.Expires) {
		return oidc.Ending{Outcome: oidc.Expired, At: h.Expires, Detail: "expired at " + wire.Stamp(h.Expires)}
	}
	api, err := parseAPI(cmp.Or(h.Endpoint, publicAPI))
	switch {
	case h.Revoke == "":
		return open("the token to end is not in the state")
	case err != nil:
		return open("the saved state names no server that the token could be sent to")
	}
	deadline := now.Add(endWithin)
	if err := e.until(ctx, deadline, e.call(http.MethodDelete, api, "/installation/token", h.Revoke), deleted); err != nil {
		return open("%s", err)
	}
	// A cheap call that every installation token may make.
	if err := e.until(ctx, deadline, e.call(http.MethodGet, api, "/installation/repositories?per_page=1", h.Revoke), gone); err != nil {
		return open("%s", err)
	}
	return oidc.Ending{Outcome: oidc.Revoked, At: e.opts.Now(), Detail: "revoked; a call with it is answered with 401"}
}

// A verdict turns a reply into nil or why it is not what was wanted.
type verdict func(*wire.Reply, string) *oidc.Error

// deleted takes 204, and 401 of a token that was over before.
func deleted(r *wire.Reply, host string) *oidc.Error {
	if r.Status == http.StatusNoContent || r.Status == http.StatusUnauthorized {
		return nil
	}
	return endError(r, "%s did not delete the token", host)
}

// gone takes 401 alone. Anything else is worth another look: the end of a token may
// take a moment to get about.
func gone(r *wire.Reply, host string) *oidc.Error {
	if r.Status == http.StatusUnauthorized {
		return nil
	}
	e := endError(r, "%s took the deletion but still answers the token", host)
	e.Retryable = true
	return e
}

func endError(r *wire.Reply, format, host string) *oidc.Error {
	e := oidc.Error{Stage: oidc.StageEnd, Status: r.Status, RequestID: requestID(r), RetryAfter: r.RetryAfter(),
		Retryable: r.Status == http.StatusTooManyRequests || r.Status >= 500}
	e.Message = fmt.Sprintf(format, host) + " (" + wire.Answer(e) + ")"
	return &e
}

// call gives a request to be sent, anew for each try.
func (e Ender) call(method string, api *url.URL, path, token string) func() (*http.Request, error) {
	return func() (*http.Request, error) {
		r, err := http.NewRequest(method, api.String()+path, nil)
		if err == nil {
			setAPIHeaders(r, token)
		}
		return r, err
	}
}

// until sends the request until the verdict is good or there is no more time.
func (e Ender) until(ctx context.Context, deadline time.Time, request func() (*http.Request, error), good verdict) error {
	caller := wire.Caller{Options: e.opts, Stage: oidc.StageEnd, Timeout: endTimeout}
	loop := wire.Loop{Options: e.opts, Tries: endTries, Deadline: deadline}
	for {
		r, err := request()
		if err != nil {
			return &oidc.Error{Stage: oidc.StageEnd, Message: "the request to end the token could not be built", Hint: "report this"}
		}
		reply, err := caller.Do(ctx, r)
		if err == nil {
			if why := good(reply, r.URL.Host); why != nil {
				err = why
			}
		}
		if err == nil {
			return nil
		}
		if err = loop.Next(ctx, err); err != nil {
			return err
		}
	}
}
