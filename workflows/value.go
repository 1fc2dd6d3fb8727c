package workflows

import (
	"slices"
	"strings"
)

// A Style is how a scalar is written in the source.
type Style int

// The five ways YAML writes a scalar.
const (
	Plain Style = iota
	SingleQuoted
	DoubleQuoted
	Literal // block scalar |
	Folded  // block scalar >
)

// A Scalar is a YAML scalar with its place and the expressions in it.
type Scalar struct {
	// Value is the decoded text.
	Value string
	// Span covers the token as written: quotes and block header included,
	// anchors and tags not; it ends before the line break that ends the token.
	Span  Span
	Style Style
	// Exprs lists each ${{ … }} in order. In a position that is an expression
	// by nature (if:) a value without ${{ }} has one Expr that covers it all.
	Exprs []*Expr

	// segs maps runs of Value onto runs of the source, in order and without gaps
	// in Value. It is nil when the token is written exactly as its value.
	segs []segment
}

// Const returns the value and true when the scalar holds no expression.
// It is safe on nil and then returns "", false.
func (s *Scalar) Const() (string, bool) {
	if s == nil || len(s.Exprs) > 0 {
		return "", false
	}
	return s.Value, true
}

// String returns the decoded text, and "" for nil.
func (s *Scalar) String() string {
	if s == nil {
		return ""
	}
	return s.Value
}

// A Map is an ordered mapping of names to scalars: env:, with:, secrets:, outputs:.
type Map struct {
	Entries []Entry
	// Whole is set when the mapping is one expression, env: ${{ … }}.
	Whole *Scalar
	// Span covers the mapping's content, without its key.
	Span Span
}

// An Entry is one key and its value. Value is never nil.
type Entry struct {
	Key   *Scalar
	Value *Scalar
}

// Get returns the value of the entry whose key equals name without regard to
// case, as GitHub compares them, or nil. It is safe on a nil Map.
func (m *Map) Get(name string) *Scalar {
	for _, e := range m.All() {
		if strings.EqualFold(e.Key.Value, name) {
			return e.Value
		}
	}
	return nil
}

// All returns the entries, and none for a nil Map.
func (m *Map) All() []Entry {
	if m == nil {
		return nil
	}
	return slices.Clip(m.Entries) // whoever appends to it gets a copy
}

// A Value is any YAML value, for the places where shape is free: matrix rows,
// unknown keys, dependabot files. Exactly one of Scalar, Fields and Items is
// meaningful; all are zero for an empty value. Aliases are resolved: the spans
// are those of the anchored value.
type Value struct {
	Scalar *Scalar
	Fields []Field
	Items  []*Value
	Span   Span
}

// A Field is one key of a mapping Value. Value is never nil.
type Field struct {
	Key   *Scalar
	Value *Value
}

// Field returns the value of the field named name (exact case), or nil.
// It is safe on a nil Value.
func (v *Value) Field(name string) *Value {
	if v == nil {
		return nil
	}
	for _, f := range v.Fields {
		if f.Key.Value == name {
			return f.Value
		}
	}
	return nil
}

// Text returns the scalar of v, or nil when v is nil or no scalar.
func (v *Value) Text() *Scalar {
	if v == nil {
		return nil
	}
	return v.Scalar
}
