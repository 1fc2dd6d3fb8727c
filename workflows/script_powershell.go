package workflows

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// readPowerShell lists the commands of a PowerShell script: enough of the language to
// see what is run with which words. What stands in blocks and
// parentheses is a command of its own; what is computed between
// variables is not followed. It never fails: text that is no PowerShell gives commands
// that nobody knows.
func readPowerShell(script *Script) []*Command {
	r := &powerShellReader{script: script, text: script.Value}
	for r.at < len(r.text) {
		r.next()
	}
	for r.endCommand(false); len(r.around) > 0; r.endCommand(false) {
		r.close()
	}
	slices.SortStableFunc(r.commands, func(a, b *Command) int { return cmp.Compare(a.Span.Start, b.Span.Start) })
	return r.commands
}

type powerShellReader struct {
	script   *Script
	text     string
	at       int
	commands []*Command
	powerShellCommand
	// around are the commands whose words hold the parentheses that are open here.
	around []powerShellCommand
}

// A powerShellCommand is what is read of a command so far.
type powerShellCommand struct {
	words    []Word
	starts   []int // where in text each word starts
	redirs   []Redir
	redirect string   // the operator whose file is the next word, or ""
	piped    *Command // the command whose output this one reads, or nil
}

// next reads one separator, comment or word.
func (r *powerShellReader) next() {
	rest := r.text[r.at:]
	switch c := rest[0]; {
	case c == ' ', c == '\t', c == '\r':
		r.at++
	case strings.HasPrefix(rest, "`\n"), strings.HasPrefix(rest, "`\r\n"):
		r.at += strings.IndexByte(rest, '\n') + 1
	case strings.HasPrefix(rest, "<#"):
		r.skipTo("#>")
	case c == '#':
		r.at += len(rest)
		if i := strings.IndexByte(rest, '\n'); i >= 0 {
			r.at -= len(rest) - i
		}
	case c == '|' && !strings.HasPrefix(rest, "||"):
		r.at++
		r.endCommand(true)
	case c == '(':
		r.at++
		r.around = append(r.around, r.powerShellCommand)
		r.powerShellCommand = powerShellCommand{}
	case c == ')':
		r.at++
		if r.endCommand(false); len(r.around) > 0 {
			r.close()
		}
	case strings.IndexByte("\n;|{}", c) >= 0, strings.HasPrefix(rest, "&&"):
		r.at++
		r.endCommand(false)
	case c == '&', c == ',':
		r.at++ // the call operator, the end of a list's item
	case c == '>':
		r.at += len(rest) - len(strings.TrimLeft(rest, ">"))
		r.redirect = ">"
	default:
		r.word()
	}
}

// close goes on with the command around a pair of parentheses, of which they are a word.
func (r *powerShellReader) close() {
	last := len(r.around) - 1
	r.powerShellCommand, r.around = r.around[last], r.around[:last]
	r.starts = append(r.starts, r.at-1)
	r.words = append(r.words, Word{Text: notConst, Quoted: true, Span: r.script.SpanOf(min(r.at, len(r.text))-1, r.at)})
}

func (r *powerShellReader) skipTo(end string) {
	if i := strings.Index(r.text[r.at:], end); i >= 0 {
		r.at += i + len(end)
		return
	}
	r.at = len(r.text)
}

// word reads a word up to the next white space or separator outside of quotes.
func (r *powerShellReader) word() {
	start := r.at
	b := powerShellWord{reader: r}
	b.word.Const, b.word.Quoted = true, true
	for r.at < len(r.text) && !b.assigned() && b.part() {
	}
	if r.at == start { // nothing that begins a word
		r.at++
		return
	}
	b.word.Text = b.text.String()
	b.word.Span = r.script.SpanOf(start, r.at)
	if r.redirect != "" {
		r.redirs = append(r.redirs, Redir{Op: r.redirect, Target: b.word})
		r.redirect = ""
		return
	}
	r.words, r.starts = append(r.words, b.word), append(r.starts, start)
}

