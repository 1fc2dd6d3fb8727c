// Package missingactorgate is the rule missing-actor-gate; see README.md.
package missingactorgate

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

// Rule reports commands by comment or label that nobody asks who gave.
var Rule = &lint.Rule{
	ID:         "missing-actor-gate",
	Title:      "a comment or label of anybody commands a job that has the repository's credentials",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"NHI5:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Jobs(func(job *reach.Job) {
		if len(p.Graph.Called(job)) > 0 {
			return // the called jobs are looked at with the callers' conditions
		}
		events := commanding(p.Graph.Flow.Events(job.Job))
		c := &command{graph: p.Graph, job: job, conds: conditions(job)}
		if len(events) == 0 || c.serves() || c.namesPeople() || !c.commands() && !c.acts() {
			return
		}
		if c.step = c.open(); c.step == nil || !c.worth() {
			return
		}
		p.Report(c.finding(events))
	})
}

// commanding keeps the events by which anybody gives a command: comments, and labels
// of issues, which a form sets for whoever opens one.
func commanding(events []flow.Event) []flow.Event {
	return slices.DeleteFunc(slices.Clone(events), func(e flow.Event) bool {
		if e.Who < platform.StartAnyone {
			return true
		}
		switch e.Name {
		case "issue_comment", "discussion_comment":
			return false
		case "issues":
			return !slices.ContainsFunc(e.Trigger.Types, func(t *workflows.Scalar) bool { return t.Value == "labeled" }) || len(e.Trigger.Types) > 1
		}
		return true
	})
}

// conditions returns the if: of a job and of those that call its workflow.
func conditions(job *reach.Job) []*workflows.Scalar {
	var out []*workflows.Scalar
	for _, j := range slices.Concat([]*reach.Job{job}, job.Callers) {
		if j.Job.If != nil {
			out = append(out, j.Job.If)
		}
	}
	return out
}

// A command is one job with the step that anybody's comment reaches.
type command struct {
	graph *reach.Graph
	job   *reach.Job
	conds []*workflows.Scalar
	step  *reach.RunStep
}

// worth reports whether the job holds more than a token that answers in comments.
func (c *command) worth() bool {
	return slices.ContainsFunc(c.job.Credentials, func(cr *reach.Credential) bool {
		if cr.Kind != reach.RepositoryToken {
			return cr.Lifetime == reach.Standing || cr.Writes || cr.Lifetime == reach.ForHours
		}
		return slices.ContainsFunc(cr.Scopes, func(s string) bool {
			return s != "issues" && s != "pull-requests" && s != "discussions" && s != "statuses" && s != "checks" && s != "models"
		})
	})
}

// open returns the first step that does something with what the job holds and that
// anybody's run gets to; nil when people without rights are refused before.
func (c *command) open() *reach.RunStep {
	var fallback *reach.RunStep
	any := false
	for _, s := range c.graph.RunSteps(c.job) {
		open := slices.ContainsFunc(commanding(c.graph.Flow.StepEvents(c.job.Job, s.Step)), func(flow.Event) bool { return true }) && !c.stepNamesPeople(s)
		if reach.Gated(s.Step) || gate(s.Step) {
			any = true // who starts it is asked here
			continue
		}
		matters := c.matters(s)
		any = any || matters
		if open && matters {
			return &s
		}
		if fallback = nil; open {
			fallback = &s // the last step
		}
	}
	if any {
		return nil
	}
	return fallback
}

// serves reports whether the job is for everybody: contributors sign an agreement.
func (c *command) serves() bool {
	return slices.ContainsFunc(c.graph.RunSteps(c.job), func(s reach.RunStep) bool {
		return s.Step.Uses != nil && platform.ServesEverybody(s.Step.Uses.FullName())
	})
}

