package workflows

import (
	"regexp"
	"slices"
	"strings"
)

// A Move takes an expression out of a step's script: the script reads the
// environment variable Name instead, and the step's env: gives it the value.
type Move struct {
	Expr *Expr
	Name string
}

// variableName is a name that every shell takes as it stands.
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// MoveToEnv returns the edits for all moves of one step. Each expression must be
// one of the step's run:; one Name must not stand for two expressions.
//
// The reference is written as the place asks for: "$NAME" as an argument, $NAME
// between double quotes and in heredocs, '"$NAME"' between single quotes;
// $env:NAME in PowerShell. It is refused where a variable would not do, or would
// not help: as a command, in arithmetic, and in text that another interpreter
// reads as code (eval, bash -c, ssh, a pipe into sh).
func (f *File) MoveToEnv(s *Step, moves []Move) (edits []Edit, ok bool) {
	if s.Run == nil || len(moves) == 0 {
		return nil, false
	}
	reference := f.referenceWriter(s.Run)
	var vars []yamlEntry
	for _, m := range moves {
		if !variableName.MatchString(m.Name) || !slices.Contains(s.Run.Exprs, m.Expr) || !s.Span.Contains(m.Expr.Span) {
			return nil, false
		}
		text, ok := reference(m)
		if !ok || s.Run.Style == Plain && m.Expr.Start == 0 {
			return nil, false // a plain scalar cannot start with a quote
		}
		edits = append(edits, Edit{m.Expr.Span, quoteFor(s.Run.Style, text)})
		vars = addVariable(vars, yamlEntry{key: m.Name, text: "${{ " + m.Expr.Text + " }}"})
	}
	env, ok := f.setStepEnv(s, vars)
	if !ok || !distinct(vars) {
		return nil, false
	}
	return append(edits, env...), true
}

func addVariable(vars []yamlEntry, v yamlEntry) []yamlEntry {
	if slices.ContainsFunc(vars, func(have yamlEntry) bool { return have.key == v.key && have.text == v.text }) {
		return vars
	}
	return append(vars, v)
}

func distinct(vars []yamlEntry) bool {
	seen := map[string]bool{}
	for _, v := range vars {
		if seen[strings.ToUpper(v.key)] || strings.ContainsAny(v.text, "\r\n") {
			return false
		}
		seen[strings.ToUpper(v.key)] = true
	}
	return true
}

// quoteFor writes text as it must stand inside a scalar of a style.
func quoteFor(style Style, text string) string {
	switch style {
	case SingleQuoted:
		return strings.ReplaceAll(text, "'", "''")
	case DoubleQuoted:
		return strings.ReplaceAll(text, `"`, `\"`)
	}
	return text
}

func (f *File) referenceWriter(s *Script) func(Move) (string, bool) {
	switch {
	case s.Shell == ShellPOSIX && s.Prog != nil:
		return func(m Move) (string, bool) { return shellReference(s, m) }
	case s.Shell == ShellPowerShell:
		return func(m Move) (string, bool) { return powerShellReference(s.Value, m) }
	}
	return func(Move) (string, bool) { return "", false }
}

// powerShellCode finds what runs its arguments as code, see interpreters.
var powerShellCode = regexp.MustCompile(`(?i)\b(?:iex|invoke-expression|invoke-command|scriptblock|bash|sh|wsl|cmd|pwsh|powershell|python3?|node|ssh)\b`)

// powerShellReference writes $env:NAME. Between single quotes it is refused:
// nothing is expanded there.
func powerShellReference(text string, m Move) (string, bool) {
	quote, ok := powerShellQuote(text[:m.Expr.Start])
	line := text[strings.LastIndexByte(text[:m.Expr.Start], '\n')+1 : m.Expr.End]
	if !ok || quote == '\'' || powerShellCode.MatchString(line) {
		return "", false
	}
	next := text[m.Expr.End:]
	if next != "" && (continuesName(next[0]) || next[0] == ':' || next[0] == '.' || next[0] == '[') {
		if quote == 0 {
			return "", false
		}
		return "${env:" + m.Name + "}", true
	}
	return "$env:" + m.Name, true
}

// powerShellQuote returns the quote that is open at the end of text, 0 for none;
// ok is false inside comments and here-strings.
func powerShellQuote(text string) (quote byte, ok bool) {
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote == 0 && c == '@' && i+1 < len(text) && (text[i+1] == '"' || text[i+1] == '\''):
			end := strings.Index(text[i+2:], "\n"+text[i+1:i+2]+"@")
			if end < 0 {
				return 0, false
			}
			i += 2 + end + 2
		case quote == 0 && c == '#' && (i == 0 || strings.IndexByte(" \t\n;(", text[i-1]) >= 0):
			end := strings.IndexByte(text[i:], '\n')
			if end < 0 {
				return 0, false
			}
			i += end
		case c == '`' && quote != '\'':
			i++
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == c && quote != 0:
			quote = 0 // a doubled quote opens it again at once
		}
	}
	return quote, true
}

func continuesName(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}
