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

// summaryOfLease tells what the later steps of the job have been given.
func summaryOfLease(l *lease.Lease) string {
	var s summary
	g := l.Grant()
	s.head("grant %s is open", code(g.Name))
	fmt.Fprintf(&s, "%s (owner %s). Every later step of this job has it.\n\n", plain(g.Intent), code(g.Owner))
	s.table("credential", "of", "lifetime")
	for _, c := range l.Credentials() {
		s.row(plain(c.Handle.Provider)+" "+code(c.Handle.ID), code(c.Identity), lifetime(c.UsableUntil, c.Expires))
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
	s.table("claim", "expected", "got", "why", "next")
	for _, r := range refused.Decision.Reasons {
		s.row(code(r.Claim), code(r.Expected), code(r.Got), plain(r.Text), plain(r.Next))
	}
	s.WriteString("\n")
	return s.String()
}

// summaryOfEnd tells what became of each credential.
func summaryOfEnd(state lease.State, ended []lease.Ended, removed bool) string {
	var s summary
	s.head("the end of grant %s", code(state.Grant))
	s.table("credential", "of", "end")
	for _, e := range ended {
		s.row(plain(e.Handle.Provider)+" "+code(e.Handle.ID), code(e.Handle.Identity), plain(e.Detail))
	}
	if removed {
		fmt.Fprintf(&s, "\nEmptied for the steps that follow: %s\n", code(strings.Join(state.Vars, ", ")))
	}
	s.WriteString("\n")
	return s.String()
}
