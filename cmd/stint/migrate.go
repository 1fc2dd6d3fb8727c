package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/report"
	"github.com/stint-dev/stint/lint/rules"
	"github.com/stint-dev/stint/migrate"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

func migrateCommand(w world) *cobra.Command {
	c := &cobra.Command{
		Use:   "migrate",
		Short: "move workflows from other actions and stored keys to grants",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(migrateActionCommand(w), migrateKeysCommand(w))
	return c
}

// A migrateOptions is the command line of both commands.
type migrateOptions struct {
	apply                             bool
	ref, owner, branch, cloud, format string
	values                            []string
	repository, ownerID, id           string
}

func (o *migrateOptions) flags(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&o.apply, "apply", false, "write the files; without it the changes are shown")
	f.StringVar(&o.ref, "ref", "", "the `COMMIT` of stint's action, with its version if you like: \"COMMIT # v1.2.3\"")
	f.StringVar(&o.owner, "owner", "", "who answers for the new grants, as in `@acme/web`; the repository's owner without it")
	f.StringArrayVar(&o.values, "value", nil, "`NAME=TEXT` of a variable or secret that is an identifier and no secret; may be given again")
	f.StringVar(&o.branch, "default-branch", "", "the default `BRANCH`; what the workflows say, else main, without it")
	f.StringVar(&o.repository, "repository", "", "`OWNER/REPO` of the workflows, when nothing here says it")
	f.StringVar(&o.ownerID, "owner-id", "", "decimal `ID` of the repository's owner, for the locks")
	f.StringVar(&o.id, "repository-id", "", "decimal `ID` of the repository, for the locks")
}

func migrateActionCommand(w world) *cobra.Command {
	var o migrateOptions
	c := &cobra.Command{
		Use:   "action FILE…",
		Short: "put grants in the place of steps that log in to a cloud or a vault",
		Long: `action reads workflow files and turns the steps of configure-aws-credentials,
google-github-actions/auth, azure/login and vault-action that use the job's
id-token into steps of stint's action, each with a grant in .github/stint.yml.
It prints the changes to standard output, as a patch, and to standard error what
is left alone and why, what a person has to fill in, and what differs.

Nothing is written without --apply, and never a byte outside of the changes.

Exit status: 0 nothing is left alone, 1 some steps are, 2 wrong use, 3 something
could not be read or written.`,
		Example: `  stint migrate action .github/workflows/deploy.yml
  stint migrate action .github/workflows/*.yml --ref COMMIT --apply \
    --value AWS_ACCOUNT_ID=111122223333`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.each(cmd.Context(), w, args, func(repo *workflows.Repository) (int, error) { return o.action(cmd.Context(), w, repo) })
		},
	}
	o.flags(c)
	return c
}

func migrateKeysCommand(w world) *cobra.Command {
	var o migrateOptions
	c := &cobra.Command{
		Use:   "keys [PATH]",
		Short: "plan how jobs leave the stored keys of clouds and registries",
		Long: `keys takes the findings of long-lived-cloud-key and long-lived-registry-token
and prints for each: the change of the workflow, the grant, the lock for
Terraform and the command line, and the steps in the order in which nothing
breaks, up to the day on which the stored secret is deleted. What cannot move
yet becomes a debt in .github/stint.yml with an owner, a reason and an end.

Exit status: 0 nothing stays, 1 some keys do, 2 wrong use, 3 something could not
be read or written.`,
		Example: `  stint migrate keys --cloud aws
  stint migrate keys --format markdown > issue.md`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"."}
			}
			if o.format != "text" && o.format != "markdown" {
				return usage("use --format text or --format markdown", "unknown format %q", o.format)
			}
			if o.cloud != "" && !slices.Contains(providers.Names(), o.cloud) {
				return usage("use one of "+strings.Join(providers.Names(), ", "), "unknown cloud %q", o.cloud)
			}
			return o.each(cmd.Context(), w, args, func(repo *workflows.Repository) (int, error) { return o.keys(cmd.Context(), w, repo) })
		},
	}
	o.flags(c)
	c.Flags().StringVar(&o.cloud, "cloud", "", "only the keys of this place: `aws`, gcp, azure, or a vault or registry by the name of its provider")
	c.Flags().StringVar(&o.format, "format", "text", "`text or markdown`")
	return c
}

