package lint

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/stint-dev/stint/reach"
)

// An Extends names the file that a configuration adds to, one file of one commit of a
// repository: extends: OWNER/REPO:PATH@COMMIT. It is not the newest one on purpose: what
// decides about a pull request changes by a reviewed change of the repository itself.
type Extends struct {
	Owner, Repo, Path, Commit string
	Line                      int
}

// String returns the reference as it is written.
func (x *Extends) String() string {
	return x.Owner + "/" + x.Repo + ":" + x.Path + "@" + x.Commit
}

var (
	extendsForm = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9_-]{0,99})/([A-Za-z0-9._-]{1,100}):([A-Za-z0-9._/-]{1,250})@([0-9a-f]{40})$`)
	lockForm    = regexp.MustCompile(`^(` + strings.Join(lockable, "|") + `|rules\.[a-z0-9-]{1,100})$`)
)

// lockable are the keys of lint: that can be locked, and debt.
var lockable = []string{"profile", "min-severity", "strict", "disable", "trusted-owners", "actions", "ignore", "debt"}

// lockedRulePrefix stands before the id of a rule in Locked.
const lockedRulePrefix = "rules."

// everything in Locked locks every key and rule.
const everything = "*"

// ParseExtends reads OWNER/REPO:PATH@COMMIT, false when it is none. The commit is a full
// one, and the path leads nowhere above the repository.
func ParseExtends(s string) (*Extends, bool) {
	m := extendsForm.FindStringSubmatch(s)
	if m == nil || path.Clean(m[3]) != m[3] || path.IsAbs(m[3]) || strings.HasPrefix(m[3], "..") || strings.Trim(m[2], ".") == "" {
		return nil, false
	}
	return &Extends{Owner: m[1], Repo: m[2], Path: m[3], Commit: m[4]}, true
}

func (p *configParser) extends(n *yaml.Node) {
	x, ok := ParseExtends(p.text(n, "extends"))
	if !ok {
		p.fail(n, "write OWNER/REPO:PATH@COMMIT with the full commit of 40 digits", "extends %q names no file of a commit", oneLine(n.Value))
		return
	}
	x.Line = n.Line
	p.config.Extends = x
}

func (p *configParser) locked(n *yaml.Node) {
	key := p.text(n, "locked")
	if !lockForm.MatchString(key) {
		p.fail(n, "lock "+strings.Join(lockable, ", ")+", or rules.ID", "locked: %q is nothing that can be locked", oneLine(key))
	}
	if id, ok := strings.CutPrefix(key, lockedRulePrefix); ok {
		p.config.named = append(p.config.named, namedRule{id: id, line: n.Line})
	}
	p.config.Locked = append(p.config.Locked, key)
}

// Extend returns c on top of the file that it extends: what c sets counts, lists are
// joined, and debt is a repository's own. The error is a *ConfigError about the first
// key of c that the extended file locks, or about a file that extends another itself.
// A rule that is locked runs, whatever profile, disable, ignore and comments say.
func (c *Config) Extend(from *Config) (*Config, error) {
	fail := func(line int, message, hint string) error {
		return &ConfigError{Path: c.File.Path, Line: line, Message: message, Hint: hint}
	}
	if from.Extends != nil {
		return nil, fail(c.Extends.Line, fmt.Sprintf("%q extends another file itself", c.Extends), "extend a file that stands alone")
	}
	for _, key := range slices.SortedFunc(maps.Keys(c.set), func(a, b string) int { return c.set[a] - c.set[b] }) {
		if slices.Contains(from.Locked, key) {
			return nil, fail(c.set[key], fmt.Sprintf("%q is locked by %q", key, c.Extends), "remove the key, or ask the owners of that file")
		}
	}
	for _, n := range c.named {
		if n.loosens && slices.Contains(from.Locked, lockedRulePrefix+n.id) {
			return nil, fail(n.line, fmt.Sprintf("the rule %q is locked by %q", oneLine(n.id), c.Extends), "remove the entry, or ask the owners of that file")
		}
	}
	return c.over(from), nil
}

// listKeys are the keys whose values are joined.
var listKeys = []string{"disable", "trusted-owners", "actions", "ignore"}

func (c *Config) sets(key string) bool {
	_, ok := c.set[key]
	return ok
}

// over joins the two files.
func (c *Config) over(from *Config) *Config {
	out := *c
	out.from = map[string]string{}
	for key := range from.set {
		if !c.sets(key) {
			out.from[key] = c.Extends.String()
		} else if slices.Contains(listKeys, key) {
			out.from[key] = c.Extends.String() + " and " + c.File.Path
		}
	}
	delete(out.from, "debt")
	if !c.sets("profile") {
		out.Profile = from.Profile
	}
	if !c.sets("min-severity") {
		out.MinSeverity = from.MinSeverity
	}
	if !c.sets("strict") {
		out.Strict = from.Strict
	}
	out.Disable = joined(from.Disable, c.Disable)
	out.TrustedOwners = joined(from.TrustedOwners, c.TrustedOwners)
	out.Actions.Allow = slices.Concat(from.Actions.Allow, c.Actions.Allow)
	out.Actions.Deny = slices.Concat(from.Actions.Deny, c.Actions.Deny)
	out.Locked = from.Locked
	out.ignores = slices.Clone(c.ignores)
	for _, s := range from.ignores {
		theirs := *s
		theirs.inherited = true
		out.ignores = append(out.ignores, &theirs)
	}
	return &out
}

func joined(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// unreadNote begins the note of a run about a file that could not be had.
const unreadNote = "extends: "

// Alone returns what is left of c when the file that it extends cannot be read, for the
// reason why: nobody knows what is locked, so that nothing counts by which c would report
// less. What makes it report more stays. Comments in files do not count either, and every
// run says that it was judged so.
func (c *Config) Alone(why string) *Config {
	out := *c
	out.Profile, out.MinSeverity, out.Disable, out.TrustedOwners, out.ignores = "", nil, nil, nil, nil
	out.set = maps.Clone(c.set)
	for _, key := range []string{"profile", "min-severity", "disable", "trusted-owners", "ignore"} {
		delete(out.set, key)
	}
	out.Locked = []string{everything}
	out.unread = fmt.Sprintf("%s was not read: %s; nothing counts by which this repository would report less", c.Extends, why)
	return &out
}

// Unread says in one line why what c extends is not in it, "" when it is or extends nothing.
func (c *Config) Unread() string { return c.unread }

// lockedRule reports whether the extended file wants the rule to run.
func (c *Config) lockedRule(id string) bool {
	return c.Extends != nil && (slices.Contains(c.Locked, lockedRulePrefix+id) || slices.Contains(c.Locked, everything))
}

// refuses says why a suppression does not count by the configuration, "" when it does.
func (c *Config) refuses(s *Suppression) string {
	for _, r := range s.Rules {
		if !s.inherited && c.lockedRule(r.ID) {
			return fmt.Sprintf("it is about the rule %s, which %s locks", r.ID, c.Extends)
		}
	}
	return ""
}

// A Setting is one effective value of a configuration. From is "default", the path of the
// file, the file that it extends, or both.
type Setting struct {
	Key, Value, From string
	Locked           bool
}

// Settings lists the effective values of lint: and how many entries debt: has.
func (c *Config) Settings() []Setting {
	least := reach.Low.String()
	if c.MinSeverity != nil {
		least = c.MinSeverity.String()
	}
	var ignored []string
	for _, s := range c.ignores {
		ignored = append(ignored, s.Rules[0].ID+" in "+s.glob)
	}
	var debt []string
	for _, d := range c.Debt {
		debt = append(debt, d.Secret)
	}
	all := []Setting{
		{Key: "profile", Value: c.Profile},
		{Key: "min-severity", Value: least},
		{Key: "strict", Value: fmt.Sprint(c.Strict)},
		{Key: "disable", Value: strings.Join(c.Disable, ", ")},
		{Key: "trusted-owners", Value: strings.Join(c.TrustedOwners, ", ")},
		{Key: "actions", Value: c.Actions.String()},
		{Key: "ignore", Value: strings.Join(ignored, ", ")},
		{Key: "debt", Value: strings.Join(debt, ", ")},
	}
	for i := range all {
		s := &all[i]
		s.Locked = c.Extends != nil && (slices.Contains(c.Locked, s.Key) || slices.Contains(c.Locked, everything))
		switch {
		case c.from[s.Key] != "":
			s.From = c.from[s.Key]
		case c.sets(s.Key):
			s.From = c.File.Path
		default:
			s.From = "default"
		}
	}
	for _, key := range c.Locked {
		if strings.HasPrefix(key, lockedRulePrefix) && c.Extends != nil {
			all = append(all, Setting{Key: key, Value: "runs", From: c.Extends.String(), Locked: true})
		}
	}
	return all
}
