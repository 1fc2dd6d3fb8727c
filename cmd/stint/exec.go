package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/lease"
	"github.com/stint-dev/stint/workflows"
)

type execOptions struct {
	file, tokenFile, receipts, sign, mode string
	last                                  time.Duration // --for
	verbose, receiptArgs                  bool
}

const execLong = `exec trades each GRANT for its credentials, runs CMD with them, and ends them
when CMD ends. Several grants are written with commas; two that would set the
same variables are refused. The variables with which id-tokens are asked for,
and ambient cloud credentials, are left out of CMD's environment; so a stint
exec within CMD has nothing to ask with but a --token-file that it is given,
and the outer one is given all grants that are needed.

  --mode env      variables, and files that a cloud's tools need; the default
  --mode broker   an endpoint on 127.0.0.1 that the cloud's tools ask, for AWS,
                  Google Cloud and Azure: a long command has fresh credentials
                  to its end
  --mode file     private files alone, replaced before what is in them ends
  --mode profile  a profile for each AWS grant: a command can have several

Whatever can reach CMD is refreshed until it ends, each time with a new id-token
that is decided like the first; variables of a command that runs cannot change.

That is tidiness, not a wall: code in the same job can read the environment of
another process, or ask for an id-token itself.

Exit status: that of CMD, or 128 and the number of the signal that ended it.
When CMD did not run: 1 the grant is refused, 2 wrong use, 3 no credential,
126 CMD cannot be run, 127 there is no CMD.`

// execCommand is exec at a venue.
func execCommand(w world, at func(world) (venue, error)) *cobra.Command {
	var o execOptions
	c := &cobra.Command{
		Use:   "exec GRANT[,GRANT…] [flags] -- CMD…",
		Short: "run one command with the credentials of a grant",
		Long:  execLong,
		Example: `  stint exec deploy-site -- ./deploy.sh
  stint exec deploy-site,read-secrets --mode broker -- terraform apply
  stint exec deploy-site --receipts receipts.jsonl -- aws s3 sync dist s3://site`,
		DisableFlagsInUseLine: true,
		Args:                  grantAndCommand,
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := at(w)
			if err != nil {
				return err
			}
			return runExec(cmd.Context(), w, v, o, args)
		},
	}
	o.flags(c)
	c.Flags().StringVar(&o.tokenFile, "token-file", "", "take the id-token from `FILE` instead of asking the runner")
	return c
}

// flags are those of every command that runs one under a grant.
func (o *execOptions) flags(c *cobra.Command) {
	c.Flags().StringVar(&o.file, "file", grant.Path, "the grant `FILE`")
	c.Flags().StringVar(&o.receipts, "receipts", "", "append a JSON line for each event to `FILE`")
	c.Flags().BoolVar(&o.receiptArgs, "receipt-args", false, "record all arguments of CMD, not the program alone")
	c.Flags().StringVar(&o.sign, "sign-receipts", "", signHelp)
	c.Flags().StringVar(&o.mode, "mode", modeEnv, "`MODE` of the hand-over: env, broker, file or profile")
	c.Flags().DurationVar(&o.last, "for", 0, "issue nothing that lasts longer than `TIME` from now, as in 2h")
	c.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "say what was issued and what is not passed on")
}

// grantAndCommand wants GRANT -- CMD…
func grantAndCommand(cmd *cobra.Command, args []string) error {
	if len(args) < 2 || cmd.ArgsLenAtDash() != 1 {
		return usage("write it as in: "+cmd.CommandPath()+" deploy-site -- ./deploy.sh", "%s wants a grant, -- and a command", cmd.Name())
	}
	return nil
}

// An execution is one command under its leases.
type execution struct {
	w        world
	at       venue
	o        execOptions
	hand     *handing
	receipts *ledger
}

