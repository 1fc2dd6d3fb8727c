package lease

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stint-dev/stint/oidc"
)

// spareLife is how much of its life a token that was kept since the decision must
// still have to be used for the first attempt.
const spareLife = 30 * time.Second

// A gate is the source that providers see. Every token passes the decision before
// a provider gets it, so that what is sent is what was decided on. The token of
// the first decision is kept for the first attempt: it has been shown to nobody.
type gate struct {
	lease *Lease
	src   oidc.Source

	mu       sync.Mutex
	spare    map[string]*oidc.Token // by audience
	provider map[string]string      // names by audience, for events
}

func newGate(l *Lease, src oidc.Source) *gate {
	return &gate{lease: l, src: src, spare: map[string]*oidc.Token{}, provider: map[string]string{}}
}

// Name returns the name of the source behind the gate.
func (g *gate) Name() string { return g.src.Name() }

// admit asks for a provider's first token and decides on it. It is called before
// any provider has the gate.
func (g *gate) admit(ctx context.Context, p oidc.Provider) error {
	g.provider[p.Audience()] = p.Name()
	tok, err := g.decided(ctx, p.Audience(), true)
	if err != nil {
		return err
	}
	g.spare[p.Audience()] = tok
	return nil
}

// Token returns a token that was decided on and that no attempt has had before.
func (g *gate) Token(ctx context.Context, audience string) (*oidc.Token, error) {
	g.mu.Lock()
	tok := g.spare[audience]
	delete(g.spare, audience)
	g.mu.Unlock()
	if tok != nil && tok.Expires().After(g.lease.opts.Now().Add(spareLife)) {
		return tok, nil
	}
	return g.decided(ctx, audience, false)
}

// decided asks the source and decides. The first decision for a provider is an
// event; later ones are only when they refuse, which the first did not foresee.
func (g *gate) decided(ctx context.Context, audience string, first bool) (*oidc.Token, error) {
	tok, err := g.src.Token(ctx, audience)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(tok.Claims.Audience, []string{audience}) {
		return nil, &oidc.Error{Stage: oidc.StageToken,
			Message: fmt.Sprintf("the id-token from %s is for %.200q, not for %q alone", g.src.Name(), tok.Claims.Audience, audience),
			Hint:    "ask the issuer for a token whose only audience is " + fmt.Sprintf("%q", audience)}
	}
	want := g.lease.opts.Expect
	want.Audience, want.Now = audience, g.lease.opts.Now()
	d := g.lease.grant.Decide(tok.Claims, want)
	if first || !d.Admit {
		g.lease.observe(Event{Kind: Decision, Provider: g.provider[audience], Claims: tok.Claims, Decision: d})
	}
	if !d.Admit {
		return nil, refusal(g.lease.grant.Name, &Refusal{d})
	}
	return tok, nil
}

// refusal words the first reason; all of them are in its cause.
func refusal(grantName string, r *Refusal) *oidc.Error {
	e := &oidc.Error{Stage: oidc.StageDecide, Err: r,
		Message: fmt.Sprintf("grant %q is not for this job", grantName),
		Hint:    "run stint grant explain " + grantName}
	if len(r.Decision.Reasons) > 0 {
		e.Message += ": " + r.Decision.Reasons[0].Text
		if next := r.Decision.Reasons[0].Next; next != "" {
			e.Hint = next
		}
	}
	if more := len(r.Decision.Reasons) - 1; more > 0 {
		e.Message += fmt.Sprintf(" (and %d more)", more)
	}
	return e
}
