package selfhostedonpullrequest

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// A runner is the machine of one's own that a job may run on.
type runner struct {
	labels []string
	// at is what names it: the label, or the row of the matrix, or the caller's input.
	at reach.Site
	// confidence is high for the label self-hosted, medium where an expression may
	// yield it, low for a label or group that does not say whose machine it is.
	confidence lint.Confidence
}

// name is the labels for a sentence.
func (r *runner) name() string { return strings.Join(r.labels, ", ") }

// shares reports whether a job on other may meet the same machine: a machine serves
// every job whose labels it has.
func (r *runner) shares(other *runner) bool {
	return slices.ContainsFunc(r.labels, func(l string) bool {
		return slices.ContainsFunc(other.labels, func(o string) bool { return strings.EqualFold(l, o) })
	})
}

// runnerOf returns the machine of one's own that a job names, or nil.
func runnerOf(job *reach.Job) *runner {
	on := job.Job.RunsOn
	if on == nil {
		return nil
	}
	var labels []string
	class := platform.RunnerUnknown
	for _, l := range on.Labels {
		if len(l.Exprs) > 0 {
			return evaluated(job, l)
		}
		labels = append(labels, l.Value)
		class = max(class, platform.LookupRunner(l.Value))
	}
	if on.Group != nil && class != platform.RunnerSelfHosted {
		return &runner{[]string{on.Group.Value}, reach.Site{File: job.File, Span: on.Span}, lint.LowConfidence}
	}
	return classed(labels, class, reach.Site{File: job.File, Span: on.Span}, lint.HighConfidence)
}

// classed returns the runner of a class, nil for machines of the platform or a
// vendor; sure is the confidence for the label self-hosted.
func classed(labels []string, class platform.RunnerClass, at reach.Site, sure lint.Confidence) *runner {
	switch {
	case class == platform.RunnerSelfHosted:
		return &runner{labels, at, sure}
	case class == platform.RunnerUnknown && len(labels) > 0:
		return &runner{labels, at, lint.LowConfidence}
	}
	return nil
}

// evaluated looks where an expression's labels come from: its literals, the rows of
// the matrix, the inputs of callers.
func evaluated(job *reach.Job, l *workflows.Scalar) *runner {
	at := reach.Site{File: job.File, Span: l.Span}
	for _, e := range l.Exprs {
		if strings.Contains(strings.ToLower(e.Text), "self-hosted") {
			return &runner{[]string{"self-hosted"}, at, lint.MediumConfidence}
		}
		for _, ref := range e.Refs() {
			if len(ref.Parts) < 2 {
				continue
			}
			switch name := ref.Parts[1].Name; ref.Parts[0].Name {
			case "matrix":
				if r := fromMatrix(job, name); r != nil {
					return r
				}
			case "inputs":
				if r := fromCallers(job, name); r != nil {
					return r
				}
			}
		}
	}
	return nil
}

// fromMatrix looks for the label self-hosted in the rows that feed a key; what else
// stands there is mostly the platform's.
func fromMatrix(job *reach.Job, name string) *runner {
	s := job.Job.Strategy
	if s == nil {
		return nil
	}
	var values []*workflows.Value
	for _, row := range s.Rows {
		if strings.EqualFold(row.Key.Value, name) {
			values = append(values, row.Value)
		}
	}
	if s.Include != nil {
		for _, item := range s.Include.Items {
			for _, f := range item.Fields {
				if strings.EqualFold(f.Key.Value, name) {
					values = append(values, f.Value)
				}
			}
		}
	}
	for _, v := range values {
		if at := find(v); at != nil {
			return &runner{[]string{"self-hosted"}, reach.Site{File: job.File, Span: at.Span}, lint.HighConfidence}
		}
	}
	return nil
}

// find returns the scalar that names a machine of one's own in a value, or nil.
func find(v *workflows.Value) *workflows.Scalar {
	if t := v.Text(); t != nil && strings.Contains(strings.ToLower(t.Value), "self-hosted") {
		return t
	}
	if v == nil {
		return nil
	}
	for _, item := range v.Items {
		if at := find(item); at != nil {
			return at
		}
	}
	for _, f := range v.Fields {
		if at := find(f.Value); at != nil {
			return at
		}
	}
	return nil
}

// fromCallers looks at what the callers of the job's workflow give an input.
func fromCallers(job *reach.Job, name string) *runner {
	for _, c := range job.Callers {
		v := c.Job.With.Get(name)
		if v != nil && strings.Contains(strings.ToLower(v.Value), "self-hosted") {
			return &runner{[]string{"self-hosted"}, reach.Site{File: job.File, Span: job.Job.RunsOn.Span}, lint.MediumConfidence}
		}
	}
	return nil
}
