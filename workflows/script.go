package workflows

import "mvdan.cc/sh/v3/syntax"

// A Shell is a family of script languages that stint tells apart.
type Shell int

const (
	// ShellOther is a script kept as text: python, a custom command line.
	ShellOther Shell = iota
	// ShellPOSIX is sh, bash and what runs-on implies on Linux and macOS.
	ShellPOSIX
	// ShellPowerShell is pwsh and powershell, of which the commands are read.
	ShellPowerShell
	// ShellCmd is cmd, kept as text.
	ShellCmd
)

// A Script is a run: block.
type Script struct {
	*Scalar
	Shell Shell
	// Prog is the parsed shell program, nil for other shells or when Err is set.
	// Each ${{ … }} is replaced by a word of exactly the same length before
	// parsing ("_" and digits), so an offset in Prog is an offset in Value. Line
	// breaks inside an expression are replaced too: lines of Prog are not lines
	// of Value, offsets are.
	Prog *syntax.File
	// Err says in one line why a POSIX script did not parse; the text can still
	// be searched.
	Err error
	// Commands lists every simple command, wherever it is nested, in source
	// order; it is what rules look at. Those of PowerShell name its own variables with
	// their $, those of the environment without. When Err is set it holds those of the
	// statements before the one that did not parse.
	Commands []*Command
}

// SpanOfNode returns the source bytes of a node of Prog.
func (s *Script) SpanOfNode(n syntax.Node) Span {
	start := min(int(n.Pos().Offset()), len(s.Value))
	end := min(int(n.End().Offset()), len(s.Value))
	return s.SpanOf(start, max(start, end))
}

// A Command is one simple command of a script: assignments, words, redirections.
type Command struct {
	// Name is the first word when it is constant, without its directory and
	// after those that only run another command (sudo, env, time, exec, command,
	// nohup, timeout, nice …) are stepped over with their options; else "".
	Name string
	// Words are all words, the one that gave Name at index NameAt.
	Words  []Word
	NameAt int
	// Line is the text of the words from the one that gave Name on, that one with its
	// directory: by it a script of the tree is known. It is nil when Name is "".
	Line []string
	// Assigns are the NAME=value words in front of the command (or the whole of
	// it: then Words is empty). export, declare, local and readonly appear as
	// commands with their assignments here too.
	Assigns []Assign
	// Redirs are the redirections, those of the compound commands around this
	// one after its own; a heredoc's body is the Word of its Redir.
	Redirs []Redir
	// PipesInto is the command that reads this one's output through a pipe, or
	// nil. Of a compound command behind the pipe it is the first inside.
	PipesInto *Command
	// Within is the command whose word holds this one by $(…) or <(…), or nil.
	Within *Command
	Span   Span
}

// Args returns the words after Name.
func (c *Command) Args() []Word {
	if c.NameAt >= len(c.Words) {
		return nil
	}
	return c.Words[c.NameAt+1:]
}

// A Word is one shell word after removal of quotes. What stands inside a
// substituted command is told by that command, not by the word around it.
type Word struct {
	// Text is the word's constant text; a part that is not constant (variable,
	// substitution, expression) is written as one U+FFFD.
	Text string
	// Const is set when the whole of Text is constant.
	Const bool
	// Vars are the variables expanded in the word, without $, in order, those in
	// defaults and arithmetic included. Special parameters are there too ("1", "@").
	Vars []string
	// Exprs are the ${{ … }} in the word, in order.
	Exprs []*Expr
	// Quoted is set when every expansion of the shell's own in the word is inside
	// double quotes or a heredoc. Expressions do not count: they are part of the
	// text before the shell sees any quote.
	Quoted bool
	// Commands are the substituted commands $(…), `…` and <(…) in the word.
	Commands []*Command
	Span     Span
}

// An Assign is NAME=value, NAME+=value or NAME=(values), whose words are then
// joined by spaces.
type Assign struct {
	Name  string
	Value Word
	Span  Span
}

// A Redir is a redirection; Op is "<", ">", ">>", "<<<", "<<", "&>" ….
// Target is the file word, or the body for heredocs and here strings.
type Redir struct {
	Op     string
	Target Word
	Span   Span
}
