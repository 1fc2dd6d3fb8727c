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
	p.Jobs(func(job *reach.Job) {
		if len(p.Graph.Called(job)) > 0 {
			return // the called jobs use what it passes on
		}
		uses := p.Graph.Uses(job)
		found := map[string]judgement{} // by name of secret, the most sure of it
		for _, u := range uses {
			name := u.Credential.Name
			if j := judge(p.Graph, job, u); j.confidence > found[name].confidence {
				found[name] = j
			}
		}
		uses = slices.DeleteFunc(uses, func(u reach.Use) bool { return found[u.Credential.Name].confidence == 0 })
		for _, token := range reach.GroupUses(uses, alternatives) {
			report(p, job, token, found[token[0].Credential.Name])
		}
	})
}

// alternatives joins the tokens that one expression falls back on: they are one
// token to whoever reads the job.
func alternatives(u reach.Use) string {
	if u.Expr == nil || len(u.Expr.Refs()) < 2 {
		return ""
	}
	return u.Expr.Text
}

func report(p *lint.Pass, job *reach.Job, token []reach.Use, j judgement) {
	var creds []*reach.Credential
	for _, u := range token {
		if !slices.ContainsFunc(creds, func(c *reach.Credential) bool { return c.Name == u.Credential.Name }) {
			c := *u.Credential // the graph's own is shared
			c.Kind, c.Opens = reach.PersonalToken, "github"
			creds = append(creds, &c)
		}
	}
	e, code, loss := job.Loss(creds)
	f := lint.Finding{
		Span: token[0].Ref.Span, Job: job, Code: code, Exposure: e, Confidence: j.confidence,
		Message: fmt.Sprintf("%s a user's token%s; %s", subject(creds), j.why, loss),
		Next:    j.next,
		Related: places(token),
	}
	if fallsBack(token) {
		f.Confidence = min(f.Confidence, lint.MediumConfidence)
		f.Next = "leave the secret unset, so that the repository token is used, or " + j.next
		f.Strict = generated(creds)
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
	return !slices.ContainsFunc(token, func(u reach.Use) bool {
		return u.Expr == nil || !slices.ContainsFunc(u.Expr.Refs(), isRepositoryToken)
	})
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
