package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/report"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/git"
)

// shortCommit is how many digits of a commit are shown.
const shortCommit = 12

// A change is with what the findings of a run are compared: a commit, a baseline file,
// or nothing.
type change struct {
	since string
	file  string
	known *lint.Known // of file
	into  string      // the file to write
	seen  int         // repositories
}

// change checks the flags of a comparison and reads the baseline.
func (o lintOptions) change() (*change, error) {
	c := &change{since: o.since, file: o.baseline, into: o.writeBaseline}
	given := 0
	for _, flag := range []string{c.since, c.file, c.into} {
		if flag != "" {
			given++
		}
	}
	if given > 1 {
		return nil, usage("leave all but one of them out", "--since, --baseline and --write-baseline contradict each other")
	}
	if c.into != "" && (o.fix != "" || o.diff) {
		return nil, usage("fix first, then write the baseline of what is left", "--write-baseline changes no workflow")
	}
	if o.failOn != "" {
		if _, err := severity(o.failOn); err != nil {
			return nil, err
		}
	}
	if c.file == "" {
		return c, nil
	}
	b, err := readBounded(machine{}, c.file, lint.MaxBaselineBytes)
	if err != nil {
		return nil, usage("write it on the base: stint lint --write-baseline FILE", "the baseline %q cannot be read: %s", c.file, reason(err))
	}
	if c.known, err = lint.ReadBaseline(b); err != nil {
		return nil, usage("write it anew on the base: stint lint --write-baseline FILE", "the baseline %q cannot be used: %s", c.file, err)
	}
	return c, nil
}

// judge leaves in a result what the change brings. A baseline is of one repository,
// because fingerprints name files from its root.
func (c *change) judge(ctx context.Context, w world, o lintOptions, result *lint.Result, opts lint.Options) error {
	c.seen++
	if c.seen > 1 && c.file+c.into != "" {
		return usage("run it once for each repository", "a baseline is of one repository")
	}
	switch {
	case c.into != "":
		return c.write(w, result)
	case c.known != nil:
		c.known.Judge(result, "the baseline "+c.file)
	case c.since != "":
		return c.compare(ctx, w, o, result, opts)
	}
	return nil
}

// write writes the baseline and says on stderr what it holds. The findings are no longer
// the run's.
func (c *change) write(w world, result *lint.Result) error {
	var b bytes.Buffer
	err := lint.WriteBaseline(&b, result)
	if err == nil {
		err = os.WriteFile(c.into, b.Bytes(), 0o666)
	}
	if err != nil {
		return &failure{exitIncomplete, fmt.Sprintf("the baseline %q cannot be written: %s", c.into, reason(err)), "see that its directory is there and may be written to"}
	}
	fmt.Fprintf(w.stderr, "stint: baseline: %d findings in %s\n", len(result.Findings)+result.Suppressed, workflows.Printable(c.into))
	result.Old, result.Findings, result.Compared = result.Findings, nil, "the baseline "+c.into+", just written"
	return nil
}

// compare judges the commit that HEAD and --since have grown from as the result was
// judged, today and with the same rules, by the configuration that it has itself. Where
// the change has another configuration it is judged by both: whoever may propose a change
// could otherwise switch off what would be said of it.
func (c *change) compare(ctx context.Context, w world, o lintOptions, result *lint.Result, opts lint.Options) error {
	if info, err := os.Stat(result.Repository.Root); err != nil || !info.IsDir() {
		return usage("give a directory or a file of it", "--since needs files in a git repository")
	}
	at := git.Open(result.Repository.Root, w.environ())
	commit, err := at.Base(ctx, c.since)
	if err != nil {
		return gitFailure(err)
	}
	dir, err := os.MkdirTemp("", "stint-base-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := export(ctx, at, commit, dir); err != nil {
		return gitFailure(err)
	}
	base, by, err := o.lintBase(ctx, w, dir, result.Repository, opts)
	if err != nil {
		return err
	}
	with := fmt.Sprintf("%s at %.*s", c.since, shortCommit, commit)
	if o.config == "" && edited(dir, result.Repository.Root) {
		with += ", whose " + lint.ConfigPath + " differs: the change is judged by both"
		by.Graph = result.Graph
		result.Join(lint.Run(ctx, result.Repository, by))
	}
	lint.KnownOf(base).Judge(result, with)
	if report.Incomplete(base) {
		result.NotChecked = append(result.NotChecked, "base: it was not read whole, so that some of what is reported may have been there before")
	}
	return nil
}

// export writes what stint reads of a commit below dir, as a repository of its own.
func export(ctx context.Context, at *git.Repository, commit, dir string) error {
	if err := os.Mkdir(filepath.Join(dir, ".git"), 0o700); err != nil {
		return err
	}
	return at.Export(ctx, commit, dir, func(path string) bool {
		return path == lint.ConfigPath || workflows.KindOf(path) != workflows.KindUnknown
	})
}

// lintBase judges the exported files down to the least severity, and returns the options
// that the base's configuration makes. One that cannot be used counts as none: the change
// is there to mend it.
func (o lintOptions) lintBase(ctx context.Context, w world, dir string, head *workflows.Repository, opts lint.Options) (*lint.Result, lint.Options, error) {
	for repo, err := range workflows.Open([]string{dir}, nil).Repositories(ctx) {
		if err != nil {
			return nil, opts, err
		}
		repo.Name, repo.Host = head.Name, head.Host
		by, err := o.of(ctx, w, repo, opts)
		if err != nil {
			by = configured(opts, &lint.Config{})
		}
		all, least := by, reach.Info
		all.MinSeverity, all.NetworkFixes = &least, false
		return lint.Run(ctx, repo, all), by, nil
	}
	return nil, opts, errors.New("the base holds nothing to read")
}

// edited reports whether the configuration on disk is another than the base's.
func edited(base, head string) bool {
	name := filepath.FromSlash(lint.ConfigPath)
	was, _ := readBounded(machine{}, filepath.Join(base, name), lint.MaxConfigBytes)
	is, _ := readBounded(machine{}, filepath.Join(head, name), lint.MaxConfigBytes)
	return !bytes.Equal(was, is)
}

// gitFailure gives a question that git could not answer the status of wrong use.
func gitFailure(err error) error {
	var e *git.Error
	if errors.As(err, &e) {
		return &failure{exitUsage, e.Message, e.Hint}
	}
	return err
}
