package debuglogging

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// A trace is a part of a script of which the shell prints the commands.
type trace struct {
	at workflows.Span // what switches it on
	// from and to delimit the commands by their starts.
	from, to int
	fix      *workflows.Edit
	// file is set when the shell prints what a script file runs: what it takes from the
	// environment of the step counts too.
	file bool
}

// traces returns the parts of a step's script that are printed, in order.
func traces(p *lint.Pass, s *workflows.Step, job *reach.Job) []trace {
	end := s.Run.Span.End + 1
	var out []trace
	if shell := shellOf(p, s, job); shell != nil && traced(strings.Fields(shell.Value)) {
		out = append(out, trace{at: shell.Span, to: end})
	}
	for _, c := range s.Run.Commands {
		if t, ok := tracedFile(c); ok {
			out = append([]trace{t}, out...)
		}
		if c.Name != "set" {
			continue
		}
		on, off, at, fix := option(p.File, c)
		open := len(out) > 0 && out[len(out)-1].to == end
		switch {
		case off && open:
			out[len(out)-1].to = c.Span.Start
		case on && !open:
			out = append(out, trace{at: at, from: c.Span.End, to: end, fix: fix})
		}
	}
	return out
}

// tracedFile reads bash -x FILE, which prints the commands of the file.
func tracedFile(c *workflows.Command) (trace, bool) {
	if !traced(c.Line) {
		return trace{}, false
	}
	for i, w := range c.Args() {
		switch {
		case i > 0 && !strings.HasPrefix(w.Text, "-"):
			return trace{at: c.Args()[0].Span, from: c.Span.Start, to: c.Span.End, file: true}, true
		case !isFlag(w.Text, "-") || strings.Contains(w.Text, "c"):
			return trace{}, false // its options end here, or it runs text
		}
	}
	return trace{}, false
}

// shellOf returns the shell: that counts for a step, or nil.
func shellOf(p *lint.Pass, s *workflows.Step, job *reach.Job) *workflows.Scalar {
	switch {
	case s.Shell != nil:
		return s.Shell
	case p.File.Workflow == nil:
		return nil
	case job.Job.Shell != nil:
		return job.Job.Shell
	}
	return p.File.Workflow.Shell
}

// traced reports whether a shell's command line has -x among its options.
func traced(words []string) bool {
	if len(words) == 0 || !slices.Contains([]string{"bash", "sh", "zsh", "dash", "ksh"}, words[0]) {
		return false
	}
	return slices.ContainsFunc(words[1:], func(w string) bool { return isFlag(w, "-") && strings.Contains(w, "x") }) || slices.Contains(words, "xtrace")
}

// isFlag reports whether a word is a group of one-letter options.
func isFlag(word, sign string) bool {
	return strings.HasPrefix(word, sign) && len(word) > 1 && !strings.HasPrefix(word, "--")
}

// option says whether a set command switches printing on or off, by which word, and
// how to leave that out.
func option(f *workflows.File, c *workflows.Command) (on, off bool, at workflows.Span, fix *workflows.Edit) {
	args := c.Args()
	for i, w := range args {
		named := w.Text == "xtrace" && i > 0
		switch {
		case isFlag(w.Text, "-") && strings.Contains(w.Text, "x"), named && strings.HasSuffix(args[i-1].Text, "o") && strings.HasPrefix(args[i-1].Text, "-"):
			return true, false, w.Span, without(f, args, i)
		case isFlag(w.Text, "+") && strings.Contains(w.Text, "x"), named && strings.HasPrefix(args[i-1].Text, "+"):
			return false, true, w.Span, nil
		}
	}
	return false, false, at, nil
}

// without returns the edit that takes the option away from the words of a set
// command: -eux becomes -eu, -x alone +x, -o xtrace becomes +o xtrace.
func without(f *workflows.File, args []workflows.Word, i int) *workflows.Edit {
	w := args[i]
	new := strings.Replace(w.Text, "x", "", 1)
	switch {
	case w.Text == "-x":
		new = "+x"
	case w.Text == "xtrace" && args[i-1].Text == "-o":
		w, new = args[i-1], "+o"
	case w.Text == "xtrace":
		return nil
	}
	if f.Text(w.Span) != w.Text {
		return nil
	}
	return &workflows.Edit{Span: w.Span, New: new}
}

// shown returns the secrets that the printed commands hold, and what they get from
// commands that print a credential.
func (t trace) shown(p *lint.Pass, s *workflows.Step, job *reach.Job) []*reach.Credential {
	var out []*reach.Credential
	add := func(c *reach.Credential) {
		if !slices.ContainsFunc(out, func(o *reach.Credential) bool { return o.Name == c.Name }) {
			out = append(out, c)
		}
	}
	step := reach.RunStep{File: p.File, Step: s}
	for _, r := range p.Graph.RunSteps(job) {
		if r.Step == s {
			step = r
		}
	}
	for _, u := range p.Graph.Uses(job) {
		if !u.Reaches(step) {
			continue
		}
		if t.file && u.Holder == reach.HeldByStep || slices.ContainsFunc(u.Takers(s), func(c *workflows.Command) bool { return t.covers(c) && inWords(u, c) }) {
			add(u.Credential)
		}
	}
	for _, c := range s.Run.Commands {
		if printer, ok := platform.LookupPrinter(c.Line); ok && t.covers(c) && captured(s.Run, c) {
			life := reach.ForHours
			if printer.Standing {
				life = reach.Standing
			}
			words := c.Line
			add(&reach.Credential{Kind: reach.CloudSession, Name: "what " + strings.Join(words[:min(3, len(words))], " ") + " prints", Lifetime: life, Opens: printer.Opens, Writes: true})
		}
	}
	return out
}

// covers reports whether the shell prints the command.
func (t trace) covers(c *workflows.Command) bool {
	return c.Span.Start >= t.from && c.Span.Start < t.to
}

// inWords reports whether a command holds the secret in what is printed of it: a word
// or an assignment, and not a heredoc.
func inWords(u reach.Use, c *workflows.Command) bool {
	has := func(w workflows.Word) bool {
		if u.Holder == reach.HeldByScript {
			return slices.Contains(w.Exprs, u.Expr)
		}
		return slices.Contains(w.Vars, u.Name)
	}
	return slices.ContainsFunc(c.Words, has) || slices.ContainsFunc(c.Assigns, func(a workflows.Assign) bool { return has(a.Value) })
}

// captured reports whether the script takes a command's output, or that of the pipe
// it starts, into a variable or an argument: the shell then prints it.
func captured(s *workflows.Script, c *workflows.Command) bool {
	return slices.ContainsFunc(s.Commands, func(o *workflows.Command) bool {
		in := func(w workflows.Word) bool { return slices.Contains(w.Commands, c) }
		return slices.ContainsFunc(o.Words, in) || slices.ContainsFunc(o.Assigns, func(a workflows.Assign) bool { return in(a.Value) })
	})
}
