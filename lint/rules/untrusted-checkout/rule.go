// Package untrustedcheckout is the rule untrusted-checkout; see README.md.
package untrustedcheckout

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

// Rule reports an outsider's code in a job that has the repository's rights.
var Rule = &lint.Rule{
	ID:         "untrusted-checkout",
	Title:      "an outsider's code is checked out in a job that has the repository's credentials",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"NHI5:2025", "NHI8:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	found := map[workflows.Span]*checkout{}
	var order []workflows.Span
	steps := map[*workflows.Step]bool{}
	for _, s := range p.Graph.Flow.Sinks() {
		if s.Kind != flow.SinkCheckout || s.File != p.File || s.Job == nil {
			continue
		}
		steps[s.Step] = true
		c := judge(p.Graph, s)
		switch other := found[s.Span]; {
		case other == nil:
			order = append(order, s.Span)
			found[s.Span] = c
		case c.worse(other):
			found[s.Span] = c
		}
	}
	for _, at := range order {
		if c := found[at]; !c.harmless() {
			p.Report(c.finding())
		}
	}
	p.Steps(func(s *workflows.Step, job *reach.Job) {
		if job != nil && !steps[s] {
			reportAllowed(p, s, job)
		}
	})
}

// worse orders the checkouts of one place, which a step of a composite action has
// one of for each job that uses it.
func (c *checkout) worse(other *checkout) bool {
	if a, b := c.strict || c.apart, other.strict || other.apart; a != b {
		return b
	}
	return c.severity() > other.severity()
}

// A checkout is one sink with its judgement.
type checkout struct {
	sink     *flow.Sink
	taint    flow.Taint
	job      *reach.Job
	executed []*reach.Code
	exposure reach.Exposure
	// ceiling is set where the platform stops the checkout when the job runs.
	ceiling *reach.Severity
	refusal refusal
	strict  bool
	// apart is set for data beside the tree: a directory of its own, without the token
	// of the checkout, that no step seen here runs anything of.
	apart bool
	// environment may ask a reviewer before the job gets here, "" for none.
	environment string
}

func judge(g *reach.Graph, s *flow.Sink) *checkout {
	c := &checkout{sink: s, taint: s.Worst(), job: g.Of(s.Job)}
	c.executed = c.job.Executed(s)
	trust := reach.OwnCode // data, as far as the steps show
	if len(c.executed) > 0 {
		trust = reach.OutsiderCode
	}
	c.exposure = c.job.Exposure(trust)
	c.exposure.Start = c.taint.Start
	c.strict = c.taint.Start < platform.StartAnyone
	c.apart = len(c.executed) == 0 && apart(s.Step) && c.exposure.Stake() <= reach.WriteAtStake
	if c.environment = g.Approval(c.job); c.environment != "" && !c.strict {
		below := max(reach.Grade(c.exposure)-1, reach.Low)
		c.ceiling = &below
	}
	if c.refusal = refusalOf(s, c.taint.Events); c.refusal == refuses {
		low := reach.Low
		c.ceiling = &low
	}
	return c
}

// apart reports whether a checkout is told a directory of its own and to keep no token.
func apart(s *workflows.Step) bool {
	dir, ok := s.With.Get("path").Const()
	keeps, _ := s.With.Get("persist-credentials").Const()
	return ok && strings.Trim(dir, "./") != "" && strings.EqualFold(keeps, "false")
}

// harmless reports whether nothing runs the code and nothing is in reach that could
// change anything: a token that only reads the public tree.
func (c *checkout) harmless() bool {
	return len(c.executed) == 0 && c.exposure.Stake() <= reach.ReadAtStake
}

func (c *checkout) severity() reach.Severity {
	s := reach.Grade(c.exposure)
	if c.ceiling != nil {
		s = min(s, *c.ceiling)
	}
	return s
}

func (c *checkout) confidence() lint.Confidence {
	switch {
	case c.taint.Guess || c.byName():
		return lint.LowConfidence
	case len(c.executed) == 0 || c.strict || c.refusal == mayRefuse || c.environment != "":
		return lint.MediumConfidence
	}
	return lint.HighConfidence
}

