package workflows

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// A nodeKind is the shape of a node.
type nodeKind uint8

const (
	emptyNode nodeKind = iota // an empty value or null
	textNode
	mapNode
	listNode
)

// String names the kind as messages do.
func (k nodeKind) String() string {
	return [...]string{"nothing", "text", "a mapping", "a list"}[k]
}

// A node is a YAML value with its exact place. Aliases are replaced by what they
// stand for and merge keys are carried out, within MaxNodes and MaxDepth, so
// whoever walks a tree of nodes meets neither cycles nor bombs.
type node struct {
	kind   nodeKind
	span   Span
	scalar *Scalar // of text, and of nothing written as such: null or ~
	fields []field // of a mapping
	items  []node  // of a list

	size   int  // nodes in the tree below, this one included
	height int  // levels below this one
	lost   bool // not read, which has been reported
}

// A field is a key of a mapping with its value. end is where the value ends in
// the mapping itself: behind the alias when the value is one.
type field struct {
	key *Scalar
	val node
	end int
}

// span covers the key and the value.
func (f *field) span() Span { return Span{f.key.Span.Start, max(f.end, f.key.Span.End)} }

// get returns the value of a key.
func (n *node) get(key string) (node, bool) {
	for i := range n.fields {
		if n.fields[i].key.Value == key {
			return n.fields[i].val, true
		}
	}
	return node{}, false
}

// A reader turns the library's tree, which knows where values begin, into nodes,
// which know where they end too. It reads the source once, in order, beside the
// tree, and finds the comments between the tokens on its way.
type reader struct {
	file  *File
	src   []byte // like file.Source, without stray byte order marks
	lines []int  // line starts as the scanner counts them
	end   int    // end of the last token read

	// The last place located and its line and column, from which places further
	// along the line are counted.
	line, column, offset int

	anchors  map[*yaml.Node]*node
	visited  int // nodes of the file
	expanded int // nodes again, for each alias that leads to them
	limited  bool
	decoder  decoder
	scalars  []Scalar // allocated and not yet used

	// undecoded lists scalars that we read differently from the library; the
	// tests hold it to be empty.
	undecoded []Span
}

// locate returns the offset of a place named by the library: line and column from
// 1, columns in characters.
func (r *reader) locate(line, column int) int {
	if line < 1 || line > len(r.lines) {
		return r.end
	}
	if line != r.line || column < r.column {
		r.line, r.column, r.offset = line, 1, r.lines[line-1]
	}
	for ; r.column < column && r.offset < len(r.src); r.column++ {
		if r.src[r.offset] < utf8.RuneSelf {
			r.offset++
			continue
		}
		_, n := utf8.DecodeRune(r.src[r.offset:])
		r.offset += n
	}
	return r.offset
}

// columnOf returns the column, from 0, of an offset.
func (r *reader) columnOf(offset int) int {
	line, _ := slices.BinarySearch(r.lines, offset+1)
	return utf8.RuneCount(r.src[r.lines[line-1]:offset])
}

// node reads one value. depth counts the levels above it, indent is the column of
// the innermost block collection around it, -1 at the top.
func (r *reader) node(n *yaml.Node, depth, indent int) node {
	var out node
	start := max(r.end, r.locate(n.Line, n.Column))
	if n.Kind == yaml.AliasNode {
		return r.alias(n, start, depth)
	}
	if n.Anchor != "" {
		r.anchors[n] = nil // open: an alias to it from inside is a cycle
	}
	r.visited++
	over := r.overLimit(Span{start, start}, depth)
	content, bare := r.skipProperties(start)
	switch n.Kind {
	case yaml.ScalarNode:
		if n.Value == "" && scalarStyle(n) == Plain {
			content = bare
		}
		out = r.scalar(n, content, indent)
	case yaml.MappingNode:
		out = r.mapping(n, content, depth, indent)
	case yaml.SequenceNode:
		out = r.list(n, content, depth, indent)
	}
	if over {
		out = lostNode(out.span)
	}
	if n.Anchor != "" {
		kept := out
		r.anchors[n] = &kept
	}
	return out
}

