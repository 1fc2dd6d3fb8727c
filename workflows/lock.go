package workflows

import (
	"fmt"
	"regexp"
	"strings"
)

// lockPath is where GitHub reads the lock of a repository's workflows.
const lockPath = ".github/workflows/actions.lock"

// lockVersion is the only schema whose meaning is known here. A later one may
// say something else with the same words, so its pins do not count.
const lockVersion = "v0.0.2"

var (
	// pinPattern is owner/repo@ref. The schema pins whole repositories at a ref:
	// actions/cache/save@v4 is covered by actions/cache@v4.
	pinPattern    = regexp.MustCompile(`^[^/@:\s]+/[^/@:\s]+@[^:\s]+$`)
	digestOfAlgos = map[string]int{"sha1": 40, "sha256": 64}
)

// parseLock reads actions.lock. What it cannot understand becomes a problem and
// pins nothing: a lock that is misread as covering an action would hide it.
func parseLock(v *Value) (*Lock, []Problem) {
	if v == nil || v.Fields == nil {
		return nil, []Problem{{Span: spanOfValue(v), Message: "a lock file must be a mapping", Whole: true}}
	}
	p := &lockParser{lock: &Lock{Workflows: map[string]LockedWorkflow{}, Pins: map[string]Pin{}}}
	p.version(v)
	if len(p.problems) == 0 {
		p.pins(v.Field("dependencies"))
		p.workflows(v.Field("workflows"))
	}
	return p.lock, p.problems
}

func spanOfValue(v *Value) Span {
	if v == nil {
		return Span{}
	}
	return v.Span
}

type lockParser struct {
	lock     *Lock
	problems []Problem
}

func (p *lockParser) problem(span Span, format string, args ...any) {
	p.problems = append(p.problems, Problem{Span: span, Message: fmt.Sprintf(format, args...)})
}

func (p *lockParser) version(v *Value) {
	version := v.Field("version")
	if version.Text() == nil {
		p.problem(v.Span, "the lock file has no version")
		return
	}
	p.lock.Version = version.Text().Value
	if p.lock.Version != lockVersion {
		p.problem(version.Span, "lock file version %q is not known, only %s is: its pins do not count", p.lock.Version, lockVersion)
	}
}

func (p *lockParser) pins(v *Value) {
	if v == nil {
		return
	}
	for _, field := range v.Fields {
		key := field.Key.String()
		if !pinPattern.MatchString(key) {
			p.problem(field.Key.Span, "%q is not a pin of the form owner/repo@ref", key)
			continue
		}
		commit, ok := lockedCommit(field.Value.Field("commit").Text().String())
		if !ok {
			p.problem(field.Key.Span, "the pin %q has no full commit", key)
			continue
		}
		pin := Pin{Ref: key, Commit: commit, Version: field.Value.Field("ref").Text().String(), Span: field.Key.Span}
		if uses := field.Value.Field("uses"); uses != nil {
			for _, item := range uses.Items {
				pin.Uses = append(pin.Uses, pinKey(item.Text().String()))
			}
		}
		p.lock.Pins[pinKey(key)] = pin
	}
}

// lockedCommit reads "sha1-…" or "sha256-…".
func lockedCommit(s string) (string, bool) {
	algo, digest, _ := strings.Cut(s, "-")
	if len(digest) != digestOfAlgos[algo] || !isCommit(digest) {
		return "", false
	}
	return strings.ToLower(digest), true
}

func (p *lockParser) workflows(v *Value) {
	if v == nil {
		return
	}
	for _, field := range v.Fields {
		locked := LockedWorkflow{Span: field.Key.Span} // one without pins is onboarded all the same
		for _, item := range field.Value.Items {
			key := pinKey(item.Text().String())
			if _, ok := p.lock.Pins[key]; !ok {
				p.problem(item.Span, "the pin %q is not among the dependencies", item.Text().String())
				continue
			}
			locked.Pins = append(locked.Pins, LockEntry{key, item.Span})
		}
		p.lock.Workflows[field.Key.String()] = locked
	}
}

// pinKey lowers the owner and repository of a pin, which GitHub compares without
// regard to case, and leaves the ref, which git does not.
func pinKey(pin string) string {
	name, ref, found := strings.Cut(pin, "@")
	if !found {
		return strings.ToLower(pin)
	}
	return strings.ToLower(name) + "@" + ref
}

func (l *Lock) pinned(workflow string, u *Uses) (Pin, bool) {
	if l == nil || u == nil || u.Owner == "" || u.Host != "" {
		return Pin{}, false
	}
	want := strings.ToLower(u.Owner+"/"+u.Repo) + "@" + u.Ref
	for _, entry := range l.Workflows[workflow].Pins {
		if entry.Key == want {
			return l.Pins[entry.Key], true
		}
	}
	return Pin{}, false
}