func (c *checkout) finding() lint.Finding {
	f := lint.Finding{
		Span: c.sink.Span, Job: c.job, Exposure: c.exposure, Ceiling: c.ceiling, Confidence: c.confidence(), Strict: c.strict || c.apart,
		Message: c.message(), Related: c.related(),
		Next: "build it in a workflow on pull_request, which gets no secrets, and let this one take the base commit alone",
	}
	if len(c.executed) > 0 {
		f.Code = c.executed[0]
	} else {
		f.Next = "read the change by the API instead, or add no step here that runs what was checked out"
	}
	return f
}

func (c *checkout) message() string {
	what := fmt.Sprintf("the code of %s (%s) is checked out", c.taint.By(), c.taint.Source)
	if c.taint.Guess {
		what = fmt.Sprintf("a ref that the files do not settle (%s) is checked out in a job that anybody can start", c.taint.Source)
	}
	if c.strict {
		what += " once somebody with write access lets the run through"
	}
	takes := reach.CredentialList(c.exposure.Credentials)
	switch {
	case len(c.executed) > 0 && len(c.exposure.Credentials) == 0:
		what += fmt.Sprintf(" and run by %s, in a job in which nothing to take was found", names(c.executed))
	case len(c.executed) > 0:
		what += fmt.Sprintf(" and run by %s; it could take %s", names(c.executed), takes)
	default:
		what += fmt.Sprintf(" beside %s; no step seen here runs it", takes)
	}
	if c.byName() {
		what += "; a branch's name alone is looked up in this repository, so that it takes one that leads to the outsider's commit"
	}
	if c.environment != "" && !c.strict {
		what += fmt.Sprintf("; nobody looks at it first, unless the environment %q has required reviewers, which no file shows", c.environment)
	}
	return what + c.refusal.sentence(c.sink)
}

// byName reports whether the checkout takes the name of an outsider's branch without
// his repository. That finds a branch of this one, whose name he may choose; a name
// like refs/pull/N/merge leads to his own commit.
func (c *checkout) byName() bool {
	s := c.sink.Step
	return s.Uses != nil && s.With.Get("repository") == nil &&
		(c.taint.Source == "github.head_ref" || strings.HasSuffix(c.taint.Source, ".head.ref") || strings.HasSuffix(c.taint.Source, ".head_branch"))
}

// maxNames is how many executing steps a message names.
const maxNames = 3

func names(code []*reach.Code) string {
	var out []string
	for _, c := range code {
		if !slices.Contains(out, c.Name) {
			out = append(out, c.Name)
		}
	}
	if len(out) > maxNames {
		out = append(out[:maxNames], fmt.Sprintf("%d more", len(out)-maxNames))
	}
	if len(out) == 1 {
		return out[0]
	}
	return strings.Join(out[:len(out)-1], ", ") + " and " + out[len(out)-1]
}

// related names the triggers, the way of the ref, and each step that runs the code.
func (c *checkout) related() []lint.Related {
	var out []lint.Related
	for _, s := range c.job.Starts {
		if slices.Contains(c.taint.Events, s.Event) {
			out = append(out, lint.Related{File: s.Site.File, Span: s.Site.Span, Text: triggerText(s.Event)})
		}
	}
	for _, h := range c.taint.Hops {
		if h.File != c.sink.File || !c.sink.Span.Contains(h.Span) {
			out = append(out, lint.Related{File: h.File, Span: h.Span, Text: h.Text})
		}
	}
	for _, e := range c.executed {
		out = append(out, lint.Related{File: e.Site.File, Span: e.Site.Span, Text: e.Name + " runs what was checked out"})
	}
	return out
}

func triggerText(event string) string {
	info, _ := platform.LookupEvent(event)
	text := "started by " + event
	if info.Stopped != "" {
		text += "; since then: " + info.Stopped
	}
	if info.Remains != "" {
		text += "; what remains: " + info.Remains
	}
	return text
}
