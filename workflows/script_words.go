package workflows

import (
	"cmp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// notConst stands in a Word's text for what only the run will know.
const notConst = "\uFFFD"

// A quoting says which quotes surround a part of a word, and so what a backslash
// means in it.
type quoting int

const (
	bare quoting = iota
	inDouble
	inHeredoc
	inSingle
)

// A wordBuilder collects one Word from its parts.
type wordBuilder struct {
	reader *commandReader
	within *Command
	word   Word
	text   strings.Builder
	// varies is set by any part that is not constant, exposed by an expansion
	// outside double quotes.
	varies, exposed bool
}

func (r *commandReader) word(w *syntax.Word, within *Command) Word {
	b := wordBuilder{reader: r, within: within}
	b.parts(w.Parts, bare)
	return b.done(offset(w.Pos()), offset(w.End()))
}

func (b *wordBuilder) done(start, end int) Word {
	b.word.Text = b.text.String()
	b.word.Const = !b.varies
	b.word.Quoted = !b.exposed
	b.word.Span = b.reader.span(start, end)
	return b.word
}

// heredoc reads the body of a here-document.
func (r *commandReader) heredoc(redir *syntax.Redirect, within *Command) Word {
	b := wordBuilder{reader: r, within: within}
	start, end := offset(redir.Hdoc.Pos()), min(offset(redir.Hdoc.End()), len(r.text))
	if isLiteralHeredoc(redir) {
		// The parser's text of a literal body is right, its end includes the end word.
		end = start + strings.LastIndexByte(r.text[min(start, end):end], '\n') + 1
		b.raw(start, end)
	} else {
		b.parts(redir.Hdoc.Parts, inHeredoc)
	}
	w := b.done(start, end)
	if redir.Op == syntax.DashHdoc {
		w.Text = trimLeadingTabs(w.Text)
	}
	return w
}

// isLiteralHeredoc reports whether quotes in the end word, however placed, make
// the body literal.
func isLiteralHeredoc(redir *syntax.Redirect) bool {
	end := redir.Word.Lit()
	return end == "" || strings.Contains(end, `\`)
}

func trimLeadingTabs(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		b.WriteString(strings.TrimLeft(line, "\t"))
	}
	return b.String()
}

func (b *wordBuilder) parts(parts []syntax.WordPart, q quoting) {
	for _, part := range parts {
		b.part(part, q)
	}
}

func (b *wordBuilder) part(part syntax.WordPart, q quoting) {
	switch p := part.(type) {
	case *syntax.Lit:
		b.literal(p, q)
	case *syntax.SglQuoted:
		b.singleQuoted(p)
	case *syntax.DblQuoted:
		b.parts(p.Parts, inDouble)
	case *syntax.ParamExp:
		b.expansion(q)
		b.param(p, q)
	case *syntax.ArithmExp:
		b.expansion(q)
		b.arithmetic(p.X, q != bare)
	case *syntax.CmdSubst:
		b.expansion(q)
		b.substitution(p.Stmts)
	case *syntax.ProcSubst:
		// Its value is the path of a pipe: nothing in it can be split.
		b.expansion(inDouble)
		b.substitution(p.Stmts)
	case *syntax.ExtGlob:
		b.raw(offset(p.Pos()), offset(p.End()))
	}
}

// expansion writes the mark of a part that the shell fills in.
func (b *wordBuilder) expansion(q quoting) {
	b.text.WriteString(notConst)
	b.varies = true
	if q == bare {
		b.exposed = true
	}
}

func (b *wordBuilder) substitution(stmts []*syntax.Stmt) {
	before := len(b.reader.commands)
	b.reader.stmts(stmts, place{within: b.within})
	for _, c := range b.reader.commands[before:] {
		if c.Within == b.within {
			b.word.Commands = append(b.word.Commands, c)
		}
	}
}

func (b *wordBuilder) param(p *syntax.ParamExp, q quoting) {
	if p.Param != nil {
		b.variable(p.Param)
	}
	quoted := q != bare
	b.arithmetic(p.Index, quoted)
	if p.Slice != nil {
		b.arithmetic(p.Slice.Offset, quoted)
		b.arithmetic(p.Slice.Length, quoted)
	}
	if p.Repl != nil {
		b.aside(p.Repl.Orig, q)
		b.aside(p.Repl.With, q)
	}
	if p.Exp != nil {
		b.aside(p.Exp.Word, q)
	}
}

// variable notes the name of an expanded variable. A name that runs into an
// expression ends where the expression starts.
func (b *wordBuilder) variable(name *syntax.Lit) {
	start, end := offset(name.Pos()), offset(name.End())
	text := name.Value
	if exprs := b.exprs(start, end); len(exprs) > 0 {
		text = b.reader.text[start:max(start, exprs[0].Start)]
		b.word.Exprs = append(b.word.Exprs, exprs...)
	}
	if text != "" {
		b.word.Vars = append(b.word.Vars, text)
	}
}

// aside reads a word inside an expansion, which adds no text of its own.
func (b *wordBuilder) aside(w *syntax.Word, q quoting) {
	if w == nil {
		return
	}
	inner := wordBuilder{reader: b.reader, within: b.within}
	inner.parts(w.Parts, q)
	b.absorb(&inner)
}

// absorb takes over what inner found, without its text.
func (b *wordBuilder) absorb(inner *wordBuilder) {
	b.word.Vars = append(b.word.Vars, inner.word.Vars...)
	b.word.Exprs = append(b.word.Exprs, inner.word.Exprs...)
	b.word.Commands = append(b.word.Commands, inner.word.Commands...)
	b.exposed = b.exposed || inner.exposed
}

// arithmetic reads an arithmetic expression, in which a bare name is a variable.
func (b *wordBuilder) arithmetic(x syntax.ArithmExpr, quoted bool) {
	switch x := x.(type) {
	case *syntax.BinaryArithm:
		b.arithmetic(x.X, quoted)
		b.arithmetic(x.Y, quoted)
	case *syntax.UnaryArithm:
		b.arithmetic(x.X, quoted)
	case *syntax.ParenArithm:
		b.arithmetic(x.X, quoted)
	case *syntax.Word:
		if x == nil {
			return
		}
		if name := x.Lit(); syntax.ValidName(name) && len(b.exprs(offset(x.Pos()), offset(x.End()))) == 0 {
			b.word.Vars = append(b.word.Vars, name)
			return
		}
		q := bare
		if quoted {
			q = inDouble
		}
		b.aside(x, q)
	}
}

func (b *wordBuilder) literal(l *syntax.Lit, q quoting) {
	start, end := offset(l.Pos()), offset(l.End())
	exprs := b.exprs(start, end)
	if len(exprs) == 0 {
		b.text.WriteString(unescape(l.Value, q))
		return
	}
	b.between(start, end, exprs, func(s string) string { return unescape(s, q) })
}

func (b *wordBuilder) singleQuoted(s *syntax.SglQuoted) {
	start := offset(s.Left) + len("'")
	decode := func(s string) string { return s }
	if s.Dollar {
		start += len("$")
		decode = decodeANSI
	}
	end := offset(s.Right)
	exprs := b.exprs(start, end)
	if len(exprs) == 0 {
		b.text.WriteString(decode(s.Value))
		return
	}
	b.between(start, end, exprs, decode)
}

// raw writes the source of a part as it stands.
func (b *wordBuilder) raw(start, end int) {
	b.between(start, end, b.exprs(start, end), func(s string) string { return s })
}

// between writes text[start:end] with a mark for each of exprs.
func (b *wordBuilder) between(start, end int, exprs []*Expr, decode func(string) string) {
	end = min(end, len(b.reader.text))
	for _, e := range exprs {
		b.text.WriteString(decode(b.reader.text[min(start, e.Start):e.Start]))
		b.text.WriteString(notConst)
		b.word.Exprs = append(b.word.Exprs, e)
		b.varies = true
		start = e.End
	}
	if start < end {
		b.text.WriteString(decode(b.reader.text[start:end]))
	}
}

// exprs returns the expressions that overlap text[start:end].
func (b *wordBuilder) exprs(start, end int) []*Expr {
	all := b.reader.script.Exprs
	if len(all) == 0 {
		return nil
	}
	from, _ := slices.BinarySearchFunc(all, start, func(e *Expr, start int) int {
		return cmp.Compare(e.End, start+1)
	})
	to := from
	for to < len(all) && all[to].Start < end && all[to].End <= len(b.reader.text) {
		to++
	}
	return all[from:to]
}

// unescape removes the backslashes that the shell removes.
func unescape(s string, q quoting) string {
	if q == inSingle || !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) || !escapable(s[i+1], q) {
			b.WriteByte(s[i])
			continue
		}
		i++
		if s[i] != '\n' {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func escapable(c byte, q quoting) bool {
	switch q {
	case inDouble:
		return strings.IndexByte("$`\"\\\n", c) >= 0
	case inHeredoc:
		return strings.IndexByte("$`\\\n", c) >= 0
	}
	return true
}

