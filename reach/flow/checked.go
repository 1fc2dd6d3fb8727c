package flow

import (
	"regexp"
	resyntax "regexp/syntax"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/stint-dev/stint/workflows"
)

// A check is a part of a script that runs only when a variable holds nothing but
// plain characters: `[[ $N =~ ^[0-9]+$ ]] || exit 1` and the like. A check by grep is
// none: it looks at each line, and one that fits is enough.
type check struct {
	name string
	span workflows.Span
}

// plain reports whether a variable was checked before a word of the script. A check
// says nothing of whose code a name stands for.
func (r *reader) plain(name string, at workflows.Span) bool {
	if r.ev.mode == asCode || r.step.Run == nil || r.step.Run.Prog == nil {
		return false
	}
	if !r.looked {
		r.looked = true
		c := &checker{script: r.step.Run}
		c.list(r.step.Run.Prog.Stmts, len(r.step.Run.Value))
		r.checks = c.found
	}
	return slices.ContainsFunc(r.checks, func(c check) bool { return c.name == name && c.span.Contains(at) })
}

// assigned ends the checks of a variable that gets a new value.
func (r *reader) assigned(name string, at workflows.Span) {
	if r.plain(name, at) {
		r.checks = slices.DeleteFunc(r.checks, func(c check) bool { return c.name == name && c.span.Contains(at) })
	}
}

// A checker finds the checks of one script. Its offsets are those of the script's text.
type checker struct {
	script *workflows.Script
	found  []check
}

func (c *checker) add(names []string, start, end int) {
	for _, n := range names {
		if start < end {
			c.found = append(c.found, check{n, c.script.SpanOf(start, end)})
		}
	}
}

func offset(p syntax.Pos) int { return int(p.Offset()) }

// list reads statements that run one after the other up to end.
func (c *checker) list(stmts []*syntax.Stmt, end int) {
	for _, s := range stmts {
		c.add(c.after(s), offset(s.End()), end)
		c.inside(s.Cmd)
	}
}

// branch reads statements that run when the names are checked.
func (c *checker) branch(names []string, stmts []*syntax.Stmt) {
	if len(stmts) > 0 {
		end := offset(stmts[len(stmts)-1].End())
		c.add(names, offset(stmts[0].Pos()), end)
		c.list(stmts, end)
	}
}

func (c *checker) inside(cmd syntax.Command) {
	switch cmd := cmd.(type) {
	case *syntax.Block:
		c.branch(nil, cmd.Stmts)
	case *syntax.Subshell:
		c.branch(nil, cmd.Stmts)
	case *syntax.WhileClause:
		c.branch(nil, cmd.Do)
	case *syntax.ForClause:
		c.branch(nil, cmd.Do)
	case *syntax.CaseClause:
		for _, item := range cmd.Items {
			var plain []string
			if name := variable(cmd.Word); name != "" && c.onlyPlain(item) {
				plain = []string{name}
			}
			c.branch(plain, item.Stmts)
		}
	case *syntax.IfClause:
		c.branch(c.when(cmd.Cond, true), cmd.Then)
		if cmd.Else != nil {
			c.add(c.when(cmd.Cond, false), offset(cmd.Else.Pos()), offset(cmd.Else.End()))
			c.inside(cmd.Else)
		}
	case *syntax.BinaryCmd:
		c.inside(cmd.X.Cmd)
		switch cmd.Op {
		case syntax.AndStmt:
			c.branch(c.when([]*syntax.Stmt{cmd.X}, true), []*syntax.Stmt{cmd.Y})
		case syntax.OrStmt:
			c.branch(c.when([]*syntax.Stmt{cmd.X}, false), []*syntax.Stmt{cmd.Y})
		}
	}
}

