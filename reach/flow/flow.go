// Package flow follows text from those who write it to where it is used: whose
// text gets where, once for all rules.
//
// How it thinks. A source is a context that an outsider (or a lower-trust caller)
// sets under the events that start the job. Text moves through env, step outputs,
// job outputs and needs, matrix, inputs of local composite actions and reusable
// workflows, GITHUB_ENV and GITHUB_OUTPUT, and shell variables. A sink is a place
// where text becomes code or a choice of code: a script, an input that is run, a
// ref to check out, an environment file, a prompt. Values that cannot carry an
// attack (shas, numbers, booleans, literals) are dropped at the source, by the
// tables of package platform; jobs and steps whose if: an outsider's event cannot
// satisfy are dropped by evaluation, not by matching text ([guard]).
//
// What an action elsewhere does with its inputs is not read: its outputs carry the
// taint of its inputs, marked as a guess.
package flow

import (
	"cmp"
	"slices"
	"sync"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// A SinkKind says what happens to the text.
type SinkKind int

// Sinks.
const (
	SinkScript      SinkKind = iota // expanded into a run: script before the shell reads it
	SinkScriptInput                 // expanded into an input that an action runs as code
	SinkCheckout                    // decides which commit is checked out
	SinkEnvFile                     // written to GITHUB_ENV or GITHUB_PATH
	SinkPrompt                      // read by an agent
	SinkShellCode                   // a shell variable used as code: eval, sh -c
	SinkArtifact                    // files of another run are put into the workspace
)

// A Hop is one step of a flow, source first.
type Hop struct {
	File *workflows.File
	Span workflows.Span
	// Text is one line: "set by whoever opens an issue", "through env TITLE".
	Text string
}

// A Taint is one outsider's text at a place.
type Taint struct {
	// Source is the context path it comes from: "github.event.issue.title".
	Source string
	// Who can set it: StartAnyone, StartForkSandboxed, StartCaller for inputs of
	// actions and reusable workflows whose callers are not in the repository, or
	// StartWriter for what only people with write access set: inputs of
	// workflow_dispatch, payloads of repository_dispatch.
	Who platform.Starter
	// Start is who can start a run in which it arrives there. It is lower than Who
	// where an if: or a step before lets only people with write access through: a
	// member's comment on an outsider's pull request, for example.
	Start platform.Starter
	// Merged is set for an outsider's text that a writer has to merge first: the
	// messages of pushed commits. Who is then StartWriter.
	Merged bool
	// Events are the job's events under which it is set.
	Events []string
	Hops   []Hop
	// Guess is set when the text passed through something that was not read, an
	// action elsewhere for example.
	Guess bool
	// OneLine is set when a command on the way has taken its line breaks away.
	OneLine bool
}

// HoldsLines reports whether the text can hold line breaks.
func (t Taint) HoldsLines() bool { return !t.OneLine && platform.HoldsLines(t.Source) }

// A Sink is a place in a job that some text reaches.
type Sink struct {
	Kind SinkKind
	File *workflows.File
	// Job is the job in which the step runs; it is nil for a step of an action
	// that no workflow of the repository uses.
	Job  *workflows.Job
	Step *workflows.Step
	// Expr is the expression that carries the text there, nil for shell flows.
	Expr *workflows.Expr
	// Span is the place of the text in the sink.
	Span   workflows.Span
	Taints []Taint
	// Variable is what a SinkEnvFile sets: "PATH" for GITHUB_PATH, and "" where the
	// text decides that itself.
	Variable string
	// dir is the directory that a command checks out or unpacks into, see [Sink.Path].
	dir string
}

// Path returns the constant path: of a checkout, or the directory of an artifact, ""
// for the workspace itself, and false when it is not constant.
func (s *Sink) Path() (string, bool) {
	switch {
	case s.Kind != SinkCheckout && s.Kind != SinkArtifact:
		return "", true
	case s.Kind == SinkArtifact || s.Step.Run != nil:
		return s.dir, s.dir != UnknownDir
	}
	v := s.Step.With.Get("path")
	if v == nil {
		return "", true
	}
	text, ok := v.Const()
	return CleanDir(text), ok
}

// Worst returns the taint that matters most: one that is no guess before a guess,
// then by who can set it and who can start it.
func (s *Sink) Worst() Taint {
	return slices.MaxFunc(s.Taints, func(a, b Taint) int {
		return cmp.Or(-compareBool(a.Guess, b.Guess), cmp.Compare(a.Who, b.Who), cmp.Compare(a.Start, b.Start), compareBool(a.Merged, b.Merged))
	})
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// Who returns the most dangerous of those who can set the text.
func (s *Sink) Who() platform.Starter {
	who := platform.StartWriter
	for _, t := range s.Taints {
		who = max(who, t.Who)
	}
	return who
}

// An Event is one way in which a job starts, after its if: was evaluated.
type Event struct {
	Name string
	// Who can start it so that the job's (and its callers') if: may hold, and so
	// that no job or step before refuses.
	Who platform.Starter
	// Text is whose text and code such a run can be about. It is higher than Who
	// where a person with write access lets an outsider's pull request or issue
	// through.
	Text platform.Starter
	// Merged is set when it runs only after a pull request was merged.
	Merged bool
	// Trigger is the on: entry; its File is the workflow that holds it.
	File    *workflows.File
	Trigger *workflows.Trigger
}

// An Analysis is the result for one repository. Its methods may be called from
// several goroutines.
type Analysis struct {
	sinks []*Sink
	mu    sync.Mutex // for state, whose caches fill as it is asked
	state *state
}

// Analyse follows all text of a repository. It never fails; a file made to be
// slow is cut off at maxSteps and the rest of it is not followed.
func Analyse(repo *workflows.Repository) *Analysis {
	st := newState(repo)
	a := &Analysis{state: st}
	for _, sc := range st.roots {
		a.sinks = append(a.sinks, st.sinksOf(sc)...)
	}
	slices.SortStableFunc(a.sinks, compareSinks)
	return a
}

func compareSinks(a, b *Sink) int {
	switch {
	case a.File.Path != b.File.Path:
		if a.File.Path < b.File.Path {
			return -1
		}
		return 1
	case a.Span.Start != b.Span.Start:
		return a.Span.Start - b.Span.Start
	}
	return int(a.Kind) - int(b.Kind)
}

// Sinks returns every sink that text from outside the file reaches, by file and
// place; most readers want those whose Who is not StartWriter. A step of a composite
// action has one for each job that runs it, and one without a job when other
// repositories can use the action.
func (a *Analysis) Sinks() []*Sink { return a.sinks }

// SinksOf returns the sinks of one job, those in the local actions it uses included.
func (a *Analysis) SinksOf(j *workflows.Job) []*Sink {
	var out []*Sink
	for _, s := range a.sinks {
		if s.Job == j {
			out = append(out, s)
		}
	}
	return out
}

// Expr returns the taints of an expression as it stands in the given job and step
// (step may be nil for job-level places).
func (a *Analysis) Expr(j *workflows.Job, s *workflows.Step, e *workflows.Expr) []Taint {
	sc := a.state.jobs[j]
	if sc == nil || e == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state.newEval(asText).expr(sc, s, e)
}

// Events returns how a job can start, callers of a reusable workflow followed.
func (a *Analysis) Events(j *workflows.Job) []Event {
	if sc := a.state.jobs[j]; sc != nil {
		return sc.events
	}
	return nil
}

// Runs reports whether a step of the job itself may run in a run that is about an
// outsider's text or code; where its if: cannot be decided it may.
func (a *Analysis) Runs(j *workflows.Job, s *workflows.Step) bool {
	sc := a.state.jobs[j]
	if sc == nil || s == nil || s.If == nil {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.ContainsFunc(a.state.stepEvents(sc, s), func(e Event) bool { return e.Text >= platform.StartForkSandboxed })
}

// StepEvents returns the events under which a step of the job itself may run: past
// its if: and past the steps before it that refuse people without rights. For a step
// that is not in the job they are those of the job.
func (a *Analysis) StepEvents(j *workflows.Job, s *workflows.Step) []Event {
	sc := a.state.jobs[j]
	if sc == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, own := sc.index[s]; !own {
		return slices.Clone(sc.events)
	}
	return slices.Clone(a.state.stepEvents(sc, s))
}
