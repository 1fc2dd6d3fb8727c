// Package unfilteredpublish is the rule unfiltered-publish; see README.md.
package unfilteredpublish

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/reach/flow"
	"github.com/stint-dev/stint/workflows"
)

//go:embed README.md
var readme string

// Rule reports releases that a push of any branch makes.
var Rule = &lint.Rule{
	ID:         "unfiltered-publish",
	Title:      "a push of any branch publishes or deploys, and no environment asks",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"NHI5:2025", "NHI8:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Jobs(func(job *reach.Job) {
		if job.Job.Environment != nil || len(p.Graph.Called(job)) > 0 {
			return
		}
		for _, r := range releases(p.Graph, job) {
			if push := anyBranch(p.Graph.Flow.StepEvents(job.Job, r.Step.Step)); push != nil && !limited(p.Graph, job, r) {
				report(p, job, r, *push)
				return // one for the job
			}
		}
	})
}

// harmless are words of jobs that only speak of a release.
var harmless = []string{"test", "tests", "check", "lint", "docs", "verify", "dry", "preview", "notify", "detect", "prepare", "plan"}

// releases returns what a job publishes or deploys. A job that is called after it and
// may ask for id-tokens does so by a program of its own.
func releases(g *reach.Graph, job *reach.Job) []reach.Release {
	out := g.Releases(job)
	if len(out) > 0 || !slices.ContainsFunc(job.Credentials, func(c *reach.Credential) bool { return c.Kind == reach.IDToken }) {
		return out
	}
	what := ""
	for i, word := range strings.FieldsFunc(strings.ToLower(job.Job.ID), func(r rune) bool { return r < 'a' || r > 'z' }) {
		switch {
		case word == "publish", word == "release" && i == 0: // others look for a release
			what = "publishes"
		case word == "deploy":
			what = "deploys"
		case slices.Contains(harmless, word):
			return nil
		}
	}
	steps := g.RunSteps(job)
	if what == "" || len(steps) == 0 {
		return nil
	}
	return []reach.Release{{What: what, Step: steps[len(steps)-1]}}
}

// anyBranch returns the push that any branch makes, nil when its branches or tags are
// limited.
func anyBranch(events []flow.Event) *flow.Event {
	for _, e := range events {
		if e.Name == "push" && !filtered(e.Trigger) {
			return &e
		}
	}
	return nil
}

// filtered reports whether a push is limited to some branches, or to tags. A list of
// what is left out leaves every new branch in.
func filtered(t *workflows.Trigger) bool {
	if len(t.Branches) == 0 {
		return len(t.Tags) > 0 || len(t.TagsIgnore) > 0 && len(t.BranchesIgnore) == 0
	}
	return !slices.ContainsFunc(t.Branches, func(s *workflows.Scalar) bool { return s.Value == "*" || s.Value == "**" })
}

func report(p *lint.Pass, job *reach.Job, r reach.Release, push flow.Event) {
	e := job.Exposure(reach.OwnCode)
	if e.Stake() <= reach.ReadAtStake {
		return
	}
	f := lint.Finding{
		Span: job.Job.IDSpan, Job: job, Exposure: e, Confidence: lint.HighConfidence,
		Message: fmt.Sprintf("a push of any branch starts the job, which %s: a commit that nobody has reviewed takes %s", r.What, reach.CredentialList(e.Credentials)),
		Next:    "limit the push to the protected branch or to tags, and put the job into an environment that only these may enter",
		Related: []lint.Related{
			{File: push.File, Span: push.Trigger.Span, Text: "push, whatever the branch"},
			{File: r.Step.File, Span: r.Step.Step.Span, Text: "the release"},
		},
	}
	if len(p.Graph.Releases(job)) == 0 {
		f.Confidence = lint.MediumConfidence // by its name
	}
	p.Report(f)
}
