package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/lease"
	"github.com/stint-dev/stint/workflows"
)

type execOptions struct {
	file, tokenFile, receipts string
	verbose                   bool
}

const execLong = `exec trades GRANT for its credentials, runs CMD with them in its environment,
and ends the lease when CMD ends. The variables with which id-tokens are asked
for, and ambient cloud credentials, are left out of CMD's environment.

That is tidiness, not a wall: code in the same job can read the environment of
another process, or ask for an id-token itself.

Exit status: that of CMD, or 128 and the number of the signal that ended it.
When CMD did not run: 1 the grant is refused, 2 wrong use, 3 no credential,
126 CMD cannot be run, 127 there is no CMD.`

// execCommand is exec at a venue.
func execCommand(w world, at func(world) (venue, error)) *cobra.Command {
	var o execOptions
	c := &cobra.Command{
		Use:   "exec GRANT [flags] -- CMD…",
		Short: "run one command with the credentials of a grant",
		Long:  execLong,
		Example: `  stint exec deploy-site -- ./deploy.sh
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
	c.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "say what was issued and what is not passed on")
}

// grantAndCommand wants GRANT -- CMD…
func grantAndCommand(cmd *cobra.Command, args []string) error {
	if len(args) < 2 || cmd.ArgsLenAtDash() != 1 {
		return usage("write it as in: "+cmd.CommandPath()+" deploy-site -- ./deploy.sh", "%s wants a grant, -- and a command", cmd.Name())
	}
	return nil
}

func runExec(ctx context.Context, w world, at venue, o execOptions, args []string) error {
	file, err := readGrants(machine{}, o.file, "run it where the repository is checked out, or name the file with --file")
	if err != nil {
		return err
	}
	g, err := file.Grant(args[0])
	if err != nil {
		return asUsage(err)
	}
	receipts, err := openLedger(o.receipts)
	if err != nil {
		return err
	}
	defer receipts.close(w.stderr)
	l, err := exchange{w: w, at: at, grant: g, source: at.source(w, o.tokenFile), receipts: receipts}.open(ctx)
	if err != nil {
		explainRefusal(w.stderr, err)
		return err
	}
	if ctx.Err() != nil {
		sayEnded(w.stderr, l.End(ctx))
		return &failure{exitIncomplete, "stopped before the command was started", "run it again"}
	}
	if o.verbose {
		sayIssued(w, l)
	}
	// From here on the lease passes signals to the command, which decides itself
	// what to do about them: the end of ctx must not take it down.
	status, ended, err := l.Run(context.WithoutCancel(ctx), lease.Command{
		Args: args[1:], Env: w.environ(), Stdin: w.stdin, Stdout: w.stdout, Stderr: w.stderr,
	})
	sayEnded(w.stderr, ended)
	switch {
	case err != nil:
		return &failure{status, err.Error(), nextStep(err)}
	case status != exitOK:
		return errStatus(status)
	}
	return nil
}

// sayIssued tells what the command is about to get, and what it does not.
func sayIssued(w world, l *lease.Lease) {
	for _, c := range l.Credentials() {
		fmt.Fprintf(w.stderr, "stint: %s: %s, %s\n", l.Grant().Name, workflows.Printable(c.Identity), lifetime(c.UsableUntil, c.Expires))
	}
	_, removed, _ := lease.ChildEnv(w.environ(), l) // Run meets the same error
	removed = slices.DeleteFunc(removed, func(name string) bool {
		return slices.ContainsFunc(l.Vars(), func(v oidc.Var) bool { return v.Name == name })
	})
	if len(removed) > 0 {
		fmt.Fprintf(w.stderr, "stint: %s: not passed on: %s\n", l.Grant().Name, workflows.Printable(strings.Join(removed, ", ")))
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
	text := "usable until " + stamp(usable)
	if usable.Before(expires) {
		text += " (denied from then on by its own policy; it expires at " + stamp(expires) + ")"
	}
	return text
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
