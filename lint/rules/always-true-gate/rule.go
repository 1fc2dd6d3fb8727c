// Package alwaystruegate is the rule always-true-gate; see README.md.
package alwaystruegate

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

// Rule reports conditions that hold although they look as if they might not.
var Rule = &lint.Rule{
	ID:         "always-true-gate",
	Title:      "a condition that cannot be false stands before credentials",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"NHI5:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Jobs(func(job *reach.Job) {
		if f, ok := judge(p.File, job.Job.If); ok {
			report(p, f, job, false)
		}
	})
	p.Steps(func(s *workflows.Step, job *reach.Job) {
		if f, ok := judge(p.File, s.If); ok && job != nil {
			report(p, f, job, !takes(p.Graph, job, s))
		}
	})
}

// report adds the finding; aside means that the condition is one of a step that takes
// no credential by itself.
func report(p *lint.Pass, f flaw, job *reach.Job, aside bool) {
	e := job.Exposure(reach.OwnCode)
	if c := job.WorstCode(); c != nil && c.Trust >= reach.AgentCode {
		e.Steer = c.Trust
	}
	if e.Stake() <= reach.ReadAtStake {
		return
	}
	finding := lint.Finding{
		Span: f.span, Job: job, Exposure: e, Confidence: f.confidence, Next: f.next,
		Message: fmt.Sprintf("%s, so that nothing keeps a run from %s", f.what, reach.CredentialList(e.Credentials)),
	}
	if aside {
		low := reach.Low
		finding.Ceiling, finding.Strict = &low, true
	}
	if f.fix != nil {
		finding.Fixes = []lint.Fix{{Title: f.title, Safe: true, Edits: f.fix}}
	}
	p.Report(finding)
}

// takes reports whether a step is handed a stored secret, publishes, deploys, logs in,
// or runs an outsider's code.
func takes(g *reach.Graph, job *reach.Job, s *workflows.Step) bool {
	for _, u := range g.Uses(job) {
		if u.Step == s {
			return true
		}
	}
	for _, c := range job.Code {
		if c.Checkout != nil && s.Span.Contains(c.Site.Span) {
			return true
		}
	}
	if s.Uses != nil {
		info, _ := platform.LookupAction(s.Uses.FullName())
		return info.Publishes || info.Deploys || info.Mints != "" || info.Agent || platform.Merges(s.Uses.FullName(), "")
	}
	if s.Run == nil {
		return false
	}
	for _, c := range s.Run.Commands {
		switch info, _ := platform.LookupCommand(reach.CommandWords(c)); info.Does {
		case "publish", "deploy", "login", "agent":
			return true
		}
	}
	return platform.Merges("", s.Run.Value)
}
