// Package agentpromptinjection is the rule agent-prompt-injection; see README.md.
package agentpromptinjection

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/reach/flow"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports an agent that outsiders can talk to and that can act.
var Rule = &lint.Rule{
	ID:         "agent-prompt-injection",
	Title:      "an agent that can act reads what outsiders write",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"ASI01", "ASI02", "ASI03", "NHI5:2025"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	sinks := map[*workflows.Step][]*flow.Sink{}
	for _, s := range p.Graph.Flow.Sinks() {
		if s.Job != nil && s.File == p.File {
			sinks[s.Step] = append(sinks[s.Step], s)
		}
	}
	p.Steps(func(s *workflows.Step, job *reach.Job) {
		if job == nil {
			return
		}
		for _, a := range agents(s) {
			a.file, a.job = p.File, job
			a.hear(p.Graph, sinks[s])
			if !a.heard {
				continue
			}
			if a.merges = a.merge(p.Graph); a.dangerous() {
				p.Report(a.finding())
			}
		}
	})
}

// dangerous reports whether the agent can do something and the job holds something.
func (a *agent) dangerous() bool {
	return (a.Allowance >= platform.Acts || a.merges != nil) && a.exposure().Stake() > reach.ReadAtStake
}

// exposure is what the agent could take. An agent whose tools are listed cannot read
// the key that its own model call uses.
func (a *agent) exposure() reach.Exposure {
	job := a.job
	if a.merger != nil && a.Allowance < platform.Acts {
		job = a.merger
	}
	e := job.Exposure(reach.AgentCode)
	e.Start = a.start
	if a.Allowance == platform.RunsAnything {
		return e
	}
	all := e.Credentials
	e.Credentials = nil
	for _, c := range all {
		if platform.LookupSecret(c.Name).Class != "model-key" {
			e.Credentials = append(e.Credentials, c)
		}
	}
	return e
}

func (a *agent) finding() lint.Finding {
	f := lint.Finding{
		Span: a.at, Job: a.job, Exposure: a.exposure(), Strict: a.start < platform.StartAnyone,
		Message: a.message(), Next: a.next(), Related: a.related(), Confidence: lint.HighConfidence,
	}
	if a.Allowance < platform.RunsAnything {
		high := reach.High
		f.Ceiling, f.Confidence = &high, lint.MediumConfidence
	}
	if a.guess || f.Strict {
		f.Confidence = lint.MediumConfidence
	}
	return f
}

func (a *agent) message() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", a.Name, strings.Join(a.reasons, ", and "))
	if a.start < platform.StartAnyone {
		b.WriteString(" once somebody with write access starts it")
	}
	switch {
	case a.merges != nil && a.Allowance < platform.Acts:
		b.WriteString("; its verdict merges: it could misuse ")
	case a.Allowance == platform.RunsAnything:
		b.WriteString("; it runs any command and could take ")
	default:
		b.WriteString("; it acts by the tools that it has and could misuse ")
	}
	b.WriteString(reach.CredentialList(a.exposure().Credentials))
	return b.String()
}

func (a *agent) next() string {
	switch {
	case a.opened != nil:
		return fmt.Sprintf("remove %s, or name the people and apps that may start the agent", a.opened.Key.Value)
	case a.tree != nil:
		return "let the agent work on the base commit, and give it the change as a diff in a job without credentials"
	case a.start < platform.StartAnyone:
		return "give the agent tools that only read, and let another job without an agent do what its answer asks for, after a check"
	}
	return "let only people with write access start the agent, or give it tools that only read and a token that only reads"
}

func (a *agent) related() []lint.Related {
	var out []lint.Related
	for _, s := range a.job.Starts {
		if a.events[s.Event] {
			out = append(out, lint.Related{File: s.Site.File, Span: s.Site.Span, Text: "started by " + s.Event})
		}
	}
	for _, h := range a.hops {
		if h.File != a.file || !a.at.Contains(h.Span) {
			out = append(out, lint.Related{File: h.File, Span: h.Span, Text: h.Text})
		}
	}
	if a.tree != nil {
		out = append(out, lint.Related{File: a.tree.File, Span: a.tree.Span, Text: "the outsider's files come from here"})
	}
	if a.tools != nil {
		out = append(out, lint.Related{File: a.file, Span: a.tools.Span, Text: "what the agent may do"})
	}
	if a.merges != nil {
		out = append(out, lint.Related{File: a.file, Span: *a.merges, Text: "merges or approves"})
	}
	return out
}