// after returns the variables that are plain wherever the script goes on behind s. A
// test that fails ends the script, which the runner starts with bash -e.
func (c *checker) after(s *syntax.Stmt) []string {
	one := func(s *syntax.Stmt) []*syntax.Stmt { return []*syntax.Stmt{s} }
	switch cmd := s.Cmd.(type) {
	case *syntax.TestClause:
		if !s.Negated {
			return c.test(cmd.X, true)
		}
	case *syntax.BinaryCmd:
		switch {
		case cmd.Op == syntax.OrStmt && leaves(one(cmd.Y)):
			return c.when(one(cmd.X), true)
		case cmd.Op == syntax.AndStmt && leaves(one(cmd.Y)):
			return c.when(one(cmd.X), false)
		}
	case *syntax.IfClause:
		switch {
		case leaves(cmd.Then):
			return c.when(cmd.Cond, false)
		case cmd.Else != nil && leaves(cmd.Else.Then) && len(cmd.Else.Cond) == 0:
			return c.when(cmd.Cond, true)
		}
	case *syntax.CaseClause:
		if name := variable(cmd.Word); name != "" && c.selects(cmd) {
			return []string{name}
		}
	}
	return nil
}

// selects reports whether the script goes on behind a case only for plain text: one of
// its arms ends it for whatever holds other characters, or one for all that no arm of
// fixed words takes.
func (c *checker) selects(cmd *syntax.CaseClause) bool {
	for _, item := range cmd.Items {
		switch {
		case leaves(item.Stmts):
			if slices.ContainsFunc(item.Patterns, c.refusesOthers) || slices.ContainsFunc(item.Patterns, c.isRest) {
				return true
			}
		case !c.onlyPlain(item):
			return false
		}
	}
	return false
}

func (c *checker) source(w *syntax.Word) string {
	return c.script.Value[offset(w.Pos()):offset(w.End())]
}

func (c *checker) isRest(w *syntax.Word) bool { return c.source(w) == "*" }

// onlyPlain reports whether an arm of a case takes fixed plain words alone.
func (c *checker) onlyPlain(item *syntax.CaseItem) bool {
	return !slices.ContainsFunc(item.Patterns, func(w *syntax.Word) bool {
		text := c.source(w)
		if len(text) > 1 && strings.ContainsRune("'\"", rune(text[0])) && text[len(text)-1] == text[0] {
			text = text[1 : len(text)-1]
		}
		return text != "" && !plainText(text)
	})
}

// leaves reports whether statements end the script, function or turn of a loop.
func leaves(stmts []*syntax.Stmt) bool {
	return slices.ContainsFunc(stmts, func(s *syntax.Stmt) bool {
		switch cmd := s.Cmd.(type) {
		case *syntax.Block:
			return leaves(cmd.Stmts)
		case *syntax.CallExpr:
			return len(cmd.Args) > 0 && slices.Contains([]string{"exit", "return", "continue", "break"}, cmd.Args[0].Lit())
		}
		return false
	})
}

// when returns the variables that are plain when the condition has the outcome.
func (c *checker) when(cond []*syntax.Stmt, outcome bool) []string {
	if len(cond) != 1 {
		return nil
	}
	s := cond[0]
	outcome = outcome != s.Negated
	switch cmd := s.Cmd.(type) {
	case *syntax.TestClause:
		return c.test(cmd.X, outcome)
	case *syntax.BinaryCmd:
		if cmd.Op == syntax.AndStmt && outcome || cmd.Op == syntax.OrStmt && !outcome {
			return append(c.when([]*syntax.Stmt{cmd.X}, outcome), c.when([]*syntax.Stmt{cmd.Y}, outcome)...)
		}
	}
	return nil
}

// test returns the variables that are plain when a test of [[ ]] has the outcome.
func (c *checker) test(x syntax.TestExpr, outcome bool) []string {
	switch x := x.(type) {
	case *syntax.ParenTest:
		return c.test(x.X, outcome)
	case *syntax.UnaryTest:
		if x.Op == syntax.TsNot {
			return c.test(x.X, !outcome)
		}
	case *syntax.BinaryTest:
		return c.binary(x, outcome)
	}
	return nil
}

