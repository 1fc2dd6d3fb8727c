// Package spoofableactorcheck is the rule spoofable-actor-check; see README.md.
package spoofableactorcheck

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/reach/flow"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports conditions that take a name for a proof.
var Rule = &lint.Rule{
	ID:         "spoofable-actor-check",
	Title:      "a condition trusts a name that an outsider can bring about",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Fixes:      lint.SafeFix,
	Tags:       []string{"NHI5:2025", "PR.AA-03"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Jobs(func(job *reach.Job) {
		judge(p, job, job.Job.If, nil, p.Graph.Flow.Events(job.Job))
	})
	p.Steps(func(s *workflows.Step, job *reach.Job) {
		if job != nil {
			judge(p, job, s.If, s, p.Graph.Flow.StepEvents(job.Job, s))
		}
	})
}

// judge reports the tests of one condition, unless another part of it keeps outsiders out.
func judge(p *lint.Pass, job *reach.Job, cond *workflows.Scalar, step *workflows.Step, events []flow.Event) {
	if cond == nil || len(cond.Exprs) != 1 || cond.Exprs[0].Root == nil || sound(cond.Exprs[0].Root) || job.Job.If != nil && step != nil && soundScalar(job.Job.If) {
		return
	}
	events = slices.DeleteFunc(slices.Clone(events), func(e flow.Event) bool { return e.Who < platform.StartAnyone })
	for _, t := range tests(cond.Exprs[0].Root) {
		under := slices.DeleteFunc(slices.Clone(events), func(e flow.Event) bool { return !t.spoofedUnder(e.Name) })
		if len(under) == 0 {
			continue
		}
		g := gated{graph: p.Graph, job: job, step: step}
		if e, code := g.exposure(); e.Stake() > reach.ReadAtStake {
			report(p, g, t, under, e, code)
		}
	}
}

func report(p *lint.Pass, g gated, t test, events []flow.Event, e reach.Exposure, code *reach.Code) {
	f := lint.Finding{
		Span: t.span, Job: g.job, Exposure: e, Code: code, Confidence: t.confidence,
		Message: fmt.Sprintf("%s is trusted, but %s; who gets past it could misuse %s", t.what, t.why, reach.CredentialList(e.Credentials)),
		Next:    t.next,
	}
	for _, ev := range events {
		f.Related = append(f.Related, lint.Related{File: ev.File, Span: ev.Trigger.Span, Text: "started by " + ev.Name})
	}
	if edit, ok := t.edit(p.File); ok && p.File.Workflow != nil && onlyPullRequests(p.Graph.Flow.Events(g.job.Job)) {
		f.Fixes = []lint.Fix{{Title: "ask who opened the pull request", Safe: true, Edits: []workflows.Edit{edit}}}
	}
	p.Report(f)
}

// onlyPullRequests reports whether every run has a pull request to ask for its author.
func onlyPullRequests(events []flow.Event) bool {
	return len(events) > 0 && !slices.ContainsFunc(events, func(e flow.Event) bool {
		return e.Name != "pull_request" && e.Name != "pull_request_target"
	})
}

// gated is what a condition stands in front of: a job, or a step of it.
type gated struct {
	graph *reach.Graph
	job   *reach.Job
	step  *workflows.Step
}

// exposure is that of an outsider's code where it is run or merged behind the
// condition, and of an agent's; else of the repository's own.
func (g gated) exposure() (reach.Exposure, *reach.Code) {
	e := g.job.Exposure(reach.OwnCode)
	for _, s := range g.graph.RunSteps(g.job) {
		if (g.step == nil || s.Step == g.step) && mergesIn(s.Step) {
			e.Steer = reach.OutsiderCode
			return e, nil
		}
	}
	for _, c := range g.job.Code {
		if c.Trust >= reach.AgentCode && (g.step == nil || g.step.Span.Contains(c.Site.Span)) {
			e.Steer = c.Trust
			return e, c
		}
	}
	return e, nil
}

func mergesIn(s *workflows.Step) bool {
	if s.Uses != nil {
		return platform.Merges(s.Uses.FullName(), s.With.Get("script").String())
	}
	return s.Run != nil && platform.Merges("", s.Run.Value)
}
