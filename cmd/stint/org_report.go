package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/report"
	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/org/posture"
	orgreport "github.com/stint-dev/stint/org/report"
	"github.com/stint-dev/stint/workflows"
)

// report writes the index in the format, and fails when something could not be read.
func (o orgOptions) report(ctx context.Context, w world, x *org.Index, opts org.Options) error {
	if o.format == "sarif-dir" {
		return o.sarif(ctx, x, opts)
	}
	doc, err := x.Document()
	if err != nil {
		return err
	}
	if err := posture.Add(doc, x); err != nil {
		return err
	}
	out, closeOut, err := o.destination(w)
	if err != nil {
		return err
	}
	switch o.format {
	case "json":
		err = json.NewEncoder(out).Encode(doc)
	case "csv":
		err = writeOrgCSV(out, doc)
	case "html":
		err = orgreport.HTML(out, doc, orgreport.Options{})
	default:
		writeOrg(out, doc, terminalWidth(w))
	}
	if closed := closeOut(); err == nil {
		err = closed
	}
	if err != nil {
		return &failure{exitIncomplete, "the report could not be written whole", "check the space and the permissions of its place"}
	}
	if o.shard == "" && !doc.Coverage.Complete {
		return errStatus(exitIncomplete)
	}
	return nil
}

// writeOrgCSV writes a line for each job of each repository.
func writeOrgCSV(out io.Writer, doc *org.Document) error {
	c := csv.NewWriter(out)
	c.Write([]string{"repository", "status", "path", "line", "job", "grade", "pairs", "starts", "environment", "worst code", "standing credentials"})
	for _, r := range doc.Repositories {
		a := doc.Analyses[r.Analysis]
		if a == nil || len(a.Jobs) == 0 {
			c.Write(cells(r.Name, string(r.Status), "", "", "", "", "", "", "", "", ""))
			continue
		}
		for i := range a.Jobs {
			j := &a.Jobs[i]
			c.Write(cells(r.Name, string(r.Status), j.Path, strconv.Itoa(j.Place.Line), j.Job, j.Grade, strconv.Itoa(j.Pairs),
				strings.Join(events(j), " "), j.Environment, worstCode(j), strings.Join(standingOf(j), " ")))
		}
	}
	c.Flush()
	return c.Error()
}

// cells makes text fit for a table: one that a spreadsheet would take for a formula is
// quoted, since names of jobs and files are others' words.
func cells(list ...string) []string {
	for i, s := range list {
		s = workflows.Printable(s)
		if s != "" && strings.ContainsAny(s[:1], "=+-@\t\r") {
			s = "'" + s
		}
		list[i] = s
	}
	return list
}

func events(j *org.Job) []string {
	var out []string
	for _, s := range j.Starts {
		out = append(out, s.Event)
	}
	return out
}

func worstCode(j *org.Job) string {
	if len(j.Code) == 0 {
		return ""
	}
	return j.Code[0].Name
}

func standingOf(j *org.Job) []string {
	var out []string
	for _, c := range j.Credentials {
		if c.Lifetime == "standing" {
			out = append(out, c.Name)
		}
	}
	return out
}

// sarif writes a SARIF file for each repository that has files, from the texts that the
// index holds.
func (o orgOptions) sarif(ctx context.Context, x *org.Index, opts org.Options) error {
	if err := os.MkdirAll(o.output, 0o700); err != nil {
		return usage("name another directory with --output", "cannot make the directory %q", o.output)
	}
	root, err := os.OpenRoot(o.output)
	if err != nil {
		return usage("name another directory with --output", "cannot open the directory %q", o.output)
	}
	defer root.Close()
	return x.Lint(ctx, opts, func(r org.Repository, result *lint.Result) error {
		f, err := root.Create(strings.ReplaceAll(filepath.ToSlash(r.Name), "/", "--") + ".sarif")
		if err != nil {
			return usage("name another directory with --output", "cannot write the report of %q", r.Name)
		}
		defer f.Close()
		h, _ := report.New("sarif", f, report.Options{Version: version, Rules: opts.Rules})
		if err := h.Repository(result); err != nil {
			return err
		}
		return h.Close()
	})
}

// The lengths of the lists in the summary.
const (
	maxPaths     = 10
	maxNotRead   = 5
	maxTrendRuns = 6
)

// writeOrg prints the summary: the number that matters, its trend, the worst jobs, what
// lowers it, and what was not read.
func writeOrg(out io.Writer, doc *org.Document, width int) {
	jobs := worstJobs(doc)
	with := map[string]bool{}
	for _, j := range jobs {
		if j.job.Pairs > 0 {
			with[j.repository] = true
		}
	}
	fmt.Fprintf(out, "%s on %s, %s\n\n", workflows.Printable(doc.Organization), workflows.Printable(doc.Host), doc.Scanned.Format("2006-01-02 15:04Z"))
	fmt.Fprintln(out, wrap(fmt.Sprintf("%s of foreign code and standing credential, in %s; zero is the goal.",
		count(doc.Pairs, "pair"), plural(len(with), "repository", "repositories")), width, ""))
	writeTrend(out, doc.Trend)
	if len(with) > 0 {
		jobs = slices.DeleteFunc(jobs, func(j placedJob) bool { return j.job.Pairs == 0 })
		writeWorst(out, jobs[:min(maxPaths, len(jobs))], width)
		writeOrgLevers(out, doc, width)
	}
	writeSecrets(out, doc, width)
	if len(doc.Posture) > 0 {
		fmt.Fprintf(out, "\n%s about settings:\n", count(len(doc.Posture), "finding"))
		for _, f := range doc.Posture[:min(maxPaths, len(doc.Posture))] {
			fmt.Fprintln(out, clip(fmt.Sprintf("  %-8s  %s  %s", f.Severity, cmp.Or(f.Path, doc.Organization), f.Message), width))
		}
		more(out, len(doc.Posture)-maxPaths)
	}
	if n := notChecked(doc); n > 0 {
		fmt.Fprintln(out, "\n"+wrap(fmt.Sprintf("Not checked: %s of settings, which were not readable or not asked for; --format json says which.", count(n, "rule")), width, ""))
	}
	writeCoverage(out, doc, width)
}

// notChecked counts the rules about settings that could not be judged somewhere.
func notChecked(doc *org.Document) int {
	rules := map[string]bool{}
	for _, n := range doc.NotChecked {
		rules[n.Rule] = true
	}
	return len(rules)
}
