// Package secretincommand is the rule secret-in-command; see README.md.
package secretincommand

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports secrets that become part of a script or of what a command makes.
var Rule = &lint.Rule{
	ID:         "secret-in-command",
	Title:      "a secret is expanded into a script, or put where others can read it",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Fixes:      lint.SafeFix | lint.UnsafeFix,
	Tags:       []string{"NHI2:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	held := uses(p)
	p.Steps(func(s *workflows.Step, job *reach.Job) {
		if found := expanded(p, s, job, held); len(found) > 0 {
			report(p, s, job, found)
		}
	})
	for _, h := range held {
		judgeInput(p, h)
	}
	for _, job := range jobs(p) {
		judgePlaces(p, job)
	}
}

// A holding is a use of a secret in one job.
type holding struct {
	reach.Use
	job *reach.Job
}

// jobs returns the jobs that run steps of the file.
func jobs(p *lint.Pass) []*reach.Job {
	if p.File.Action != nil {
		return p.Graph.Users(p.File)
	}
	var out []*reach.Job
	p.Jobs(func(job *reach.Job) { out = append(out, job) })
	return out
}

// uses returns what takes secrets in the file's own steps.
func uses(p *lint.Pass) []holding {
	var out []holding
	for _, job := range jobs(p) {
		for _, u := range p.Graph.Uses(job) {
			if u.File == p.File && u.Step != nil {
				out = append(out, holding{u, job})
			}
		}
	}
	return out
}

// report tells of all expansions in one step, which are mended together.
func report(p *lint.Pass, s *workflows.Step, job *reach.Job, found []expansion) {
	medium := reach.Medium // code in the job that reads memory finds the secret anyway
	f := lint.Finding{Span: found[0].expr.Span, Job: job, Ceiling: &medium, Confidence: lint.MediumConfidence}
	loss := "it is a secret of whoever uses the action"
	f.Exposure = reach.Elsewhere(reach.OwnCode)
	if creds := credentials(found); len(creds) > 0 {
		f.Exposure, f.Code, loss = job.Loss(creds)
	}
	for _, x := range found {
		if !x.guess {
			f.Confidence = lint.HighConfidence
		}
	}
	where := "the script"
	if !found[0].script {
		where = "a script that " + s.Uses.FullName() + " runs"
	}
	f.Message = fmt.Sprintf("%s expanded into %s: the text stands in its file and in arguments of commands, and characters of it that mean something there are run; %s",
		named(found), where, loss)
	f.Next = fmt.Sprintf(`give it to the step by env: and write "$%s", in quotes`, found[0].name)
	for _, x := range found[1:] {
		f.Related = append(f.Related, lint.Related{File: p.File, Span: x.expr.Span, Text: x.name + " is expanded here"})
	}
	f.Fixes = fixes(p, s, job, found)
	p.Report(f)
}

func credentials(found []expansion) []*reach.Credential {
	var out []*reach.Credential
	for _, x := range found {
		if x.credential != nil && !slices.Contains(out, x.credential) {
			out = append(out, x.credential)
		}
	}
	return out
}

// named lists the secrets for a message: "A is", "A and B are".
func named(found []expansion) string {
	var names []string
	for _, x := range found {
		if !slices.Contains(names, x.name) {
			names = append(names, x.name)
		}
	}
	if len(names) == 1 {
		return names[0] + " is"
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last] + " are"
}

// guessed reports whether a name says nothing of what the secret opens.
func guessed(name string) bool {
	name = strings.ToLower(name)
	words := []string{"token", "key", "secret", "password", "passwd", "credential", "pass", "pat", "auth", "webhook", "creds", "json"}
	return platform.LookupSecret(name).Class == "" && !slices.ContainsFunc(words, func(w string) bool { return strings.Contains(name, w) })
}
