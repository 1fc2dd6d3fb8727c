// Package knownbadaction is the rule known-bad-action; see README.md.
package knownbadaction

import (
	"cmp"
	_ "embed"
	"fmt"
	"regexp"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports versions of actions and images that were malicious or have an advisory.
var Rule = &lint.Rule{
	ID:         "known-bad-action",
	Title:      "a version of an action or image that was malicious or has a security advisory",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Fixes:      lint.SafeFix,
	Network:    lint.SomeNetwork,
	Tags:       []string{"NHI3:2025"},
	Clock:      true,
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	c := checker{p, published(p)}
	p.Steps(func(s *workflows.Step, job *reach.Job) { c.judge(s.Uses, job) })
	p.Jobs(func(job *reach.Job) { c.judge(job.Job.Uses, job) })
	images(p)
}

// A checker looks versions up in what is embedded and, online, in what was published
// since.
type checker struct {
	*lint.Pass
	published []platform.Published
}

// published returns the advisories of today when the run is online. What is embedded
// stands without them, so that an offline run says nothing of it.
func published(p *lint.Pass) []platform.Published {
	if !p.Online {
		return nil
	}
	list, _ := p.Resolver.Advisories(p.Context)
	var out []platform.Published
	for _, a := range list {
		out = append(out, platform.Published{Action: a.Action, ID: a.ID, Range: a.Range, Fixed: a.Fixed, Date: a.Date, Source: a.URL})
	}
	return out
}

func (c checker) lookup(u *workflows.Uses, ref, version string) []platform.Advisory {
	return platform.LookupPublished(c.published, u.FullName(), ref, version)
}

func (c checker) judge(u *workflows.Uses, job *reach.Job) {
	if u == nil || u.Ref == "" {
		return
	}
	p, written := c.Pass, u
	u, name := c.locked(u)
	bad, ok := worst(u, c.lookup(u, u.Ref, version(u)))
	if !ok {
		return
	}
	bad.Fixed = c.sound(u, bad.Fixed)
	f := lint.Finding{Span: u.Span, Job: job, Code: p.Graph.CodeOf(p.File, written, nil)}
	switch {
	case malicious(bad) && bad.Restored && u.Kind != workflows.UsesCommit:
		f.Exposure = lint.Expose(job, max(f.Code.Trust, reach.MutableThirdParty))
		f.Message = fmt.Sprintf("%s served malicious code for a while and was put back (%s): %s", name, reference(bad), bad.Summary)
		f.Next = upgrade(bad) + ", and look at the runs of that time"
	case malicious(bad) && bad.Exact:
		f.Exposure = lint.Expose(job, reach.MaliciousCode)
		f.Message = fmt.Sprintf("%s served malicious code (%s): %s", name, reference(bad), bad.Summary)
		f.Next = "remove it, and rotate what its jobs held while it was used: " + reach.CredentialList(f.Exposure.Credentials)
	default:
		// A hole in an action opens it to whoever can reach the hole.
		f.Exposure = lint.Expose(job, max(f.Code.Trust, reach.MutableThirdParty))
		f.Message = fmt.Sprintf("%s %s (%s): %s", name, verb(bad), reference(bad), bad.Summary)
		f.Next = upgrade(bad)
	}
	if !bad.Exact {
		f.Confidence = lint.LowConfidence
		f.Strict = !malicious(bad)
	}
	if bad.ByComment && bad.Exact {
		f.Confidence = lint.MediumConfidence
	}
	f.Fixes = fixes(p, u, bad)
	p.Report(f)
}

// locked returns the uses: as actions.lock holds it, by the commit, with the ref that it
// was locked from in the place of the comment, and a name for it. What is not locked
// stays what it is.
func (c checker) locked(u *workflows.Uses) (held *workflows.Uses, name string) {
	pin, ok := c.Repository.Lock().Pinned(c.File.Path, u)
	if !ok || u.Kind == workflows.UsesCommit {
		return u, u.Value
	}
	h := *u
	h.Kind, h.Ref, h.RefSpan = workflows.UsesCommit, pin.Commit, workflows.Span{} // no edit reaches the lock
	h.Comment = &workflows.Comment{Text: cmp.Or(pin.Version, u.Ref)}
	return &h, fmt.Sprintf("%s, which actions.lock holds to %s,", u.Value, pin.Commit)
}

// version is the version that the comment behind a commit names.
func version(u *workflows.Uses) string {
	if u.Comment == nil {
		return ""
	}
	word, _, _ := strings.Cut(u.Comment.Text, " ")
	return word
}

// worst returns the gravest advisory that concerns the version: malicious before
// vulnerable, exact before possible. A ref that moved on to the version without the
// hole is no defect, and a branch that was put back is none today;
// a tag that was is, while it is of a line that was hijacked, because its runs of
// that time are to be looked at. A version that merely lacks a later guard is the
// matter of untrusted-checkout.
func worst(u *workflows.Uses, list []platform.Advisory) (platform.Advisory, bool) {
	var out platform.Advisory
	found := false
	for _, a := range list {
		past := a.Restored && !a.Exact && (!malicious(a) || u.Kind != workflows.UsesTag)
		if past || a.MovedOn && !malicious(a) || a.Kind == "hardening-version" {
			continue
		}
		if !found || rank(a) > rank(out) {
			out, found = a, true
		}
	}
	return out, found
}

func rank(a platform.Advisory) int {
	n := 0
	if malicious(a) {
		n += 1
	}
	if a.Exact {
		n += 2
	}
	return n
}

func malicious(a platform.Advisory) bool { return strings.HasPrefix(a.Kind, "malicious") }

func verb(a platform.Advisory) string {
	switch {
	case malicious(a):
		return "may have served malicious code"
	case a.Exact:
		return "has a known hole"
	}
	return "may have a known hole, depending on where the ref points"
}

func reference(a platform.Advisory) string {
	if a.ID != "" {
		return a.ID
	}
	return a.Date
}

var commitID = regexp.MustCompile(`^[0-9a-f]{40}$`)

func upgrade(a platform.Advisory) string {
	if a.Fixed == "" {
		return "replace it: no fixed version is known"
	}
	if commitID.MatchString(a.Fixed) {
		return "use the commit " + a.Fixed[:12] + " or a later one, by all its digits"
	}
	return "use " + a.Fixed + " or later, by its full commit"
}

// maxUpgrades bounds how many fixed versions are passed over on the way to a sound one.
const maxUpgrades = 16

// sound returns the version to go to when one hole is closed in fixed: the version
// itself or, where that has a later hole, the one that closes that too. It is "" when
// there is none.
func (c checker) sound(u *workflows.Uses, fixed string) string {
	for range maxUpgrades {
		if !oneVersion(fixed) {
			return fixed
		}
		next, ok := worst(u, c.lookup(u, "v"+strings.TrimPrefix(fixed, "v"), ""))
		if !ok {
			return fixed
		}
		fixed = next.Fixed
	}
	return ""
}

// oneVersion reports whether what an advisory says is fixed is a version, and neither
// a commit nor a list of versions.
func oneVersion(fixed string) bool {
	return fixed != "" && !strings.ContainsAny(fixed, " /,") && !commitID.MatchString(fixed)
}

// fixes pins to the fixed version, where there is one and its commit is known.
func fixes(p *lint.Pass, u *workflows.Uses, bad platform.Advisory) []lint.Fix {
	if !p.NetworkFixes || !oneVersion(bad.Fixed) {
		return nil
	}
	for _, tag := range []string{"v" + strings.TrimPrefix(bad.Fixed, "v"), strings.TrimPrefix(bad.Fixed, "v")} {
		commit, full, err := p.Resolver.Commit(p.Context, u.Owner, u.Repo, tag)
		if err != nil {
			continue
		}
		if full == "" {
			full = tag
		}
		if edits, ok := p.File.SetRef(u, commit, full); ok {
			// A later version may want other inputs, so a person reads it first
			// unless the major version stays.
			safe := major(u.Ref) == major(full) || major(version(u)) == major(full)
			return []lint.Fix{{Title: "upgrade to " + full, Safe: safe, Edits: edits}}
		}
	}
	return nil
}

func major(version string) string {
	m, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	return m
}
