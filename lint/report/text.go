package report

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// minTextWidth is the narrowest text that is laid out, in columns.
const minTextWidth = 40

func number(n int) string { return strconv.Itoa(n) }

// plural returns "1 job" or "3 jobs".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}

// text is the format for people.
type text struct {
	out     *bufio.Writer
	o       Options
	seen    int
	files   int
	all     counts
	pairs   int
	change  comparison
	groups  []group
	skipped lint.Result // sums of what was not shown
	unread  []unread
	notes   []string
}

func newText(w io.Writer, o Options) Handler {
	o.Width = max(o.Width, minTextWidth)
	return &text{out: bufio.NewWriter(Inert(w)), o: o}
}

var severityColors = [...]string{reach.Info: "2", reach.Low: "36", reach.Medium: "33", reach.High: "31", reach.Critical: "1;31"}

func (t *text) paint(code, s string) string {
	if !t.o.Color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// Repository writes the findings of one repository.
func (t *text) Repository(r *lint.Result) error {
	if t.seen++; t.seen > 1 && len(r.Findings) > 0 {
		fmt.Fprintf(t.out, "%s\n\n", t.paint("1", workflows.Printable(r.Repository.Root)))
	}
	hidden := masksOf(r)
	for i := range r.Findings {
		t.finding(&r.Findings[i], hidden)
	}
	t.files += judged(r)
	t.all.add(r.Findings)
	t.change.add(r)
	t.groups = first(append(t.groups, groupsOf(r)...)) // no more: a group keeps its file in memory
	t.pairs += len(r.Graph.Pairs())
	t.skipped.Suppressed += r.Suppressed
	t.skipped.Below += r.Below
	t.skipped.StrictOnly += r.StrictOnly
	t.unread = append(t.unread, unreadOf(r.Repository)...)
	t.notes = append(t.notes, r.NotChecked...)
	for _, f := range r.Failures {
		t.notes = append(t.notes, "failed: "+f)
	}
	return nil
}

func (t *text) finding(f *lint.Finding, hidden masks) {
	start := f.File.Position(f.Span.Start)
	fmt.Fprintf(t.out, "%s:%d:%d: %s: %s\n", workflows.Printable(f.File.Path), start.Line, start.Column,
		t.paint(severityColors[f.Severity], level(f)), t.paint("1", f.Rule.ID))
	t.source(f.File, f.Span, hidden, severityColors[f.Severity])
	t.paragraph("", message(*f))
	for _, r := range f.Related {
		p := r.File.Position(r.Span.Start)
		t.paragraph("", fmt.Sprintf("%s:%d:%d: %s", r.File.Path, p.Line, p.Column, r.Text))
	}
	if f.Next != "" {
		t.paragraph("next: ", f.Next)
	}
	t.out.WriteString("\n")
}

// source shows the line of the span with the span marked. A long line is cut
// around the span; what is to be kept out is masked.
func (t *text) source(file *workflows.File, s workflows.Span, hidden masks, color string) {
	start, end := file.Position(s.Start), file.Position(s.End)
	line := hidden.line(file, start.Line)
	from := min(start.Column-1, len(line))
	to := len(line)
	if end.Line == start.Line {
		to = min(max(end.Column-1, from), len(line))
	}
	gutter := number(start.Line)
	room := t.o.Width - len(gutter) - 5
	cut := 0
	if len(line) > room && to > room {
		cut = min(max(0, from-room/3), len(line)-1)
	}
	shown := line[cut:min(len(line), cut+room)]
	fmt.Fprintf(t.out, "  %s | %s\n", gutter, string(shown))
	mark := max(1, min(to, cut+len(shown))-from)
	fmt.Fprintf(t.out, "  %s | %s%s\n", strings.Repeat(" ", len(gutter)), strings.Repeat(" ", max(0, from-cut)),
		t.paint(color, strings.Repeat("^", mark)))
}

const indent = "    "

// paragraph writes text wrapped to the width, behind the indent.
func (t *text) paragraph(label, s string) { t.wrapped(label+s, indent) }

// hanging writes text wrapped to the width, all but its first line behind the indent.
func (t *text) hanging(s string) { t.wrapped(s, "") }

func (t *text) wrapped(s, begin string) {
	col := 0
	for _, w := range strings.Fields(workflows.Printable(s)) {
		n := utf8.RuneCountInString(w)
		switch {
		case col == 0:
			t.out.WriteString(begin)
			col = len(begin)
		case col+1+n > t.o.Width:
			t.out.WriteString("\n" + indent)
			col = len(indent)
		default:
			t.out.WriteString(" ")
			col++
		}
		t.out.WriteString(w)
		col += n
	}
	t.out.WriteString("\n")
}

// begin names what to mend first, where there is more than fits a screen.
func (t *text) begin() {
	if t.all.total() <= firstShown {
		return
	}
	t.out.WriteString("mend these first:\n")
	for _, g := range t.groups {
		where := ""
		if t.seen > 1 {
			where = g.root + "/"
		}
		fmt.Fprintf(t.out, "  %s\n", workflows.Printable(where+g.title()))
	}
}

// Close writes the summary.
func (t *text) Close() error {
	for _, u := range t.unread {
		where := u.Path
		if u.Line > 0 {
			where += ":" + number(u.Line)
		}
		t.hanging(fmt.Sprintf("not read: %s: %s", where, u.Reason))
	}
	for _, n := range byReason(t.notes) {
		t.hanging("not checked: " + n)
	}
	t.begin()
	switch n := t.all.total(); {
	case n == 0 && t.files == 0 && len(t.unread) == 0:
		t.out.WriteString("nothing to judge: " + nothingRead)
	case n == 0:
		fmt.Fprintf(t.out, "no %sfindings in %s", t.change.new(), plural(t.files, "file"))
	default:
		fmt.Fprintf(t.out, "%s in %s: %s", plural(n, t.change.new()+"finding"), plural(t.files, "file"), t.all.String())
	}
	for _, h := range []struct {
		n    int
		what string
	}{{t.change.notices, "only to notice"}, {t.change.old, "there before"}, {t.skipped.Suppressed, "suppressed"}, {t.skipped.Below, "below the threshold"}, {t.skipped.StrictOnly, "more with --strict"}} {
		if h.n > 0 {
			fmt.Fprintf(t.out, "; %d %s", h.n, h.what)
		}
	}
	if t.change.with != "" {
		fmt.Fprintf(t.out, "\ncompared with %s", workflows.Printable(t.change.with))
	}
	fmt.Fprintf(t.out, "\n%s of foreign code and standing credential (stint reach shows them)\n", plural(t.pairs, "pair"))
	return t.out.Flush()
}
