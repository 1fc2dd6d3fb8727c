// Package wormindicator is the rule worm-indicator; see README.md.
//
// How it thinks: literals of known campaigns change within weeks, what planted
// workflows do does not. So the shapes come first: they are read from the parsed
// scripts, by following what carries secrets (cargo.go) to where it leaves the job
// (request.go, artifact and log in shapes.go). A [sign] decides alone or needs others.
package wormindicator

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

// Rule reports files that look like those that worms and thieves of secrets plant.
var Rule = &lint.Rule{
	ID:         "worm-indicator",
	Title:      "a file looks like one that was planted to steal secrets",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"NHI2:2025", "NHI3:2025"},
	Readme:     readme,
	Check:      check,
}

// maxRelated is how many further signs a finding lists.
const maxRelated = 8

func check(p *lint.Pass) {
	signs := slices.Concat(fileSigns(p), jobSigns(p))
	list, ok := verdict(signs)
	if !ok {
		return
	}
	first := list[0]
	f := lint.Finding{Span: first.span, Job: first.job, Confidence: first.confidence}
	if f.Job == nil {
		f.Job = worstJob(p)
	}
	f.Exposure = lint.Expose(f.Job, reach.MaliciousCode)
	f.Message = says(list)
	if len(f.Exposure.Credentials) > 0 {
		f.Message += "; it could take " + reach.CredentialList(f.Exposure.Credentials)
	}
	f.Next = "find out who added it; if nobody meant to, remove it from every branch and rotate what its jobs held"
	for _, s := range list[1:min(len(list), maxRelated+1)] {
		f.Related = append(f.Related, lint.Related{File: p.File, Span: s.span, Text: s.text})
	}
	p.Report(f)
}

// says names the deciding sign, the second one where one alone did not decide, and
// the campaign.
func says(list []sign) string {
	first := list[0]
	if first.campaign != "" {
		return fmt.Sprintf("the file bears a mark of %s: %s", first.campaign, first.text)
	}
	out := "the file does what planted ones do: " + first.text
	if first.weight < enough {
		out += "; " + list[1].text
	}
	known := func(s sign) bool {
		return s.campaign != "" && s.weight > named && !strings.HasPrefix(s.campaign, "readers ")
	}
	if i := slices.IndexFunc(list, known); i > 0 {
		out += " (it bears marks of " + list[i].campaign + ")"
	}
	return out
}

// jobSigns collects the signs of every job, and of the steps of an action.
func jobSigns(p *lint.Pass) []sign {
	var out []sign
	p.Jobs(func(job *reach.Job) {
		out = append(out, scan(p, job, job.Job.AllSteps(), nil)...)
	})
	if a := p.File.Action; a != nil {
		var job *reach.Job
		p.Steps(func(_ *workflows.Step, j *reach.Job) { job = j })
		out = append(out, scan(p, job, a.AllSteps(), a)...)
	}
	return out
}

func worstJob(p *lint.Pass) *reach.Job {
	var worst *reach.Job
	p.Jobs(func(job *reach.Job) {
		if worst == nil || job.Grade() > worst.Grade() {
			worst = job
		}
	})
	return worst
}
