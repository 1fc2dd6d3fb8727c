package flow

import (
	resyntax "regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// output follows steps.ID.outputs.NAME.
func (ev *eval) output(sc *scope, id, name string, at workflows.Span) []Taint {
	s := sc.stepByID(id)
	if s == nil {
		return nil
	}
	text := "through output " + name + " of step " + id
	if f := ev.st.script(sc, s, ev.mode); f != nil {
		return through(f.output(name), sc.file, at, text)
	}
	if child := sc.children[s]; child != nil {
		for _, o := range child.action.Outputs {
			if equalFold(o.Key.Value, name) {
				return through(ev.scalar(child, nil, o.Value), sc.file, at, text)
			}
		}
		return nil
	}
	if s.Uses == nil {
		return nil
	}
	return through(ev.foreignOutput(sc, s, name), sc.file, at, text+" ("+s.Uses.FullName()+")")
}

// foreignOutput is the output of an action that is not on disk: what the table says
// of it, or what went in, as a guess.
func (ev *eval) foreignOutput(sc *scope, s *workflows.Step, name string) []Taint {
	comment := ""
	if s.Uses.Comment != nil {
		comment = s.Uses.Comment.Text
	}
	kind, escaped := platform.LookupOutput(s.Uses.FullName(), s.Uses.Ref, comment, name)
	var out []Taint
	if plainGroup(s, name) {
		return nil
	}
	switch kind {
	case platform.OutputUnknown, platform.OutputInputs:
		for _, e := range s.With.All() {
			out = merge(out, ev.scalar(sc, s, e.Value))
		}
		if kind == platform.OutputUnknown {
			return guessed(out)
		}
		return out
	case platform.OutputFiles:
		out = ev.changed(sc, "the names of changed files", s.Uses.Span)
	case platform.OutputBranch:
		out = ev.fetched(sc, "github.event.pull_request.head.ref", s.Uses.Span)
	case platform.OutputHead:
		out = ev.fetched(sc, "github.event.pull_request.head.sha", s.Uses.Span)
	case platform.OutputWords:
		out = ev.fetched(sc, "github.event.pull_request.body", s.Uses.Span)
	case platform.OutputTree:
		for _, f := range ev.st.before(sc, s, ev.mode) {
			out = merge(out, f.unpacked())
		}
	case platform.OutputMerged:
		out = ev.mergedText(sc, "titles of merged pull requests", s.Uses.Span)
	}
	if escaped {
		return nil
	}
	return out
}

// plainGroup reports whether an output is a group of a constant regular expression that
// matches nothing but plain characters, whatever stands around it.
func plainGroup(s *workflows.Step, output string) bool {
	text, ok := s.With.Get("regex").Const()
	n, err := strconv.Atoi(strings.TrimPrefix(output, "group"))
	if !ok || err != nil || !strings.HasPrefix(output, "group") {
		return false
	}
	re, err := resyntax.Parse(text, resyntax.Perl)
	return err == nil && plainCapture(re, n)
}

func plainCapture(re *resyntax.Regexp, n int) bool {
	if re.Op == resyntax.OpCapture && re.Cap == n {
		return plainMatch(re)
	}
	return slices.ContainsFunc(re.Sub, func(s *resyntax.Regexp) bool { return plainCapture(s, n) })
}

// changed is text that the commits of a pull request or push carry: names of files,
// messages.
func (ev *eval) changed(sc *scope, what string, at workflows.Span) []Taint {
	if ev.mode == asCode {
		return nil
	}
	return ev.text(sc, what, []string{"pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment", "push", "merge_group", "workflow_run"}, at)
}

// mergedText is text of changes that writers have merged, whatever starts the run.
func (ev *eval) mergedText(sc *scope, what string, at workflows.Span) []Taint {
	if ev.mode == asCode {
		return nil
	}
	t := Taint{Source: what, Merged: true}
	for _, e := range sc.events {
		t.Events = append(t.Events, e.Name)
	}
	t.Hops = []Hop{{File: sc.file, Span: at, Text: "set by " + setBy(t)}}
	return []Taint{t}
}

// need follows needs.JOB.outputs.NAME.
func (ev *eval) need(sc *scope, id, name string, at workflows.Span) []Taint {
	j := sc.jobByID(id)
	if j == nil {
		return nil
	}
	text := "through output " + name + " of job " + id
	if from := ev.st.jobs[j]; j.Uses == nil {
		return through(ev.scalar(from, nil, j.Outputs.Get(name)), sc.file, at, text)
	}
	return through(ev.calledOutput(j, name), sc.file, at, text)
}

// calledOutput follows an output of a local reusable workflow.
func (ev *eval) calledOutput(j *workflows.Job, name string) []Taint {
	f := ev.st.callee(j.Uses)
	if f == nil {
		return nil
	}
	for _, t := range f.Workflow.On {
		for _, o := range t.Outputs {
			if equalFold(o.Key.Value, name) {
				return ev.workflowOutput(f, o.Value)
			}
		}
	}
	return nil
}

// workflowOutput evaluates jobs.JOB.outputs.NAME, the form of a workflow's outputs.
func (ev *eval) workflowOutput(f *workflows.File, v *workflows.Scalar) []Taint {
	var out []Taint
	for _, e := range v.Exprs {
		for _, r := range e.Refs() {
			if len(r.Parts) != 4 || r.Parts[0].Name != "jobs" {
				continue
			}
			for _, j := range f.Workflow.Jobs {
				if equalFold(j.ID, r.Parts[1].Name) {
					out = merge(out, ev.scalar(ev.st.jobs[j], nil, j.Outputs.Get(r.Parts[3].Name)))
				}
			}
		}
	}
	return out
}

// constantOutput reports whether a step's output is made of the file's own words
// alone, so that a ref made of it is settled.
func (st *state) constantOutput(sc *scope, id, name string) bool {
	s := sc.stepByID(id)
	if s == nil || s.Run == nil {
		return false
	}
	f := st.script(sc, s, asCode)
	return f != nil && f.constant[strings.ToLower(name)]
}
