package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/sandbox"
)

type sandboxOptions struct {
	file, repository, grant           string
	event, ref, environment, workflow string
	noEnvironment                     bool
	log                               bool
}

const sandboxLong = `sandbox runs an issuer of id-tokens, an STS and an object store on loopback, so
that a grant can be tried without a cloud. Each role that the grants name admits
what its grants admit, as far as AWS can tell, and may do everything: what the
store refuses is refused by the grant's own policy.

Without CMD it waits until it is interrupted; with CMD it runs that as the job.
The job is one that the grant is for, unless the flags say otherwise: a push to
another branch, for example, shows how it is refused. In the job write stint
sandbox exec, credential-process and action for the commands of these names,
which take id-tokens from GitHub alone.

The sandbox shows that a grant works as it is written. It does not show that
your role's real trust policy admits the job.`

func sandboxCommand(w world) *cobra.Command {
	var o sandboxOptions
	c := &cobra.Command{
		Use:   "sandbox [flags] [-- CMD…]",
		Short: "try grants on loopback, without a cloud",
		Long:  sandboxLong,
		Example: `  stint sandbox
  stint sandbox run deploy-site -- aws s3 cp index.html s3://site/
  stint sandbox run deploy-site --ref refs/heads/other -- true`,
		DisableFlagsInUseLine: true,

		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && cmd.ArgsLenAtDash() != 0 {
				return usage("put the command after --, or use stint sandbox run GRANT -- CMD", "sandbox does not take %q", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runSandbox(cmd.Context(), w, o, args) },
	}
	o.flags(c)
	c.Flags().StringVar(&o.grant, "grant", "", "the `GRANT` that the job is for, when not the first")
	c.AddCommand(sandboxRunCommand(w), hidden(execCommand(w, outerVenue)), hidden(credentialProcessCommand(w, outerVenue)), hidden(actionCommand(w, outerVenue)))
	return c
}

// hidden leaves a command out of the help: exec and action of the sandbox are for
// tests of workflows, in a job that `stint sandbox -- CMD` runs.
func hidden(c *cobra.Command) *cobra.Command {
	c.Hidden = true
	return c
}

// flags are those of the sandbox and its job.
func (o *sandboxOptions) flags(c *cobra.Command) {
	f := c.Flags()
	if f.Lookup("file") == nil { // exec has one
		f.StringVar(&o.file, "file", grant.Path, "the grant `FILE`")
	}
	f.StringVar(&o.repository, "repository", "", "`OWNER/REPO` of the job")
	f.StringVar(&o.event, "event", "", "`EVENT` that started the job, as in push")
	f.StringVar(&o.ref, "ref", "", "`REF` of the job, as in refs/heads/main")
	f.StringVar(&o.environment, "environment", "", "`ENVIRONMENT` of the job")
	f.BoolVar(&o.noEnvironment, "no-environment", false, "the job has no environment")
	f.StringVar(&o.workflow, "workflow", "", "`PATH` of the job's workflow file")
	f.BoolVar(&o.log, "log", false, "say on stderr what the sandbox was asked and why it refused")
}

func sandboxRunCommand(w world) *cobra.Command {
	var o sandboxOptions
	var e execOptions
	c := &cobra.Command{
		Use:   "run GRANT [flags] -- CMD…",
		Short: "trade a grant in a sandbox and run a command with it",
		Long: `run is stint exec in a sandbox of its own. CMD finds the sandbox's object store
and STS by AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL_STS, which AWS's tools know.`,
		DisableFlagsInUseLine: true,

		Args: grantAndCommand,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file, o.grant = e.file, firstOf(args[0])
			s, err := o.start(cmd.Context(), w)
			if err != nil {
				return err
			}
			defer s.close()
			at, err := venueOf(s.Sandbox)
			if err != nil {
				return err
			}
			return runExec(cmd.Context(), s.world(w), at, e, args)
		},
	}
	e.flags(c)
	o.flags(c)
	return c
}

// firstOf is the first grant of a list.
func firstOf(list string) string {
	first, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(first)
}

// A stage is a running sandbox and one job in it.
type stage struct {
	*sandbox.Sandbox
	job   sandbox.Job
	grant string            // that the job is for
	env   map[string]string // of the job
}

func (s *stage) close() { _ = s.Close() } // nothing of it is left either way

