// Package artifactpoisoning is the rule artifact-poisoning; see README.md.
package artifactpoisoning

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

// Rule reports artifacts of outsiders' runs that a job with rights runs or trusts.
var Rule = &lint.Rule{
	ID:         "artifact-poisoning",
	Title:      "a job with credentials runs or trusts an artifact that an outsider's run made",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"NHI8:2025", "NHI3:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	found := map[workflows.Span]*download{}
	var order []*download
	for _, s := range p.Graph.Flow.Sinks() {
		if s.Kind != flow.SinkArtifact || s.File != p.File || s.Job == nil {
			continue
		}
		d := judge(p.Graph, s)
		if d == nil {
			continue
		}
		switch other := found[s.Span]; {
		case other == nil:
			found[s.Span] = d
			order = append(order, d)
		case reach.Grade(d.exposure()) > reach.Grade(other.exposure()):
			*other = *d // the same step of a composite action in a worse job
		}
	}
	for _, d := range order {
		p.Report(d.finding())
	}
}

// A download is an artifact that comes into a job, with what the job does with it.
type download struct {
	sink     *flow.Sink
	taint    flow.Taint
	job      *reach.Job
	executed []*reach.Code
	// trusted are the checkouts that take their ref from the artifact. Scripts are the
	// matter of template-injection, the runner's files that of env-file-injection.
	trusted []*flow.Sink
}

// judge returns nil for an artifact that is only read as data, in what is seen here,
// beside other files.
func judge(g *reach.Graph, s *flow.Sink) *download {
	d := &download{sink: s, taint: s.Worst(), job: g.Of(s.Job)}
	d.executed = d.job.Executed(s)
	for _, other := range g.Flow.SinksOf(s.Job) {
		if other.Kind == flow.SinkCheckout && carries(other, d.taint.Source) {
			d.trusted = append(d.trusted, other)
		}
	}
	dir, ok := s.Path()
	switch {
	case len(d.executed)+len(d.trusted) > 0:
		return d
	case ok && dir == "" && d.job.Exposure(reach.OwnCode).Stake() > reach.ReadAtStake && g.Flow.Runs(s.Job, s.Step) && overwrites(g, d.job, s):
		return d
	}
	return nil
}

func carries(s *flow.Sink, source string) bool {
	return slices.ContainsFunc(s.Taints, func(t flow.Taint) bool { return t.Source == source })
}

// overwrites reports whether files lie in the workspace that an artifact may replace:
// a checkout comes before it.
func overwrites(g *reach.Graph, job *reach.Job, s *flow.Sink) bool {
	for _, r := range g.RunSteps(job) {
		if r.Step == s.Step {
			return false
		}
		if r.Step.Uses == nil {
			continue
		}
		if info, _ := platform.LookupAction(r.Step.Uses.FullName()); info.Checkout {
			return true
		}
	}
	return false
}

// exposure is all of the job where the outsider's code runs in it; what only reads
// the files is graded as the repository's own code.
func (d *download) exposure() reach.Exposure {
	trust := reach.OwnCode
	if len(d.executed)+len(d.trusted) > 0 {
		trust = reach.OutsiderCode
	}
	x := d.job.Exposure(trust)
	x.Start = d.taint.Start
	return x
}

func (d *download) finding() lint.Finding {
	f := lint.Finding{
		Span: d.sink.Span, Job: d.job, Exposure: d.exposure(), Strict: d.taint.Start < platform.StartAnyone,
		Message: d.message(), Related: d.related(),
		Next: "unpack it into a directory of its own outside of the workspace, read from it what has the form you expect, and run nothing of it",
	}
	switch {
	case len(d.executed) > 0:
		f.Code = d.executed[0]
	case len(d.trusted) == 0:
		f.Confidence = lint.LowConfidence
	default:
		f.Confidence = lint.MediumConfidence
	}
	return f
}

func (d *download) message() string {
	takes := reach.CredentialList(d.job.Credentials)
	what := "the artifact is made by " + d.taint.By()
	if d.taint.Start < platform.StartAnyone {
		what += " and taken once somebody with write access lets the run through"
	}
	switch {
	case len(d.executed) > 0:
		return fmt.Sprintf("%s, and %s runs what lies where it is unpacked; it could take %s", what, d.executed[0].Name, takes)
	case len(d.trusted) > 0:
		return fmt.Sprintf("%s, and names the commit that %q checks out beside %s", what, text(d.trusted[0]), takes)
	}
	return fmt.Sprintf("%s, and is unpacked over the checked-out files beside %s; no step seen here runs them", what, takes)
}

// maxText bounds what a message shows of a script.
const maxText = 60

// text is the first line of a place, for a message.
func text(s *flow.Sink) string {
	line, _, _ := strings.Cut(s.File.Text(s.Span), "\n")
	if runes := []rune(line); len(runes) > maxText {
		line = string(runes[:maxText]) + "…"
	}
	return line
}

func (d *download) related() []lint.Related {
	var out []lint.Related
	for _, s := range d.job.Starts {
		if slices.Contains(d.taint.Events, s.Event) {
			out = append(out, lint.Related{File: s.Site.File, Span: s.Site.Span, Text: "started by " + s.Event + ", for which nothing looks at artifacts"})
		}
	}
	for _, c := range d.executed {
		out = append(out, lint.Related{File: c.Site.File, Span: c.Site.Span, Text: c.Name + " runs what was unpacked"})
	}
	for _, s := range d.trusted {
		out = append(out, lint.Related{File: s.File, Span: s.Span, Text: "takes the text of the artifact"})
	}
	return out
}
