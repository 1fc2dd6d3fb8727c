package flow

import (
	"path"
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
)

// subcommand reports whether a command is git with the given subcommand, its own
// options passed over.
func subcommand(c *workflows.Command, name string) bool {
	args := gitArgs(c)
	return len(args) > 0 && args[0].Text == name
}

// gitArgs returns the words of git from its subcommand on.
func gitArgs(c *workflows.Command) []workflows.Word {
	if c.Name != "git" {
		return nil
	}
	args := c.Args()
	for len(args) > 0 && strings.HasPrefix(args[0].Text, "-") {
		if (args[0].Text == "-C" || args[0].Text == "-c") && len(args) > 1 {
			args = args[1:]
		}
		args = args[1:]
	}
	return args
}

// refKey is where the flow of a script keeps what a name of git stands for.
func refKey(name string) string { return "\x00ref " + name }

// fetches records the names under which git keeps an outsider's commits: FETCH_HEAD,
// the local side of a refspec, a remote.
func (r *reader) fetches(c *workflows.Command) {
	args := gitArgs(c)
	if r.ev.mode != asCode || len(args) < 2 {
		return
	}
	var t []Taint
	for i := range args {
		t = merge(t, r.word(&args[i]))
		if namesPull(args[i].Text) {
			t = merge(t, r.ev.pull(r.sc, c.Span))
		}
	}
	keep := func(name string, t []Taint) {
		if len(t) > 0 && name != "" {
			r.flow.saved[refKey(name)] = merge(r.flow.saved[refKey(name)], t)
		}
	}
	switch args[0].Text {
	case "remote":
		if len(args) > 2 && args[1].Text == "add" {
			keep(args[len(args)-2].Text, t)
		}
	case "fetch":
		t = merge(t, r.fetchedRef(c)) // from a remote that is the outsider's
		keep("FETCH_HEAD", t)
		for _, w := range args[1:] {
			if _, local, ok := strings.Cut(w.Text, ":"); ok && !strings.HasPrefix(local, "//") {
				keep(shortRef(local), t)
			}
		}
	}
}

// shortRef returns the name by which a ref is checked out.
func shortRef(ref string) string {
	for _, prefix := range []string{"refs/heads/", "refs/remotes/", "refs/"} {
		if short, ok := strings.CutPrefix(ref, prefix); ok {
			return short
		}
	}
	return ref
}

// fetchedRef returns the taints of the names in a git command that stand for
// fetched commits.
func (r *reader) fetchedRef(c *workflows.Command) []Taint {
	var out []Taint
	for _, w := range gitArgs(c) {
		name := shortRef(strings.TrimPrefix(w.Text, "remotes/"))
		out = merge(out, r.flow.saved[refKey(name)])
		if remote, _, ok := strings.Cut(name, "/"); ok {
			out = merge(out, r.flow.saved[refKey(remote)])
		}
	}
	return through(out, r.sc.file, c.Span, "checked out after a fetch")
}

// into returns the directory into which a command puts commits.
func into(dir string, c *workflows.Command) string {
	args := c.Args()
	if i := slices.IndexFunc(args, func(w workflows.Word) bool { return w.Text == "-C" }); c.Name == "git" && i >= 0 && i+1 < len(args) {
		dir = enter(dir, args[i+1:i+2])
	}
	git := gitArgs(c)
	operands := slices.DeleteFunc(slices.Clone(git), func(w workflows.Word) bool { return strings.HasPrefix(w.Text, "-") })
	switch {
	case len(operands) > 2 && operands[0].Text == "worktree":
		return enter(dir, operands[2:3])
	case len(operands) > 2 && operands[0].Text == "clone":
		return enter(dir, operands[2:3])
	case len(operands) == 2 && operands[0].Text == "clone":
		if !operands[1].Const {
			return UnknownDir
		}
		return CleanDir(dir + "/" + strings.TrimSuffix(path.Base(operands[1].Text), ".git"))
	}
	return dir
}
