// Package lookalikeaction is the rule lookalike-action; see README.md.
package lookalikeaction

import (
	_ "embed"
	"fmt"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports actions whose owner is one typo away from a well-known one and, online,
// those whose repository is not where its name says or kept by nobody.
var Rule = &lint.Rule{
	ID:         "lookalike-action",
	Title:      "an action is one typo away from a well-known one, or has moved, gone or been archived",
	Since:      "2026-11",
	Confidence: lint.MediumConfidence,
	Network:    lint.SomeNetwork,
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
	if u == nil || u.Owner == "" || u.Host != "" {
		return
	}
	code := p.Graph.CodeOf(p.File, u, nil)
	if code.Trust == reach.SameOwner {
		return
	}
	known := platform.Lookalike(u.Name())
	if known == "" {
		whereabouts(p, u, job, code)
		return
	}
	// Whoever registered the name chose what runs; a commit is one of theirs.
	f := lint.Finding{Span: u.Span, Job: job, Code: code, Exposure: lint.Expose(job, max(code.Trust, reach.OutsiderCode))}
	f.Message = fmt.Sprintf("%s is one typo away from %s, and another owner's", u.Name(), known)
	if len(f.Exposure.Credentials) > 0 {
		f.Message += "; it could take " + reach.CredentialList(f.Exposure.Credentials)
	}
	f.Next = "write " + known + " if that is meant, and rotate what the job held if it ran; say so in a suppression if not"
	p.Report(f)
}