// start runs a sandbox for the grants of a file.
func (o sandboxOptions) start(ctx context.Context, w world) (*stage, error) {
	if o.environment != "" && o.noEnvironment {
		return nil, usage("give one of them", "--environment and --no-environment exclude each other")
	}
	names := grantOptions{file: o.file, repository: o.repository}
	f, g, err := names.grant(o.grantName())
	if err != nil {
		return nil, err
	}
	if g == nil {
		if len(f.Grants) == 0 {
			return nil, &failure{exitUsage, fmt.Sprintf("%s has no grants to try", f.Path), "add one below `grants:`; stint grant schema describes it"}
		}
		g = f.Grants[0]
	}
	for _, each := range f.Grants {
		if _, err := (venue{}).providers(w, each); err != nil {
			return nil, err
		}
	}
	repository := names.repositoryOf(ctx, w).Name
	if repository == "" {
		repository = "example/repository"
	}
	s := &stage{job: o.change(jobFor(g, repository)), grant: g.Name}
	opts := sandbox.Options{Now: w.now}
	if o.log {
		opts.Log = slog.New(&requestLog{out: w.stderr})
	}
	if err := opts.AddGrants(f, sandbox.Repository{Name: repository}); err != nil {
		return nil, asUsage(err)
	}
	if s.Sandbox, err = sandbox.New(opts); err != nil {
		return nil, &failure{exitIncomplete, err.Error(), "check that this machine lets a process listen on 127.0.0.1"}
	}
	if s.env, err = s.Env(s.job); err != nil {
		s.close()
		return nil, &failure{exitUsage, err.Error(), "correct the flags of the job"}
	}
	s.env[stsVariable], s.env[storeVariable] = s.STSURL(), s.StoreURL()
	return s, nil
}

func (o sandboxOptions) grantName() []string {
	if o.grant == "" {
		return nil
	}
	return []string{o.grant}
}

// change makes the job the one that the flags describe.
func (o sandboxOptions) change(j sandbox.Job) sandbox.Job {
	for _, f := range []struct {
		field *string
		value string
	}{{&j.Repository, o.repository}, {&j.Event, o.event}, {&j.Ref, o.ref}, {&j.Environment, o.environment}, {&j.WorkflowPath, o.workflow}} {
		if f.value != "" {
			*f.field = f.value
		}
	}
	if o.noEnvironment {
		j.Environment = ""
	}
	return j
}

// world is the world of the sandbox's job.
func (s *stage) world(w world) world {
	outer := w
	w.getenv = func(name string) string {
		if value, ok := s.env[name]; ok {
			return value
		}
		return outer.getenv(name)
	}
	w.environ = func() []string {
		list := slices.DeleteFunc(outer.environ(), func(entry string) bool {
			name, _, _ := strings.Cut(entry, "=")
			_, ours := s.env[name]
			return ours
		})
		for _, name := range slices.Sorted(maps.Keys(s.env)) {
			list = append(list, name+"="+s.env[name])
		}
		return list
	}
	return w
}

func runSandbox(ctx context.Context, w world, o sandboxOptions, args []string) error {
	o.log = o.log || len(args) == 0
	s, err := o.start(ctx, w)
	if err != nil {
		return err
	}
	defer s.close()
	if len(args) > 0 {
		return runInJob(ctx, s.world(w), args)
	}
	s.describe(w.stdout, o.file)
	<-ctx.Done()
	return nil
}

// stopDelay is how long the command of a sandbox has to stop when it is told to.
const stopDelay = 5 * time.Second

// runInJob runs a command as a step of the sandbox's job.
func runInJob(ctx context.Context, w world, args []string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = w.environ(), w.stdin, w.stdout, w.stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = stopDelay
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return errStatus(exit.ExitCode())
	case errors.As(err, &exit):
		return errStatus(exitIncomplete) // a signal ended it
	case err != nil:
		return &failure{exitUsage, fmt.Sprintf("command %q cannot be run", args[0]), "check its name and PATH"}
	}
	return nil
}

// describe says how to use a sandbox that waits.
func (s *stage) describe(out io.Writer, file string) {
	fmt.Fprintf(out, "A sandbox for the grants of %s\n\n", file)
	for _, f := range []struct{ label, value string }{
		{"issuer", s.IssuerURL()}, {"sts", s.STSURL()}, {"store", s.StoreURL()}, {"", ""},
		{"job of", s.job.Repository}, {"event", s.env["GITHUB_EVENT_NAME"]}, {"ref", s.job.Ref},
		{"workflow", s.job.WorkflowPath}, {"environment", cmp.Or(s.job.Environment, "none")},
	} {
		fmt.Fprintln(out, strings.TrimRight(fmt.Sprintf("  %-12s%s", f.label, f.value), " "))
	}
	fmt.Fprint(out, "\nTo be that job in another shell:\n\n")
	for _, name := range []string{"ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", stsVariable, storeVariable} {
		fmt.Fprintf(out, "  export %s='%s'\n", name, s.env[name])
	}
	fmt.Fprintf(out, `
There, an id-token, as the runner would give it:

  curl -sS -H "Authorization: Bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \
    "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=%[1]s"

There, a command with a grant; stint exec takes tokens from GitHub alone:

  stint sandbox exec %[2]s -- CMD

Anywhere, the same in a sandbox of its own:

  stint sandbox run %[2]s -- CMD

Requests are listed below. Interrupt (Ctrl-C) to end it.

`, sandbox.DefaultAudience, s.grant)
}
