// Package report writes results in the formats that people and tools read, one
// [Handler] a format.
//
// How it thinks: a handler is given the result of one repository after the other
// and closed once; it decides nothing about findings, it only shows them. All
// text that comes from files is cleaned for the place it goes to: control
// characters for terminals, the escapes of workflow commands, Markdown, JSON.
package report

import (
	"io"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// A Handler writes results. Repository is called once for each repository, in
// order, then Close once.
type Handler interface {
	Repository(*lint.Result) error
	Close() error
}

// Options are what formats need to know of the outside.
type Options struct {
	// Width is the width of the terminal in columns, for text.
	Width int
	// Color allows ANSI colors, for text.
	Color bool
	// Version is stint's own version.
	Version string
	// Rules are the rules that ran, for formats that describe them.
	Rules []*lint.Rule
}

// formats are the names that New knows.
var formats = map[string]func(io.Writer, Options) Handler{
	"text":     newText,
	"json":     newJSON,
	"sarif":    newSARIF,
	"github":   newGitHub,
	"markdown": newMarkdown,
}

// New returns a handler that writes the named format to w, and false when there
// is none of that name.
func New(format string, w io.Writer, o Options) (Handler, bool) {
	f, ok := formats[format]
	if !ok {
		return nil, false
	}
	return redactor{f(w, o)}, true
}

// Formats returns the names of all formats, sorted.
func Formats() []string {
	var out []string
	for name := range formats {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// nothingRead is said where a clean run would be no good news: of an empty directory, or a
// job without a checkout.
const nothingRead = "there is no workflow, action, dependabot or lock file here"

// judged counts the files that were asked for and read; others may have been read for
// what they tell of these.
func judged(r *lint.Result) int {
	n := 0
	for _, f := range r.Repository.Files {
		if r.Repository.Asked(f.Path) {
			n++
		}
	}
	return n
}

// An unread is something of a repository that was not read.
type unread struct {
	Repository string `json:"repository"`
	Path       string `json:"path"`
	Line       int    `json:"line,omitempty"`
	Reason     string `json:"reason"`
}

// unreadOf lists what could not be read: files as a whole, and files of which
// nothing could be used.
func unreadOf(r *workflows.Repository) []unread {
	out := []unread{}
	for _, u := range r.Unread {
		out = append(out, unread{r.Root, u.Path, 0, u.Reason})
	}
	for _, f := range r.Files {
		for _, p := range f.Problems {
			if p.Whole {
				out = append(out, unread{r.Root, f.Path, f.Position(p.Span.Start).Line, p.Message})
			}
		}
	}
	return out
}

// Incomplete reports whether the result does not cover all of its repository.
func Incomplete(r *lint.Result) bool {
	return len(r.Failures) > 0 || len(unreadOf(r.Repository)) > 0
}

// byReason puts notes of the form "rule: reason" on one line a reason, in the order in
// which the reasons came: a repository or a rule more is no line more.
func byReason(notes []string) []string {
	var reasons []string
	said := map[string][]string{}
	for _, n := range notes {
		rule, reason, ok := strings.Cut(n, ": ")
		if !ok {
			rule, reason = "", n
		}
		if said[reason] == nil {
			reasons = append(reasons, reason)
		}
		if !slices.Contains(said[reason], rule) {
			said[reason] = append(said[reason], rule)
		}
	}
	out := []string{}
	for _, reason := range reasons {
		rules := strings.Join(said[reason], ", ")
		if rules != "" {
			rules += ": "
		}
		out = append(out, rules+reason)
	}
	return out
}

// confidence returns the confidence of a finding.
func confidence(f lint.Finding) lint.Confidence {
	if f.Confidence != 0 {
		return f.Confidence
	}
	return f.Rule.Confidence
}

// sentence returns the finding's message with what is at stake, unless the
// message names that already.
func sentence(f lint.Finding) string {
	at := f.Exposure.Credentials
	if len(at) == 0 || slices.ContainsFunc(at, func(c *reach.Credential) bool { return strings.Contains(f.Message, c.Name) }) {
		return f.Message
	}
	return f.Message + "; at stake: " + reach.CredentialList(at)
}

// A comparison sums up what results were compared with, where they were.
type comparison struct {
	with         string
	old, notices int
}

func (c *comparison) add(r *lint.Result) {
	if c.with == "" {
		c.with = r.Compared
	}
	c.old += len(r.Old)
	c.notices += len(r.Findings) - len(r.Failing())
}

// new is the word that tells findings of a change from findings at large.
func (c *comparison) new() string {
	if c.with == "" {
		return ""
	}
	return "new "
}

// level is what a finding is called: its severity, or a notice.
func level(f *lint.Finding) string {
	if f.Notice {
		return "notice"
	}
	return f.Severity.String()
}

// message is what a format with room for a sentence says of a finding.
func message(f lint.Finding) string {
	if f.Notice {
		return "not brought by this change, otherwise " + f.Severity.String() + ": " + sentence(f)
	}
	return sentence(f)
}

// counts tells findings by severity.
type counts [reach.Critical + 1]int

// add counts what is no notice.
func (c *counts) add(fs []lint.Finding) {
	for _, f := range fs {
		if !f.Notice {
			c[f.Severity]++
		}
	}
}

func (c *counts) total() int {
	n := 0
	for _, k := range c {
		n += k
	}
	return n
}

// String lists the counts from the worst down: "2 high, 1 low".
func (c *counts) String() string {
	var parts []string
	for s := reach.Critical; s >= reach.Info; s-- {
		if c[s] > 0 {
			parts = append(parts, number(c[s])+" "+s.String())
		}
	}
	return strings.Join(parts, ", ")
}
