package flow

import (
	"path"
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// sinksOf returns the sinks of a scope and of the local actions its steps use.
func (st *state) sinksOf(sc *scope) []*Sink {
	var out []*Sink
	for _, s := range sc.steps {
		events := st.stepEvents(sc, s)
		if len(events) == 0 && len(sc.events) > 0 {
			continue // it never runs
		}
		add := func(sink Sink) {
			sink.Taints = arriving(sink.Taints, events)
			if len(sink.Taints) > 0 {
				sink.File, sink.Job, sink.Step = sc.file, sc.job, s
				out = append(out, &sink)
			}
		}
		st.scriptSinks(sc, s, add)
		st.inputSinks(sc, s, add)
		st.checkoutSinks(sc, s, add)
		st.artifactSinks(sc, s, add)
		if child := sc.children[s]; child != nil {
			out = append(out, st.sinksOf(child)...)
		}
	}
	return out
}

// arriving keeps the taints that come under the events of a step and lowers who can
// start a run that carries them to those who get as far as the step.
func arriving(taints []Taint, events []Event) []Taint {
	var out []Taint
	for _, t := range taints {
		if len(t.Events) == 0 || t.Who <= platform.StartCaller {
			out = append(out, t)
			continue
		}
		kept := Taint{Source: t.Source, Hops: t.Hops, Guess: t.Guess, OneLine: t.OneLine}
		for _, e := range events {
			who, start := authors(e, t.Source)
			if who = min(who, t.Who); who < platform.StartForkSandboxed || !slices.Contains(t.Events, e.Name) {
				continue
			}
			kept.Who, kept.Start = max(kept.Who, who), max(kept.Start, min(start, t.Start))
			kept.Events = append(kept.Events, e.Name)
		}
		if len(kept.Events) > 0 {
			out = append(out, kept)
		}
	}
	return out
}

type addSink func(Sink)

func (st *state) scriptSinks(sc *scope, s *workflows.Step, add addSink) {
	f := st.script(sc, s, asText)
	if f != nil {
		for _, w := range f.files {
			add(Sink{Kind: SinkEnvFile, Span: w.span, Taints: w.taints, Variable: w.name})
		}
		for _, c := range f.prompts {
			add(Sink{Kind: SinkPrompt, Span: c.span, Taints: c.taints})
		}
		for _, c := range f.code {
			add(Sink{Kind: SinkShellCode, Span: c.span, Taints: c.taints})
		}
	}
	if s.Run == nil {
		return
	}
	ev := st.newEval(asText)
	for _, e := range s.Run.Exprs {
		add(Sink{Kind: SinkScript, Expr: e, Span: e.Span, Taints: ev.expr(sc, s, e)})
	}
}

// scriptNames are inputs that say by their name that they are run, in actions that
// the tables do not know.
var scriptNames = []string{"run", "script", "command", "commands", "cmd", "inlinescript", "inline-script"}

func (st *state) inputSinks(sc *scope, s *workflows.Step, add addSink) {
	if s.Uses == nil || sc.children[s] != nil {
		return
	}
	info, known := platform.LookupAction(s.Uses.FullName())
	image := s.Uses.Kind == workflows.UsesDocker
	ev := st.newEval(asText)
	for _, e := range s.With.All() {
		name := strings.ToLower(e.Key.Value)
		kind, guess := SinkScriptInput, false
		switch {
		case image && name == "entrypoint":
		case image && name == "args":
			guess = !startsShell(s)
		case info.Inputs[name] == platform.RoleScript:
		case info.Inputs[name] == platform.RolePrompt:
			kind = SinkPrompt
		case info.Agent && info.Inputs[name] == platform.RolePath:
			add(Sink{Kind: SinkPrompt, Span: e.Value.Span, Taints: st.written(sc, s, e.Value)})
			continue
		case !known && slices.Contains(scriptNames, name):
			guess = true
		default:
			continue
		}
		for _, x := range e.Value.Exprs {
			if isGithubScript(s) && sc.isJSON(x) && !insideString(e.Value.Value[:x.Start]) {
				continue // JSON is JavaScript, whatever it holds
			}
			t := ev.expr(sc, s, x)
			if guess {
				t = guessed(t)
			}
			add(Sink{Kind: kind, Expr: x, Span: x.Span, Taints: t})
		}
	}
}

// startsShell reports whether the container of a step reads its args: as a script.
func startsShell(s *workflows.Step) bool {
	_, shell := interpreters[path.Base(s.With.Get("entrypoint").String())]
	first, _, _ := strings.Cut(s.With.Get("args").String(), " ")
	_, named := interpreters[path.Base(first)]
	return shell || named
}

// takesCommits reports whether a step may put commits into the workspace that are
// not those of the run.
func takesCommits(s *workflows.Step) bool {
	if s.Uses != nil {
		info, _ := platform.LookupAction(s.Uses.FullName())
		return info.Checkout && (s.With.Get("ref") != nil || s.With.Get("repository") != nil)
	}
	if s.Run == nil {
		return false
	}
	return slices.ContainsFunc(s.Run.Commands, func(c *workflows.Command) bool {
		info, _ := platform.LookupCommand(constWords(c))
		return info.Does == "checkout" || subcommand(c, "clone")
	})
}

// checkoutSinks finds checkouts of an outsider's commit in a job that has the
// repository's rights: by what its ref or repository names, and where that cannot
// be told, as a guess. (In December 2024 the ref of the job that started the
// reviewdog chain came from the output of an unrelated action.)
func (st *state) checkoutSinks(sc *scope, s *workflows.Step, add addSink) {
	if len(anyoneEvents(sc)) == 0 || !takesCommits(s) {
		return
	}
	if s.Run != nil {
		st.commandCheckouts(sc, s, add)
		return
	}
	for _, name := range []string{"ref", "repository"} {
		v := s.With.Get(name)
		if v == nil {
			continue
		}
		if t := st.checkoutTaint(sc, s, v); len(t) > 0 {
			add(Sink{Kind: SinkCheckout, Expr: firstExpr(v), Span: v.Span, Taints: t})
			return
		}
	}
}

func firstExpr(v *workflows.Scalar) *workflows.Expr {
	if len(v.Exprs) == 0 {
		return nil
	}
	return v.Exprs[0]
}

// checkoutTaint judges the value of a checkout's ref or repository.
func (st *state) checkoutTaint(sc *scope, s *workflows.Step, v *workflows.Scalar) []Taint {
	t := st.newEval(asCode).scalar(sc, s, v)
	if len(t) > 0 || len(v.Exprs) == 0 {
		return t
	}
	for _, e := range v.Exprs {
		if st.settled(sc, s, e) {
			continue
		}
		guess := guessed(st.newEval(asCode).head(sc, strings.ToLower(e.Text), e.Span))
		for i := range guess {
			guess[i].Hops[0].Text = "a ref that the files do not settle, in a run that " + guess[i].By() + " starts"
		}
		return guess
	}
	return nil
}

// anyoneEvents returns the events by which an outsider's code may come into a run
// with the repository's rights.
func anyoneEvents(sc *scope) []string {
	var out []string
	for _, e := range sc.events {
		if e.Text == platform.StartAnyone && !e.Merged {
			out = append(out, e.Name)
		}
	}
	return out
}

// settled reports whether every context of a ref expression is the repository's
// own side: github.sha, github.ref, the base branch, an input that only people
// with write access set, a value from env: that is itself settled.
func (st *state) settled(sc *scope, s *workflows.Step, e *workflows.Expr) bool {
	if e.Root == nil {
		return false
	}
	return !slices.ContainsFunc(e.Refs(), func(r *workflows.Ref) bool { return !st.settledRef(sc, s, r) })
}

func (st *state) settledRef(sc *scope, s *workflows.Step, r *workflows.Ref) bool {
	if r.Base != nil || len(r.Parts) == 0 || !st.spend(1) {
		return false
	}
	switch r.Parts[0].Name {
	case "github":
		return !namesHead(r.Path())
	case "vars", "inputs", "matrix", "secrets", "runner", "job", "strategy":
		return true // configuration, or followed to its callers and expressions by eval
	case "env":
		for _, b := range sc.env(s) {
			if len(r.Parts) > 1 && equalFold(b.entry.Key.Value, r.Parts[1].Name) {
				return !slices.ContainsFunc(b.entry.Value.Exprs, func(x *workflows.Expr) bool { return !st.settled(b.sc, b.step, x) })
			}
		}
	case "steps":
		if len(r.Parts) == 4 && r.Parts[2].Name == "outputs" {
			return st.constantOutput(sc, r.Parts[1].Name, r.Parts[3].Name)
		}
		return true
	case "needs":
		return len(r.Parts) < 3 || r.Parts[2].Name != "outputs" || len(r.Parts) == 4 && st.settledNeed(sc, r)
	}
	return false
}

func (st *state) settledNeed(sc *scope, r *workflows.Ref) bool {
	j := sc.jobByID(r.Parts[1].Name)
	if j == nil || j.Uses != nil {
		return false
	}
	v := j.Outputs.Get(r.Parts[3].Name)
	return v != nil && !slices.ContainsFunc(v.Exprs, func(x *workflows.Expr) bool { return !st.settled(st.jobs[j], nil, x) })
}

// commandCheckouts finds gh pr checkout, git fetch of pull refs, and git checkout
// or merge of a name that an outsider sets.
func (st *state) commandCheckouts(sc *scope, s *workflows.Step, add addSink) {
	r := &reader{ev: st.newEval(asCode), sc: sc, step: s, flow: newScriptFlow(), vars: map[string][]Taint{}, open: map[string]block{}}
	r.inherit()
	dir := StartDir(sc.plainJob(), s)
	for _, c := range s.Run.Commands {
		r.command(c)
		dir = AfterCommand(dir, c)
		info, _ := platform.LookupCommand(constWords(c))
		if info.Does != "checkout" && !subcommand(c, "clone") {
			continue
		}
		var t []Taint
		for _, w := range c.Args() {
			t = merge(t, r.word(&w))
			if c.Name == "git" && strings.Contains(w.Text, "pull/") && w.Const {
				t = merge(t, r.ev.pull(sc, c.Span))
			}
		}
		if text := commandText(c); strings.HasPrefix(text, "gh pr checkout") || strings.HasPrefix(text, "hub pr checkout") {
			t = merge(t, r.ev.pull(sc, c.Span))
		}
		if subcommand(c, "fetch") || subcommand(c, "remote") {
			continue // what it fetched is followed to where it is checked out
		}
		t = merge(t, r.fetchedRef(c))
		add(Sink{Kind: SinkCheckout, Span: c.Span, Taints: t, dir: into(dir, c)})
	}
}

// constWords returns the command's words from its name on, as text.
func constWords(c *workflows.Command) []string {
	if c.Name == "" {
		return nil
	}
	out := []string{c.Name}
	for _, w := range c.Args() {
		out = append(out, w.Text)
	}
	return out
}
