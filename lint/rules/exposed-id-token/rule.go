// Package exposedidtoken is the rule exposed-id-token; see README.md.
package exposedidtoken

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports id-token: write where more code can mint a token than needs one.
var Rule = &lint.Rule{
	ID:         "exposed-id-token",
	Title:      "id-token: write in reach of code that should not mint tokens",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Fixes:      lint.SafeFix,
	Tags:       []string{"NHI5:2025", "NHI6:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	w := p.File.Workflow
	if w == nil {
		return
	}
	if e, ok := scopeEntry(w.Permissions); ok {
		judgeWorkflow(p, e)
	}
	p.Jobs(func(job *reach.Job) {
		if e, ok := scopeEntry(job.Job.Permissions); ok {
			judgeJob(p, job, span(e))
		}
	})
}

// scopeEntry returns the id-token: write of a block.
func scopeEntry(block *workflows.Permissions) (workflows.Entry, bool) {
	if block == nil {
		return workflows.Entry{}, false
	}
	for _, e := range block.Scopes {
		if strings.EqualFold(e.Key.Value, "id-token") && e.Value.Value == "write" {
			return e, true
		}
	}
	return workflows.Entry{}, false
}

func span(e workflows.Entry) workflows.Span {
	return workflows.Span{Start: e.Key.Span.Start, End: e.Value.Span.End}
}

// judgeWorkflow reports a grant to a whole workflow: every job that states no
// permissions of its own can mint tokens. With one such job it is judged like the job's own.
func judgeWorkflow(p *lint.Pass, e workflows.Entry) {
	var heirs, users []*reach.Job
	least := yes
	p.Jobs(func(job *reach.Job) {
		if job.Job.Permissions != nil {
			return
		}
		heirs = append(heirs, job)
		a := uses(p, job)
		if least = min(least, a); a != no {
			users = append(users, job)
		}
	})
	if len(heirs) == 1 || least == yes {
		judgeAlike(p, heirs, span(e))
		return
	}
	var f lint.Finding
	for _, j := range heirs {
		x := exposure(j)
		if f.Job == nil || reach.Grade(x) > reach.Grade(f.Exposure) {
			f.Job, f.Exposure, f.Code = j, x, j.WorstCode()
		}
	}
	if f.Job == nil {
		return
	}
	f.Span = span(e)
	f.Message = fmt.Sprintf("id-token: write is given to the whole workflow: %d jobs can mint tokens, %d of them may use one", len(heirs), len(users))
	f.Next = "move it into the permissions of the job that asks for the token"
	if !slices.ContainsFunc(heirs, func(j *reach.Job) bool { return statedInside(p, j) }) {
		f.Fixes = scopeDown(p, users)
	}
	if least != no {
		f.Confidence = lint.MediumConfidence // each of them may want it
	}
	p.Report(f)
}

// statedInside reports whether a job calls a workflow of this repository that states
// permissions: a call that has less than those is refused.
func statedInside(p *lint.Pass, job *reach.Job) bool {
	return slices.ContainsFunc(p.Graph.Called(job), func(c *reach.Job) bool {
		return c.Job.EffectivePermissions().Origin != workflows.OriginDefault
	})
}

// judgeAlike judges jobs that all ask for the token they share like jobs that state
// it themselves; the worst stands for them.
func judgeAlike(p *lint.Pass, heirs []*reach.Job, at workflows.Span) {
	var worst *reach.Job
	for _, j := range heirs {
		if len(heirs) > 1 && len(p.Graph.Called(j)) > 0 {
			continue // its jobs are judged themselves
		}
		if worst == nil || reach.Grade(exposure(j)) > reach.Grade(exposure(worst)) {
			worst = j
		}
	}
	if worst != nil {
		judgeJob(p, worst, at)
	}
}

// judgeJob reports a job that asks for no token, or one in which code that is
// steered from outside could ask for it too.
func judgeJob(p *lint.Pass, job *reach.Job, at workflows.Span) {
	f := lint.Finding{Span: at, Job: job, Code: job.WorstCode(), Exposure: exposure(job)}
	switch {
	case job.Job.Uses != nil && len(p.Graph.Called(job)) > 0:
		return // the called jobs are judged themselves
	case uses(p, job) == no:
		f.Message = fmt.Sprintf("job %s may mint id-tokens and nothing in it asks for one", job.Job.ID)
		f.Next = "remove id-token: write"
		f.Confidence = lint.MediumConfidence
	case f.Code != nil && f.Code.Trust.Foreign():
		f.Message = fmt.Sprintf("in job %s %s (%s) could mint id-tokens for any audience and take %s",
			job.Job.ID, f.Code.Name, f.Code.Why, reach.CredentialList(f.Exposure.Credentials))
		f.Next = "keep the exchange in a job of its own, with code that is pinned by commit"
	case job.Starter() == platform.StartAnyone:
		f.Message = fmt.Sprintf("anyone can start job %s (%s), and its token says it runs on the default branch", job.Job.ID, outsiderEvent(job))
		f.Next = "ask for the token in a job that only people with write access start"
		f.Confidence = lint.MediumConfidence
	default:
		return
	}
	p.Report(f)
}

// outsiderEvent names an event with which anyone starts the job.
func outsiderEvent(job *reach.Job) string {
	for _, s := range job.Starts {
		if s.Who == platform.StartAnyone {
			return s.Event
		}
	}
	return ""
}

// exposure is the id-token and what was minted with it.
func exposure(job *reach.Job) reach.Exposure {
	return job.Exposure(job.Trust()).Only(reach.IDToken, reach.CloudSession)
}

// scopeDown moves the scope to the one job that may use it.
func scopeDown(p *lint.Pass, users []*reach.Job) []lint.Fix {
	if len(users) != 1 {
		return nil
	}
	rest := map[string]workflows.Access{}
	for _, e := range p.File.Workflow.Permissions.Scopes {
		level, ok := map[string]workflows.Access{"read": workflows.AccessRead, "write": workflows.AccessWrite, "none": workflows.AccessNone}[e.Value.Value]
		if !ok {
			return nil
		}
		rest[strings.ToLower(e.Key.Value)] = level
	}
	all := maps.Clone(rest)
	delete(rest, "id-token")
	edits, ok := p.File.SetWorkflowPermissions(rest)
	if !ok {
		return nil
	}
	more, ok := p.File.SetJobPermissions(users[0].Job, all)
	if !ok {
		return nil
	}
	return []lint.Fix{{Title: "move id-token: write to job " + users[0].Job.ID, Safe: true, Edits: append(edits, more...)}}
}
