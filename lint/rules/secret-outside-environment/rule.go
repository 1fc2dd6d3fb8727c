// Package secretoutsideenvironment is the rule secret-outside-environment; see README.md.
package secretoutsideenvironment

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
)

//go:embed README.md
var readme string

// Rule reports jobs that publish or deploy with a secret that no environment guards.
var Rule = &lint.Rule{
	ID:         "secret-outside-environment",
	Title:      "a job publishes or deploys with a secret that no deployment environment guards",
	Since:      "2026-11",
	Confidence: lint.MediumConfidence,
	Tags:       []string{"NHI8:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Jobs(func(job *reach.Job) {
		if job.Environment != "" || job.Job.Environment != nil || job.Job.Uses != nil {
			return // a call of a workflow cannot name one; the called jobs can
		}
		uses := p.Graph.Uses(job)
		what := action(p.Graph, job)
		worth := slices.DeleteFunc(slices.Clone(uses), func(u reach.Use) bool { return !worthIt(p.Graph, job, u) })
		switch {
		case what != "" && len(worth) > 0:
			report(p, job, what, worth, false)
		case len(uses) > 0:
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

func report(p *lint.Pass, job *reach.Job, what string, uses []reach.Use, strict bool) {
	medium := reach.Medium // what an environment guards is who may run the job
	f := lint.Finding{Span: job.Job.IDSpan, Job: job, Ceiling: &medium, Strict: strict}
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
	f.Message = fmt.Sprintf("the job %s with %s that no environment guards: a workflow on any branch of the repository can read %s too; %s",
		what, plural(len(creds), "a secret", "secrets"), plural(len(creds), "it", "them"), loss)
	f.Next = "name an environment: that only the protected branch may enter, and store the secret there instead of in the repository"
	p.Report(f)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
