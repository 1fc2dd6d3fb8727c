package flow

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// A scriptFlow is what one run: block does with text: which variables carry it,
// and what it writes for later steps.
type scriptFlow struct {
	vars    map[string][]Taint
	env     map[string][]Taint // GITHUB_ENV, by name
	outputs map[string][]Taint // GITHUB_OUTPUT, by lower-case name; "" when the name is not constant
	files   []fileWrite
	code    []codeUse
}

// A fileWrite is tainted text written to GITHUB_ENV or GITHUB_PATH.
type fileWrite struct {
	span   workflows.Span
	taints []Taint
}

// A codeUse is tainted text used as code by the script itself.
type codeUse struct {
	span   workflows.Span
	taints []Taint
}

// eventVariables are the default variables that an outsider sets.
var eventVariables = map[string]string{
	"GITHUB_HEAD_REF": "github.head_ref",
}

// script returns the flows of a step's script, computed once a scope, step and mode.
func (st *state) script(sc *scope, s *workflows.Step, m mode) *scriptFlow {
	if s.Run == nil {
		return nil
	}
	if f, ok := sc.cache(m)[s]; ok {
		return f // nil while it is being computed: a cycle carries nothing new
	}
	sc.cache(m)[s] = nil
	f := &scriptFlow{vars: map[string][]Taint{}, env: map[string][]Taint{}, outputs: map[string][]Taint{}}
	ev := st.newEval(m)
	for _, e := range sc.env(s) {
		if t := ev.scalar(sc, s, e.Value); len(t) > 0 {
			f.vars[e.Key.Value] = through(t, sc.file, e.Key.Span, "through env "+e.Key.Value)
		}
	}
	st.inherited(sc, s, m, f)
	if m == asText {
		for name, path := range eventVariables {
			ref := &workflows.Ref{Parts: []workflows.Part{{Name: "github"}, {Name: path[len("github."):]}}, Span: s.RunSpan}
			if t := ev.source(sc, ref); len(t) > 0 {
				f.vars[name] = t
			}
		}
	}
	for _, c := range s.Run.Commands {
		f.command(ev, sc, s, c)
	}
	sc.cache(m)[s] = f
	return f
}

func (sc *scope) cache(m mode) map[*workflows.Step]*scriptFlow {
	if sc.written[m] == nil {
		sc.written[m] = map[*workflows.Step]*scriptFlow{}
	}
	return sc.written[m]
}

// inherited adds what earlier steps of the scope wrote to GITHUB_ENV.
func (st *state) inherited(sc *scope, s *workflows.Step, m mode, f *scriptFlow) {
	for _, earlier := range sc.steps {
		if earlier == s {
			return
		}
		e := st.script(sc, earlier, m)
		if e == nil {
			continue
		}
		for name, t := range e.env {
			f.vars[name] = merge(f.vars[name], through(t, sc.file, earlier.RunSpan, "through GITHUB_ENV "+name))
		}
	}
}

// command follows one command: assignments, writes to the runner's files, and code.
func (f *scriptFlow) command(ev *eval, sc *scope, s *workflows.Step, c *workflows.Command) {
	for _, a := range c.Assigns {
		t := f.word(ev, sc, s, &a.Value)
		if len(t) > 0 {
			f.vars[a.Name] = merge(f.vars[a.Name], through(t, sc.file, a.Span, "through $"+a.Name))
		} else if c.Within == nil {
			delete(f.vars, a.Name)
		}
	}
	if c.Name == "read" {
		f.read(ev, sc, s, c)
	}
	f.writes(ev, sc, s, c)
	f.usesAsCode(ev, sc, s, c)
}

// read handles `read NAME <<< "$TEXT"`.
func (f *scriptFlow) read(ev *eval, sc *scope, s *workflows.Step, c *workflows.Command) {
	var t []Taint
	for i := range c.Redirs {
		t = merge(t, f.word(ev, sc, s, &c.Redirs[i].Target))
	}
	if len(t) == 0 {
		return
	}
	for _, w := range c.Args() {
		if w.Const && !strings.HasPrefix(w.Text, "-") {
			f.vars[w.Text] = merge(f.vars[w.Text], t)
		}
	}
}

// word returns the taints of a word: its expressions, variables and substitutions.
func (f *scriptFlow) word(ev *eval, sc *scope, s *workflows.Step, w *workflows.Word) []Taint {
	var out []Taint
	for _, e := range w.Exprs {
		out = merge(out, ev.expr(sc, s, e))
	}
	for _, v := range w.Vars {
		out = merge(out, f.vars[v])
	}
	for _, c := range w.Commands {
		out = merge(out, f.result(ev, sc, s, c))
	}
	return out
}

// result is what a substituted command may print: the text of its words and of
// what is piped into it, unless it makes something harmless of them.
func (f *scriptFlow) result(ev *eval, sc *scope, s *workflows.Step, c *workflows.Command) []Taint {
	if harmless(c) {
		return nil
	}
	var out []Taint
	for i := range c.Words {
		out = merge(out, f.word(ev, sc, s, &c.Words[i]))
	}
	for i := range c.Redirs {
		out = merge(out, f.word(ev, sc, s, &c.Redirs[i].Target))
	}
	if ev.mode == asText && readsEvent(c) {
		out = merge(out, ev.payload(sc, c))
	}
	return out
}

