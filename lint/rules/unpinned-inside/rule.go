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
	p.Steps(func(s *workflows.Step, job *reach.Job) { judge(p, s.Uses, job) })
}

// judge reports a uses: when a job's mutable code is reached through it. The
// graph has followed everything that is on disk, to any depth.
func judge(p *lint.Pass, u *workflows.Uses, job *reach.Job) {
	if u == nil {
		return
	}
	inside := through(job, u)
	if len(inside) == 0 {
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
