package workflows

// A Workflow is a parsed workflow file.
type Workflow struct {
	Name    *Scalar
	RunName *Scalar
	// On lists the triggers in source order.
	On []*Trigger
	// OnSpan covers the key "on" itself.
	OnSpan Span
	// Permissions is nil when the file states none.
	Permissions *Permissions
	Env         *Map
	// Shell and WorkingDirectory are defaults.run, or nil.
	Shell            *Scalar
	WorkingDirectory *Scalar
	Concurrency      *Value
	// CacheMode is cache-mode (September 2026), or nil.
	CacheMode *Scalar
	// Jobs are in source order.
	Jobs []*Job
	// JobsSpan covers the key "jobs" itself.
	JobsSpan Span
	// Unknown holds top-level keys that this package does not model.
	Unknown []Field
}

// A Trigger is one event of on: with its filters.
type Trigger struct {
	// Event is the event's name as written, push, pull_request_target, …
	Event string
	// Span covers the event's name, without its filters.
	Span Span
	Types, Branches, BranchesIgnore, Tags, TagsIgnore,
	Paths, PathsIgnore, Workflows []*Scalar
	// Cron lists the schedules of the schedule event.
	Cron []*Scalar
	// Inputs are those of workflow_dispatch and workflow_call.
	Inputs []*Input
	// Secrets and Outputs are those of workflow_call.
	Secrets []*Input
	Outputs []Entry
}

// Filtered reports whether the trigger is limited to some branches or tags.
func (t *Trigger) Filtered() bool {
	return len(t.Branches)+len(t.BranchesIgnore)+len(t.Tags)+len(t.TagsIgnore) > 0
}

// An Input is a declared input or secret of a workflow or action.
type Input struct {
	Name *Scalar
	// Type is string, number, boolean, choice, environment or "".
	Type     string
	Default  *Scalar
	Required bool
	Options  []*Scalar
	Span     Span
}

// Permissions is one permissions: block.
type Permissions struct {
	// All is read-all, write-all or "" (then Scopes count; none at all is {}).
	All *Scalar
	// Scopes are the stated scopes in source order.
	Scopes []Entry
	// Span covers the value; KeySpan the key "permissions".
	Span, KeySpan Span
}

// A Job is one job of a workflow.
type Job struct {
	ID     string
	IDSpan Span
	Span   Span // from the job's key to the end of its last value
	Name   *Scalar
	Needs  []*Scalar
	RunsOn *RunsOn
	If     *Scalar
	// Environment is nil when the job names none.
	Environment             *Environment
	Permissions             *Permissions
	Env                     *Map
	Shell, WorkingDirectory *Scalar
	Outputs                 *Map
	Strategy                *Strategy
	Container               *Container
	Services                []*Container
	Concurrency             *Value
	Timeout                 *Scalar
	ContinueOnError         *Scalar
	CacheMode               *Scalar
	Steps                   []*Step
	StepsSpan               Span // the key "steps"

	// Uses is set for a call of a reusable workflow; With and Secrets are its
	// arguments and InheritSecrets the scalar of secrets: inherit.
	Uses           *Uses
	With           *Map
	Secrets        *Map
	InheritSecrets *Scalar

	Unknown []Field

	// Workflow is the workflow the job belongs to.
	Workflow *Workflow
}

// AllSteps returns the job's steps in source order, those nested in parallel:
// blocks included, each parallel: block itself before its children.
func (j *Job) AllSteps() []*Step { return flatten(j.Steps) }

// RunsOn is the runner selection of a job.
type RunsOn struct {
	Labels []*Scalar
	Group  *Scalar
	Span   Span
}

// An Environment is the deployment environment of a job.
type Environment struct {
	Name *Scalar
	URL  *Scalar
	Span Span
}

// A Strategy is strategy.matrix as values; Whole is set for matrix: ${{ … }}.
type Strategy struct {
	Whole   *Scalar
	Rows    []Field
	Include *Value
	Exclude *Value
	Span    Span
}

// A Container is container: or one of services:.
type Container struct {
	// Name is the service's name, "" for container:.
	Name  string
	Image *Scalar
	Env   *Map
	// Username and Password are those of credentials:.
	Username, Password *Scalar
	Options            *Scalar
	Span               Span
}

// A Step is one step of a job, of a composite action or of a parallel: block.
type Step struct {
	// Index is the step's place among its siblings, from 0.
	Index int
	ID    *Scalar
	Name  *Scalar
	If    *Scalar
	Uses  *Uses
	With  *Map
	// WithSpan covers the key "with", UsesSpan the key "uses", RunSpan the key "run".
	WithSpan, UsesSpan, RunSpan Span
	Run                         *Script
	Env                         *Map
	Shell                       *Scalar
	WorkingDirectory            *Scalar
	ContinueOnError             *Scalar
	Timeout                     *Scalar
	// Parallel holds the steps of a parallel: block (June 2026), which run at the
	// same time in the same job.
	Parallel []*Step
	// Background is set for a step that does not end before the next starts.
	Background *Scalar
	Span       Span // from the first key to the end of the last value
	Unknown    []Field
}

// An Action is a parsed action.yml.
type Action struct {
	Name, Description *Scalar
	Inputs            []*Input
	Outputs           []Entry
	// Using is node20, node24, composite, docker …
	Using *Scalar
	// Main, Pre and Post are the scripts of a JavaScript action.
	Main, Pre, Post *Scalar
	// Image, Entrypoint and Args are those of a docker action.
	Image, Entrypoint *Scalar
	Args              []*Scalar
	Env               *Map
	// Steps are those of a composite action.
	Steps   []*Step
	Unknown []Field
}

// AllSteps returns the action's steps as [Job.AllSteps] does.
func (a *Action) AllSteps() []*Step { return flatten(a.Steps) }

// A Lock is a parsed .github/workflows/actions.lock (schema v0.0.2, public
// preview of October 2026).
type Lock struct {
	Version string
	// Workflows are those on the lock, by path.
	Workflows map[string]LockedWorkflow
	// Pins are by owner/repo@ref, owner/repo in lower case.
	Pins map[string]Pin
}

// A LockedWorkflow is what the lock lists for one workflow.
type LockedWorkflow struct {
	Span Span // of the workflow's path
	Pins []LockEntry
}

// A LockEntry is one line of a workflow's list.
type LockEntry struct {
	Key  string // of Lock.Pins
	Span Span
}

// A Pin is one locked dependency.
type Pin struct {
	// Ref is owner/repo[/path]@ref as the workflow writes it.
	Ref string
	// Commit is the full commit in lower-case hex, without "sha1-".
	Commit string
	// Version is the ref that the lock says the commit was resolved from, "" for none.
	Version string
	// Span is that of the pin's key, and Uses the keys of Pins that the pinned action
	// uses itself.
	Span Span
	Uses []string
}

// Pinned returns the pin that covers the given uses of the given workflow file.
// It is safe on nil.
func (l *Lock) Pinned(workflow string, u *Uses) (Pin, bool) { return l.pinned(workflow, u) }
