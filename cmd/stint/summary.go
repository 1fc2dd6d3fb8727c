package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/lease"
	"github.com/stint-dev/stint/workflows"
)

// A summary is Markdown for the page of a run.
type summary struct{ strings.Builder }

func (s *summary) head(format string, args ...any) {
	fmt.Fprintf(s, "### stint: "+format+"\n\n", args...)
}

// table writes a header row and the rule below it.
func (s *summary) table(columns ...string) {
	s.row(columns...)
	s.WriteString("|" + strings.Repeat("---|", len(columns)) + "\n")
}

func (s *summary) row(cells ...string) { s.WriteString("| " + strings.Join(cells, " | ") + " |\n") }

// markup is what Markdown and HTML would take for more than text.
var markup = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "|", "&#124;", "`", "&#96;", "\\", "&#92;",
	"*", "&#42;", "_", "&#95;", "[", "&#91;", "]", "&#93;", "~", "&#126;", "@", "&#64;")

// plain is text of others that must stay text.
func plain(text string) string { return markup.Replace(workflows.Printable(text)) }

// code is text of others in a monospaced face. A code span takes its content to
// the letter, but for its own end and that of a cell.
func code(text string) string {
	if text == "" || strings.ContainsAny(text, "`|") {
		return "<code>" + plain(text) + "</code>"
	}
	return "`" + workflows.Printable(text) + "`"
}

// summaryOfLeases tells what the later steps of the job have been given.
func summaryOfLeases(leases []*lease.Lease) string {
	var s summary
	grants := make([]*grant.Grant, len(leases))
	for i, l := range leases {
		grants[i] = l.Grant()
	}
	s.opened(grants, "Every later step of this job has it.")
	s.table("credential", "identity", "lifetime")
	for _, l := range leases {
		for _, c := range l.Credentials() {
			s.row(plain(c.Handle.Provider)+" "+code(c.Handle.ID), code(c.Identity), lifetime(c.UsableUntil, c.Expires))
		}
	}
	s.WriteString("\n")
	return s.String()
}

// opened is the head of what is open, and what each grant is for.
func (s *summary) opened(grants []*grant.Grant, who string) {
	verb := "is"
	if len(grants) > 1 {
		verb = "are"
	}
	s.head("%s %s open", grantsNamed(names(grants)), verb)
	for _, g := range grants {
		fmt.Fprintf(s, "%s (owner %s). %s\n\n", plain(g.Intent), code(g.Owner), who)
	}
}

func names(grants []*grant.Grant) []string {
	list := make([]string, len(grants))
	for i, g := range grants {
		list[i] = g.Name
	}
	return list
}

// grantsNamed is "grant `a`" or "grants `a`, `b`".
func grantsNamed(list []string) string {
	word := "grant "
	if len(list) > 1 {
		word = "grants "
	}
	return word + codes(list)
}

// codes is a list in which each is code.
func codes(list []string) string {
	coded := make([]string, len(list))
	for i, name := range list {
		coded[i] = code(name)
	}
	return strings.Join(coded, ", ")
}

// summaryOfProfiles tells what the later steps can ask for.
func summaryOfProfiles(grants []*grant.Grant) string {
	var s summary
	s.opened(grants, "Every later step of this job can ask for it.")
	s.table("profile", "session")
	for _, g := range grants {
		s.row(code(g.Name), "asked for at each use, for "+g.TTL.String())
	}
	s.WriteString("\n")
	return s.String()
}

// summaryOfFailure tells why there is no credential.
func summaryOfFailure(g *grant.Grant, err error) string {
	var s summary
	message, hint := twoLines(err)
	var refused *lease.Refusal
	if !errors.As(err, &refused) {
		s.head("no credential for grant %s", code(g.Name))
		fmt.Fprintf(&s, "%s\n\nNext: %s\n\n", plain(message), plain(hint))
		return s.String()
	}
	s.head("grant %s is not for this job", code(g.Name))
	for _, r := range refused.Decision.Reasons { // no table: its last columns, why and next, would be out of sight
		fmt.Fprintf(&s, "- **%s**: %s\n  - expected %s, got %s\n  - next: %s\n", code(r.Claim), plain(r.Text), code(r.Expected), code(r.Got), plain(r.Next))
	}
	s.WriteString("\n")
	return s.String()
}

// summaryOfEnd tells what became of each credential.
func summaryOfEnd(states []lease.State, ended []lease.Ended, vars []string, emptied bool) string {
	var s summary
	var list []string
	for _, state := range states {
		list = append(list, state.Grant)
	}
	s.head("the end of %s", grantsNamed(list))
	if len(ended) > 0 {
		s.table("credential", "identity", "end")
	}
	for _, e := range ended {
		s.row(plain(e.Handle.Provider)+" "+code(e.Handle.ID), code(e.Handle.Identity), plain(e.Detail))
	}
	if emptied {
		fmt.Fprintf(&s, "\nEmptied for the steps that follow: %s\n", codes(vars))
	}
	s.WriteString("\n")
	return s.String()
}
