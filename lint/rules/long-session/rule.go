// Package longsession is the rule long-session; see README.md.
package longsession

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports minted credentials that live longer than the job or are left behind.
var Rule = &lint.Rule{
	ID:         "long-session",
	Title:      "a minted credential outlives the job, or is left behind by it",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Fixes:      lint.SafeFix | lint.UnsafeFix,
	Tags:       []string{"NHI7:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Steps(func(s *workflows.Step, job *reach.Job) {
		if s.Uses != nil {
			judgeLifetime(p, s, job)
			judgeEnding(p, s, job)
		}
		judgeEnv(p, s.Env, job, func(name string) ([]workflows.Edit, bool) { return p.File.RemoveStepEnv(s, []string{name}) })
		judgeScript(p, s, job)
	})
	if p.File.Workflow == nil {
		return
	}
	var first *reach.Job
	p.Jobs(func(job *reach.Job) {
		if first == nil || job.Grade() > first.Grade() {
			first = job
		}
		judgeEnv(p, job.Job.Env, job, func(name string) ([]workflows.Edit, bool) {
			return p.File.NarrowEnv(job.Job, []string{name}, nil)
		})
	})
	judgeEnv(p, p.File.Workflow.Env, first, func(name string) ([]workflows.Edit, bool) {
		return p.File.NarrowEnv(nil, []string{name}, nil)
	})
}

// judgeEnding reports an input by which an action leaves its credential in place.
func judgeEnding(p *lint.Pass, s *workflows.Step, job *reach.Job) {
	end, ok := platform.LookupEnding(s.Uses.FullName())
	v := s.With.Get(end.Name)
	if !ok || v == nil || !strings.EqualFold(v.String(), end.Off) {
		return
	}
	f := finding(p, s, job)
	f.Span = v.Span
	f.Message = end.Left + f.Message
	f.Next = fmt.Sprintf("remove %s: %s", end.Name, v.Value)
	if edits, ok := p.File.SwapStepWith(s, []string{end.Name}, nil); ok {
		f.Fixes = []lint.Fix{{Title: "let the action end what it made", Safe: hosted(job) && !handedOn(job, s), Edits: edits}}
	}
	p.Report(f)
}

// handedOn reports whether the job hands a step's outputs to other jobs, which may
// need what this job would end.
func handedOn(job *reach.Job, s *workflows.Step) bool {
	if s.ID == nil {
		return false
	}
	prefix := "steps." + strings.ToLower(s.ID.Value) + "."
	return slices.ContainsFunc(job.Job.Outputs.All(), func(e workflows.Entry) bool {
		return slices.ContainsFunc(e.Value.Exprs, func(x *workflows.Expr) bool {
			return slices.ContainsFunc(x.Refs(), func(r *workflows.Ref) bool { return strings.HasPrefix(r.Path(), prefix) })
		})
	})
}

// hosted reports whether the job's runner is one of GitHub's own, which no other job
// uses after it.
func hosted(job *reach.Job) bool {
	if job == nil || job.Job.RunsOn == nil || len(job.Job.RunsOn.Labels) != 1 {
		return false
	}
	label, ok := job.Job.RunsOn.Labels[0].Const()
	return ok && slices.ContainsFunc([]string{"ubuntu-", "windows-", "macos-"}, func(p string) bool { return strings.HasPrefix(label, p) })
}

// finding starts a finding about what a step mints; Message is the clause about who
// could take it.
func finding(p *lint.Pass, s *workflows.Step, job *reach.Job) lint.Finding {
	f := lint.Finding{Job: job, Exposure: reach.Elsewhere(reach.OwnCode)}
	if job == nil {
		return f
	}
	at := reach.Site{File: p.File, Span: s.Uses.Span}
	var creds []*reach.Credential
	for _, c := range job.Credentials {
		if slices.Contains(c.Enters, at) {
			creds = append(creds, c)
		}
	}
	loss := ""
	f.Exposure, f.Code, loss = job.Loss(creds)
	if len(creds) > 0 {
		f.Message = "; " + loss
	}
	return f
}

// judgeEnv reports variables that switch an action's clean-up off.
func judgeEnv(p *lint.Pass, env *workflows.Map, job *reach.Job, remove func(name string) ([]workflows.Edit, bool)) {
	for _, sw := range platform.CleanupVariables() {
		v := env.Get(sw.Name)
		if v == nil || !strings.EqualFold(v.String(), sw.Off) {
			continue
		}
		f := switched(job, sw)
		f.Span = v.Span
		if edits, ok := remove(sw.Name); ok {
			f.Fixes = []lint.Fix{{Title: "let the action clean up", Safe: hosted(job), Edits: edits}}
		}
		p.Report(f)
	}
}

// judgeScript reports scripts that set such a variable for the steps that follow.
func judgeScript(p *lint.Pass, s *workflows.Step, job *reach.Job) {
	if s.Run == nil || !strings.Contains(s.Run.Value, "GITHUB_ENV") {
		return
	}
	for _, sw := range platform.CleanupVariables() {
		text := sw.Name + "=" + sw.Off
		if at := strings.Index(s.Run.Value, text); at >= 0 {
			f := switched(job, sw)
			f.Span = s.Run.SpanOf(at, at+len(text))
			p.Report(f)
		}
	}
}

func switched(job *reach.Job, sw platform.Switch) lint.Finding {
	return lint.Finding{
		Job: job, Exposure: lint.Expose(job, reach.OwnCode).Only(reach.CloudSession),
		Message: fmt.Sprintf("with %s=%s %s: on a runner that is used again the next job finds them", sw.Name, sw.Off, sw.Left),
		Next:    "remove " + sw.Name,
	}
}