// lostNode stands for a value that is not read.
func lostNode(at Span) node { return node{span: at, size: 1, lost: true} }

// overLimit reports whether what has been visited, or a node at this depth, is too
// much, and says so once a file.
func (r *reader) overLimit(at Span, depth int) bool {
	var message string
	switch {
	case depth > MaxDepth:
		message = fmt.Sprintf("nested deeper than %d levels; what lies deeper is not read", MaxDepth)
	case r.visited > MaxNodes:
		message = fmt.Sprintf("more than %d values; the rest is not read", MaxNodes)
	case r.expanded > MaxNodes:
		message = fmt.Sprintf("aliases stand for more than %d values; the rest of them is not read", MaxNodes)
	default:
		return false
	}
	if !r.limited {
		r.limited = true
		r.file.problem(at, message)
	}
	return true
}

// alias reads *name as what it stands for.
func (r *reader) alias(n *yaml.Node, start, depth int) node {
	r.skipTo(start)
	r.end = start + 1 + anchorLen(r.src[min(start+1, len(r.src)):])
	span := Span{start, r.end}
	target := r.anchors[n.Alias]
	if target == nil {
		r.file.problem(span, fmt.Sprintf("the alias %q stands inside the value it stands for", clip(n.Value)))
		return lostNode(span)
	}
	r.expanded += target.size
	if r.overLimit(span, depth+target.height) {
		r.expanded -= target.size
		return lostNode(span)
	}
	return *target
}

// scalar reads a scalar token, or the absence of one.
func (r *reader) scalar(n *yaml.Node, start, indent int) node {
	r.skipTo(start)
	if len(r.scalars) == 0 {
		r.scalars = make([]Scalar, 32)
	}
	s := &r.scalars[0]
	if !r.decoder.readScalar(r.src, start, indent, scalarStyle(n), n.Value, s) {
		r.undecoded = append(r.undecoded, s.Span)
	}
	if s.Style == Literal || s.Style == Folded {
		r.headerComment(s.Span)
	}
	r.end = s.Span.End
	out := node{kind: textNode, span: s.Span, scalar: s, size: 1}
	if s.Style == Plain && n.Tag == "!!null" {
		out.kind = emptyNode
	}
	r.scalars = r.scalars[1:]
	r.restoreMarks(s)
	s.Exprs = findExprs(s)
	return out
}

// restoreMarks undoes in a value what newReader did to stray byte order marks.
func (r *reader) restoreMarks(s *Scalar) {
	if &r.src[0] == &r.file.Source[0] || !strings.Contains(s.Value, markStandIn) {
		return
	}
	if len(s.segs) == 0 {
		start := s.plainStart()
		s.Value = string(r.file.Source[start : start+len(s.Value)])
		return
	}
	value := []byte(s.Value)
	for i, seg := range s.segs {
		if s.valueLen(i) == int(seg.length) {
			copy(value[seg.value:], r.file.Source[seg.source:seg.source+seg.length])
		}
	}
	s.Value = string(value)
}

// scalarStyle translates the library's style.
func scalarStyle(n *yaml.Node) Style {
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		return DoubleQuoted
	case n.Style&yaml.SingleQuotedStyle != 0:
		return SingleQuoted
	case n.Style&yaml.LiteralStyle != 0:
		return Literal
	case n.Style&yaml.FoldedStyle != 0:
		return Folded
	}
	return Plain
}

// list reads a list in either style.
func (r *reader) list(n *yaml.Node, start, depth, indent int) node {
	r.skipTo(start)
	flow := n.Style&yaml.FlowStyle != 0
	if !flow {
		indent = r.columnOf(start)
	}
	out := node{kind: listNode, items: make([]node, 0, len(n.Content)), size: 1}
	for _, c := range n.Content {
		item := r.node(c, depth+1, indent)
		out.items = append(out.items, item)
		out.add(item)
	}
	if flow {
		r.closeFlow(']')
	}
	out.span = Span{start, max(start, r.end)}
	return out
}

