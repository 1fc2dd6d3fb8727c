// Package jobwidesecret is the rule job-wide-secret; see README.md.
package jobwidesecret

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

// Rule reports secrets that the env: of a job or workflow gives to steps that do not use them.
var Rule = &lint.Rule{
	ID:         "job-wide-secret",
	Title:      "a secret is in the environment of every step, of which only some use it",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Fixes:      lint.SafeFix | lint.UnsafeFix,
	Tags:       []string{"NHI2:2025", "NHI5:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	if p.File.Workflow == nil {
		return
	}
	var jobs []*reach.Job
	p.Jobs(func(job *reach.Job) {
		if job.Job.Uses == nil {
			jobs = append(jobs, job)
			judge(p, job.Job, job.Job.Env, []*reach.Job{job})
		}
	})
	judge(p, nil, p.File.Workflow.Env, jobs)
}

// A variable is a secret in the env: of a job or workflow, and who has it.
type variable struct {
	entry workflows.Entry
	cred  *reach.Credential
	jobs  []jobView
}

// judge reports the secrets of one env:; owner is nil for that of the workflow.
// Variables that the same steps use, as the halves of a key, are one finding.
func judge(p *lint.Pass, owner *workflows.Job, env *workflows.Map, jobs []*reach.Job) {
	var groups [][]variable
	for _, e := range env.All() {
		v := variable{entry: e}
		for _, job := range jobs {
			if c := credential(p.File, job, e); c != nil {
				v.cred = c
				v.jobs = append(v.jobs, viewOf(p.Graph, job, e.Key.Value))
			}
		}
		if v.cred == nil || !v.spread(owner == nil) {
			continue
		}
		same := func(g []variable) bool { return g[0].sameUsers(v) }
		if i := slices.IndexFunc(groups, same); i >= 0 {
			groups[i] = append(groups[i], v)
			continue
		}
		groups = append(groups, []variable{v})
	}
	for _, g := range groups {
		report(p, owner, g)
	}
}

// credential returns the stored secret that an entry's value can have in a job.
func credential(f *workflows.File, job *reach.Job, entry workflows.Entry) *reach.Credential {
	for _, e := range entry.Value.Exprs {
		for _, r := range reach.ValueRefs(e) {
			for _, c := range job.Standing() {
				if !c.All && slices.Contains(c.Enters, reach.Site{File: f, Span: r.Span}) {
					return c
				}
			}
		}
	}
	return nil
}

// report tells of the variables that the same steps use.
func report(p *lint.Pass, owner *workflows.Job, group []variable) {
	v := group[0]
	var creds []*reach.Credential
	var names []string
	for _, g := range group {
		names = append(names, g.entry.Key.Value)
		if !slices.Contains(creds, g.cred) {
			creds = append(creds, g.cred)
		}
	}
	worst := v.worst()
	f := lint.Finding{Span: v.entry.Key.Span, Job: worst.job, Confidence: v.confidence(owner == nil)}
	loss := ""
	f.Exposure, f.Code, loss = worst.exposure(creds)
	f.Message = fmt.Sprintf("%s of the %s: %s; %s", given(names), scope(owner), v.users(owner == nil), loss)
	f.Next = "move it to env: of the steps that use it"
	if !v.elsewhere() { // the secret is in no job that could do without it
		medium := reach.Medium
		f.Ceiling = &medium
		f.Next += "; a job of its own also keeps it from code that reads the runner's memory"
	}
	f.Strict = !slices.ContainsFunc(group, variable.telling) || p.File.Generated()
	for _, g := range group[1:] {
		f.Related = append(f.Related, lint.Related{File: p.File, Span: g.entry.Key.Span, Text: g.entry.Key.Value + " goes to the same steps"})
	}
	f.Fixes = fixes(p, owner, group)
	p.Report(f)
}

func given(names []string) string {
	if len(names) == 1 {
		return names[0] + " is in the environment"
	}
	if len(names) > maxNamed+1 {
		names = append(slices.Clone(names[:maxNamed]), fmt.Sprintf("%d more", len(names)-maxNamed))
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last] + " are in the environment"
}

func scope(owner *workflows.Job) string {
	if owner == nil {
		return "whole workflow"
	}
	return "whole job"
}

// telling reports whether the name says that it is a secret: the others are shown
// with --strict.
func (v variable) telling() bool {
	name := strings.ToLower(v.cred.Name)
	words := []string{"token", "key", "secret", "password", "passwd", "credential", "pat", "auth", "webhook"}
	class := platform.LookupSecret(name).Class
	return class != "" || slices.ContainsFunc(words, func(w string) bool { return strings.Contains(name, w) })
}

// fixes moves the variables to the steps that use them, where that can be told.
func fixes(p *lint.Pass, owner *workflows.Job, group []variable) []lint.Fix {
	var steps []*workflows.Step
	safe := true
	var names []string
	for _, v := range group {
		names = append(names, v.entry.Key.Value)
	}
	for _, j := range group[0].jobs {
		if j.outside || len(j.users) == 0 && len(j.open) > 0 {
			return nil
		}
		safe = safe && len(j.open) == 0 && !j.through
		steps = append(steps, j.users...)
	}
	if len(steps) == 0 {
		return nil
	}
	edits, ok := p.File.NarrowEnv(owner, names, steps)
	if !ok {
		return nil
	}
	return []lint.Fix{{Title: "give the secret to the steps that use it only", Safe: safe, Edits: edits}}
}
