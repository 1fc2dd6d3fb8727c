package wormindicator

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/reach/flow"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// Lengths of constant base 64, in bytes: a blob is a hidden script for certain,
// a shortBlob may be a small file.
const (
	blobBytes      = 200
	shortBlobBytes = 60
)

// interpreters run what they read.
var interpreters = []string{"sh", "bash", "zsh", "dash", "ksh", "python", "python3", "node", "bun", "deno", "perl", "ruby", "php", "pwsh", "eval", "source", "."}

// blob judges text that is decoded and run.
func (s *scanner) blob(c *workflows.Command) {
	if c.Name == "python" || c.Name == "python3" || c.Name == "node" || c.Name == "perl" {
		for _, w := range c.Args() {
			if text := s.trace.text(w); blobSize(text) >= blobBytes && (strings.Contains(text, "b64decode") || strings.Contains(text, "base64")) {
				s.add("blob", enough, c.Span, "a long encoded text is decoded and run by %s", c.Name)
			}
		}
	}
	if file := s.runsFile(c); file.blob >= blobBytes && file.coded {
		s.add("blob", enough, c.Span, "a long encoded text is decoded to a file and run")
	}
	if !isDecoder(c) {
		return
	}
	size := s.trace.output(c).blob
	for _, r := range c.Redirs {
		if strings.HasPrefix(r.Op, ">") && size >= blobBytes {
			name := cleanPath(s.trace.text(r.Target))
			s.trace.files[name] = s.trace.files[name].with(cargo{blob: size, coded: true})
		}
	}
	if !runs(c) {
		return
	}
	switch {
	case size >= blobBytes:
		s.add("blob", enough, c.Span, "a long encoded text is decoded and run by a shell or interpreter")
	case size >= shortBlobBytes:
		s.add("blob", part, c.Span, "an encoded text is decoded and run by a shell or interpreter")
	}
}

func isDecoder(c *workflows.Command) bool {
	return slices.Contains([]string{"base64", "base32", "openssl", "xxd", "basenc"}, c.Name) && decodes(c)
}

// runs reports whether a command's output is run, behind further filters too.
func runs(c *workflows.Command) bool {
	for into := c; into != nil; into = into.PipesInto {
		if into != c && slices.Contains(interpreters, into.Name) {
			return true
		}
		if w := into.Within; w != nil && slices.Contains(interpreters, w.Name) {
			return true
		}
	}
	return false
}

// runsFile returns what the file that a command runs holds.
func (s *scanner) runsFile(c *workflows.Command) cargo {
	if len(c.Words) == 0 {
		return cargo{}
	}
	if slices.Contains(interpreters, c.Name) {
		for _, w := range c.Args() {
			if !strings.HasPrefix(w.Text, "-") {
				return s.trace.file(w)
			}
		}
		return cargo{}
	}
	return s.trace.file(c.Words[min(c.NameAt, len(c.Words)-1)])
}

// memory judges commands that read what other processes hold.
func (s *scanner) memory(c *workflows.Command) {
	words := c.Words
	if len(c.Redirs) > 0 {
		words = slices.Concat(words, targets(c))
	}
	for _, w := range words {
		rest, ok := strings.CutPrefix(w.Text, "/proc/")
		if !ok {
			continue
		}
		who, file, _ := strings.Cut(rest, "/")
		switch {
		case who == "self" || who == "thread-self":
		case file == "mem":
			s.add("memory", enough, c.Span, "%s reads the memory of another process, as is done to take a runner's secrets", name(c))
		case file == "environ" && who == "*":
			s.add("memory", enough, c.Span, "%s reads the environment of every process", name(c))
		case file == "environ":
			s.add("environment", part, c.Span, "%s reads the environment of another process", name(c))
		}
	}
	inWords := func(text string) bool {
		return slices.ContainsFunc(c.Line, func(w string) bool { return strings.Contains(w, text) })
	}
	switch {
	case inWords("Runner.Worker") && (c.Name == "gcore" || c.Name == "gdb" || c.Name == "procdump"):
		s.add("memory", enough, c.Span, "%s dumps the memory of the runner", c.Name)
	case inWords("Runner.Worker") && (c.Name == "pgrep" || c.Name == "pidof" || c.Name == "pkill"):
		s.add("worker", part, c.Span, "%s looks for the runner's own process", c.Name)
	case slices.Contains([]string{"grep", "egrep", "rg"}, c.Name) && inWords("isSecret") && len(s.trace.writers[c]) > 0:
		s.add("memory", enough, c.Span, "%s picks secrets out of what the runner's memory looks like", c.Name)
	}
	ran := func(w *workflows.Command) bool { return slices.Contains(interpreters, w.Name) }
	if c.Name == "tr" && slices.ContainsFunc(s.trace.writers[c], ran) && inWords(`\0`) && inWords("-d") {
		s.add("zeros", part, c.Span, "zero bytes are taken out of what a program prints, as of a dump of memory")
	}
	if (c.Name == "gcore" || c.Name == "gdb") && c.Name != "" && slices.ContainsFunc(c.Words, func(w workflows.Word) bool {
		return slices.ContainsFunc(w.Commands, func(in *workflows.Command) bool {
			return slices.Contains(in.Line, "Runner.Worker")
		})
	}) {
		s.add("memory", enough, c.Span, "%s dumps the memory of the runner", c.Name)
	}
}

