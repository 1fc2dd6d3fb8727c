package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/report"
	"github.com/stint-dev/stint/lint/rules"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

type lintOptions struct {
	formats                                []string
	minSeverity, failOn                    string
	only, config, fix                      string
	since, baseline, writeBaseline         string
	extendsFrom                            string
	strict, diff, offline, online, suggest bool
}

func lintCommand(w world) *cobra.Command {
	var o lintOptions
	c := &cobra.Command{
		Use:   "lint [PATH…|-]",
		Short: "find what exposes credentials in workflows and actions",
		Long: `lint reads workflows, composite actions, dependabot and lock files below each
PATH (the current directory when there is none; - is standard input) and says
which line exposes which credential. Severity comes from what could be taken:
see stint reach.

With --since or --baseline it says only what a change brings: findings that the
base has not, or through which more could now be lost. What came true of a line
that the change left alone, such as an advisory of today, is a notice.

Exit status: 0 no finding at or over the threshold, 1 findings, 2 wrong use,
3 something could not be read.`,
		Example: `  stint lint
  stint lint --diff
  stint lint --fix --rules unpinned-action
  stint lint --since origin/main --fail-on high
  stint lint --format text --format sarif=stint.sarif`,
		RunE: func(cmd *cobra.Command, args []string) error { return runLint(cmd.Context(), w, o, args) },
	}
	f := c.Flags()
	f.StringArrayVar(&o.formats, "format", []string{"text"}, "`FORMAT`: "+strings.Join(report.Formats(), ", ")+"; FORMAT=FILE writes to a file; may be given again")
	f.StringVar(&o.minSeverity, "min-severity", "", "least `SEVERITY` that is reported: info, low (without it), medium, high or critical")
	f.StringVar(&o.failOn, "fail-on", "", "least `SEVERITY` that fails; all that is reported without it")
	f.StringVar(&o.since, "since", "", "report what came after `REF`: a branch, a commit, or HEAD^1 on a pull request")
	f.StringVar(&o.baseline, "baseline", "", "report what this `file` of an earlier run does not hold")
	f.StringVar(&o.writeBaseline, "write-baseline", "", "write what is found now to a `file` for --baseline, and report nothing")
	f.BoolVar(&o.strict, "strict", false, "add the findings for strict profiles")
	f.StringVar(&o.fix, "fix", "", "apply fixes, by `KIND`: safe ones, or all with --fix=unsafe")
	f.Lookup("fix").NoOptDefVal = "safe"
	f.BoolVar(&o.diff, "diff", false, "print what --fix would change instead of changing it")
	f.StringVar(&o.only, "rules", "", "run only these `ids`, comma separated")
	f.BoolVar(&o.online, "online", false, "ask GitHub what files cannot tell: whose commit it is, what a tag means, new advisories")
	f.BoolVar(&o.offline, "offline", false, "never ask the network, not for fixes either; what needs it is reported as not checked")
	f.BoolVar(&o.suggest, "suggest", false, "in a job for a pull request: post safe fixes as suggestions, with GITHUB_TOKEN")
	f.StringVar(&o.extendsFrom, "extends-from", "", extendsFromUsage)
	f.StringVar(&o.config, "config", "", "use this `file` instead of each repository's .github/stint.yml")
	return c
}

func runLint(ctx context.Context, w world, o lintOptions, args []string) error {
	opts, err := o.engine(w)
	if err != nil {
		return err
	}
	change, err := o.change()
	if err != nil {
		return err
	}
	h, err := o.reports(w, opts.Rules)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{"."}
	}
	status, read := exitOK, 0
	repos := workflows.ReadAhead(ctx, workflows.Open(args, w.stdin))
	for result, err := range lint.RunAll(ctx, repos, func(repo *workflows.Repository) (lint.Options, error) { return o.of(ctx, w, repo, opts) }) {
		if err != nil {
			printError(w.stderr, err)
			status = max(status, statusOf(err))
			continue
		}
		if err := change.judge(ctx, w, o, result, opts); err != nil {
			return err
		}
		s, err := o.hand(w, result, h)
		if err != nil {
			return err
		}
		if o.suggest {
			suggestFixes(ctx, w, result)
		}
		status, read = max(status, s), read+1
	}
	if read == 0 && status >= exitUsage && slices.Equal(o.formats, []string{"text"}) {
		return errStatus(status) // not "no findings": nothing was looked at
	}
	if err := h.Close(); err != nil {
		return err
	}
	if status != exitOK {
		return errStatus(status)
	}
	return nil
}

