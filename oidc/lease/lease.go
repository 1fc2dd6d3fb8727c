package lease

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
)

// endTimeout bounds the end of one credential. It fits into the ten seconds that
// a cancelled job has before it is killed.
const endTimeout = 8 * time.Second

// Options are what a lease takes from outside.
type Options struct {
	// Run names the run to the providers.
	Run oidc.Run
	// Expect is what the job's surroundings say: the repository that holds the
	// grant file, and the issuer. Audience and Now are set for each token.
	Expect grant.Expect
	// Now is the clock; nil is the real one.
	Now func() time.Time
	// Observe is called for every decision, issuance and end, in order, from the
	// calling goroutine; nil observes nothing. Events hold no secret.
	Observe func(Event)
}

// A Kind is what an [Event] tells of.
type Kind string

// The kinds of events, those of receipts.
const (
	Decision Kind = "decision"
	Issuance Kind = "issuance"
	End      Kind = "end"
)

// An Event is one thing that happened to a grant. It holds no secret.
type Event struct {
	Kind     Kind
	At       time.Time
	Grant    string
	Provider string
	// Claims and Decision are set for a decision, Credential for an issuance
	// (without its variables), Ended for an end.
	Claims     oidc.Claims
	Decision   grant.Decision
	Credential *oidc.Credential
	TTL        time.Duration // asked for, of an issuance
	Ended      Ended
}

// An Ended is a credential and how it ended. The handle's Revoke is blanked.
type Ended struct {
	Handle oidc.Handle
	oidc.Ending
}

// A Refusal is the cause of the error with which Open refuses claims; errors.As
// finds it.
type Refusal struct{ Decision grant.Decision }

// Error counts the reasons.
func (r *Refusal) Error() string {
	return "refused for " + strconv.Itoa(len(r.Decision.Reasons)) + " reasons"
}

// A held is a credential with the provider that issued it.
type held struct {
	ender Ender
	cred  *oidc.Credential
}

// A Lease holds the credentials of one grant, one for each of its targets, from
// the moment that all of them are found good. It is safe for concurrent use.
type Lease struct {
	grant *grant.Grant
	opts  Options

	mu    sync.Mutex
	held  []held
	done  bool
	ended []Ended
}

// Open decides the grant on a token for each provider's audience, exchanges, and
// verifies. It gives a lease only when every step of every provider went well;
// otherwise it ends what was issued and returns an *oidc.Error.
//
// Each token that a provider sends is decided first, those of later attempts too.
// A refused token ends the opening before anything is sent.
func Open(ctx context.Context, g *grant.Grant, providers []oidc.Provider, src oidc.Source, opts Options) (*Lease, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Observe == nil {
		opts.Observe = func(Event) {}
	}
	l := &Lease{grant: g, opts: opts}
	if err := checkProviders(g, providers); err != nil {
		return nil, err
	}
	gate := newGate(l, src)
	for _, p := range providers {
		if err := gate.admit(ctx, p); err != nil {
			return nil, err
		}
	}
	for _, p := range providers {
		if err := l.obtain(ctx, p, gate); err != nil {
			l.End(ctx)
			return nil, err
		}
	}
	if err := l.checkVars(); err != nil {
		l.End(ctx)
		return nil, err
	}
	return l, nil
}

// checkProviders refuses targets that would get in each other's way. One audience
// for two parties would let either replay its token at the other.
func checkProviders(g *grant.Grant, providers []oidc.Provider) error {
	if len(providers) == 0 {
		return &oidc.Error{Stage: oidc.StageDecide, Message: fmt.Sprintf("grant %q has no provider", g.Name),
			Hint: "add a provider's block to it, as in aws: { role: …, region: … }"}
	}
	for i, p := range providers {
		for _, q := range providers[:i] {
			if p.Audience() == q.Audience() {
				return &oidc.Error{Stage: oidc.StageDecide,
					Message: fmt.Sprintf("grant %q has one audience, %q, for both %s and %s", g.Name, p.Audience(), q.Name(), p.Name()),
					Hint:    "give each its own audience: a token for both could be replayed by one at the other"}
			}
		}
	}
	return nil
}

