package workflows

import "strings"

// An Expr is one expression with its tree.
type Expr struct {
	// Text is the expression without ${{ and }}, trimmed.
	Text string
	// Span covers ${{ … }} in the source (or the bare expression of an if:).
	Span Span
	// Start and End delimit the same bytes in the scalar's decoded Value.
	Start, End int
	// Root is nil when the expression did not parse; Err then says why.
	Root ExprNode
	Err  error
}

// An ExprNode is a node of an expression's tree: [*Lit], [*Ref], [*Call],
// [*Not] or [*Binary]. Range is its place in the source; where the node's exact
// bytes cannot be told it is the span of the whole expression.
type ExprNode interface{ Range() Span }

// A LiteralKind is the type of a literal.
type LiteralKind int

// The literal types of the expression language.
const (
	StringLiteral LiteralKind = iota
	NumberLiteral
	BoolLiteral
	NullLiteral
)

// A Lit is a literal. Value is its text: strings unquoted, true, false, null, or
// the digits as written.
type Lit struct {
	Kind  LiteralKind
	Value string
	Span  Span
}

// A Ref is an access path: github.event.issue.title, secrets['X'], matrix.*.os,
// fromJSON(x).y. Names are compared without regard to case by GitHub, so Parts
// hold them in lower case and keep the spelling in Raw.
type Ref struct {
	// Base is nil for a context and the call (or other node) otherwise.
	Base  ExprNode
	Parts []Part
	Span  Span
}

// A Part is one step of a Ref.
type Part struct {
	// Name is the lower-case name, "*" for an object filter, and "" when Index
	// is not a string literal.
	Name string
	// Raw is Name as written.
	Raw string
	// Index is the computed index of x[…] when it is not a string literal.
	Index ExprNode
}

// A Call is a function call; Func is in lower case.
type Call struct {
	Func string
	Args []ExprNode
	Span Span
}

// A Not is !X.
type Not struct {
	X    ExprNode
	Span Span
}

// A Binary is X Op Y with Op one of && || == != < <= > >=.
type Binary struct {
	Op   string
	X, Y ExprNode
	Span Span
}

// Range returns the literal's place.
func (n *Lit) Range() Span { return n.Span }

// Range returns the path's place.
func (n *Ref) Range() Span { return n.Span }

// Range returns the call's place.
func (n *Call) Range() Span { return n.Span }

// Range returns the negation's place.
func (n *Not) Range() Span { return n.Span }

// Range returns the operation's place.
func (n *Binary) Range() Span { return n.Span }

// Path returns the lower-case dotted path of a context access
// ("github.event.issue.title", "secrets.npm_token", "github.event.commits.*.message");
// a computed index is written as "[]". It returns "" when Base is set.
func (n *Ref) Path() string {
	if n.Base != nil {
		return ""
	}
	if len(n.Parts) == 1 && n.Parts[0].Index == nil {
		return n.Parts[0].Name
	}
	var b strings.Builder
	b.Grow(48) // nearly every path, at once
	for i, p := range n.Parts {
		if p.Index != nil {
			b.WriteString("[]")
			continue
		}
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(p.Name)
	}
	return b.String()
}

// Walk calls visit for n and every node below it in source order, parents first;
// it does not descend where visit returns false. It is safe on nil.
func Walk(n ExprNode, visit func(ExprNode) bool) {
	if n == nil || !visit(n) {
		return
	}
	switch n := n.(type) {
	case *Ref:
		Walk(n.Base, visit)
		for _, p := range n.Parts {
			Walk(p.Index, visit)
		}
	case *Call:
		for _, a := range n.Args {
			Walk(a, visit)
		}
	case *Not:
		Walk(n.X, visit)
	case *Binary:
		Walk(n.X, visit)
		Walk(n.Y, visit)
	}
}

// Refs returns every context access of e, in source order, those inside calls,
// operators and indexes included. It is safe on nil and on an unparsed Expr.
func (e *Expr) Refs() []*Ref {
	if e == nil {
		return nil
	}
	var refs []*Ref
	Walk(e.Root, func(n ExprNode) bool {
		if ref, ok := n.(*Ref); ok && ref.Base == nil {
			refs = append(refs, ref)
		}
		return true
	})
	return refs
}

// ParseExpr parses a bare expression without ${{ }}; all spans of the result are
// offsets into text. Texts longer than MaxExprBytes and expressions nested deeper
// than MaxDepth are errors.
func ParseExpr(text string) (ExprNode, error) {
	return parseExpr(text, func(start, end int) Span { return Span{start, end} })
}
