// Package impostorcommit is the rule impostor-commit; see README.md.
package impostorcommit

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

// Rule reports commits that the repository they are named with does not hold.
var Rule = &lint.Rule{
	ID:         "impostor-commit",
	Title:      "a commit that is in no branch or tag of the repository it is named with",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Network:    lint.AllNetwork,
	Tags:       []string{"NHI3:2025"},
	Clock:      true,
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Steps(func(s *workflows.Step, job *reach.Job) { judge(p, s.Uses, job) })
	p.Jobs(func(job *reach.Job) { judge(p, job.Job.Uses, job) })
}

func judge(p *lint.Pass, u *workflows.Uses, job *reach.Job) {
	if u == nil || u.Owner == "" || u.Host != "" {
		return
	}
	commit, where := commitOf(p, u)
	if commit == "" || !p.NeedsNetwork() {
		return
	}
	held, err := p.Resolver.Contains(p.Context, u.Owner, u.Repo, commit)
	if err != nil || held {
		return
	}
	f := lint.Finding{Span: u.Span, Job: job, Code: p.Graph.CodeOf(p.File, u, nil)}
	f.Exposure = lint.Expose(job, max(f.Code.Trust, reach.OutsiderCode))
	f.Message = fmt.Sprintf("the commit %s%s is in no branch or tag of %s: a fork's commit looks like this, and everybody can make one", commit[:12], where, u.Name())
	if len(f.Exposure.Credentials) > 0 {
		f.Message += "; it could take " + reach.CredentialList(f.Exposure.Credentials)
	}
	f.Next = "find out who wrote the commit; pin one that a release of " + u.Name() + " names, and rotate what the job held if it ran"
	p.Report(f)
}

// commitOf returns the commit that runs, from the line itself or from actions.lock, and
// where it stands when that is not the line.
func commitOf(p *lint.Pass, u *workflows.Uses) (commit, where string) {
	if pin, ok := p.Repository.Lock().Pinned(p.File.Path, u); ok {
		if u.Kind != workflows.UsesCommit {
			where = ", to which actions.lock holds " + workflows.Printable(u.Value) + ","
		}
		return pin.Commit, where
	}
	if u.Kind == workflows.UsesCommit {
		return strings.ToLower(u.Ref), ""
	}
	return "", ""
}
