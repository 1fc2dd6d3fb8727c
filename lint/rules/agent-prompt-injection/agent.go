package agentpromptinjection

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/reach/flow"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// An agent is one use of a model in a job, with the ways on which outsiders reach it.
type agent struct {
	reach.Agent
	info platform.ActionInfo // of an action
	file *workflows.File
	job  *reach.Job
	at   workflows.Span

	// heard is set when an outsider is heard, start is who can start such a run.
	heard   bool
	start   platform.Starter
	reasons []string
	events  map[string]bool
	hops    []flow.Hop
	guess   bool
	// opened is the input that lets everybody in, tree the checkout whose files it
	// reads, tools the input that says what it may do, merges what merges after it.
	opened *workflows.Entry
	tree   *flow.Sink
	tools  *workflows.Scalar
	merges *workflows.Span
	// merger is the job that merges, where it is another.
	merger *reach.Job
}

// agents returns those of a step.
func agents(s *workflows.Step) []*agent {
	var out []*agent
	for _, found := range reach.Agents(s) {
		a := &agent{Agent: found, at: found.Span, events: map[string]bool{}}
		if s.Uses != nil {
			a.info, _ = platform.LookupAction(s.Uses.FullName())
		}
		for _, e := range s.With.All() {
			if a.role(e) == platform.RoleTools && a.tools == nil {
				a.tools = e.Value
			}
		}
		out = append(out, a)
	}
	return out
}

// role is what an input of the agent's action means.
func (a *agent) role(e workflows.Entry) platform.Role {
	return a.info.Inputs[strings.ToLower(e.Key.Value)]
}

// hear collects the ways on which outsiders reach the agent.
func (a *agent) hear(g *reach.Graph, sinks []*flow.Sink) {
	events := g.Flow.StepEvents(a.job.Job, a.Step)
	a.openedGate(events)
	a.openedToBots(events)
	told := false
	for _, s := range sinks {
		if s.Kind == flow.SinkPrompt && s.Job == a.job.Job && (a.Command == nil || s.Span == a.Command.Span) {
			a.reads(s.Worst())
			told = true
		}
	}
	a.ownEnv(g)
	if !told {
		a.commandPrompt(g)
	}
	a.outsidersTree(g)
	if a.opened != nil || !a.heard && a.Command == nil && a.Allowance == platform.RunsAnything && !reach.Gated(a.Step) {
		a.readsEvent(events)
	}
}

func (a *agent) because(reason string, who platform.Starter) {
	if reach.Gated(a.Step) && a.opened == nil {
		who = min(who, platform.StartWriter)
	}
	a.heard = true
	a.start = max(a.start, who)
	if !slices.Contains(a.reasons, reason) {
		a.reasons = append(a.reasons, reason)
	}
}

// openedGate notes an input that lets in everybody, where everybody can start the step.
func (a *agent) openedGate(events []flow.Event) {
	info := a.info
	if v := a.Step.With.Get(info.ActorGate); info.ActorGate != "" && v != nil && platform.OpensToAll(v.Value) {
		a.open(info.ActorGate, "lets everybody start it ("+info.ActorGate+")", events)
	}
}

// openedToBots notes an input that lets in every app: one that anybody has written can
// comment on a public repository.
func (a *agent) openedToBots(events []flow.Event) {
	for _, e := range a.Step.With.All() {
		name := strings.ToLower(e.Key.Value)
		if a.role(e) == platform.RoleActors && strings.Contains(name, "bots") && platform.OpensToAll(e.Value.Value) && a.opened == nil {
			a.guess = true
			a.open(name, "lets every bot start it ("+name+")", events)
		}
	}
}

func (a *agent) open(input, reason string, events []flow.Event) {
	if !slices.ContainsFunc(events, func(e flow.Event) bool { return e.Who == platform.StartAnyone }) {
		return
	}
	for _, e := range a.Step.With.All() {
		if strings.EqualFold(e.Key.Value, input) {
			a.opened, a.at = &e, e.Value.Span
		}
	}
	a.because(reason, platform.StartAnyone)
}

// reads notes an outsider's text in the prompt. Text that only comes in runs of forks,
// which have no secrets, is none.
func (a *agent) reads(t flow.Taint) {
	if t.Who != platform.StartAnyone && t.Who != platform.StartForkSandboxed || t.Start == platform.StartForkSandboxed || t.Merged {
		return
	}
	a.because(fmt.Sprintf("is prompted with %s, which %s sets", t.Source, t.By()), t.Start)
	a.hops = append(a.hops, t.Hops...)
	a.guess = a.guess || t.Guess
	for _, e := range t.Events {
		a.events[e] = true
	}
}

// ownEnv notes an outsider's text in the environment of an agent's action, from where
// prompts and commands of the repository take it.
func (a *agent) ownEnv(g *reach.Graph) {
	if a.Command != nil {
		return
	}
	for _, v := range a.Step.Env.All() {
		for _, e := range v.Value.Exprs {
			for _, t := range g.Flow.Expr(a.job.Job, a.Step, e) {
				a.reads(a.arriving(g, t))
			}
		}
	}
}

