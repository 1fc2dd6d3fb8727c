// Package unpinnedinside is the rule unpinned-inside; see README.md.
package unpinnedinside

import (
	_ "embed"
	"fmt"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

//go:embed README.md
var readme string

// Rule reports uses of actions and reusable workflows that are fixed themselves
// and use mutable ones inside.
var Rule = &lint.Rule{
	ID:         "unpinned-inside",
	Title:      "a fixed action or reusable workflow that itself uses mutable ones",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"NHI3:2025"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	if p.File.Workflow == nil {
		return // an action's own uses: are reported where the jobs use it
	}
	// The jobs of a called workflow of this repository are jobs of their own, so
	// that what they use is reported there.
	p.Steps(func(s *workflows.Step, job *reach.Job) { judge(p, s, job) })
}

// judge reports a uses: when a job's mutable code is reached through it. The
// graph has followed everything that is on disk, to any depth. Each action is
// reported once: where the most can be lost through it.
func judge(p *lint.Pass, s *workflows.Step, job *reach.Job) {
	if s.Uses == nil {
		return
	}
	u, inside := s.Uses, through(job, s.Uses)
	if len(inside) == 0 {
		return
	}
	users := p.Graph.Users(p.Repository.Action(u.Path))
	if worst(users) != job || firstUse(job, u) != s {
		return
	}
	first := inside[0]
	f := lint.Finding{Span: u.Span, Job: job, Code: first, Exposure: job.Exposure(reach.MutableInside)}
	f.Message = fmt.Sprintf("%s is fixed, but inside it %s is %s", u.Value, first.Name, first.Why)
	if n := len(inside) - 1; n > 0 {
		f.Message += fmt.Sprintf(" (and %d more)", n)
	}
	if len(f.Exposure.Credentials) > 0 {
		f.Message += "; it could take " + reach.CredentialList(f.Exposure.Credentials)
	}
	if n := len(users) - 1; n > 0 {
		f.Message += fmt.Sprintf("; %s", more(n))
	}
	f.Next = "pin what it uses by commit, in the file that uses it"
	for _, c := range inside {
		for _, v := range c.Via[1:] {
			f.Related = append(f.Related, lint.Related{File: v.File, Span: v.Span, Text: "through this"})
		}
		f.Related = append(f.Related, lint.Related{File: c.Site.File, Span: c.Site.Span, Text: c.Name + " is " + c.Why})
	}
	p.Report(f)
}

// through returns the mutable third-party code of the job that is reached through
// the given uses:, worst first.
func through(job *reach.Job, u *workflows.Uses) []*reach.Code {
	var out []*reach.Code
	for _, c := range job.Code {
		if c.Uses != nil && c.Trust == reach.MutableThirdParty && len(c.Via) > 0 &&
			c.Via[0].File == job.File && c.Via[0].Span == u.Span {
			out = append(out, c)
		}
	}
	return out
}

func more(n int) string {
	if n == 1 {
		return "1 more job uses it"
	}
	return fmt.Sprintf("%d more jobs use it", n)
}

// worst returns the job whose reach is graded worst, the first of equals.
func worst(jobs []*reach.Job) *reach.Job {
	var out *reach.Job
	for _, j := range jobs {
		if out == nil || j.Grade() > out.Grade() {
			out = j
		}
	}
	return out
}

// firstUse returns the first step of the job that uses the same action.
func firstUse(job *reach.Job, u *workflows.Uses) *workflows.Step {
	for _, s := range job.Job.AllSteps() {
		if s.Uses != nil && s.Uses.Kind == u.Kind && s.Uses.Path == u.Path {
			return s
		}
	}
	return nil
}
