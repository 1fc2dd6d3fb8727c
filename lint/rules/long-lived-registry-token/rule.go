// Package longlivedregistrytoken is the rule long-lived-registry-token; see README.md.
package longlivedregistrytoken

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports publishing with a stored token where the registry takes the job's
// id-token.
var Rule = &lint.Rule{
	ID:         "long-lived-registry-token",
	Title:      "a package is published with a stored token where the registry takes the job's id-token",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Fixes:      lint.UnsafeFix,
	Tags:       []string{"NHI4:2025", "NHI7:2025", "PR.AA-03"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Jobs(func(job *reach.Job) {
		if len(p.Graph.Called(job)) > 0 {
			return // the called jobs publish
		}
		uses := p.Graph.Uses(job)
		if len(uses) == 0 {
			return
		}
		publishing := publishesOf(p.Graph, job)
		registry := func(u reach.Use) string {
			name, _ := registryOf(p.Graph, job, u, publishing)
			return name
		}
		uses = slices.DeleteFunc(uses, func(u reach.Use) bool { return registry(u) == "" })
		for _, token := range reach.GroupUses(uses, registry) {
			report(p, job, token, publishing)
		}
	})
}

// report reports the tokens of one registry in a job.
func report(p *lint.Pass, job *reach.Job, token []reach.Use, publishing []publish) {
	place, by := registryOf(p.Graph, job, token[0], publishing)
	for _, u := range token[1:] {
		if _, other := registryOf(p.Graph, job, u, publishing); !other.guess && by.guess {
			by = other
		}
	}
	var creds []*reach.Credential
	for _, u := range token {
		if !slices.ContainsFunc(creds, func(c *reach.Credential) bool { return c.Name == u.Credential.Name }) {
			c := *u.Credential // the graph's own is shared
			c.Opens = place
			creds = append(creds, &c)
		}
	}
	e, code, loss := job.Loss(creds)
	f := lint.Finding{
		Span: token[0].Ref.Span, Job: job, Code: code, Exposure: e,
		Message: fmt.Sprintf("%s publishes to %s with a stored token, though %s takes the job's id-token; %s", by.what, titles[place], titles[place], loss),
		Next:    nexts[place],
		Related: places(token, by),
	}
	if by.guess {
		f.Confidence = lint.MediumConfidence
	}
	if fix, ok := mend(p, job, token, publishing); ok {
		f.Fixes = []lint.Fix{fix}
	}
	p.Report(f)
}

// maxRelated bounds the places that one finding lists.
const maxRelated = 10

// places lists the publishing and where else the token enters.
func places(token []reach.Use, by publish) []lint.Related {
	out := []lint.Related{{File: by.at.File, Span: by.at.Span, Text: "published here"}}
	seen := map[reach.Site]bool{token[0].Ref: true}
	for _, u := range token {
		if !seen[u.Ref] && len(out) < maxRelated {
			seen[u.Ref] = true
			out = append(out, lint.Related{File: u.Ref.File, Span: u.Ref.Span, Text: u.Credential.Name + " enters here too"})
		}
	}
	return out
}

// titles are the registries with trusted publishing, as people write them. Sources:
// PyPI 2023-04, RubyGems 2023, crates 2025-07, npm 2025-07-31, NuGet 2025-09, pub.dev
// 2023, JSR: their documentation.
var titles = map[string]string{
	"npm": "npm", "pypi": "PyPI", "crates": "crates", "rubygems": "RubyGems", "nuget": "NuGet", "pub": "pub.dev", "jsr": "JSR",
}

// nexts are the next steps.
var nexts = map[string]string{
	"npm":      "name this workflow as the package's trusted publisher on npmjs.com, give the job id-token: write and npm 11.5.1 or later, then revoke the token and delete the secret",
	"pypi":     "name this workflow as the project's trusted publisher on PyPI, publish with pypa/gh-action-pypi-publish or uv and id-token: write, then revoke the token and delete the secret",
	"crates":   "name this workflow as the crate's trusted publisher, take the token from rust-lang/crates-io-auth-action with id-token: write, then revoke the stored one and delete the secret",
	"rubygems": "name this workflow as the gem's trusted publisher, log in by rubygems/configure-rubygems-credentials with id-token: write, then delete the API key and the secret",
	"nuget":    "add a trusted publishing policy on nuget.org, take the key from NuGet/login with id-token: write, then delete the API key and the secret",
	"pub":      "switch on automated publishing for the package on pub.dev and give the job id-token: write, then delete the secret",
	"jsr":      "link the package to this repository on jsr.io and give the job id-token: write, then revoke the token and delete the secret",
}

// registry returns a place when it is a registry that this rule is about.
func registry(place string) string {
	if titles[place] == "" || !platform.Federates(place) {
		return ""
	}
	return place
}
