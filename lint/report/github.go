package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// shownAnnotations is how many annotations of each level GitHub shows of one step; those
// after it stay in the log without a word.
const shownAnnotations = 10

// github writes workflow commands, which become annotations on the lines of a pull
// request. The worst of a run come first, because GitHub shows the first few only, and a
// notice says how many are left out; the step summary (markdown) has them all.
type github struct {
	out      *bufio.Writer
	findings []lint.Finding
	errors   []string // annotations of what was not read
	files    int
}

func newGitHub(w io.Writer, _ Options) Handler { return &github{out: bufio.NewWriter(w)} }

// annotationLevels maps severities to the commands error, warning and notice.
var annotationLevels = [...]string{
	reach.Info: "notice", reach.Low: "notice", reach.Medium: "warning", reach.High: "error", reach.Critical: "error",
}

func annotationLevel(f *lint.Finding) string {
	if f.Notice {
		return "notice"
	}
	return annotationLevels[f.Severity]
}

// Repository keeps the findings of one repository.
func (g *github) Repository(r *lint.Result) error {
	g.findings = append(g.findings, r.Findings...)
	g.files += judged(r)
	for _, u := range unreadOf(r.Repository) {
		g.errors = append(g.errors, fmt.Sprintf("::error file=%s,line=%d,title=not read::%s", property(u.Path), max(u.Line, 1), CommandData(u.Reason)))
	}
	for _, f := range r.Failures {
		g.errors = append(g.errors, "::error title=stint failed::"+CommandData(f))
	}
	return nil
}

// Close writes one annotation a finding.
func (g *github) Close() error {
	if g.files+len(g.errors) == 0 {
		fmt.Fprintf(g.out, "::warning title=stint::nothing to judge: %s\n", nothingRead)
	}
	for _, e := range g.errors {
		fmt.Fprintln(g.out, e)
	}
	slices.SortStableFunc(g.findings, func(a, b lint.Finding) int {
		return cmp.Or(boolOrder(a.Notice, b.Notice), compareUrgency(&a, &b))
	})
	if n := g.left(); n > 0 {
		fmt.Fprintf(g.out, "::notice title=stint::%s more than GitHub shows beside the lines; the step summary and the log have them\n", plural(n, "finding"))
	}
	for i := range g.findings {
		g.annotate(&g.findings[i])
	}
	return g.out.Flush()
}

// boolOrder puts false before true.
func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// left counts the annotations that GitHub will not show.
func (g *github) left() int {
	levels := map[string]int{"error": len(g.errors)}
	for i := range g.findings {
		levels[annotationLevel(&g.findings[i])]++
	}
	n := 0
	for _, k := range levels {
		n += max(0, k-shownAnnotations)
	}
	return n
}

func (g *github) annotate(f *lint.Finding) {
	start, end := f.File.Position(f.Span.Start), f.File.Position(f.Span.End)
	text := message(*f)
	if f.Next != "" {
		text += "\nnext: " + workflows.Printable(f.Next)
	}
	fmt.Fprintf(g.out, "::%s file=%s,line=%d,endLine=%d,col=%d,endColumn=%d,title=%s::%s\n",
		annotationLevel(f), property(f.File.Path), start.Line, end.Line, start.Column, end.Column,
		property(level(f)+": "+f.Rule.ID), CommandData(text))
}

// oldCommand begins a command of the runner's own wherever it stands in a line; it has no
// escape, so that it is taken apart.
const oldCommand = "##["

// CommandData escapes the message of a workflow command as actions/toolkit does, and makes
// each of its lines printable.
func CommandData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", oldCommand, "## [").Replace(clean(s))
}

// property escapes a property of a workflow command.
func property(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C", oldCommand, "## [").Replace(workflows.Printable(s))
}

// clean makes each line of s printable.
func clean(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = workflows.Printable(lines[i])
	}
	return strings.Join(lines, "\n")
}
