package unmaskedsecret

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// transformers make a text of a secret that is not the secret's. The runner masks
// the usual encodings too, such as base64, so that encoding once is none. Source: the
// value encoders of github.com/actions/runner, 2026-11.
var transformers = []string{"jq", "yq", "cut", "awk", "sed", "grep", "head", "tail", "tr", "rev", "fold", "xxd", "od", "hexdump", "xmllint", "dasel", "gpg"}

// transforms reports whether a command makes another text of what it reads.
func transforms(c *workflows.Command) bool {
	options := func(flags ...string) bool {
		return slices.ContainsFunc(c.Args(), func(w workflows.Word) bool { return slices.Contains(flags, w.Text) })
	}
	switch c.Name {
	case "base64":
		return options("-d", "-D", "--decode", "-di")
	case "openssl":
		return options("enc", "base64", "aes-256-cbc", "rsautl", "pkcs12", "pkey", "rsa")
	case "tr":
		return !options("-d") // of line breaks, as a rule
	case "gpg":
		return options("-d", "--decrypt")
	case "grep":
		return options("-o", "-oP", "-oE")
	}
	return slices.Contains(transformers, c.Name)
}

// passes reports whether a command prints what it reads, or makes of it.
func passes(c *workflows.Command) bool {
	return transforms(c) || slices.Contains([]string{"base64", "cat", "tee", "tr", "grep", "sort", "uniq"}, c.Name)
}

// A value is what a script makes of a secret, or gets from a command that prints one.
type value struct {
	cred *reach.Credential
	what string
	from *workflows.Command
	// end is the last command of the pipe: its output is the value.
	end *workflows.Command
}

// judgeScript reports values that a script prints or hands to later steps unmasked.
func judgeScript(p *lint.Pass, job *reach.Job, s reach.RunStep) {
	for _, v := range values(p.Graph, job, s) {
		name, taker := v.taken(s.Step.Run)
		switch {
		case v.end != v.from && !passes(v.end):
			continue // the last command keeps it
		case harmless(name) || platform.LookupSecret(name).Public:
			continue
		case name != "":
			v.follow(p, job, s.Step.Run, name)
		case taker != nil:
			v.tell(p, job, s.Step.Run, taker, "")
		default:
			v.tell(p, job, s.Step.Run, v.end, "")
		}
	}
}

// values finds what a script makes of secrets.
func values(g *reach.Graph, job *reach.Job, s reach.RunStep) []value {
	var out []value
	for _, u := range g.Uses(job) {
		if !u.Reaches(s) {
			continue
		}
		for _, c := range u.Takers(s.Step) {
			if by, end := transformed(c); by != nil && !known(out, end) {
				out = append(out, value{u.Credential, fmt.Sprintf("what %s makes of %s", by.Name, u.Credential.Name), c, end})
			}
		}
	}
	for _, c := range s.Step.Run.Commands {
		words := c.Line
		if printer, ok := platform.LookupPrinter(words); ok {
			_, end := transformed(c)
			what := "what " + strings.Join(words[:min(3, len(words))], " ") + " prints"
			cred := &reach.Credential{Kind: reach.CloudSession, Name: what, Lifetime: reach.ForHours, Opens: printer.Opens, Writes: true}
			if printer.Standing {
				cred.Kind, cred.Lifetime = reach.StoredSecret, reach.Standing
			}
			out = append(out, value{cred, what, c, end})
		}
	}
	return out
}

func known(values []value, end *workflows.Command) bool {
	return slices.ContainsFunc(values, func(v value) bool { return v.end == end })
}

// transformed returns the first command of a pipe that makes another text of what c
// prints or reads, nil for none, and the pipe's last command.
func transformed(c *workflows.Command) (by, end *workflows.Command) {
	encoded := false
	for end = c; ; end = end.PipesInto {
		twice := encoded && end.Name == "base64"
		encoded = encoded || end.Name == "base64"
		if by == nil && (transforms(end) || twice) {
			by = end
		}
		if end.PipesInto == nil {
			return by, end
		}
	}
}

// taken returns the variable that gets the value, or else the command that has it as
// an argument.
func (v value) taken(s *workflows.Script) (name string, taker *workflows.Command) {
	for _, c := range s.Commands {
		for _, a := range c.Assigns {
			if slices.Contains(a.Value.Commands, v.from) {
				return a.Name, nil
			}
		}
		if slices.ContainsFunc(c.Words, func(w workflows.Word) bool { return slices.Contains(w.Commands, v.from) }) {
			taker = c
		}
	}
	return "", taker
}

// follow looks for commands that print the variable or hand it on, unless the script
// masks it.
func (v value) follow(p *lint.Pass, job *reach.Job, s *workflows.Script, name string) {
	has := func(c *workflows.Command) bool {
		return slices.ContainsFunc(c.Words, func(w workflows.Word) bool { return slices.Contains(w.Vars, name) })
	}
	for _, c := range s.Commands {
		if has(c) && slices.ContainsFunc(c.Words, func(w workflows.Word) bool { return masks(w.Text) }) {
			return
		}
	}
	for _, c := range s.Commands {
		if c.Span.Start > v.from.Span.Start && has(c) && prints(c) && v.tell(p, job, s, c, name) {
			return
		}
	}
}

func prints(c *workflows.Command) bool { return c.Name == "echo" || c.Name == "printf" }

// tell reports the value when a command's output leaves the script, and says whether
// it did.
func (v value) tell(p *lint.Pass, job *reach.Job, s *workflows.Script, c *workflows.Command, name string) bool {
	where, ok := destination(c)
	if !ok || c != v.end && !prints(c) || name == "" && slices.ContainsFunc(c.Words, func(w workflows.Word) bool { return masks(w.Text) || publicTarget(w.Text) }) {
		return false
	}
	f := leak{job, v.cred, v.what + " " + where}.finding()
	f.Span = c.Span
	f.Confidence = lint.MediumConfidence
	if name != "" {
		f.Related = []lint.Related{{File: p.File, Span: v.from.Span, Text: name + " is made here"}}
	}
	p.Report(f)
	return true
}

// publicTarget reports whether a text is NAME=… with a name that holds no secret.
func publicTarget(text string) bool {
	name, _, ok := strings.Cut(text, "=")
	return ok && (harmless(name) || platform.LookupSecret(name).Public)
}

// toFile reports whether an option sends the output to a file.
func toFile(w workflows.Word) bool {
	return slices.ContainsFunc([]string{"-o", "-out", "--out", "--output", "-i", "--in-place", "-Z"}, func(o string) bool {
		return w.Text == o || strings.HasPrefix(w.Text, o+"=") || strings.HasPrefix(o, "--") && strings.HasPrefix(w.Text, o+"-")
	})
}

// destination says where the output of a command goes; ok is false when it stays in
// the script: a pipe, a variable, a file.
func destination(c *workflows.Command) (where string, ok bool) {
	if c.PipesInto != nil || c.Within != nil || slices.ContainsFunc(c.Args(), toFile) {
		return "", false
	}
	for _, r := range c.Redirs {
		if !strings.HasPrefix(r.Op, ">") && r.Op != "&>" {
			continue
		}
		for _, file := range []string{"GITHUB_ENV", "GITHUB_OUTPUT"} {
			if slices.Contains(r.Target.Vars, file) {
				return "is written to " + file, true
			}
		}
		if r.Target.Text != "2" && r.Target.Text != "1" {
			return "", false
		}
	}
	return "is printed to the log", true
}