func targets(c *workflows.Command) (out []workflows.Word) {
	for _, r := range c.Redirs {
		out = append(out, r.Target)
	}
	return out
}

// fetchedFromDrop judges what is fetched from a drop host or a bare address and run.
func (s *scanner) fetchedFromDrop(c *workflows.Command) {
	s.fetchedInText(c)
	if reach.PipedToShell(c) == "" {
		return
	}
	for _, u := range s.trace.client(c, &request{}) {
		host, _ := hostOf(u)
		drop := slices.ContainsFunc(platform.FindIndicators(u), func(h platform.IndicatorHit) bool { return h.Kind == "host" })
		switch {
		case drop || isAddress(host):
			s.add("fetched from a drop", enough, c.Span, "what %s fetches from a bare address or a host of throw-away files is run", name(c))
		case strings.HasPrefix(host, "gist."):
			s.add("fetched gist", part, c.Span, "what %s fetches from a gist is run", name(c))
		}
	}
}

// pipedText finds an address whose content a shell or interpreter runs, in the text of
// a script that a command is given as a word.
var pipedText = regexp.MustCompile(`(?:curl|wget)\s[^|;&\n]*?(https?://[^\s'"|;&]+)[^|;&\n]*\|\s*(?:sudo\s+)?(?:ba|da|z)?(?:sh|python3?|node|perl)\b`)

// fetchedInText judges sh -c '…' in the same way.
func (s *scanner) fetchedInText(c *workflows.Command) {
	if !slices.Contains(interpreters, c.Name) {
		return
	}
	for _, w := range c.Args() {
		m := pipedText.FindStringSubmatch(s.trace.text(w))
		if m == nil {
			continue
		}
		host, _ := hostOf(m[1])
		if isAddress(host) || slices.ContainsFunc(platform.FindIndicators(m[1]), func(h platform.IndicatorHit) bool { return h.Kind == "host" }) {
			s.add("fetched from a drop", enough, c.Span, "what is fetched from a bare address or a host of throw-away files is run by %s", c.Name)
		}
	}
}

// remoteShell judges a shell whose input and output are another host's.
func (s *scanner) remoteShell(c *workflows.Command) {
	host := ""
	switch {
	case slices.Contains([]string{"sh", "bash", "zsh", "dash", "ksh"}, c.Name):
		for _, r := range c.Redirs {
			if rest, ok := strings.CutPrefix(s.trace.text(r.Target), "/dev/tcp/"); ok {
				host, _, _ = strings.Cut(rest, "/")
			}
		}
	case c.Name == "nc" || c.Name == "ncat" || c.Name == "netcat":
		runsShell := func(w workflows.Word) bool {
			return strings.HasSuffix(w.Text, "sh") && strings.Contains(w.Text, "/bin/")
		}
		if rest := s.trace.operands(c, 1); len(rest) > 0 && slices.ContainsFunc(c.Args(), runsShell) {
			host = rest[0]
		}
	}
	if host != "" && !isNear(host) {
		s.add("remote shell", enough, c.Span, "a shell takes its commands from another host by %s", c.Name)
	}
}

