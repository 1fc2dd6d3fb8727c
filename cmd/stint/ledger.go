package main

import (
	"io"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/lease"
	"github.com/stint-dev/stint/oidc/receipt"
)

// A ledger writes a receipt for everything that happens to a lease. Without a
// file it writes none.
type ledger struct {
	file  io.WriteCloser
	out   *receipt.Writer
	run   oidc.Run
	grant *grant.Grant // nil after the fact, when only a state is left
	err   error        // the first receipt that could not be written
}

// openLedger opens a file of receipts before anything is issued, so that nothing
// is issued which cannot be recorded. A path of "" records nothing.
func openLedger(path string) (*ledger, error) {
	if path == "" {
		return &ledger{}, nil
	}
	f, err := receipt.OpenFile(path)
	if err != nil {
		return nil, asUsage(err)
	}
	return &ledger{file: f, out: receipt.NewWriter(f)}, nil
}

// of says what the receipts that follow are of.
func (l *ledger) of(run oidc.Run, g *grant.Grant) { l.run, l.grant = run, g }

// observe writes the receipt of an event.
func (l *ledger) observe(e lease.Event) {
	if l.out == nil {
		return
	}
	if err := l.out.Write(l.event(e)); err != nil && l.err == nil {
		l.err = err
	}
}

func (l *ledger) event(e lease.Event) receipt.Event {
	r := receipt.Event{
		Time: e.At, Kind: receipt.Kind(e.Kind), Tool: "stint " + version, Run: receipt.RunOf(l.run),
		Grant: e.Grant, Provider: e.Provider,
	}
	if l.grant != nil {
		r.GrantDigest, r.Intent, r.Owner = l.grant.Digest, l.grant.Intent, l.grant.Owner
	}
	switch e.Kind {
	case lease.Decision:
		r.Claims, r.Decision = receipt.ClaimsOf(e.Claims), receipt.Admitted
		if !e.Decision.Admit {
			r.Decision = receipt.Refused
		}
		for _, why := range e.Decision.Reasons {
			r.Reasons = append(r.Reasons, receipt.Reason{Claim: why.Claim, Expected: why.Expected, Got: why.Got, Class: string(why.Class)})
		}
	case lease.Issuance:
		r.Issued(e.Credential, e.TTL)
	case lease.End:
		r.Ended(e.Ended.Handle, e.Ended.Ending)
	}
	return r
}

// close says on stderr when a receipt is missing: the lease went its way, and the
// record has a hole.
func (l *ledger) close(stderr io.Writer) {
	if l.file != nil {
		if err := l.file.Close(); err != nil && l.err == nil {
			l.err = err
		}
	}
	if l.err != nil {
		printError(stderr, l.err)
	}
}