// harmless reports whether a command's output cannot carry text of anybody's
// choice: counts, digests, and deletion of all but a listed set of characters.
func harmless(c *workflows.Command) bool {
	switch c.Name {
	case "wc", "sha256sum", "sha1sum", "md5sum", "sha512sum", "date", "stat", "test", "[", "true", "false", "git":
		return true
	case "tr":
		return slices.ContainsFunc(c.Args(), func(w workflows.Word) bool {
			return w.Text == "-cd" || w.Text == "-dc" || w.Text == "--complement"
		})
	}
	return c.PipesInto != nil && harmless(c.PipesInto)
}

// readsEvent reports whether a command reads the event's payload file.
func readsEvent(c *workflows.Command) bool {
	for _, w := range c.Words {
		if slices.Contains(w.Vars, "GITHUB_EVENT_PATH") {
			return true
		}
	}
	return slices.ContainsFunc(c.Redirs, func(r workflows.Redir) bool {
		return slices.Contains(r.Target.Vars, "GITHUB_EVENT_PATH")
	})
}

// payload is the taint of what a command such as jq selects from the payload;
// the selected path is looked up when it is constant.
func (ev *eval) payload(sc *scope, c *workflows.Command) []Taint {
	ref := &workflows.Ref{Parts: []workflows.Part{{Name: "github"}, {Name: "event"}}, Span: c.Span}
	for _, w := range c.Args() {
		if !w.Const || !strings.HasPrefix(w.Text, ".") {
			continue
		}
		for _, p := range strings.Split(strings.Trim(w.Text, ". "), ".") {
			ref.Parts = append(ref.Parts, workflows.Part{Name: strings.ToLower(p)})
		}
		break
	}
	return ev.source(sc, ref)
}

// writes follows what a command writes to the runner's files.
func (f *scriptFlow) writes(ev *eval, sc *scope, s *workflows.Step, c *workflows.Command) {
	for _, r := range c.Redirs {
		if !strings.HasPrefix(r.Op, ">") {
			continue
		}
		target := runnerFile(&r.Target)
		if target == "" {
			continue
		}
		t, name := f.printed(ev, sc, s, c)
		if len(t) == 0 {
			continue
		}
		switch target {
		case "GITHUB_OUTPUT":
			f.outputs[strings.ToLower(name)] = merge(f.outputs[strings.ToLower(name)], t)
		case "GITHUB_ENV":
			f.env[name] = merge(f.env[name], t)
			f.files = append(f.files, fileWrite{c.Span, t})
		case "GITHUB_PATH":
			f.files = append(f.files, fileWrite{c.Span, t})
		}
	}
	if t, name := f.printed(ev, sc, s, c); len(t) > 0 && strings.HasPrefix(name, "::set-output name") {
		f.outputs[""] = merge(f.outputs[""], t)
	}
}

// runnerFile returns the variable of a redirection to one of the runner's files.
func runnerFile(w *workflows.Word) string {
	for _, v := range w.Vars {
		switch v {
		case "GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH":
			return v
		}
	}
	for _, e := range w.Exprs {
		switch strings.ToLower(e.Text) {
		case "github.env":
			return "GITHUB_ENV"
		case "github.output":
			return "GITHUB_OUTPUT"
		case "github.path":
			return "GITHUB_PATH"
		}
	}
	return ""
}

// printed returns the taints of what a command prints and the NAME of a NAME=… or
// NAME<<… that it begins with, "" when that is not constant.
func (f *scriptFlow) printed(ev *eval, sc *scope, s *workflows.Step, c *workflows.Command) ([]Taint, string) {
	var t []Taint
	name := ""
	for i, w := range c.Args() {
		t = merge(t, f.word(ev, sc, s, &c.Args()[i]))
		if name == "" {
			if n, _, ok := strings.Cut(w.Text, "="); ok && !strings.ContainsRune(n, '\uFFFD') {
				name = n
			}
		}
	}
	for i, r := range c.Redirs {
		if strings.HasPrefix(r.Op, "<<") {
			t = merge(t, f.word(ev, sc, s, &c.Redirs[i].Target))
			if n, _, ok := strings.Cut(r.Target.Text, "="); ok && name == "" {
				name = strings.TrimSpace(n)
			}
		}
	}
	return t, name
}

// usesAsCode finds text that the script itself runs: eval, sh -c, bash -c.
func (f *scriptFlow) usesAsCode(ev *eval, sc *scope, s *workflows.Step, c *workflows.Command) {
	args := c.Args()
	switch c.Name {
	case "eval":
	case "sh", "bash", "dash", "zsh", "python", "python3", "node", "perl", "ruby":
		i := slices.IndexFunc(args, func(w workflows.Word) bool {
			return w.Text == "-c" || w.Text == "-e" || w.Text == "-lc" || w.Text == "-ec"
		})
		if i < 0 || i+1 >= len(args) {
			return
		}
		args = args[i+1 : i+2]
	default:
		return
	}
	for i := range args {
		var t []Taint
		for _, v := range args[i].Vars {
			t = merge(t, f.vars[v])
		}
		if len(t) > 0 {
			f.code = append(f.code, codeUse{args[i].Span, t})
		}
	}
}

// anyoneStarts reports whether an outsider can start the scope's job with the
// repository's rights.
func (sc *scope) anyoneStarts() bool {
	return slices.ContainsFunc(sc.events, func(e Event) bool { return e.Who == platform.StartAnyone })
}
