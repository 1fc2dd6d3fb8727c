package reach

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/reach/flow"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// Executed returns what runs the code that a checkout or an artifact brings into the job, in order
// of the steps: each step once.
func (j *Job) Executed(checkout *flow.Sink) []*Code {
	var out []*Code
	for _, c := range j.executed {
		if c.Checkout == checkout {
			out = append(out, c)
		}
	}
	return out
}

// trees is whose code lies where in a workspace, by directory; nil is the
// repository's own.
type trees map[string]*flow.Sink

// put records what a checkout leaves in dir. A checkout of the workspace itself
// removes what lay in it.
func (t trees) put(dir string, sink *flow.Sink) {
	if dir == "" {
		clear(t)
	}
	t[dir] = sink
}

// at returns the outsider's checkout that dir lies in. In an unknown directory any
// of them may be; the lowest counts, so that runs agree.
func (t trees) at(dir string) *flow.Sink {
	if dir == flow.UnknownDir {
		return t.any()
	}
	for at := dir; ; at = path.Dir(at) {
		if at == "." {
			at = ""
		}
		if sink, ok := t[at]; ok || at == "" {
			if sink == nil {
				return t[flow.UnknownDir]
			}
			return sink
		}
	}
}

func (t trees) any() *flow.Sink {
	var first *flow.Sink
	for _, s := range t {
		if s != nil && (first == nil || s.Span.Start < first.Span.Start) {
			first = s
		}
	}
	return first
}

// named returns the outsider's checkout in a directory of its own that one of the
// words names.
func (t trees) named(words []string) *flow.Sink {
	var first *flow.Sink
	for dir, s := range t {
		if dir == "" || dir == flow.UnknownDir || s == nil || first != nil && first.Span.Start <= s.Span.Start {
			continue
		}
		if s.Kind == flow.SinkArtifact {
			words = program(words)
		}
		if slices.ContainsFunc(words, func(w string) bool { return inside(w, dir) }) {
			first = s
		}
	}
	return first
}

// program returns the words of a command that name what it runs, without the data
// that it is given: the script, or all that an install takes.
func program(words []string) []string {
	if info, _ := platform.LookupCommand(words); info.Does == "install" || len(words) == 0 {
		return words
	}
	if strings.Contains(words[0], "/") {
		return words[:1]
	}
	i := slices.IndexFunc(words[1:], func(w string) bool { return !strings.HasPrefix(w, "-") })
	return words[:min(len(words), i+2)]
}

// own reports whether one of the words names a directory that holds a checkout of
// the repository's own commit.
func (t trees) own(words []string) bool {
	for dir, s := range t {
		if dir != "" && s == nil && slices.ContainsFunc(words, func(w string) bool { return inside(w, dir) }) {
			return true
		}
	}
	return false
}

// inside reports whether a word is a path into dir, also behind "flag=".
func inside(word, dir string) bool {
	if _, value, ok := strings.Cut(word, "="); ok && strings.HasPrefix(word, "-") {
		word = value
	}
	word = flow.CleanDir(word)
	return word == dir || strings.HasPrefix(word, dir+"/")
}

// addExecuted adds the outsider's code that steps run after it was checked out.
func (g *Graph) addExecuted(job *Job, sinks []*flow.Sink) {
	sinks = slices.DeleteFunc(slices.Clone(sinks), func(s *flow.Sink) bool { return s.Kind != flow.SinkCheckout && s.Kind != flow.SinkArtifact })
	if len(sinks) == 0 {
		return
	}
	w := &workspace{job: job, trees: trees{}}
	for _, p := range g.steps(job) {
		if len(p.Via) == 0 && !g.Flow.Runs(job.Job, p.Step) {
			continue
		}
		w.step(p, slices.DeleteFunc(slices.Clone(sinks), func(s *flow.Sink) bool { return s.Step != p.Step }))
	}
	for _, c := range job.executed {
		if worst := c.Checkout.Worst(); worst.Start == platform.StartAnyone {
			job.add(c)
		}
	}
}

