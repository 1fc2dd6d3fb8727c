// Package secretsinherit is the rule secrets-inherit; see README.md.
package secretsinherit

import (
	_ "embed"
	"fmt"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

//go:embed README.md
var readme string

// Rule reports secrets: inherit in calls of reusable workflows.
var Rule = &lint.Rule{
	ID:         "secrets-inherit",
	Title:      "a reusable workflow is handed every secret instead of those it needs",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Fixes:      lint.SafeFix | lint.UnsafeFix,
	Tags:       []string{"NHI5:2025", "NHI9:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	if p.File.Workflow == nil {
		return
	}
	for _, j := range p.File.Workflow.Jobs {
		job := p.Graph.Of(j)
		if j.InheritSecrets == nil || j.Uses == nil || job == nil {
			continue
		}
		f := lint.Finding{Span: j.InheritSecrets.Span, Job: job}
		if callee := calledFile(p.Graph, job); callee != nil {
			judgeLocal(p, &f, callee)
		} else {
			judgeForeign(&f)
		}
		p.Report(f)
	}
}

// calledFile returns the workflow of this repository that the job calls, or nil.
func calledFile(g *reach.Graph, job *reach.Job) *workflows.File {
	if called := g.Called(job); len(called) > 0 {
		return called[0].File
	}
	return nil
}

// judgeForeign fills in the finding for a callee that cannot be seen: whoever
// steers it takes every secret, those added tomorrow too.
func judgeForeign(f *lint.Finding) {
	job := f.Job
	f.Exposure = job.Exposure(reach.OwnCode)
	for _, c := range job.Code {
		if c.Uses == job.Job.Uses {
			f.Code, f.Exposure.Steer = c, c.Trust
		}
	}
	f.Message = fmt.Sprintf("every secret of the repository goes to %s, whatever it needs", job.Job.Uses.Value)
	if f.Code == nil {
		f.Message = fmt.Sprintf("every secret of the repository goes to %s, which could not be read here", job.Job.Uses.Value)
	}
	f.Next = "pass by name the secrets that it declares, each as NAME: ${{ secrets.NAME }}"
}

// judgeLocal fills in the finding for a callee of this repository. It is the
// repository's own commit and its jobs hold only what they name, so that the
// defect is a chore: the list of what is handed over is written nowhere.
func judgeLocal(p *lint.Pass, f *lint.Finding, callee *workflows.File) {
	n := needsOf(p.Graph, callee)
	f.Exposure = f.Job.Exposure(reach.OwnCode)
	if n.every {
		f.Message = fmt.Sprintf("every secret of the repository goes to %s, which takes or hands on all of them", callee.Path)
		f.Next = "make the called workflow name the secrets it needs, then pass these by name"
		return
	}
	low := reach.Low
	f.Ceiling = &low
	f.Exposure.Credentials = n.credentials
	f.Message = fmt.Sprintf("every secret of the repository goes to %s, which uses %s", callee.Path, n)
	if missing := n.undeclared(); len(missing) > 0 {
		f.Next = fmt.Sprintf("declare %s under on.workflow_call.secrets there, then pass by name what it uses", list(missing))
		return
	}
	f.Next = "pass them by name"
	if len(n.names) == 0 {
		f.Next = "remove secrets: inherit"
	}
	f.Fixes = fixes(p.File, f.Job.Job, n)
}
