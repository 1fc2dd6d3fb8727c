package lease

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stint-dev/stint/oidc"
)

// How credentials are kept fresh.
const (
	// A credential is refreshed when a third of its life is left, and at least minLeft
	// before its end; up to a tenth of that earlier, so that the jobs of a matrix do not
	// ask all at once.
	lifeParts  = 3
	minLeft    = time.Minute
	jitterPart = 10
	// The n-th wait after a failure is a random part of firstRetry·2ⁿ, at most maxRetry.
	firstRetry = 10 * time.Second
	maxRetry   = time.Minute
	// refreshTimeout bounds one refresh; providers have shorter bounds of their own.
	refreshTimeout = 2 * time.Minute
	// formerLife is how long a replaced credential is left to those who are using it,
	// before it is ended where it can be.
	formerLife = time.Minute
	// minRefresh is the shortest life that is worth an exchange.
	minRefresh = time.Minute
)

// A schedule says what is next for a held credential. A zero time is never.
type schedule struct {
	refresh time.Time // when to ask for a new credential
	fill    time.Time // when to fill the broker's files anew
	tries   int       // that failed since the last success
}

// A former is a credential that was replaced.
type former struct {
	*held
	end time.Time
}

// plan sets when a credential is refreshed. What nobody would see is not: variables
// of a command that runs stay what they are.
func (l *Lease) plan(h *held) {
	now := l.opts.Now()
	h.schedule = schedule{}
	if slices.ContainsFunc(h.files, isFilled) {
		h.schedule.fill = now.Add(oidc.FileLife)
	}
	_, renewed := h.provider.(oidc.Renewed)
	if h.cred.UsableUntil.IsZero() || !l.opts.Followed && !renewed && len(h.files) == 0 {
		return
	}
	if !l.opts.Until.IsZero() && !h.cred.UsableUntil.Before(l.opts.Until.Add(-minRefresh)) {
		return // another could not last longer
	}
	left := max(h.cred.UsableUntil.Sub(now)/lifeParts, minLeft)
	left += time.Duration(l.opts.Rand() * float64(left/jitterPart))
	h.schedule.refresh = h.cred.UsableUntil.Add(-left)
	if !h.schedule.refresh.After(now) { // shorter than minLeft altogether
		h.schedule.refresh = now.Add(h.cred.UsableUntil.Sub(now) / 2)
	}
}

// isFilled reports whether the broker fills the file.
func isFilled(f oidc.PrivateFile) bool { return f.Content.IsZero() }

