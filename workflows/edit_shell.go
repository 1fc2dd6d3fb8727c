package workflows

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// What other programs read as code is expanded by the shell before they see it:
// a variable there leaves the code as much in the hands of its value as before.
var (
	// codeWords take code in any of their words, or run it elsewhere.
	codeWords = []string{"eval", "source", ".", "trap", "ssh", "su", "xargs", "parallel", "watch", "awk", "gawk", "sed", "osascript", "cmd"}
	// interpreters take code behind an option, from the file named first, or from
	// standard input; what follows these is data.
	interpreters = []string{"sh", "bash", "dash", "zsh", "ksh", "fish", "pwsh", "powershell",
		"python", "python2", "python3", "perl", "ruby", "node", "php", "ssh"}
)

// shellReference writes the reference to a variable that a POSIX shell expands
// at the place of an expression to that variable's value and no more.
func shellReference(s *Script, m Move) (string, bool) {
	if !codeFree(s.Commands, m) {
		return "", false
	}
	before, after := s.Value[:m.Expr.Start], s.Value[m.Expr.End:]
	if n := len(before); n > 0 && (before[n-1] == '$' || before[n-1] == '\\') {
		return "", false
	}
	plain := "$" + m.Name
	path := pathTo(s.Prog, m.Expr.Start)
	if len(path) == 0 {
		return plain, true // every other place is in the tree: it is a comment
	}
	q, ok := quotingAt(path, m.Expr.Start)
	switch {
	case !ok:
		return "", false
	case q == bare:
		return `"` + plain + `"`, true
	case q == inSingle && isANSI(path):
		return `'"` + plain + `"$'`, true
	case q == inSingle:
		return `'"` + plain + `"'`, true
	case after != "" && continuesName(after[0]):
		return "${" + m.Name + "}", true
	}
	return plain, true
}

// codeFree reports whether no command takes the expression, or what holds it, as
// code or as a command's name, and none sets the variable.
func codeFree(commands []*Command, m Move) bool {
	for _, c := range commands {
		if slices.ContainsFunc(c.Assigns, func(a Assign) bool { return a.Name == m.Name }) {
			return false
		}
		if !c.holds(m.Expr) {
			continue
		}
		if c.NameAt < len(c.Words) && slices.Contains(c.Words[c.NameAt].Exprs, m.Expr) {
			return false
		}
		if c.runsAsCode(m.Expr) {
			return false
		}
		for inner := c; inner != nil; inner = inner.Within {
			around := inner.Within
			if inner.PipesInto.reads() || around != nil && (around.reads() || slices.Contains(codeWords, around.Name)) {
				return false
			}
		}
	}
	return true
}

// reads reports whether c may run its standard input as code.
func (c *Command) reads() bool { return c != nil && slices.Contains(interpreters, c.Name) }

// runsAsCode reports whether c takes the word or input that holds the expression
// as code.
func (c *Command) runsAsCode(e *Expr) bool {
	if slices.Contains(codeWords, c.Name) {
		return true
	}
	if !c.reads() {
		return false
	}
	for _, w := range c.Args() {
		switch here := slices.Contains(w.Exprs, e); {
		case !strings.HasPrefix(w.Text, "-"):
			return here // the file; what follows is data
		case here, isCodeOption(w.Text):
			return true
		}
	}
	return true // a redirection of its input
}

// isCodeOption reports whether an interpreter's option is followed by code: -c,
// -e, -lc, --eval, -Command; not by the name of a module or by data, as -m and -s.
func isCodeOption(option string) bool {
	if strings.HasPrefix(option, "--") {
		return option == "--eval" || option == "--command" || option == "--print"
	}
	return strings.ContainsAny(option, "ceCEr")
}

// holds reports whether the expression stands in one of c's own words.
func (c *Command) holds(e *Expr) bool {
	has := func(w Word) bool { return slices.Contains(w.Exprs, e) }
	return slices.ContainsFunc(c.Words, has) ||
		slices.ContainsFunc(c.Assigns, func(a Assign) bool { return has(a.Value) }) ||
		slices.ContainsFunc(c.Redirs, func(r Redir) bool { return has(r.Target) })
}

// pathTo returns the nodes of prog from the outermost to the text that holds an
// offset, or nil.
func pathTo(prog *syntax.File, at int) []syntax.Node {
	var stack, path []syntax.Node
	syntax.Walk(prog, func(n syntax.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		stack = append(stack, n)
		switch n.(type) {
		case *syntax.Lit, *syntax.SglQuoted:
			if path == nil && contains(n, at) {
				path = slices.Clone(stack)
			}
		}
		return true
	})
	return path
}

func contains(n syntax.Node, at int) bool {
	return n != nil && offset(n.Pos()) <= at && at < offset(n.End())
}

func isANSI(path []syntax.Node) bool {
	q, ok := path[len(path)-1].(*syntax.SglQuoted)
	return ok && q.Dollar
}

// quotingAt returns the quotes around the end of path; ok is false where a
// variable would be something else than its value.
func quotingAt(path []syntax.Node, at int) (q quoting, ok bool) {
	inWord := false
	for _, n := range path {
		switch n := n.(type) {
		case *syntax.Word:
			inWord = true
		case *syntax.DblQuoted:
			q = inDouble
		case *syntax.SglQuoted:
			q = inSingle
		case *syntax.ProcSubst:
			q, inWord = bare, false
		case *syntax.CmdSubst:
			if n.Backquotes { // quotes inside would need escapes of their own
				return 0, false
			}
			q, inWord = bare, false
		case *syntax.Redirect:
			switch {
			case n.Hdoc == nil || !contains(n.Hdoc, at):
			case isLiteralHeredoc(n):
				return 0, false // nothing is expanded there
			default:
				q = inHeredoc
			}
			if (n.Op == syntax.Hdoc || n.Op == syntax.DashHdoc) && contains(n.Word, at) {
				return 0, false
			}
		default:
			if special(n, at) {
				return 0, false
			}
		}
	}
	return q, inWord
}

// special reports whether a node gives the text at an offset inside it another
// meaning than that of a word: a name, arithmetic, a pattern.
func special(n syntax.Node, at int) bool {
	switch n := n.(type) {
	case *syntax.ArithmExp, *syntax.ArithmCmd, *syntax.LetClause, *syntax.CStyleLoop, *syntax.ExtGlob, *syntax.BinaryArithm, *syntax.UnaryArithm:
		return true
	case *syntax.FuncDecl:
		return at < offset(n.Body.Pos())
	case *syntax.Assign:
		return n.Name != nil && contains(n.Name, at) || n.Index != nil && contains(n.Index, at)
	case *syntax.ParamExp:
		return n.Exp == nil && n.Repl == nil || n.Param != nil && contains(n.Param, at) || n.Index != nil && contains(n.Index, at)
	case *syntax.BinaryTest:
		return n.Op == syntax.TsReMatch && contains(n.Y, at)
	}
	return false
}
