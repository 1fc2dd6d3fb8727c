package cel

import (
	"fmt"
	"math/big"
	"slices"
)

// An Outcome is the set of what a condition may evaluate to.
type Outcome uint8

// The members of the set.
const (
	True Outcome = 1 << iota
	False
	// Failed is an error, or something that is not a boolean.
	Failed

	anything = True | False | Failed
)

// Can reports whether o holds any of x.
func (o Outcome) Can(x Outcome) bool { return o&x != 0 }

// Only reports whether o holds nothing but x.
func (o Outcome) Only(x Outcome) bool { return o != 0 && o&^x == 0 }

// and is CEL's &&, for each pair of what the sides may be: false wins over an error.
func (o Outcome) and(p Outcome) Outcome {
	var out Outcome
	if o.Can(False) || p.Can(False) {
		out |= False
	}
	if o.Can(True) && p.Can(True) {
		out |= True
	}
	if o.Can(Failed) && p.Can(True|Failed) || p.Can(Failed) && o.Can(True|Failed) {
		out |= Failed
	}
	return out
}

// or is CEL's ||: true wins over an error.
func (o Outcome) or(p Outcome) Outcome { return o.not().and(p.not()).not() }

func (o Outcome) not() Outcome {
	out := o & Failed
	if o.Can(True) {
		out |= False
	}
	if o.Can(False) {
		out |= True
	}
	return out
}

// A Value is what an expression evaluates to, as far as that is known.
type Value struct {
	kind    valueKind
	outcome Outcome // of a boolKind
	i       int64
	u       uint64
	f       float64
	s       string // of text and bytes; of an error or an open value, why
	list    []Value
	fields  map[string]Value
}

type valueKind uint8

const (
	// openKind could be anything, an error included.
	openKind valueKind = iota
	errorKind
	boolKind
	intKind
	uintKind
	doubleKind
	textKind
	bytesKind
	nullKind
	listKind
	mapKind
)

// Text is a text value.
func Text(s string) Value { return stringValue(s) }

// Number is an integer value.
func Number(n int64) Value { return Value{kind: intKind, i: n} }

// Texts is a list of texts.
func Texts(list []string) Value {
	v := Value{kind: listKind}
	for _, s := range list {
		v.list = append(v.list, Text(s))
	}
	return v
}

// Object is a value with fields; one that is not there is an error to read.
func Object(fields map[string]Value) Value { return Value{kind: mapKind, fields: fields} }

// Open is a value of which nothing is known; why says so in a few words.
func Open(why string) Value { return Value{kind: openKind, s: why} }

// AsText returns the text of a text value.
func (v Value) AsText() (string, bool) { return v.s, v.kind == textKind }

// IsOpen reports whether the value is not known: it could be a text all the same.
func (v Value) IsOpen() bool { return v.kind == openKind }

// Why says what is wrong with an error, or not known of an open value; else "".
func (v Value) Why() string {
	if v.kind == errorKind || v.kind == openKind {
		return v.s
	}
	return ""
}

// IsWhole reports whether the value is an integer, signed or not.
func (v Value) IsWhole() bool { return v.kind == intKind || v.kind == uintKind }

// Outcome is what the value is as a condition.
func (v Value) Outcome() Outcome {
	switch v.kind {
	case boolKind:
		return v.outcome
	case openKind:
		return anything
	}
	return Failed
}

func stringValue(s string) Value { return Value{kind: textKind, s: s} }

func failed(format string, args ...any) Value {
	return Value{kind: errorKind, s: fmt.Sprintf(format, args...)}
}

func boolValue(b bool) Value {
	if b {
		return Value{kind: boolKind, outcome: True}
	}
	return Value{kind: boolKind, outcome: False}
}

// truth makes a value of a set. One that can only fail is an error, one that can
// be anything is open; why says so.
func truth(o Outcome, why string) Value {
	switch o {
	case Failed:
		return failed("%s", why)
	case anything:
		return Open(why)
	}
	return Value{kind: boolKind, outcome: o, s: why}
}

// equal is CEL's ==, which is false for values of different types and compares
// numbers by what they are worth.
func equal(a, b Value) Outcome {
	switch {
	case a.kind == errorKind || b.kind == errorKind:
		return Failed
	case a.kind == openKind || b.kind == openKind:
		return anything
	case a.kind == boolKind && b.kind == boolKind:
		return a.outcome.and(b.outcome).or(a.outcome.not().and(b.outcome.not()))
	case isNumber(a) && isNumber(b):
		order, ok := compareNumbers(a, b)
		return boolValue(ok && order == 0).outcome
	case a.kind != b.kind:
		return False | (a.outcome|b.outcome)&Failed
	}
	switch a.kind {
	case textKind, bytesKind:
		return boolValue(a.s == b.s).outcome
	case listKind:
		return equalLists(a.list, b.list)
	case mapKind:
		return anything // nobody compares whole objects of claims
	}
	return True // null
}

func equalLists(a, b []Value) Outcome {
	if len(a) != len(b) {
		return False
	}
	out := True
	for i := range a {
		out = out.and(equal(a[i], b[i]))
	}
	return out
}

func isNumber(v Value) bool { return v.kind == intKind || v.kind == uintKind || v.kind == doubleKind }

// compareNumbers returns the order of two numbers, and false for what has none.
func compareNumbers(a, b Value) (int, bool) {
	x, y := bigOf(a), bigOf(b)
	if x == nil || y == nil {
		return 0, false
	}
	return x.Cmp(y), true
}

func bigOf(v Value) *big.Rat {
	switch v.kind {
	case intKind:
		return new(big.Rat).SetInt64(v.i)
	case uintKind:
		return new(big.Rat).SetUint64(v.u)
	}
	return new(big.Rat).SetFloat64(v.f) // nil when it is not finite
}

// compare is the order of two values under < and the like.
func compare(a, b Value) (order int, ok bool) {
	switch {
	case isNumber(a) && isNumber(b):
		return compareNumbers(a, b)
	case a.kind == textKind && b.kind == textKind, a.kind == bytesKind && b.kind == bytesKind:
		return slices.Compare([]byte(a.s), []byte(b.s)), true
	}
	return 0, false
}
