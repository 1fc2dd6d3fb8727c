package workflows

import (
	"cmp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// maxInheritedRedirs is the largest number of redirections that a command takes
// over from the compound commands around it: the innermost ones.
const maxInheritedRedirs = 16

// readCommands lists the simple commands of prog, whose text is the script's
// with its expressions masked.
func readCommands(script *Script, text string, prog *syntax.File) []*Command {
	r := &commandReader{script: script, text: text}
	r.stmts(prog.Stmts, place{})
	for i, p := range r.pipes {
		if p != nil {
			r.commands[i].PipesInto = p.reader
		}
	}
	// A heredoc's body stands behind the rest of its line.
	slices.SortStableFunc(r.commands, func(a, b *Command) int {
		return cmp.Compare(a.Span.Start, b.Span.Start)
	})
	return r.commands
}

// A commandReader walks the statements of one script.
type commandReader struct {
	script   *Script
	text     string
	commands []*Command
	// pipes holds for each command the pipe that it writes to, or nil.
	pipes []*pipe
}

// A pipe joins the writers before a | with the first command behind it, which is
// not read yet when the writers are.
type pipe struct{ reader *Command }

// A place is where a statement stands.
type place struct {
	within  *Command
	in, out *pipe
	// redirs are those of the compound commands around the statement.
	redirs []Redir
}

func (r *commandReader) stmts(list []*syntax.Stmt, at place) {
	for _, s := range list {
		r.stmt(s, at)
	}
}

func (r *commandReader) stmt(s *syntax.Stmt, at place) {
	switch c := s.Cmd.(type) {
	case nil:
		r.finish(r.begin(at), s, at)
	case *syntax.CallExpr:
		r.call(c, s, at)
	case *syntax.DeclClause:
		r.declaration(c, s, at)
	case *syntax.BinaryCmd:
		r.binary(c, at)
	default:
		if len(s.Redirs) > 0 {
			at.redirs = inherit(r.redirs(s.Redirs, at.within), at.redirs)
		}
		r.compound(c, at)
	}
}

// binary unrolls the left-deep tree of a list or pipeline, which is as deep as
// the list is long.
func (r *commandReader) binary(c *syntax.BinaryCmd, at place) {
	type operand struct {
		stmt *syntax.Stmt
		at   place
	}
	var operands []operand
	for {
		left, right := at, at
		if c.Op == syntax.Pipe || c.Op == syntax.PipeAll {
			p := &pipe{}
			left.out, right.in = p, p
			left.redirs = slices.DeleteFunc(slices.Clone(at.redirs), Redir.writes)
			right.redirs = slices.DeleteFunc(slices.Clone(at.redirs), Redir.reads)
		}
		operands = append(operands, operand{c.Y, right})
		next, ok := c.X.Cmd.(*syntax.BinaryCmd)
		if !ok {
			operands = append(operands, operand{c.X, left})
			break
		}
		c, at = next, left
	}
	for _, o := range slices.Backward(operands) {
		r.stmt(o.stmt, o.at)
	}
}

// compound walks what is neither a simple command nor a list.
func (r *commandReader) compound(c syntax.Command, at place) {
	switch c := c.(type) {
	case *syntax.Block:
		r.stmts(c.Stmts, at)
	case *syntax.Subshell:
		r.stmts(c.Stmts, at)
	case *syntax.IfClause:
		for ; c != nil; c = c.Else {
			r.stmts(c.Cond, at)
			r.stmts(c.Then, at)
		}
	case *syntax.WhileClause:
		r.stmts(c.Cond, at)
		r.stmts(c.Do, at)
	case *syntax.ForClause:
		r.loop(c.Loop, at)
		r.stmts(c.Do, at)
	case *syntax.CaseClause:
		r.wordsAside(at, c.Word)
		for _, item := range c.Items {
			r.wordsAside(at, item.Patterns...)
			r.stmts(item.Stmts, at)
		}
	case *syntax.FuncDecl:
		// The body runs where the function is called, not here.
		r.stmt(c.Body, place{within: at.within})
	case *syntax.TimeClause:
		if c.Stmt != nil {
			r.stmt(c.Stmt, at)
		}
	case *syntax.CoprocClause:
		r.stmt(c.Stmt, place{within: at.within})
	case *syntax.ArithmCmd:
		r.arithmeticAside(at, c.X)
	case *syntax.LetClause:
		r.arithmeticAside(at, c.Exprs...)
	case *syntax.TestClause:
		r.test(c.X, at)
	}
}

func (r *commandReader) loop(l syntax.Loop, at place) {
	switch l := l.(type) {
	case *syntax.WordIter:
		r.wordsAside(at, l.Items...)
	case *syntax.CStyleLoop:
		r.arithmeticAside(at, l.Init, l.Cond, l.Post)
	}
}

func (r *commandReader) test(x syntax.TestExpr, at place) {
	switch x := x.(type) {
	case *syntax.BinaryTest:
		r.test(x.X, at)
		r.test(x.Y, at)
	case *syntax.UnaryTest:
		r.test(x.X, at)
	case *syntax.ParenTest:
		r.test(x.X, at)
	case *syntax.Word:
		r.wordsAside(at, x)
	}
}

// wordsAside reads words that belong to no simple command, for the commands
// substituted in them.
func (r *commandReader) wordsAside(at place, words ...*syntax.Word) {
	for _, w := range words {
		if w != nil {
			r.word(w, at.within)
		}
	}
}

func (r *commandReader) arithmeticAside(at place, exprs ...syntax.ArithmExpr) {
	b := wordBuilder{reader: r, within: at.within}
	for _, x := range exprs {
		b.arithmetic(x, false)
	}
}

// begin registers a command before its words are read, so that the commands
// inside them come behind it.
func (r *commandReader) begin(at place) *Command {
	c := &Command{Within: at.within}
	r.commands = append(r.commands, c)
	r.pipes = append(r.pipes, at.out)
	if at.in != nil && at.in.reader == nil {
		at.in.reader = c
	}
	return c
}

func (r *commandReader) call(call *syntax.CallExpr, s *syntax.Stmt, at place) {
	c := r.begin(at)
	for _, a := range call.Assigns {
		c.Assigns = append(c.Assigns, r.assign(a, c))
	}
	if len(call.Args) > 0 {
		c.Words = make([]Word, 0, len(call.Args))
		for _, w := range call.Args {
			c.Words = append(c.Words, r.word(w, c))
		}
	}
	c.Name, c.NameAt = commandName(c.Words)
	r.finish(c, s, at)
}

// declaration reads export, declare, local, readonly, typeset and nameref.
func (r *commandReader) declaration(d *syntax.DeclClause, s *syntax.Stmt, at place) {
	c := r.begin(at)
	c.Name = d.Variant.Value
	c.Words = append(c.Words, r.word(&syntax.Word{Parts: []syntax.WordPart{d.Variant}}, c))
	for _, a := range d.Args {
		switch {
		case !a.Naked:
			c.Assigns = append(c.Assigns, r.assign(a, c))
		case a.Name != nil:
			c.Words = append(c.Words, r.word(&syntax.Word{Parts: []syntax.WordPart{a.Name}}, c))
		case a.Value != nil:
			c.Words = append(c.Words, r.word(a.Value, c))
		}
	}
	r.finish(c, s, at)
}

// finish adds the redirections of the statement to c and places it.
func (r *commandReader) finish(c *Command, s *syntax.Stmt, at place) {
	c.Redirs = at.redirs
	c.Line = c.line()
	start, end := -1, -1
	if s.Cmd != nil {
		start, end = offset(s.Cmd.Pos()), offset(s.Cmd.End())
	}
	if len(s.Redirs) > 0 {
		c.Redirs = inherit(r.redirs(s.Redirs, c), at.redirs)
	}
	for _, redir := range s.Redirs {
		if first := offset(redir.Pos()); start < 0 || first < start {
			start = first
		}
		end = max(end, offset(redir.Word.End()))
	}
	c.Span = r.span(start, end)
}

func (r *commandReader) assign(a *syntax.Assign, within *Command) Assign {
	b := wordBuilder{reader: r, within: within}
	end := offset(a.End())
	out := Assign{Span: r.span(offset(a.Pos()), end)}
	if a.Name != nil {
		name := r.word(&syntax.Word{Parts: []syntax.WordPart{a.Name}}, within)
		out.Name = name.Text
	}
	if a.Index != nil {
		r.arithmeticAside(place{within: within}, a.Index)
	}
	switch {
	case a.Value != nil:
		out.Value = r.word(a.Value, within)
	case a.Array != nil:
		for i, elem := range a.Array.Elems {
			if i > 0 {
				b.text.WriteByte(' ')
			}
			if elem.Value != nil {
				b.parts(elem.Value.Parts, bare)
			}
		}
		out.Value = b.done(offset(a.Array.Pos()), end)
	default:
		out.Value = b.done(end, end)
	}
	return out
}

func (r *commandReader) redirs(list []*syntax.Redirect, within *Command) []Redir {
	out := make([]Redir, 0, len(list))
	for _, redir := range list {
		end := offset(redir.Word.End())
		item := Redir{Op: redir.Op.String(), Span: r.span(offset(redir.Pos()), end)}
		switch {
		case redir.Op != syntax.Hdoc && redir.Op != syntax.DashHdoc:
			item.Target = r.word(redir.Word, within)
		case redir.Hdoc == nil:
			item.Target = Word{Const: true, Quoted: true, Span: r.span(end, end)}
		default:
			item.Target = r.heredoc(redir, within)
		}
		out = append(out, item)
	}
	return out
}

// inherit puts a command's own redirections before those around it.
func inherit(own, around []Redir) []Redir {
	if len(own) == 0 {
		return around
	}
	return append(own, around[:min(len(around), maxInheritedRedirs)]...)
}

// reads reports whether r replaces standard input.
func (r Redir) reads() bool { return r.Op[0] == '<' }

// writes reports whether r replaces an output.
func (r Redir) writes() bool { return !r.reads() }

// span maps offsets of the script's value to the source.
func (r *commandReader) span(start, end int) Span {
	start = min(max(start, 0), len(r.text))
	end = min(max(end, start), len(r.text))
	return r.script.SpanOf(start, end)
}

func offset(p syntax.Pos) int { return int(p.Offset()) }

// line returns the text of the words from the command's name on.
func (c *Command) line() []string {
	if c.Name == "" || c.NameAt >= len(c.Words) {
		return nil
	}
	words := make([]string, 0, len(c.Words)-c.NameAt)
	for _, w := range c.Words[c.NameAt:] {
		words = append(words, w.Text)
	}
	if !strings.HasSuffix(words[0], "/"+c.Name) {
		words[0] = c.Name
	}
	return words
}
