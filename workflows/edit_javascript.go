package workflows

import (
	"slices"
	"strings"
)

// MoveToProcessEnv is [File.MoveToEnv] for JavaScript in an input of a step's action,
// the script: of actions/github-script: the script reads process.env.NAME instead.
//
// An expression must stand inside a string or a template of one line's own quotes;
// it is refused as code, and in scripts that are not block scalars.
func (f *File) MoveToProcessEnv(s *Step, input *Scalar, moves []Move) (edits []Edit, ok bool) {
	if s.Uses == nil || len(moves) == 0 || input.Style != Literal && input.Style != Folded {
		return nil, false
	}
	var vars []yamlEntry
	for _, m := range moves {
		if !variableName.MatchString(m.Name) || !slices.Contains(input.Exprs, m.Expr) || !s.Span.Contains(m.Expr.Span) {
			return nil, false
		}
		e, ok := f.javaScriptReference(input.Value, m)
		if !ok {
			return nil, false
		}
		edits = append(edits, e)
		vars = addVariable(vars, yamlEntry{key: m.Name, text: "${{ " + m.Expr.Text + " }}"})
	}
	env, ok := f.setStepEnv(s, vars)
	if !ok || !distinct(vars) || overlap(edits) {
		return nil, false
	}
	return append(edits, env...), true
}

// overlap reports whether two of the edits, which are in no order, share bytes: two
// expressions in one string.
func overlap(edits []Edit) bool {
	for i, a := range edits {
		for _, b := range edits[:i] {
			if a.Span.Start < b.Span.End && b.Span.Start < a.Span.End {
				return true
			}
		}
	}
	return false
}

// javaScriptReference replaces an expression, and the quotes that touch it, by a
// reference to the variable.
func (f *File) javaScriptReference(js string, m Move) (Edit, bool) {
	variable := "process.env." + m.Name
	at := m.Expr.Span
	switch quote := openJavaScriptQuote(js[:m.Expr.Start]); {
	case quote == '`':
		return Edit{at, "${" + variable + "}"}, true
	case quote == 0:
		return Edit{}, false
	default:
		opens := m.Expr.Start > 0 && js[m.Expr.Start-1] == quote
		closes := m.Expr.End < len(js) && js[m.Expr.End] == quote
		text := variable
		if opens {
			at.Start--
		} else {
			text = string(quote) + " + " + text
		}
		if closes {
			at.End++
		} else {
			text += " + " + string(quote)
		}
		if !(opens && closes) && hasMember(js[m.Expr.End:], quote) || f.Text(at) != js[m.Expr.Start-(m.Expr.Span.Start-at.Start):m.Expr.End+at.End-m.Expr.Span.End] {
			return Edit{}, false
		}
		return Edit{at, text}, true
	}
}

// hasMember reports whether the string that goes on in rest is followed by a member
// access, which would then belong to the variable alone.
func hasMember(rest string, quote byte) bool {
	i := strings.IndexByte(rest, quote)
	return i < 0 || i+1 < len(rest) && (rest[i+1] == '.' || rest[i+1] == '[')
}

// openJavaScriptQuote returns the quote that is open at the end of JavaScript text,
// 0 for none. In comments none is.
func openJavaScriptQuote(js string) byte {
	quote := byte(0)
	for i := 0; i < len(js); i++ {
		c := js[i]
		switch {
		case quote != 0 && c == '\\':
			i++
		case quote != 0 && (c == quote || c == '\n' && quote != '`'):
			quote = 0
		case quote != 0:
		case strings.HasPrefix(js[i:], "//"):
			end := strings.IndexByte(js[i:], '\n')
			if end < 0 {
				return 0
			}
			i += end
		case strings.HasPrefix(js[i:], "/*"):
			end := strings.Index(js[i:], "*/")
			if end < 0 {
				return 0
			}
			i += end + 1
		case c == '\'' || c == '"' || c == '`':
			quote = c
		}
	}
	return quote
}
