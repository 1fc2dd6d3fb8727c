// Package environmentfrominput is the rule environment-from-input; see README.md.
package environmentfrominput

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/reach/flow"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports jobs whose environment somebody names who should not.
var Rule = &lint.Rule{
	ID:         "environment-from-input",
	Title:      "the deployment environment, and so its secrets and the id-token's subject, is named by an input",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"NHI6:2025", "NHI8:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Jobs(func(job *reach.Job) {
		env := job.Job.Environment
		if env == nil || env.Name == nil {
			return
		}
		var taints []flow.Taint
		for _, e := range env.Name.Exprs {
			taints = append(taints, p.Graph.Flow.Expr(job.Job, nil, e)...)
		}
		taints = slices.DeleteFunc(taints, ofRef)
		if len(taints) == 0 {
			return
		}
		worst := (&flow.Sink{Taints: taints}).Worst()
		if worst.Merged || worst.Who == platform.StartForkSandboxed {
			return // runs of forks have no secrets, whatever environment they name
		}
		report(p, job, worst)
	})
}

// report grades by the job's credentials: those of every environment that the text can
// name are at stake, and the secrets that it reads have their names.
func report(p *lint.Pass, job *reach.Job, t flow.Taint) {
	trust := reach.PinnedThirdParty // writers, whom the environment's own rules may still stop
	if t.Who == platform.StartAnyone {
		trust = reach.OutsiderCode
	}
	e := job.Exposure(trust)
	if t.Who == platform.StartAnyone {
		e.Start = t.Start
	}
	if e.Credentials = slices.DeleteFunc(slices.Clone(e.Credentials), ofRepository); e.Stake() <= reach.ReadAtStake {
		return
	}
	name := job.Job.Environment.Name
	f := lint.Finding{
		Span: name.Span, Job: job, Exposure: e, Confidence: lint.HighConfidence,
		Message: fmt.Sprintf("the environment is the one that %s names, set by %s: its %s, and its id-token's subject, are chosen there", t.Source, t.By(), reach.CredentialList(e.Credentials)),
		Next:    "list the environments: an input of type choice, or one job for each with its own condition",
	}
	for _, h := range t.Hops {
		if h.File != p.File || !name.Span.Contains(h.Span) {
			f.Related = append(f.Related, lint.Related{File: h.File, Span: h.Span, Text: h.Text})
		}
	}
	if t.Guess {
		f.Confidence = lint.LowConfidence
	}
	if t.Who == platform.StartCaller {
		f.Strict, f.Confidence = true, lint.MediumConfidence
	}
	p.Report(f)
}

// ofRef reports whether a text is the ref of the run itself: what an environment lets
// in is asked of that ref, so that its name chooses nothing that it may not have.
func ofRef(t flow.Taint) bool {
	return t.Who == platform.StartWriter && (t.Source == "github.ref" || t.Source == "github.ref_name")
}

// ofRepository reports whether a credential is the same in every environment.
func ofRepository(c *reach.Credential) bool {
	return c.Kind == reach.RepositoryToken || c.Kind == reach.GitCredential
}
