package cel

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A token is one word of an expression.
type token struct {
	kind     tokenKind
	text     string // of an identifier or an operator, as it is written
	value    Value  // of a literal
	pos, end int    // bytes
}

type tokenKind uint8

const (
	endToken tokenKind = iota
	identToken
	literalToken
	operatorToken
)

// A syntaxError is a place where an expression is not one.
type syntaxError struct {
	pos  int
	text string
}

func (e *syntaxError) Error() string {
	return fmt.Sprintf("at character %d: %s", e.pos+1, e.text)
}

func failAt(pos int, format string, args ...any) *syntaxError {
	return &syntaxError{pos, fmt.Sprintf(format, args...)}
}

var (
	spaceText  = regexp.MustCompile(`^(?:[ \t\r\n\f]|//[^\n]*)+`)
	identText  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)
	quotedName = regexp.MustCompile("^`[A-Za-z0-9_./ -]+`")
	floatText  = regexp.MustCompile(`^(?:[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)`)
	intText    = regexp.MustCompile(`^(0x[0-9a-fA-F]+|[0-9]+)([uU]?)`)
	stringHead = regexp.MustCompile(`^([bB]?[rR]?|[rR][bB])("""|'''|"|')`)
	operators  = []string{"&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ".", ",", "(", ")", "[", "]", "{", "}"}
	// Words that name no variable and no function, for languages that CEL is compiled to.
	reserved = map[string]bool{
		"as": true, "break": true, "const": true, "continue": true, "else": true, "for": true, "function": true, "if": true, "import": true,
		"let": true, "loop": true, "package": true, "namespace": true, "return": true, "var": true, "void": true, "while": true,
	}
)

// scan splits an expression into its words; the last is an endToken.
func scan(src string) ([]token, error) {
	var out []token
	for pos := 0; ; {
		pos += len(spaceText.FindString(src[pos:]))
		if pos == len(src) {
			return append(out, token{kind: endToken, pos: pos, end: pos}), nil
		}
		t, err := next(src, pos)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
		pos = t.end
	}
}

// next reads the word that begins at pos.
func next(src string, pos int) (token, error) {
	rest := src[pos:]
	if m := stringHead.FindStringSubmatch(rest); m != nil {
		return scanString(src, pos, strings.ToLower(m[1]), m[2])
	}
	if name := quotedName.FindString(rest); name != "" {
		return token{kind: identToken, text: strings.Trim(name, "`"), pos: pos, end: pos + len(name)}, nil
	}
	if m := floatText.FindString(rest); m != "" {
		f, err := strconv.ParseFloat(m, 64)
		if err != nil {
			return token{}, failAt(pos, "a number out of range")
		}
		return token{kind: literalToken, value: Value{kind: doubleKind, f: f}, text: m, pos: pos, end: pos + len(m)}, nil
	}
	if m := intText.FindStringSubmatch(rest); m != nil {
		return scanInt(pos, m)
	}
	if m := identText.FindString(rest); m != "" {
		return word(pos, m), nil
	}
	for _, op := range operators {
		if strings.HasPrefix(rest, op) {
			return token{kind: operatorToken, text: op, pos: pos, end: pos + len(op)}, nil
		}
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return token{}, failAt(pos, "%q is not part of any expression", r)
}

func word(pos int, m string) token {
	t := token{kind: literalToken, text: m, pos: pos, end: pos + len(m)}
	switch {
	case m == "true" || m == "false":
		t.value = boolValue(m == "true")
	case m == "null":
		t.value = Value{kind: nullKind}
	case m == "in":
		t.kind = operatorToken
	default:
		t.kind = identToken
	}
	return t
}

func scanInt(pos int, m []string) (token, error) {
	t := token{kind: literalToken, text: m[0], pos: pos, end: pos + len(m[0])}
	digits, base := m[1], 10
	if h, ok := strings.CutPrefix(digits, "0x"); ok {
		digits, base = h, 16
	}
	n, err := strconv.ParseUint(digits, base, 64)
	// One more than the largest is for the minus sign before it, which the parser joins.
	if err != nil || m[2] == "" && n > 1<<63 {
		return t, failAt(pos, "a number out of range")
	}
	t.value = Value{kind: intKind, i: int64(n), u: n}
	if m[2] != "" {
		t.value.kind = uintKind
	}
	return t, nil
}

// scanString reads a string or bytes literal, which begins with prefix and quote.
func scanString(src string, pos int, prefix, quote string) (token, error) {
	raw := strings.Contains(prefix, "r")
	start := pos + len(prefix) + len(quote)
	var b strings.Builder
	for i := start; i < len(src); {
		switch c := src[i]; {
		case strings.HasPrefix(src[i:], quote):
			v := stringValue(b.String())
			if strings.Contains(prefix, "b") {
				v.kind = bytesKind
			}
			return token{kind: literalToken, value: v, pos: pos, end: i + len(quote)}, nil
		case len(quote) == 1 && (c == '\n' || c == '\r'):
			return token{}, failAt(pos, "a text that does not end on its line")
		case c == '\\' && !raw:
			text, n, err := unescape(src, i, strings.Contains(prefix, "b"))
			if err != nil {
				return token{}, err
			}
			b.WriteString(text)
			i += n
		default:
			b.WriteByte(c)
			i++
		}
	}
	return token{}, failAt(pos, "a text that does not end")
}

// simpleEscapes are the escapes of one character.
const simpleEscapes = `abfnrtv\'"?` + "`"

const simpleMeanings = "\a\b\f\n\r\t\v\\'\"?`"

// unescape reads the escape at pos and returns its meaning and its length.
func unescape(src string, pos int, inBytes bool) (string, int, error) {
	bad := failAt(pos, "an escape that CEL does not have")
	if pos+1 >= len(src) {
		return "", 0, bad
	}
	c := src[pos+1]
	if i := strings.IndexByte(simpleEscapes, c); i >= 0 {
		return simpleMeanings[i : i+1], 2, nil
	}
	digits, base, skip := 0, 16, 2
	switch c {
	case 'x', 'X':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	case '0', '1', '2', '3':
		digits, base, skip = 3, 8, 1
	}
	if digits == 0 || digits > 3 && inBytes || pos+skip+digits > len(src) {
		return "", 0, bad
	}
	n, err := strconv.ParseUint(src[pos+skip:pos+skip+digits], base, 32)
	if err != nil || n > utf8.MaxRune || !inBytes && !utf8.ValidRune(rune(n)) {
		return "", 0, bad
	}
	if inBytes {
		return string([]byte{byte(n)}), skip + digits, nil
	}
	return string(rune(n)), skip + digits, nil
}
