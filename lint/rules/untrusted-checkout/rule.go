// Package untrustedcheckout is the rule untrusted-checkout; see README.md.
package untrustedcheckout

import (
	_ "embed"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

//go:embed README.md
var readme string

// Rule reports … (name the defect in one sentence).
var Rule = &lint.Rule{
	ID:         "untrusted-checkout",
	Title:      "",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Steps(func(s *workflows.Step, job *reach.Job) {
		if s.Uses == nil {
			return
		}
		p.Report(lint.Finding{
			Span:     s.Uses.Span,
			Message:  "say what is wrong and what could be taken, in one line",
			Next:     "say what to do, in one line",
			Exposure: lint.Expose(job, reach.OwnCode),
			Job:      job,
		})
	})
}