// engine makes the options of the engine from the command line.
func (o lintOptions) engine(w world) (lint.Options, error) {
	opts := lint.Options{Rules: rules.All, Known: rules.All, Strict: o.strict, Today: w.now().UTC().Format(time.DateOnly)}
	if o.fix != "" && o.fix != "safe" && o.fix != "unsafe" {
		return opts, usage("use --fix or --fix=unsafe", "unknown kind of fix %q", o.fix)
	}
	if o.online && o.offline {
		return opts, usage("leave one of them out", "--online and --offline contradict each other")
	}
	opts.Online, opts.NetworkFixes = o.online, o.fix != "" || o.diff || o.suggest
	if !o.offline && (opts.Online || opts.NetworkFixes) {
		opts.Resolver = newResolver(w)
	}
	if o.minSeverity != "" {
		s, err := severity(o.minSeverity)
		if err != nil {
			return opts, err
		}
		opts.MinSeverity = &s
	}
	if o.only == "" {
		return opts, nil
	}
	opts.Rules = nil
	for _, id := range strings.Split(o.only, ",") {
		i := slices.IndexFunc(rules.All, func(r *lint.Rule) bool { return r.ID == strings.TrimSpace(id) })
		if i < 0 {
			return opts, usage("stint rules lists them", "there is no rule %q", id)
		}
		opts.Rules = append(opts.Rules, rules.All[i])
	}
	return opts, nil
}

func severity(name string) (reach.Severity, error) {
	s, ok := reach.ParseSeverity(name)
	if !ok {
		return s, usage("the severities are info, low, medium, high, critical", "unknown severity %q", name)
	}
	return s, nil
}

// of completes the options of the engine for one repository, and what is known of it.
func (o lintOptions) of(ctx context.Context, w world, repo *workflows.Repository, opts lint.Options) (lint.Options, error) {
	identify(w, repo)
	config, err := o.loadConfig(ctx, w, repo)
	if err != nil {
		return opts, err
	}
	return configured(opts, config), nil
}

// configured returns the options with a configuration and the least severity that it means.
func configured(opts lint.Options, config *lint.Config) lint.Options {
	opts.Config = config
	if opts.MinSeverity == nil && config.MinSeverity == nil {
		low := reach.Low
		opts.MinSeverity = &low
	}
	return opts
}

// hand mends or reports one result, and returns the status.
func (o lintOptions) hand(w world, result *lint.Result, h report.Handler) (int, error) {
	if o.fix != "" || o.diff {
		if err := o.mend(w, result.Repository, result); err != nil {
			return exitIncomplete, err
		}
	}
	if err := h.Repository(result); err != nil {
		return exitIncomplete, err
	}
	switch {
	case report.Incomplete(result):
		return exitIncomplete, nil
	case o.writeBaseline == "" && slices.ContainsFunc(result.Failing(), o.fails):
		return exitFindings, nil
	}
	return exitOK, nil
}

// fails reports whether a finding is over the threshold of --fail-on, which change has
// checked.
func (o lintOptions) fails(f lint.Finding) bool {
	least, _ := reach.ParseSeverity(o.failOn)
	return o.failOn == "" || f.Severity >= least
}

// loadConfig reads the configuration of a repository, or the one of --config.
func (o lintOptions) loadConfig(ctx context.Context, w world, repo *workflows.Repository) (*lint.Config, error) {
	path := o.config
	if path == "" {
		if repo.Root == "-" || repo.Root == "" {
			return &lint.Config{}, nil
		}
		path = filepath.Join(repo.Root, filepath.FromSlash(lint.ConfigPath))
	}
	config, err := newLibrary(w, o.extendsFrom, o.online).readConfig(ctx, path, displayPath(o.config, path))
	switch {
	case errors.Is(err, fs.ErrNotExist) && o.config == "":
		return &lint.Config{}, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, &failure{exitUsage, fmt.Sprintf("the configuration %q cannot be read: %s", path, reason(err)), readableConfig}
	}
	return config, err
}

