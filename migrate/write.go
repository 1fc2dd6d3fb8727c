package migrate

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/stint-dev/stint/workflows"
)

// Width is the number of columns that text is made for. Diffs, locks and commands
// keep their own lines.
const Width = 80

// A Writer prints plans. Show makes a file's or a cloud's text fit for where it goes:
// it masks what is secret and strips control characters.
type Writer struct {
	Out      io.Writer
	Markdown bool
	Show     func(string) string
	err      error
}

// printf keeps the first error.
func (w *Writer) printf(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.Out, format, args...)
	}
}

// heading starts a part.
func (w *Writer) heading(text string) {
	if w.Markdown {
		w.printf("\n## %s\n\n", escape(text))
		return
	}
	w.printf("\n%s\n", workflows.Printable(text))
}

// item prints one entry of a list; mark is "-" or a number.
func (w *Writer) item(mark, text string) {
	if w.Markdown {
		w.printf("%s %s\n", mark, escape(text))
		return
	}
	indent := strings.Repeat(" ", len(mark)+3)
	w.printf("  %s %s\n", mark, strings.TrimLeft(wrap(workflows.Printable(text), Width, indent), " "))
}

// code prints text that keeps its lines.
func (w *Writer) code(language, text string) {
	text = strings.TrimSuffix(w.Show(text), "\n")
	if w.Markdown {
		fence := "```"
		for strings.Contains(text, fence) { // a longer one than any inside
			fence += "`"
		}
		w.printf("\n%s%s\n%s\n%s\n", fence, language, text, fence)
		return
	}
	w.printf("\n%s\n", text)
}

// commands prints lines for a shell, below an entry of a list.
func (w *Writer) commands(list []string) {
	for _, c := range list {
		if w.Markdown {
			w.printf("\n   ```sh\n   %s\n   ```\n", w.Show(c))
			continue
		}
		w.printf("       %s\n", w.Show(c))
	}
}

// Diffs prints what changes.
func (w *Writer) Diffs(p *Plan) error {
	for _, c := range p.Changes {
		text := string(c.Diff())
		if w.Markdown {
			w.code("diff", text)
			continue
		}
		w.printf("%s", w.Show(text))
	}
	return w.err
}

// Notes prints what a person has to know.
func (w *Writer) Notes(p *Plan) error {
	titles := map[NoteKind]string{Left: "left alone", FillIn: "fill in, in .github/stint.yml", Differs: "what differs"}
	for _, kind := range []NoteKind{Left, FillIn, Differs} {
		first := true
		for _, n := range p.Notes {
			if n.Kind != kind {
				continue
			}
			if first {
				w.heading(titles[kind])
				first = false
			}
			text := fmt.Sprintf("%s:%d: %s: %s", n.Path, n.Line, n.About, n.Text)
			if n.Next != "" {
				text += "; " + n.Next
			}
			w.item("-", text)
		}
	}
	return w.err
}

// Keys prints a whole plan for stored keys.
func (w *Writer) Keys(p *KeyPlan) error {
	if len(p.Keys) == 0 {
		w.printf("no stored key of a cloud or registry that takes the job's id-token instead\n")
		return w.err
	}
	move := 0
	for _, k := range p.Keys {
		if k.Stays == "" {
			move++
		}
	}
	if w.Markdown {
		w.printf("# Stored keys to leave\n\n")
	}
	w.printf("%s in jobs: %d can move now, %d for later\n", counted(len(p.Keys), "stored key"), move, len(p.Keys)-move)
	for i, k := range p.Keys {
		w.key(i+1, k)
	}
	if len(p.Changes) > 0 {
		w.heading("changes")
		w.err = firstError(w.err, w.Diffs(&p.Plan))
	}
	w.err = firstError(w.err, w.Notes(&p.Plan))
	w.locks(p)
	return w.err
}

// counted is "1 key" or "2 keys".
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// key prints one key and its steps.
func (w *Writer) key(n int, k *Key) {
	w.heading(fmt.Sprintf("%d. %s: %s in job %s (%s:%d)", n, k.Title(), strings.Join(k.Secrets, ", "), k.Job, k.Path, k.Line))
	switch {
	case k.Stays != "":
		w.item("-", "stays for now: "+k.Stays)
		w.item("-", "next: "+k.StaysNext)
		return
	case k.Grant != "":
		w.item("-", "grant "+k.Grant+" takes its place")
	default:
		w.item("-", k.By)
	}
	for i, s := range k.Order() {
		w.item(fmt.Sprintf("%d.", i+1), s.Text)
		w.commands(s.Commands)
	}
}

// locks prints the lock of each grant once.
func (w *Writer) locks(p *KeyPlan) {
	seen := map[string]bool{}
	for _, k := range p.Keys {
		name := k.Grant
		if name == "" {
			name = k.Job + " (publishes by itself)"
		}
		if k.Lock == nil && k.LockProblem == "" || seen[name] {
			continue
		}
		seen[name] = true
		w.heading("lock of " + name + " at " + k.Title())
		if k.Lock == nil {
			w.item("-", "not rendered: "+k.LockProblem)
			w.commands([]string{k.LockHint})
			continue
		}
		if k.Lock.Terraform+k.Lock.CLI == "" {
			for _, d := range k.Lock.Documents {
				w.code("", d.Name+"\n"+d.Body)
			}
		}
		if k.Lock.Terraform != "" {
			w.code("terraform", k.Lock.Terraform)
		}
		if k.Lock.CLI != "" {
			w.code("sh", k.Lock.CLI)
		}
		for _, r := range k.Lock.AlsoAdmits {
			w.item("-", "also admits, because "+k.Lock.Cloud+" does not look at "+r.Claim+": "+r.Text)
		}
	}
}

// wrap breaks a text between words; each line begins with indent.
func wrap(s string, width int, indent string) string {
	var b strings.Builder
	col := 0
	for word := range strings.FieldsSeq(s) {
		n := utf8.RuneCountInString(word)
		switch {
		case col == 0:
			b.WriteString(indent)
			col = len(indent)
		case col+1+n > width:
			b.WriteString("\n" + indent)
			col = len(indent)
		default:
			b.WriteByte(' ')
			col++
		}
		b.WriteString(word)
		col += n
	}
	return b.String()
}

// escape makes a text plain in Markdown: no mark-up, no mention, one line.
func escape(s string) string {
	var b strings.Builder
	for _, r := range oneLine(s) {
		switch r {
		case '\\', '`', '*', '_', '[', ']', '<', '>', '|', '#', '~', '&':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '@':
			b.WriteString("&#64;") // an owner's name in an issue would notify them
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
