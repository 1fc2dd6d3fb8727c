package flow

import (
	"strings"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// Bounds on the work that one hostile repository can ask for.
const (
	maxSteps  = 400_000 // evaluated nodes for a whole repository
	maxNest   = 12      // composite actions or reusable workflows within each other
	maxDepth  = 40      // hops of one value
	maxTaints = 8       // sources kept for one place
	maxScopes = 20_000  // jobs, and composite actions once for each use
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
	// events are how the steps come to run; known is set once they are computed.
	events []Event
	known  bool
	nest   int
	// children are the composite actions that steps use, by step.
	children map[*workflows.Step]*scope
	// index is each step's place in steps, ids the steps by lower-case id.
	index map[*workflows.Step]int
	ids   map[string]*workflows.Step
	// flows holds the flows of scripts, by mode, computed on first use, and log what
	// they leave for later steps.
	flows [2]map[*workflows.Step]*scriptFlow
	log   [2]stepLog
	// refusing are the steps that may refuse people without rights, once gated is set.
	refusing []*workflows.Step
	gated    bool
	// foreign is set when a step may take other commits into the workspace.
	foreign bool
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
	repo   *workflows.Repository
	roots  []*scope
	jobs   map[*workflows.Job]*scope
	steps  int // budget used
	scopes int // scopes made
	// gateOfFile holds what composite actions do about people's rights.
	gateOfFile map[*workflows.File]platform.Gate
	// arms are those of scripts, by step.
	arms map[*workflows.Step][]arm
	// inners are the scopes of composite actions whoever uses them.
	inners map[*workflows.File]*scope
}

// newScope prepares a scope for its steps.
func (st *state) newScope(sc scope) *scope {
	st.scopes++
	sc.index = make(map[*workflows.Step]int, len(sc.steps))
	sc.ids = map[string]*workflows.Step{}
	for i, s := range sc.steps {
		sc.index[s] = i
		if id := strings.ToLower(s.ID.String()); id != "" && sc.ids[id] == nil {
			sc.ids[id] = s
		}
		sc.foreign = sc.foreign || takesCommits(s)
	}
	return &sc
}

func newState(repo *workflows.Repository) *state {
	st := &state{repo: repo, jobs: map[*workflows.Job]*scope{}, gateOfFile: map[*workflows.File]platform.Gate{}, inners: map[*workflows.File]*scope{}, arms: map[*workflows.Step][]arm{}}
	used := map[*workflows.File]bool{}
	for _, f := range repo.Files {
		if f.Workflow == nil {
			continue
		}
		for _, j := range f.Workflow.Jobs {
			sc := st.newScope(scope{file: f, job: j, steps: j.AllSteps(), inputs: inputsOf(f.Workflow, "workflow_call")})
			st.jobs[j] = sc
			st.roots = append(st.roots, sc)
		}
	}
	st.linkCalls()
	for _, sc := range st.roots {
		st.eventsOf(sc, 0)
		st.addChildren(sc, used)
	}
	for _, f := range repo.Files {
		if f.Action != nil && (!used[f] || published(f)) && len(f.Action.Steps) > 0 {
			sc := st.newScope(scope{file: f, action: f.Action, steps: f.Action.AllSteps(), inputs: f.Action.Inputs, open: true, known: true})
			st.roots = append(st.roots, sc)
			st.addChildren(sc, used)
		}
	}
	return st
}

// published reports whether other repositories are meant to use an action: it does
// not lie among the files of this repository's own workflows.
func published(f *workflows.File) bool { return !strings.HasPrefix(f.Path, ".github/") }

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

func inputsOf(w *workflows.Workflow, event string) []*workflows.Input {
	var out []*workflows.Input
	for _, t := range w.On {
		if t.Event == event {
			out = append(out, t.Inputs...)
		}
	}
	return out
}

// addChildren makes a scope for each local composite action that steps use.
func (st *state) addChildren(sc *scope, used map[*workflows.File]bool) {
	for _, s := range sc.steps {
		f := st.localAction(s.Uses)
		if f == nil || sc.nest >= maxNest || st.scopes > maxScopes || len(f.Action.Steps) == 0 {
			continue
		}
		used[f] = true
		child := st.newScope(scope{
			file: f, job: sc.job, action: f.Action, steps: f.Action.AllSteps(), inputs: f.Action.Inputs,
			calls: []call{{from: sc, step: s, with: s.With}}, events: st.stepEvents(sc, s), known: true, nest: sc.nest + 1,
		})
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

// plainJob returns the job whose own steps these are, nil for those of an action.
func (sc *scope) plainJob() *workflows.Job {
	if sc.action != nil {
		return nil
	}
	return sc.job
}

// stepByID returns the step of the scope with the id; GitHub compares ignoring case.
func (sc *scope) stepByID(id string) *workflows.Step { return sc.ids[strings.ToLower(id)] }

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

// A binding is an env: entry and where its value is to be evaluated.
type binding struct {
	sc    *scope
	step  *workflows.Step
	entry workflows.Entry
}

// env returns the env: entries that a step sees, outermost first. A composite
// action sees that of the step that uses it.
func (sc *scope) env(s *workflows.Step) []binding {
	if sc.action == nil {
		return bind(sc, s, sc.job.EffectiveEnv(s))
	}
	var out []binding
	if len(sc.calls) == 1 {
		out = sc.calls[0].from.env(sc.calls[0].step)
	}
	if s != nil {
		out = append(out, bind(sc, s, s.Env.All())...)
	}
	return out
}

func bind(sc *scope, s *workflows.Step, entries []workflows.Entry) []binding {
	out := make([]binding, 0, len(entries))
	for _, e := range entries {
		out = append(out, binding{sc, s, e})
	}
	return out
}