// commandPrompt follows what an agent's command line and the variables of its step hold.
func (a *agent) commandPrompt(g *reach.Graph) {
	if a.Command == nil {
		return
	}
	var used []string
	for _, c := range a.Step.Run.Commands {
		for _, w := range slices.Concat(c.Words, words(c)) {
			used = append(used, w.Vars...)
		}
	}
	var exprs []*workflows.Expr
	for _, m := range []*workflows.Map{a.Step.Env, a.job.Job.Env} {
		for _, e := range m.All() {
			if slices.Contains(used, e.Key.Value) {
				exprs = append(exprs, e.Value.Exprs...)
			}
		}
	}
	for _, e := range slices.Concat(exprs, a.Step.Run.Exprs) {
		for _, t := range g.Flow.Expr(a.job.Job, a.Step, e) {
			a.reads(a.arriving(g, t))
		}
	}
}

// arriving lowers a taint to those who get as far as the step.
func (a *agent) arriving(g *reach.Graph, t flow.Taint) flow.Taint {
	if len(t.Events) == 0 {
		return t // under every event
	}
	start := platform.StartWriter
	found := false
	for _, e := range g.Flow.StepEvents(a.job.Job, a.Step) {
		if slices.Contains(t.Events, e.Name) {
			found, start = true, max(start, e.Who)
		}
	}
	if !found {
		t.Who = platform.StartWriter
	}
	t.Start = min(t.Start, start)
	return t
}

// words are those of a command's redirections and assignments.
func words(c *workflows.Command) []workflows.Word {
	var out []workflows.Word
	for _, r := range c.Redirs {
		out = append(out, r.Target)
	}
	for _, as := range c.Assigns {
		out = append(out, as.Value)
	}
	return out
}

// outsidersTree notes an outsider's checkout before the agent in its job: its files,
// CLAUDE.md, AGENTS.md, GEMINI.md, .mcp.json and settings with hooks, instruct it.
func (a *agent) outsidersTree(g *reach.Graph) {
	for _, c := range a.job.Code {
		if c.Checkout == nil || c.Site.File != a.file || !a.Step.Span.Contains(c.Site.Span) {
			continue
		}
		if t := c.Checkout.Worst(); !t.Guess {
			a.tree = c.Checkout
			a.because("takes its instructions and settings from the tree of "+t.By(), t.Start)
			return
		}
	}
}

// readsEvent notes that an agent reads by itself the issue or comment that started it.
func (a *agent) readsEvent(events []flow.Event) {
	for _, e := range events {
		info, _ := platform.LookupEvent(e.Name)
		if e.Who == platform.StartAnyone && info.AnyoneText && !a.events[e.Name] {
			a.events[e.Name] = true
			a.guess = a.guess || a.opened == nil
			a.because("reads what "+info.By+" writes", e.Who)
		}
	}
}

// merge returns what merges or approves pull requests: a tool of the agent, a step
// after it, or a job that asks for the outputs of its job.
func (a *agent) merge(g *reach.Graph) *workflows.Span {
	if a.tools != nil && platform.Merges("", a.tools.Value) {
		return &a.tools.Span
	}
	after := false
	for _, s := range g.RunSteps(a.job) {
		if after && s.File == a.file {
			if span := merging(s); span != nil {
				return span
			}
		}
		after = after || s.Step == a.Step
	}
	if a.job.File != a.file {
		return nil
	}
	for _, j := range a.job.Job.Workflow.Jobs {
		if other := g.Of(j); other != nil && listens(j, a.job.Job.ID) && anyoneStarts(g, j) {
			for _, s := range g.RunSteps(other) {
				if span := merging(s); span != nil && s.File == a.file {
					a.merger = other
					return span
				}
			}
		}
	}
	return nil
}

// merging returns the place at which a step merges or approves, nil when it does not.
func merging(s reach.RunStep) *workflows.Span {
	switch {
	case s.Step.Run != nil && platform.Merges("", s.Step.Run.Value):
		return &s.Step.Run.Span
	case s.Step.Uses != nil && platform.Merges(s.Step.Uses.FullName(), s.Step.With.Get("script").String()):
		return &s.Step.Uses.Span
	}
	return nil
}

// listens reports whether a job's condition asks for the outputs of another.
func listens(j *workflows.Job, id string) bool {
	if j.If == nil {
		return false
	}
	prefix := "needs." + strings.ToLower(id) + ".outputs."
	return slices.ContainsFunc(j.If.Exprs, func(e *workflows.Expr) bool {
		return slices.ContainsFunc(e.Refs(), func(r *workflows.Ref) bool { return strings.HasPrefix(r.Path(), prefix) })
	})
}

func anyoneStarts(g *reach.Graph, j *workflows.Job) bool {
	return slices.ContainsFunc(g.Flow.Events(j), func(e flow.Event) bool { return e.Who == platform.StartAnyone })
}
