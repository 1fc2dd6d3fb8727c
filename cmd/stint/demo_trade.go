package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/lease"
	"github.com/stint-dev/stint/oidc/providers"
	"github.com/stint-dev/stint/oidc/receipt"
	"github.com/stint-dev/stint/oidc/sandbox"
	"github.com/stint-dev/stint/workflows"
)

// The objects that the demo puts: one that the grant names and one that it does not.
const (
	grantedObject = "site/index.html"
	foreignObject = "payroll/2026.csv"
)

// trade shows the grant of the sample at work in a sandbox.
func (d demo) trade(ctx context.Context, s *sample) error {
	fmt.Fprintf(d.w.stdout, "%s says who may have what, and for how long:\n\n", grant.Path)
	in := &indented{to: d.w.stdout}
	_, _ = in.Write(s.grants)
	fmt.Fprintln(d.w.stdout)

	file, err := grant.Parse(grant.Path, s.grants, grant.Options{Providers: providers.Names()})
	if err != nil {
		return err
	}
	box, err := openDemoSandbox(d.w, file)
	if err != nil {
		return err
	}
	defer box.close()
	d.say("", "An issuer, an STS and an object store now run on 127.0.0.1. The job "+box.job.WorkflowPath+" on "+box.job.Ref+
		" asks for the grant and runs a command with it. The store checks the signature, and the policy that came with the session.")
	var receipts bytes.Buffer
	if err := d.put(ctx, box, file.Grants[0], &receipts, grantedObject, exitOK); err != nil {
		return err
	}
	d.say("", "The same command, the same grant, an object that the grant does not name:")
	if err := d.put(ctx, box, file.Grants[0], &receipts, foreignObject, exitFindings); err != nil {
		return err
	}
	d.say("", "A pull request's branch asks for the grant:")
	if err := d.refused(ctx, box, file.Grants[0], &receipts); err != nil {
		return err
	}
	return d.receipts(&receipts)
}

// openDemoSandbox starts a sandbox with the role of the sample's grant, and in it
// the job that the grant is for.
func openDemoSandbox(w world, f *grant.File) (*stage, error) {
	opts := sandbox.Options{Now: w.now}
	if err := opts.AddGrants(f, sandbox.Repository{Name: sampleName}); err != nil {
		return nil, err
	}
	box, err := sandbox.New(opts)
	if err != nil {
		return nil, &failure{exitIncomplete, err.Error(), "check that this machine lets a process listen on 127.0.0.1"}
	}
	s := &stage{Sandbox: box}
	job := jobFor(f.Grants[0], sampleName)
	job.Name = "deploy" // as the sample's workflow calls it
	if err := s.begin(job); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// begin makes j the job of the stage.
func (s *stage) begin(j sandbox.Job) error {
	env, err := s.Env(j)
	if err != nil {
		return err
	}
	s.job, s.env = j, env
	s.env[stsVariable], s.env[storeVariable] = s.STSURL(), s.StoreURL()
	return nil
}

// open trades the grant as the job of the stage.
func (d demo) open(ctx context.Context, s *stage, g *grant.Grant, receipts *bytes.Buffer) (*lease.Lease, error) {
	at, err := venueOf(s.Sandbox)
	if err != nil {
		return nil, err
	}
	w := s.world(d.w)
	return exchange{w: w, at: at, grant: g, source: at.source(w, g, ""), receipts: &ledger{out: demoReceipts{receipts}}}.open(ctx)
}

// demoReceipts keeps receipts in memory.
type demoReceipts struct{ *bytes.Buffer }

// Write adds the line of a receipt.
func (r demoReceipts) Write(e receipt.Event) error {
	line, err := e.Encode()
	if err == nil {
		_, err = r.Buffer.Write(line)
	}
	return err
}

// put runs the command that puts an object under the grant, and holds that it ends
// with the status that is wanted.
func (d demo) put(ctx context.Context, s *stage, g *grant.Grant, receipts *bytes.Buffer, object string, want int) error {
	fmt.Fprintf(d.w.stdout, "\n  $ stint exec %s -- stint demo put %s\n", g.Name, object)
	l, err := d.open(ctx, s, g, receipts)
	if err != nil {
		return err
	}
	out := &indented{to: d.w.stdout}
	for _, c := range l.Credentials() {
		fmt.Fprintf(out, "%s, for %s\n", workflows.Printable(c.Identity), g.TTL)
	}
	status, ended, err := l.Run(ctx, lease.Command{
		Args: append(d.self, object), Env: s.world(d.w).environ(), Stdin: bytes.NewReader(nil), Stdout: out, Stderr: out,
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "exit status %d\n", status)
	for _, e := range ended {
		fmt.Fprintln(d.w.stdout, wrap(workflows.Printable("lease ended: "+e.Detail), defaultWidth, "    "))
	}
	fmt.Fprintln(d.w.stdout)
	if status != want {
		return &failure{exitIncomplete, fmt.Sprintf("the command ended with %d, not with %d", status, want), "this is a defect of stint: please report it"}
	}
	return nil
}

// refused asks as a job that the grant is not for.
func (d demo) refused(ctx context.Context, s *stage, g *grant.Grant, receipts *bytes.Buffer) error {
	other := s.job
	other.Event, other.Ref, other.Environment = "pull_request", "refs/pull/7/merge", ""
	if err := s.begin(other); err != nil {
		return err
	}
	fmt.Fprintf(d.w.stdout, "\n  $ stint exec %s -- stint demo put %s\n", g.Name, grantedObject)
	l, err := d.open(ctx, s, g, receipts)
	var refusal *lease.Refusal
	switch {
	case err == nil:
		l.End(ctx)
		return &failure{exitIncomplete, "a pull request was given the grant", "this is a defect of stint: please report it"}
	case !errors.As(err, &refusal):
		return err
	}
	for _, r := range refusal.Decision.Reasons {
		d.say("    ", r.Text)
	}
	d.say("    ", err.Error())
	fmt.Fprintln(d.w.stdout)
	return nil
}

// receipts shows the receipt of the first issuance and counts the others.
func (d demo) receipts(log *bytes.Buffer) error {
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	for _, line := range lines {
		var e receipt.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return err
		}
		if e.Kind != receipt.Issuance {
			continue
		}
		d.say("", fmt.Sprintf("Every decision, issuance and end left a receipt, %d in all: a line of JSON without a secret. "+
			"The first issuance, laid out and cut to the width of this page:", len(lines)))
		var b bytes.Buffer
		if err := json.Indent(&b, []byte(line), "  ", "  "); err != nil {
			return err
		}
		fmt.Fprintln(d.w.stdout)
		for l := range strings.Lines("  " + b.String()) {
			fmt.Fprintln(d.w.stdout, clip(strings.TrimRight(l, "\n"), defaultWidth))
		}
		return nil
	}
	return &failure{exitIncomplete, "no issuance left a receipt", "this is a defect of stint: please report it"}
}

// ownProgram is the path of the running program.
func ownProgram() ([]string, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, &failure{exitIncomplete, "cannot tell where this program lies", "run it from a file of its own, as in: go build -o stint ./cmd/stint"}
	}
	return []string{path}, nil
}
