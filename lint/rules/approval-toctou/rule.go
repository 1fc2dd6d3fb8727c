// Package approvaltoctou is the rule approval-toctou; see README.md.
package approvaltoctou

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

// Rule reports checkouts that can take another commit than the approved one.
var Rule = &lint.Rule{
	ID:         "approval-toctou",
	Title:      "what is checked out after an approval can be another commit than the approved one",
	Since:      "2026-11",
	Confidence: lint.MediumConfidence,
	Fixes:      lint.SafeFix | lint.UnsafeFix,
	Tags:       []string{"NHI5:2025", "NHI8:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	found := map[workflows.Span]*race{}
	var order []*race
	for _, s := range p.Graph.Flow.Sinks() {
		if s.Kind != flow.SinkCheckout || s.File != p.File || s.Job == nil {
			continue
		}
		r := judge(p.Graph, s)
		if r == nil {
			continue
		}
		switch other := found[s.Span]; {
		case other == nil:
			found[s.Span] = r
			order = append(order, r)
		case other.strict && !r.strict || other.strict == r.strict && reach.Grade(r.exposure) > reach.Grade(other.exposure):
			*other = *r // the same step of an action in a worse job
		}
	}
	for _, r := range order {
		f := r.finding()
		f.Fixes = r.fixes(p.File)
		p.Report(f)
	}
}

// A race is a checkout behind a gate, by a name that the author can still move.
type race struct {
	sink     *flow.Sink
	taint    flow.Taint
	job      *reach.Job
	executed []*reach.Code
	exposure reach.Exposure
	// late is set for a commit that is asked for when the job runs: it does not move
	// any more, and may have moved since the person looked.
	late bool
	// environment is the one whose reviewer may be the gate, "" for none.
	environment string
	// noFork is set where a script before it likely refuses forks: those who are left
	// can push to the repository.
	noFork bool
	strict bool
}

// judge returns nil for a checkout without a gate, and for one of the approved commit.
func judge(g *reach.Graph, s *flow.Sink) *race {
	r := &race{sink: s, taint: named(s), job: g.Of(s.Job)}
	t := r.taint
	if t.Start == platform.StartAnyone {
		r.environment = g.Approval(r.job)
	}
	if t.Guess || t.Who != platform.StartAnyone || t.Start == platform.StartAnyone && r.environment == "" {
		return nil
	}
	if isCommit(t.Source) {
		if !slices.Contains(t.Events, "issue_comment") {
			return nil // the commit of the event that the gate let through
		}
		r.late = true
	}
	r.executed = r.job.Executed(s)
	trust := reach.OwnCode
	if len(r.executed) > 0 {
		trust = reach.OutsiderCode
	}
	r.exposure = r.job.Exposure(trust)
	r.exposure.Start = platform.StartWriter
	if len(r.executed) == 0 && r.exposure.Stake() <= reach.ReadAtStake {
		return nil
	}
	r.noFork = refusesForks(g, s)
	r.strict = r.late || r.environment != "" || r.noFork || len(r.executed) == 0
	return r
}

// named returns the worst taint, of equals one that names a branch or pull request
// and not the repository beside it.
func named(s *flow.Sink) flow.Taint {
	worst := s.Worst()
	for _, t := range s.Taints {
		if t.Who == worst.Who && t.Start == worst.Start && !t.Guess && !strings.Contains(t.Source, ".repo.") {
			return t
		}
	}
	return worst
}

// refusesForks reports whether a script before the checkout fails for the pull requests
// of forks, as far as its words tell.
func refusesForks(g *reach.Graph, s *flow.Sink) bool {
	for _, r := range g.RunSteps(g.Of(s.Job)) {
		switch {
		case r.Step == s.Step:
			return false
		case r.Step.Run != nil && platform.RefusesForks(r.Step.Run.Value):
			return true
		case r.Step.Uses != nil && platform.RefusesForks(r.Step.With.Get("script").String()):
			return true
		}
	}
	return false
}

// isCommit reports whether a source is a commit and no name of one.
func isCommit(source string) bool {
	return strings.HasSuffix(source, "sha") || strings.HasSuffix(source, ".after")
}

func (r *race) finding() lint.Finding {
	f := lint.Finding{
		Span: r.sink.Span, Job: r.job, Exposure: r.exposure, Strict: r.strict, Message: r.message(), Related: r.related(),
		Next: "check out the commit that was approved: github.event.pull_request.head.sha, or one that the comment names and the job compares",
	}
	if r.environment != "" || r.noFork {
		f.Confidence = lint.LowConfidence // whether there is a reviewer, and what the script asks, is not settled here
	}
	if len(r.executed) > 0 {
		f.Code = r.executed[0]
	}
	if r.refused() {
		low := reach.Low
		f.Ceiling = &low
		f.Message += "; actions/checkout of this version refuses it for forks when the job runs"
	}
	return f
}

// refused reports whether the checkout itself takes no fork's code under any event
// that brings it; untrusted-checkout says more about that.
func (r *race) refused() bool {
	u := r.sink.Step.Uses
	if u == nil || u.FullName() != "actions/checkout" || r.sink.Step.With.Get(platform.AllowUnsafeCheckout) != nil {
		return false
	}
	comment := ""
	if u.Comment != nil {
		comment = u.Comment.Text
	}
	return platform.CheckoutRefusal(u.Ref, comment) == platform.RefusalPresent &&
		!slices.ContainsFunc(r.taint.Events, func(e string) bool { return !platform.CheckoutRefuses(e) })
}

func (r *race) message() string {
	gate := "somebody with write access lets the run through"
	if r.environment != "" {
		gate = fmt.Sprintf("the environment %q may ask a reviewer", r.environment)
	}
	what := fmt.Sprintf("%s, and %s can still be moved by its author", gate, r.taint.Source)
	switch {
	case r.taint.Source == flow.ArtifactSource:
		what = fmt.Sprintf("%s, and which commit it takes an artifact says, which its author's own run made", gate)
	case r.late:
		what = fmt.Sprintf("%s, and the commit is asked for after that: its author may have pushed since", gate)
	}
	takes := reach.CredentialList(r.exposure.Credentials)
	if len(r.executed) == 0 {
		return what + "; no step seen here runs the code that lies beside " + takes
	}
	return fmt.Sprintf("%s; %s runs what was pushed last, and it could take %s", what, r.executed[0].Name, takes)
}

func (r *race) related() []lint.Related {
	var out []lint.Related
	for _, s := range r.job.Starts {
		if slices.Contains(r.taint.Events, s.Event) {
			out = append(out, lint.Related{File: s.Site.File, Span: s.Site.Span, Text: "started by " + s.Event})
		}
	}
	if cond := r.job.Job.If; cond != nil {
		out = append(out, lint.Related{File: r.job.File, Span: cond.Span, Text: "the condition of the job is asked once, before the checkout"})
	}
	for _, c := range r.executed {
		out = append(out, lint.Related{File: c.Site.File, Span: c.Site.Span, Text: c.Name + " runs what was checked out"})
	}
	return out
}

// fixes puts the commit of the event in the place of its name, where the event has
// one. A job that had a branch may want to push to it, so that only the detached ref
// of a pull request is replaced without a question.
func (r *race) fixes(f *workflows.File) []lint.Fix {
	ref := r.sink.Step.With.Get("ref")
	if r.sink.Step.Uses == nil || ref == nil || r.sink.Expr == nil || !ref.Span.Contains(r.sink.Expr.Span) ||
		!slices.Equal(r.taint.Events, []string{"pull_request_target"}) || len(r.job.Starts) != 1 {
		return nil
	}
	if strings.HasSuffix(ref.Value, "/merge") {
		return nil // the merge is another tree than the head
	}
	edits, ok := f.SetStepWith(r.sink.Step, "ref", "${{ github.event.pull_request.head.sha }}")
	if !ok {
		return nil
	}
	return []lint.Fix{{Title: "check out the commit of the event", Safe: r.taint.Source == "refs/pull", Edits: edits}}
}
