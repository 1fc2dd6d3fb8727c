package github

import (
	"regexp/syntax"
	"slices"
	"strings"
)

// maxMeanings bounds the texts that a pattern is written out to.
const maxMeanings = 16

// meanings writes a pattern out as texts with "*" for what may vary, as its author
// means it: a lone dot is a dot. It is for naming what a policy is about, never for
// deciding.
func meanings(pattern string) []string {
	tree, err := syntax.Parse("^"+pattern+"$", syntax.Perl)
	if err != nil {
		return nil
	}
	var texts []string
	for _, text := range expand(tree) {
		begin, end := strings.HasPrefix(text, beginMark), strings.HasSuffix(text, endMark)
		text = strings.NewReplacer(beginMark, "", endMark, "").Replace(text)
		if !begin {
			text = "*" + text
		}
		if !end {
			text += "*"
		}
		texts = append(texts, squeeze(text))
	}
	return slices.Compact(texts)
}

// Marks for the anchors, which no claim has.
const (
	beginMark = "\x02"
	endMark   = "\x03"
)

func squeeze(s string) string {
	for strings.Contains(s, "**") {
		s = strings.ReplaceAll(s, "**", "*")
	}
	return s
}

func expand(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase != 0 {
			// The parser keeps the capitals of what is compared in any case.
			return []string{strings.ToLower(string(re.Rune))}
		}
		return []string{string(re.Rune)}
	case syntax.OpBeginText, syntax.OpBeginLine:
		return []string{beginMark}
	case syntax.OpEndText, syntax.OpEndLine:
		return []string{endMark}
	case syntax.OpEmptyMatch, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return []string{""}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return []string{"."}
	case syntax.OpCharClass:
		return members(re.Rune)
	case syntax.OpCapture:
		return expand(re.Sub[0])
	case syntax.OpConcat:
		texts := []string{""}
		for _, sub := range re.Sub {
			texts = product(texts, expand(sub))
		}
		return texts
	case syntax.OpAlternate:
		var texts []string
		for _, sub := range re.Sub {
			texts = append(texts, expand(sub)...)
		}
		return texts[:min(len(texts), maxMeanings)]
	case syntax.OpQuest:
		return append([]string{""}, expand(re.Sub[0])...)
	}
	return []string{"*"}
}

// members are the characters of a small class; (b|c) is read as one.
func members(ranges []rune) []string {
	const small = 4
	var texts []string
	for i := 0; i+1 < len(ranges); i += 2 {
		if int(ranges[i+1]-ranges[i])+len(texts) >= small {
			return []string{"*"}
		}
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			texts = append(texts, string(r))
		}
	}
	return texts
}

func product(left, right []string) []string {
	var texts []string
	for _, l := range left {
		for _, r := range right {
			if len(texts) < maxMeanings {
				texts = append(texts, l+r)
			}
		}
	}
	return texts
}

// A scan is what a walk over the text of a pattern finds, which its tree no longer
// shows: the parser takes out what alternatives have in common.
type scan struct {
	alternatives bool // "|" outside of every group
	dot          bool // "." without a backslash or a repetition behind it
}

func scanPattern(pattern string) scan {
	var s scan
	depth, class := 0, false
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && strings.HasPrefix(pattern[i:], `\Q`):
			quoted := strings.Index(pattern[i:], `\E`)
			if quoted < 0 {
				return s
			}
			i += quoted + 1
		case c == '\\':
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
			// "]" right after the bracket, or after its negation, is a member.
			if rest := strings.TrimPrefix(pattern[i+1:], "^"); strings.HasPrefix(rest, "]") {
				i += len(pattern[i+1:]) - len(rest) + 1
			}
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '|' && depth == 0:
			s.alternatives = true
		case c == '.':
			s.dot = s.dot || i+1 == len(pattern) || !strings.ContainsRune("*+?{", rune(pattern[i+1]))
		}
	}
	return s
}