// endCommand makes a command of the words that were read.
func (r *powerShellReader) endCommand(pipe bool) {
	words, starts, redirs, piped := r.words, r.starts, r.redirs, r.piped
	r.powerShellCommand = powerShellCommand{}
	if len(words) == 0 {
		r.piped = piped // a line break after the sign
		return
	}
	c := &Command{Redirs: redirs, Span: Span{words[0].Span.Start, words[len(words)-1].Span.End}}
	if name, value, ok := powerShellAssignment(words); ok {
		if len(value) > 0 {
			c.Assigns = []Assign{{Name: name, Value: joinWords(value), Span: c.Span}}
		}
		words = value
		if len(value) > 0 && strings.IndexByte("\"'@", r.text[starts[2]]) >= 0 {
			words = nil // text, and no command whose output is taken
		}
	}
	c.Words = words
	if len(words) > 0 && words[0].Const && len(words[0].Vars) == 0 {
		file := strings.ReplaceAll(words[0].Text, `\`, "/")
		c.Name = strings.TrimSuffix(path.Base(file), ".exe")
		for _, w := range words {
			c.Line = append(c.Line, w.Text)
		}
	}
	r.commands = append(r.commands, c)
	if piped != nil {
		piped.PipesInto = c
	}
	if pipe {
		r.piped = c
	}
}

// powerShellAssignment reads $name = value and $env:NAME = value, which may be a
// command. A variable of the shell keeps its $, so that none is taken for one of the environment.
func powerShellAssignment(words []Word) (name string, value []Word, ok bool) {
	if len(words) < 2 || words[1].Text != "=" && words[1].Text != "+=" || len(words[0].Vars) != 1 || words[0].Text != notConst {
		return "", nil, false
	}
	return words[0].Vars[0], words[2:], true
}

// joinWords returns the words of a value as one.
func joinWords(words []Word) Word {
	out := words[0]
	for _, w := range words[1:] {
		out.Text += " " + w.Text
		out.Const = out.Const && w.Const
		out.Quoted = out.Quoted && w.Quoted
		out.Vars = append(slices.Clip(out.Vars), w.Vars...)
		out.Exprs = append(slices.Clip(out.Exprs), w.Exprs...)
		out.Span.End = w.Span.End
	}
	return out
}

// A powerShellWord collects one word.
type powerShellWord struct {
	reader *powerShellReader
	word   Word
	text   strings.Builder
}

// part reads one part of a word, and false where the word ends.
func (b *powerShellWord) part() bool {
	r := b.reader
	rest := r.text[r.at:]
	switch c := rest[0]; {
	case b.expression():
	case strings.HasPrefix(rest, `@"`), strings.HasPrefix(rest, "@'"):
		r.at += 2
		b.quoted(rest[1], "\n"+rest[1:2]+"@")
	case c == '"', c == '\'':
		r.at++
		b.quoted(c, rest[:1])
	case strings.HasPrefix(rest, "`\n"), strings.HasPrefix(rest, "`\r"):
		return false
	case c == '`' && len(rest) > 1:
		b.text.WriteByte(rest[1])
		r.at += 2
	case c == '$':
		b.variable(true)
	case strings.IndexByte(" \t\r\n;|{}(),>", c) >= 0, strings.HasPrefix(rest, "&&"):
		return false
	default:
		b.text.WriteByte(c)
		r.at++
	}
	return true
}

// assigned reports whether the word is the variable of $name="value", and puts the
// sign between them down as a word, as it is where there are spaces.
func (b *powerShellWord) assigned() bool {
	r := b.reader
	if r.text[r.at] != '=' || len(r.words) > 1 || len(b.word.Exprs) > 0 {
		return false
	}
	if b.text.Len() == 0 && len(r.words) == 1 { // the sign itself
		b.text.WriteByte('=')
		r.at++
		return true
	}
	return len(r.words) == 0 && b.text.String() == notConst
}

// expression reads a ${{ … }} that starts here.
func (b *powerShellWord) expression() bool {
	r := b.reader
	i, ok := slices.BinarySearchFunc(r.script.Exprs, r.at, func(e *Expr, at int) int { return e.Start - at })
	if !ok || r.script.Exprs[i].End <= r.at || r.script.Exprs[i].End > len(r.text) {
		return false
	}
	b.word.Exprs = append(b.word.Exprs, r.script.Exprs[i])
	b.varies()
	r.at = r.script.Exprs[i].End
	return true
}

func (b *powerShellWord) varies() {
	b.text.WriteString(notConst)
	b.word.Const = false
}

// quoted reads up to the end of a string; only between double quotes is anything
// filled in, other than expressions, which GitHub fills in everywhere.
func (b *powerShellWord) quoted(quote byte, end string) {
	r := b.reader
	for r.at < len(r.text) && !strings.HasPrefix(r.text[r.at:], end) {
		c := r.text[r.at]
		switch {
		case b.expression():
		case quote == '"' && c == '`' && r.at+1 < len(r.text):
			b.text.WriteByte(r.text[r.at+1])
			r.at += 2
		case quote == '"' && c == '$':
			b.variable(false)
		default:
			b.text.WriteByte(c)
			r.at++
		}
	}
	r.at = min(r.at+len(end), len(r.text))
}

// variable reads $name, $env:NAME, ${env:NAME}, or a $ that is none of them.
func (b *powerShellWord) variable(bare bool) {
	r := b.reader
	rest := r.text[r.at+1:]
	inner, braced := strings.CutPrefix(rest, "{")
	size := 0
	for size < len(inner) && (continuesName(inner[size]) || inner[size] == ':') {
		size++
	}
	name := strings.TrimRight(inner[:size], ":")
	if name == "" {
		b.text.WriteByte('$')
		r.at++
		return
	}
	r.at += 1 + len(name)
	if braced {
		r.at++
		if strings.HasPrefix(r.text[r.at:], "}") {
			r.at++
		}
	}
	if len(name) > len("env:") && strings.EqualFold(name[:len("env:")], "env:") {
		name = name[len("env:"):]
	} else {
		name = "$" + name
	}
	b.word.Vars = append(b.word.Vars, name)
	b.varies()
	b.word.Quoted = b.word.Quoted && !bare
}
