package lease

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
)

// endTimeout bounds the end of all credentials of a lease or a state, each of which
// has an equal share of what is left. A cancelled job has 7.5 seconds after the first
// signal and 2.5 after the second before it is killed.
const endTimeout = 7 * time.Second

// Options are what a lease takes from outside.
type Options struct {
	// Run names the run to the providers.
	Run oidc.Run
	// Expect is what the job's surroundings say: the repository that holds the
	// grant file, and the issuer. Audience and Now are set for each token.
	Expect grant.Expect
	// Now is the clock; nil is the real one.
	Now func() time.Time
	// Observe is called for every decision, issuance, refresh and end, one at a time;
	// nil observes nothing. Events hold no secret.
	Observe func(Event)

	// Form says how a credential is handed over; nil is as the provider itself gives
	// it. A file without content is filled with the [oidc.Brokered] provider's answer.
	Form func(oidc.Provider, *oidc.Credential) ([]oidc.Var, []oidc.PrivateFile)
	// Also are public variables that a command gets beside, such as the addresses of a
	// sandbox. Several leases of one command have the same.
	Also []oidc.Var
	// Temp and Job are where private files are kept, and for which job, as in
	// [NewDirectory].
	Temp, Job string

	// Followed says that a new credential reaches who uses the lease, as through a
	// broker. Without it only what has files, or is renewed in place, is refreshed.
	Followed bool
	// Until is when the last credential ends at the latest; zero sets no bound.
	Until time.Time
	// Sleep waits between refreshes, and returns early with the context's error; nil
	// waits on a timer. Rand gives numbers in [0,1) for their jitter; nil is random.
	Sleep func(context.Context, time.Duration) error
	Rand  func() float64
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Observe == nil {
		o.Observe = func(Event) {}
	}
	if o.Form == nil {
		o.Form = func(_ oidc.Provider, c *oidc.Credential) ([]oidc.Var, []oidc.PrivateFile) { return c.Vars, c.Files }
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	return o
}

// A Kind is what an [Event] tells of.
type Kind string

// The kinds of events, those of receipts.
const (
	Decision Kind = "decision"
	Issuance Kind = "issuance"
	Refresh  Kind = "refresh"
	End      Kind = "end"
)

// An Event is one thing that happened to a grant. It holds no secret.
type Event struct {
	Kind     Kind
	At       time.Time
	Grant    string
	Provider string
	// Claims and Decision are set for a decision, Credential for an issuance or a
	// refresh (without its variables), Ended for an end. Err says why a refresh did not
	// succeed, and Last that it is not tried again.
	Claims     oidc.Claims
	Decision   grant.Decision
	Credential *oidc.Credential
	TTL        time.Duration // asked for, of an issuance or a refresh
	Err        error
	Last       bool
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

// A held is a credential with the provider that issued it, and what is handed over
// of it.
type held struct {
	ender    Ender
	provider oidc.Provider
	cred     *oidc.Credential
	vars     []oidc.Var
	files    []oidc.PrivateFile
	schedule schedule
}

// A Lease holds the credentials of one grant, one for each of its targets, from
// the moment that all of them are found good. It is safe for concurrent use.
type Lease struct {
	grant *grant.Grant
	opts  Options
	gate  *gate

	observing sync.Mutex

	mu     sync.Mutex
	held   []*held
	former []former // replaced ones, which are ended soon
	dir    *Directory
	done   bool
	ended  []Ended
}

// Open decides the grant on a token for each provider's audience, exchanges, and
// verifies. It gives a lease only when every step of every provider went well, the
// private files included; otherwise it ends what was issued and returns an *oidc.Error.
//
// Each token that a provider sends is decided first, those of later attempts too.
// A refused token ends the opening before anything is sent.
func Open(ctx context.Context, g *grant.Grant, providers []oidc.Provider, src oidc.Source, opts Options) (*Lease, error) {
	l, err := decided(ctx, g, providers, src, opts)
	if err != nil {
		return nil, err
	}
	for _, p := range providers {
		if err := l.obtain(ctx, p); err != nil {
			l.End(ctx)
			return nil, err
		}
	}
	if err := l.place(ctx); err != nil {
		l.End(ctx)
		return nil, err
	}
	return l, nil
}

// Decide decides the grant as Open does first, and asks no provider for anything.
func Decide(ctx context.Context, g *grant.Grant, providers []oidc.Provider, src oidc.Source, opts Options) error {
	_, err := decided(ctx, g, providers, src, opts)
	return err
}

func decided(ctx context.Context, g *grant.Grant, providers []oidc.Provider, src oidc.Source, opts Options) (*Lease, error) {
	l := &Lease{grant: g, opts: opts.withDefaults()}
	if err := checkProviders(g, providers); err != nil {
		return nil, err
	}
	l.gate = newGate(l, src)
	for _, p := range providers {
		if err := l.gate.admit(ctx, p); err != nil {
			return nil, err
		}
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

func (l *Lease) obtain(ctx context.Context, p oidc.Provider) error {
	req := l.request()
	cred, err := p.Exchange(ctx, req)
	if err != nil {
		return err
	}
	h := &held{ender: p, provider: p, cred: cred}
	l.held = append(l.held, h)
	recorded := l.record()
	l.observe(Event{Kind: Issuance, Provider: p.Name(), Credential: public(cred), TTL: req.TTL})
	if recorded != nil {
		return recorded
	}
	if err := p.Verify(cred, req); err != nil {
		return err
	}
	h.vars, h.files = l.opts.Form(p, cred)
	l.plan(h)
	return nil
}

// request asks for the grant's ttl, or for less when the lease's own bound is nearer.
func (l *Lease) request() oidc.Request {
	req := oidc.Request{Source: l.gate, TTL: l.grant.TTL, Run: l.opts.Run}
	if left := l.opts.Until.Sub(l.opts.Now()).Truncate(time.Second); !l.opts.Until.IsZero() && left < req.TTL {
		req.TTL = left
	}
	return req
}

// public is a credential without what is secret in it.
func public(c *oidc.Credential) *oidc.Credential {
	p := *c
	p.Vars, p.Files, p.Handle.Revoke = nil, nil, ""
	return &p
}

// place checks what is handed over as a whole, and writes the private files.
func (l *Lease) place(ctx context.Context) error {
	if err := l.checkNames(); err != nil {
		return err
	}
	for _, h := range l.held {
		if len(h.files) == 0 {
			continue
		}
		if err := l.makeDirectory(); err != nil {
			return err
		}
		if err := l.write(ctx, h); err != nil {
			return err
		}
	}
	return l.record()
}

// makeDirectory makes the directory of the private files unless there is one.
func (l *Lease) makeDirectory() (err error) {
	if l.dir == nil {
		l.dir, err = NewDirectory(l.opts.Temp, l.opts.Job)
	}
	return err
}

// record writes beside the private files which credentials are open, for the [Sweep]
// that finds them when this process was killed. Where there is nothing to revoke and
// no private file there is nothing to be found either, and no record.
func (l *Lease) record() error {
	if l.dir == nil && !slices.ContainsFunc(l.held, func(h *held) bool { return h.cred.Handle.Revoke != "" }) {
		return nil
	}
	if err := l.makeDirectory(); err != nil {
		return err
	}
	s := State{Version: StateVersion, Grant: l.grant.Name, GrantDigest: l.grant.Digest}
	for _, f := range l.former {
		s.Handles = append(s.Handles, f.cred.Handle)
	}
	for _, h := range l.held {
		s.Handles = append(s.Handles, h.cred.Handle)
	}
	text, err := s.Encode()
	if err != nil {
		return err
	}
	_, err = l.dir.Put(recordName, oidc.NewSecret(string(text)))
	return err
}

// checkNames refuses two targets that set one variable, or write one file: the second
// would silently replace the first.
func (l *Lease) checkNames() error {
	variables, files := map[string]string{}, map[string]string{recordName: "stint"}
	for _, h := range l.held {
		target := h.cred.Handle.Provider
		for _, name := range h.names() {
			if err := checkEnvName(name); err != nil {
				return err
			}
			if first, taken := variables[name]; taken {
				return overlap(name, first, target)
			}
			variables[name] = target
		}
		for _, f := range h.files {
			if first, taken := files[f.Name]; taken {
				return overlap("the file "+strconv.Quote(f.Name), first, target)
			}
			files[f.Name] = target
		}
	}
	return nil
}

// names are the variables that are set for a held credential.
func (h *held) names() []string {
	var names []string
	for _, v := range h.vars {
		names = append(names, v.Name)
	}
	for _, f := range h.files {
		names = append(names, f.Var)
	}
	return names
}

func overlap(name, first, second string) *oidc.Error {
	return &oidc.Error{Stage: oidc.StageHandOver,
		Message: fmt.Sprintf("%s is set by both %s and %s", name, first, second),
		Hint:    "use them in two steps or two commands, each with its own grant"}
}

func (l *Lease) observe(e Event) {
	l.observing.Lock()
	defer l.observing.Unlock()
	e.At, e.Grant = l.opts.Now(), l.grant.Name
	l.opts.Observe(e)
}

// Grant returns the grant that the lease is of.
func (l *Lease) Grant() *grant.Grant { return l.grant }

// Vars returns the variables of all credentials, those with the paths of private
// files included, in the order to set them, and none after End.
func (l *Lease) Vars() []oidc.Var {
	l.mu.Lock()
	defer l.mu.Unlock()
	var vars []oidc.Var
	if l.done {
		return vars
	}
	for _, h := range l.held {
		vars = append(vars, h.vars...)
		for _, f := range h.files {
			vars = append(vars, oidc.Var{Name: f.Var, Value: oidc.NewSecret(filepath.Join(l.dir.Path(), f.Name)), Public: true})
		}
	}
	return vars
}

// Secrets returns what is to be masked: the secret variables and the contents of the
// private files.
func (l *Lease) Secrets() []oidc.Var {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []oidc.Var
	for _, h := range l.held {
		list = append(list, h.cred.Vars...)
		list = append(list, h.vars...)
		for _, f := range h.files {
			list = append(list, oidc.Var{Name: f.Var, Value: f.Content})
		}
	}
	return list
}

// Credentials returns what was issued, without the variables and without what
// revokes it, for summaries.
func (l *Lease) Credentials() []oidc.Credential {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]oidc.Credential, 0, len(l.held))
	for _, h := range l.held {
		list = append(list, *public(h.cred))
	}
	return list
}

// State returns what another process needs to end the lease, with the names of
// the variables that this one handed over and the directory of its private files.
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
	if l.dir != nil {
		s.Dir = l.dir.Path()
	}
	return s
}

// leave keeps the private files for the job, which another process ends.
func (l *Lease) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dir != nil && l.opts.Job != "" {
		l.dir.Leave()
	}
}