func displayPath(flag, path string) string {
	if flag != "" {
		return path
	}
	return lint.ConfigPath
}

// mend prints or writes what the fixes change.
func (o lintOptions) mend(w world, repo *workflows.Repository, result *lint.Result) error {
	repair := lint.Mend(result.Findings, o.fix == "unsafe")
	for _, s := range repair.Skipped {
		fmt.Fprintf(w.stderr, "stint: not fixed: %s: %s: %s\n", workflows.Printable(s.Finding.File.Path), s.Finding.Rule.ID, workflows.Printable(s.Why))
	}
	if n := unsafeOnly(result.Findings); n > 0 && o.fix != "unsafe" {
		fmt.Fprintf(w.stderr, "stint: left alone: %d of the fixes could change what a workflow does; look at them with --diff --fix=unsafe\n", n)
	}
	if o.diff {
		for _, f := range repair.Files {
			showPatch(w, f, result)
		}
		return nil
	}
	root, err := os.OpenRoot(repo.Root)
	if err != nil {
		return &failure{exitUsage, "--fix needs files on disk", "give a directory or a file instead of standard input"}
	}
	defer root.Close()
	mended := map[string]bool{}
	for _, f := range repair.Files {
		if err := writeMended(root, f); err != nil {
			return err
		}
		for _, x := range f.Applied {
			mended[x.Fingerprint] = true
		}
		fmt.Fprintf(w.stderr, "stint: fixed: %s: %d\n", workflows.Printable(f.File.Path), len(f.Applied))
	}
	result.Findings = slices.DeleteFunc(result.Findings, func(f lint.Finding) bool { return mended[f.Fingerprint] })
	return nil
}

// unsafeOnly counts the findings that have fixes and no safe one.
func unsafeOnly(findings []lint.Finding) int {
	n := 0
	for _, f := range findings {
		if len(f.Fixes) > 0 && !slices.ContainsFunc(f.Fixes, func(x lint.Fix) bool { return x.Safe }) {
			n++
		}
	}
	return n
}

// showPatch prints what the fixes change in one file, without the credentials of the
// result. In a job of GitHub Actions its lines, which are those of the file, go to a log
// that the runner reads for commands: there they are taken apart.
func showPatch(w world, f *lint.RepairedFile, result *lint.Result) {
	out := w.stdout
	if w.getenv("GITHUB_ACTIONS") == "true" {
		out = report.Inert(out)
	}
	patch := string(f.Diff())
	shown := report.Mask(result, patch)
	if shown != patch {
		fmt.Fprintf(w.stderr, "stint: %s: a credential in this patch is masked, so that its part does not apply; use --fix\n", workflows.Printable(f.File.Path))
	}
	printDiff(out, shown)
}

// printDiff prints a patch; control characters other than tabs and line breaks
// are shown, not sent to the terminal.
func printDiff(out io.Writer, patch string) {
	for _, line := range strings.SplitAfter(patch, "\n") {
		body := strings.TrimRight(line, "\r\n")
		parts := strings.Split(body, "\t")
		for i := range parts {
			parts[i] = workflows.Printable(parts[i])
		}
		fmt.Fprint(out, strings.Join(parts, "\t")+line[len(body):])
	}
}

// writeMended replaces a file by its mended bytes if it still is what was read,
// through a new file beside it, so that a crash leaves the old or the new one.
func writeMended(root *os.Root, f *lint.RepairedFile) error {
	name := filepath.FromSlash(f.File.Path)
	now, err := root.ReadFile(name)
	if err != nil || string(now) != string(f.File.Source) {
		return &failure{exitIncomplete, fmt.Sprintf("%q changed while it was read", f.File.Path), "run the command again"}
	}
	info, err := root.Stat(name)
	if err != nil {
		return err
	}
	temp := name + ".stint-new"
	if err := writeNew(root, temp, f.Source, info.Mode().Perm()); err != nil {
		return &failure{exitIncomplete, fmt.Sprintf("cannot write beside %q", f.File.Path), "check the permissions of its directory"}
	}
	return root.Rename(temp, name)
}

// writeNew writes a file that was not there. What is there, left by a crash or laid by the
// repository itself, is taken away first: a link would lead the bytes elsewhere, such as
// into a hook of git.
func writeNew(root *os.Root, name string, content []byte, mode fs.FileMode) error {
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}