func (l *Lease) obtain(ctx context.Context, p oidc.Provider, gate *gate) error {
	req := oidc.Request{Source: gate, TTL: l.grant.TTL, Run: l.opts.Run}
	cred, err := p.Exchange(ctx, req)
	if err != nil {
		return err
	}
	l.held = append(l.held, held{p, cred})
	public := *cred
	public.Vars, public.Handle.Revoke = nil, ""
	l.observe(Event{Kind: Issuance, Provider: p.Name(), Credential: &public, TTL: req.TTL})
	return p.Verify(cred, req)
}

// checkVars refuses two targets that set one variable: the second would silently
// replace the first.
func (l *Lease) checkVars() error {
	from := map[string]string{}
	for _, h := range l.held {
		for _, v := range h.cred.Vars {
			if err := checkEnvName(v.Name); err != nil {
				return err
			}
			if first, taken := from[v.Name]; taken {
				return overlap(v.Name, first, h.cred.Handle.Provider)
			}
			from[v.Name] = h.cred.Handle.Provider
		}
	}
	return nil
}

func overlap(name, first, second string) *oidc.Error {
	return &oidc.Error{Stage: oidc.StageHandOver,
		Message: fmt.Sprintf("%s is set by both %s and %s", name, first, second),
		Hint:    "use them in two steps or two commands, each with its own grant"}
}

func (l *Lease) observe(e Event) {
	e.At, e.Grant = l.opts.Now(), l.grant.Name
	l.opts.Observe(e)
}

// Grant returns the grant that the lease is of.
func (l *Lease) Grant() *grant.Grant { return l.grant }

// Vars returns the variables of all credentials in the order to set them, and
// none after End.
func (l *Lease) Vars() []oidc.Var {
	l.mu.Lock()
	defer l.mu.Unlock()
	var vars []oidc.Var
	if !l.done {
		for _, h := range l.held {
			vars = append(vars, h.cred.Vars...)
		}
	}
	return vars
}

// Credentials returns what was issued, without the variables and without what
// revokes it, for summaries.
func (l *Lease) Credentials() []oidc.Credential {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]oidc.Credential, 0, len(l.held))
	for _, h := range l.held {
		c := *h.cred
		c.Vars, c.Handle.Revoke = nil, ""
		list = append(list, c)
	}
	return list
}

// State returns what another process needs to end the lease, with the names of
// the variables that this one handed over.
func (l *Lease) State() State {
	s := State{Version: StateVersion, Grant: l.grant.Name, GrantDigest: l.grant.Digest}
	for _, v := range l.Vars() {
		s.Vars = append(s.Vars, v.Name)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, h := range l.held {
		s.Handles = append(s.Handles, h.cred.Handle)
	}
	return s
}

// End ends the credentials, the last one first, and reports on each. It works
// after ctx is cancelled, is idempotent, and gives the same report again.
func (l *Lease) End(ctx context.Context) []Ended {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.done {
		l.done = true
		for _, h := range slices.Backward(l.held) {
			e := endOne(ctx, h.ender, h.cred.Handle)
			l.ended = append(l.ended, e)
			l.observe(Event{Kind: End, Provider: h.cred.Handle.Provider, Ended: e})
		}
	}
	return slices.Clone(l.ended)
}

// An Ender ends credentials of one provider from their handles alone. Every
// oidc.Provider is one.
type Ender interface {
	End(ctx context.Context, h oidc.Handle) oidc.Ending
}

// EndState ends what a state lists, the last one first, as [Lease.End] does. A
// handle of a provider that is not among enders is reported open.
func EndState(ctx context.Context, s State, enders map[string]Ender, opts Options) []Ended {
	now := opts.Now
	if now == nil {
		now = time.Now
	}
	var ended []Ended
	for _, h := range slices.Backward(s.Handles) {
		e := Ended{Handle: withoutRevoke(h), Ending: oidc.Ending{Outcome: oidc.Open, At: now(),
			Detail: fmt.Sprintf("this version of stint has no provider %q", h.Provider)}}
		if ender, known := enders[h.Provider]; known {
			e = endOne(ctx, ender, h)
		}
		ended = append(ended, e)
		if opts.Observe != nil {
			opts.Observe(Event{Kind: End, At: now(), Grant: h.Grant, Provider: h.Provider, Ended: e})
		}
	}
	return ended
}

// endOne outlives the caller's context: a cancelled job must still end its leases.
func endOne(ctx context.Context, ender Ender, h oidc.Handle) Ended {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	return Ended{Handle: withoutRevoke(h), Ending: ender.End(ctx, h)}
}

func withoutRevoke(h oidc.Handle) oidc.Handle {
	h.Revoke = ""
	return h
}
