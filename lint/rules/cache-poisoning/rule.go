// Package cachepoisoning is the rule cache-poisoning; see README.md.
package cachepoisoning

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports caches that carry lower-trust code to a job with more to lose.
var Rule = &lint.Rule{
	ID:         "cache-poisoning",
	Title:      "a job with credentials restores a cache that less trusted code can write",
	Since:      "2026-11",
	Confidence: lint.MediumConfidence,
	Fixes:      lint.UnsafeFix,
	Tags:       []string{"NHI8:2025", "NHI3:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	w := p.File.Workflow
	if w == nil {
		return
	}
	if m := w.CacheMode; m != nil {
		reportMode(p, m, slices.DeleteFunc(slices.Clone(w.Jobs), func(j *workflows.Job) bool { return j.CacheMode != nil }))
	}
	p.Jobs(func(job *reach.Job) {
		if m := job.Job.CacheMode; m != nil {
			reportMode(p, m, []*workflows.Job{job.Job})
		}
		if r := readerOf(p.Graph, job); r != nil {
			r.report(p)
		}
	})
}

// reportMode reports a stated write in jobs that anyone can start: it wins over the
// platform's default, which only lets such runs read.
func reportMode(p *lint.Pass, stated *workflows.Scalar, jobs []*workflows.Job) {
	if !platform.CacheMode(stated.Value).Writes() {
		return
	}
	for _, j := range jobs {
		job := p.Graph.Of(j)
		event := openEvent(p.Graph, job)
		if event == "" || !mode(job).Writes() {
			continue
		}
		f := lint.Finding{Span: stated.Span, Job: job, Code: job.WorstCode(), Confidence: lint.HighConfidence}
		f.Exposure = reach.Exposure{Steer: job.Trust(), Start: platform.StartAnyone, Autonomy: true}
		where := "; no job here restores one"
		if r := worstReader(p.Graph, job); r != nil {
			f.Exposure.Credentials = r.holds.Credentials
			f.Related = append(f.Related, r.restored[0].related(r.job))
			where = fmt.Sprintf(", and job %s, which restores one, has %s", r.job.Job.ID, reach.CredentialList(r.holds.Credentials))
		}
		f.Message = fmt.Sprintf("cache-mode: %s lets runs of %s save caches for every branch%s; without it such runs only read since %s",
			stated.Value, event, where, platform.CacheReadOnlyDate)
		f.Next = "state cache-mode: read, or leave it out"
		if stated == j.CacheMode {
			f.Fixes = setMode(p, j, platform.CacheRead)
		}
		p.Report(f)
		return // one stated mode is one defect
	}
}

func setMode(p *lint.Pass, j *workflows.Job, m platform.CacheMode) []lint.Fix {
	edits, ok := p.File.SetJobCacheMode(j, string(m))
	if !ok {
		return nil
	}
	return []lint.Fix{{Title: fmt.Sprintf("set cache-mode: %s in job %s", m, j.ID), Edits: edits}}
}

// report reports the job with the worst of those who can write what it restores.
func (r *reader) report(p *lint.Pass) {
	w := r.worstWriter(p.Graph)
	outsider := w != nil && w.code.Trust >= reach.OutsiderCode
	from := r.gives // whose credentials are at stake
	if outsider {
		from = r.holds
	}
	if from == nil || w != nil && w.explicit {
		return // an explicit mode is reported where it is stated
	}
	first := r.restored[0]
	f := lint.Finding{Span: first.at.Span, Job: r.job, Fixes: setMode(p, r.job.Job, platform.CacheNone)}
	f.Next = "restore nothing in this job: switch the cache off in its steps, or state cache-mode: none"
	takes := reach.CredentialList(from.Credentials)
	low, medium := reach.Low, reach.Medium
	switch {
	case outsider:
		f.Exposure, f.Code = from.Exposure(w.code.Trust), w.code
		f.Exposure.Start = platform.StartAnyone
		f.Message = fmt.Sprintf("the cache that %s restores could hold what an outsider left in it: job %s of %s runs %s under %s; it could take %s",
			first.name(), w.job.Job.ID, w.job.File.Path, w.code.Name, w.event, takes)
		if w.stopped {
			f.Ceiling = &low
			f.Message += fmt.Sprintf("; since %s such runs only read GitHub's cache, until a cache-mode lets them write", platform.CacheReadOnlyDate)
		}
	case w != nil:
		f.Exposure, f.Code, f.Ceiling = from.Exposure(w.code.Trust), w.code, &medium
		f.Message = fmt.Sprintf("the cache that %s restores carries %s (%s) of job %s in %s into job %s; it could take %s",
			first.name(), w.code.Name, w.code.Why, w.job.Job.ID, w.job.File.Path, r.job.Job.ID, takes)
	default:
		f.Exposure, f.Ceiling, f.Confidence = from.Exposure(reach.OwnCode), &low, lint.LowConfidence
		f.Message = fmt.Sprintf("job %s gives out what it makes beside a cache that %s restores, and what lies in a cache is in no commit; it could take %s",
			r.job.Job.ID, first.name(), takes)
	}
	f.Related = r.related(w)
	if from != r.job {
		f.Message += fmt.Sprintf("; job %s gives out what this one builds", from.Job.ID)
		f.Related = append(f.Related, lint.Related{File: from.File, Span: from.Job.IDSpan, Text: "takes the artifacts and gives them out"})
	}
	p.Report(f)
}

func (r *reader) related(w *writer) []lint.Related {
	var out []lint.Related
	if w != nil {
		out = append(out,
			lint.Related{File: w.trigger.File, Span: w.trigger.Span, Text: "started by " + w.event},
			lint.Related{File: w.code.Site.File, Span: w.code.Site.Span, Text: w.code.Name + " can write any entry of the cache"})
	}
	for i, s := range r.restored {
		if i > 0 || s.step.Uses.Span != s.at.Span {
			out = append(out, s.related(r.job))
		}
	}
	return out
}
