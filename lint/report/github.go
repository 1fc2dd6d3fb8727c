package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// github writes workflow commands, which become annotations on the lines of a
// pull request. GitHub shows ten of each level a step; the worst come first in
// the order of files, so a summary with the rest belongs beside it (markdown).
type github struct{ out *bufio.Writer }

func newGitHub(w io.Writer, _ Options) Handler { return &github{bufio.NewWriter(w)} }

// annotationLevels maps severities to the commands error, warning and notice.
var annotationLevels = [...]string{
	reach.Info: "notice", reach.Low: "notice", reach.Medium: "warning", reach.High: "error", reach.Critical: "error",
}

// Repository writes one annotation a finding.
func (g *github) Repository(r *lint.Result) error {
	for _, f := range r.Findings {
		start, end := f.File.Position(f.Span.Start), f.File.Position(f.Span.End)
		message := sentence(f)
		if f.Next != "" {
			message += "\nnext: " + workflows.Printable(f.Next)
		}
		fmt.Fprintf(g.out, "::%s file=%s,line=%d,endLine=%d,col=%d,endColumn=%d,title=%s::%s\n",
			annotationLevels[f.Severity], property(f.File.Path), start.Line, end.Line, start.Column, end.Column,
			property(f.Severity.String()+": "+f.Rule.ID), data(message))
	}
	for _, u := range unreadOf(r.Repository) {
		fmt.Fprintf(g.out, "::error file=%s,line=%d,title=not read::%s\n", property(u.Path), max(u.Line, 1), data(u.Reason))
	}
	for _, f := range r.Failures {
		fmt.Fprintf(g.out, "::error title=stint failed::%s\n", data(f))
	}
	return nil
}

// Close writes what is left.
func (g *github) Close() error { return g.out.Flush() }

// data escapes the message of a workflow command as actions/toolkit does.
func data(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(clean(s))
}

// property escapes a property of a workflow command.
func property(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(workflows.Printable(s))
}

// clean makes each line of s printable.
func clean(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = workflows.Printable(lines[i])
	}
	return strings.Join(lines, "\n")
}