// remoteControl judges a script that asks a server again and again and runs each answer.
func (s *scanner) remoteControl(script *workflows.Script) {
	fetched := map[string]bool{} // by variable
	waits := false
	for _, c := range script.Commands {
		waits = waits || c.Name == "sleep"
		for _, a := range c.Assigns {
			fetched[a.Name] = fetched[a.Name] || slices.ContainsFunc(a.Value.Commands, fetches)
		}
	}
	for _, c := range script.Commands {
		if !waits || c.Name != "eval" && !slices.ContainsFunc(c.Args(), func(w workflows.Word) bool { return w.Text == "-c" }) {
			continue
		}
		if slices.ContainsFunc(c.Args(), func(w workflows.Word) bool {
			return slices.ContainsFunc(w.Vars, func(v string) bool { return fetched[v] })
		}) {
			s.add("remote control", enough, c.Span, "a server is asked again and again, and %s runs each of its answers", name(c))
		}
	}
}

func fetches(c *workflows.Command) bool {
	info, _ := platform.LookupCommand(c.Line)
	return info.Does == "fetch"
}

// preloads are variables that make later programs run code, with what their value
// must hold to do so.
var preloads = map[string]string{"BASH_ENV=": "", "LD_PRELOAD=": "", "NODE_OPTIONS=": "-r", "PYTHONSTARTUP=": "", "PERL5OPT=": "", "RUBYOPT=": "-r"}

// preload judges variables that are set for all later steps.
func (s *scanner) preload(c *workflows.Command) {
	toEnv := func(r workflows.Redir) bool {
		return strings.HasPrefix(r.Op, ">") && slices.Contains(r.Target.Vars, "GITHUB_ENV")
	}
	if !slices.ContainsFunc(c.Redirs, toEnv) {
		return
	}
	for _, w := range c.Args() {
		for begin, needs := range preloads {
			rest, ok := strings.CutPrefix(w.Text, begin)
			switch {
			case ok && s.trace.fetched[cleanPath(rest)]:
				s.add("preload", enough, c.Span, "%s is set for all later steps to a file that was fetched from the network", strings.TrimSuffix(begin, "="))
			case ok && strings.Contains(rest, needs) && !strings.HasSuffix(rest, "/.bashrc") && !strings.HasSuffix(rest, "/.bash_profile"):
				s.add("preload", part, c.Span, "%s is set for all later steps, which makes their programs run code", strings.TrimSuffix(begin, "="))
			}
		}
	}
}

// backdoor judges an outsider's text that a machine of one's own runs: the whole of
// a job that anyone starts.
func (s *scanner) backdoor() {
	if s.action != nil || !selfHosted(s.job.Job) {
		return
	}
	runs := 0
	for _, step := range s.steps {
		if step.Run != nil {
			runs++
		}
	}
	for _, sink := range s.p.Graph.Flow.SinksOf(s.job.Job) {
		if sink.Kind != flow.SinkScript || sink.Who() != platform.StartAnyone || !slices.ContainsFunc(sink.Taints, isBody) {
			continue
		}
		if runs == 1 || s.setsTracking() {
			s.add("backdoor", enough, sink.Span, "whoever writes a discussion, issue or comment runs it on a machine of the repository's own")
			return
		}
	}
}

func isBody(t flow.Taint) bool {
	return strings.HasSuffix(t.Source, ".body") || strings.HasSuffix(t.Source, ".title") || t.Source == "github.event.discussion" || t.Source == "github.event.comment" || t.Source == "github.event.issue"
}

func selfHosted(j *workflows.Job) bool {
	return j.RunsOn != nil && slices.ContainsFunc(j.RunsOn.Labels, func(l *workflows.Scalar) bool { return strings.EqualFold(l.Value, "self-hosted") })
}

const trackingVariable = "RUNNER_TRACKING_ID"

// setsTracking reports whether the job frees its processes from the runner's
// clean-up, which finds them by the variable.
func (s *scanner) setsTracking() bool { _, ok := s.tracking(); return ok }

func (s *scanner) tracking() (workflows.Span, bool) {
	for _, step := range s.steps {
		env := step.Env.All()
		if s.action == nil {
			env = s.job.Job.EffectiveEnv(step)
		}
		for _, e := range env {
			if e.Key.Value == trackingVariable {
				return e.Key.Span, true
			}
		}
		if step.Run == nil {
			continue
		}
		for _, c := range step.Run.Commands {
			for _, a := range c.Assigns {
				if a.Name == trackingVariable {
					return a.Span, true
				}
			}
		}
	}
	return workflows.Span{}, false
}

