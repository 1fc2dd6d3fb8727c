package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// maxMarkdownRows bounds the table: a step summary may have 1 MiB.
const maxMarkdownRows = 500

// markdown is a summary for a step summary or a comment.
type markdown struct {
	out     *bufio.Writer
	rows    []row
	files   int
	all     counts
	pairs   int
	change  comparison
	skipped int // suppressed
	unread  []unread
	notes   []string
}

// A row is one finding of the table.
type row struct {
	severity reach.Severity
	notice   bool
	text     string
}

func newMarkdown(w io.Writer, _ Options) Handler { return &markdown{out: bufio.NewWriter(w)} }

// Repository collects the rows of one repository.
func (m *markdown) Repository(r *lint.Result) error {
	for i := range r.Findings {
		f := &r.Findings[i]
		p := f.File.Position(f.Span.Start)
		text := cell(sentence(*f))
		if f.Next != "" {
			text += "<br>next: " + cell(f.Next)
		}
		m.rows = append(m.rows, row{f.Severity, f.Notice,
			fmt.Sprintf("| %s | `%s` | %s:%d | %s |", f.Severity, f.Rule.ID, cell(f.File.Path), p.Line, text)})
	}
	m.files += judged(r)
	m.all.add(r.Findings)
	m.pairs += len(r.Graph.Pairs())
	m.change.add(r)
	m.skipped += r.Suppressed
	m.unread = append(m.unread, unreadOf(r.Repository)...)
	m.notes = append(m.notes, r.NotChecked...)
	for _, f := range r.Failures {
		m.notes = append(m.notes, "failed: "+f)
	}
	return nil
}

// Close writes the summary: the worst first, what is only to notice folded up below.
func (m *markdown) Close() error {
	switch n := m.all.total(); {
	case n == 0 && m.files == 0 && len(m.unread) == 0:
		fmt.Fprintf(m.out, "### stint: nothing to judge\n\n%s.\n", nothingRead)
	case n == 0:
		fmt.Fprintf(m.out, "### stint: no %sfindings\n\n", m.change.new())
	default:
		fmt.Fprintf(m.out, "### stint: %s (%s)\n\n", plural(n, m.change.new()+"finding"), m.all.String())
	}
	if m.change.with != "" {
		fmt.Fprintf(m.out, "Compared with %s", cell(m.change.with))
		if m.change.old > 0 {
			fmt.Fprintf(m.out, "; left out because the base has them: %d", m.change.old)
		}
		fmt.Fprint(m.out, ".\n\n")
	}
	if m.skipped > 0 {
		fmt.Fprintf(m.out, "%s suppressed.\n\n", plural(m.skipped, "finding"))
	}
	fmt.Fprintf(m.out, "%s of foreign code and standing credential; zero is the goal.\n", plural(m.pairs, "pair"))
	slices.SortStableFunc(m.rows, func(a, b row) int { return cmp.Compare(b.severity, a.severity) })
	m.table(func(r row) bool { return !r.notice })
	if m.change.notices > 0 {
		fmt.Fprintf(m.out, "\n<details><summary>%s: on lines that this change left alone</summary>\n", plural(m.change.notices, "notice"))
		m.table(func(r row) bool { return r.notice })
		fmt.Fprint(m.out, "\n</details>\n")
	}
	fmt.Fprintln(m.out)
	for _, u := range m.unread {
		fmt.Fprintf(m.out, "- not read: %s: %s\n", cell(u.Path), cell(u.Reason))
	}
	for _, n := range byReason(m.notes) {
		fmt.Fprintf(m.out, "- not checked: %s\n", cell(n))
	}
	return m.out.Flush()
}

// table writes the rows that are asked for, where there are any.
func (m *markdown) table(wanted func(row) bool) {
	n := 0
	for _, r := range m.rows {
		if !wanted(r) {
			continue
		}
		if n == 0 {
			fmt.Fprint(m.out, "\n| severity | rule | place | what could be lost |\n|---|---|---|---|\n")
		}
		if n++; n <= maxMarkdownRows {
			fmt.Fprintln(m.out, r.text)
		}
	}
	if n > maxMarkdownRows {
		fmt.Fprintf(m.out, "\n%d more are in the log.\n", n-maxMarkdownRows)
	}
}

// unlinked keeps a URL from being made a link.
var unlinked = strings.NewReplacer("://", "&#58;//", "www.", "www&#46;")

// mention is what GitHub takes for the name of a person or a team, in a comment also where
// its "@" is written as an entity: it looks at the text that Markdown leaves, and at no code.
var mention = regexp.MustCompile(`\B@[0-9A-Za-z][-_/0-9A-Za-z]*`)

// cell escapes text for a cell of a table or a comment: nothing in it is markup, a link, a
// mention or HTML.
func cell(s string) string {
	var b strings.Builder
	s = workflows.Printable(s)
	from := 0
	for _, m := range mention.FindAllStringIndex(s, -1) {
		b.WriteString(escaped(s[from:m[0]]) + "<code>" + escaped(s[m[0]:m[1]]) + "</code>")
		from = m[1]
	}
	b.WriteString(escaped(s[from:]))
	return unlinked.Replace(b.String())
}

// escaped writes what Markdown and HTML would take for more than text as text.
func escaped(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case r == '@':
			b.WriteString("&#64;") // no address
		case strings.ContainsRune("\\`*_{}[]()#+!|~$", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
