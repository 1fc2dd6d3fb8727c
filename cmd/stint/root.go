package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/oidc/lease"
	"github.com/stint-dev/stint/workflows"
)

// The exit statuses of every command but exec, which ends with its command's own.
const (
	exitOK         = 0 // nothing at or over the threshold
	exitFindings   = 1 // findings at or over it, or a grant refused
	exitUsage      = 2 // the command line or a configuration file is wrong
	exitIncomplete = 3 // something could not be read or done
)

// A failure is an error that ends the program with a status and a next step.
type failure struct {
	status  int
	message string
	hint    string
}

func (f *failure) Error() string    { return f.message }
func (f *failure) NextStep() string { return f.hint }

// usage returns a failure of the command line.
func usage(hint, format string, args ...any) error {
	return &failure{exitUsage, fmt.Sprintf(format, args...), hint}
}

// errStatus ends the program with a status after everything was said.
type errStatus int

func (e errStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// run executes one command line and returns its exit status.
func run(ctx context.Context, w world, args []string) int {
	root := rootCommand(w)
	root.SetArgs(args)
	root.SetIn(w.stdin)
	root.SetOut(w.stdout)
	root.SetErr(w.stderr)
	command, err := root.ExecuteContextC(ctx)
	var status errStatus
	if err == nil {
		return exitOK
	}
	if errors.As(err, &status) {
		return int(status)
	}
	if isUsage(err) && nextStep(err) == "" {
		err = wrongUse(command, err)
	}
	printError(w.stderr, err)
	return statusOf(err)
}

// wrongUse says of a command line that cobra refuses how the command is written.
func wrongUse(command *cobra.Command, err error) error {
	message, suggestion, guessed := strings.Cut(err.Error(), "\n\nDid you mean this?")
	if guessed {
		return usage("did you mean "+strings.Join(strings.Fields(suggestion), ", ")+"? stint help lists the commands", "%s", message)
	}
	name := command.CommandPath()
	if strings.HasPrefix(message, "accepts ") || strings.HasPrefix(message, "requires ") {
		message = "wrong number of arguments for " + name
	}
	return usage(fmt.Sprintf("write %s; %s --help says more", command.UseLine(), name), "%s", message)
}

// statusOf returns the exit status of an error.
func statusOf(err error) int {
	var f *failure
	var refused *lease.Refusal
	switch {
	case errors.As(err, &f):
		return f.status
	case errors.As(err, &refused):
		return exitFindings
	case isUsage(err):
		return exitUsage
	}
	return exitIncomplete
}

// nextStep returns the second line of an error, "" when it has none.
func nextStep(err error) string {
	var next interface{ NextStep() string }
	if errors.As(err, &next) {
		return next.NextStep()
	}
	return ""
}

// isUsage recognises what cobra says of a wrong command line.
func isUsage(err error) bool {
	for _, prefix := range []string{"unknown command", "unknown flag", "unknown shorthand", "flag needs", "invalid argument", "accepts ", "requires ", "bad flag"} {
		if strings.HasPrefix(err.Error(), prefix) {
			return true
		}
	}
	return false
}

// printError writes the two lines: what is wrong, and what to do next.
func printError(out io.Writer, err error) {
	message, hint := twoLines(err)
	fmt.Fprintf(out, "stint: error: %s\nstint: hint: %s\n", message, hint)
}

// twoLines returns what is wrong and what to do next, fit for a terminal.
func twoLines(err error) (message, hint string) {
	message, hint = err.Error(), nextStep(err)
	var open *workflows.OpenError
	switch {
	case errors.As(err, &open):
		message, hint = fmt.Sprintf("cannot read %q: %s", open.Path, open.Reason), open.Hint
	case hint != "":
	default:
		hint = "check the path and the permissions, then run the same command again"
	}
	return workflows.Printable(message), workflows.Printable(hint)
}

func rootCommand(w world) *cobra.Command {
	root := &cobra.Command{
		Use:   "stint",
		Short: "know what every job could lose; then leave it nothing worth stealing",
		Long: `stint tells what each GitHub Actions job could lose and to whom, and trades a
job's id-token for a credential that lasts one task.

Exit status: 0 nothing at or over the threshold, 1 findings or a refused grant,
2 wrong use, 3 something could not be read or done.`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		Version:           version,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages", fmt.Sprintf(".FlagUsagesWrapped %d", defaultWidth)))
	root.SetVersionTemplate("stint {{.Version}}\n")
	root.AddCommand(
		lintCommand(w), configCommand(w), reachCommand(w), rulesCommand(w), explainCommand(w),
		grantCommand(w), execCommand(w, realVenue), credentialProcessCommand(w, realVenue), actionCommand(w, realVenue), sandboxCommand(w), versionCommand(w),
		orgCommand(w), incidentCommand(w),
		trustCommand(w), receiptCommand(w), migrateCommand(w),
		demoCommand(w),
	)
	return root
}
