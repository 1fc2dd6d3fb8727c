package lint

import (
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/stint-dev/stint/workflows"
)

// An ActionPolicy is lint.actions of the configuration: which actions, reusable
// workflows and docker:// images the repository wants to use.
//
// A pattern is owner/repo[/path][@ref] or docker://image, without regard to case but for
// the ref; * stands for any part of a name and ** for any path. One without @ fits any
// ref, and one without a path all that the repository holds.
type ActionPolicy struct {
	// Allow lists what may be used; when it is empty, everything may.
	Allow []string
	// Deny lists what may not, whatever Allow says.
	Deny []string
}

// String lists the patterns: "allow a, b; deny c".
func (p ActionPolicy) String() string {
	var parts []string
	if len(p.Allow) > 0 {
		parts = append(parts, "allow "+strings.Join(p.Allow, ", "))
	}
	if len(p.Deny) > 0 {
		parts = append(parts, "deny "+strings.Join(p.Deny, ", "))
	}
	return strings.Join(parts, "; ")
}

// Forbids reports whether the policy forbids what a uses: names, and by which pattern of
// Deny; the pattern is "" for what is missing in Allow. What belongs to the repository
// itself is the caller's to leave out.
func (p ActionPolicy) Forbids(u *workflows.Uses) (pattern string, forbidden bool) {
	for _, d := range p.Deny {
		if fits(d, u) {
			return d, true
		}
	}
	for _, a := range p.Allow {
		if fits(a, u) {
			return "", false
		}
	}
	return "", len(p.Allow) > 0
}

// fits reports whether a pattern covers what a uses: names.
func fits(pattern string, u *workflows.Uses) bool {
	if u.Kind == workflows.UsesDocker {
		return matchPath(strings.ToLower(pattern), strings.ToLower(u.Value))
	}
	name, ref, hasRef := strings.Cut(pattern, "@")
	name = strings.ToLower(name)
	if hasRef && ref != "*" && !matchPath(ref, u.Ref) {
		return false
	}
	return matchPath(name, u.Name()) || matchPath(name, u.FullName())
}

// badPattern says why text is no pattern of an action, "" when it is one.
func badPattern(text string) string {
	name, ref, hasRef := strings.Cut(text, "@")
	switch {
	case !doublestar.ValidatePattern(text):
		return "is no pattern"
	case hasRef && ref == "":
		return "ends in @ without a ref"
	case !strings.Contains(name, "/") && name != "**":
		return "names no repository"
	}
	return ""
}
