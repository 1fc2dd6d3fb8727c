// Package arbitraryreleaseref is the rule arbitrary-release-ref; see README.md.
package arbitraryreleaseref

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/reach/flow"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports releases of whatever commit somebody names.
var Rule = &lint.Rule{
	ID:         "arbitrary-release-ref",
	Title:      "a release is built from whatever ref its input names",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"NHI5:2025", "NHI8:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Jobs(func(job *reach.Job) {
		releases := releasing(p.Graph, job)
		if len(releases) == 0 {
			return
		}
		for _, s := range p.Graph.RunSteps(job) {
			if n, ok := named(p.Graph, job, s); ok && !verified(p.Graph, job) {
				report(p, n, job, releases)
				return // the later ones are of the same release
			}
		}
	})
}

// releasing returns the jobs that publish or deploy what a job checks out: itself, and
// those of its workflow that need it.
func releasing(g *reach.Graph, job *reach.Job) []*reach.Job {
	var out []*reach.Job
	for _, j := range g.Jobs {
		if j.File == job.File && (j == job || needs(j.Job, job.Job, map[*workflows.Job]bool{})) && len(g.Releases(j)) > 0 {
			out = append(out, j)
		}
	}
	return out
}

// needs reports whether a job needs another, by way of others too.
func needs(j, other *workflows.Job, seen map[*workflows.Job]bool) bool {
	if seen[j] {
		return false
	}
	seen[j] = true
	for _, id := range j.Needs {
		for _, before := range j.Workflow.Jobs {
			if strings.EqualFold(before.ID, id.Value) && (before == other || needs(before, other, seen)) {
				return true
			}
		}
	}
	return false
}

// A naming is a ref that an input names, at its place.
type naming struct {
	file  *workflows.File
	span  workflows.Span
	taint flow.Taint
	// free is set when nothing stands before the text, so that it names any ref.
	free bool
	// elsewhere is set when the ref is one of another repository.
	elsewhere bool
}

// named returns the input that decides what a step checks out.
func named(g *reach.Graph, job *reach.Job, s reach.RunStep) (naming, bool) {
	if s.Step.Uses != nil {
		info, _ := platform.LookupAction(s.Step.Uses.FullName())
		if v := s.Step.With.Get("ref"); info.Checkout && v != nil {
			n, ok := chosen(g, job, s, v.Span, v.Exprs)
			n.free = ok && v.Exprs[0].Start == 0
			_, n.elsewhere = s.Step.With.Get("repository").Const()
			return n, ok
		}
		return naming{}, false
	}
	if s.Step.Run == nil {
		return naming{}, false
	}
	for _, c := range s.Step.Run.Commands {
		args := c.Args()
		if c.Name != "git" || len(args) == 0 || args[0].Text != "checkout" && args[0].Text != "switch" && args[0].Text != "reset" {
			continue
		}
		var exprs []*workflows.Expr
		for _, w := range args[1:] {
			exprs = append(exprs, w.Exprs...)
			for _, m := range []*workflows.Map{s.Step.Env, job.Job.Env, job.Job.Workflow.Env} {
				for _, e := range m.All() {
					if slices.Contains(w.Vars, e.Key.Value) {
						exprs = append(exprs, e.Value.Exprs...)
					}
				}
			}
		}
		if n, ok := chosen(g, job, s, c.Span, exprs); ok && !creates(args) {
			return n, true
		}
	}
	return naming{}, false
}

// creates reports whether git makes a new branch instead of taking one.
func creates(args []workflows.Word) bool {
	return slices.ContainsFunc(args, func(w workflows.Word) bool {
		return w.Text == "-b" || w.Text == "-B" || w.Text == "-c" || w.Text == "-C" || w.Text == "--orphan" || w.Text == "--"
	})
}

// chosen returns the first free text of a dispatch among the expressions.
func chosen(g *reach.Graph, job *reach.Job, s reach.RunStep, at workflows.Span, exprs []*workflows.Expr) (naming, bool) {
	for _, e := range exprs {
		for _, t := range g.Flow.Expr(job.Job, s.Step, e) {
			if dispatched(t.Source) && t.Who <= platform.StartCaller && !t.Merged {
				return naming{file: s.File, span: at, taint: t, free: true}, true
			}
		}
	}
	return naming{}, false
}

// refs says which refs the input can name.
func (n naming) refs() string {
	if n.free {
		return "ref, pull requests of forks too, that " + n.taint.Source
	}
	return "ref of its kind, made a minute ago or not, that " + n.taint.Source
}

func dispatched(source string) bool {
	return strings.HasPrefix(source, "inputs.") || strings.HasPrefix(source, "github.event.inputs.") || strings.HasPrefix(source, "github.event.client_payload")
}

// checks are what a script asks before it releases a commit: whether a protected
// branch has it, and whether its tag is signed.
var checks = []string{"merge-base --is-ancestor", "branch --contains", "branch -r --contains", "branch --remotes --contains", "verify-tag", "tag -v", "verify-commit", "compareCommits"}

// verified reports whether a step of the job asks where the commit comes from.
func verified(g *reach.Graph, job *reach.Job) bool {
	return slices.ContainsFunc(g.RunSteps(job), func(s reach.RunStep) bool {
		text := s.Step.With.Get("script").String()
		if s.Step.Run != nil {
			text = s.Step.Run.Value
		}
		return slices.ContainsFunc(checks, func(c string) bool { return strings.Contains(text, c) })
	})
}

// report grades by the credentials of the release: the code is any that the repository
// can fetch, forks' pull requests included, once somebody has started the run.
func report(p *lint.Pass, n naming, job *reach.Job, releases []*reach.Job) {
	worst := slices.MaxFunc(releases, func(a, b *reach.Job) int { return int(grade(a)) - int(grade(b)) })
	e := worst.Exposure(reach.MutableThirdParty)
	if e.Stake() <= reach.ReadAtStake {
		return
	}
	f := lint.Finding{
		File: n.file, Span: n.span, Job: worst, Exposure: e, Confidence: lint.HighConfidence,
		Message: fmt.Sprintf("what %s %s is any %s names; whoever may start a run, or holds a token that may, takes %s",
			worst.Job.ID, p.Graph.Releases(worst)[0].What, n.refs(), reach.CredentialList(e.Credentials)),
		Next: "release the ref that started the run: push a protected tag, and take the input away; or ask git whether the protected branch has the commit before anything runs",
	}
	for _, h := range n.taint.Hops {
		if h.File != n.file || !n.span.Contains(h.Span) {
			f.Related = append(f.Related, lint.Related{File: h.File, Span: h.Span, Text: h.Text})
		}
	}
	first := p.Graph.Releases(worst)[0].Step
	f.Related = append(f.Related, lint.Related{File: first.File, Span: first.Step.Span, Text: "the release"})
	switch {
	case n.taint.Who == platform.StartCaller, n.elsewhere:
		f.Strict, f.Confidence = true, lint.MediumConfidence // a caller may name a constant; what lies elsewhere may be only read
	case worst.Job.Environment != nil:
		medium := reach.Medium // reviewers may be asked; what they are shown is the ref of the run, not the input
		f.Ceiling, f.Confidence = &medium, lint.MediumConfidence
		f.Message += "; a reviewer of its environment is shown the ref of the run, not the one that is named"
	}
	p.Report(f)
}

func grade(job *reach.Job) reach.Severity { return reach.Grade(job.Exposure(reach.MutableThirdParty)) }
