package flow

import (
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// Bounds on the work that one hostile repository can ask for.
const (
	maxSteps  = 400_000 // evaluated nodes for a whole repository
	maxNest   = 12      // composite actions or reusable workflows within each other
	maxDepth  = 40      // hops of one value
	maxTaints = 8       // sources kept for one place
)

// A scope is a list of steps with what their expressions can see: a job, or a
// composite action as one step of a job uses it.
type scope struct {
	file  *workflows.File
	job   *workflows.Job // the job in whose runner the steps run; nil for an unused action
	steps []*workflows.Step
	// inputs are what the file declares, calls who gives them values.
	inputs []*workflows.Input
	calls  []call
	// open is set when others than calls may give the inputs: a reusable workflow
	// or an action that other repositories can use.
	open bool
	// action is set for a composite action.
	action *workflows.Action
	events []Event
	nest   int
	// children are the composite actions that steps use, by step.
	children map[*workflows.Step]*scope
	// written holds the flows of scripts, by mode, computed on first use.
	written [2]map[*workflows.Step]*scriptFlow
}

// A call is one use of a reusable workflow or composite action.
type call struct {
	from *scope
	step *workflows.Step // nil for a job-level call
	job  *workflows.Job
	with *workflows.Map
}

// state is everything known of a repository.
type state struct {
	repo  *workflows.Repository
	roots []*scope
	jobs  map[*workflows.Job]*scope
	steps int // budget used
}

func newState(repo *workflows.Repository) *state {
	st := &state{repo: repo, jobs: map[*workflows.Job]*scope{}}
	used := map[*workflows.File]bool{}
	for _, f := range repo.Files {
		if f.Workflow == nil {
			continue
		}
		for _, j := range f.Workflow.Jobs {
			sc := &scope{file: f, job: j, steps: j.AllSteps(), inputs: callInputs(f.Workflow)}
			st.jobs[j] = sc
			st.roots = append(st.roots, sc)
		}
	}
	st.linkCalls()
	for _, sc := range st.roots {
		sc.events = st.eventsOf(sc, 0)
	}
	for _, sc := range st.roots {
		st.addChildren(sc, used)
	}
	for _, f := range repo.Files {
		if f.Action != nil && !used[f] && len(f.Action.Steps) > 0 {
			sc := &scope{file: f, action: f.Action, steps: f.Action.AllSteps(), inputs: f.Action.Inputs, open: true}
			st.roots = append(st.roots, sc)
			st.addChildren(sc, used)
		}
	}
	return st
}

// linkCalls joins job-level uses: of local workflows to the jobs they call.
func (st *state) linkCalls() {
	for _, sc := range st.roots {
		target := st.callee(sc.job.Uses)
		if target == nil {
			continue
		}
		for _, j := range target.Workflow.Jobs {
			callee := st.jobs[j]
			callee.calls = append(callee.calls, call{from: sc, job: sc.job, with: sc.job.With})
		}
	}
	for _, sc := range st.roots {
		for _, t := range sc.file.Workflow.On {
			if t.Event == "workflow_call" && len(sc.calls) == 0 {
				sc.open = true
			}
		}
	}
}

// callee returns the local workflow file that a job-level uses: names, or nil.
func (st *state) callee(u *workflows.Uses) *workflows.File {
	if u == nil || u.Kind != workflows.UsesLocal && u.Kind != workflows.UsesSelf {
		return nil
	}
	if f := st.repo.File(u.Path); f != nil && f.Workflow != nil {
		return f
	}
	return nil
}

func callInputs(w *workflows.Workflow) []*workflows.Input {
	var out []*workflows.Input
	for _, t := range w.On {
		if t.Event == "workflow_call" || t.Event == "workflow_dispatch" {
			out = append(out, t.Inputs...)
		}
	}
	return out
}

// eventsOf returns the events that can start a job: its own triggers, and for a
// called workflow those of its callers, each with the worst person who can make
// all the if: on the way hold.
func (st *state) eventsOf(sc *scope, nest int) []Event {
	if nest > maxNest {
		return nil
	}
	var out []Event
	for _, t := range sc.file.Workflow.On {
		if t.Event == "workflow_call" {
			continue
		}
		out = append(out, Event{Name: t.Event, Who: st.starter(t), File: sc.file, Trigger: t})
	}
	for _, c := range sc.calls {
		out = append(out, st.eventsOf(c.from, nest+1)...)
	}
	kept := out[:0]
	for _, e := range out {
		if sc.job.If != nil && e.Who >= platform.StartForkSandboxed && !mayRun(sc.job.If, e.Name) {
			e.Who = platform.StartWriter
		}
		if sc.job.If != nil && neverRuns(sc.job.If, e.Name) {
			continue
		}
		kept = append(kept, e)
	}
	return kept
}

// starter returns who can make an event happen. A workflow_run follows runs of the
// workflows that it names: where all of them are here and none can be started by an
// outsider, this one cannot either.
func (st *state) starter(t *workflows.Trigger) platform.Starter {
	info, _ := platform.LookupEvent(t.Event)
	if t.Event != "workflow_run" || len(t.Workflows) == 0 {
		return info.Starter
	}
	for _, name := range t.Workflows {
		w := st.workflowNamed(name.Value)
		if w == nil {
			return info.Starter
		}
		for _, before := range w.On {
			if e, _ := platform.LookupEvent(before.Event); e.Starter >= platform.StartForkSandboxed {
				return info.Starter
			}
		}
	}
	return platform.StartWriter
}

// workflowNamed returns the workflow with the name, which is its path when it has
// no name: of its own.
func (st *state) workflowNamed(name string) *workflows.Workflow {
	for _, f := range st.repo.Files {
		if f.Workflow == nil {
			continue
		}
		if f.Workflow.Name.String() == name || f.Workflow.Name == nil && f.Path == name {
			return f.Workflow
		}
	}
	return nil
}

// addChildren makes a scope for each local composite action that steps use.
func (st *state) addChildren(sc *scope, used map[*workflows.File]bool) {
	for _, s := range sc.steps {
		f := st.localAction(s.Uses)
		if f == nil || sc.nest >= maxNest || len(f.Action.Steps) == 0 {
			continue
		}
		used[f] = true
		child := &scope{
			file: f, job: sc.job, action: f.Action, steps: f.Action.AllSteps(), inputs: f.Action.Inputs,
			calls: []call{{from: sc, step: s, with: s.With}}, events: sc.events, nest: sc.nest + 1,
		}
		if sc.children == nil {
			sc.children = map[*workflows.Step]*scope{}
		}
		sc.children[s] = child
		st.addChildren(child, used)
	}
}

// localAction returns the action file that a local or self uses: names, or nil.
func (st *state) localAction(u *workflows.Uses) *workflows.File {
	if u == nil || u.Kind != workflows.UsesLocal && u.Kind != workflows.UsesSelf {
		return nil
	}
	if f := st.repo.Action(u.Path); f != nil && f.Action != nil {
		return f
	}
	return nil
}

// stepByID returns the step of the scope with the id, GitHub's comparison ignoring case.
func (sc *scope) stepByID(id string) *workflows.Step {
	for _, s := range sc.steps {
		if s.ID != nil && equalFold(s.ID.Value, id) {
			return s
		}
	}
	return nil
}

func (sc *scope) jobByID(id string) *workflows.Job {
	if sc.file.Workflow == nil {
		return nil
	}
	for _, j := range sc.file.Workflow.Jobs {
		if equalFold(j.ID, id) {
			return j
		}
	}
	return nil
}

// env returns the env: entries that a step sees, outermost first.
func (sc *scope) env(s *workflows.Step) []workflows.Entry {
	if sc.action != nil {
		if s == nil {
			return nil
		}
		return s.Env.All()
	}
	return sc.job.EffectiveEnv(s)
}