// add counts a child.
func (n *node) add(child node) {
	n.size += child.size
	n.height = max(n.height, child.height+1)
}

// mapping reads a mapping in either style.
func (r *reader) mapping(n *yaml.Node, start, depth, indent int) node {
	flow := n.Style&yaml.FlowStyle != 0
	braced := flow && start < len(r.src) && r.src[start] == '{' && !startsWithKey(n)
	if !flow && len(n.Content) > 0 {
		indent = r.keyColumn(n)
	}
	out := node{kind: mapNode, fields: make([]field, 0, len(n.Content)/2), size: 1}
	var merges []field
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := r.node(n.Content[i], depth+1, indent)
		val := r.node(n.Content[i+1], depth+1, indent)
		out.add(key)
		out.add(val)
		f := field{key.scalar, val, r.end}
		switch {
		case key.lost:
		case key.scalar == nil || key.scalar.Value == "":
			r.file.problem(key.span, badKey(key))
		case n.Content[i].Tag == "!!merge":
			merges = append(merges, f)
		default:
			out.fields = append(out.fields, f)
		}
	}
	if braced {
		r.closeFlow('}')
	}
	out.span = Span{start, max(start, r.end)}
	r.dropDuplicates(&out)
	for _, m := range merges {
		r.merge(&out, m)
	}
	return out
}

// startsWithKey reports whether a mapping begins where its first key does: it is
// the one pair of a list, [{}: x], and the brace there is the key's own.
func startsWithKey(n *yaml.Node) bool {
	return len(n.Content) > 0 && n.Content[0].Line == n.Line && n.Content[0].Column == n.Column
}

// badKey says what is wrong with a key that is not text.
func badKey(key node) string {
	if key.kind == listNode || key.kind == mapNode {
		return fmt.Sprintf("a key must be text, found %v", key.kind)
	}
	return "a key must not be empty"
}

// keyColumn returns the column, from 0, that the scanner takes for a block
// mapping's indentation: that of its first "?" or key, properties included.
func (r *reader) keyColumn(n *yaml.Node) int {
	if n.Anchor == "" && n.Style&yaml.TaggedStyle == 0 {
		return n.Column - 1
	}
	return n.Content[0].Column - 1
}

// dropDuplicates reports keys that are there twice and keeps the first.
func (r *reader) dropDuplicates(n *node) {
	if len(n.fields) < 2 {
		return
	}
	var seen map[string]bool
	if len(n.fields) > 16 {
		seen = make(map[string]bool, len(n.fields))
	}
	kept := n.fields[:0]
	for i := range n.fields {
		f := n.fields[i]
		duplicate := false
		if seen != nil {
			duplicate = seen[f.key.Value]
			seen[f.key.Value] = true
		} else {
			duplicate = hasKey(kept, f.key.Value)
		}
		if duplicate {
			r.file.problem(f.key.Span, fmt.Sprintf("the key %q is there twice and the first is used; GitHub refuses this file", clip(f.key.Value)))
			continue
		}
		kept = append(kept, f)
	}
	n.fields = kept
}

func hasKey(fields []field, key string) bool {
	return slices.ContainsFunc(fields, func(f field) bool { return f.key.Value == key })
}

// merge adds the fields of a merge key's value that the mapping does not have.
func (r *reader) merge(n *node, m field) {
	sources := m.val.items
	if m.val.kind != listNode {
		sources = []node{m.val}
	}
	have := make(map[string]bool, len(n.fields))
	for _, f := range n.fields {
		have[f.key.Value] = true
	}
	for _, source := range sources {
		if source.lost {
			continue
		}
		if source.kind != mapNode {
			r.file.problem(m.key.Span, fmt.Sprintf("<< must name a mapping, found %v", source.kind))
			continue
		}
		r.expanded += len(source.fields)
		if r.overLimit(m.key.Span, 0) {
			r.expanded -= len(source.fields)
			return
		}
		for _, f := range source.fields {
			if !have[f.key.Value] {
				have[f.key.Value] = true
				n.fields = append(n.fields, f)
				n.size += f.val.size + 1
			}
		}
	}
}
