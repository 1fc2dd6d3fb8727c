// Package debuglogging is the rule debug-logging; see README.md.
package debuglogging

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

//go:embed README.md
var readme string

// Rule reports debug logs in jobs that hold secrets.
var Rule = &lint.Rule{
	ID:         "debug-logging",
	Title:      "debug logs are switched on beside a secret",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Fixes:      lint.SafeFix,
	Tags:       []string{"NHI2:2025"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Steps(func(s *workflows.Step, job *reach.Job) {
		judgeEnv(p, s.Env, job, func(name string) ([]workflows.Edit, bool) { return p.File.RemoveStepEnv(s, []string{name}) })
		if s.Run != nil && job != nil {
			judgeTrace(p, s, job)
		}
	})
	if p.File.Workflow == nil {
		return
	}
	var most *reach.Job
	p.Jobs(func(job *reach.Job) {
		if most == nil || job.Grade() > most.Grade() {
			most = job
		}
		judgeEnv(p, job.Job.Env, job, func(name string) ([]workflows.Edit, bool) {
			return p.File.NarrowEnv(job.Job, []string{name}, nil)
		})
	})
	judgeEnv(p, p.File.Workflow.Env, most, func(name string) ([]workflows.Edit, bool) {
		return p.File.NarrowEnv(nil, []string{name}, nil)
	})
}

// debugVariables switch debug logs on. The runner takes the first two from secrets
// and variables of the repository and not from env:, but tools look there; actions
// ask for the third. Source: GitHub's documentation of debug logging, 2026-11.
var debugVariables = []string{"ACTIONS_STEP_DEBUG", "ACTIONS_RUNNER_DEBUG", "RUNNER_DEBUG"}

// judgeEnv reports an env: that switches debug logs on where there is a secret to log.
func judgeEnv(p *lint.Pass, env *workflows.Map, job *reach.Job, remove func(name string) ([]workflows.Edit, bool)) {
	for _, name := range debugVariables {
		v := env.Get(name)
		if v == nil || job == nil || len(job.Credentials) == 0 {
			continue
		}
		if text, ok := v.Const(); !ok || text != "1" && !strings.EqualFold(text, "true") {
			continue
		}
		low := reach.Low
		f := lint.Finding{Span: v.Span, Job: job, Ceiling: &low, Confidence: lint.MediumConfidence, Exposure: job.Exposure(reach.OwnCode)}
		f.Message = fmt.Sprintf("%s is set for good: debug logs show inputs and outputs that others do not, and masks hide only a secret's exact text; the job holds %s",
			name, reach.CredentialList(job.Credentials))
		f.Next = "remove it; \"re-run jobs\" offers debug logs for a single run"
		if edits, ok := remove(name); ok {
			f.Fixes = []lint.Fix{{Title: "log no debug messages", Safe: true, Edits: edits}}
		}
		p.Report(f)
	}
}

// judgeTrace reports a script that prints its commands while they hold a secret.
func judgeTrace(p *lint.Pass, s *workflows.Step, job *reach.Job) {
	for _, t := range traces(p, s, job) {
		creds := t.shown(p, s, job)
		if len(creds) == 0 {
			continue
		}
		e, code, loss := job.Loss(creds)
		medium := reach.Medium
		f := lint.Finding{Span: t.at, Job: job, Code: code, Exposure: e, Ceiling: &medium}
		f.Message = fmt.Sprintf("the script prints its commands while they hold %s, and masks hide only a secret's exact text: what the shell quotes or a command makes of it is shown; %s",
			names(creds), loss)
		f.Next = "print no commands in this step, or write set +x before the secret is used"
		if t.fix != nil {
			f.Fixes = []lint.Fix{{Title: "print no commands", Safe: true, Edits: []workflows.Edit{*t.fix}}}
		}
		p.Report(f)
	}
}

func names(creds []*reach.Credential) string {
	var out []string
	for _, c := range creds {
		if !slices.Contains(out, c.Name) {
			out = append(out, c.Name)
		}
	}
	return strings.Join(out, ", ")
}
