package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/lint/report"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

type reachOptions struct {
	job    string
	format string
	hijack string
}

func reachCommand(w world) *cobra.Command {
	var o reachOptions
	c := &cobra.Command{
		Use:   "reach [PATH…]",
		Short: "show what each job could lose, and to whom",
		Long: `reach prints one line a job: who can start it, the code in it that is steered
furthest from outside, and the credentials in it with their lifetimes.

The number at the end counts pairs of foreign code (code that somebody outside
can still change or choose) and standing credentials (stored secrets) that meet
in one job. Zero is the goal.

Exit status: 0 shown, whatever the number is, 2 wrong use, 3 something could not
be read.`,
		Example: `  stint reach
  stint reach --job release
  stint reach --if tj-actions/changed-files@v45
  stint reach --format html > reach.html`,
		RunE: func(cmd *cobra.Command, args []string) error { return runReach(cmd.Context(), w, o, args) },
	}
	c.Flags().StringVar(&o.job, "job", "", "show one job in full: `ID` or FILE:ID")
	c.Flags().StringVar(&o.format, "format", "text", "`text, json or html`")
	c.Flags().StringVar(&o.hijack, "if", "", "show what would be taken if `OWNER/ACTION[@REF]` were hijacked")
	return c
}

func runReach(ctx context.Context, w world, o reachOptions, args []string) error {
	if o.format != "text" && o.format != "json" && o.format != "html" {
		return usage("use --format text, --format json or --format html", "unknown format %q", o.format)
	}
	if len(args) == 0 {
		args = []string{"."}
	}
	if o.format == "html" {
		if o.job != "" || o.hijack != "" {
			return usage("leave --job and --if out, and filter the page's tables", "--format html shows all jobs")
		}
		return writeReachHTML(ctx, w, args)
	}
	var docs []reach.Document
	found, incomplete := false, false
	var have []string // ids of all jobs, for --job
	for repo, err := range workflows.ReadAhead(ctx, workflows.Open(args, w.stdin)) {
		if err != nil {
			printError(w.stderr, err)
			incomplete = true
			continue
		}
		g := reach.Build(repo)
		jobs, err := hijacked(g, o)
		if err != nil {
			return err
		}
		incomplete = reportUnread(w.stderr, repo) || incomplete
		if o.job != "" {
			for _, j := range jobs {
				have = append(have, j.Job.ID)
			}
			if jobs = jobsNamed(jobs, o.job); len(jobs) == 0 {
				continue
			}
			found = true
		}
		if o.format == "json" {
			docs = append(docs, g.Document(jobs))
			continue
		}
		writeReach(report.Inert(w.stdout), g, jobs, o, terminalWidth(w))
	}
	if o.job != "" && !found && (len(have) > 0 || !incomplete) {
		return noSuchJob(o.job, have)
	}
	if o.format == "json" {
		if err := writeReachJSON(w.stdout, docs); err != nil {
			return err
		}
	}
	if incomplete {
		return errStatus(exitIncomplete)
	}
	return nil
}

// writeReachJSON writes one document for one repository and a list for several.
func writeReachJSON(out io.Writer, docs []reach.Document) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	if len(docs) == 1 {
		return enc.Encode(docs[0])
	}
	return enc.Encode(docs)
}

// hijacked applies --if.
func hijacked(g *reach.Graph, o reachOptions) ([]*reach.Job, error) {
	if o.hijack == "" {
		return g.Jobs, nil
	}
	name, ref, _ := strings.Cut(o.hijack, "@")
	if strings.Count(name, "/") < 1 {
		return nil, usage("write OWNER/ACTION or OWNER/ACTION@REF, as in a uses: line", "%q names no action", o.hijack)
	}
	return g.If(name, ref), nil
}

// jobsNamed returns the jobs that --job names, by ID or FILE:ID.
func jobsNamed(jobs []*reach.Job, name string) []*reach.Job {
	var out []*reach.Job
	for _, j := range jobs {
		full := j.File.Path + ":" + j.Job.ID
		if j.Job.ID == name || full == name || strings.HasSuffix(full, "/"+name) {
			out = append(out, j)
		}
	}
	return out
}

func noSuchJob(name string, have []string) error {
	if len(have) == 0 {
		return usage("give the path of a repository that has workflows", "there is no job %q here, and no other", name)
	}
	slices.Sort(have)
	return usage("the jobs are "+strings.Join(slices.Compact(have), ", "), "there is no job %q", name)
}

// reportUnread names what could not be read and reports whether there was any.
func reportUnread(out io.Writer, repo *workflows.Repository) bool {
	for _, u := range repo.Unread {
		fmt.Fprintf(out, "stint: error: %s: %s\n", workflows.Printable(u.Path), workflows.Printable(u.Reason))
	}
	whole := false
	for _, f := range repo.Files {
		for _, p := range f.Problems {
			if !p.Whole {
				continue
			}
			at := f.Position(p.Span.Start)
			fmt.Fprintf(out, "stint: error: %s:%d: %s\n", workflows.Printable(f.Path), at.Line, workflows.Printable(p.Message))
			whole = true
		}
	}
	if len(repo.Unread) > 0 || whole {
		fmt.Fprintln(out, "stint: hint: mend or remove the files named above; everything else was read")
		return true
	}
	return false
}
