// Package unmaskedsecret is the rule unmasked-secret; see README.md.
package unmaskedsecret

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
)

//go:embed README.md
var readme string

// Rule reports values made of secrets that the runner does not mask.
var Rule = &lint.Rule{
	ID:         "unmasked-secret",
	Title:      "a value made of a secret is printed or passed on without a mask",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"NHI2:2025"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	judgeFields(p)
	jobs := p.Graph.Users(p.File)
	if p.File.Workflow != nil {
		jobs = nil
		p.Jobs(func(job *reach.Job) { jobs = append(jobs, job) })
	}
	for _, job := range jobs {
		for _, s := range p.Graph.RunSteps(job) {
			if s.File == p.File && s.Step.Run != nil {
				judgeScript(p, job, s)
			}
		}
	}
}

// A leak is a value without a mask at a place.
type leak struct {
	job  *reach.Job
	cred *reach.Credential
	// what says what of which secret it is, and where it goes.
	what string
}

func (l leak) finding() lint.Finding {
	e, code, loss := l.job.Loss([]*reach.Credential{l.cred})
	return lint.Finding{
		Job: l.job, Code: code, Exposure: e,
		Message: fmt.Sprintf("%s, and the runner masks the secret as it is stored only; %s", l.what, loss),
		Next:    "store each value as a secret of its own, or mask it first: echo \"::add-mask::$VALUE\"",
	}
}

// masks reports whether a text asks the runner to mask something.
func masks(text string) bool { return strings.Contains(text, "::add-mask::") }
