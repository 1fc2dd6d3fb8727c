// Package unpinnedtool is the rule unpinned-tool; see README.md.
package unpinnedtool

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

// Rule reports setup actions that install the newest version of a tool.
var Rule = &lint.Rule{
	ID:         "unpinned-tool",
	Title:      "a setup action installs whatever version of a tool is newest when the job runs",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"NHI3:2025"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Steps(func(s *workflows.Step, job *reach.Job) {
		if s.Uses == nil || s.With != nil && s.With.Whole != nil {
			return
		}
		if tool, ok := platform.LookupTool(s.Uses.FullName()); ok {
			judge(p, s, job, tool)
		}
	})
}

func judge(p *lint.Pass, s *workflows.Step, job *reach.Job, tool platform.Tool) {
	version := s.With.Get(tool.Version)
	f := lint.Finding{
		Job: job, Exposure: lint.Expose(job, reach.FetchedCode),
		Next: fmt.Sprintf("name one version: %s: …", tool.Version),
	}
	switch {
	case version != nil && version.Value != "":
		text, ok := version.Const()
		if !ok || !platform.IsMoving(text) {
			return
		}
		f.Span = version.Span
		f.Message = fmt.Sprintf("%s: %s installs whatever %s is newest when the job runs", tool.Version, workflows.Printable(text), tool.Name)
	case !tool.Newest || slices.ContainsFunc(tool.Other, func(name string) bool { return s.With.Get(name).String() != "" }):
		return
	default:
		f.Span = s.Uses.Span
		f.Message = fmt.Sprintf("without %s %s installs whatever %s is newest when the job runs", tool.Version, s.Uses.FullName(), tool.Name)
		if tool.Reads != "" {
			f.Message += ", unless " + tool.Reads + " names a version"
			f.Confidence, f.Strict = lint.MediumConfidence, true
		}
	}
	if len(f.Exposure.Credentials) > 0 {
		f.Message += "; it could take " + reach.CredentialList(f.Exposure.Credentials)
	}
	f.Strict = f.Strict || !atStake(f.Exposure.Credentials)
	p.Report(f)
}

// atStake reports whether something that can change things is known to be in reach.
// A token whose permissions no file states is the matter of excessive-permissions.
func atStake(list []*reach.Credential) bool {
	return slices.ContainsFunc(list, func(c *reach.Credential) bool {
		return c.Lifetime >= reach.ForHours || c.Writes && !c.Default && c.Kind != reach.GitCredential
	})
}
