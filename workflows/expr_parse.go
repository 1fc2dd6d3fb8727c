package workflows

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rhysd/actionlint"
)

// findExprs returns the ${{ … }} of a scalar, parsed.
func findExprs(s *Scalar) []*Expr {
	var exprs []*Expr
	for at := 0; ; {
		open := strings.Index(s.Value[at:], "${{")
		if open < 0 {
			return exprs
		}
		start := at + open
		end, closed := exprEnd(s.Value, start+3)
		e := &Expr{Start: start, End: end, Span: s.SpanOf(start, end)}
		inner := s.Value[start+3 : end]
		if closed {
			inner = inner[:len(inner)-2]
			e.parse(s, inner, start+3)
		} else {
			e.Text = strings.TrimSpace(inner)
			e.Err = errors.New("${{ is not closed by }}")
		}
		exprs = append(exprs, e)
		at = end
	}
}

// exprEnd returns the end, }} included, of the expression whose text begins at i.
// A }} inside a string literal does not end it, unless the literal never ends:
// then the first }} does, so that what follows is not hidden.
func exprEnd(value string, i int) (end int, closed bool) {
	quoted := false
	for j := i; j < len(value); j++ {
		switch {
		case value[j] == '\'':
			quoted = !quoted
		case !quoted && strings.HasPrefix(value[j:], "}}"):
			return j + 2, true
		}
	}
	if j := strings.Index(value[i:], "}}"); j >= 0 {
		return i + j + 2, true
	}
	return len(value), false
}

// bareExpr makes the whole value one expression, as if: does with a value that
// has no ${{ }}. It returns a copy, since an alias may share s with another place.
func bareExpr(s *Scalar) *Scalar {
	trimmed := strings.TrimSpace(s.Value)
	if s.Exprs != nil || trimmed == "" {
		return s
	}
	start := strings.Index(s.Value, trimmed)
	e := &Expr{Start: start, End: start + len(trimmed), Span: s.SpanOf(start, start+len(trimmed))}
	e.parse(s, trimmed, start)
	whole := *s
	whole.Exprs = []*Expr{e}
	return &whole
}

// parse parses the expression's text, which begins at offset base of the scalar's
// value.
func (e *Expr) parse(s *Scalar, text string, base int) {
	e.Text = strings.TrimSpace(text)
	e.Root, e.Err = parseExpr(text, func(start, end int) Span { return s.SpanOf(base+start, base+end) })
}

// parseExpr parses an expression; place says where text[start:end] is.
func parseExpr(text string, place func(start, end int) Span) (ExprNode, error) {
	if len(text) > MaxExprBytes {
		return nil, fmt.Errorf("expression longer than %d KiB", MaxExprBytes>>10)
	}
	if ref := parsePath(text, place); ref != nil {
		return ref, nil
	}
	return parseTree(text, place)
}

// parseTree parses an expression of any form.
func parseTree(text string, place func(start, end int) Span) (ExprNode, error) {
	if nestingOf(text) > MaxDepth {
		return nil, fmt.Errorf("expression nested deeper than %d levels", MaxDepth)
	}
	tokens, end, err := actionlint.LexExpression(text + "}}")
	if err != nil {
		return nil, errors.New(err.Message)
	}
	if end != len(text)+len("}}") {
		return nil, errors.New("}} inside an expression")
	}
	tree, err := actionlint.NewExprParser().Parse(actionlint.NewExprLexer(text + "}}"))
	if err != nil {
		return nil, errors.New(err.Message)
	}
	c := exprConverter{tokens: tokens, place: place}
	root, _ := c.node(tree)
	return root, nil
}

// nestingOf returns how deep brackets are nested in an expression: parsing and
// every walk of its tree recurse.
func nestingOf(text string) int {
	depth, deepest, quoted := 0, 0, false
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\'':
			quoted = !quoted
		case quoted:
		case c == '(' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == ')' || c == ']':
			depth--
		}
	}
	return deepest
}

// parsePath parses an expression that is a plain path such as secrets.TOKEN, as
// most are, and returns nil for any other: actionlint's parser costs many times
// as much.
func parsePath(text string, place func(start, end int) Span) *Ref {
	text = strings.TrimRight(text, " \t\r\n")
	start := len(text) - len(strings.TrimLeft(text, " \t\r\n"))
	if start == len(text) {
		return nil
	}
	parts := make([]Part, 0, 1+strings.Count(text, "."))
	for at := start; ; {
		end := at
		for end < len(text) && (startsName(text[end]) || end > at && (text[end] == '-' || isDigit(text[end]))) {
			end++
		}
		if end == at && at > start && strings.HasPrefix(text[at:], "*") {
			end++
		}
		name := text[at:end]
		if name == "" || end < len(text) && text[end] != '.' {
			return nil
		}
		parts = append(parts, Part{Name: strings.ToLower(name), Raw: name})
		if end == len(text) {
			break
		}
		at = end + 1
	}
	if len(parts) == 1 {
		if name := parts[0].Raw; name == "true" || name == "false" || name == "null" {
			return nil
		}
	}
	return &Ref{Parts: parts, Span: place(start, len(text))}
}

// startsName reports whether c can begin a name.
func startsName(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
