package main

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/org"
)

type incidentOptions struct {
	index, format, since, until, packageName string
}

const incidentFormats = "text, csv, markdown, json"

func incidentCommand(w world) *cobra.Command {
	var o incidentOptions
	c := &cobra.Command{
		Use:   "incident OWNER/ACTION[@REF|@SHA]",
		Short: "which jobs ran what was hijacked, and what to rotate",
		Long: `incident asks the index of stint org, and nobody else: which jobs of which
repositories run an action, also through other actions of the organization,
which credentials they had in reach, and in which order to rotate them.

@SHA, a commit by its first 7 digits or more, hits what is pinned to it and
what uses a tag or branch that a run of stint org saw there; where the commit of
one could not be read, its jobs are listed as possible. @REF hits what uses that
tag or branch, and as possible what is pinned to a commit that it was seen at.
Without either a use that is pinned by commit is not hit. With --package it is
the jobs that install a package by name, and those that install without a lock
and so could have.

--since and --until ask for the time between, as far as the runs of stint org
saw it: what was mended since is listed, too. Without them it is the files as
they are now, and every commit that a tag or branch was ever seen at.

Exit status: 0 no job is hit, 1 some are, 2 wrong use, 3 the index cannot be
read.`,
		Example: `  stint incident tj-actions/changed-files@v45
  stint incident tj-actions/changed-files@0e58ed8671d6
  stint incident reviewdog/action-setup --format markdown \
    --since 2025-03-11 --until 2025-03-12
  stint incident --package npm:chalk@5.6.1 --format csv`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return runIncident(w, o, args) },
	}
	f := c.Flags()
	f.StringVar(&o.index, "index", "", "the index `file`; by default the only one in the user's cache directory")
	f.StringVar(&o.format, "format", "text", "`FORMAT`: "+incidentFormats)
	f.StringVar(&o.packageName, "package", "", "ask for a package, `ECOSYSTEM:NAME[@VERSION]`")
	f.StringVar(&o.since, "since", "", "begin of the time asked for: a `day` or an RFC 3339 time")
	f.StringVar(&o.until, "until", "", "end of it: a `day`, that one included, or an RFC 3339 time")
	return c
}

func runIncident(w world, o incidentOptions, args []string) error {
	q, err := o.query(args)
	if err != nil {
		return err
	}
	write := incidentWriters[o.format]
	if write == nil {
		return usage("the formats are "+incidentFormats, "unknown format %q", o.format)
	}
	path, err := o.path(w)
	if err != nil {
		return err
	}
	x, err := org.Open(path)
	if err != nil {
		return err
	}
	defer x.Close()
	in, err := x.Incident(q)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w.stdout)
	if err := cmp.Or(write(out, in, terminalWidth(w)), out.Flush()); err != nil {
		return err
	}
	if len(in.Hits) > 0 {
		return errStatus(exitFindings)
	}
	return nil
}

// query reads what is asked for.
func (o incidentOptions) query(args []string) (org.Query, error) {
	if (len(args) == 1) == (o.packageName != "") {
		return org.Query{}, usage("write OWNER/ACTION[@REF], or --package ECOSYSTEM:NAME[@VERSION]", "one action or one package has to be asked for")
	}
	var q org.Query
	var err error
	if o.packageName != "" {
		if q, err = org.ParsePackage(o.packageName); err != nil {
			return q, usage("write ECOSYSTEM:NAME[@VERSION]; the ecosystems are "+strings.Join(org.Ecosystems(), ", "), "%s", err)
		}
	} else if q, err = org.ParseAction(args[0]); err != nil {
		return q, usage("write OWNER/ACTION or OWNER/ACTION@REF, as in a uses: line", "%s", err)
	}
	if q.Since, err = day("--since", o.since, 0); err != nil {
		return q, err
	}
	if q.Until, err = day("--until", o.until, 24*time.Hour-time.Second); err != nil {
		return q, err
	}
	if !q.Since.IsZero() && !q.Until.IsZero() && q.Until.Before(q.Since) {
		return q, usage("exchange them", "--until is before --since")
	}
	return q, nil
}

// day reads a day, to which it adds, or a time.
func day(flag, s string, add time.Duration) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t.Add(add), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, usage("write a day as 2026-11-21 or a time as 2026-11-21T08:00:00Z", "%s: %q is no time", flag, s)
	}
	return t.UTC(), nil
}

// path returns the index: --index, or the only one there is.
func (o incidentOptions) path(w world) (string, error) {
	if o.index != "" {
		return o.index, nil
	}
	dir, err := indexDir(w)
	if err != nil {
		return "", err
	}
	found, err := filepath.Glob(filepath.Join(dir, "*", "*"+indexName))
	switch {
	case err != nil || len(found) == 0:
		return "", usage("make one with `stint org NAME`, or name one with --index", "there is no index in %q", dir)
	case len(found) > 1:
		return "", usage("name one of them with --index", "there are %d indexes in %q", len(found), dir+string(os.PathSeparator))
	}
	return found[0], nil
}

func hitLine(h *org.Hit) string { return fmt.Sprintf("%s:%d", h.Path, h.Line) }
