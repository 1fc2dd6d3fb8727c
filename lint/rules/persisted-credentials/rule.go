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
)

//go:embed README.md
var readme string

// Rule reports checkouts that leave their token for later steps that do not use it.
var Rule = &lint.Rule{
	ID:         "persisted-credentials",
	Title:      "a checkout leaves its token in git's configuration and nothing in the job needs it",
	Since:      "2026-11",
	Confidence: lint.MediumConfidence,
	Fixes:      lint.SafeFix | lint.UnsafeFix,
	Tags:       []string{"NHI2:2025", "NHI5:2025"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Steps(func(s *workflows.Step, job *reach.Job) {
		if s.Uses == nil || s.Uses.Name() != "actions/checkout" || setsInput(s) && !keeps(s) {
			return
		}
		steps := beside(p, job)
		scripts := slices.ContainsFunc(steps, hidingScript)
		if slices.ContainsFunc(steps, usesGit) || scripts && ownToken(s) != "" {
			return // who gives a token of its own to a job with scripts means it for them
		}
		report(p, s, job, !scripts && !slices.ContainsFunc(steps, func(s *workflows.Step) bool { return hidingAction(p, s) }))
	})
}

// setsInput reports whether the step decides the matter itself: with false there
// is no defect, with an expression it is decided elsewhere.
func setsInput(s *workflows.Step) bool { return s.With.Get("persist-credentials") != nil }

// keeps reports whether the step asks for what is the default: somebody wants the
// credential then, so that it is a finding where it is given away, and else for strict profiles.
func keeps(s *workflows.Step) bool {
	v, ok := s.With.Get("persist-credentials").Const()
	return ok && strings.EqualFold(v, "true")
}

// beside returns the steps that run in a job with a step of the file. A step of an
// action runs in every job that uses the action.
func beside(p *lint.Pass, job *reach.Job) []*workflows.Step {
	var out []*workflows.Step
	jobs := []*reach.Job{job}
	if a := p.File.Action; a != nil {
		out, jobs = a.AllSteps(), p.Graph.Users(p.File)
	}
	for _, j := range jobs {
		for _, r := range p.Graph.RunSteps(j) {
			out = append(out, r.Step)
		}
	}
	return out
}

// report makes the finding; known says that nothing in the job could use the
// credential out of sight.
func report(p *lint.Pass, s *workflows.Step, job *reach.Job, known bool) {
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
	f.Message = fmt.Sprintf("the checkout leaves %s for git, and no step of the job is seen to use it", token)
	if up := uploadsTree(p, s, job); up != nil {
		f.Exposure.Steer = max(f.Exposure.Steer, reach.FetchedCode)
		f.Message += "; an artifact of the whole tree, with .git in it, is uploaded later"
		f.Related = append(f.Related, lint.Related{File: p.File, Span: up.Uses.Span, Text: "uploads the tree"})
	} else {
		f.Strict = keeps(s)
	}
	f.Next = "add persist-credentials: false to its with:"
	if edits, ok := p.File.SetStepWith(s, "persist-credentials", "false"); ok && len(edits) > 0 {
		f.Fixes = []lint.Fix{{Title: "do not persist the credential", Safe: job != nil && known && !keeps(s), Edits: edits}}
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
		hidden, _ := s.With.Get("include-hidden-files").Const()
		if takesTree(s.With.Get("path")) && (hidden == "true" || olderThan(s.Uses, "v1", "v2", "v3")) {
			return s
		}
	}
	return nil
}

// takesTree reports whether a line of path: names the whole workspace.
func takesTree(path *workflows.Scalar) bool {
	if path == nil {
		return false
	}
	for line := range strings.Lines(path.Value) {
		line = strings.Join(strings.Fields(line), "")
		line = strings.NewReplacer("${{github.workspace}}", ".", "${{env.GITHUB_WORKSPACE}}", ".").Replace(line)
		switch strings.TrimSuffix(line, "/") {
		case ".", "**", "./**", "./**/*", "**/*":
			return true
		}
	}
	return path.Value == ""
}

func outsideTree(s *workflows.Step) bool {
	return strings.HasPrefix(version(s.Uses), "v") && !olderThan(s.Uses, "v1", "v2", "v3", "v4", "v5")
}

// version returns what an action's version is called: the ref, or the comment behind a commit.
func version(u *workflows.Uses) string {
	if u.Comment != nil && u.Kind == workflows.UsesCommit {
		return strings.TrimSpace(u.Comment.Text)
	}
	return u.Ref
}

// olderThan reports whether the version is one of the majors.
func olderThan(u *workflows.Uses, majors ...string) bool {
	return slices.ContainsFunc(majors, func(m string) bool { v := version(u); return v == m || strings.HasPrefix(v, m+".") })
}
