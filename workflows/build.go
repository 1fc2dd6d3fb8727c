package workflows

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A builder makes the model from the nodes of one file.
type builder struct {
	file *File
	path []pathStep // where in the file it works, for messages
}

// A pathStep is a key or, when name is empty, the index of an item.
type pathStep struct {
	name  string
	index int
}

// build fills the model of the file's kind.
func (f *File) build(root node) {
	b := &builder{file: f}
	if f.Kind == KindUnknown {
		f.lost(root.span, "neither a workflow nor an action: it has no jobs, on or runs")
		return
	}
	if root.kind != mapNode {
		f.lost(root.span, fmt.Sprintf("the file must be a mapping, found %v", root.kind))
		return
	}
	switch f.Kind {
	case KindWorkflow:
		f.Workflow = b.workflow(root)
	case KindAction:
		f.Action = b.action(root)
	case KindDependabot:
		f.Dependabot = newValue(root)
	case KindLock:
		lock, problems := parseLock(newValue(root))
		f.Lock = lock
		f.Problems = append(f.Problems, problems...)
	}
}

// in runs fn for the value of a key.
func (b *builder) in(name string, fn func()) {
	b.path = append(b.path, pathStep{name: name})
	fn()
	b.path = b.path[:len(b.path)-1]
}

// where names the current place: jobs.build.steps[2].env.
func (b *builder) where() string {
	var s strings.Builder
	for _, p := range b.path {
		switch {
		case p.name == "":
			s.WriteString("[" + strconv.Itoa(p.index) + "]")
			continue
		case s.Len() > 0:
			s.WriteByte('.')
		}
		s.WriteString(quoteName(p.name))
	}
	return s.String()
}

// quoteName returns a key as messages show it: quoted unless it is a plain word.
func quoteName(name string) string {
	plain := func(c rune) bool {
		return c == '-' || c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
	}
	if strings.ContainsFunc(name, func(c rune) bool { return !plain(c) }) || len(name) > 60 {
		return strconv.Quote(clip(name))
	}
	return name
}

// wrong notes that the value of a field has the wrong type.
func (b *builder) wrong(f field, want string) { b.wrongAt(f.key.Value, f.val, b.spanOr(f), want) }

// spanOr returns the span of a field's value, or of its key when it has none.
func (b *builder) spanOr(f field) Span {
	if f.val.kind == emptyNode {
		return f.key.Span
	}
	return f.val.span
}

func (b *builder) wrongAt(name string, n node, at Span, want string) {
	if n.lost {
		return // reported where it was lost
	}
	where := b.where()
	if name != "" {
		where = strings.TrimPrefix(where+"."+quoteName(name), ".")
	}
	b.file.problem(at, fmt.Sprintf("%s must be %s, found %v", where, want, n.kind))
}

// text returns the scalar of a field, and nil for an empty one.
func (b *builder) text(f field) *Scalar {
	switch f.val.kind {
	case textNode:
		return f.val.scalar
	case emptyNode:
		return nil
	}
	b.wrong(f, "text")
	return nil
}

// texts returns the scalars of a field that is a list, or one text in place of it.
func (b *builder) texts(f field) []*Scalar {
	switch f.val.kind {
	case textNode:
		return []*Scalar{f.val.scalar}
	case listNode:
		out := make([]*Scalar, 0, len(f.val.items))
		for _, item := range f.val.items {
			if item.kind != textNode {
				b.wrongAt(f.key.Value, item, b.spanOr(field{key: f.key, val: item}), "a list of texts")
				continue
			}
			out = append(out, item.scalar)
		}
		return out
	case mapNode:
		b.wrong(f, "text or a list of texts")
	}
	return nil
}

// fields returns the fields of a field that is a mapping.
func (b *builder) fields(f field) []field {
	if f.val.kind == mapNode {
		return f.val.fields
	}
	b.wrong(f, "a mapping")
	return nil
}

// whole returns the scalar of a value that is an expression in place of a mapping
// or list.
func whole(n node) *Scalar {
	if n.kind == textNode && len(n.scalar.Exprs) > 0 {
		return n.scalar
	}
	return nil
}

// textMap returns a mapping of names to texts, such as env: and with:.
func (b *builder) textMap(f field) *Map {
	if f.val.kind == emptyNode {
		return nil
	}
	if s := whole(f.val); s != nil {
		return &Map{Whole: s, Span: f.val.span}
	}
	m := &Map{Span: f.val.span}
	fields := b.fields(f)
	m.Entries = make([]Entry, 0, len(fields))
	b.in(f.key.Value, func() {
		for _, e := range fields {
			m.Entries = append(m.Entries, Entry{e.key, b.textOrEmpty(e)})
		}
	})
	return m
}

// textOrEmpty is text with an empty scalar in place of nil.
func (b *builder) textOrEmpty(f field) *Scalar {
	if s := b.text(f); s != nil {
		return s
	}
	at := max(f.key.Span.End, f.val.span.Start)
	if f.val.kind == emptyNode {
		return &Scalar{Span: f.val.span}
	}
	return &Scalar{Span: Span{at, at}}
}

// newValue converts a node to the model's free-form value.
func newValue(n node) *Value {
	v := &Value{Span: n.span}
	if n.kind == textNode {
		v.Scalar = n.scalar
	}
	if n.kind == mapNode {
		v.Fields = make([]Field, 0, len(n.fields))
		for _, f := range n.fields {
			v.Fields = append(v.Fields, newField(f))
		}
	}
	if n.kind == listNode {
		v.Items = make([]*Value, 0, len(n.items))
		for _, item := range n.items {
			v.Items = append(v.Items, newValue(item))
		}
	}
	return v
}

func newField(f field) Field { return Field{Key: f.key, Value: newValue(f.val)} }

// trailingComment returns the comment behind a token on its line, or nil.
func (f *File) trailingComment(s Span) *Comment {
	i, _ := slices.BinarySearchFunc(f.Comments, s.End, func(c Comment, end int) int { return c.Span.Start - end })
	if i == len(f.Comments) {
		return nil
	}
	c := &f.Comments[i]
	if f.lineOf(c.Span.Start) != f.lineOf(s.End) {
		return nil
	}
	return c
}
