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
// tables of package platform.
package flow

import (
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
	SinkEnvFile                     // written to GITHUB_ENV, GITHUB_PATH or GITHUB_OUTPUT
	SinkPrompt                      // read by an agent
	SinkShellCode                   // a shell variable used as code: eval, sh -c
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
	// Who can set it.
	Who platform.Starter
	// Events are the job's events under which it is set.
	Events []string
	Hops   []Hop
}

// A Sink is a place in a job that some text reaches.
type Sink struct {
	Kind SinkKind
	File *workflows.File
	// Job is nil for a step of an action that no workflow of the repository uses.
	Job  *workflows.Job
	Step *workflows.Step
	// Expr is the expression that carries the text there, nil for shell flows.
	Expr *workflows.Expr
	// Span is the place of the text in the sink.
	Span   workflows.Span
	Taints []Taint
}

// An Analysis is the result for one repository; it is immutable.
type Analysis struct {
	sinks []*Sink
	state *state
}

// Analyse follows all text of a repository. It never fails.
func Analyse(repo *workflows.Repository) *Analysis { return analyse(repo) }

// Sinks returns every sink that some outsider's text reaches, by file and place.
func (a *Analysis) Sinks() []*Sink { return a.sinks }

// Expr returns the taints of an expression as it stands in the given job and step
// (step may be nil for job-level places).
func (a *Analysis) Expr(j *workflows.Job, s *workflows.Step, e *workflows.Expr) []Taint {
	return a.expr(j, s, e)
}
