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
}

// open trades the grant for a lease. The first token is asked for ahead of the
// decision, which says whose tokens to expect and which run it is.
func (x exchange) open(ctx context.Context) (*lease.Lease, error) {
	list, err := x.at.providers(x.w, x.grant)
	if err != nil {
		return nil, err
	}
	audience := list[0].Audience()
	first, err := x.source.Token(ctx, audience)
	if err != nil {
		return nil, err
	}
	j := jobOf(x.w)
	opts := lease.Options{
		Run:     j.run(first.Claims),
		Expect:  grant.Expect{Repository: j.repository, Issuer: x.at.issuerOf(j, first.Claims)},
		Now:     x.w.now,
		Observe: x.receipts.observe,
	}
	x.receipts.of(opts.Run, x.grant)
	return lease.Open(ctx, x.grant, list, &ahead{Source: x.source, audience: audience, token: first}, opts)
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
