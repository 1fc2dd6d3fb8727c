package cel

import (
	"cmp"
	"strings"
)

// Limits of an evaluation. Beyond them the outcome is open.
const (
	maxSteps     = 5_000
	matchSteps   = 100 // that a regular expression counts for
	maxTextBytes = 64 << 10
	maxItems     = 4096
)

// Vars are the variables of an expression by their names.
type Vars map[string]Value

// Evaluate evaluates the expression. It never fails: what cannot be evaluated is
// an error value, what is not read is open.
func (x *Expression) Evaluate(vars Vars) Value { return Evaluate(x.Root, vars) }

// Evaluate evaluates one part of an expression.
func Evaluate(n *Node, vars Vars) Value {
	e := &evaluation{vars: vars}
	return e.node(n)
}

// An evaluation is one walk, with a bound on its steps.
type evaluation struct {
	vars  Vars
	scope []binding // of the macros, innermost last
	steps int
}

// A binding is the variable of a macro.
type binding struct {
	name  string
	value Value
}

func (e *evaluation) node(n *Node) Value {
	if e.steps++; e.steps > maxSteps {
		return Open("the expression takes too many steps")
	}
	switch n.Kind {
	case Literal:
		return n.Literal
	case Ident:
		return e.ident(n.Name)
	case Select:
		return field(e.node(n.Args[0]), n)
	case List:
		return e.list(n.Args)
	case Call:
		return e.call(n)
	}
	return Open("an object in " + n.Source)
}

func (e *evaluation) ident(name string) Value {
	for i := len(e.scope) - 1; i >= 0; i-- {
		if e.scope[i].name == name {
			return e.scope[i].value
		}
	}
	name = strings.TrimPrefix(name, ".") // no macro binds a name with one
	if v, ok := e.vars[name]; ok {
		return v
	}
	return Open("the variable " + name)
}

// field reads a field of an object.
func field(target Value, n *Node) Value {
	switch target.kind {
	case errorKind, openKind:
		return target
	case mapKind:
		if v, ok := target.fields[n.Name]; ok {
			return v
		}
		return failed("there is no %s", n.Source)
	}
	return failed("%s is not an object", n.Args[0].Source)
}

func (e *evaluation) list(nodes []*Node) Value {
	out := Value{kind: listKind}
	for _, n := range nodes {
		v := e.node(n)
		switch {
		case v.kind == errorKind:
			return v
		case v.kind == openKind, v.kind == boolKind && v.outcome.Can(Failed):
			return Open(v.s) // an item that fails is a list that fails
		}
		out.list = append(out.list, v)
	}
	return out
}

func (e *evaluation) call(n *Node) Value {
	if n.Method {
		return e.method(n)
	}
	switch n.Name {
	case "&&", "||":
		return e.logic(n)
	case "?:":
		return e.choice(n)
	case "has":
		return e.has(n)
	}
	args, stop := e.args(n.Args)
	if stop != nil {
		return *stop
	}
	if op, ok := operatorsByName[n.Name]; ok && len(args) == op.args {
		return op.apply(args, n)
	}
	if f, ok := functions[n.Name]; ok {
		return f(args, n)
	}
	return Open("the function " + n.Name)
}

// args evaluates arguments; the second result is what the call is if one of them
// is an error or open, in their order.
func (e *evaluation) args(nodes []*Node) ([]Value, *Value) {
	out := make([]Value, len(nodes))
	var open *Value
	for i, n := range nodes {
		out[i] = e.node(n)
		if out[i].kind == errorKind {
			return nil, &out[i]
		}
		if out[i].kind == openKind && open == nil {
			open = &out[i]
		}
	}
	return out, open
}

// logic evaluates && and ||. Both sides are looked at, for an error on the left
// does not decide.
func (e *evaluation) logic(n *Node) Value {
	left, right := e.node(n.Args[0]), e.node(n.Args[1])
	out := left.Outcome().and(right.Outcome())
	if n.Name == "||" {
		out = left.Outcome().or(right.Outcome())
	}
	return truth(out, cmp.Or(left.Why(), right.Why(), "it is not a boolean"))
}

func (e *evaluation) choice(n *Node) Value {
	cond := e.node(n.Args[0])
	switch o := cond.Outcome(); {
	case o == Failed:
		return failed("%s", cmp.Or(cond.Why(), "it is not a boolean"))
	case o == True:
		return e.node(n.Args[1])
	case o == False:
		return e.node(n.Args[2])
	default:
		yes, no := e.node(n.Args[1]), e.node(n.Args[2])
		if !isCondition(yes) || !isCondition(no) {
			return Open(cond.Why())
		}
		var out Outcome
		for _, branch := range []struct {
			when Outcome
			then Outcome
		}{{True, yes.Outcome()}, {False, no.Outcome()}, {Failed, Failed}} {
			if o.Can(branch.when) {
				out |= branch.then
			}
		}
		return truth(out, cond.Why())
	}
}

// isCondition reports whether nothing but the outcome of a value matters.
func isCondition(v Value) bool { return v.kind == boolKind || v.kind == errorKind }

// has is the macro that asks whether a field is there.
func (e *evaluation) has(n *Node) Value {
	if len(n.Args) != 1 || n.Args[0].Kind != Select {
		return failed("has() wants a field")
	}
	target := e.node(n.Args[0].Args[0])
	switch target.kind {
	case errorKind, openKind:
		return target
	case mapKind:
		v, ok := target.fields[n.Args[0].Name]
		if v.kind == openKind && ok {
			return v // it may be absent all the same
		}
		return boolValue(ok)
	}
	return failed("%s is not an object", n.Args[0].Args[0].Source)
}

func (e *evaluation) method(n *Node) Value {
	if fold, ok := macros[n.Name]; ok && len(n.Args) == 3 && n.Args[1].Kind == Ident {
		return e.macro(n, fold)
	}
	args, stop := e.args(n.Args)
	if stop != nil {
		return *stop
	}
	if n.Name == "matches" {
		e.steps += matchSteps
	}
	f, ok := methods[n.Name]
	if !ok {
		return Open("the method " + n.Name)
	}
	return f(args, n)
}

// A fold joins the outcomes of a macro's body.
type fold struct {
	start Outcome
	join  func(Outcome, Outcome) Outcome
}

var macros = map[string]fold{
	"all":    {True, Outcome.and},
	"exists": {False, Outcome.or},
}

func (e *evaluation) macro(n *Node, f fold) Value {
	over := e.node(n.Args[0])
	switch over.kind {
	case errorKind, openKind:
		return over
	case listKind:
	default:
		return Open("a macro over something else than a list")
	}
	out, why := f.start, "it is not a boolean"
	e.scope = append(e.scope, binding{name: n.Args[1].Name})
	defer func() { e.scope = e.scope[:len(e.scope)-1] }()
	for _, item := range over.list {
		e.scope[len(e.scope)-1].value = item
		v := e.node(n.Args[2])
		out, why = f.join(out, v.Outcome()), cmp.Or(v.Why(), why)
	}
	return truth(out, why)
}
