package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/lint/rules"
	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/github"
)

type orgOptions struct {
	index, format, output, shard, settings string
	sweep, dryRun, offline, resolve        bool
	host                                   hostOptions
}

// orgFormats are the formats of `stint org`.
const orgFormats = "text, json, html, csv, markdown, sarif-dir"

func orgCommand(w world) *cobra.Command {
	var o orgOptions
	c := &cobra.Command{
		Use:   "org NAME",
		Short: "know all repositories of an organization at once",
		Long: `org reads the workflows, actions, dependabot and lock files of every repository
of an organization over the API, a hundred repositories a request, into an
index: one file, which later runs bring up to date with a request or two. A run
that was stopped is taken up where it was.

The token is that of GH_TOKEN or GITHUB_TOKEN; on a GitHub Enterprise Server
that of GH_ENTERPRISE_TOKEN or GITHUB_ENTERPRISE_TOKEN. Reading files takes
Metadata and Contents: read. Each of the --settings takes a right of its own;
one that cannot be read is listed as not checked.

Actions are read at the root of a repository, in .github and three directories
below it, and where a file of the repository names them with ./. Not read: those
elsewhere that only other repositories use; the report says which of these it
met.

The commits that the tags and branches of actions name are read as well, also
of those of other owners, in one query for 200 of them; each run adds where they
are, so that stint incident can be asked for a commit. --resolve=false leaves it
out. On a GitHub Enterprise Server actions of github.com are not readable.

The index holds the text of the files that were read, so that other rules need
no request: it is as private as the repositories.

Exit status: 0 everything was read, 2 wrong use, 3 something could not be read.`,
		Example: `  stint org acme --dry-run
  stint org acme
  stint org acme --sweep --settings all --format html --output acme.html
  stint org acme --offline --format json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runOrg(cmd.Context(), w, o, args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.index, "index", "", "the index `file`; by default one in the user's cache directory")
	f.StringVar(&o.format, "format", "text", "`FORMAT`: "+orgFormats)
	f.StringVar(&o.output, "output", "", "write to this `file` (a directory for sarif-dir) instead of standard output")
	f.BoolVar(&o.sweep, "sweep", false, "compare every known repository with the host's: finds what the times of pushes do not tell")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would be asked of the host, and stop")
	f.BoolVar(&o.offline, "offline", false, "ask the host nothing: report what the index has")
	f.BoolVar(&o.resolve, "resolve", true, "read which commits the tags and branches of actions name")
	f.StringVar(&o.settings, "settings", "organization", "which settings and names of secrets to read: `none, organization, all`")
	f.StringVar(&o.shard, "shard", "", "read only this part of the repositories, `I/N`, into an index of its own")
	o.host.flags(f)
	c.AddCommand(orgMergeCommand(w))
	return c
}

func orgMergeCommand(w world) *cobra.Command {
	return &cobra.Command{
		Use:   "merge OUT IN…",
		Short: "put the indexes of shards together in a new one",
		Example: `  stint org merge acme.index shard-1.index shard-2.index
  stint org acme --index acme.index --offline`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(_ *cobra.Command, args []string) error { return mergeIndexes(args[0], args[1:]) },
	}
}

func mergeIndexes(out string, in []string) error {
	var parts []*org.Index
	for _, path := range in {
		p, err := org.Open(path)
		if err != nil {
			return err
		}
		defer p.Close()
		parts = append(parts, p)
	}
	x, err := org.Create(out)
	if err != nil {
		return err
	}
	defer x.Close()
	return org.Merge(x, parts)
}

// organizationName is what an organization may be called.
var organizationName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`)

// An organization is larger than what memory should hold: the heap grows to twice what
// lives while it is read, and half again while it is reported, where much is decoded and
// little kept.
const (
	scanGCPercent   = 100
	reportGCPercent = 50
)

func runOrg(ctx context.Context, w world, o orgOptions, name string) error {
	defer debug.SetGCPercent(debug.SetGCPercent(scanGCPercent))
	host, opts, err := o.scan(w, name)
	if err != nil {
		return err
	}
	path, err := o.path(w, host.name, name)
	if err != nil {
		return err
	}
	if !o.offline {
		if err := o.bringUp(ctx, w, host, path, opts); err != nil || o.dryRun {
			return err
		}
	}
	x, err := org.Open(path)
	if err != nil {
		return err
	}
	defer x.Close()
	return o.report(w, x)
}

// scan makes the options of a scan, and the host, from the command line.
func (o orgOptions) scan(w world, name string) (host, org.Options, error) {
	opts := org.Options{
		Organization: name, Sweep: o.sweep, Resolve: o.resolve, Rules: rules.All, Known: rules.All, Build: build(),
		Today: w.now().UTC().Format(time.DateOnly), Now: w.now,
	}
	if !organizationName.MatchString(name) {
		return host{}, opts, usage("give its name alone, as in: stint org acme", "%q is no organization", name)
	}
	if !strings.Contains(", "+orgFormats+",", ", "+o.format+",") {
		return host{}, opts, usage("the formats are "+orgFormats, "unknown format %q", o.format)
	}
	if o.format == "sarif-dir" && o.output == "" {
		return host{}, opts, usage("name a directory with --output", "--format sarif-dir writes a file for each repository")
	}
	switch o.settings {
	case "none":
	case "organization":
		opts.Inventory = org.OrganizationInventory
	case "all":
		opts.Inventory = org.WholeInventory
	default:
		return host{}, opts, usage("use none, organization or all", "unknown settings %q", o.settings)
	}
	if o.shard != "" {
		shard, err := org.ParseShard(o.shard)
		if err != nil {
			return host{}, opts, usage("write --shard 1/4 for the first of four parts", "%s", err)
		}
		opts.Shard = shard
	}
	h, err := o.host.open(w, name)
	opts.Host = h.name
	return h, opts, err
}

// build names what judges: a development version by its commit.
func build() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || version != "dev" {
		return version
	}
	name := version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" || s.Key == "vcs.modified" {
			name += " " + s.Value
		}
	}
	return name
}