// Keep keeps the credentials fresh until ctx ends, and returns then, or as soon as
// there is nothing left to be kept. Each new credential comes from a new id-token that
// is decided like the first, and is verified; a replaced one is ended after
// [formerLife] where its cloud can. A failure is tried again until the old credential
// ends. Events tell of each refresh, and of each failure.
func (l *Lease) Keep(ctx context.Context) {
	for {
		at, ok := l.next()
		if !ok {
			return
		}
		if wait := at.Sub(l.opts.Now()); wait > 0 && l.opts.Sleep(ctx, wait) != nil || ctx.Err() != nil {
			return
		}
		l.tend(ctx)
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// next is the time of what is due first.
func (l *Lease) next() (first time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return first, false
	}
	consider := func(t time.Time) {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	for _, h := range l.held {
		consider(h.schedule.refresh)
		consider(h.schedule.fill)
	}
	for _, f := range l.former {
		consider(f.end)
	}
	return first, !first.IsZero()
}

// tend does all that is due. Only one goroutine keeps a lease, so that what is held
// changes in no other; the lock is for those who read it, and for End.
func (l *Lease) tend(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()
	due := func(t time.Time) bool { return !t.IsZero() && !t.After(l.opts.Now()) }
	for i := range l.held {
		if due(l.held[i].schedule.refresh) {
			l.refresh(ctx, i)
		}
		if due(l.held[i].schedule.fill) {
			l.refill(ctx, l.held[i])
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return
	}
	l.former = slices.DeleteFunc(l.former, func(f former) bool {
		if !due(f.end) {
			return false
		}
		l.endOne(ctx, newBudget(1), f.held)
		return true
	})
}

// refresh replaces one credential, or plans another attempt.
func (l *Lease) refresh(ctx context.Context, i int) {
	old := l.held[i]
	req := l.request()
	if req.TTL < minRefresh {
		l.giveUp(old, &oidc.Error{Stage: oidc.StageExchange, Message: fmt.Sprintf("grant %q is not refreshed any more: its time ends at %s", l.grant.Name, stamp(l.opts.Until)),
			Hint: "give it longer with --for, or nothing for as long as the command runs"})
		return
	}
	fresh, err := l.renewed(ctx, old, req)
	if err == nil && fresh == nil {
		fresh, err = l.exchanged(ctx, old, req)
	}
	if err == nil {
		err = l.replace(ctx, i, fresh)
	}
	switch {
	case err != nil && ctx.Err() != nil && errors.Is(context.Cause(ctx), context.Canceled):
		old.schedule.refresh = time.Time{} // the command is over, and so is the keeping
	case err != nil:
		l.retry(old, err)
	default:
		l.observe(Event{Kind: Refresh, Provider: old.provider.Name(), Credential: public(fresh.cred), TTL: req.TTL})
	}
}

// renewed extends a credential in place. It returns nil when it cannot and a new
// exchange may.
func (l *Lease) renewed(ctx context.Context, old *held, req oidc.Request) (*held, error) {
	p, ok := old.provider.(oidc.Renewed)
	if !ok {
		return nil, nil
	}
	// The claims are decided anew, as for an exchange.
	if _, err := l.gate.Token(ctx, p.Audience()); err != nil {
		return nil, err
	}
	cred, err := p.Renew(ctx, old.cred, req)
	if err != nil {
		if l.opts.Followed || len(old.files) > 0 {
			return nil, nil
		}
		return nil, err
	}
	return &held{ender: old.ender, provider: old.provider, cred: cred, vars: old.vars, files: old.files}, nil
}

// exchanged asks for a new credential and verifies it. One that is not good is ended.
func (l *Lease) exchanged(ctx context.Context, old *held, req oidc.Request) (*held, error) {
	cred, err := old.provider.Exchange(ctx, req)
	if err != nil {
		return nil, err
	}
	h := &held{ender: old.ender, provider: old.provider, cred: cred}
	if err := old.provider.Verify(cred, req); err != nil {
		return nil, l.discard(ctx, h, err)
	}
	h.vars, h.files = l.opts.Form(h.provider, cred)
	if !slices.Equal(h.names(), old.names()) {
		return nil, l.discard(ctx, h, &oidc.Error{Stage: oidc.StageHandOver, Message: "the new credential sets other variables than the one it replaces",
			Hint: "end the command and run it again"})
	}
	return h, nil
}

// discard ends a credential that nobody gets.
func (l *Lease) discard(ctx context.Context, h *held, why error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.endOne(ctx, newBudget(1), h)
	return why
}

// replace hands the fresh credential over in place of the old one.
func (l *Lease) replace(ctx context.Context, i int, fresh *held) error {
	old := l.held[i]
	again := fresh.cred.Handle.ID == old.cred.Handle.ID // renewed in place
	if err := l.write(ctx, fresh); err != nil {
		if again {
			return err
		}
		return l.discard(ctx, fresh, err)
	}
	l.plan(fresh)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done { // meanwhile; End has not seen the fresh one
		l.endOne(ctx, newBudget(1), fresh)
		return nil
	}
	l.held[i] = fresh
	if !again {
		l.former = append(l.former, former{old, l.opts.Now().Add(formerLife)})
	}
	// A full disk does not take away what works. The record then lacks the fresh one,
	// which a kill would leave to expire.
	_ = l.record()
	return nil
}

// retry plans another attempt, unless the answer is final or the credential is over.
func (l *Lease) retry(h *held, err error) {
	var refused *Refusal
	bound := min(maxRetry, firstRetry<<min(h.schedule.tries, 8))
	next := l.opts.Now().Add(bound/2 + time.Duration(l.opts.Rand()*float64(bound/2)))
	if errors.As(err, &refused) || !next.Before(h.cred.UsableUntil) {
		l.giveUp(h, err)
		return
	}
	l.mu.Lock()
	h.schedule.tries++
	h.schedule.refresh = next
	l.mu.Unlock()
	l.observe(Event{Kind: Refresh, Provider: h.provider.Name(), Credential: public(h.cred), Err: err})
}

func (l *Lease) giveUp(h *held, err error) {
	l.mu.Lock()
	h.schedule.refresh = time.Time{}
	l.mu.Unlock()
	l.observe(Event{Kind: Refresh, Provider: h.provider.Name(), Credential: public(h.cred), Err: err, Last: true})
}

// refill puts a fresh answer into the files that the broker fills.
func (l *Lease) refill(ctx context.Context, h *held) {
	err := l.write(ctx, h)
	wait := oidc.FileLife
	if err != nil {
		wait = firstRetry
	}
	l.mu.Lock()
	h.schedule.fill = l.opts.Now().Add(wait)
	l.mu.Unlock()
	if err != nil {
		l.observe(Event{Kind: Refresh, Provider: h.provider.Name(), Credential: public(h.cred), Err: err})
	}
}

// write writes the private files of a held credential.
func (l *Lease) write(ctx context.Context, h *held) error {
	var answer oidc.Secret
	for _, f := range h.files {
		content := f.Content
		if isFilled(f) {
			if answer.IsZero() {
				var err error
				if answer, err = l.answer(ctx, h); err != nil {
					return err
				}
			}
			content = answer
		}
		if err := l.put(f.Name, content); err != nil {
			return err
		}
	}
	return nil
}

// put writes a file unless the lease has ended, when its directory is gone.
func (l *Lease) put(name string, content oidc.Secret) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return nil
	}
	_, err := l.dir.Put(name, content)
	return err
}

// Answer is what a broker replies to the tools of a provider: that of the credential
// that is held now, and an error after its end or that of the lease.
func (l *Lease) Answer(ctx context.Context, provider string) (oidc.Secret, error) {
	l.mu.Lock()
	i := slices.IndexFunc(l.held, func(h *held) bool { return h.provider != nil && h.provider.Name() == provider })
	over := l.done || i < 0
	var h *held
	if !over {
		h = l.held[i]
	}
	l.mu.Unlock()
	if over {
		return oidc.Secret{}, &oidc.Error{Stage: oidc.StageHandOver, Message: "the lease has ended", Hint: "run stint exec again"}
	}
	return l.answer(ctx, h)
}

func (l *Lease) answer(ctx context.Context, h *held) (oidc.Secret, error) {
	p, ok := h.provider.(oidc.Brokered)
	if !ok {
		return oidc.Secret{}, &oidc.Error{Stage: oidc.StageHandOver, Message: fmt.Sprintf("%s has nothing to answer its tools", h.provider.Name()),
			Hint: "hand it over in the environment: leave the mode out"}
	}
	if end := h.cred.UsableUntil; !end.IsZero() && !l.opts.Now().Before(end) {
		return oidc.Secret{}, &oidc.Error{Stage: oidc.StageHandOver, Message: fmt.Sprintf("the credential of grant %q ended at %s and was not refreshed", l.grant.Name, stamp(end)),
			Hint: "what stint said of the refresh names the reason"}
	}
	return p.Answer(ctx, h.cred, l.request())
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
