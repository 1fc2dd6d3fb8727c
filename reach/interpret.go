package reach

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// PipedToShell returns a short description when the command's output is run by an
// interpreter (curl … | sh, bash <(curl …), sh -c "$(curl …)"), else "".
func PipedToShell(c *workflows.Command) string {
	info, _ := platform.LookupCommand(c.Line)
	if info.Does != "fetch" {
		return ""
	}
	if into := RunBy(c); into == nil {
		return ""
	} else if into == c.Within {
		return into.Name + " <(" + c.Name + ")"
	} else {
		return c.Name + " | " + into.Name
	}
}

// RunBy returns the command that runs what c writes to its standard output, behind
// filters too, or nil: an interpreter that reads its script from the pipe, or one
// that c is substituted into as a script. An interpreter that has a script already
// reads data.
func RunBy(c *workflows.Command) *workflows.Command {
	for out := c; out != nil; out = out.PipesInto {
		if out != c && runsInput(out) {
			return out
		}
		if w := out.Within; w != nil && runsWord(w, out) {
			return w
		}
	}
	return nil
}

// evalFlags are the options by which interpreters take their script as a word, by
// name of the interpreter; a shell's is any group of letters that holds c.
var evalFlags = map[string]string{"node": "ep", "perl": "eEnp", "ruby": "enp", "php": "rRBF", "python": "cm", "python3": "cm", "python2": "cm", "pwsh": "c", "deno": "", "bun": "e"}

func isShell(name string) bool {
	return slices.Contains([]string{"sh", "bash", "zsh", "dash", "ksh", "fish", "ash"}, name)
}

func isInterpreter(name string) bool {
	_, ok := evalFlags[name]
	return ok || isShell(name)
}

// An invocation is how an interpreter is told what to run.
type invocation struct {
	// script is the index among the arguments of the word that holds the script or
	// names its file, -1 for none; text is set when the word is the script itself.
	script int
	text   bool
	// input is set when the script is read from the standard input.
	input bool
}

// invoked reads the arguments of an interpreter.
func invoked(c *workflows.Command) invocation {
	args := c.Args()
	for i := 0; i < len(args); i++ {
		w := args[i].Text
		switch {
		case w == "-" || w == "/dev/stdin" || w == "/proc/self/fd/0":
			return invocation{script: -1, input: true}
		case w == "--":
		case !strings.HasPrefix(w, "-") && !strings.HasPrefix(w, "+"):
			if slices.Contains([]string{"run", "eval"}, w) && (c.Name == "deno" || c.Name == "bun") {
				continue
			}
			return invocation{script: i}
		case takesScript(c.Name, w):
			return invocation{script: i + 1, text: true}
		case isShell(c.Name) && shortGroup(w) && strings.Contains(w, "s"):
			return invocation{script: -1, input: true}
		case isShell(c.Name) && shortGroup(w) && strings.HasSuffix(w, "o"):
			i++ // set -o takes the option's name
		}
	}
	return invocation{script: -1, input: true}
}

// takesScript reports whether the next word of an interpreter's option is a script.
func takesScript(name, option string) bool {
	if isShell(name) {
		return shortGroup(option) && strings.Contains(option, "c")
	}
	switch option {
	case "--eval", "--print", "-Command", "-command", "-EncodedCommand", "--command", "--run":
		return true
	}
	return len(option) > 1 && option[1] != '-' && strings.ContainsAny(option[1:], evalFlags[name])
}

func shortGroup(option string) bool { return len(option) > 1 && option[0] == '-' && option[1] != '-' }

// runsInput reports whether the command is an interpreter that runs what it reads.
func runsInput(c *workflows.Command) bool {
	return isInterpreter(c.Name) && invoked(c).input
}

// runsWord reports whether a command runs the word that inner is substituted into.
func runsWord(c, inner *workflows.Command) bool {
	switch c.Name {
	case "eval", "source", ".":
		return true
	}
	if !isInterpreter(c.Name) {
		return false
	}
	how := invoked(c)
	if how.input {
		return slices.ContainsFunc(c.Redirs, func(r workflows.Redir) bool {
			return strings.HasPrefix(r.Op, "<") && slices.Contains(r.Target.Commands, inner)
		})
	}
	args := c.Args()
	return how.script < len(args) && slices.Contains(args[how.script].Commands, inner)
}