// A workspace is followed through the steps of a job.
type workspace struct {
	job   *Job
	trees trees
	last  *workflows.Step
}

// step looks at one step; sinks are the outsider's checkouts in it.
func (w *workspace) step(p RunStep, sinks []*flow.Sink) {
	if p.Step.Run != nil {
		w.script(p, sinks)
		return
	}
	if p.Step.Uses == nil {
		return
	}
	if name, sink := w.uses(p); sink != nil {
		w.add(p, name, p.Step.Uses.Span, sink)
	}
	info, _ := platform.LookupAction(p.Step.Uses.FullName())
	switch {
	case len(sinks) > 0:
		w.put(sinks[0])
	case info.Checkout:
		dir, ok := p.Step.With.Get("path").Const()
		if ok || p.Step.With.Get("path") == nil {
			w.trees.put(flow.CleanDir(dir), nil)
		}
	}
}

func (w *workspace) put(s *flow.Sink) {
	dir, ok := s.Path()
	switch {
	case !ok && s.Kind == flow.SinkArtifact:
		return // by its nature a directory of its own
	case !ok:
		dir = flow.UnknownDir
	}
	w.trees.put(dir, s)
}

func (w *workspace) add(p RunStep, name string, at workflows.Span, sink *flow.Sink) {
	if w.last == p.Step || slices.ContainsFunc(w.job.executed, func(c *Code) bool { return slices.Contains(p.Via, c.Site) }) {
		return // one a step, and not again for what is inside an outsider's action
	}
	w.last = p.Step
	why := "runs the code that was checked out from outside"
	if sink.Kind == flow.SinkArtifact {
		why = "runs files that an artifact of another run brought"
	}
	w.job.executed = append(w.job.executed, &Code{
		Trust: OutsiderCode, Name: name, Site: Site{p.File, at}, Via: p.Via, Checkout: sink,
		Why: why,
	})
}

// uses returns whose code an action of a step runs.
func (w *workspace) uses(p RunStep) (string, *flow.Sink) {
	s := p.Step
	name, _ := Executes(s)
	if name == "" {
		return "", nil
	}
	if s.Uses.Kind == workflows.UsesLocal {
		return name, w.trees.at(flow.CleanDir(s.Uses.Path))
	}
	var words []string
	for _, e := range s.With.All() {
		words = append(words, strings.Fields(e.Value.Value)...)
	}
	if sink := w.trees.named(words); sink != nil && sink.Kind == flow.SinkCheckout {
		return name, sink
	}
	for _, in := range []string{"working-directory", "working_directory", "workdir", "context", "cwd", "project"} {
		if v := s.With.Get(in); v != nil {
			if dir, ok := v.Const(); ok && !strings.Contains(dir, ":") {
				return name, w.trees.at(flow.CleanDir(dir))
			}
			return name, w.trees.any()
		}
	}
	return name, w.trees.at("")
}

// script walks the commands of a script: where they run, what they check out, what
// they run of it.
func (w *workspace) script(p RunStep, sinks []*flow.Sink) {
	job := w.job.Job
	if len(p.Via) > 0 {
		job = nil
	}
	dir := flow.StartDir(job, p.Step)
	for _, c := range p.Step.Run.Commands {
		dir = flow.AfterCommand(dir, c)
		for _, s := range sinks {
			if s.Span == c.Span {
				w.put(s)
			}
		}
		words := c.Line
		if file, ok := fileOutside(c); ok {
			if sink := w.trees.named([]string{file}); sink != nil {
				name := "…" + file
				if len(words) > 0 {
					name = shortName(words)
				}
				w.add(p, name, c.Span, sink)
				continue
			}
		}
		if !runsTree(c, words) {
			continue
		}
		sink := w.trees.named(paths(c))
		if sink == nil && !w.trees.own(words) {
			sink = w.trees.at(dir)
		}
		if sink != nil {
			w.add(p, shortName(words), c.Span, sink)
		}
	}
	if parsed(p.Step.Run) {
		return
	}
	if name, at := textExecutes(p.Step); name != "" {
		if sink := w.trees.at(dir); sink != nil {
			w.add(p, name, at, sink)
		}
	}
}

