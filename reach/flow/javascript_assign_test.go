package flow

import (
	"regexp"
	"slices"
	"testing"
)

// asPattern is what assignments looks for, as a regular expression: shorter to read
// and many times slower.
var asPattern = regexp.MustCompile(`(?m)(?:^|[;{(\s])(?:(?:const|let|var)\s+)?(\{[^{}=]{0,398}\}|[A-Za-z_$][\w$]*)\s*\+?=[ \t]*([^=>\s])`)

var assignmentTexts = []string{
	"", "=", "= x", "a = b", "a=b", "a += b", "a == b", "a === b", "a => b", "a =\nb", "a\n  = b",
	"const { data: { x } } = y", "const { a, b: c } = context.payload;\nlet d = a", "if (x = y) {}", "f(a = 1, b = 2)", "for (const x of y) { z = x }",
	"obj.field = x", "a.b = c\nd = e", "1a = b", "$x_1 = `t`", "{a}=b", "x = {a: 1}\n{c} = d", "a != b; c <= d; e >= f", "var\tq\t=\tr", "let a = b = c",
}

func TestAssignmentsAreThoseOfThePattern(t *testing.T) {
	for _, text := range assignmentTexts {
		checkAssignments(t, text)
	}
}

func FuzzAssignments(f *testing.F) {
	for _, text := range assignmentTexts {
		f.Add(text)
	}
	f.Fuzz(checkAssignments)
}

// checkAssignments holds that what the pattern finds is found: a match of the pattern
// may swallow the beginning of the next one, so that more may be.
func checkAssignments(t *testing.T, text string) {
	found := assignments(text)
	for _, m := range asPattern.FindAllStringSubmatchIndex(text, -1) {
		a := assignment{text[m[2]:m[3]], m[4]}
		if len(found) < maxStatements && !slices.Contains(found, a) {
			t.Errorf("%q: %+v is missing in %+v", text, a, found)
		}
	}
}
