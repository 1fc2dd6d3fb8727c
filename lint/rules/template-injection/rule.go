// Package templateinjection is the rule template-injection; see README.md.
package templateinjection

import (
	_ "embed"
	"slices"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/reach/flow"
	"github.com/stint-dev/stint/workflows"
)

//go:embed README.md
var readme string

// Rule reports text that somebody else writes and a script runs.
var Rule = &lint.Rule{
	ID:         "template-injection",
	Title:      "text that an outsider writes is expanded into a script and runs with the job's credentials",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Fixes:      lint.SafeFix | lint.UnsafeFix,
	Tags:       []string{"NHI5:2025", "PR.AA-05", "ASI05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	found := map[place]*injection{}
	var order []place
	for _, s := range p.Graph.Flow.Sinks() {
		switch s.Kind {
		case flow.SinkScript, flow.SinkScriptInput, flow.SinkShellCode:
		default:
			continue
		}
		if s.File != p.File {
			continue
		}
		at, in := place{s.Span, s.Kind}, judge(p.Graph, s)
		switch other := found[at]; {
		case other == nil:
			order = append(order, at)
			found[at] = in
		case in.worse(other):
			found[at] = in
		}
	}
	steps := map[*workflows.Step][]*injection{}
	for _, at := range order {
		steps[found[at].sink.Step] = append(steps[found[at].sink.Step], found[at])
	}
	for _, at := range order {
		f := found[at].finding()
		f.Fixes = fixes(p.File, found[at], steps[found[at].sink.Step])
		p.Report(f)
	}
}

// A place is where one finding stands: a step of a composite action has a sink there
// for each job that uses it, of which the worst counts.
type place struct {
	span workflows.Span
	kind flow.SinkKind
}

// An injection is one sink with its judgement.
type injection struct {
	sink       *flow.Sink
	taint      flow.Taint
	job        *reach.Job
	exposure   reach.Exposure
	ceiling    *reach.Severity
	confidence lint.Confidence
	strict     bool
}

// worse orders injections of one place: what everybody is shown first, then by
// severity and confidence.
func (in *injection) worse(other *injection) bool {
	if in.strict != other.strict {
		return other.strict
	}
	if a, b := in.severity(), other.severity(); a != b {
		return a > b
	}
	return in.confidence > other.confidence
}

func (in *injection) severity() reach.Severity {
	s := reach.Grade(in.exposure)
	if in.ceiling != nil {
		s = min(s, *in.ceiling)
	}
	return s
}

func (in *injection) finding() lint.Finding {
	return lint.Finding{
		Span: in.sink.Span, Job: in.job, Exposure: in.exposure, Ceiling: in.ceiling,
		Confidence: in.confidence, Strict: in.strict,
		Message: in.message(), Next: in.next(), Related: related(in),
	}
}

// related is the way of the text, without the place that the finding marks.
func related(in *injection) []lint.Related {
	var out []lint.Related
	for _, h := range in.taint.Hops {
		if h.File == in.sink.File && h.Span == in.sink.Span {
			continue
		}
		r := lint.Related{File: h.File, Span: h.Span, Text: h.Text}
		if !slices.Contains(out, r) && !within(r, in.sink) {
			out = append(out, r)
		}
	}
	return out
}

// within reports whether a hop lies in the marked expression itself.
func within(r lint.Related, s *flow.Sink) bool {
	return r.File == s.File && s.Span.Contains(r.Span) && s.Span != (workflows.Span{})
}
