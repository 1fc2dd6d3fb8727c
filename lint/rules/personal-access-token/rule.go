// Package personalaccesstoken is the rule personal-access-token; see README.md.
package personalaccesstoken

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
)

//go:embed README.md
var readme string

// Rule reports stored tokens of users of GitHub.
var Rule = &lint.Rule{
	ID:         "personal-access-token",
	Title:      "a job holds a user's token where the repository token or an app's token would do",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"NHI7:2025", "NHI10:2025", "PR.AA-01"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	var all []token
	p.Jobs(func(job *reach.Job) {
		if len(p.Graph.Called(job)) == 0 { // the called jobs use what it passes on
			all = append(all, tokensOf(p.Graph, job)...)
		}
	})
	if p.File.Generated() {
		all = folded(all)
	}
	for _, t := range all {
		report(p, t)
	}
}

// A token is one secret of a job, or the alternatives of one expression, with all uses.
type token struct {
	job  *reach.Job
	uses []reach.Use
	judgement
}

func tokensOf(g *reach.Graph, job *reach.Job) []token {
	uses := g.Uses(job)
	found := map[string]judgement{} // by name of secret, the most sure of it
	for _, u := range uses {
		name := u.Credential.Name
		if j := judge(g, job, u); j.confidence > found[name].confidence {
			found[name] = j
		}
	}
	uses = slices.DeleteFunc(uses, func(u reach.Use) bool { return found[u.Credential.Name].confidence == 0 })
	var out []token
	for _, group := range reach.GroupUses(uses, alternatives) {
		out = append(out, token{job, group, found[group[0].Credential.Name]})
	}
	return out
}

// folded makes the tokens of a generated file one finding for each secret: what is
// mended is the source that it is generated from. The job with the most to lose stands for the others.
func folded(all []token) []token {
	ofUse := map[*reach.Credential]token{}
	var uses []reach.Use
	for _, t := range all {
		for _, u := range t.uses {
			ofUse[u.Credential] = t
			uses = append(uses, u)
		}
	}
	var out []token
	for _, group := range reach.GroupUses(uses, alternatives) {
		worst := ofUse[group[0].Credential]
		for _, u := range group[1:] {
			if t := ofUse[u.Credential]; t.grade() > worst.grade() || t.grade() == worst.grade() && t.confidence > worst.confidence {
				worst = t
			}
		}
		out = append(out, token{worst.job, group, worst.judgement})
	}
	return out
}

func (t token) grade() reach.Severity {
	e, _, _ := t.job.Loss(t.credentials())
	return reach.Grade(e)
}

// alternatives joins the tokens that one expression falls back on: they are one
// token to whoever reads the job.
func alternatives(u reach.Use) string {
	if u.Expr == nil || len(u.Expr.Refs()) < 2 {
		return ""
	}
	return u.Expr.Text
}

// credentials returns the secrets of the token, once each and as what they are.
func (t token) credentials() []*reach.Credential {
	var creds []*reach.Credential
	for _, u := range t.uses {
		if !slices.ContainsFunc(creds, func(c *reach.Credential) bool { return c.Name == u.Credential.Name }) {
			c := *u.Credential // the graph's own is shared
			c.Kind, c.Opens = reach.PersonalToken, "github"
			creds = append(creds, &c)
		}
	}
	return creds
}

func report(p *lint.Pass, t token) {
	creds := t.credentials()
	e, code, loss := t.job.Loss(creds)
	f := lint.Finding{
		Span: t.uses[0].Ref.Span, Job: t.job, Code: code, Exposure: e, Confidence: t.confidence,
		Message: fmt.Sprintf("%s a user's token%s; %s", subject(creds), t.why, loss),
		Next:    t.next,
		Related: places(t.uses),
	}
	switch optional := generated(creds); {
	case fallsBack(t.uses), optional && p.File.Generated() && slices.ContainsFunc(t.uses, fallsBackHere):
		f.Confidence = min(f.Confidence, lint.MediumConfidence)
		f.Next = "leave the secret unset, so that the repository token is used, or " + t.next
		f.Strict = optional
	}
	p.Report(f)
}

// maxNamed bounds the secrets that one message names.
const maxNamed = 4

func subject(creds []*reach.Credential) string {
	var names []string
	for _, c := range creds[:min(maxNamed, len(creds))] {
		names = append(names, c.Name)
	}
	switch {
	case len(creds) == 1:
		return names[0] + " is"
	case len(creds) > maxNamed:
		names = append(names, fmt.Sprintf("%d others", len(creds)-maxNamed))
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1] + " are each"
}

// fallsBack reports whether every use takes the repository token where the secret
// is not set.
func fallsBack(token []reach.Use) bool {
	return !slices.ContainsFunc(token, func(u reach.Use) bool { return !fallsBackHere(u) })
}

// fallsBackHere reports whether one use does. In a generated file that is enough: its
// other uses tell whether the secret is set, and take it out of the logs.
func fallsBackHere(u reach.Use) bool {
	return u.Expr != nil && slices.ContainsFunc(u.Expr.Refs(), isRepositoryToken)
}

// generated reports whether all secrets are those by which the generator of agentic
// workflows (gh aw) lets people replace the repository token: it writes the names
// into every job, and hardly anybody sets them. Source: its documentation, 2026-11.
func generated(creds []*reach.Credential) bool {
	return !slices.ContainsFunc(creds, func(c *reach.Credential) bool { return !strings.HasPrefix(c.Name, "GH_AW_") })
}

// maxRelated bounds the places that one finding lists.
const maxRelated = 10

// places lists where else the tokens enter.
func places(token []reach.Use) []lint.Related {
	var out []lint.Related
	seen := map[reach.Site]bool{token[0].Ref: true}
	for _, u := range token {
		if !seen[u.Ref] && len(out) < maxRelated {
			seen[u.Ref] = true
			out = append(out, lint.Related{File: u.Ref.File, Span: u.Ref.Span, Text: u.Credential.Name + " enters here too"})
		}
	}
	return out
}
