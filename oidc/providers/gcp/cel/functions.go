package cel

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A function gets arguments that are neither errors nor open.
type function func(args []Value, n *Node) Value

type operator struct {
	args  int
	apply function
}

// operatorsByName are the operators but those that look at their sides one by one.
var operatorsByName = map[string]operator{
	"==": {2, func(a []Value, _ *Node) Value { return truth(equal(a[0], a[1]), "it compares what is not known") }},
	"!=": {2, func(a []Value, _ *Node) Value { return truth(equal(a[0], a[1]).not(), "it compares what is not known") }},
	"<":  {2, order(func(c int) bool { return c < 0 })},
	"<=": {2, order(func(c int) bool { return c <= 0 })},
	">":  {2, order(func(c int) bool { return c > 0 })},
	">=": {2, order(func(c int) bool { return c >= 0 })},
	"in": {2, in},
	"[]": {2, index},
	"+":  {2, add},
	"!": {1, func(a []Value, n *Node) Value {
		if a[0].kind != boolKind {
			return noOverload(n)
		}
		return truth(a[0].outcome.not(), a[0].s)
	}},
	"-": {2, arithmetic}, "*": {2, arithmetic}, "/": {2, arithmetic}, "%": {2, arithmetic},
}

func noOverload(n *Node) Value { return failed("%s is not for values of these types", n.Name) }

func order(holds func(int) bool) function {
	return func(a []Value, n *Node) Value {
		if a[0].kind == boolKind && a[1].kind == boolKind {
			return Open("an order of booleans")
		}
		if isNumber(a[0]) != isNumber(a[1]) || !isNumber(a[0]) && a[0].kind != a[1].kind {
			return noOverload(n)
		}
		c, ok := compare(a[0], a[1])
		if !ok {
			return noOverload(n)
		}
		return boolValue(holds(c))
	}
}

func in(a []Value, n *Node) Value {
	switch a[1].kind {
	case listKind:
		out := False
		for _, item := range a[1].list {
			out = out.or(equal(a[0], item))
		}
		return truth(out, "it compares what is not known")
	case mapKind:
		if a[0].kind != textKind {
			return boolValue(false)
		}
		_, ok := a[1].fields[a[0].s]
		return boolValue(ok)
	}
	return noOverload(n)
}

// In says whether a value is an item of a list.
func In(v, list Value) Outcome {
	if list.kind == openKind {
		return anything
	}
	return in([]Value{v, list}, &Node{Name: "in"}).Outcome()
}

func index(a []Value, n *Node) Value {
	switch {
	case a[0].kind == mapKind && a[1].kind == textKind:
		if v, ok := a[0].fields[a[1].s]; ok {
			return v
		}
		return failed("there is no %s", n.Source)
	case a[0].kind == listKind && a[1].kind == intKind:
		if a[1].i < 0 || a[1].i >= int64(len(a[0].list)) {
			return failed("%s is out of range", n.Source)
		}
		return a[0].list[a[1].i]
	case a[0].kind == listKind && isNumber(a[1]):
		return Open("an index that is no plain integer")
	}
	return noOverload(n)
}

func add(a []Value, n *Node) Value {
	switch {
	case a[0].kind == textKind && a[1].kind == textKind:
		return bounded(a[0].s + a[1].s)
	case a[0].kind == listKind && a[1].kind == listKind:
		if len(a[0].list)+len(a[1].list) > maxItems {
			return Open("a list of too many items")
		}
		return Value{kind: listKind, list: append(append([]Value{}, a[0].list...), a[1].list...)}
	}
	return arithmetic(a, n)
}

// bounded is a text that is not too long to go on with.
func bounded(s string) Value {
	if len(s) > maxTextBytes {
		return Open("a text that is too long")
	}
	return stringValue(s)
}

// arithmetic is done for integers, which conditions use if they use any; an
// overflow is an error, as a division by zero is.
func arithmetic(a []Value, n *Node) Value {
	if a[0].kind != intKind || a[1].kind != intKind {
		if isNumber(a[0]) && isNumber(a[1]) && a[0].kind == a[1].kind || a[0].kind == bytesKind {
			return Open("arithmetic of other numbers than integers")
		}
		return noOverload(n)
	}
	x, y := a[0].i, a[1].i
	const overflow = "the number is out of range"
	switch n.Name {
	case "+":
		if y > 0 && x > math.MaxInt64-y || y < 0 && x < math.MinInt64-y {
			return failed(overflow)
		}
		return Number(x + y)
	case "-":
		if y < 0 && x > math.MaxInt64+y || y > 0 && x < math.MinInt64+y {
			return failed(overflow)
		}
		return Number(x - y)
	case "*":
		if x != 0 && (x*y/x != y || x == -1 && y == math.MinInt64) {
			return failed(overflow)
		}
		return Number(x * y)
	}
	if y == 0 || x == math.MinInt64 && y == -1 {
		return failed("a division that has no result")
	}
	if n.Name == "/" {
		return Number(x / y)
	}
	return Number(x % y)
}

var functions = map[string]function{
	"-": func(a []Value, n *Node) Value {
		switch {
		case len(a) != 1 || a[0].kind != intKind && a[0].kind != doubleKind:
			return noOverload(n)
		case a[0].kind == doubleKind:
			return Value{kind: doubleKind, f: -a[0].f}
		case a[0].i == math.MinInt64:
			return failed("the number is out of range")
		}
		return Number(-a[0].i)
	},
	"size": func(a []Value, n *Node) Value {
		if len(a) != 1 {
			return noOverload(n)
		}
		return size(a, n)
	},
	"string": toText,
	"int":    toInt,
}