// gate reports whether a step asks for the person's rights.
func gate(s *workflows.Step) bool {
	if s.Run != nil {
		return platform.ScriptGate(s.Run.Value) != platform.NoGate
	}
	if s.Uses == nil {
		return false
	}
	name := s.Uses.FullName()
	return platform.ActionGate(name) != platform.NoGate || platform.ScriptGate(s.With.Get("script").String()) != platform.NoGate
}

// matters reports whether a step holds a stored secret, runs an outsider's code,
// publishes, deploys or logs in, or is an agent.
func (c *command) matters(s reach.RunStep) bool {
	for _, u := range c.graph.Uses(c.job) {
		if u.Step == s.Step {
			return true
		}
	}
	return c.runsOutsiders(s) || doesMore(s.Step) || len(reach.Agents(s.Step)) > 0
}

func (c *command) runsOutsiders(s reach.RunStep) bool {
	return slices.ContainsFunc(c.job.Code, func(code *reach.Code) bool {
		return code.Checkout != nil && code.Site.File == s.File && s.Step.Span.Contains(code.Site.Span)
	})
}

// doesMore reports whether a step publishes, deploys, logs in or mints.
func doesMore(s *workflows.Step) bool {
	if s.Uses != nil {
		info, _ := platform.LookupAction(s.Uses.FullName())
		return info.Publishes || info.Deploys || info.Mints != ""
	}
	return s.Run != nil && slices.ContainsFunc(s.Run.Commands, func(c *workflows.Command) bool {
		info, ok := platform.LookupCommand(c.Line)
		return ok && !info.DryRun && slices.Contains([]string{"publish", "deploy", "login"}, info.Does)
	})
}

// acts reports whether the job does something that is a command whatever its
// condition says.
func (c *command) acts() bool {
	return slices.ContainsFunc(c.graph.RunSteps(c.job), func(s reach.RunStep) bool {
		return c.runsOutsiders(s) || doesMore(s.Step) && (s.Step.Uses == nil || !mints(s.Step))
	})
}

func mints(s *workflows.Step) bool {
	info, _ := platform.LookupAction(s.Uses.FullName())
	return info.Mints != "" && !info.Publishes && !info.Deploys
}

// finding is graded by the worst that an outsider brings into the job himself.
func (c *command) finding(events []flow.Event) lint.Finding {
	trust, code := reach.OwnCode, (*reach.Code)(nil)
	if w := c.job.WorstCode(); w != nil && w.Trust >= reach.AgentCode {
		trust, code = w.Trust, w
	}
	f := lint.Finding{Job: c.job, Code: code, Exposure: c.job.Exposure(trust), Span: c.job.Job.IDSpan, Confidence: lint.HighConfidence}
	if c.job.Job.If != nil {
		f.Span = c.job.Job.If.Span
	}
	var by []string
	for _, e := range events {
		info, _ := platform.LookupEvent(e.Name)
		if !slices.Contains(by, info.By) {
			by = append(by, info.By)
		}
		f.Related = append(f.Related, lint.Related{File: e.File, Span: e.Trigger.Span, Text: "started by " + e.Name})
	}
	f.Related = append(f.Related, lint.Related{File: c.step.File, Span: c.step.Step.Span, Text: "nothing before this step asks who started the run"})
	what := "commands the job"
	if code != nil {
		what = "commands the job, in which " + code.Name + " (" + code.Why + ") runs"
	}
	f.Message = fmt.Sprintf("%s %s, and nothing asks for his rights; it could misuse %s", strings.Join(by, ", or "), what, reach.CredentialList(c.job.Credentials))
	f.Next = "let the job run only where github.event.comment.author_association is OWNER, MEMBER or COLLABORATOR, or ask for the permission in a step before"
	if events[0].Name == "issues" {
		f.Strict, f.Confidence = true, lint.MediumConfidence
		f.Next = "ask for the permission of github.actor in a step before: a form sets labels for whoever opens an issue"
	}
	if c.unread() || code == nil && c.mayAsk() {
		f.Strict, f.Confidence = true, lint.LowConfidence
	}
	return f
}
