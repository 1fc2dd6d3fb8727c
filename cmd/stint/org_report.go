package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	lintreport "github.com/stint-dev/stint/lint/report"
	"github.com/stint-dev/stint/lint/rules"
	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/org/posture"
	orgreport "github.com/stint-dev/stint/org/report"
	"github.com/stint-dev/stint/workflows"
)

// orgWriters write an organization, by format; sarif-dir makes files instead.
var orgWriters = map[string]func(w io.Writer, doc *org.Document, width int) error{
	"text": writeOrg,
	"json": func(w io.Writer, doc *org.Document, _ int) error { return orgreport.JSON(w, doc) },
	"csv":  func(w io.Writer, doc *org.Document, _ int) error { return orgreport.CSV(w, doc) },
	"html": func(w io.Writer, doc *org.Document, _ int) error {
		return orgreport.HTML(w, doc, orgreport.Options{})
	},
	"markdown": func(w io.Writer, doc *org.Document, _ int) error { return orgreport.Markdown(w, doc) },
}

// report writes the index in the format, and fails when something could not be read.
func (o orgOptions) report(w world, x *org.Index) error {
	debug.SetGCPercent(reportGCPercent)
	doc, err := x.Document()
	if err != nil {
		return err
	}
	if err := posture.Add(doc, x); err != nil {
		return err
	}
	if o.format == "sarif-dir" {
		err = o.sarif(w, doc)
	} else {
		err = o.write(w, doc)
	}
	var known interface{ NextStep() string }
	switch {
	case errors.As(err, &known):
		return err
	case err != nil:
		return &failure{exitIncomplete, "the report could not be written whole", "check the space and the permissions of its place"}
	case o.shard == "" && !doc.Coverage.Complete:
		return errStatus(exitIncomplete)
	}
	return nil
}

func (o orgOptions) write(w world, doc *org.Document) error {
	to, closeTo, err := o.destination(w)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(to)
	return cmp.Or(orgWriters[o.format](out, doc, terminalWidth(w)), out.Flush(), closeTo())
}

// sarif writes a SARIF file for each repository whose files were read.
func (o orgOptions) sarif(w world, doc *org.Document) error {
	if err := os.MkdirAll(o.output, 0o700); err != nil {
		return usage("name another directory with --output", "cannot make the directory %q", o.output)
	}
	root, err := os.OpenRoot(o.output)
	if err != nil {
		return usage("name another directory with --output", "cannot open the directory %q", o.output)
	}
	defer root.Close()
	unnamed, err := orgreport.SARIFFiles(doc, lintreport.SARIFRules(rules.All), func(name string) (io.WriteCloser, error) {
		return root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	})
	if err == nil && len(unnamed) > 0 {
		return &failure{exitIncomplete, fmt.Sprintf("there is no file for %s: %q is no OWNER/REPO", plural(len(unnamed), "repository", "repositories"), unnamed[0]),
			"read them with --format json"}
	}
	return err
}

// The lengths of the lists in the summary.
const (
	maxPaths     = 10
	maxNotRead   = 5
	maxTrendRuns = 6
)

// writeOrg prints the summary: the number that matters, its trend, the worst jobs, what
// lowers it, and what was not read.
func writeOrg(out io.Writer, doc *org.Document, width int) error {
	sum := orgSum{levers: map[string]*orgLever{}}
	if err := doc.EachAnalysis(func(a *org.Analysis, repositories []int) error {
		sum.add(doc, a, repositories)
		return nil
	}); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s on %s, %s\n\n", workflows.Printable(doc.Organization), workflows.Printable(doc.Host), doc.Scanned.Format("2006-01-02 15:04Z"))
	fmt.Fprintln(out, wrap(fmt.Sprintf("%s of foreign code and standing credential, in %s; zero is the goal.",
		count(doc.Pairs, "pair"), plural(sum.repositories, "repository", "repositories")), width, ""))
	writeTrend(out, doc.Trend)
	if sum.repositories > 0 {
		writeWorst(out, sum.worstJobs(), width)
		writeOrgLevers(out, sum.levers, width)
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
	return nil
}

// notChecked counts the rules about settings that could not be judged somewhere.
func notChecked(doc *org.Document) int {
	rules := map[string]bool{}
	for _, n := range doc.NotChecked {
		rules[n.Rule] = true
	}
	return len(rules)
}
