package flow

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// eventsOf returns the events that can start a job: its own triggers, and for a
// called workflow those of its callers, each with the worst person who can make
// all the if: on the way hold and get past the jobs it needs.
func (st *state) eventsOf(sc *scope, nest int) []Event {
	if sc.known || nest > maxNest {
		return sc.events
	}
	sc.known = true // also while it is being computed: jobs that need each other never run
	var out []Event
	for _, t := range sc.file.Workflow.On {
		if t.Event == "workflow_call" {
			continue
		}
		// A workflow_run is no safer for following workflows that only people with
		// write access start: a fork's pull request can add pull_request to the
		// file of such a workflow, and its run then starts this one.
		info, _ := platform.LookupEvent(t.Event)
		out = append(out, Event{Name: t.Event, Who: info.Starter, Text: info.Starter, File: sc.file, Trigger: t}.limitedBy(labels(t)))
	}
	for _, c := range sc.calls {
		out = append(out, st.eventsOf(c.from, nest+1)...)
	}
	out = st.pass(sc, sc.job.If, out)
	if !asksStatus(sc.job.If) {
		for _, id := range sc.job.Needs {
			if j := sc.jobByID(id.Value); j != nil && j != sc.job {
				out = st.afterJob(st.jobs[j], out, nest)
			}
		}
	}
	sc.events = out
	return out
}

// limitedBy lowers who can start an event.
func (e Event) limitedBy(who platform.Starter) Event {
	e.Who = min(e.Who, who)
	return e
}

// labels returns who can start a trigger that is limited to labels being set: on
// pull requests only people with the right to triage set them. On issues a form
// may, for whoever opens one.
func labels(t *workflows.Trigger) platform.Starter {
	if len(t.Types) == 0 || !strings.HasPrefix(t.Event, "pull_request") {
		return platform.StartAnyone
	}
	for _, s := range t.Types {
		switch s.Value {
		case "labeled", "unlabeled", "assigned", "unassigned", "milestoned", "enqueued", "review_requested":
		default:
			return platform.StartAnyone
		}
	}
	return platform.StartWriter
}

// pass drops the events under which a condition never holds and lowers the others
// to those who can make it hold.
func (st *state) pass(sc *scope, cond *workflows.Scalar, events []Event) []Event {
	if cond == nil {
		return events
	}
	var out []Event
	for _, e := range events {
		g := guard{event: e.Name, actions: actions(e), st: st, sc: sc}
		if g.never(cond) {
			continue
		}
		if e.Who >= platform.StartForkSandboxed && g.as(outsider).never(cond) {
			if aboutOf[e.Name] == "" || g.as(commenter).never(cond) {
				e.Who = platform.StartWriter
			}
		}
		if e.Text >= platform.StartForkSandboxed && g.as(member).never(cond) {
			e.Text = platform.StartWriter
		}
		if e.Text >= platform.StartForkSandboxed && g.as(member).unmerged().never(cond) {
			e.Merged = true
		}
		out = append(out, e)
	}
	return out
}

// actions returns the types of an event that its trigger lists, nil for any.
func actions(e Event) []string {
	var out []string
	for _, t := range e.Trigger.Types {
		if len(t.Exprs) > 0 {
			return nil
		}
		out = append(out, t.Value)
	}
	return out
}

// asksStatus reports whether a condition calls always(), failure() or cancelled(),
// so that a job runs although one that it needs did not.
func asksStatus(cond *workflows.Scalar) bool {
	if cond == nil {
		return false
	}
	found := false
	for _, e := range cond.Exprs {
		workflows.Walk(e.Root, func(n workflows.ExprNode) bool {
			c, ok := n.(*workflows.Call)
			found = found || ok && (c.Func == "always" || c.Func == "failure" || c.Func == "cancelled")
			return !found
		})
	}
	return found
}

// RunsRegardless reports whether a condition lets its job run although one that it needs
// did not.
func RunsRegardless(cond *workflows.Scalar) bool { return asksStatus(cond) }

// afterJob lowers events to those under which a needed job runs and does not refuse.
func (st *state) afterJob(needed *scope, events []Event, nest int) []Event {
	before := st.eventsOf(needed, nest+1)
	var out []Event
	for _, e := range events {
		i := slices.IndexFunc(before, func(b Event) bool { return b.Name == e.Name })
		if i < 0 && nest < maxNest {
			continue
		}
		if i >= 0 {
			e.Who, e.Text = min(e.Who, before[i].Who), min(e.Text, before[i].Text)
			e.Merged = e.Merged || before[i].Merged
		}
		if needed.job.ContinueOnError == nil && slices.ContainsFunc(st.refusers(needed), func(s *workflows.Step) bool { return st.refuses(needed, s, e.Name, nest) }) {
			e = e.limitedBy(platform.StartWriter)
		}
		out = append(out, e)
	}
	return out
}

// stepEvents returns the events under which a step may run: past its own if: and
// past the steps before it that refuse people without rights.
func (st *state) stepEvents(sc *scope, s *workflows.Step) []Event {
	events := st.eventsOf(sc, 0)
	if s == nil || len(events) == 0 {
		return events
	}
	events = st.pass(sc, s.If, slices.Clone(events))
	if asksStatus(s.If) {
		return events // it also runs after one that refused
	}
	for _, earlier := range st.refusers(sc) {
		for i := range events {
			if sc.index[earlier] < sc.index[s] && st.refuses(sc, earlier, events[i].Name, 0) {
				events[i] = events[i].limitedBy(platform.StartWriter)
			}
		}
	}
	return events
}
