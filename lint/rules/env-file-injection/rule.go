// Package envfileinjection is the rule env-file-injection; see README.md.
package envfileinjection

import (
	_ "embed"
	"fmt"
	"regexp"
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

// Rule reports outsiders' text in the environment of later steps.
var Rule = &lint.Rule{
	ID:         "env-file-injection",
	Title:      "an outsider's text is written to GITHUB_ENV or GITHUB_PATH and can set what later steps run",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"NHI5:2025", "NHI8:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	found := map[workflows.Span]*write{}
	var order []*write
	sinks := p.Graph.Flow.Sinks()
	for _, s := range sinks {
		if s.Kind != flow.SinkEnvFile || s.File != p.File || isLast(s) || expanded(sinks, s) {
			continue
		}
		w := judge(p.Graph, s)
		if w == nil {
			continue
		}
		switch other := found[s.Span]; {
		case other == nil:
			found[s.Span] = w
			order = append(order, w)
		case w.worse(other):
			*other = *w
		}
	}
	for _, w := range order {
		p.Report(w.finding())
	}
}

// isLast reports whether no step comes after the write that could read what it sets.
func isLast(s *flow.Sink) bool {
	if s.Job == nil {
		return false
	}
	steps := s.Job.AllSteps()
	return len(steps) > 0 && steps[len(steps)-1] == s.Step
}

// expanded reports whether the same command has the text expanded into its script:
// then it can run anything at once, which is template-injection.
func expanded(sinks []*flow.Sink, s *flow.Sink) bool {
	return slices.ContainsFunc(sinks, func(o *flow.Sink) bool {
		return o.Step == s.Step && o.Job == s.Job && (o.Kind == flow.SinkScript || o.Kind == flow.SinkShellCode) && s.Span.Contains(o.Span)
	})
}

// A write is one write of an outsider's text with its judgement.
type write struct {
	sink       *flow.Sink
	taint      flow.Taint
	job        *reach.Job
	exposure   reach.Exposure
	ceiling    *reach.Severity
	confidence lint.Confidence
	strict     bool
}

// judge returns nil for text that can set nothing but the one variable it is meant for.
func judge(g *reach.Graph, s *flow.Sink) *write {
	kept := *s
	kept.Taints = slices.DeleteFunc(slices.Clone(s.Taints), func(t flow.Taint) bool {
		return !sets(s, t)
	})
	if len(kept.Taints) == 0 {
		return nil
	}
	w := &write{sink: s, taint: kept.Worst(), confidence: lint.HighConfidence}
	if s.Job != nil {
		w.job = g.Of(s.Job)
	}
	trust, start := reach.OutsiderCode, w.taint.Start
	switch t := w.taint; {
	case t.Merged:
		trust, w.confidence = reach.FetchedCode, lint.MediumConfidence
	case t.Who == platform.StartForkSandboxed || t.Who == platform.StartAnyone && t.Start == platform.StartForkSandboxed:
		low := reach.Low
		w.ceiling, w.strict = &low, true
	case t.Who == platform.StartAnyone:
		if w.strict = t.Start < platform.StartAnyone; w.strict {
			w.confidence = lint.MediumConfidence
		}
	case t.Who == platform.StartCaller:
		trust, w.strict, w.confidence = reach.PinnedThirdParty, true, lint.LowConfidence
	default:
		trust, w.strict, w.confidence = reach.OwnCode, true, lint.MediumConfidence
	}
	if w.taint.Guess {
		w.strict, w.confidence = true, lint.LowConfidence
	}
	w.exposure = lint.Expose(w.job, trust)
	w.exposure.Start = start
	return w
}

// joins makes one line of its input.
var joins = regexp.MustCompile(`\btr\s+(?:-d|'?\\n|"\\n)|head\s+-(?:n\s*)?1\b|\bjq\s+-R?s\b|@json|\bxargs\b`)

// sets reports whether the text can set a variable of its own choice, or chooses code
// by the one that it is given.
func sets(s *flow.Sink, t flow.Taint) bool {
	switch {
	case s.Variable == "":
		return true
	case platform.IsCodeVariable(s.Variable):
		return true
	case s.Step.Run == nil && !strings.Contains(s.File.Text(s.Span), "process.env.GITHUB_"):
		return false // the toolkit ends a value with a random word
	}
	return t.HoldsLines() && !joins.MatchString(s.File.Text(s.Span))
}

func (w *write) severity() reach.Severity {
	s := reach.Grade(w.exposure)
	if w.ceiling != nil {
		s = min(s, *w.ceiling)
	}
	return s
}

// worse orders the writes of one step of an action in several jobs.
func (w *write) worse(other *write) bool {
	if w.strict != other.strict {
		return other.strict
	}
	return w.severity() > other.severity()
}

func (w *write) finding() lint.Finding {
	return lint.Finding{
		Span: w.sink.Span, Job: w.job, Exposure: w.exposure, Ceiling: w.ceiling, Confidence: w.confidence, Strict: w.strict,
		Message: w.message(), Related: w.related(), Next: w.next(),
	}
}

func (w *write) message() string {
	what := fmt.Sprintf("%s, which %s can set, ", w.taint.Source, w.taint.By())
	switch {
	case w.sink.Variable == "PATH":
		what += "names where later steps look for their programs"
	case w.sink.Variable == "":
		what += "is written to GITHUB_ENV as it is and can set any variable of later steps"
	case platform.IsCodeVariable(w.sink.Variable):
		what += "becomes " + w.sink.Variable + ", by which later steps load code"
	default:
		what += fmt.Sprintf("goes into %s with its line breaks, and a further line sets any variable of later steps", w.sink.Variable)
	}
	what += "; code that they then load could take " + reach.CredentialList(w.exposure.Credentials)
	switch {
	case w.taint.Merged:
		what += ", once a writer has merged it"
	case w.taint.Who == platform.StartAnyone && w.taint.Start < platform.StartAnyone && w.ceiling == nil:
		what += ", once somebody with write access lets the run through"
	}
	return what
}

func (w *write) next() string {
	if w.sink.Variable == "" || platform.IsCodeVariable(w.sink.Variable) {
		return "hand the value over by an output or by env: of the step that needs it"
	}
	return "hand the value over by an output, or write it between NAME<<END and an END that is random in every run"
}

func (w *write) related() []lint.Related {
	var out []lint.Related
	for _, h := range w.taint.Hops {
		r := lint.Related{File: h.File, Span: h.Span, Text: h.Text}
		if (h.File != w.sink.File || h.Span != w.sink.Span) && !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}