func (s *scanner) trackingID() {
	if span, ok := s.tracking(); ok {
		s.add("tracking", part, span, "processes are kept alive after the job by %s", trackingVariable)
	}
}

// onlySends judges a workflow that does nothing but to send something away, on
// every push.
func (s *scanner) onlySends() {
	if s.action != nil || !everyPush(s.job.Job.Workflow) || len(s.job.Job.Workflow.Jobs) > 1 {
		return
	}
	var first *workflows.Command
	for _, step := range s.steps {
		if step.Uses != nil {
			if info, ok := platform.LookupAction(step.Uses.FullName()); !ok || !info.Checkout {
				return
			}
		}
		if step.Run == nil {
			continue
		}
		for _, c := range step.Run.Commands {
			if !slices.Contains([]string{"curl", "wget", "nc", "echo", "printf", "sleep", "true", "", "set", "export", "base64", "jq", "cat"}, c.Name) {
				return
			}
			if first == nil && (c.Name == "curl" || c.Name == "wget" || c.Name == "nc") {
				first = c
			}
		}
	}
	if first != nil {
		s.add("only sends", part, first.Span, "the workflow does nothing but to send something, on every push")
	}
}

// everyPush reports whether pushes to all branches start the workflow, and nothing
// but pushes and people do.
func everyPush(w *workflows.Workflow) bool {
	push := false
	for _, t := range w.On {
		switch t.Event {
		case "push":
			every := !t.Filtered() || slices.ContainsFunc(t.Branches, func(b *workflows.Scalar) bool { return b.Value == "*" || b.Value == "**" })
			push = push || every && len(t.Paths) == 0
		case "workflow_dispatch", "schedule", "pull_request_target":
		default:
			return false
		}
	}
	return push
}

// runsOneFile judges a job that may ask for an id-token, or a step of an action,
// that installs a JavaScript runtime only to run one file.
func (s *scanner) runsOneFile() {
	setup, run := false, (*workflows.Command)(nil)
	always := false
	for _, step := range s.steps {
		switch {
		case step.Uses != nil && isRuntime(step.Uses):
			setup = true
		case step.Uses != nil:
			if info, ok := platform.LookupAction(step.Uses.FullName()); s.action == nil && (!ok || !info.Checkout) {
				return
			}
		case step.Run != nil:
			for _, c := range step.Run.Commands {
				setup = setup || s.action != nil && installsRuntime(c)
				if !isRuntimeCommand(c) {
					if s.action == nil && c.Name != "" && c.Name != "echo" && c.Name != "export" {
						return
					}
					continue
				}
				if !runsScript(c) {
					return
				}
				run, always = c, step.If != nil && strings.Contains(step.If.Value, "always()")
			}
		}
	}
	if !setup || run == nil {
		return
	}
	switch {
	case s.action != nil && always:
		s.add("runtime", enough, run.Span, "the action installs a runtime and runs a file of its own with it, also when the steps before failed")
	case s.action == nil && s.mints() && everyPush(s.job.Job.Workflow):
		s.add("runtime", enough, run.Span, "on every push a runtime is installed to run one file, in a job that may ask for an id-token")
	}
}

// isRuntimeCommand reports whether a command is bun or deno, by any path.
func isRuntimeCommand(c *workflows.Command) bool {
	base := c.Name
	if base == "" && len(c.Words) > 0 {
		base = path.Base(c.Words[min(c.NameAt, len(c.Words)-1)].Text)
	}
	return base == "bun" || base == "deno"
}

// installsRuntime reports whether a command fetches the installer of one.
func installsRuntime(c *workflows.Command) bool {
	return slices.ContainsFunc(c.Words, func(w workflows.Word) bool {
		return strings.Contains(w.Text, "bun.sh/install") || strings.Contains(w.Text, "bun.com/install") || strings.Contains(w.Text, "deno.land/install")
	})
}

func isRuntime(u *workflows.Uses) bool {
	n := u.Name()
	return strings.HasSuffix(n, "/setup-bun") || strings.HasSuffix(n, "/setup-deno")
}

// runsScript reports whether bun or deno is told to run a file.
func runsScript(c *workflows.Command) bool {
	return slices.ContainsFunc(c.Args(), func(w workflows.Word) bool {
		return strings.HasSuffix(w.Text, ".js") || strings.HasSuffix(w.Text, ".mjs") || strings.HasSuffix(w.Text, ".ts") || strings.HasSuffix(w.Text, ".cjs")
	})
}
