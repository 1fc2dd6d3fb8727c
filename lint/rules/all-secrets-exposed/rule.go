// Package allsecretsexposed is the rule all-secrets-exposed; see README.md.
package allsecretsexposed

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

//go:embed README.md
var readme string

// Rule reports expressions that take all secrets at once.
var Rule = &lint.Rule{
	ID:         "all-secrets-exposed",
	Title:      "every secret is put into a job that needs a few",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"NHI5:2025", "NHI2:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	if w := p.File.Workflow; w != nil {
		if worst := worstJob(p); worst != nil {
			judgeEnv(p, worst, w.Env)
		}
	}
	p.Jobs(func(job *reach.Job) {
		job.Job.Scalars(func(s *workflows.Scalar) { judge(p, job, s) })
	})
	if p.File.Action != nil { // no secrets there, but the github context
		p.Steps(func(s *workflows.Step, job *reach.Job) {
			s.Scalars(func(v *workflows.Scalar) { judge(p, job, v) })
		})
	}
}

func judgeEnv(p *lint.Pass, job *reach.Job, env *workflows.Map) {
	for _, e := range env.All() {
		judge(p, job, e.Value)
	}
	if env != nil && env.Whole != nil {
		judge(p, job, env.Whole)
	}
}

// worstJob returns the job of the file that has most to lose: it holds the
// workflow's env: as every other one with steps does.
func worstJob(p *lint.Pass) *reach.Job {
	var worst *reach.Job
	p.Jobs(func(job *reach.Job) {
		if job.Job.Uses == nil && (worst == nil || job.Grade() > worst.Grade()) {
			worst = job
		}
	})
	return worst
}

// judge reports the expressions of one value, at most one finding each.
func judge(p *lint.Pass, job *reach.Job, s *workflows.Scalar) {
	for _, e := range s.Exprs {
		for _, r := range e.Refs() {
			if f, ok := finding(p, job, e, r); ok {
				f.Span, f.Job = e.Span, job
				p.Report(f)
				break
			}
		}
	}
}

func finding(p *lint.Pass, job *reach.Job, e *workflows.Expr, r *workflows.Ref) (lint.Finding, bool) {
	if len(r.Parts) == 0 {
		return lint.Finding{}, false
	}
	switch name := r.Parts[0].Name; {
	case name == "github" && len(r.Parts) == 1 && dumped(e, r):
		return wholeGitHub(job), true
	case name != "secrets" || p.File.Workflow == nil:
		return lint.Finding{}, false
	case len(r.Parts) == 1 || r.Parts[1].Name == "*":
		return whole(job), true
	case r.Parts[1].Index != nil:
		return computed(p, job, r.Parts[1].Index), true
	}
	return lint.Finding{}, false
}

// whole is for the secrets context itself.
func whole(job *reach.Job) lint.Finding {
	f := lint.Finding{Exposure: every(job), Code: job.WorstCode()}
	f.Message = "every secret that " + source(job) + " is put into the job" + holders(f)
	f.Next = "name the secrets that the job needs, one by one"
	return f
}

// source says whose secrets the context holds, as a clause behind "that".
func source(job *reach.Job) string {
	for _, t := range job.Job.Workflow.On {
		if t.Event != "workflow_call" {
			return "the repository, its organization and the job's environment have"
		}
	}
	return "a caller passes (with inherit, all it has)"
}

// computed is for secrets[…], for which GitHub sends all of them: it cannot know
// which one the expression will name.
func computed(p *lint.Pass, job *reach.Job, index workflows.ExprNode) lint.Finding {
	f := whole(job)
	names, ok := namesOf(job.Job, index)
	if !ok {
		f.Message = "secrets[…] with a computed name puts every secret into the job" + holders(f)
		return f
	}
	// Who wrote it means a few known secrets; that the others come along is
	// mended without a thought about which are needed.
	medium := reach.Medium
	f.Ceiling = &medium
	f.Message = fmt.Sprintf("secrets[…] puts every secret into the job, of which it uses %s", list(names)) + holders(f)
	f.Next = "write each name out, in a step or job of its own: " + example(names)
	return f
}

// wholeGitHub is for the github context, whose token field is the job's token. In
// a log it is masked; in a variable, a file or a request it is there.
func wholeGitHub(job *reach.Job) lint.Finding {
	low := reach.Low
	f := lint.Finding{Ceiling: &low, Strict: true, Exposure: lint.Expose(job, reach.OwnCode).Only(reach.RepositoryToken)}
	f.Message = "the whole github context holds the job's token; a log masks it, a variable, file or request does not"
	f.Next = "name the fields that are needed, such as github.event_name, or toJSON(github.event), which has no token"
	return f
}

// dumped reports whether the context itself becomes text: it is an argument of a
// function other than one that only looks into it.
func dumped(e *workflows.Expr, r *workflows.Ref) bool {
	found := false
	workflows.Walk(e.Root, func(n workflows.ExprNode) bool {
		if c, ok := n.(*workflows.Call); ok && c.Func == "tojson" {
			for _, a := range c.Args {
				found = found || a == workflows.ExprNode(r)
			}
		}
		return true
	})
	return found
}

// every is what the job's code could take, by the worst code in it.
func every(job *reach.Job) reach.Exposure { return job.Exposure(job.Trust()) }

// holders ends a message with the code that could take them.
func holders(f lint.Finding) string {
	if f.Code == nil || !f.Code.Trust.Foreign() {
		return ""
	}
	return fmt.Sprintf("; %s could take %s", f.Code.Name, reach.CredentialList(f.Exposure.Credentials))
}

// maxListed is how many names a message lists.
const maxListed = 8

func list(names []string) string {
	if len(names) > maxListed {
		return strings.Join(names[:maxListed], ", ") + fmt.Sprintf(" and %d more", len(names)-maxListed)
	}
	return strings.Join(names, ", ")
}

func example(names []string) string { return "secrets." + names[0] }