// indexName is the ending of an index in the cache directory.
const indexName = ".index"

// path returns where the index is: --index, or in the user's cache directory by host and
// organization.
func (o orgOptions) path(w world, host, name string) (string, error) {
	if o.index != "" {
		return o.index, nil
	}
	dir, err := indexDir(w)
	if err != nil {
		return "", err
	}
	if o.shard != "" {
		name += "-" + strings.ReplaceAll(o.shard, "/", "-of-")
	}
	return filepath.Join(dir, strings.ReplaceAll(host, ":", "_"), strings.ToLower(name)+indexName), nil
}

func indexDir(w world) (string, error) {
	if dir := w.getenv("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "stint"), nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", usage("name a file with --index", "there is no cache directory for the index")
	}
	return filepath.Join(dir, "stint"), nil
}

// bringUp reads the organization into the index, or says what that would take.
func (o orgOptions) bringUp(ctx context.Context, w world, h host, path string, opts org.Options) error {
	reader, err := h.reader(w)
	if err != nil {
		return err
	}
	if o.dryRun {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			// A plan alone leaves no index behind.
			dir, err := os.MkdirTemp("", "stint-plan-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			path = filepath.Join(dir, "plan"+indexName)
		}
	}
	x, err := org.Create(path)
	if err != nil {
		return err
	}
	defer x.Close()
	if err := writePlan(ctx, w, x, reader, opts); err != nil || o.dryRun {
		return err
	}
	bar := newProgress(w)
	opts.Progress = bar.show
	err = org.Scan(ctx, reader, x, opts)
	bar.done()
	return asScan(err)
}

// writePlan prints the budget.
func writePlan(ctx context.Context, w world, x *org.Index, reader *github.Reader, opts org.Options) error {
	plan, err := x.Plan(opts, 0)
	if err != nil {
		return err
	}
	if plan.Repositories == 0 {
		total, err := reader.Count(ctx, opts.Organization, false)
		if err != nil {
			return asScan(err)
		}
		if plan, err = x.Plan(opts, total); err != nil {
			return err
		}
	}
	budget, err := reader.Budget(ctx)
	if err != nil {
		return asScan(err)
	}
	fmt.Fprintf(w.stderr, "stint: %s\n", planLine(plan, budget))
	return nil
}

func planLine(p org.Plan, b github.Budget) string {
	what := map[string]string{"full": "reads all of", "changed": "reads what changed of", "sweep": "compares all of"}[p.Kind]
	if p.Resumed {
		what = "goes on reading"
	}
	line := fmt.Sprintf("%s %s: about %d GraphQL points%s", what, plural(p.Repositories, "repository", "repositories"), p.Points, left(b.GraphQL))
	switch {
	case p.Refs < 0:
		line += fmt.Sprintf(", and one for each %d tags and branches of actions", github.RefsPerQuery)
	case p.Refs > 0:
		line += fmt.Sprintf(" (with %s of actions)", plural(p.Refs, "tag or branch", "tags and branches"))
	}
	if p.REST > 0 {
		line += fmt.Sprintf(", %d REST requests%s", p.REST, left(b.REST))
	}
	return line + ", " + about(p.Takes)
}

func left(b github.Bucket) string {
	if b.Left < 0 {
		return " (no limit)"
	}
	return fmt.Sprintf(" of %d left", b.Left)
}

func about(d time.Duration) string {
	if d < time.Minute {
		return "less than a minute"
	}
	return fmt.Sprintf("about %d min", int(d.Minutes()+0.5))
}

// asScan gives an error of a scan its second line.
func asScan(err error) error {
	var index *org.IndexError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &index):
		return err
	case errors.Is(err, context.Canceled):
		return &failure{exitIncomplete, "stopped; what was read is kept", "run the same command again to go on"}
	}
	return &failure{exitIncomplete, workflows.Printable(err.Error()), "check the organization, the token and the network, then run the same command again: it goes on where it was"}
}

// destination opens what a report is written to.
func (o orgOptions) destination(w world) (io.Writer, func() error, error) {
	if o.output == "" {
		return w.stdout, func() error { return nil }, nil
	}
	f, err := os.OpenFile(o.output, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, nil, usage("name another file with --output", "cannot write %q", o.output)
	}
	return f, f.Close, nil
}
