// Package lockfiledrift is the rule lockfile-drift; see README.md.
package lockfiledrift

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

// Rule reports workflows on actions.lock that use what is not in it, and what it holds
// that nothing uses.
var Rule = &lint.Rule{
	ID:         "lockfile-drift",
	Title:      "a workflow and actions.lock differ in what is used",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"NHI3:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

// A drift is a uses: that the lock does not hold.
type drift struct {
	uses *workflows.Uses
	job  *reach.Job
	code *reach.Code
	// locked is the commit that the lock has for another one that the workflow names.
	locked string
}

func check(p *lint.Pass) {
	lock := p.Repository.Lock()
	if lock == nil {
		return
	}
	if p.File.Lock == lock {
		stale(p, lock)
		return
	}
	if _, onboarded := lock.Workflows[p.File.Path]; !onboarded {
		return
	}
	var list []drift
	look := func(u *workflows.Uses, job *reach.Job) {
		if u == nil || u.Owner == "" || u.Host != "" {
			return
		}
		d := drift{uses: u, job: job, code: p.Graph.CodeOf(p.File, u, nil)}
		pin, ok := lock.Pinned(p.File.Path, u)
		if ok && u.Kind == workflows.UsesCommit && !strings.EqualFold(pin.Commit, u.Ref) {
			d.locked = pin.Commit
		}
		if !ok || d.locked != "" {
			list = append(list, d)
		}
	}
	p.Jobs(func(job *reach.Job) { look(job.Job.Uses, job) })
	p.Steps(func(s *workflows.Step, job *reach.Job) { look(s.Uses, job) })
	report(p, list)
}

// maxRelated is how many more uses a finding lists.
const maxRelated = 8

// report makes one finding of a workflow, since one run of the tool mends it: at the
// use that is worst, the others beside it.
func report(p *lint.Pass, list []drift) {
	if len(list) == 0 {
		return
	}
	first := list[0]
	grade := func(d drift) reach.Severity { return reach.Grade(lint.Expose(d.job, d.code.Trust)) }
	for _, d := range list[1:] {
		if grade(d) > grade(first) {
			first = d
		}
	}
	f := lint.Finding{
		Span: first.uses.Span, Job: first.job, Code: first.code, Exposure: lint.Expose(first.job, first.code.Trust),
		Message: fmt.Sprintf("%s is not in actions.lock, on which this workflow is, so that nothing holds it to a reviewed commit", workflows.Printable(first.uses.Value)),
		Next:    "renew the lock (gh actions-lock), and review what it adds",
	}
	if first.locked != "" {
		f.Message = fmt.Sprintf("the workflow names one commit of %s, and actions.lock another, %s", first.uses.FullName(), first.locked)
	}
	if len(f.Exposure.Credentials) > 0 {
		f.Message += "; it could take " + reach.CredentialList(f.Exposure.Credentials)
	}
	for _, d := range list {
		if d != first && len(f.Related) < maxRelated {
			f.Related = append(f.Related, lint.Related{File: p.File, Span: d.uses.Span, Text: workflows.Printable(d.uses.Value) + " is not in it either"})
		}
	}
	p.Report(f)
}