func parsed(s *workflows.Script) bool { return s.Shell == workflows.ShellPOSIX && s.Err == nil }

// Executes says what of the workspace a step runs, so that after a checkout of
// an outsider's code it is the outsider's: local actions, build tools, scripts of
// the tree, setup actions that read its files. It returns "" for none.
func Executes(s *workflows.Step) (name string, at workflows.Span) {
	if s.Uses != nil {
		if s.Uses.Kind == workflows.UsesLocal {
			return "the local action " + s.Uses.Value, s.Uses.Span
		}
		if info, ok := platform.LookupAction(s.Uses.FullName()); ok && info.RunsWorkspace && runsWith(s, info.RunsWith) {
			return s.Uses.Value + " on the tree", s.Uses.Span
		}
		return "", workflows.Span{}
	}
	if s.Run == nil {
		return "", workflows.Span{}
	}
	for _, c := range s.Run.Commands {
		if words := c.Line; runsTree(c, words) {
			return shortName(words), c.Span
		}
	}
	if parsed(s.Run) {
		return "", workflows.Span{}
	}
	return textExecutes(s)
}

// runsWith reports whether one of the inputs is set, or none is asked for.
func runsWith(s *workflows.Step, inputs []string) bool {
	return len(inputs) == 0 || slices.ContainsFunc(inputs, func(name string) bool {
		v := s.With.Get(name)
		return v != nil && v.Value != "" && !strings.EqualFold(v.Value, "false")
	})
}

// textExecutes is Executes for scripts that are kept as text: any build tool's
// name in it counts.
func textExecutes(s *workflows.Step) (string, workflows.Span) {
	for _, line := range strings.Split(s.Run.Value, "\n") {
		words := strings.Fields(line)
		if info, ok := platform.LookupCommand(words); ok && info.Runs && !named(words, info) {
			return shortName(words), s.Run.Span
		}
	}
	return "", workflows.Span{}
}

// shortName is a command's name with its subcommand or file.
func shortName(words []string) string {
	return strings.ReplaceAll(strings.Join(words[:min(2, len(words))], " "), "\uFFFD", "…")
}

// runsTree reports whether a command runs code that lies in the workspace.
func runsTree(c *workflows.Command, words []string) bool {
	info, ok := platform.LookupCommand(words)
	if !ok || !info.Runs || asksVersion(words) || named(words, info) {
		return false
	}
	switch c.Name {
	case "sh", "bash", "zsh", "dash", "ksh", "node", "ruby", "perl", "php", "pwsh", "powershell", "source", ".":
		return runsFile(c)
	case "python", "python3", "py":
		// -c and -m look for modules in the directory they start in.
		return len(c.Args()) > 0 && (strings.HasPrefix(words[1], "-") || runsFile(c))
	case "eval", "command", "type", "hash", "which":
		return false
	case "docker", "podman":
		return words[1] != "run" || mounts(words)
	}
	return true
}

func asksVersion(words []string) bool {
	return len(words) == 2 && slices.Contains([]string{"--version", "-v", "-V", "-version", "version", "--help", "-h"}, words[1])
}

// named reports whether an install takes packages by name, from their registry, and
// nothing that the workspace lists.
func named(words []string, info platform.CommandInfo) bool {
	if info.Does != "install" {
		return false
	}
	if slices.Contains(words, "-g") || slices.Contains(words, "--global") {
		return true
	}
	if !slices.Contains([]string{"pypi", "crates", "rubygems", "go", "homebrew", "chocolatey", "scoop", "winget", "cpan", "luarocks", "opam", "helm"}, info.Opens) {
		return false
	}
	operands := 0
	for _, w := range words[1:] {
		switch {
		case w == "-r" || w == "-e" || w == "-c" || w == "." || strings.HasPrefix(w, "--requirement") || strings.HasPrefix(w, "--editable") ||
			strings.HasPrefix(w, "--path") || strings.HasPrefix(w, "--group"):
			return false
		case strings.HasPrefix(w, ".") || strings.HasPrefix(w, "/"):
			return false
		case !strings.HasPrefix(w, "-"):
			operands++
		}
	}
	switch words[0] {
	case "uv", "poetry", "pdm", "pipenv", "rye", "bundle":
		return words[0] == "uv" && len(words) > 1 && (words[1] == "tool" || words[1] == "pip") && operands > 2
	case "go":
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(w, "@") })
	}
	return operands > 1
}