func size(a []Value, n *Node) Value {
	switch a[0].kind {
	case textKind:
		return Number(int64(utf8.RuneCountInString(a[0].s)))
	case bytesKind:
		return Number(int64(len(a[0].s)))
	case listKind:
		return Number(int64(len(a[0].list)))
	case mapKind:
		return Open("the number of claims")
	}
	return noOverload(n)
}

func toText(a []Value, n *Node) Value {
	if len(a) != 1 {
		return noOverload(n)
	}
	switch a[0].kind {
	case textKind:
		return a[0]
	case intKind:
		return stringValue(strconv.FormatInt(a[0].i, 10))
	case uintKind:
		return stringValue(strconv.FormatUint(a[0].u, 10))
	case boolKind, doubleKind, bytesKind:
		return Open("string() of something else than a text or a whole number")
	}
	return noOverload(n)
}

func toInt(a []Value, n *Node) Value {
	if len(a) != 1 {
		return noOverload(n)
	}
	switch a[0].kind {
	case intKind:
		return a[0]
	case textKind:
		i, err := strconv.ParseInt(a[0].s, 10, 64)
		if err != nil {
			return failed("int() of a text that is no number")
		}
		return Number(i)
	case uintKind, doubleKind:
		return Open("int() of something else than a text")
	}
	return noOverload(n)
}

// methods get their target as the first argument.
var methods = map[string]function{
	"startsWith": onTexts(2, func(s []string) Value { return boolValue(strings.HasPrefix(s[0], s[1])) }),
	"endsWith":   onTexts(2, func(s []string) Value { return boolValue(strings.HasSuffix(s[0], s[1])) }),
	"contains":   onTexts(2, func(s []string) Value { return boolValue(strings.Contains(s[0], s[1])) }),
	"matches":    onTexts(2, matches),
	"lowerAscii": onTexts(1, func(s []string) Value { return stringValue(mapASCII(s[0], 'A', 'Z', 'a'-'A')) }),
	"upperAscii": onTexts(1, func(s []string) Value { return stringValue(mapASCII(s[0], 'a', 'z', 'A'-'a')) }),
	"extract":    onTexts(2, extract),
	"replace":    onTexts(3, replace),
	"split":      onTexts(2, func(s []string) Value { return split(s[0], s[1]) }),
	"size": func(a []Value, n *Node) Value {
		if len(a) != 1 {
			return noOverload(n)
		}
		return size(a, n)
	},
	"join": join,
}

// onTexts makes a method of texts alone. With another number of arguments it is a
// form that is not read; with another type it is an error.
func onTexts(count int, f func([]string) Value) function {
	return func(a []Value, n *Node) Value {
		texts := make([]string, len(a))
		for i, v := range a {
			if v.kind != textKind {
				if len(a) != count {
					return Open("this form of " + n.Name)
				}
				return noOverload(n)
			}
			texts[i] = v.s
		}
		if len(a) != count {
			return Open("this form of " + n.Name)
		}
		return f(texts)
	}
}

func mapASCII(s string, from, to rune, by rune) string {
	return strings.Map(func(r rune) rune {
		if r >= from && r <= to {
			return r + by
		}
		return r
	}, s)
}

// matches looks for an RE2 expression anywhere in the text. Go's has no \C; what
// else it refuses, RE2 refuses.
func matches(s []string) Value {
	re, err := regexp.Compile(s[1])
	switch {
	case err != nil && strings.Contains(s[1], `\C`):
		return Open(`\C in a regular expression`)
	case err != nil:
		return failed("%.80q is not a regular expression", s[1])
	}
	return boolValue(re.MatchString(s[0]))
}

// extract is Google's own: the template is a text with one {name}; it returns what
// stands there, up to the next occurrence of what follows the braces, and "" when
// there is no such place. ("Extract values from attributes" in the IAM
// documentation.)
func extract(s []string) Value {
	before, rest, ok1 := strings.Cut(s[1], "{")
	_, after, ok2 := strings.Cut(rest, "}")
	if !ok1 || !ok2 {
		return Open("extract() with a template without a name in braces")
	}
	_, tail, ok := strings.Cut(s[0], before)
	if !ok {
		return stringValue("")
	}
	if after == "" {
		return stringValue(tail)
	}
	found, _, ok := strings.Cut(tail, after)
	if !ok {
		return stringValue("")
	}
	return stringValue(found)
}

func replace(s []string) Value {
	if n := strings.Count(s[0], s[1]); len(s[0])+n*len(s[2]) > 2*maxTextBytes {
		return Open("a text that is too long")
	}
	return bounded(strings.ReplaceAll(s[0], s[1], s[2]))
}

func split(s, sep string) Value {
	if sep != "" && strings.Count(s, sep) >= maxItems || sep == "" && len(s) > maxItems {
		return Open("a list of too many items")
	}
	return Texts(strings.Split(s, sep))
}

func join(a []Value, n *Node) Value {
	if a[0].kind != listKind || len(a) > 2 || len(a) == 2 && a[1].kind != textKind {
		return noOverload(n)
	}
	sep := ""
	if len(a) == 2 {
		sep = a[1].s
	}
	total := 0
	texts := make([]string, len(a[0].list))
	for i, v := range a[0].list {
		switch v.kind {
		case textKind:
			texts[i] = v.s
		case openKind:
			return v
		default:
			return noOverload(n)
		}
		if total += len(v.s) + len(sep); total > maxTextBytes {
			return Open("a text that is too long")
		}
	}
	return stringValue(strings.Join(texts, sep))
}

// Quote writes a text as a literal in single quotes.
func Quote(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range s {
		switch {
		case r == '\'' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('\'')
	return b.String()
}
