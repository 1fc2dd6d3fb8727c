package flow

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
)

// A scriptFlow is what one script does with text: what it leaves for later steps
// and where it uses text as code.
type scriptFlow struct {
	env     []named            // GITHUB_ENV, in order
	outputs map[string][]Taint // by lower-case name; "" when the name is not constant
	// constant holds the outputs that are made of constant words alone.
	constant map[string]bool
	// lines is text whose line breaks set outputs of any name, and after holds the
	// outputs that are set behind it: the last one counts.
	lines   []Taint
	after   map[string]bool
	saved   map[string][]Taint // files of the workspace that hold text, by path
	files   []fileWrite
	code    []codeUse
	prompts []codeUse // what agents are told
	// unpackings are the artifacts of other runs that it puts into the workspace.
	unpackings []unpacking
}

func newScriptFlow() *scriptFlow {
	return &scriptFlow{outputs: map[string][]Taint{}, constant: map[string]bool{}, after: map[string]bool{}, saved: map[string][]Taint{}}
}

// A named is text under a name.
type named struct {
	name   string
	taints []Taint
}

// A fileWrite is tainted text written to GITHUB_ENV or GITHUB_PATH.
type fileWrite struct {
	span   workflows.Span
	name   string // the variable, "" when the text decides it
	taints []Taint
}

// A codeUse is tainted text used as code by the script itself.
type codeUse struct {
	span   workflows.Span
	taints []Taint
}

func (f *scriptFlow) output(name string) []Taint {
	out := merge(slices.Clone(f.outputs[strings.ToLower(name)]), f.outputs[""])
	if !f.after[strings.ToLower(name)] {
		out = merge(out, f.lines)
	}
	return out
}

// clobber records that text of several lines is written as the value of one output.
func (f *scriptFlow) clobber(t []Taint) {
	for _, x := range t {
		if x.HoldsLines() && !x.Guess && (strings.HasPrefix(x.Source, "github.event.") || x.Source == ArtifactSource || x.Source == TreeSource) {
			f.lines = merge(f.lines, []Taint{x})
			clear(f.after)
		}
	}
}

// setOutput records a write of an output; fixed is set for constant text.
func (f *scriptFlow) setOutput(name string, t []Taint, fixed bool) {
	name = strings.ToLower(name)
	f.after[name] = len(f.lines) > 0
	known, written := f.constant[name]
	f.constant[name] = fixed && (known || !written)
	if len(t) > 0 {
		f.outputs[name] = merge(f.outputs[name], t)
	}
}

// A stepLog holds, in order, the flows of the steps that leave something for later
// ones, as far as they have been looked at.
type stepLog struct {
	next    int
	entries []logEntry
}

type logEntry struct {
	at   int // index of the step
	flow *scriptFlow
}

// before returns the flows of what runs before a step in its job and leaves
// something; nil means after all steps.
func (st *state) before(sc *scope, s *workflows.Step, m mode) []*scriptFlow {
	end := len(sc.steps)
	if i, ok := sc.index[s]; ok {
		end = i
	}
	log := &sc.log[m]
	for log.next < end {
		at := log.next
		log.next++
		if f := st.script(sc, sc.steps[at], m); f != nil && len(f.env)+len(f.saved) > 0 {
			log.entries = append(log.entries, logEntry{at, f})
		}
		if child := sc.children[sc.steps[at]]; child != nil {
			for _, f := range st.inside(child, m) {
				log.entries = append(log.entries, logEntry{at, f})
			}
		}
	}
	var out []*scriptFlow
	if sc.action != nil && len(sc.calls) == 1 {
		out = st.before(sc.calls[0].from, sc.calls[0].step, m)
	}
	if !st.spend(len(log.entries)) {
		return out
	}
	for _, e := range log.entries {
		if e.at < end {
			out = append(out, e.flow)
		}
	}
	return out
}

// inside returns the flows of a composite action's own steps that leave something.
func (st *state) inside(child *scope, m mode) []*scriptFlow {
	all := st.before(child, nil, m)
	return all[len(all)-len(child.log[m].entries):]
}

// script returns the flows of a step's script, computed once a scope, step and
// mode; nil for a step that has none, or while it is being computed: a cycle
// carries nothing new.
func (st *state) script(sc *scope, s *workflows.Step, m mode) *scriptFlow {
	if s.Run == nil && !isGithubScript(s) && !takesArtifacts(s) && !takesCommits(s) {
		return nil
	}
	if sc.flows[m] == nil {
		sc.flows[m] = map[*workflows.Step]*scriptFlow{}
	}
	if f, ok := sc.flows[m][s]; ok {
		return f
	}
	sc.flows[m][s] = nil
	r := &reader{ev: st.newEval(m), sc: sc, step: s, flow: newScriptFlow(), vars: map[string][]Taint{}, open: map[string]block{}}
	r.inherit()
	r.takesTree()
	switch {
	case isGithubScript(s):
		r.javascript(s.With.Get("script"))
	case takesArtifacts(s):
		r.downloads()
	case s.Run == nil:
	case s.Run.Shell == workflows.ShellPOSIX:
		for _, c := range s.Run.Commands {
			r.command(c)
		}
	case s.Run.Shell == workflows.ShellOther:
		r.python()
	default:
		r.lines()
	}
	sc.flows[m][s] = r.flow
	return r.flow
}

