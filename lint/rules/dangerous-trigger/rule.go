// Package dangeroustrigger is the rule dangerous-trigger; see README.md.
package dangeroustrigger

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/reach/flow"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports triggers by which anyone starts jobs that have something to lose.
var Rule = &lint.Rule{
	ID:         "dangerous-trigger",
	Title:      "anyone can start a job that has the repository's credentials",
	Since:      "2026-11",
	Confidence: lint.MediumConfidence,
	Tags:       []string{"NHI5:2025", "NHI8:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	if p.File.Workflow == nil {
		return
	}
	for _, t := range p.File.Workflow.On {
		if info, _ := platform.LookupEvent(t.Event); info.Starter == platform.StartAnyone {
			judge(p, t, info)
		}
	}
}

// judge reports the jobs that a trigger lets anyone start, at the trigger.
func judge(p *lint.Pass, t *workflows.Trigger, info platform.Event) {
	var worst *reach.Job
	var names []string
	for _, job := range p.Graph.Jobs {
		if job.Job.Uses != nil && len(p.Graph.Called(job)) > 0 || !opens(p.Graph, t, job) || !loses(job) {
			continue
		}
		names = append(names, job.Job.ID)
		if worst == nil || worse(p.Graph, job, worst) {
			worst = job
		}
	}
	if worst == nil {
		return
	}
	medium := reach.Medium
	x := exposure(worst)
	f := lint.Finding{
		Span: t.Span, Job: worst, Code: worst.WorstCode(), Exposure: x, Ceiling: &medium, Strict: !aboutCode(t.Event) || !takes(p.Graph, worst) || asks(p.Graph, worst),
		Message: fmt.Sprintf("%s lets %s start %s, which has %s", t.Event, info.By, jobs(worst, names), reach.CredentialList(x.Credentials)),
		Next:    "do what needs no rights under pull_request, and leave here one job with the least that it needs; or let an if: or an environment ask who started it",
	}
	if info.Stopped != "" {
		f.Message += "; stopped since: " + info.Stopped
	}
	if info.Remains != "" {
		f.Message += "; what remains: " + info.Remains
	}
	for _, c := range worst.Code {
		if c.Trust >= reach.AgentCode {
			f.Related = append(f.Related, lint.Related{File: c.Site.File, Span: c.Site.Span, Text: c.Name + ": " + c.Why})
		}
	}
	if worst.Environment != "" {
		f.Confidence = lint.LowConfidence // it may ask for a reviewer
	}
	p.Report(f)
}

// jobs names the worst job and counts the others.
func jobs(worst *reach.Job, names []string) string {
	out := "job " + worst.Job.ID
	if others := len(names) - 1; others > 0 {
		out += fmt.Sprintf(" and %d more with rights", others)
	}
	return out
}

// aboutCode reports whether outsiders' commits come into runs of an event in practice;
// under the others only their text does, which template-injection follows.
func aboutCode(event string) bool {
	return slices.Contains([]string{"pull_request_target", "workflow_run", "issue_comment"}, strings.ToLower(event))
}

// worse orders jobs: those that take something of the outsider's first, then by what
// they have to lose.
func worse(g *reach.Graph, a, b *reach.Job) bool {
	if x, y := takes(g, a), takes(g, b); x != y {
		return x
	}
	return exposure(a).Stake() > exposure(b).Stake()
}

// takes reports whether anything of the outsider's gets where it matters in the job: a
// commit, an artifact, text in a script, the environment or a prompt.
func takes(g *reach.Graph, job *reach.Job) bool {
	return job.Trust() >= reach.AgentCode || slices.ContainsFunc(g.Flow.SinksOf(job.Job), func(s *flow.Sink) bool {
		return slices.ContainsFunc(s.Taints, func(t flow.Taint) bool { return t.Start == platform.StartAnyone && !t.Guess })
	})
}

// asks reports whether an agent's action in the job refuses people without rights.
func asks(g *reach.Graph, job *reach.Job) bool {
	return slices.ContainsFunc(g.RunSteps(job), func(s reach.RunStep) bool {
		if s.Step.Uses == nil {
			return false
		}
		info, _ := platform.LookupAction(s.Step.Uses.FullName())
		return info.Agent && info.ActorGate != "" && s.Step.With.Get(info.ActorGate).String() == ""
	})
}

// opens reports whether anyone starts the job by the trigger, past its conditions.
func opens(g *reach.Graph, t *workflows.Trigger, job *reach.Job) bool {
	return slices.ContainsFunc(g.Flow.Events(job.Job), func(e flow.Event) bool {
		return e.Trigger == t && e.Who == platform.StartAnyone && !e.Merged
	})
}

// talking are the scopes that a job needs to label and to answer: what they can do is
// seen by everybody, and undone.
var talking = []string{"issues", "pull-requests", "discussions", "statuses", "checks", "repository-projects"}

// loses reports whether a job has more to lose than a token that reads, or that talks.
// Where an outsider's code runs, what talks is too much as well: it approves and closes
// in the repository's name.
func loses(job *reach.Job) bool {
	x := exposure(job)
	if x.Stake() > reach.WriteAtStake {
		return true
	}
	taken := job.Trust() >= reach.OutsiderCode
	return slices.ContainsFunc(x.Credentials, func(c *reach.Credential) bool {
		return c.Writes && !c.Default && (taken || c.Kind != reach.RepositoryToken || slices.ContainsFunc(c.Scopes, func(s string) bool { return !slices.Contains(talking, s) }))
	})
}

// exposure grades the trigger by the job's own code: what more an outsider's code or
// text brings into the job is reported where it comes in. The copy of the token that
// git keeps is the token.
func exposure(job *reach.Job) reach.Exposure {
	x := job.Exposure(reach.OwnCode)
	x.Credentials = slices.DeleteFunc(slices.Clone(x.Credentials), func(c *reach.Credential) bool {
		return c.Kind == reach.GitCredential && c.Lifetime < reach.Standing
	})
	return x
}
