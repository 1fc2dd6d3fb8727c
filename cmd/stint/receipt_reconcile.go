package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/oidc/receipt/reconcile"
	"github.com/stint-dev/stint/workflows"
)

type reconcileOptions struct{ cloudTrail, vaultAudit, roles []string }

func receiptReconcileCommand(w world) *cobra.Command {
	var o reconcileOptions
	c := &cobra.Command{
		Use:   "reconcile RECEIPTS… --cloudtrail FILE…",
		Short: "find credentials in a cloud's log that no receipt explains",
		Long: `reconcile reads a cloud's own log and tells which credentials of the roles in
the receipts were minted, or used, without a receipt, or used after their end.

CloudTrail: files as they are delivered, the output of aws cloudtrail
lookup-events, or a record a line; plain or gzip. Vault and OpenBao: an audit
log, from its beginning. A log says nothing of other accounts and regions than
its own.

Exit status: 0 every credential has a receipt, 1 some have none, 2 wrong use,
3 a file cannot be read.`,
		Example: `  stint receipt reconcile receipts/*.jsonl --cloudtrail trail.json.gz
  stint receipt reconcile receipts.jsonl --cloudtrail trail.json \
    --role arn:aws:iam::111122223333:role/release`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return o.run(w, args) },
	}
	c.Flags().StringArrayVar(&o.cloudTrail, "cloudtrail", nil, "a log of CloudTrail in `FILE`; may be given again")
	c.Flags().StringArrayVar(&o.vaultAudit, "vault-audit", nil, "an audit log of Vault or OpenBao in `FILE`; may be given again")
	c.Flags().StringArrayVar(&o.roles, "role", nil, "a `ROLE` to ask for though no receipt names it: an ARN, or MOUNT/ROLE; may be given again")
	return c
}

func (o reconcileOptions) run(w world, receipts []string) error {
	if len(o.cloudTrail)+len(o.vaultAudit) == 0 {
		return usage("give one with --cloudtrail or --vault-audit", "there is no log to compare with")
	}
	var l reconcile.Ledger
	broken := false
	for _, path := range receipts {
		_, chain, err := readReceipts(path)
		if err != nil {
			return err
		}
		if len(chain.Breaks) > 0 {
			broken = true
			fmt.Fprintf(w.stdout, "%s is not a whole chain:\n", workflows.Printable(path))
			sayBreaks(w, chain)
		}
		l.AddReceipts(chain)
	}
	for _, role := range o.roles {
		if err := l.AddRole(role); err != nil {
			return asUsage(err)
		}
	}
	if err := o.readLogs(&l); err != nil {
		return err
	}
	r := l.Report()
	sayReport(w, r)
	if broken || len(r.Findings) > 0 {
		return errStatus(exitFindings)
	}
	return nil
}

func (o reconcileOptions) readLogs(l *reconcile.Ledger) error {
	for _, path := range o.cloudTrail {
		if err := readLog(path, l.AddCloudTrail); err != nil {
			return err
		}
	}
	for _, path := range o.vaultAudit {
		if err := readLog(path, l.AddVault); err != nil {
			return err
		}
	}
	return nil
}

func readLog(path string, add func(io.Reader) error) error {
	f, err := machine{}.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return usage("give the log as a file", "there is no file %q", path)
	}
	if err != nil {
		return &failure{exitIncomplete, fmt.Sprintf("the log %q cannot be read: %s", path, reason(err)), "give a file that this user may read"}
	}
	defer f.Close()
	if err := add(f); err != nil {
		return &failure{exitIncomplete, fmt.Sprintf("%q: %s", path, err), nextStep(err)}
	}
	return nil
}

// classText says in words why a credential is told of.
var classText = map[reconcile.Class]string{
	reconcile.Minted:   "was issued, and no receipt has it",
	reconcile.Used:     "was used, and no receipt has it",
	reconcile.AfterEnd: "was used after the end that its receipt states",
}

func sayReport(w world, r reconcile.Report) {
	for _, f := range r.Findings {
		fmt.Fprintf(w.stdout, "%s %s\n", workflows.Printable(f.ID), classText[f.Class])
		say := func(name, value string) {
			if value != "" {
				fmt.Fprintf(w.stdout, "  %-8s %s\n", name, workflows.Printable(value))
			}
		}
		say("role", f.Role)
		say("session", f.Session)
		say("subject", f.Subject)
		say("from", f.From)
		say("when", stamp(f.First)+" to "+stamp(f.Last))
		say("did", fmt.Sprintf("%d events: %s", f.Events, strings.Join(f.Actions, ", ")))
	}
	fmt.Fprintf(w.stdout, "%d events of %d roles, %d credentials without an explanation\n", r.Records, len(r.Roles), len(r.Findings))
	if len(r.Unseen) > 0 {
		fmt.Fprintf(w.stdout, "%d credentials have a receipt and are not in the log: it may be of another time, account or region\n", len(r.Unseen))
	}
}