func (c *checker) binary(x *syntax.BinaryTest, outcome bool) []string {
	switch {
	case x.Op == syntax.AndTest && outcome, x.Op == syntax.OrTest && !outcome:
		return append(c.test(x.X, outcome), c.test(x.Y, outcome)...)
	}
	left, ok := x.X.(*syntax.Word)
	right, ok2 := x.Y.(*syntax.Word)
	if !ok || !ok2 || variable(left) == "" {
		return nil
	}
	switch {
	case x.Op == syntax.TsReMatch && outcome && plainPattern(c.pattern(right)),
		x.Op == syntax.TsMatch && outcome && plainText(right.Lit()),
		x.Op == syntax.TsNoMatch && !outcome && plainText(right.Lit()):
		return []string{variable(left)}
	}
	return nil
}

// variable returns the name of "$NAME" or ${NAME}, "" for every other word.
func variable(w *syntax.Word) string {
	if len(w.Parts) != 1 {
		return ""
	}
	part := w.Parts[0]
	if q, ok := part.(*syntax.DblQuoted); ok && len(q.Parts) == 1 {
		part = q.Parts[0]
	}
	if p, ok := part.(*syntax.ParamExp); ok && p.Exp == nil && p.Repl == nil && p.Slice == nil && p.Index == nil && !p.Length && !p.Excl {
		return p.Param.Value
	}
	return ""
}

// pattern returns the regular expression that a word is: as written, or what its
// variable was set to, always to the same.
func (c *checker) pattern(w *syntax.Word) string {
	name := variable(w)
	if name == "" {
		return c.script.Value[offset(w.Pos()):offset(w.End())]
	}
	text := ""
	for _, cmd := range c.script.Commands {
		for _, a := range cmd.Assigns {
			if a.Name == name {
				if !a.Value.Const || text != "" && text != a.Value.Text {
					return ""
				}
				text = a.Value.Text
			}
		}
	}
	return text
}

// othersPattern is the pattern of case that fits whatever holds another character
// than those of its list.
var othersPattern = regexp.MustCompile(`^\*\[[!^]([^\]\[]+)\]\*$`)

func (c *checker) refusesOthers(w *syntax.Word) bool {
	m := othersPattern.FindStringSubmatch(c.script.Value[offset(w.Pos()):offset(w.End())])
	return m != nil && plainPattern("^["+m[1]+"]$")
}

// plainPattern reports whether all that a regular expression matches is one word of
// characters that mean nothing to a shell.
func plainPattern(pattern string) bool {
	re, err := resyntax.Parse(pattern, resyntax.Perl)
	return err == nil && anchored(re)
}

func anchored(re *resyntax.Regexp) bool {
	switch re.Op {
	case resyntax.OpAlternate:
		return !slices.ContainsFunc(re.Sub, func(s *resyntax.Regexp) bool { return !anchored(s) })
	case resyntax.OpConcat:
		last := len(re.Sub) - 1
		return last > 0 && re.Sub[0].Op == resyntax.OpBeginText && re.Sub[last].Op == resyntax.OpEndText &&
			!slices.ContainsFunc(re.Sub[1:last], func(s *resyntax.Regexp) bool { return !plainMatch(s) })
	}
	return false
}

func plainMatch(re *resyntax.Regexp) bool {
	switch re.Op {
	case resyntax.OpLiteral:
		return plainText(string(re.Rune))
	case resyntax.OpCharClass:
		for i := 0; i+1 < len(re.Rune); i += 2 {
			for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
				if !plainText(string(r)) {
					return false
				}
			}
		}
		return true
	case resyntax.OpEmptyMatch:
		return true
	case resyntax.OpCapture, resyntax.OpConcat, resyntax.OpAlternate, resyntax.OpStar, resyntax.OpPlus, resyntax.OpQuest, resyntax.OpRepeat:
		return !slices.ContainsFunc(re.Sub, func(s *resyntax.Regexp) bool { return !plainMatch(s) })
	}
	return false
}

// plainText reports whether text holds only characters that mean nothing to a shell.
func plainText(text string) bool {
	return text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/@:+,=%-") == ""
}
