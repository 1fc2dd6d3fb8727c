package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/workflows"
)

// maxMarkdownRows bounds the table: a step summary may have 1 MiB.
const maxMarkdownRows = 500

// markdown is a summary for a step summary or a comment.
type markdown struct {
	out    *bufio.Writer
	rows   []string
	all    counts
	pairs  int
	unread []unread
	notes  []string
}

func newMarkdown(w io.Writer, _ Options) Handler { return &markdown{out: bufio.NewWriter(w)} }

// Repository collects the rows of one repository.
func (m *markdown) Repository(r *lint.Result) error {
	for _, f := range r.Findings {
		p := f.File.Position(f.Span.Start)
		text := cell(sentence(f))
		if f.Next != "" {
			text += "<br>next: " + cell(f.Next)
		}
		m.rows = append(m.rows, fmt.Sprintf("| %s | `%s` | %s:%d | %s |", f.Severity, f.Rule.ID, cell(f.File.Path), p.Line, text))
	}
	m.all.add(r.Findings)
	m.pairs += len(r.Graph.Pairs())
	m.unread = append(m.unread, unreadOf(r.Repository)...)
	m.notes = append(m.notes, r.NotChecked...)
	for _, f := range r.Failures {
		m.notes = append(m.notes, "failed: "+f)
	}
	return nil
}

// Close writes the summary.
func (m *markdown) Close() error {
	if n := m.all.total(); n == 0 {
		fmt.Fprint(m.out, "### stint: no findings\n\n")
	} else {
		fmt.Fprintf(m.out, "### stint: %s (%s)\n\n", plural(n, "finding"), m.all.String())
	}
	fmt.Fprintf(m.out, "%s of foreign code and standing credential; zero is the goal.\n", plural(m.pairs, "pair"))
	if len(m.rows) > 0 {
		fmt.Fprint(m.out, "\n| severity | rule | place | what could be lost |\n|---|---|---|---|\n")
		for _, row := range m.rows[:min(len(m.rows), maxMarkdownRows)] {
			fmt.Fprintln(m.out, row)
		}
		if left := len(m.rows) - maxMarkdownRows; left > 0 {
			fmt.Fprintf(m.out, "\n%d more are in the log.\n", left)
		}
	}
	for _, u := range m.unread {
		fmt.Fprintf(m.out, "\n- not read: %s: %s\n", cell(u.Path), cell(u.Reason))
	}
	for _, n := range byReason(m.notes) {
		fmt.Fprintf(m.out, "\n- not checked: %s\n", cell(n))
	}
	return m.out.Flush()
}

// cell escapes text for a cell of a table: nothing in it is markup, a link, a
// mention or HTML.
func cell(s string) string {
	var b strings.Builder
	for _, r := range workflows.Printable(s) {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case r == '@':
			b.WriteString("&#64;") // no mention
		case strings.ContainsRune("\\`*_{}[]()#+!|~$", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return strings.ReplaceAll(b.String(), "://", "&#58;//") // no URL is made a link
}
