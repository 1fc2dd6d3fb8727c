package workflows

import (
	"path"
	"strings"
)

// A shellContext is what decides the shell of a step that names none.
type shellContext struct {
	job, workflow *Scalar
	runsOn        *RunsOn
}

// steps builds a list of steps.
func (b *builder) steps(f field, shell shellContext) []*Step {
	if f.val.kind != listNode {
		b.wrong(f, "a list")
		return nil
	}
	out := make([]*Step, 0, len(f.val.items))
	b.in(f.key.Value, func() {
		for i, item := range f.val.items {
			b.path = append(b.path, pathStep{index: i})
			if item.kind == mapNode {
				s := &Step{Index: i, Span: item.span}
				b.step(s, item, shell)
				out = append(out, s)
			} else {
				b.wrongAt("", item, b.spanOr(field{key: f.key, val: item}), "a mapping")
			}
			b.path = b.path[:len(b.path)-1]
		}
	})
	return out
}

// step builds one step.
func (b *builder) step(s *Step, n node, shell shellContext) {
	var run *Scalar
	for _, f := range n.fields {
		switch f.key.Value {
		case "run":
			run, s.RunSpan = b.text(f), f.key.Span
		case "uses":
			s.Uses, s.UsesSpan = b.uses(f), f.key.Span
		case "with":
			s.With, s.WithSpan = b.textMap(f), f.key.Span
		case "parallel":
			s.Parallel = b.steps(f, shell)
		default:
			if !b.stepDetail(s, f) {
				s.Unknown = append(s.Unknown, newField(f))
			}
		}
	}
	if run != nil {
		s.Run = parseScript(run, shell.of(s.Shell))
	}
}

// stepDetail reads the keys of a step that say how it runs.
func (b *builder) stepDetail(s *Step, f field) bool {
	switch f.key.Value {
	case "id":
		s.ID = b.text(f)
	case "name":
		s.Name = b.text(f)
	case "if":
		s.If = b.condition(f)
	case "env":
		s.Env = b.textMap(f)
	case "shell":
		s.Shell = b.text(f)
	case "working-directory":
		s.WorkingDirectory = b.text(f)
	case "continue-on-error":
		s.ContinueOnError = b.text(f)
	case "timeout-minutes":
		s.Timeout = b.text(f)
	case "background":
		s.Background = b.text(f)
	default:
		return false
	}
	return true
}

// uses builds a uses: with its comment.
func (b *builder) uses(f field) *Uses {
	s := b.text(f)
	if s == nil {
		return nil
	}
	u := ParseUses(s.Value)
	u.Scalar = s
	if !u.RefSpan.IsZero() {
		u.RefSpan = s.SpanOf(u.RefSpan.Start, u.RefSpan.End)
	}
	u.Comment = b.file.trailingComment(s.Span)
	return u
}

// of returns the shell family of a step: its own shell:, else the job's, else the
// workflow's, else what the runner's system implies. A shell or label that is an
// expression counts as POSIX: a script of another language then fails to parse
// and is kept as text, while a POSIX one is understood.
func (c shellContext) of(own *Scalar) Shell {
	for _, s := range []*Scalar{own, c.job, c.workflow} {
		if s == nil {
			continue
		}
		if name, ok := s.Const(); ok {
			return shellNamed(name)
		}
		return ShellPOSIX
	}
	if c.runsOn != nil {
		for _, l := range c.runsOn.Labels {
			if label, ok := l.Const(); ok && strings.HasPrefix(strings.ToLower(label), "windows") {
				return ShellPowerShell
			}
		}
	}
	return ShellPOSIX
}

// shellNamed returns the family of a shell: value, which is a name or a command
// line such as "bash -e {0}" or "nix develop -c bash {0}".
func shellNamed(command string) Shell {
	for _, word := range strings.Fields(command) {
		name := path.Base(strings.ReplaceAll(strings.ToLower(word), `\`, "/"))
		switch strings.TrimSuffix(name, ".exe") {
		case "bash", "sh", "dash":
			return ShellPOSIX
		case "pwsh", "powershell":
			return ShellPowerShell
		case "cmd":
			return ShellCmd
		}
	}
	return ShellOther
}

// flatten returns the steps with those of parallel: blocks behind their block.
func flatten(steps []*Step) []*Step {
	nested := 0
	for _, s := range steps {
		nested += len(s.Parallel)
	}
	if nested == 0 {
		return steps
	}
	out := make([]*Step, 0, len(steps)+nested)
	for _, s := range steps {
		out = append(append(out, s), flatten(s.Parallel)...)
	}
	return out
}

// Title returns what a person would call the step: its name, else its id, else
// what it uses, else the first line of its script.
func (s *Step) Title() string {
	for _, candidate := range []*Scalar{s.Name, s.ID} {
		if candidate.String() != "" {
			return candidate.Value
		}
	}
	switch {
	case s.Uses != nil:
		return s.Uses.Value
	case s.Run != nil:
		for line := range strings.Lines(s.Run.Value) {
			if line = strings.TrimSpace(line); line != "" {
				return line
			}
		}
	case s.Parallel != nil:
		return "parallel"
	}
	return ""
}