func runExec(ctx context.Context, w world, at venue, o execOptions, args []string) (err error) {
	// Whoever reads what stint says may be gone: that must not end stint before its lease.
	unread := make(chan os.Signal, 1)
	signal.Notify(unread, syscall.SIGPIPE)
	defer signal.Stop(unread)
	grants, err := o.grants(w, args[0])
	if err != nil {
		return err
	}
	receipts, err := openLedger(o.receipts)
	if err != nil {
		return err
	}
	defer receipts.close(w.stderr)
	receipts.runs(args[1:], o.receiptArgs)
	if err := receipts.signedBy(o.sign, at.signing(w, o.tokenFile)); err != nil {
		return err
	}
	saySwept(ctx, w, at, "", receipts)
	hand, err := newHanding(w, cmp.Or(o.mode, modeEnv), o.until(w))
	if err != nil {
		return err
	}
	defer func() {
		if closing := hand.close(); closing != nil && err == nil {
			err = closing
		}
	}()
	return execution{w, at, o, hand, receipts}.run(ctx, grants, args[1:])
}

// grants reads those that the command line names.
func (o execOptions) grants(w world, names string) ([]*grant.Grant, error) {
	if o.last != 0 && o.last < time.Minute {
		return nil, usage("give a minute or more, as in --for 2h", "--for %s is too short", o.last)
	}
	file, err := readGrants(machine{}, o.file, "run it where the repository is checked out, or name the file with --file")
	if err != nil {
		return nil, err
	}
	return namedGrants(w, file, strings.Split(names, ","), o.tokenFile)
}

// namedGrants are the grants of a list, each once.
func namedGrants(w world, file *grant.File, names []string, tokenFile string) ([]*grant.Grant, error) {
	var list []*grant.Grant
	for _, name := range names {
		g, err := file.Grant(strings.TrimSpace(name))
		if err != nil {
			return nil, asUsage(err)
		}
		if slices.Contains(list, g) {
			return nil, usage("name it once", "grant %q is named twice", g.Name)
		}
		if err := notWithin(w, g, tokenFile); err != nil {
			return nil, err
		}
		list = append(list, g)
	}
	return list, nil
}

// until is the bound of --for, zero without it.
func (o execOptions) until(w world) time.Time {
	if o.last == 0 {
		return time.Time{}
	}
	return w.now().Add(o.last)
}

// saySwept ends what killed runs left open, removes their private files, and says so.
// What cannot be looked at is not worth a command that does not run.
func saySwept(ctx context.Context, w world, at venue, job string, receipts *ledger) {
	left, err := lease.Sweep(w.getenv("RUNNER_TEMP"), job, w.now(), func(open lease.State) {
		fmt.Fprintln(w.stderr, "stint: what a run that was killed had open:")
		sayEnded(w.stderr, lease.EndState(ctx, open, at.enders(w), lease.Options{Now: w.now, Observe: receipts.after(w)}))
	})
	if err != nil {
		return
	}
	for _, path := range left {
		fmt.Fprintf(w.stderr, "stint: removed the private files of a run that was killed: %s\n", workflows.Printable(path))
	}
}

// open opens all grants, or none.
func (x execution) open(ctx context.Context, grants []*grant.Grant) ([]*lease.Lease, error) {
	var leases []*lease.Lease
	for _, g := range grants {
		l, err := exchange{
			w: x.w, at: x.at, grant: g, source: x.at.source(x.w, g, x.o.tokenFile), receipts: x.receipts, hand: x.hand, tell: x.tell,
		}.open(ctx)
		if err != nil {
			sayEnded(x.w.stderr, endAll(ctx, leases))
			explainRefusal(x.w.stderr, err)
			return nil, err
		}
		leases = append(leases, l)
	}
	return leases, nil
}

// endAll ends leases, the last one first.
func endAll(ctx context.Context, leases []*lease.Lease) (ended []lease.Ended) {
	for _, l := range slices.Backward(leases) {
		ended = append(ended, l.End(ctx)...)
	}
	return ended
}

