// Package pincommentmismatch is the rule pin-comment-mismatch; see README.md.
package pincommentmismatch

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

//go:embed README.md
var readme string

// Rule reports pins whose comment names another version than the commit has.
var Rule = &lint.Rule{
	ID:         "pin-comment-mismatch",
	Title:      "the version behind a pinned commit is not the commit's",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Fixes:      lint.SafeFix,
	Network:    lint.AllNetwork,
	Tags:       []string{"NHI3:2025"},
	Clock:      true,
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Steps(func(s *workflows.Step, job *reach.Job) { judge(p, s.Uses, job) })
	p.Jobs(func(job *reach.Job) { judge(p, job.Job.Uses, job) })
}

func judge(p *lint.Pass, u *workflows.Uses, job *reach.Job) {
	if u == nil || u.Kind != workflows.UsesCommit || u.Host != "" || u.Name() == p.Repository.NameFold() || !p.NeedsNetwork() {
		return
	}
	refs, err := p.Resolver.Refs(p.Context, u.Owner, u.Repo)
	if err != nil {
		return
	}
	commit, said := strings.ToLower(u.Ref), u.CommentVersion()
	real := refs.Version(commit, "")
	code := p.Graph.CodeOf(p.File, u, nil)
	// The comment runs nothing; it misleads whoever reviews the line or updates it.
	ceiling := reach.Low
	f := lint.Finding{Span: u.Span, Job: job, Code: code, Exposure: lint.Expose(job, code.Trust), Ceiling: &ceiling}
	switch {
	case said == "" && real != "":
		f.Strict = true
		f.Message = fmt.Sprintf("the commit of %s stands without its version, %s, so that no tool keeps it up to date", u.Name(), real)
		f.Next = "write # " + real + " behind it"
	case said == "" || agrees(refs, commit, said):
		return
	case real != "":
		f.Span = u.Comment.Span
		f.Message = fmt.Sprintf("the comment says %s, and the commit of %s is %s", workflows.Printable(said), u.Name(), real)
		f.Next = "write # " + real + ", if that is the version that is meant to run"
	default:
		f.Span = u.Comment.Span
		f.Message = fmt.Sprintf("the comment says %s, and the commit of %s is not that version%s", workflows.Printable(said), u.Name(), where(refs, said))
		f.Next = "look at what the commit is, and pin the one of the version that is meant"
	}
	if real != "" {
		if edits, ok := p.File.SetRef(u, u.Ref, real); ok && len(edits) > 0 {
			f.Fixes = []lint.Fix{{Title: "write " + real + " behind the commit", Safe: true, Edits: edits}}
		}
	}
	p.Report(f)
}

// agrees reports whether a comment fits the commit: a tag on it is the version, or of
// its line, as v4.3.1 is of v4. A line moves on, so a commit without a tag that was
// pinned by one may have been right when it was written.
func agrees(r *workflows.Refs, commit, version string) bool {
	known, line := false, false
	for tag, at := range r.Tags {
		exact, below := fits(tag, version)
		if at == commit && (exact || below) {
			return true
		}
		known, line = known || exact, line || below
	}
	_, branch := r.Branches[version]
	tagged := r.Version(commit, "") != ""
	return !tagged && (line || branch || !known && strings.Count(version, ".") < 2)
}

// fits reports whether a tag is the version, with or without a v and behind the name of
// a part of the repository (tool-v1.2, tool/v1.2), or lies below it, as v1.2.3 below v1.2.
func fits(tag, version string) (exact, below bool) {
	version = bare(version)
	for _, t := range []string{bare(tag), bare(lastPart(tag))} {
		exact = exact || t == version
		below = below || strings.HasPrefix(t, version+".")
	}
	return exact, below
}

func bare(version string) string { return strings.TrimLeft(version, "vV") }

// lastPart returns what follows the name of a part in a tag.
func lastPart(tag string) string {
	for i := range len(tag) - 1 {
		if strings.IndexByte("-_/@", tag[i]) >= 0 && (tag[i+1] == 'v' || '0' <= tag[i+1] && tag[i+1] <= '9') {
			return tag[i+1:]
		}
	}
	return tag
}

// where says what the version of a comment is in the repository.
func where(r *workflows.Refs, version string) string {
	for _, tag := range []string{version, "v" + bare(version), bare(version)} {
		if at := r.Tags[tag]; at != "" {
			return ", which is " + at[:12]
		}
	}
	return ", which has no tag"
}
