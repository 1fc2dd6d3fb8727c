package flow

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/stint-dev/stint/workflows"
)

// A value is one that an expression may have. GitHub compares values of different
// kinds as numbers, so that the string 'true' is not the boolean true; outputs are strings.
type value struct {
	text string
	kind workflows.LiteralKind
}

func str(text string) value { return value{text, workflows.StringLiteral} }
func boolean(b bool) value  { return value{strconv.FormatBool(b), workflows.BoolLiteral} }

// truthy is the value as a condition: a string is false only when it is empty.
func (v value) truthy() bool {
	switch v.kind {
	case workflows.StringLiteral:
		return v.text != ""
	case workflows.BoolLiteral:
		return v.text == "true"
	case workflows.NumberLiteral:
		n := v.number()
		return n != 0 && !math.IsNaN(n)
	}
	return false
}

// number is the value as GitHub turns it into a number for a comparison.
func (v value) number() float64 {
	switch {
	case v.kind == workflows.NullLiteral, v.text == "", v.kind == workflows.BoolLiteral && v.text != "true":
		return 0
	case v.kind == workflows.BoolLiteral:
		return 1
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(v.text), 64)
	if err != nil {
		return math.NaN()
	}
	return n
}

func (v value) equals(w value) bool {
	if v.kind == w.kind && v.kind != workflows.NumberLiteral {
		return equalFold(v.text, w.text)
	}
	return v.number() == w.number()
}

// maxValues bounds the values that are kept of one expression; with more of them it
// may be anything.
const maxValues = 24

// anyOf returns the values that a node may have; false when it may have any.
func (g guard) anyOf(n workflows.ExprNode) ([]value, bool) {
	switch n := n.(type) {
	case *workflows.Lit:
		return []value{{n.Value, n.Kind}}, true
	case *workflows.Ref:
		return g.value(n)
	case *workflows.Not:
		return booleans(g.node(n)), true
	case *workflows.Binary:
		return g.anyOfBinary(n)
	case *workflows.Call:
		return g.anyOfCall(n)
	}
	return nil, false
}

// anyOfBinary follows && and ||, which yield one of their operands.
func (g guard) anyOfBinary(n *workflows.Binary) ([]value, bool) {
	stays := n.Op == "||" // the left operand is the result when it is true
	if !stays && n.Op != "&&" {
		return booleans(g.node(n)), true
	}
	left, okLeft := g.anyOf(n.X)
	switch t := g.node(n.X); {
	case t == of(stays):
		return left, okLeft
	case t == not(of(stays)):
		return g.anyOf(n.Y)
	}
	right, okRight := g.anyOf(n.Y)
	if !okLeft || !okRight {
		return nil, false
	}
	left = slices.DeleteFunc(slices.Clone(left), func(v value) bool { return v.truthy() != stays })
	return bounded(append(left, right...))
}

func (g guard) anyOfCall(n *workflows.Call) ([]value, bool) {
	switch n.Func {
	case "contains", "startswith", "endswith", "always", "success", "failure", "cancelled":
		return booleans(g.call(n)), true
	case "fromjson":
		if len(n.Args) != 1 {
			return nil, false
		}
		texts, ok := g.anyOf(n.Args[0])
		if !ok {
			return nil, false
		}
		return decoded(texts)
	}
	return nil, false
}

// decoded reads JSON of one value each.
func decoded(texts []value) ([]value, bool) {
	var out []value
	for _, t := range texts {
		word := strings.TrimSpace(t.text)
		switch {
		case word == "true", word == "false":
			out = append(out, value{word, workflows.BoolLiteral})
		case word == "null":
			out = append(out, value{word, workflows.NullLiteral})
		case len(word) > 1 && word[0] == '"' && !strings.Contains(word, `\`):
			out = append(out, str(strings.Trim(word, `"`)))
		case word == "": // an error that fails the job
		default:
			if _, err := strconv.ParseFloat(word, 64); err != nil {
				return nil, false
			}
			out = append(out, value{word, workflows.NumberLiteral})
		}
	}
	return out, len(out) > 0
}

// anyText returns the texts that a value with expressions in it may have.
func (g guard) anyText(s *workflows.Scalar) ([]value, bool) {
	if s == nil {
		return []value{str("")}, true
	}
	texts, at := []string{""}, 0
	for _, e := range s.Exprs {
		if e.Root == nil || e.Start < at {
			return nil, false
		}
		parts, ok := g.anyOf(e.Root)
		if !ok || len(parts)*len(texts) > maxValues {
			return nil, false
		}
		texts = joined(texts, s.Value[at:e.Start], parts)
		at = e.End
	}
	out := make([]value, 0, len(texts))
	for _, t := range texts {
		out = append(out, str(t+s.Value[at:]))
	}
	return bounded(out)
}

func joined(heads []string, between string, parts []value) []string {
	var out []string
	for _, h := range heads {
		for _, p := range parts {
			if p.kind == workflows.NullLiteral {
				p.text = ""
			}
			out = append(out, h+between+p.text)
		}
	}
	return out
}

func booleans(t truth) []value {
	if t == unknown {
		return []value{boolean(false), boolean(true)}
	}
	return []value{boolean(t == yes)}
}

// bounded removes repetitions; too many values are as good as any.
func bounded(in []value) ([]value, bool) {
	var out []value
	for _, v := range in {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out, len(out) > 0 && len(out) <= maxValues
}

// all returns yes when the test holds for every value, no when it does for none.
func all(values []value, test func(value) bool) truth {
	held := 0
	for _, v := range values {
		if test(v) {
			held++
		}
	}
	switch held {
	case 0:
		return no
	case len(values):
		return yes
	}
	return unknown
}

// both compares every value of one side with every value of the other.
func both(x, y []value, test func(a, b value) bool) truth {
	first := unknown
	for i, a := range x {
		t := all(y, func(b value) bool { return test(a, b) })
		if i > 0 && t != first {
			return unknown
		}
		first = t
	}
	return first
}
