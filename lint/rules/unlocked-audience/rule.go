// Package unlockedaudience is the rule unlocked-audience; see README.md.
package unlockedaudience

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports id-tokens that more than one party would accept.
var Rule = &lint.Rule{
	ID:              "unlocked-audience",
	Title:           "an id-token is asked for without an audience of its own, or with one for two parties",
	Since:           "2026-11",
	Confidence:      lint.HighConfidence,
	Tags:            []string{"NHI4:2025", "PR.AA-04"},
	Readme:          readme,
	CheckRepository: check,
}

func check(p *lint.Pass) {
	var asked []request
	for _, job := range p.Graph.Jobs {
		for _, s := range p.Graph.RunSteps(job) {
			asked = append(asked, requests(job, s)...)
		}
	}
	for _, f := range p.Repository.Files {
		if f.Action == nil || len(p.Graph.Users(f)) > 0 {
			continue
		}
		for _, s := range f.Action.AllSteps() { // of an action that others use
			asked = append(asked, requests(nil, reach.RunStep{File: f, Step: s})...)
		}
	}
	seen := map[reach.Site]bool{}
	for _, r := range asked {
		if r.audience == platform.DefaultAudience && !seen[r.at] {
			seen[r.at] = true
			report(p, r, fmt.Sprintf("%s asks for an id-token without an audience: it is made out to %s, and whoever accepts the default accepts it", r.by, platform.DefaultAudience),
				"name the party in the audience, and demand it there")
		}
	}
	shared(p, asked, seen)
}

// shared reports audiences that name two parties: each could use the token at the other.
func shared(p *lint.Pass, asked []request, seen map[reach.Site]bool) {
	for i, r := range asked {
		if r.party == "" || r.audience == platform.DefaultAudience || seen[r.at] {
			continue
		}
		first := slices.IndexFunc(asked[:i], func(o request) bool {
			return o.audience == r.audience && o.party != "" && o.party != r.party
		})
		if first < 0 {
			continue
		}
		seen[r.at] = true
		other := asked[first]
		report(p, r, fmt.Sprintf("%s asks for an id-token for %q, and so does %s for another party: either could hand the token to the other", r.by, r.audience, other.by),
			"give each party an audience of its own", lint.Related{File: other.at.File, Span: other.at.Span, Text: "the same audience for " + other.party})
	}
}

func report(p *lint.Pass, r request, what, next string, related ...lint.Related) {
	medium := reach.Medium // the other party has to accept the job's subject as well
	f := lint.Finding{
		File: r.at.File, Span: r.at.Span, Job: r.job, Ceiling: &medium, Confidence: r.confidence,
		Next: next, Related: related,
	}
	f.Exposure, f.Code, f.Message = loss(r.job)
	f.Message = what + "; " + f.Message
	p.Report(f)
}

// loss says what of the id-token could be lost in the job, nil for the jobs of others.
func loss(job *reach.Job) (reach.Exposure, *reach.Code, string) {
	if job == nil {
		return reach.Elsewhere(reach.OwnCode), nil, "the token is of the jobs that use the action"
	}
	var tokens []*reach.Credential
	for _, c := range job.Credentials {
		if c.Kind == reach.IDToken {
			tokens = append(tokens, c)
		}
	}
	e, code, text := job.Loss(tokens)
	if len(tokens) == 0 {
		text = "the job's permissions do not show that it may ask for one"
	}
	return e, code, text
}

// short returns the name of an action without its ref.
func short(uses string) string {
	name, _, _ := strings.Cut(uses, "@")
	return name
}