// A reader reads one script.
type reader struct {
	ev   *eval
	sc   *scope
	step *workflows.Step
	flow *scriptFlow
	// dir is the directory in which the next command runs.
	dir string
	// vars are the variables that carry text.
	vars map[string][]Taint
	// open are the multi-line values (NAME<<END) being written, by the runner's file.
	open map[string]block
	// checks are the parts of the script in which a variable is known to be plain,
	// once looked is set.
	checks []check
	looked bool
}

// A block is a value of several lines that ends at a line of its own.
type block struct{ name, end string }

// eventVariables are the default variables that an outsider sets.
var eventVariables = map[string]string{"GITHUB_HEAD_REF": "head_ref"}

// inherit sets the variables that the script starts with.
func (r *reader) inherit() {
	r.dir = StartDir(r.sc.plainJob(), r.step)
	for name, field := range eventVariables {
		ref := &workflows.Ref{Parts: []workflows.Part{{Name: "github"}, {Name: field}}, Span: r.span()}
		if t := r.ev.source(r.sc, ref); len(t) > 0 {
			r.vars[name] = t
		}
	}
	for _, f := range r.ev.st.before(r.sc, r.step, r.ev.mode) {
		for _, w := range f.env {
			r.vars[w.name] = merge(r.vars[w.name], through(w.taints, r.sc.file, r.span(), "through GITHUB_ENV "+w.name))
		}
		for path, t := range f.saved {
			r.flow.saved[path] = merge(r.flow.saved[path], t)
		}
	}
	for _, b := range r.sc.env(r.step) {
		name := b.entry.Key.Value
		t := r.ev.scalar(b.sc, b.step, b.entry.Value)
		delete(r.vars, name)
		if len(t) > 0 {
			r.vars[name] = through(t, b.sc.file, b.entry.Key.Span, "through env "+name)
		}
	}
}

// span is the place of the script as a whole.
func (r *reader) span() workflows.Span {
	if r.step.Run != nil {
		return r.step.RunSpan
	}
	return r.step.UsesSpan
}

// printedOutput records text for GITHUB_OUTPUT, GITHUB_ENV or GITHUB_PATH.
func (r *reader) printedOutput(target, name string, t []Taint, fixed bool, at workflows.Span) {
	switch target {
	case "GITHUB_OUTPUT":
		r.flow.setOutput(name, t, fixed)
	case "GITHUB_ENV":
		if len(t) > 0 {
			r.flow.env = append(r.flow.env, named{name, t})
			r.flow.files = append(r.flow.files, fileWrite{at, name, t})
		}
	case "GITHUB_PATH":
		if len(t) > 0 {
			r.flow.files = append(r.flow.files, fileWrite{at, "PATH", t})
		}
	}
}

// lines reads a script that is kept as text, PowerShell above all, a line at a
// time: assignments, and writes to the runner's files.
func (r *reader) lines() {
	text := r.step.Run.Value
	start := 0
	for line := range strings.Lines(text) {
		end := start + len(line)
		t := r.lineTaints(line, start, end)
		if codeLine.MatchString(line) || r.step.Run.Shell == workflows.ShellCmd && cmdVariable.MatchString(line) {
			r.codeOf(line, start, end)
		}
		if m := psAssign.FindStringSubmatch(line); m != nil && len(t) > 0 {
			r.vars[m[1]] = merge(r.vars[m[1]], t)
		}
		if m := runnerFilePattern.FindStringSubmatch(line); m != nil {
			name := ""
			if n := outputName.FindStringSubmatch(line); n != nil {
				name = n[1]
			}
			r.printedOutput(m[1], name, t, false, r.step.Run.SpanOf(start, end-len(line)+len(strings.TrimRight(line, "\r\n"))))
		}
		start = end
	}
}

func (r *reader) lineTaints(line string, start, end int) []Taint {
	var t []Taint
	for _, e := range r.step.Run.Exprs {
		if e.Start >= start && e.Start < end {
			t = merge(t, r.ev.expr(r.sc, r.step, e))
		}
	}
	return merge(t, r.variablesOf(line))
}

// codeOf records a line that runs the text of its variables as code; its expressions
// are sinks of their own.
func (r *reader) codeOf(line string, start, end int) {
	if t := r.variablesOf(line); len(t) > 0 {
		at := r.step.Run.SpanOf(start+len(line)-len(strings.TrimLeft(line, " \t")), end-len(line)+len(strings.TrimRight(line, "\r\n")))
		r.flow.code = append(r.flow.code, codeUse{at, t})
	}
}

func (r *reader) variablesOf(line string) []Taint {
	var t []Taint
	form := psVariable
	if r.step.Run.Shell == workflows.ShellCmd {
		form = cmdVariable
	}
	for _, m := range form.FindAllStringSubmatch(line, -1) {
		for _, name := range m[1:] {
			t = merge(t, r.vars[name])
		}
	}
	return t
}
