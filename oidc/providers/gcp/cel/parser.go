package cel

import "unicode/utf8"

// Limits of what is read.
const (
	// MaxBytes is the longest expression that is read; Google takes 4,096
	// characters for a condition and 2,048 for a mapping.
	MaxBytes = 16 << 10
	// maxDepth bounds how deep an expression nests.
	maxDepth = 200
)

// A Node is one part of an expression.
type Node struct {
	Kind NodeKind
	// Name is an identifier (with a point before it where it is written so), the field of a Select, or the function of a Call;
	// operators are called by their sign: "&&", "!", "?:", "in", "[]".
	Name string
	// Literal is the value of a Literal.
	Literal Value
	// Args are the operands. The target of a method, a field or an index is the first.
	Args []*Node
	// Method is set for target.f(…).
	Method bool
	// Source is the part as it is written.
	Source string
}

// A NodeKind says what a node is.
type NodeKind uint8

// The kinds.
const (
	Literal NodeKind = iota
	Ident
	Select
	Call
	List
	Map // keys and values alternate
	// Struct is the literal of a message, which is not read.
	Struct
)

// An Expression is one that was read. It is not changed afterwards.
type Expression struct{ Root *Node }

// Parse reads an expression. The error says in one line where it stops being one.
func Parse(src string) (*Expression, error) {
	if len(src) > MaxBytes {
		return nil, failAt(0, "the expression is longer than %d bytes", MaxBytes)
	}
	if !utf8.ValidString(src) {
		return nil, failAt(0, "the expression is not UTF-8 text")
	}
	tokens, err := scan(src)
	if err != nil {
		return nil, err
	}
	p := &parser{src: src, tokens: tokens}
	root, err := p.expression()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != endToken {
		return nil, failAt(t.pos, "%.40q is not expected here", p.src[t.pos:t.end])
	}
	return &Expression{root}, nil
}

// A parser descends through the grammar, from what binds least.
type parser struct {
	src    string
	tokens []token
	at     int
	depth  int
}

func (p *parser) peek() token { return p.tokens[p.at] }

// take takes the next word if it is one of the operators.
func (p *parser) take(ops ...string) (token, bool) {
	t := p.peek()
	for _, op := range ops {
		if t.kind == operatorToken && t.text == op {
			p.at++
			return t, true
		}
	}
	return t, false
}

func (p *parser) want(op string) error {
	if t, ok := p.take(op); !ok {
		return failAt(t.pos, "%q is missing", op)
	}
	return nil
}

// node makes a node whose source goes from a word to the last one taken.
func (p *parser) node(from int, n Node) *Node {
	n.Source = p.src[p.tokens[from].pos:p.tokens[p.at-1].end]
	return &n
}

func (p *parser) call(from int, name string, args ...*Node) *Node {
	return p.node(from, Node{Kind: Call, Name: name, Args: args})
}

