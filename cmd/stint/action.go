package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/lease"
	"github.com/stint-dev/stint/workflows"
)

const (
	// leaseState is the name under which main leaves its lease for post. The runner
	// hands a state only to the post step of the very step that saved it.
	leaseState = "lease"
	// receiptsName is the file of receipts in the runner's temporary directory, which
	// all steps of a job share.
	receiptsName = "stint-receipts.jsonl"
)

// actionCommand is the action at a venue. The launcher runs it.
func actionCommand(w world, at func(world) (venue, error)) *cobra.Command {
	c := &cobra.Command{
		Use:   "action main|post",
		Short: "what action.yml runs: open a grant for the job, and end it",
		Long: `action is what the launcher of action.yml runs. main reads the inputs grant,
file and mode and hands the credentials to the later steps of the job; post ends
what main opened, as main left it in the runner's state.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 && (args[0] == "main" || args[0] == "post") {
				return nil
			}
			return usage("it is run by the launcher of the action; in a shell use stint exec", "action wants main or post")
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := at(w)
			if err == nil {
				a := action{world: w, at: v, commands: w.stdout}
				a.at.vars = nil // addresses of a sandbox: the job has them, and post would take them away
				a.stdout, a.stderr = &stepLog{w.stdout}, &stepLog{w.stderr}
				if args[0] == "main" {
					err = a.main(cmd.Context())
				} else {
					err = a.post(cmd.Context())
				}
			}
			var status errStatus
			if err != nil && !errors.As(err, &status) {
				annotate(w.stdout, "error", err)
			}
			return err
		},
	}
	return c
}

// An action is one step of a job that uses the action.
type action struct {
	world    // its outputs are step logs
	at       venue
	commands io.Writer // where commands to the runner are written
}

// A stepLog is the output of a step. The runner takes "##[name]" for a command of
// its own wherever it stands in a line, so that text of others is not given any.
type stepLog struct{ io.Writer }

// Write writes p; no text of ours is split within the sequence.
func (l *stepLog) Write(p []byte) (int, error) {
	_, err := l.Writer.Write([]byte(strings.ReplaceAll(string(p), "##[", "# #[")))
	return len(p), err
}

// annotate puts the two lines of an error on the page of the run.
func annotate(out io.Writer, level string, err error) {
	message, hint := twoLines(err)
	escape := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	fmt.Fprintf(out, "::%s title=stint::%s\n", level, escape.Replace(message+"\n"+hint))
}

// main opens the grant and hands it to the job. The state is written before the
// credentials are handed over: whatever goes wrong from there on, post ends them.
func (a action) main(ctx context.Context) error {
	g, err := a.inputs()
	if err != nil {
		return err
	}
	files := []lease.RunnerFile{a.file("GITHUB_STATE"), a.file("GITHUB_ENV"), a.file("GITHUB_OUTPUT")}
	for _, f := range files {
		if err := f.Append(""); err != nil { // before anything is issued in vain
			return err
		}
	}
	receipts, err := openLedger(a.receiptsPath())
	if err != nil {
		return err
	}
	defer receipts.close(a.stderr)
	x := exchange{w: a.world, at: a.at, grant: g, source: a.at.source(a.world, ""), receipts: receipts}
	l, err := x.open(ctx)
	if err != nil {
		explainRefusal(a.stderr, err)
		a.summarize(summaryOfFailure(g, err))
		return err
	}
	if err := a.handOver(l, files[0], files[1], files[2]); err != nil {
		sayEnded(a.stderr, l.End(ctx))
		return err
	}
	a.tell(l)
	return nil
}

// inputs reads what `with:` says, and the grant that it names.
func (a action) inputs() (*grant.Grant, error) {
	name := strings.TrimSpace(a.getenv("INPUT_GRANT"))
	if name == "" {
		return nil, usage("say which one, as in with: { grant: deploy-site }", "the input grant is missing")
	}
	if mode := cmp.Or(strings.TrimSpace(a.getenv("INPUT_MODE")), "env"); mode != "env" {
		return nil, usage(`leave mode out, or use stint exec for a hand-over to one command`, `there is no mode %q`, mode)
	}
	workspace := a.getenv("GITHUB_WORKSPACE")
	root, err := os.OpenRoot(workspace)
	if workspace == "" || err != nil {
		return nil, usage("run this in a step of a job, where the runner provides GITHUB_WORKSPACE", "there is no workspace at %q", workspace)
	}
	defer root.Close()
	path := cmp.Or(strings.TrimSpace(a.getenv("INPUT_FILE")), grant.Path)
	f, err := readGrants(root, path, "check the repository out in a step before this one, or correct the input file")
	if err != nil {
		return nil, err
	}
	g, err := f.Grant(name)
	if err != nil {
		return nil, asUsage(err)
	}
	return g, nil
}

func (a action) file(name string) lease.RunnerFile {
	return lease.RunnerFile{Name: name, Path: a.getenv(name)}
}

// receiptsPath is "" outside of a runner.
func (a action) receiptsPath() string {
	temp := a.getenv("RUNNER_TEMP")
	if temp == "" {
		return ""
	}
	return filepath.Join(temp, receiptsName)
}

func (a action) handOver(l *lease.Lease, state, env, output lease.RunnerFile) error {
	text, err := l.State().Encode()
	if err != nil {
		return err
	}
	if err := state.Set(lease.Setting{Name: leaseState, Value: oidc.NewSecret(string(text))}); err != nil {
		return err
	}
	if err := l.HandToJob(a.commands, env); err != nil {
		return err
	}
	expires, identities := ends(l)
	return output.Set(
		lease.Setting{Name: "expires", Value: oidc.NewSecret(stamp(expires))},
		lease.Setting{Name: "identity", Value: oidc.NewSecret(strings.Join(identities, "\n"))},
	)
}

// ends gives the first time at which a credential of the lease stops being of use,
// and whose they are.
func ends(l *lease.Lease) (first time.Time, identities []string) {
	for _, c := range l.Credentials() {
		if first.IsZero() || c.UsableUntil.Before(first) {
			first = c.UsableUntil
		}
		identities = append(identities, c.Identity)
	}
	return first, identities
}

// tell says in the log and in the summary what the job has been given.
func (a action) tell(l *lease.Lease) {
	var replaced []string
	for _, v := range l.Vars() {
		if !v.Public && a.getenv(v.Name) != "" {
			replaced = append(replaced, v.Name)
		}
	}
	if len(replaced) > 0 {
		annotate(a.commands, "warning", &failure{
			message: fmt.Sprintf("grant %q replaces credentials that the job had before: %s", l.Grant().Name, strings.Join(replaced, ", ")),
			hint:    "use one grant a job, or give each to its own command with stint exec",
		})
	}
	for _, c := range l.Credentials() {
		fmt.Fprintf(a.stdout, "stint: %s: %s\nstint: %s: %s\n", l.Grant().Name, workflows.Printable(c.Identity), l.Grant().Name, lifetime(c.UsableUntil, c.Expires))
	}
	a.summarize(summaryOfLease(l))
}

// summarize appends to the summary of the step. A runner without one, and a
// failure, change nothing about the credentials.
func (a action) summarize(markdown string) {
	f := a.file("GITHUB_STEP_SUMMARY")
	if f.Path == "" {
		return
	}
	if err := f.Append(markdown); err != nil {
		printError(a.stderr, err)
	}
}

// post ends what main opened, whatever became of the job. It reads the state and
// nothing else that a step in between could have changed.
func (a action) post(ctx context.Context) error {
	text := a.getenv("STATE_" + leaseState)
	if text == "" {
		fmt.Fprintln(a.stdout, "stint: this step opened nothing, so there is nothing to end")
		return nil
	}
	state, err := lease.DecodeState([]byte(text))
	if err != nil {
		return err
	}
	receipts, err := openLedger(a.receiptsPath())
	if err != nil {
		receipts = &ledger{err: err} // a receipt is missing, and the lease is ended all the same
	}
	receipts.run = jobOf(a.world).run(oidc.Claims{})
	defer receipts.close(a.stderr)
	ended := lease.EndState(ctx, state, a.at.enders(a.world), lease.Options{Now: a.now, Observe: receipts.observe})
	sayEnded(a.stdout, ended)
	removed := a.forget(state.Vars)
	a.summarize(summaryOfEnd(state, ended, removed))
	if i := slices.IndexFunc(ended, func(e lease.Ended) bool { return e.Outcome == oidc.Open }); i >= 0 {
		return &failure{exitIncomplete, fmt.Sprintf("a credential of grant %q may still be open: %s", state.Grant, ended[i].Detail),
			fmt.Sprintf("end %q of %s by hand; the cloud lets it expire at %s", ended[i].Handle.ID, ended[i].Handle.Provider, stamp(ended[i].Handle.Expires))}
	}
	return nil
}

// forget empties the variables for the post steps that come after this one, and
// reports whether that was done.
func (a action) forget(names []string) bool {
	settings := make([]lease.Setting, len(names))
	for i, name := range names {
		settings[i].Name = name
	}
	if err := a.file("GITHUB_ENV").Set(settings...); err != nil {
		printError(a.stderr, err)
		return false
	}
	fmt.Fprintf(a.stdout, "stint: emptied for the steps that follow: %s\n", strings.Join(names, ", "))
	return true
}
