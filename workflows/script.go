package workflows

import "mvdan.cc/sh/v3/syntax"

// A Shell is a family of script languages that stint tells apart.
type Shell int

const (
	// ShellOther is a script kept as text: python, a custom command line.
	ShellOther Shell = iota
	// ShellPOSIX is sh, bash and what runs-on implies on Linux and macOS.
	ShellPOSIX
	// ShellPowerShell is pwsh and powershell, kept as text.
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
	// parsing ("_" and digits), so an offset in Prog is an offset in Value.
	Prog *syntax.File
	// Err says why a POSIX script did not parse; the text can still be searched.
	Err error
	// Commands lists every simple command, wherever it is nested, in source
	// order; it is what rules look at.
	Commands []*Command
}

// SpanOfNode returns the source bytes of a node of Prog.
func (s *Script) SpanOfNode(n syntax.Node) Span {
	return s.SpanOf(int(n.Pos().Offset()), int(n.End().Offset()))
}

// A Command is one simple command of a script: assignments, words, redirections.
type Command struct {
	// Name is the first word when it is constant, without its directory and
	// after sudo, env, time, exec, command and nohup are stepped over; else "".
	Name string
	// Words are all words, the one that gave Name at index NameAt.
	Words  []Word
	NameAt int
	// Assigns are the NAME=value words in front of the command (or the whole of
	// it: then Words is empty). export, declare, local and readonly appear as
	// commands with their assignments here too.
	Assigns []Assign
	// Redirs are the redirections; a heredoc's body is the Word of its Redir.
	Redirs []Redir
	// PipesInto is the command that reads this one's output through a pipe, or nil.
	PipesInto *Command
	// Within is the command whose word holds this one by $(…) or <(…), or nil.
	Within *Command
	Span   Span
}

// Args returns the words after Name.
func (c *Command) Args() []Word { return c.args() }

// A Word is one shell word after removal of quotes.
type Word struct {
	// Text is the word's constant text; a part that is not constant (variable,
	// substitution, expression) is written as one U+FFFD.
	Text string
	// Const is set when the whole of Text is constant.
	Const bool
	// Vars are the variables expanded in the word, without $, in order.
	Vars []string
	// Exprs are the ${{ … }} in the word, in order.
	Exprs []*Expr
	// Quoted is set when every expansion in the word is inside double quotes.
	Quoted bool
	// Commands are the substituted commands $(…), `…` and <(…) in the word.
	Commands []*Command
	Span     Span
}

// An Assign is NAME=value.
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
