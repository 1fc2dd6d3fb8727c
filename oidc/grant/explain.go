package grant

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// width is how many characters a line of an explanation has at most, names and
// other words that cannot be broken aside.
const width = 80

// WriteDecision explains a decision as text. It is safe on a terminal whatever
// the claims hold.
func WriteDecision(w io.Writer, d Decision) error {
	p := &page{}
	if d.Admit {
		p.line("admitted: these claims may have the grant " + quote(d.Grant))
		p.blank()
		p.lock()
		return p.to(w)
	}
	p.line("refused: these claims may not have the grant " + quote(d.Grant))
	for _, r := range d.Reasons {
		p.blank()
		p.line(fmt.Sprintf("%s  (%s)", r.Claim, r.Class))
		p.field("expected", printable(r.Expected))
		p.field("got", printable(cmp.Or(r.Got, "nothing")))
		p.field("why", printable(r.Text))
		p.field("next", printable(r.Next))
	}
	return p.to(w)
}

// WriteGrant explains a grant as text: who may have it, what it opens, for how
// long, the subjects that its jobs present, and which half of the check is a
// guard-rail and which is the lock. known is the repository that holds the file.
func WriteGrant(w io.Writer, g *Grant, known Repository) error {
	p := &page{}
	p.line(fmt.Sprintf("grant %s: %s", g.Name, printable(g.Intent)))
	p.field("owner", printable(g.Owner))
	p.field("written", fmt.Sprintf("%s:%d", printable(g.Path), g.Line))
	p.field("opens", g.opens())
	p.field("lifetime", shortTime(g.TTL)+" at most")
	p.blank()
	if g.For.OfJobs() {
		p.line("who may have it: a job that meets all of")
	} else {
		p.line("who may have it: a token that is not GitHub's, with both of")
	}
	for _, c := range g.conditions(known) {
		p.field(c.what, printable(c.value))
	}
	p.blank()
	p.subjects(g, known)
	p.blank()
	p.lock()
	return p.to(w)
}

func (g *Grant) opens() string {
	names := make([]string, len(g.Targets))
	for i, t := range g.Targets {
		names[i] = t.Provider
	}
	return strings.Join(names, ", ")
}

// A condition is one line of "who may have it".
type condition struct{ what, value string }

func (g *Grant) conditions(known Repository) []condition {
	f, repo := g.For, g.repositoryOf(known)
	if !f.OfJobs() {
		return []condition{{"issuer", f.Issuer}, {"subject", f.Subject}}
	}
	list := []condition{{"repository", cmp.Or(repo.Name, "the one that holds the file")}}
	add := func(what, value string) {
		if value != "" {
			list = append(list, condition{what, value})
		}
	}
	add("id", f.RepositoryID)
	add("owner id", f.RepositoryOwnerID)
	add("workflow", cmp.Or(f.Workflow, "any file: whoever can push a workflow can ask"))
	add("called", cmp.Or(f.Called, "no: the job is the workflow's own, not a reusable one's"))
	add("ref", cmp.Or(strings.Join(f.Refs, ", "), "any branch or tag: whoever can push one can ask"))
	add("environment", cmp.Or(f.Environment, "none: a job with an environment is refused"))
	add("event", cmp.Or(strings.Join(f.Events, ", "), strings.Join(normalTrust, ", ")+" (what only people with write access can cause)"))
	add("started by", strings.Join(f.Actors, ", "))
	add("runner", cmp.Or(f.Runner, GitHubHosted))
	if f.RefProtected {
		add("protected", "the branch or tag must be")
	}
	return list
}

// subjects lists the sub claims, for whoever writes the trust policy.
func (p *page) subjects(g *Grant, known Repository) {
	subs := g.Subjects(known)
	if len(subs) == 0 {
		p.line("the subjects of its jobs depend on the repository: name it to see them")
		return
	}
	p.line("the subjects (sub) that its jobs can present, to match in the trust policy:")
	for _, s := range subs {
		p.raw("  " + printable(s))
	}
	repo := g.repositoryOf(known)
	if g.For.OfJobs() && (repo.ID == "" || repo.OwnerID == "") {
		p.line("a repository made, renamed or moved since 15 July 2026 presents ids in them too: give its ids to see that form")
	}
}

// lock says what the check is worth.
func (p *page) lock() {
	p.line("This check is a guard-rail: it runs in the job, and whoever can change the " +
		"workflow can go around it. The lock is the cloud's own trust policy: keep it as narrow as the grant.")
}

// A page collects lines of text of at most width characters.
type page struct{ b strings.Builder }

func (p *page) to(w io.Writer) error {
	_, err := io.WriteString(w, p.b.String())
	return err
}

func (p *page) blank()       { p.b.WriteByte('\n') }
func (p *page) raw(s string) { p.b.WriteString(s + "\n") }

// line writes a paragraph.
func (p *page) line(s string) { p.wrap("", "", s) }

// field writes a label and its value, wrapped under itself.
func (p *page) field(label, value string) {
	const column = 14
	p.wrap(fmt.Sprintf("  %-*s", column-2, label), strings.Repeat(" ", column), value)
}

// wrap breaks text between words.
func (p *page) wrap(first, rest, text string) {
	line := first
	used := utf8.RuneCountInString(first)
	empty := true
	for word := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(word)
		if !empty && used+1+n > width {
			p.raw(strings.TrimRight(line, " "))
			line, used, empty = rest, utf8.RuneCountInString(rest), true
		}
		if !empty {
			line, used = line+" ", used+1
		}
		line, used, empty = line+word, used+n, false
	}
	p.raw(strings.TrimRight(line, " "))
}

// shortTime is 15m, not 15m0s.
func shortTime(d time.Duration) string {
	s := d.String()
	if cut, ok := strings.CutSuffix(s, "m0s"); ok {
		s = cut + "m"
	}
	if cut, ok := strings.CutSuffix(s, "h0m"); ok {
		s = cut + "h"
	}
	return s
}
