package policy

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A tokenKind is a part of a pattern.
type tokenKind uint8

const (
	literal  tokenKind = iota // one character
	anyOne                    // "?": exactly one character
	anyRun                    // "*": any run of characters, also none
	variable                  // "${…}": a text that is not known here
)

type token struct {
	kind tokenKind
	char rune // of a literal
}

// A pattern is a value of a document, ready to be matched.
type pattern []token

// A syntax is what has a meaning in a value: wildcards under some operators,
// variables in documents of version 2012-10-17.
type syntax struct{ wildcards, variables bool }

// compile reads a value. "${*}", "${?}" and "${$}" stand for the character in
// them; an unclosed "${" is literal text.
func compile(s string, syn syntax) pattern {
	p := make(pattern, 0, len(s))
	for s != "" {
		if syn.variables && strings.HasPrefix(s, "${") {
			if end := strings.IndexByte(s, '}'); end >= 0 {
				p = append(p, variableToken(s[2:end]))
				s = s[end+1:]
				continue
			}
		}
		r, size := utf8.DecodeRuneInString(s)
		p = append(p, charToken(r, syn.wildcards))
		s = s[size:]
	}
	return p
}

func variableToken(name string) token {
	switch name {
	case "*", "?", "$":
		return token{literal, rune(name[0])}
	}
	return token{kind: variable}
}

func charToken(r rune, wildcards bool) token {
	switch {
	case wildcards && r == '*':
		return token{kind: anyRun}
	case wildcards && r == '?':
		return token{kind: anyOne}
	}
	return token{literal, r}
}

// hasVariable reports whether the pattern holds a text that is not known here.
func (p pattern) hasVariable() bool {
	for _, t := range p {
		if t.kind == variable {
			return true
		}
	}
	return false
}

// onlyStars reports whether the pattern matches every text.
func (p pattern) onlyStars() bool {
	for _, t := range p {
		if t.kind != anyRun {
			return false
		}
	}
	return len(p) > 0
}

// match compares the whole of s. A variable may stand for any text: where even
// that does not fit the answer is no, otherwise it is unknown.
func (p pattern) match(s string, fold bool) truth {
	switch {
	case !p.fits([]rune(s), fold):
		return no
	case p.hasVariable():
		return unknown
	}
	return yes
}

// fits takes a variable for a run. On a mismatch it returns to the last run and
// lets that take one character more: at most len(p)·len(s) steps.
func (p pattern) fits(s []rune, fold bool) bool {
	i, j := 0, 0
	run, resume := -1, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i].isRun():
			run, resume = i, j
			i++
		case i < len(p) && p[i].takes(s[j], fold):
			i++
			j++
		case run >= 0:
			resume++
			i, j = run+1, resume
		default:
			return false
		}
	}
	for i < len(p) && p[i].isRun() {
		i++
	}
	return i == len(p)
}

func (t token) isRun() bool { return t.kind == anyRun || t.kind == variable }

func (t token) takes(r rune, fold bool) bool {
	if t.kind == anyOne || t.char == r {
		return true
	}
	return fold && unicode.ToLower(t.char) == unicode.ToLower(r)
}

// arnParts is how many parts an ARN has; the last may hold colons.
const arnParts = 6

// matchARN compares part by part: a wildcard does not reach over a colon that
// separates parts. Only a pattern of nothing but "*" is no ARN and matches all.
func (p pattern) matchARN(arn string) truth {
	if p.onlyStars() {
		return yes
	}
	want := p.splitARN()
	if len(want) < arnParts {
		// A variable may hold the missing colons; without one IAM refuses it.
		return unknown
	}
	got := strings.SplitN(arn, ":", arnParts)
	if len(got) < arnParts {
		return no
	}
	result := yes
	for i, part := range want {
		result = result.and(part.match(got[i], false))
	}
	return result
}

func (p pattern) splitARN() []pattern {
	var parts []pattern
	start := 0
	for i, t := range p {
		if len(parts) == arnParts-1 {
			break
		}
		if t.kind == literal && t.char == ':' {
			parts = append(parts, p[start:i])
			start = i + 1
		}
	}
	return append(parts, p[start:])
}
