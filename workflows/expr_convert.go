package workflows

import (
	"strings"

	"github.com/rhysd/actionlint"
)

// An exprConverter turns actionlint's tree, whose nodes know their first token at
// most, into ours. It follows the tokens beside the tree to find where nodes end.
type exprConverter struct {
	tokens []*actionlint.Token
	place  func(start, end int) Span
	next   int // first token not yet used
}

// A tokenRange is the first and last token of a node.
type tokenRange struct{ first, last int }

// span returns the place of a range of tokens.
func (c *exprConverter) span(r tokenRange) Span {
	last := c.tokens[r.last]
	return c.place(c.tokens[r.first].Offset, last.Offset+len(last.Value))
}

// seek uses the tokens up to t, which is not yet used, and returns its index.
func (c *exprConverter) seek(t *actionlint.Token) int {
	for c.tokens[c.next].Offset != t.Offset {
		c.next++
	}
	c.next++
	return c.next - 1
}

// openedAfter widens r by the parentheses around it: all tokens between the one
// at index before and r are "(".
func (c *exprConverter) openedAfter(r tokenRange, before int) tokenRange {
	n := r.first - before - 1
	return tokenRange{r.first - n, r.last + n}
}

// closedBefore widens r by the parentheses around it: all ")" that follow r are
// theirs, since an operator comes after them.
func (c *exprConverter) closedBefore(r tokenRange) tokenRange {
	for c.tokens[r.last+1].Kind == actionlint.TokenKindRightParen {
		r.first--
		r.last++
	}
	return r
}

// node converts n and returns its tokens, without parentheses around it.
func (c *exprConverter) node(n actionlint.ExprNode) (ExprNode, tokenRange) {
	switch n := n.(type) {
	case *actionlint.StringNode:
		return c.literal(StringLiteral, n, n.Value)
	case *actionlint.IntNode, *actionlint.FloatNode:
		return c.literal(NumberLiteral, n, "")
	case *actionlint.BoolNode:
		return c.literal(BoolLiteral, n, "")
	case *actionlint.NullNode:
		return c.literal(NullLiteral, n, "")
	case *actionlint.VariableNode:
		i := c.seek(n.Token())
		r := tokenRange{i, i}
		raw := c.tokens[i].Value
		return &Ref{Parts: []Part{{Name: strings.ToLower(raw), Raw: raw}}, Span: c.span(r)}, r
	case *actionlint.ObjectDerefNode:
		return c.member(n.Receiver)
	case *actionlint.ArrayDerefNode:
		return c.member(n.Receiver)
	case *actionlint.IndexAccessNode:
		return c.index(n)
	case *actionlint.NotOpNode:
		at := c.seek(n.Token())
		x, r := c.node(n.Operand)
		r = tokenRange{at, c.openedAfter(r, at).last}
		return &Not{X: x, Span: c.span(r)}, r
	case *actionlint.CompareOpNode:
		return c.binary(n.Left, n.Right)
	case *actionlint.LogicalOpNode:
		return c.binary(n.Left, n.Right)
	case *actionlint.FuncCallNode:
		return c.call(n)
	}
	// A kind of node that this version of actionlint does not have.
	r := tokenRange{0, len(c.tokens) - 1}
	return &Ref{Parts: []Part{{}}, Span: c.span(r)}, r
}

// literal converts a literal of one token; numbers and words keep their spelling.
func (c *exprConverter) literal(kind LiteralKind, n actionlint.ExprNode, value string) (ExprNode, tokenRange) {
	i := c.seek(n.Token())
	r := tokenRange{i, i}
	if kind != StringLiteral {
		value = c.tokens[i].Value
	}
	return &Lit{Kind: kind, Value: value, Span: c.span(r)}, r
}

// member converts receiver.name and receiver.*.
func (c *exprConverter) member(receiver actionlint.ExprNode) (ExprNode, tokenRange) {
	base, r := c.node(receiver)
	r = c.closedBefore(r)
	r.last += 2
	c.next = r.last + 1
	raw := c.tokens[r.last].Value
	return c.extend(base, r, Part{Name: strings.ToLower(raw), Raw: raw}), r
}

// index converts receiver[index].
func (c *exprConverter) index(n *actionlint.IndexAccessNode) (ExprNode, tokenRange) {
	base, r := c.node(n.Operand)
	r = c.closedBefore(r)
	index, inner := c.node(n.Index)
	r.last = c.openedAfter(inner, r.last+1).last + 1
	c.next = r.last + 1
	part := Part{Index: index}
	if lit, ok := index.(*Lit); ok && lit.Kind == StringLiteral {
		part = Part{Name: strings.ToLower(lit.Value), Raw: lit.Value}
	}
	return c.extend(base, r, part), r
}

// extend adds a part to a path, or begins one on top of another node.
func (c *exprConverter) extend(base ExprNode, r tokenRange, p Part) ExprNode {
	ref, ok := base.(*Ref)
	if !ok {
		ref = &Ref{Base: base}
	}
	ref.Parts = append(ref.Parts, p)
	ref.Span = c.span(r)
	return ref
}

// binary converts left op right.
func (c *exprConverter) binary(left, right actionlint.ExprNode) (ExprNode, tokenRange) {
	x, r := c.node(left)
	r = c.closedBefore(r)
	operator := r.last + 1
	y, end := c.node(right)
	r.last = c.openedAfter(end, operator).last
	return &Binary{Op: c.tokens[operator].Value, X: x, Y: y, Span: c.span(r)}, r
}

// call converts name(args).
func (c *exprConverter) call(n *actionlint.FuncCallNode) (ExprNode, tokenRange) {
	at := c.seek(n.Token())
	call := &Call{Func: strings.ToLower(n.Callee)}
	before := at + 1 // "(" or ","
	for _, a := range n.Args {
		arg, r := c.node(a)
		call.Args = append(call.Args, arg)
		before = c.openedAfter(r, before).last + 1
	}
	if len(n.Args) == 0 {
		before++
	}
	c.next = before + 1
	r := tokenRange{at, before}
	call.Span = c.span(r)
	return call, r
}