func (p *parser) expression() (*Node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, failAt(p.peek().pos, "it nests deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	from := p.at
	cond, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	if _, ok := p.take("?"); !ok {
		return cond, nil
	}
	yes, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	if err := p.want(":"); err != nil {
		return nil, err
	}
	no, err := p.expression()
	if err != nil {
		return nil, err
	}
	return p.call(from, "?:", cond, yes, no), nil
}

// precedence lists the binary operators from what binds least.
var precedence = [][]string{
	{"||"}, {"&&"}, {"==", "!=", "<", "<=", ">", ">=", "in"}, {"+", "-"}, {"*", "/", "%"},
}

func (p *parser) binary(level int) (*Node, error) {
	if level == len(precedence) {
		return p.unary()
	}
	from := p.at
	left, err := p.binary(level + 1)
	for err == nil {
		op, ok := p.take(precedence[level]...)
		if !ok {
			return left, nil
		}
		var right *Node
		if right, err = p.binary(level + 1); err == nil {
			left = p.call(from, op.text, left, right)
		}
	}
	return nil, err
}

func (p *parser) unary() (*Node, error) {
	from := p.at
	op, ok := p.take("!", "-")
	if !ok {
		return p.member()
	}
	count := 1
	for {
		if _, ok := p.take(op.text); !ok {
			break
		}
		count++
	}
	if count > maxDepth {
		return nil, failAt(op.pos, "it nests deeper than %d", maxDepth)
	}
	// The last minus before a number belongs to the number.
	if t := p.peek(); op.text == "-" && isSigned(t) {
		count--
		p.at--
	}
	n, err := p.member()
	for ; err == nil && count > 0; count-- {
		n = p.call(from, op.text, n)
	}
	return n, err
}

// isSigned reports whether a word is a number that may have a minus of its own.
func isSigned(t token) bool {
	return t.kind == literalToken && (t.value.kind == intKind || t.value.kind == doubleKind)
}

func (p *parser) member() (*Node, error) {
	from := p.at
	n, err := p.primary()
	for err == nil {
		if _, ok := p.take("."); ok {
			n, err = p.selection(from, n)
			continue
		}
		if _, ok := p.take("["); ok {
			var index *Node
			if index, err = p.expression(); err == nil {
				err = p.want("]")
				n = p.call(from, "[]", n, index)
			}
			continue
		}
		return n, nil
	}
	return nil, err
}

// selection reads the field or the method after a point.
func (p *parser) selection(from int, target *Node) (*Node, error) {
	name := p.peek()
	if name.kind != identToken {
		return nil, failAt(name.pos, "a name is missing after the point")
	}
	p.at++
	if _, ok := p.take("("); ok {
		args, err := p.list(")")
		if err != nil {
			return nil, err
		}
		if isMacro(name.text) && len(args) == 2 && args[0].Kind != Ident {
			return nil, failAt(name.pos, "%s() wants a plain name first", name.text)
		}
		return p.node(from, Node{Kind: Call, Name: name.text, Method: true, Args: append([]*Node{target}, args...)}), nil
	}
	if t := p.peek(); t.kind == operatorToken && t.text == "{" && isName(target) {
		return p.structure(from)
	}
	return p.node(from, Node{Kind: Select, Name: name.text, Args: []*Node{target}}), nil
}

// isName reports whether a node is a name, perhaps with points.
func isName(n *Node) bool {
	return n.Kind == Ident || n.Kind == Select && isName(n.Args[0])
}

func (p *parser) primary() (*Node, error) {
	from := p.at
	t := p.peek()
	switch {
	case t.kind == literalToken:
		p.at++
		if t.value.kind == intKind && t.value.u == 1<<63 {
			return nil, failAt(t.pos, "a number out of range")
		}
		return p.node(from, Node{Kind: Literal, Literal: t.value}), nil
	case t.kind == identToken && !reserved[t.text]:
		return p.name(from)
	}
	op, _ := p.take("(", "[", "{", ".", "-")
	switch op.text {
	case "-":
		if n := p.peek(); isSigned(n) {
			p.at++
			n.value.i, n.value.f = -n.value.i, -n.value.f
			return p.node(from, Node{Kind: Literal, Literal: n.value}), nil
		}
	case "(":
		n, err := p.expression()
		if err != nil {
			return nil, err
		}
		return n, p.want(")")
	case "[":
		args, err := p.list("]")
		if err != nil {
			return nil, err
		}
		return p.node(from, Node{Kind: List, Args: args}), nil
	case "{":
		return p.mapLiteral(from)
	case ".":
		if t := p.peek(); t.kind == identToken && !reserved[t.text] {
			return p.name(from)
		}
	}
	return nil, failAt(t.pos, "an expression is missing")
}

// name reads an identifier, a call of a function or the literal of a message.
func (p *parser) name(from int) (*Node, error) {
	t, dot := p.peek(), ""
	if p.at > from {
		dot = "."
	}
	p.at++
	if _, ok := p.take("("); ok {
		args, err := p.list(")")
		if err != nil {
			return nil, err
		}
		if t.text == "has" && dot == "" && len(args) == 1 && args[0].Kind != Select {
			return nil, failAt(t.pos, "has() wants a field")
		}
		return p.call(from, dot+t.text, args...), nil
	}
	if n := p.peek(); n.kind == operatorToken && n.text == "{" {
		return p.structure(from)
	}
	return p.node(from, Node{Kind: Ident, Name: dot + t.text}), nil
}

// isMacro reports whether a method binds a name.
func isMacro(name string) bool {
	return name == "all" || name == "exists" || name == "exists_one" || name == "map" || name == "filter"
}

// list reads expressions up to the closing sign. A comma may follow the last one
// of a list, and stand in an empty one.
func (p *parser) list(end string) ([]*Node, error) {
	var out []*Node
	for {
		if _, ok := p.take(end); ok {
			return out, nil
		}
		if end == "]" && len(out) == 0 {
			if _, ok := p.take(","); ok {
				return nil, p.want(end)
			}
		}
		n, err := p.expression()
		if err != nil {
			return nil, err
		}
		out = append(out, n)
		if _, ok := p.take(","); !ok {
			return out, p.want(end)
		}
		if t := p.peek(); end == ")" && t.kind == operatorToken && t.text == end {
			return nil, failAt(t.pos, "an expression is missing")
		}
	}
}

func (p *parser) mapLiteral(from int) (*Node, error) {
	args, err := p.entries()
	if err != nil {
		return nil, err
	}
	return p.node(from, Node{Kind: Map, Args: args}), nil
}

// structure reads the literal of a message, whose type was read before.
func (p *parser) structure(from int) (*Node, error) {
	p.at++
	args, err := p.entries()
	if err != nil {
		return nil, err
	}
	return p.node(from, Node{Kind: Struct, Args: args}), nil
}

// entries reads key: value pairs up to the closing brace.
func (p *parser) entries() ([]*Node, error) {
	var out []*Node
	for {
		if _, ok := p.take("}"); ok {
			return out, nil
		}
		key, err := p.expression()
		if err != nil {
			return nil, err
		}
		if err := p.want(":"); err != nil {
			return nil, err
		}
		value, err := p.expression()
		if err != nil {
			return nil, err
		}
		out = append(out, key, value)
		if _, ok := p.take(","); !ok {
			return out, p.want("}")
		}
	}
}
