// Package secretoutsideenvironment is the rule secret-outside-environment; see README.md.
package secretoutsideenvironment

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

//go:embed README.md
var readme string

// Rule reports jobs that publish or deploy with a secret that no environment guards.
var Rule = &lint.Rule{
	ID:         "secret-outside-environment",
	Title:      "a job publishes or deploys with a secret that no deployment environment guards",
	Since:      "2026-11",
	Confidence: lint.MediumConfidence,
	Network:    lint.SomeNetwork,
	Tags:       []string{"NHI8:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Jobs(func(job *reach.Job) {
		if job.Job.Uses != nil {
			return // a call of a workflow cannot name one; the called jobs can
		}
		uses := p.Graph.Uses(job)
		what := action(p.Graph, job)
		worth := slices.DeleteFunc(slices.Clone(uses), func(u reach.Use) bool { return !worthIt(p.Graph, job, u) })
		switch {
		case what != "" && len(worth) > 0:
			report(p, job, what, worth, false)
		case len(uses) > 0 && (p.Strict || job.Job.Environment == nil): // nobody asks the network for what is not shown
			report(p, job, what, uses, true)
		}
	})
}

// action says what the job does to the outside, "" for nothing known.
func action(g *reach.Graph, job *reach.Job) string {
	what := ""
	for _, r := range g.Releases(job) {
		if r.What == "publishes" {
			return r.What
		}
		what = r.What
	}
	return what
}

// A gap is why nothing guards the secrets of a job.
type gap struct {
	span       workflows.Span
	that, next string // that continues "a secret that"
}

// gapOf returns the gap of a job that names no environment, or one that is known to
// demand nothing.
func gapOf(p *lint.Pass, job *reach.Job) (g gap, found bool) {
	if job.Job.Environment == nil {
		return gap{job.Job.IDSpan, "no environment guards",
			"name an environment: that only the protected branch may enter, and store the secret there instead of in the repository"}, true
	}
	demands, err := p.Protection(job)
	name, repo := job.Job.Environment.Name, p.Repository.Name
	switch {
	case errors.Is(err, workflows.ErrNotFound):
		return gap{name.Span, fmt.Sprintf("no environment guards (%s has none called %q: the first job in it makes one, without protection)", repo, name.Value),
			fmt.Sprintf("make the environment %q, let only the protected branch enter it, and store the secret there instead of in the repository", name.Value)}, true
	case err == nil && demands == workflows.Protection{}:
		return gap{name.Span, fmt.Sprintf("the environment %q of %s does not guard (it has no reviewers, no wait and no limit to branches or tags)", name.Value, repo),
			fmt.Sprintf("let only the protected branch or tags enter the environment %q, or require reviewers there, and store the secret in it and nowhere else", name.Value)}, true
	}
	return gap{}, false
}

func report(p *lint.Pass, job *reach.Job, what string, uses []reach.Use, strict bool) {
	g, found := gapOf(p, job)
	if !found {
		return
	}
	medium := reach.Medium // what an environment guards is who may run the job
	f := lint.Finding{Span: g.span, Job: job, Ceiling: &medium, Next: g.next, Strict: strict}
	var creds []*reach.Credential
	for _, u := range uses {
		if !slices.Contains(creds, u.Credential) {
			creds = append(creds, u.Credential)
			f.Related = append(f.Related, lint.Related{File: u.Ref.File, Span: u.Ref.Span, Text: u.Credential.Name + " enters here"})
		}
	}
	if what == "" {
		what = "runs"
	}
	loss := ""
	f.Exposure, f.Code, loss = job.Loss(creds)
	f.Message = fmt.Sprintf("the job %s with %s that %s: a workflow on any branch of the repository can read %s too; %s",
		what, plural(len(creds), "a secret", "secrets"), g.that, plural(len(creds), "it", "them"), loss)
	p.Report(f)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
