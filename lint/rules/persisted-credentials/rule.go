// Package persistedcredentials is the rule persisted-credentials; see README.md.
package persistedcredentials

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports checkouts that leave their token for later steps that do not use it.
var Rule = &lint.Rule{
	ID:         "persisted-credentials",
	Title:      "a checkout leaves its token in git's configuration and nothing in the job needs it",
	Since:      "2026-11",
	Confidence: lint.MediumConfidence,
	Tags:       []string{"NHI2:2025", "NHI5:2025"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Steps(func(s *workflows.Step, job *reach.Job) {
		if s.Uses == nil || s.Uses.Name() != "actions/checkout" || setsInput(s) || job != nil && usesGit(p, job) {
			return
		}
		report(p, s, job)
	})
}

// setsInput reports whether the step decides the matter itself: with false there
// is no defect, with true or an expression somebody wants the credential.
func setsInput(s *workflows.Step) bool { return s.With.Get("persist-credentials") != nil }

func report(p *lint.Pass, s *workflows.Step, job *reach.Job) {
	f := lint.Finding{Span: s.Uses.Span, Job: job}
	token, name := "the repository token", ""
	if job == nil {
		f.Exposure = reach.Elsewhere(reach.OwnCode)
	} else {
		f.Code = job.WorstCode()
		f.Exposure = job.Exposure(job.Trust()).Only(reach.GitCredential)
		if name = ownToken(s); name != "" {
			token = name
			f.Exposure = named(job, name)
		}
	}
	f.Message = fmt.Sprintf("the checkout leaves %s for git, and no step of the job needs it there", token)
	if up := uploadsTree(p, s, job); up != nil {
		f.Exposure.Steer = max(f.Exposure.Steer, reach.FetchedCode)
		f.Message += "; an artifact of the whole tree, with .git in it, is uploaded later"
		f.Related = append(f.Related, lint.Related{File: p.File, Span: up.Uses.Span, Text: "uploads the tree"})
	}
	f.Next = "add persist-credentials: false to its with:"
	if edits, ok := p.File.SetStepWith(s, "persist-credentials", "false"); ok && len(edits) > 0 {
		f.Fixes = []lint.Fix{{Title: "do not persist the credential", Safe: job != nil && plain(p, job), Edits: edits}}
	}
	p.Report(f)
}

// ownToken returns the name of the stored secret that the checkout is given
// instead of the repository token, "" for none.
func ownToken(s *workflows.Step) string {
	for _, input := range []string{"token", "ssh-key"} {
		v := s.With.Get(input)
		if v == nil {
			continue
		}
		for _, e := range v.Exprs {
			for _, r := range e.Refs() {
				if len(r.Parts) == 2 && r.Parts[0].Name == "secrets" && r.Parts[1].Name != "github_token" {
					return r.Parts[1].Raw
				}
			}
		}
	}
	return ""
}

// named is the exposure of the one credential of that name.
func named(job *reach.Job, name string) reach.Exposure {
	e := job.Exposure(job.Trust())
	e.Credentials = slices.DeleteFunc(slices.Clone(e.Credentials), func(c *reach.Credential) bool { return c.Name != name })
	return e
}

// remote are the git commands that speak to a remote and so may use the credential.
var remote = []string{"push", "fetch", "pull", "clone", "ls-remote", "submodule", "lfs", "remote", "subtree", "svn"}

// pushers are commands and actions that use git's credential to publish.
var pushers = []string{"mkdocs", "mike", "gh-pages", "semantic-release", "lerna", "release-it", "standard-version", "bumpver", "bump2version", "cz", "pre-commit"}

// usesGit reports whether a step of the job works with git's credential, as far
// as its actions and commands are known.
func usesGit(p *lint.Pass, job *reach.Job) bool {
	for _, r := range p.Graph.RunSteps(job) {
		s := r.Step
		if s.Uses != nil {
			if info, ok := platform.LookupAction(s.Uses.FullName()); ok && info.Git {
				return true
			}
		}
		if s.Run != nil && (slices.ContainsFunc(s.Run.Commands, gitRemote) || s.Run.Commands == nil && strings.Contains(s.Run.Value, "git ")) {
			return true
		}
	}
	return false
}

func gitRemote(c *workflows.Command) bool {
	if slices.Contains(pushers, c.Name) {
		return true
	}
	if c.Name != "git" {
		return false
	}
	return slices.ContainsFunc(c.Args(), func(w workflows.Word) bool { return !w.Const || slices.Contains(remote, w.Text) })
}

// plain reports whether nothing in the job could use the credential out of sight:
// no script or build tool of the tree runs, which may call git.
func plain(p *lint.Pass, job *reach.Job) bool {
	for _, r := range p.Graph.RunSteps(job) {
		s := r.Step
		if s.Uses != nil && s.Uses.Kind != workflows.UsesLocal && s.Uses.Kind != workflows.UsesSelf {
			if _, known := platform.LookupAction(s.Uses.FullName()); !known {
				return false
			}
		}
		if s.Run == nil {
			continue
		}
		if s.Run.Shell != workflows.ShellPOSIX || s.Run.Err != nil {
			return false
		}
		if name, _ := reach.Executes(s); strings.HasPrefix(name, ".") || strings.HasPrefix(name, "make") {
			return false
		}
	}
	return true
}

// uploadsTree returns a later step that uploads the whole workspace, hidden files
// included, as an artifact. Since v6 actions/checkout keeps the token outside the tree.
func uploadsTree(p *lint.Pass, checkout *workflows.Step, job *reach.Job) *workflows.Step {
	if job == nil || outsideTree(checkout) {
		return nil
	}
	after := false
	for _, r := range p.Graph.RunSteps(job) {
		s := r.Step
		if s == checkout {
			after = true
			continue
		}
		if !after || s.Uses == nil || s.Uses.Name() != "actions/upload-artifact" {
			continue
		}
		path, ok := s.With.Get("path").Const()
		hidden, _ := s.With.Get("include-hidden-files").Const()
		old := strings.HasPrefix(s.Uses.Ref, "v1") || strings.HasPrefix(s.Uses.Ref, "v2") || strings.HasPrefix(s.Uses.Ref, "v3")
		if ok && (path == "." || path == "./" || path == "") && (old || hidden == "true") {
			return s
		}
	}
	return nil
}

func outsideTree(s *workflows.Step) bool {
	ref := s.Uses.Ref
	if s.Uses.Comment != nil && s.Uses.Kind == workflows.UsesCommit {
		ref = s.Uses.Comment.Text
	}
	for _, old := range []string{"v1", "v2", "v3", "v4", "v5"} {
		if strings.HasPrefix(ref, old) {
			return false
		}
	}
	return strings.HasPrefix(ref, "v")
}
