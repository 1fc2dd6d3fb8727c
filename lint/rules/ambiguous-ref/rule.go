// Package ambiguousref is the rule ambiguous-ref; see README.md.
package ambiguousref

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

// Rule reports refs that are both a branch and a tag.
var Rule = &lint.Rule{
	ID:         "ambiguous-ref",
	Title:      "a ref that is both a branch and a tag of the action's repository",
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
	if u == nil || u.Host != "" || u.Kind != workflows.UsesTag && u.Kind != workflows.UsesBranch || strings.HasPrefix(u.Ref, "refs/") {
		return
	}
	if _, locked := p.Repository.Lock().Pinned(p.File.Path, u); locked || !p.NeedsNetwork() {
		return
	}
	refs, err := p.Resolver.Refs(p.Context, u.Owner, u.Repo)
	if err != nil {
		return
	}
	branch, tag := refs.Branches[u.Ref], refs.Tags[u.Ref]
	if branch == "" || tag == "" {
		return
	}
	code := p.Graph.CodeOf(p.File, u, nil)
	ceiling := reach.Medium
	f := lint.Finding{Span: u.Span, Job: job, Code: code, Exposure: lint.Expose(job, code.Trust), Ceiling: &ceiling, Strict: branch == tag}
	f.Message = fmt.Sprintf("%s is both a tag of %s, on %s, and a branch, ", workflows.Printable(u.Ref), u.Name(), tag[:12])
	if branch == tag {
		f.Message += "on the same commit today"
	} else {
		f.Message += "on " + branch[:12] + ": the tag runs, and whoever looks at the branch reads other code"
	}
	if len(f.Exposure.Credentials) > 0 {
		f.Message += "; it could take " + reach.CredentialList(f.Exposure.Credentials)
	}
	f.Next = "write the full commit of the one that is meant, with its version behind it"
	p.Report(f)
}