// each does one thing for every repository of the paths; the worst status counts.
func (o migrateOptions) each(ctx context.Context, w world, paths []string, do func(*workflows.Repository) (int, error)) error {
	status := exitOK
	for repo, err := range workflows.Open(paths, w.stdin).Repositories(ctx) {
		if err != nil {
			return err
		}
		for _, u := range repo.Unread {
			fmt.Fprintf(w.stderr, "stint: not read: %s: %s\n", workflows.Printable(u.Path), workflows.Printable(u.Reason))
			status = exitIncomplete
		}
		s, err := do(repo)
		if err != nil {
			return err
		}
		status = max(status, s)
	}
	if status != exitOK {
		return errStatus(status)
	}
	return nil
}

func (o migrateOptions) action(ctx context.Context, w world, repo *workflows.Repository) (int, error) {
	opts, err := o.options(ctx, w, repo)
	if err != nil {
		return exitUsage, err
	}
	result := o.lint(ctx, w, repo, nil)
	plan, err := migrate.Actions(result.Graph, opts)
	if err != nil {
		return exitUsage, asUsage(err)
	}
	out := migrate.Writer{Out: w.stdout, Show: showMasked(result)}
	if err := out.Diffs(plan); err != nil {
		return exitIncomplete, err
	}
	fmt.Fprintf(w.stderr, "stint: %s to move, with %s\n", count(plan.Moved, "step"), count(len(plan.Grants), "new grant"))
	said := migrate.Writer{Out: w.stderr, Show: out.Show}
	if err := said.Notes(plan); err != nil {
		return exitIncomplete, err
	}
	if slices.ContainsFunc(plan.Notes, func(n migrate.Note) bool { return n.Kind == migrate.Left }) {
		return exitFindings, o.write(w, repo, plan)
	}
	return exitOK, o.write(w, repo, plan)
}

func (o migrateOptions) keys(ctx context.Context, w world, repo *workflows.Repository) (int, error) {
	opts, err := o.options(ctx, w, repo)
	if err != nil {
		return exitUsage, err
	}
	result := o.lint(ctx, w, repo, migrate.KeyRules)
	plan, err := migrate.Keys(result.Graph, result.Findings, o.cloud, opts)
	if err != nil {
		return exitUsage, asUsage(err)
	}
	out := migrate.Writer{Out: w.stdout, Show: showMasked(result), Markdown: o.format == "markdown"}
	if err := out.Keys(plan); err != nil {
		return exitIncomplete, err
	}
	if slices.ContainsFunc(plan.Keys, func(k *migrate.Key) bool { return k.Stays != "" }) {
		return exitFindings, o.write(w, repo, &plan.Plan)
	}
	return exitOK, o.write(w, repo, &plan.Plan)
}

// lint runs the named rules, and the one that knows which text must not be shown. The
// repository's own settings count for nothing here: a key that is declared as debt is
// to be left all the same.
func (o migrateOptions) lint(ctx context.Context, w world, repo *workflows.Repository, ids []string) *lint.Result {
	opts := lint.Options{Known: rules.All, Graph: reach.Build(repo), Today: w.now().UTC().Format(time.DateOnly)}
	for _, r := range rules.All {
		if r.ID == "hardcoded-secret" || slices.Contains(ids, r.ID) {
			opts.Rules = append(opts.Rules, r)
		}
	}
	return lint.Run(ctx, repo, opts)
}

// showMasked makes text fit for a terminal, without the credentials of the result.
func showMasked(result *lint.Result) func(string) string {
	return func(text string) string {
		var b strings.Builder
		printDiff(&b, report.Mask(result, text))
		return b.String()
	}
}

