// Package alwaystruegate is the rule always-true-gate; see README.md.
package alwaystruegate

import (
	_ "embed"
	"fmt"
	"strings"

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
	Fixes:      lint.SafeFix,
	Tags:       []string{"NHI5:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Jobs(func(job *reach.Job) {
		if f, ok := judge(p.File, job.Job.If); ok {
			report(p, f, job, false)
		} else if f, ok := bareNo(p, job, job.Job.If); ok {
			report(p, f, job, false)
		}
	})
	p.Steps(func(s *workflows.Step, job *reach.Job) {
		f, ok := judge(p.File, s.If)
		if !ok && job != nil && p.File.Workflow != nil {
			f, ok = bareNo(p, job, s.If)
		}
		if ok && job != nil {
			report(p, f, job, !takes(p.Graph, job, s))
		}
	})
}

// bareNo is the flaw of an output that says no by a text.
func bareNo(p *lint.Pass, job *reach.Job, cond *workflows.Scalar) (flaw, bool) {
	ref := p.Graph.Flow.BareNo(job.Job, cond)
	if ref == nil {
		return flaw{}, false
	}
	text := p.File.Text(ref.Span)
	f := flaw{
		span: ref.Span, confidence: lint.MediumConfidence, title: "compare the output with 'true'",
		what: fmt.Sprintf("%s is the text 'false' when it says no, and every text that is not empty is true", text),
		next: fmt.Sprintf("compare it: %s == 'true'", text),
	}
	if !strings.ContainsAny(text, " \n${}") && p.File.Source[cond.Span.Start] != '\'' {
		f.fix = []workflows.Edit{{Span: workflows.Span{Start: ref.Span.End, End: ref.Span.End}, New: " == 'true'"}}
	}
	return f, true
}

// report adds the finding; aside means that the condition is one of a step that takes
// no credential by itself.
func report(p *lint.Pass, f flaw, job *reach.Job, aside bool) {
	e := job.Exposure(reach.OwnCode)
	if c := job.WorstCode(); c != nil && c.Trust >= reach.AgentCode {
		e.Steer = c.Trust
	}
	finding := lint.Finding{
		Span: f.span, Job: job, Exposure: e, Confidence: f.confidence, Next: f.next,
		Message: fmt.Sprintf("%s, so that nothing keeps a run from %s", f.what, reach.CredentialList(e.Credentials)),
	}
	switch info, low := reach.Info, reach.Low; {
	case e.Stake() <= reach.ReadAtStake: // a mistake, by which nothing is lost today
		finding.Ceiling, finding.Strict = &info, true
	case aside:
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
		switch info, _ := platform.LookupCommand(c.Line); info.Does {
		case "publish", "deploy", "login", "agent":
			return true
		}
	}
	return platform.Merges("", s.Run.Value)
}
