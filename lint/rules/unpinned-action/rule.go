// Package unpinnedaction is the rule unpinned-action; see README.md.
package unpinnedaction

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports actions and reusable workflows named by a tag or branch.
var Rule = &lint.Rule{
	ID:         "unpinned-action",
	Title:      "an action or reusable workflow is named by a tag or branch, which can be moved",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Fixes:      lint.SafeFix,
	Network:    lint.SomeNetwork,
	Tags:       []string{"NHI3:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Steps(func(s *workflows.Step, job *reach.Job) { judge(p, s.Uses, job) })
	p.Jobs(func(job *reach.Job) { judge(p, job.Job.Uses, job) })
}

func judge(p *lint.Pass, u *workflows.Uses, job *reach.Job) {
	if u == nil || !movable(u) || u.Name() == p.Repository.NameFold() {
		return
	}
	if _, locked := p.Repository.Lock().Pinned(p.File.Path, u); locked {
		return
	}
	code := p.Graph.CodeOf(p.File, u, nil)
	f := lint.Finding{
		Span: u.Span, Job: job, Code: code, Exposure: lint.Expose(job, code.Trust),
		Next: "write the full commit, with the version behind it: " + u.FullName() + "@<commit> # " + u.Ref,
	}
	if u.Ref == "" {
		f.Next = "write a full commit, with the version behind it: " + u.FullName() + "@<commit> # <version>"
	}
	f.Message = fmt.Sprintf("%s is %s", u.FullName(), how(u)) + taken(f.Exposure)
	if info, _ := platform.LookupAction(u.FullName()); info.TagOnly != "" {
		f.Strict = true
		f.Next = "keep the tag exact (" + info.TagOnly + "), and keep the job free of standing credentials"
	} else {
		f.Fixes = pin(p, u)
	}
	p.Report(f)
}

// movable reports whether what a uses: names can change: a tag, a branch, or no ref
// at all, which GitHub refuses until somebody adds one.
func movable(u *workflows.Uses) bool {
	return u.Kind == workflows.UsesTag || u.Kind == workflows.UsesBranch || u.Kind == workflows.UsesInvalid && u.Repo != ""
}

func how(u *workflows.Uses) string {
	switch {
	case u.Ref == "":
		return "named without a ref, and GitHub refuses that"
	case u.Kind == workflows.UsesTag:
		return fmt.Sprintf("named by the tag %s, which can be moved", u.Ref)
	case shortCommit(u.Ref):
		return fmt.Sprintf("named by %s, which GitHub takes for a branch or tag and not for a commit", u.Ref)
	}
	return fmt.Sprintf("on the branch %s, so that every push to it runs here", u.Ref)
}

// shortCommit reports whether a ref looks like the start of a commit.
func shortCommit(ref string) bool {
	return len(ref) >= 7 && len(ref) < 40 && strings.Trim(ref, "0123456789abcdef") == ""
}

func taken(e reach.Exposure) string {
	if len(e.Credentials) == 0 {
		return "; nothing in its job can be taken"
	}
	return "; it could take " + reach.CredentialList(e.Credentials)
}

// pin is the fix: the commit that the ref names now, in the form that Dependabot
// and Renovate keep up to date. A branch has no version to keep, so that neither
// would update it: there the choice of a release is a person's.
func pin(p *lint.Pass, u *workflows.Uses) []lint.Fix {
	if !p.NetworkFixes || u.Kind != workflows.UsesTag {
		return nil
	}
	commit, version, err := p.Resolver.Commit(p.Context, u.Owner, u.Repo, u.Ref)
	if errors.Is(err, workflows.ErrNotFound) {
		p.NotChecked(fmt.Sprintf("the commit of %s: %v", u.Value, err))
	}
	if err != nil {
		return nil
	}
	if version == "" {
		version = u.Ref
	}
	edits, ok := p.File.SetRef(u, commit, version)
	if !ok {
		return nil
	}
	return []lint.Fix{{Title: fmt.Sprintf("pin %s to the commit of %s", u.FullName(), version), Safe: true, Edits: edits}}
}
