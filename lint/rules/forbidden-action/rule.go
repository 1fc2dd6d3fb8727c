// Package forbiddenaction is the rule forbidden-action; see README.md.
package forbiddenaction

import (
	_ "embed"
	"fmt"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

//go:embed README.md
var readme string

// Rule reports actions that the configuration does not want.
var Rule = &lint.Rule{
	ID:         "forbidden-action",
	Title:      "an action is used that the configuration forbids or does not allow",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"NHI3:2025", "GOVERN 6.1"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Steps(func(s *workflows.Step, job *reach.Job) { judge(p, s.Uses, job) })
	p.Jobs(func(job *reach.Job) { judge(p, job.Job.Uses, job) })
}

func judge(p *lint.Pass, u *workflows.Uses, job *reach.Job) {
	if u == nil || u.Kind != workflows.UsesDocker && u.Owner == "" || u.Owner != "" && u.Name() == p.Repository.NameFold() {
		return
	}
	pattern, forbidden := p.Config.Actions.Forbids(u)
	if !forbidden {
		return
	}
	code := p.Graph.CodeOf(p.File, u, nil)
	// A policy is broken whatever is in reach of it today.
	f := lint.Finding{Span: u.Span, Job: job, Code: code, Exposure: lint.Expose(job, code.Trust), Floor: reach.Medium}
	f.Message = fmt.Sprintf("%s is not among the actions that %s allows", workflows.Printable(u.Value), lint.ConfigPath)
	f.Next = "use one that is allowed, or have it added to lint.actions.allow"
	if pattern != "" {
		f.Message = fmt.Sprintf("%s is forbidden by %s: %q", workflows.Printable(u.Value), lint.ConfigPath, workflows.Printable(pattern))
		f.Next = "replace it by what the owners of the policy recommend"
	}
	if len(f.Exposure.Credentials) > 0 {
		f.Message += "; it could take " + reach.CredentialList(f.Exposure.Credentials)
	}
	p.Report(f)
}