// End removes the private files, ends the credentials, the last one first, and then
// the record of them. It reports on each, also on files that could not be removed. It
// works after ctx is cancelled, is idempotent, and gives the same report again.
func (l *Lease) End(ctx context.Context) []Ended {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return slices.Clone(l.ended)
	}
	l.done = true
	if l.dir != nil {
		_ = l.dir.Empty() // what stays is told of when all of it is removed
	}
	budget := newBudget(len(l.former) + len(l.held))
	for _, f := range slices.Backward(l.former) {
		l.endOne(ctx, budget, f.held)
	}
	for _, h := range slices.Backward(l.held) {
		l.endOne(ctx, budget, h)
	}
	if l.dir != nil {
		if err := l.dir.Remove(); err != nil {
			l.ended = append(l.ended, Ended{Handle: oidc.Handle{Grant: l.grant.Name},
				Ending: oidc.Ending{Outcome: oidc.Open, At: l.opts.Now(), Detail: err.Error()}})
		}
	}
	return slices.Clone(l.ended)
}

// endOne is called with the lock held.
func (l *Lease) endOne(ctx context.Context, b *budget, h *held) {
	e := b.end(ctx, h.ender, h.cred.Handle)
	l.ended = append(l.ended, e)
	l.observe(Event{Kind: End, Provider: h.cred.Handle.Provider, Ended: e})
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
	budget := newBudget(len(s.Handles))
	for _, h := range slices.Backward(s.Handles) {
		e := Ended{Handle: withoutRevoke(h), Ending: oidc.Ending{Outcome: oidc.Open, At: now(),
			Detail: fmt.Sprintf("this version of stint has no provider %q", h.Provider)}}
		if ender, known := enders[h.Provider]; known {
			e = budget.end(ctx, ender, h)
		}
		ended = append(ended, e)
		if opts.Observe != nil {
			opts.Observe(Event{Kind: End, At: now(), Grant: h.Grant, Provider: h.Provider, Ended: e})
		}
	}
	return ended
}

// A budget is the time that the end of several credentials may take, so that one cloud
// that does not answer leaves the others theirs.
type budget struct {
	until time.Time
	left  int // credentials
}

func newBudget(credentials int) *budget {
	return &budget{until: time.Now().Add(endTimeout), left: credentials}
}

// end ends one. It outlives the caller's context: a cancelled job must still end its
// leases.
func (b *budget) end(ctx context.Context, ender Ender, h oidc.Handle) Ended {
	share := time.Until(b.until) / time.Duration(max(b.left, 1))
	b.left--
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), share)
	defer cancel()
	return Ended{Handle: withoutRevoke(h), Ending: ender.End(ctx, h)}
}

func withoutRevoke(h oidc.Handle) oidc.Handle {
	h.Revoke = ""
	return h
}
