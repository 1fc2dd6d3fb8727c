package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/lint/report"
	"github.com/stint-dev/stint/oidc"
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
		Use:   "action main|post|lint",
		Short: "what action.yml runs: a grant for the job, or a lint",
		Long: `action is what the launcher of action.yml runs. main reads the inputs of the
step and hands the credentials to the later steps of the job; post ends what
main opened, as main left it in the runner's state. lint is what the launcher of
lint/action.yml runs: stint lint with annotations, a summary, and on a pull
request only what it brings.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 && (args[0] == "main" || args[0] == "post" || args[0] == "lint") {
				return nil
			}
			return usage("it is run by the launcher of the action; in a shell use stint exec", "action wants main, post or lint")
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "lint" {
				return actionLint(cmd.Context(), w)
			}
			v, err := at(w)
			if err == nil {
				a := action{world: w, at: v, commands: w.stdout}
				a.at.vars = nil // addresses of a sandbox: the job has them, and post would take them away
				a.stdout, a.stderr = report.Inert(w.stdout), report.Inert(w.stderr)
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
	world    // its outputs hold no command to the runner
	at       venue
	commands io.Writer // where commands to the runner are written
}

// annotate puts the two lines of an error on the page of the run.
func annotate(out io.Writer, level string, err error) {
	message, hint := twoLines(err)
	fmt.Fprintf(out, "::%s title=stint::%s\n", level, report.CommandData(message+"\n"+hint))
}

// main opens the grants and hands them to the job. The state is written before the
// credentials are handed over: whatever goes wrong from there on, post ends them.
func (a action) main(ctx context.Context) error {
	files := a.files()
	if err := files.state.Set(lastState(0)); err != nil {
		return err
	}
	in, err := a.inputs()
	if err != nil {
		return err
	}
	for _, f := range []lease.RunnerFile{files.env, files.output} {
		if err := f.Append(""); err != nil { // before anything is issued in vain
			return err
		}
	}
	job := jobKey(a.world)
	receipts, err := openLedger(a.receiptsPath())
	if err != nil {
		return err
	}
	defer receipts.close(a.stderr)
	saySwept(ctx, a.world, a.at, job, receipts)
	in.notice(a)
	step := actionStep{action: a, in: in, files: files, receipts: receipts, job: job}
	if in.mode == modeProfile {
		return step.profiles(ctx)
	}
	return step.handOver(ctx)
}

// runnerFiles are those by which the step speaks to the runner.
type runnerFiles struct{ state, env, output lease.RunnerFile }

func (a action) files() runnerFiles {
	return runnerFiles{a.file("GITHUB_STATE"), a.file("GITHUB_ENV"), a.file("GITHUB_OUTPUT")}
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

// post ends what main opened, the last first, whatever became of the job. It goes by the
// states, all of which main saved, the empty one after the last included: no step in
// between can put another there. It may run twice.
func (a action) post(ctx context.Context) error {
	states, broken := a.states()
	if len(states) == 0 && broken == nil {
		fmt.Fprintln(a.stdout, "stint: this step opened nothing, so there is nothing to end")
		return nil
	}
	receipts, err := openLedger(a.receiptsPath())
	if err != nil {
		receipts = &ledger{err: err} // a receipt is missing, and the lease is ended all the same
	} else if err := receipts.signedBy(a.input("sign-receipts"), a.at.signing(a.world, "")); err != nil {
		receipts.fail(err)
	}
	defer receipts.close(a.stderr)
	var all lease.State // one, so that all share the time that a cancelled job has
	for _, s := range states {
		if err := s.EmptyListed(a.getenv("RUNNER_TEMP")); err != nil {
			broken = cmp.Or(broken, err)
		} else if s.Dir != "" {
			fmt.Fprintf(a.stdout, "stint: %s: removed its private files\n", workflows.Printable(s.Grant))
		}
		all.Handles, all.Vars = append(all.Handles, s.Handles...), append(all.Vars, s.Vars...)
	}
	ended := lease.EndState(ctx, all, a.at.enders(a.world), lease.Options{Now: a.now, Observe: receipts.after(a.world)})
	sayEnded(a.stdout, ended)
	for _, s := range states { // the record is of use until here, should this be killed
		if err := s.RemoveListed(a.getenv("RUNNER_TEMP")); err != nil {
			broken = cmp.Or(broken, err)
		}
	}
	removed := len(all.Vars) > 0 && a.forget(all.Vars)
	a.summarize(summaryOfEnd(states, ended, all.Vars, removed))
	return cmp.Or(broken, openEnd(ended))
}

// states are what main saved, in order. A state that cannot be used is an error, and
// the others are ended all the same.
func (a action) states() (states []lease.State, broken error) {
	for i := 1; ; i++ {
		text := a.getenv("STATE_" + stateName(i))
		if text == "" || i > maxGrants {
			return states, broken
		}
		s, err := lease.DecodeState([]byte(text))
		if err != nil {
			broken = cmp.Or(broken, err)
			continue
		}
		states = append(states, s)
	}
}

// stateName is the name of the n-th state, from 1.
func stateName(n int) string {
	if n == 1 {
		return leaseState
	}
	return fmt.Sprintf("%s_%d", leaseState, n)
}

// openEnd is an error for the first credential of which it is not known that it ended.
func openEnd(ended []lease.Ended) error {
	i := slices.IndexFunc(ended, func(e lease.Ended) bool { return e.Outcome == oidc.Open })
	if i < 0 {
		return nil
	}
	h := ended[i].Handle
	return &failure{exitIncomplete, fmt.Sprintf("a credential of grant %q may still be open: %s", h.Grant, ended[i].Detail),
		fmt.Sprintf("end %q of %s by hand; the cloud lets it expire at %s", h.ID, h.Provider, stamp(h.Expires))}
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
