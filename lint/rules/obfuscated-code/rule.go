// Package obfuscatedcode is the rule obfuscated-code; see README.md.
package obfuscatedcode

import (
	_ "embed"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports code and references that are written so that a reader does not see
// what they are.
var Rule = &lint.Rule{
	ID:         "obfuscated-code",
	Title:      "what runs is hidden from the reader: decoded, disguised or computed",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"NHI3:2025"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Steps(func(s *workflows.Step, job *reach.Job) {
		j := judge{p, job}
		j.uses(s.Uses)
		j.inputs(s.Uses, s.With)
		if s.Run != nil {
			j.script(s.Run)
		}
		if s.Uses != nil {
			info, _ := platform.LookupAction(s.Uses.FullName())
			for _, e := range s.With.All() {
				if info.Inputs[strings.ToLower(e.Key.Value)] == platform.RoleScript {
					j.text(e.Value)
				}
			}
		}
	})
	p.Jobs(func(job *reach.Job) {
		j := judge{p, job}
		j.uses(job.Job.Uses)
		j.inputs(job.Job.Uses, job.Job.With)
	})
}

// A judge looks at the steps of one job.
type judge struct {
	p   *lint.Pass
	job *reach.Job
}

func (j judge) report(at workflows.Span, trust reach.Trust, message, next string) {
	f := lint.Finding{Span: at, Job: j.job, Exposure: lint.Expose(j.job, trust), Message: message, Next: next}
	if len(f.Exposure.Credentials) > 0 {
		f.Message += "; it could take " + reach.CredentialList(f.Exposure.Credentials)
	}
	j.p.Report(f)
}

const nextScript = "write the script out as text, or into a file of this repository; if nobody here added it, remove it and rotate what the job holds"

// uses reports a reference that is spelt otherwise than anybody would search for it.
func (j judge) uses(u *workflows.Uses) {
	if u == nil || u.Kind == workflows.UsesDocker || u.Kind == workflows.UsesExpression || u.Kind == workflows.UsesInvalid {
		return
	}
	if what := disguise(u); what != "" {
		code := j.p.Graph.CodeOf(j.p.File, u, nil)
		trust := code.Trust
		if u.Owner == "" {
			trust = reach.OwnCode
		}
		j.report(u.Span, trust, "the reference "+workflows.Printable(u.Value)+" "+what, "write it as owner/repository/path@ref, the way that a search finds it")
	}
}

// disguise says how the path of a reference is hidden, "" when it is plain.
func disguise(u *workflows.Uses) string {
	path, _, _ := strings.Cut(u.Value, "@")
	_, afterScheme, ok := strings.Cut(path, "://")
	if !ok {
		afterScheme = path
	}
	inner := strings.TrimPrefix(strings.TrimPrefix(afterScheme, "./"), "$/")
	parts := strings.Split(strings.TrimSuffix(inner, "/"), "/")
	up := 0 // the leading ".." of a local path
	for up < len(parts) && parts[up] == ".." {
		up++
	}
	switch {
	case strings.Contains(path, `\`):
		return "separates its path by backslashes"
	case strings.Contains(inner, "//"):
		return "has doubled slashes in its path"
	case slices.Contains(parts, ".") && len(parts) > 1, slices.Contains(parts[up:], ".."):
		return "goes through . or .. in its path"
	case strings.HasSuffix(inner, "/") && u.Owner != "":
		return "ends its path in a slash"
	}
	return ""
}

// inputs reports an action whose inputs are one expression.
func (j judge) inputs(u *workflows.Uses, with *workflows.Map) {
	if u == nil || with == nil || with.Whole == nil {
		return
	}
	j.report(with.Whole.Span, max(j.p.Graph.CodeOf(j.p.File, u, nil).Trust, reach.OwnCode),
		"all inputs of "+workflows.Printable(u.Value)+" come from one expression, so that the file does not show what it is told to do", "write the inputs out by name")
}