// paths returns the words of a command from its name on, with the runner's own
// directories written out.
func paths(c *workflows.Command) []string {
	out := slices.Clone(c.Line)
	for i, w := range c.Args() {
		out[i+1] = flow.WordPath(w)
	}
	return out
}

// fileOutside returns the file outside of the workspace that a command runs, by itself
// or by an interpreter: an artifact may lie there as well.
func fileOutside(c *workflows.Command) (string, bool) {
	if len(c.Words) == 0 {
		return "", false
	}
	program := c.Words[min(c.NameAt, len(c.Words)-1)]
	if interpreters[c.Name] && !runsFile(c) {
		i := slices.IndexFunc(c.Args(), func(w workflows.Word) bool { return !strings.HasPrefix(w.Text, "-") })
		if i < 0 || shellTextBefore(c.Args()[:i]) {
			return "", false
		}
		program = c.Args()[i]
	}
	file := flow.WordPath(program)
	return file, strings.HasPrefix(file, "/") && strings.Count(file, "/") > 1
}

// interpreters run the file that they are given.
var interpreters = map[string]bool{
	"sh": true, "bash": true, "zsh": true, "dash": true, "ksh": true, "node": true, "ruby": true, "perl": true, "php": true, "pwsh": true,
	"python": true, "python3": true, "source": true, ".": true,
}

// shellTextBefore reports whether an option takes the script as a word or from the input.
func shellTextBefore(options []workflows.Word) bool {
	return slices.ContainsFunc(options, func(w workflows.Word) bool { return shellText.MatchString(w.Text) || w.Text == "-e" || w.Text == "-m" })
}

// runsFile reports whether an interpreter is given a file that may lie in the
// workspace, and not text, its input, or a file of the runner.
func runsFile(c *workflows.Command) bool {
	shell := slices.Contains([]string{"sh", "bash", "zsh", "dash", "ksh"}, c.Name)
	for _, w := range c.Args() {
		switch {
		case w.Text == "-" || !shell && slices.Contains([]string{"-e", "--eval", "-p", "-r", "-c", "-Command", "-command"}, w.Text),
			shell && shellText.MatchString(w.Text):
			return false
		case strings.HasPrefix(w.Text, "-"):
		case len(w.Commands) > 0: // <(curl …)
			return false
		default:
			return !outsideWorkspace(w)
		}
	}
	return false
}

// shellText matches the options by which a shell takes its script as a word or from
// its input.
var shellText = regexp.MustCompile(`^-[a-z]*[cs]$`)

// runnerVars name places outside the workspace.
var runnerVars = []string{"HOME", "RUNNER_TEMP", "RUNNER_TOOL_CACHE", "GITHUB_ACTION_PATH", "GITHUB_PATH", "GITHUB_ENV"}

func outsideWorkspace(w workflows.Word) bool {
	if strings.HasPrefix(w.Text, "/") || strings.HasPrefix(w.Text, "~") {
		return true
	}
	return strings.HasPrefix(w.Text, "\uFFFD") && (slices.ContainsFunc(w.Vars, func(v string) bool { return slices.Contains(runnerVars, v) }) ||
		slices.ContainsFunc(w.Exprs, func(e *workflows.Expr) bool {
			return e.Text == "github.action_path" || strings.HasPrefix(e.Text, "runner.")
		}))
}

// mounts reports whether a container sees directories of the runner.
func mounts(words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool {
		return w == "-v" || w == "--mount" || strings.HasPrefix(w, "--volume") || strings.HasPrefix(w, "--mount=") || strings.HasPrefix(w, "-v=")
	})
}
