// Package expireddebt is the rule expired-debt; see README.md.
package expireddebt

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
)

//go:embed README.md
var readme string

// Rule reports debt whose end has passed, and debt that nobody answers for.
var Rule = &lint.Rule{
	ID:              "expired-debt",
	Title:           "a standing secret is tolerated past its end, or without owner, reason or end",
	Since:           "2026-11",
	Confidence:      lint.HighConfidence,
	Tags:            []string{"NHI1:2025", "NHI7:2025", "GOVERN 1.6"},
	Clock:           true,
	Readme:          readme,
	CheckRepository: check,
}

func check(p *lint.Pass) {
	for _, d := range p.Config.Debt {
		f := lint.Finding{File: p.Config.File, Span: d.Span, Floor: reach.Low}
		switch missing := missing(d); {
		case d.Until != "" && p.Today > d.Until:
			f.Message = fmt.Sprintf("%q was tolerated as debt until %s, which has passed", d.Secret, d.Until)
			f.Next = "replace the secret and remove the entry, or decide again with a new end and reason"
		case missing != "":
			f.Message = fmt.Sprintf("%q is declared as debt without %s", d.Secret, missing)
			f.Next = "say who answers for it, why it is there still, and until when: owner, reason, until"
		default:
			continue
		}
		if worst, cred := holder(p.Graph, d.Secret); worst != nil {
			loss := ""
			f.Exposure, f.Code, loss = worst.Loss([]*reach.Credential{cred})
			f.Message += fmt.Sprintf("; in the job %s, %s", worst.Job.ID, loss)
			for _, at := range cred.Enters {
				f.Related = append(f.Related, lint.Related{File: at.File, Span: at.Span, Text: "the secret enters the job here"})
			}
		} else {
			f.Message += "; no workflow of this repository names it"
		}
		p.Report(f)
	}
}

// missing lists what an entry does not say.
func missing(d lint.Debt) string {
	var out []string
	for _, field := range []struct{ name, value string }{{"an owner", d.Owner}, {"a reason", d.Reason}, {"an end", d.Until}} {
		if field.value == "" {
			out = append(out, field.name)
		}
	}
	return strings.Join(out, ", ")
}

// holder returns the job in which most could be lost of those that hold the secret.
func holder(g *reach.Graph, secret string) (worst *reach.Job, cred *reach.Credential) {
	for _, job := range g.Jobs {
		for _, c := range job.Standing() {
			if strings.EqualFold(c.Name, secret) && (worst == nil || grade(job, c) > grade(worst, cred)) {
				worst, cred = job, c
			}
		}
	}
	return worst, cred
}

func grade(job *reach.Job, c *reach.Credential) reach.Severity {
	e, _, _ := job.Loss([]*reach.Credential{c})
	return reach.Grade(e)
}