// ansiEscapes are the one-letter escapes of $'…'.
var ansiEscapes = map[byte]byte{
	'a': '\a', 'b': '\b', 'e': 0x1b, 'E': 0x1b, 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v',
	'\\': '\\', '\'': '\'', '"': '"', '?': '?',
}

// decodeANSI decodes the text of $'…', where a command's name can hide.
func decodeANSI(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			i++
			continue
		}
		c := s[i+1]
		i += 2
		switch {
		case c >= '0' && c <= '7':
			n, width := number(s[i-1:], 8, 3)
			b.WriteByte(byte(n))
			i += width - 1
		case c == 'x':
			n, width := number(s[i:], 16, 2)
			b.WriteByte(byte(n))
			i += width
		case c == 'u' || c == 'U':
			n, width := number(s[i:], 16, map[byte]int{'u': 4, 'U': 8}[c])
			b.WriteRune(rune(n))
			i += width
		case ansiEscapes[c] != 0:
			b.WriteByte(ansiEscapes[c])
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	return b.String()
}

// number reads up to most digits of a base at the start of s.
func number(s string, base uint32, most int) (n uint32, width int) {
	for width < most && width < len(s) {
		digit := strings.IndexByte("0123456789abcdef", s[width]|0x20)
		if s[width] < '0' || digit < 0 || uint32(digit) >= base {
			break
		}
		n = n*base + uint32(digit)
		width++
	}
	return n, width
}
