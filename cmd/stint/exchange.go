package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/lease"
)

// An exchange is one grant to be traded.
type exchange struct {
	w        world
	at       venue
	grant    *grant.Grant
	source   oidc.Source
	receipts *ledger
	// hand says how the credentials are handed over; nil is in the environment.
	hand *handing
	// tell is called with what happens to the lease; nil tells nobody.
	tell func(lease.Event)
}

// A deal is an exchange that is ready to be made.
type deal struct {
	providers []oidc.Provider
	source    oidc.Source
	opts      lease.Options
}

// open trades the grant for a lease.
func (x exchange) open(ctx context.Context) (*lease.Lease, error) {
	d, err := x.prepare(ctx)
	if err != nil {
		return nil, err
	}
	l, err := lease.Open(ctx, x.grant, d.providers, d.source, d.opts)
	if err != nil {
		return nil, err
	}
	if err := x.hand.opened(ctx, l, d.providers); err != nil {
		return nil, err
	}
	return l, nil
}

// decide decides the grant and trades nothing.
func (x exchange) decide(ctx context.Context) error {
	d, err := x.prepare(ctx)
	if err != nil {
		return err
	}
	return lease.Decide(ctx, x.grant, d.providers, d.source, d.opts)
}

// prepare asks for the first token ahead of the decision: it says whose tokens to
// expect and which run it is.
func (x exchange) prepare(ctx context.Context) (deal, error) {
	list, err := x.at.providers(x.w, x.grant)
	if err != nil {
		return deal{}, err
	}
	if err := x.hand.check(x.grant, list); err != nil {
		return deal{}, err
	}
	audience := list[0].Audience()
	first, err := x.source.Token(ctx, audience)
	if err != nil {
		return deal{}, err
	}
	j := jobOf(x.w)
	opts := lease.Options{
		Run:    j.run(first.Claims),
		Expect: grant.Expect{Repository: j.repository, Issuer: x.at.issuerOf(j, first.Claims)},
		Now:    x.w.now,
		Also:   x.at.vars,
		Temp:   x.w.getenv("RUNNER_TEMP"),
		Sleep:  x.w.wait,
	}
	record := x.receipts.of(opts.Run, x.grant)
	opts.Observe = func(e lease.Event) {
		record(e)
		if x.tell != nil {
			x.tell(e)
		}
	}
	x.hand.options(x.grant, &opts)
	return deal{list, &ahead{Source: x.source, audience: audience, token: first}, opts}, nil
}

// An ahead is a source one of whose tokens was asked for already. It is given
// once, to the first who asks for its audience.
type ahead struct {
	oidc.Source
	audience string

	mu    sync.Mutex
	token *oidc.Token
}

// Token returns the token asked for ahead, or asks.
func (a *ahead) Token(ctx context.Context, audience string) (*oidc.Token, error) {
	a.mu.Lock()
	token := a.token
	if audience == a.audience {
		a.token = nil
	}
	a.mu.Unlock()
	if token != nil && audience == a.audience {
		return token, nil
	}
	return a.Source.Token(ctx, audience)
}

// explainRefusal writes every claim that differs, when that is why err is there:
// its two lines have room for the first.
func explainRefusal(out io.Writer, err error) {
	var refused *lease.Refusal
	if errors.As(err, &refused) {
		_ = grant.WriteDecision(out, refused.Decision)
		fmt.Fprintln(out)
	}
}
