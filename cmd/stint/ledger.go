package main

import (
	"context"
	"io"
	"sync"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/lease"
	"github.com/stint-dev/stint/oidc/receipt"
	"github.com/stint-dev/stint/oidc/receipt/seal"
)

// A ledger writes a receipt for everything that happens to leases. Without a file it
// writes none. It is safe for concurrent use.
type ledger struct {
	path string
	file io.Closer
	out  recorder

	command []string     // what the credentials are for, as far as it is recorded
	signer  *seal.Signer // nil signs nothing

	mu  sync.Mutex
	err error // the first receipt that could not be written
}

// A recorder writes one receipt.
type recorder interface{ Write(receipt.Event) error }

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
	return &ledger{path: path, file: f, out: receipt.NewWriter(f)}, nil
}

// after returns what writes the receipts after the fact, when only a state is left.
func (l *ledger) after(w world) func(lease.Event) { return l.of(jobOf(w).run(oidc.Claims{}), nil) }

// of returns what writes the receipts of one lease. g is nil when it is not known.
func (l *ledger) of(run oidc.Run, g *grant.Grant) func(lease.Event) {
	return func(e lease.Event) {
		if l.out == nil {
			return
		}
		r := receiptOf(run, g, e)
		if e.Kind == lease.Issuance {
			r.Command = l.command
		}
		if err := l.out.Write(r); err != nil {
			l.fail(err)
		}
	}
}

// runs says which command the credentials are for. Its arguments, which may hold a
// secret, are recorded only where that was asked for.
func (l *ledger) runs(args []string, all bool) {
	if !all {
		args = args[:min(len(args), 1)]
	}
	l.command = args
}

// signedBy lets close sign the receipts at a place; "" signs nothing. It is called before
// anything is issued, so that a wrong place costs nothing.
func (l *ledger) signedBy(place string, source oidc.Source) error {
	if place == "" {
		return nil
	}
	if l.path == "" {
		return usage("name a file with --receipts", "there are no receipts to sign")
	}
	var err error
	l.signer, err = newSigner(place, source)
	return err
}

// fail keeps the first error for the end.
func (l *ledger) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
}

func receiptOf(run oidc.Run, g *grant.Grant, e lease.Event) receipt.Event {
	r := receipt.Event{
		Time: e.At, Kind: receipt.Kind(e.Kind), Tool: "stint " + version, Run: receipt.RunOf(run),
		Grant: e.Grant, Provider: e.Provider,
	}
	if g != nil {
		r.GrantDigest, r.Intent, r.Owner = g.Digest, g.Intent, g.Owner
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
	case lease.Refresh:
		r.Issued(e.Credential, e.TTL)
		if e.Err != nil { // the credential is still the one before
			r.AskedSeconds, r.GotSeconds, r.Facts = 0, 0, map[string]string{"refresh_error": e.Err.Error()}
		}
	case lease.End:
		r.Ended(e.Ended.Handle, e.Ended.Ending)
	}
	return r
}

// close signs, and says on stderr when a receipt or the signature is missing: the lease
// went its way, and the record has a hole.
func (l *ledger) close(stderr io.Writer) {
	if l.file != nil {
		if err := l.file.Close(); err != nil {
			l.fail(err)
		}
	}
	if l.signer != nil {
		if err := signReceipts(context.Background(), l.signer, l.path); err != nil {
			l.fail(err)
		}
	}
	if l.err != nil {
		printError(stderr, l.err)
	}
}
