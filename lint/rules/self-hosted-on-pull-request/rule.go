// Package selfhostedonpullrequest is the rule self-hosted-on-pull-request; see README.md.
package selfhostedonpullrequest

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

// Rule reports outsiders' code on machines that serve more than one job.
var Rule = &lint.Rule{
	ID:         "self-hosted-on-pull-request",
	Title:      "an outsider's code runs on a machine of one's own",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"NHI8:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Jobs(func(job *reach.Job) {
		r := runnerOf(job)
		if r == nil {
			return
		}
		if s := startOf(p.Graph, job); s != nil {
			report(p, job, r, s)
		}
	})
}

// A start is how an outsider's code comes to run in a job.
type start struct {
	event flow.Event
	code  *reach.Code
	// guarded is set where a condition of the file stands in the way: a pull request
	// from a fork brings its own copy of the file.
	guarded bool
}

// startOf returns the worst way, nil for none. Under pull_request and its reviews the
// workflow itself is the pull request's; under other events something of the job
// has to run what the outsider wrote.
func startOf(g *reach.Graph, job *reach.Job) *start {
	var worst *start
	for _, e := range g.Flow.Events(job.Job) {
		info, _ := platform.LookupEvent(e.Name)
		var s *start
		switch {
		case info.Starter == platform.StartForkSandboxed:
			s = &start{event: e, guarded: e.Who < platform.StartForkSandboxed || elsewhere(g, job, e)}
		case e.Who == platform.StartAnyone && job.Trust() == reach.OutsiderCode:
			s = &start{event: e, code: job.WorstCode()}
		default:
			continue
		}
		if worst == nil || worst.guarded && !s.guarded {
			worst = s
		}
	}
	return worst
}

// elsewhere reports whether the labels are none of one's own where the run is about a
// fork's pull request.
func elsewhere(g *reach.Graph, job *reach.Job, e flow.Event) bool {
	return len(job.Job.RunsOn.Labels) > 0 && !slices.ContainsFunc(job.Job.RunsOn.Labels, func(l *workflows.Scalar) bool {
		texts, known := g.Flow.OutsiderTexts(job.Job, l, e)
		return !known || slices.ContainsFunc(texts, func(t string) bool { return platform.LookupRunner(t) != platform.RunnerHosted })
	})
}

func report(p *lint.Pass, job *reach.Job, r *runner, s *start) {
	info, _ := platform.LookupEvent(s.event.Name)
	f := lint.Finding{
		Span: r.at.Span, Job: job, Code: s.code, Confidence: r.confidence,
		Strict: s.guarded || r.confidence == lint.LowConfidence,
		Next:   "build what comes from outside on runners of the platform, or on machines that are thrown away after each job and can reach nothing",
	}
	f.Exposure = job.Exposure(reach.OutsiderCode)
	f.Exposure.Start = max(s.event.Who, platform.StartForkSandboxed)
	f.Related = []lint.Related{{File: s.event.File, Span: s.event.Trigger.Span, Text: "started by " + info.By}}
	f.Message = fmt.Sprintf("the code of %s runs on the self-hosted runner %q", info.By, r.name())
	switch {
	case r.confidence == lint.LowConfidence:
		f.Message = fmt.Sprintf("the code of %s runs on %q, which may be a machine of one's own", info.By, r.name())
	case s.guarded:
		f.Message += " as soon as the pull request takes the condition out of its copy of the file"
	}
	next := worstNeighbour(p.Graph, job, r)
	switch {
	case next != nil:
		f.Exposure.Credentials = next.Credentials
		f.Message += fmt.Sprintf("; what it leaves there meets job %s, which has %s", next.Job.ID, reach.CredentialList(next.Credentials))
		f.Related = append(f.Related, lint.Related{File: next.File, Span: next.Job.RunsOn.Span, Text: "job " + next.Job.ID + " may run on the same machine"})
	case s.code == nil && f.Exposure.Stake() > reach.ReadAtStake:
		f.Message += "; what it leaves there meets the next run of the job, which has " + reach.CredentialList(job.Credentials) + " when a member starts it"
	default:
		f.Message += "; it could take " + reach.CredentialList(job.Credentials) + " and what the machine itself can reach"
	}
	if info.Stopped != "" && s.code == nil {
		f.Message += "; " + info.Stopped + ", which one merged change ends"
	}
	p.Report(f)
}

// worstNeighbour returns the job with the most to lose among those that may run on the
// same machine when people with write access start them, or nil.
func worstNeighbour(g *reach.Graph, job *reach.Job, r *runner) *reach.Job {
	var worst *reach.Job
	for _, other := range g.Jobs {
		o := runnerOf(other)
		if o == nil || !r.shares(o) || !trusted(g, other) {
			continue
		}
		stake := other.Exposure(reach.OutsiderCode).Stake()
		if stake > job.Exposure(reach.OutsiderCode).Stake() && (worst == nil || stake > worst.Exposure(reach.OutsiderCode).Stake()) {
			worst = other
		}
	}
	return worst
}

func trusted(g *reach.Graph, job *reach.Job) bool {
	for _, e := range g.Flow.Events(job.Job) {
		if info, _ := platform.LookupEvent(e.Name); info.Starter != platform.StartForkSandboxed {
			return true
		}
	}
	return false
}
