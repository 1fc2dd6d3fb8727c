// Package excessivepermissions is the rule excessive-permissions; see README.md.
package excessivepermissions

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

// Rule reports repository tokens that may do more than their jobs state to need.
var Rule = &lint.Rule{
	ID:         "excessive-permissions",
	Title:      "a repository token that may do more than its job needs",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Fixes:      lint.SafeFix,
	Tags:       []string{"NHI5:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	w := p.File.Workflow
	if w == nil {
		return
	}
	p.Jobs(func(job *reach.Job) { judgeBlock(p, job.Job.Permissions, []*reach.Job{job}) })
	heirs := inheriting(p)
	if len(heirs) == 0 {
		return
	}
	if w.Permissions == nil {
		judgeMissing(p, heirs)
		return
	}
	judgeBlock(p, w.Permissions, heirs)
	judgeShared(p, w.Permissions, heirs)
}

// inheriting returns the jobs that state no permissions of their own.
func inheriting(p *lint.Pass) []*reach.Job {
	var out []*reach.Job
	p.Jobs(func(job *reach.Job) {
		if job.Job.Permissions == nil {
			out = append(out, job)
		}
	})
	return out
}

// statedInside reports whether a job calls a workflow of this repository in which all
// jobs state theirs: then nothing runs with what the call inherits.
func statedInside(p *lint.Pass, job *reach.Job) bool {
	called := p.Graph.Called(job)
	return len(called) > 0 && !slices.ContainsFunc(called, func(c *reach.Job) bool {
		return c.Job.EffectivePermissions().Origin == workflows.OriginDefault
	})
}

// judgeMissing reports jobs whose permissions no file states: the setting of
// repository or organization holds, which may be write-all. A workflow that is only called takes
// its callers' permissions, so that the finding belongs to them.
func judgeMissing(p *lint.Pass, heirs []*reach.Job) {
	open := slices.DeleteFunc(slices.Clone(heirs), func(j *reach.Job) bool { return statedInside(p, j) })
	if onlyCalled(p.File.Workflow) || len(open) == 0 {
		return
	}
	f := finding(p, open)
	f.Span = p.File.Workflow.JobsSpan
	f.Message = fmt.Sprintf("no permissions are stated for %s: the setting of the repository holds, which may be write-all", names(open))
	f.Next = "write permissions: {} above jobs:, and in each job the scopes that it needs"
	if needs, known := needsOfAll(p, heirs); known {
		if edits, ok := p.File.SetWorkflowPermissions(needs); ok {
			f.Fixes = []lint.Fix{{Title: "state the permissions that the known steps need", Safe: true, Edits: edits}}
		}
	}
	p.Report(f)
}

func onlyCalled(w *workflows.Workflow) bool {
	return len(w.On) > 0 && !slices.ContainsFunc(w.On, func(t *workflows.Trigger) bool { return t.Event != "workflow_call" })
}

// judgeBlock reports write-all.
func judgeBlock(p *lint.Pass, block *workflows.Permissions, jobs []*reach.Job) {
	if block == nil || block.All.String() != "write-all" {
		return
	}
	f := finding(p, jobs)
	f.Span = block.All.Span
	f.Message = fmt.Sprintf("write-all lets the token of %s write everything, and mint id-tokens", names(jobs))
	f.Next = "write the scopes that the job needs instead, one a line"
	p.Report(f)
}

// judgeShared reports scopes that a whole workflow may write although one of its jobs
// does not need them: then one need is everybody's right. Where each of the jobs may
// need the scope the place is a matter of taste.
func judgeShared(p *lint.Pass, block *workflows.Permissions, heirs []*reach.Job) {
	var spare, taste []workflows.Entry
	for _, e := range block.Scopes {
		scope := strings.ToLower(e.Key.Value)
		switch {
		case e.Value.Value != "write" || scope == "id-token": // exposed-id-token has it
		case spared(p, heirs, scope):
			spare = append(spare, e)
		default:
			taste = append(taste, e)
		}
	}
	reportShared(p, block, heirs, spare, false)
	if len(heirs) > 1 {
		reportShared(p, block, heirs, taste, true)
	}
}

// spared reports whether one of the jobs does not need a write scope. Of a job that is
// alone all must be known for that: its author wrote the scope for it.
func spared(p *lint.Pass, heirs []*reach.Job, scope string) bool {
	if len(heirs) == 1 {
		n, known := seenNeeds(p, heirs[0])
		return known && n[scope] != workflows.AccessWrite
	}
	return slices.ContainsFunc(heirs, func(j *reach.Job) bool { return idle(p, j, scope) })
}

// reportShared reports the entries of one block: one block is one defect.
func reportShared(p *lint.Pass, block *workflows.Permissions, heirs []*reach.Job, entries []workflows.Entry, strict bool) {
	if len(entries) == 0 {
		return
	}
	var moved []string
	f := finding(p, heirs)
	for i, e := range entries {
		moved = append(moved, strings.ToLower(e.Key.Value))
		span := workflows.Span{Start: e.Key.Span.Start, End: e.Value.Span.End}
		if i == 0 {
			f.Span = span
			continue
		}
		f.Related = append(f.Related, lint.Related{File: p.File, Span: span, Text: moved[i] + ": write is for the whole workflow too"})
	}
	they := plural(len(moved), "it", "them")
	f.Message = fmt.Sprintf("%s %s given to the whole workflow, so that each of %s has %s", writes(moved), plural(len(moved), "is", "are"), names(heirs), they)
	f.Next = "move " + they + " into the permissions of the job that needs " + they
	if len(heirs) == 1 {
		f.Message = fmt.Sprintf("%s %s given to the whole workflow, and %s is not seen to need %s", writes(moved), plural(len(moved), "is", "are"), names(heirs), they)
		f.Next = "remove " + they + ", or move " + they + " into the permissions of the job"
	}
	f.Fixes = moveDown(p, block, heirs, moved)
	if f.Strict = strict; strict {
		f.Confidence = lint.LowConfidence
	}
	p.Report(f)
}

// writes lists scopes for a sentence: "contents: write and packages: write".
func writes(moved []string) string {
	out := make([]string, len(moved))
	for i, scope := range moved {
		out[i] = scope + ": write"
	}
	if n := len(out) - 1; n > 0 {
		return strings.Join(out[:n], ", ") + " and " + out[n]
	}
	return out[0]
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// finding grades the token of the worst of the jobs, against the code in it.
func finding(p *lint.Pass, jobs []*reach.Job) lint.Finding {
	var f lint.Finding
	for _, j := range jobs {
		e := j.Exposure(j.Trust()).Only(reach.RepositoryToken, reach.IDToken)
		if f.Job == nil || reach.Grade(e) > reach.Grade(f.Exposure) {
			f.Job, f.Exposure, f.Code = j, e, j.WorstCode()
		}
	}
	return f
}

// names lists jobs for a sentence, the first three by id.
func names(jobs []*reach.Job) string {
	if len(jobs) == 1 {
		return "job " + jobs[0].Job.ID
	}
	var ids []string
	for _, j := range jobs[:min(3, len(jobs))] {
		ids = append(ids, j.Job.ID)
	}
	if n := len(jobs) - 3; n > 0 {
		return fmt.Sprintf("the jobs %s and %d more", strings.Join(ids, ", "), n)
	}
	return "the jobs " + strings.Join(ids[:len(ids)-1], ", ") + " and " + ids[len(ids)-1]
}