// fullCommit is a commit as an action is pinned to one.
var fullCommit = regexp.MustCompile(`^[0-9a-f]{40}$`)

// noCommit stands for the commit of the action in a plan that nobody has named it for.
const noCommit = "COMMIT"

// options makes what a plan needs of a repository.
func (o migrateOptions) options(ctx context.Context, w world, repo *workflows.Repository) (migrate.Options, error) {
	opts := migrate.Options{
		DefaultBranch: o.branch, Values: map[string]string{}, Providers: providers.Names(), Lock: providers.LockOf,
		Today: w.now().UTC().Format(time.DateOnly),
		Check: func(g *grant.Grant) error { _, err := (venue{}).providers(w, g); return err },
	}
	for _, v := range o.values {
		name, text, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return opts, usage("write --value AWS_ACCOUNT_ID=111122223333", "%q is not a name and a value", v)
		}
		opts.Values[name] = text
	}
	name := cmp.Or(o.repository, repo.Name, w.getenv("GITHUB_REPOSITORY"))
	lock := lockOptions{grantOptions: grantOptions{repository: name}, ownerID: o.ownerID, id: o.id}
	var err error
	if opts.Repository, err = lock.trustRepository(ctx, w); err != nil {
		return opts, err
	}
	owner, _, _ := strings.Cut(opts.Repository.Name, "/")
	opts.Owner = cmp.Or(o.owner, "@"+cmp.Or(owner, "OWNER"))
	if err := o.pin(&opts); err != nil {
		return opts, err
	}
	opts.Grants, err = readBounded(machine{}, filepath.Join(repo.Root, filepath.FromSlash(grant.Path)), grant.MaxFileBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return opts, nil
	}
	if err != nil {
		return opts, &failure{exitUsage, fmt.Sprintf("the grant file %q cannot be read: %s", grant.Path, reason(err)), "give a regular file that this user may read"}
	}
	return opts, nil
}

// pin reads --ref: the commit of a release, and nothing less is written.
func (o migrateOptions) pin(opts *migrate.Options) error {
	ref, comment, _ := strings.Cut(o.ref, "#")
	opts.Ref, opts.Version = strings.TrimSpace(ref), strings.TrimSpace(comment)
	switch {
	case opts.Ref == "" && o.apply:
		return usage("name the commit of a release: --ref \"COMMIT # v1.2.3\"", "--apply needs the commit of stint's action")
	case opts.Ref == "":
		opts.Ref = noCommit
	case !fullCommit.MatchString(opts.Ref):
		return usage("write all 40 digits; a tag can be moved", "%q is not a commit", opts.Ref)
	}
	switch {
	case opts.Version != "":
	case version == "dev":
		opts.Version = "unreleased"
	default:
		opts.Version = "v" + version
	}
	return nil
}

// write writes a plan's files, the grants before the workflows that ask for them.
func (o migrateOptions) write(w world, repo *workflows.Repository, plan *migrate.Plan) error {
	if !o.apply {
		return nil
	}
	root, err := os.OpenRoot(repo.Root)
	if err != nil {
		return &failure{exitUsage, "--apply needs files on disk", "give a directory or a file instead of standard input"}
	}
	defer root.Close()
	for _, c := range slices.Backward(plan.Changes) {
		if err := writeChange(root, c); err != nil {
			return err
		}
		fmt.Fprintf(w.stderr, "stint: written: %s\n", workflows.Printable(c.Path))
	}
	return nil
}

// writeChange writes a new file, or replaces one that still is what was read.
func writeChange(root *os.Root, c *migrate.Change) error {
	if c.Before != nil {
		return writeMended(root, &lint.RepairedFile{File: &workflows.File{Path: c.Path, Source: c.Before}, Source: c.After})
	}
	f, err := root.OpenFile(filepath.FromSlash(c.Path), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return &failure{exitIncomplete, fmt.Sprintf("%q cannot be made: %s", c.Path, reason(err)), "check the permissions of its directory, and run the command again"}
	}
	_, err = f.Write(c.After)
	return errors.Join(err, f.Close())
}