func (x execution) run(ctx context.Context, grants []*grant.Grant, command []string) error {
	leases, err := x.open(ctx, grants)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		sayEnded(x.w.stderr, endAll(ctx, leases))
		return &failure{exitIncomplete, "stopped before the command was started", "run it again"}
	}
	if x.o.verbose {
		sayIssued(x.w, leases)
	}
	names := make([]string, len(grants))
	for i, g := range grants {
		names[i] = g.Name
	}
	// From here on the lease passes signals to the command, which decides itself
	// what to do about them: the end of ctx must not take it down.
	status, ended, err := lease.Run(context.WithoutCancel(ctx), lease.Command{
		Args: command, Env: x.w.environ(), Set: append(x.hand.set(), mark(names)), Stdin: x.w.stdin, Stdout: x.w.stdout, Stderr: x.w.stderr,
	}, leases...)
	sayEnded(x.w.stderr, ended)
	if said := x.hand.said(); said != "" {
		fmt.Fprintf(x.w.stderr, "stint: %s\n", said)
	}
	switch {
	case err != nil:
		return &failure{status, err.Error(), nextStep(err)}
	case status != exitOK:
		return errStatus(status)
	}
	return nil
}

// tell says what happens to a lease while its command runs.
func (x execution) tell(e lease.Event) {
	if e.Kind != lease.Refresh {
		return
	}
	name := workflows.Printable(e.Grant)
	switch {
	case e.Err != nil && e.Last:
		fmt.Fprintf(x.w.stderr, "stint: %s: not refreshed, and not tried again; what the command has is %s: %s\n", name,
			lifetime(e.Credential.UsableUntil, e.Credential.Expires), workflows.Printable(e.Err.Error()))
	case e.Err != nil:
		fmt.Fprintf(x.w.stderr, "stint: %s: not refreshed yet: %s\n", name, workflows.Printable(e.Err.Error()))
	case x.o.verbose:
		fmt.Fprintf(x.w.stderr, "stint: %s: refreshed, %s\n", name, lifetime(e.Credential.UsableUntil, e.Credential.Expires))
	}
}

// sayIssued tells what the command is about to get, and what it does not.
func sayIssued(w world, leases []*lease.Lease) {
	var names []string
	given := map[string]bool{}
	for _, l := range leases {
		names = append(names, l.Grant().Name)
		for _, c := range l.Credentials() {
			fmt.Fprintf(w.stderr, "stint: %s: %s, %s\n", l.Grant().Name, workflows.Printable(c.Identity), lifetime(c.UsableUntil, c.Expires))
		}
		for _, v := range l.Vars() {
			given[v.Name] = true
		}
	}
	env, removed, _ := lease.ChildEnv(w.environ(), leases...) // Run meets the same error
	for _, entry := range env {
		name, _, _ := strings.Cut(entry, "=")
		given[name] = true
	}
	removed = slices.DeleteFunc(removed, func(name string) bool { return given[name] })
	if len(removed) > 0 {
		fmt.Fprintf(w.stderr, "stint: %s: not passed on: %s\n", strings.Join(names, ", "), workflows.Printable(strings.Join(removed, ", ")))
	}
}

// sayEnded tells in one line for each credential what became of it.
func sayEnded(out io.Writer, ended []lease.Ended) {
	for _, e := range ended {
		fmt.Fprintf(out, "stint: %s: %s\n", workflows.Printable(e.Handle.Grant), workflows.Printable(e.Detail))
	}
}

// lifetime says until when a credential is of use, and when that is not when the
// cloud itself lets it expire.
func lifetime(usable, expires time.Time) string {
	if expires.IsZero() {
		return "usable until a time that its issuer does not state"
	}
	text := "usable until " + stamp(usable)
	if usable.Before(expires) {
		text += " (denied from then on by its own policy; it expires at " + stamp(expires) + ")"
	}
	return text
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
