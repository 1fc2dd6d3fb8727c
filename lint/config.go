package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// ConfigPath is where a repository keeps its configuration.
const ConfigPath = ".github/stint.yml"

// MaxConfigBytes is the largest configuration that is read.
const MaxConfigBytes = 256 << 10

// Config is the part of .github/stint.yml that lint reads: the keys lint: and
// debt:. The zero value is that of a repository without the file.
type Config struct {
	// File is the file itself, for places of findings; nil for the zero value.
	File *workflows.File
	// Profile (lint.profile, YYYY-MM) leaves out the rules that are younger; "" runs all.
	Profile string
	// MinSeverity (lint.min-severity) is the least severity that is reported; nil
	// leaves it to whoever runs lint.
	MinSeverity *reach.Severity
	// Strict (lint.strict) is --strict.
	Strict bool
	// Disable (lint.disable) lists ids of rules that do not run, sorted.
	Disable []string
	// TrustedOwners (lint.trusted-owners) are owners whose actions are judged as
	// one's own organization's, in lower case, sorted.
	TrustedOwners []string
	// Actions (lint.actions) says which actions may be used.
	Actions ActionPolicy
	// Debt lists the standing secrets that are tolerated for now, in file order.
	Debt []Debt
	// Extends is the file that this one adds to, nil for none.
	Extends *Extends
	// Locked (locked) lists the keys that a file which extends this one may not set, and
	// as rules.ID the rules that it may not switch off; see [Config.Extend]. Sorted.
	Locked []string
	// Other lists the top-level keys that lint does not know, with their lines.
	Other []Key

	ignores []*Suppression
	named   []namedRule
	set     map[string]int    // keys of lint: and debt: that are set, with their lines
	from    map[string]string // keys that are not the file's own: whose they are
	unread  string            // why the extended file is not in here
}

// A Key is a top-level key and its line, from 1.
type Key struct {
	Name string
	Line int
}

// A namedRule is a place in the configuration that names a rule.
type namedRule struct {
	id      string
	line    int
	loosens bool // it is named to be switched off, somewhere or everywhere
}

// A Debt is a standing secret that somebody answers for until a day. Declaring it
// lowers nothing: findings about the secret say so.
type Debt struct {
	// Secret is the secret's name; Owner is who answers for it.
	Secret, Owner, Reason string
	// Until is the last day, YYYY-MM-DD. Secret is always set; an empty Owner,
	// Reason or Until is a finding, not an error.
	Until string
	Span  workflows.Span
}

// A ConfigError is one mistake in the configuration. Error is one line that
// starts with file:line, NextStep what to do about it.
type ConfigError struct {
	Path    string
	Line    int // from 1, 0 for the whole file
	Message string
	Hint    string
}

// Error returns "path:line: message".
func (e *ConfigError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.Path, e.Message)
	}
	return fmt.Sprintf("%s:%d: %s", e.Path, e.Line, e.Message)
}

// NextStep returns the hint line.
func (e *ConfigError) NextStep() string { return e.Hint }

// CheckRules returns a *ConfigError for the first rule id in the configuration
// that is not among the known rules.
func (c *Config) CheckRules(known []*Rule) error {
	for _, n := range c.named {
		if !slices.ContainsFunc(known, func(r *Rule) bool { return r.ID == n.id }) {
			return &ConfigError{
				Path: c.File.Path, Line: n.line,
				Message: fmt.Sprintf("there is no rule %q", oneLine(n.id)),
				Hint:    "`stint rules` lists the rules",
			}
		}
	}
	return nil
}

// disables says why the rule does not run, "" when it does.
func (c *Config) disables(r *Rule) string {
	switch {
	case c.lockedRule(r.ID):
		return ""
	case slices.Contains(c.Disable, r.ID):
		return "switched off by " + ConfigPath
	case c.Profile != "" && r.Since > c.Profile:
		return "younger than the profile " + c.Profile + " of " + ConfigPath
	}
	return ""
}

// debtNotes returns a related place for each declared debt among the credentials.
func (c *Config) debtNotes(creds []*reach.Credential) []Related {
	var notes []Related
	for _, d := range c.Debt {
		declared := func(cr *reach.Credential) bool { return strings.EqualFold(cr.Name, d.Secret) }
		if !slices.ContainsFunc(creds, declared) {
			continue
		}
		text := fmt.Sprintf("%q is declared as debt", d.Secret)
		if d.Owner != "" {
			text += fmt.Sprintf(" by %q", d.Owner)
		}
		if d.Until != "" {
			text += " until " + d.Until
		}
		notes = append(notes, Related{File: c.File, Span: d.Span, Text: text})
	}
	return notes
}

// matchPath reports whether a path matches a glob in which * stands for any part
// of a name and ** for any directories.
func matchPath(glob, path string) bool {
	ok, err := doublestar.Match(glob, path)
	return ok && err == nil
}
