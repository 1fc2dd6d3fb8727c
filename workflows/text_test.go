package workflows

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPosition(t *testing.T) {
	f := Parse("x", []byte("\ufeffa: ü\r\nb: 日本 x\rc: 1\u2028d\n"))
	tests := []struct {
		at   string // the position in front of this text
		want Position
	}{
		{"a:", Position{1, 1, 3}},
		{"ü", Position{1, 4, 6}},
		{"\r\nb", Position{1, 5, 8}},
		{"b:", Position{2, 1, 10}},
		{"x\r", Position{2, 7, 20}},
		{"c:", Position{3, 1, 22}},
		{"d\n", Position{3, 6, 29}}, // U+2028 ends no line for people
	}
	for _, test := range tests {
		at := strings.Index(string(f.Source), test.at)
		if got := f.Position(at); got != test.want {
			t.Errorf("%q is at %v, want %v", test.at, got, test.want)
		}
	}
	end := Position{4, 1, len(f.Source)}
	if got := f.Position(1000); got != end {
		t.Errorf("behind the end: %v, want %v", got, end)
	}
	if got := f.Position(-1); got != (Position{1, 1, 0}) {
		t.Errorf("before the start: %v", got)
	}
}

func TestLineText(t *testing.T) {
	f := Parse("x", []byte("\ufeffa: 1\r\n\r\nb: 2\rc: 3"))
	for n, want := range []string{"", "a: 1", "", "b: 2", "c: 3", ""} {
		if got := f.LineText(n); got != want {
			t.Errorf("line %d is %q, want %q", n, got, want)
		}
	}
	if got := f.Text(Span{7, 100}); got != "\r\n\r\nb: 2\rc: 3" {
		t.Errorf("text %q", got)
	}
	if got := f.Text(Span{-5, -2}); got != "" {
		t.Errorf("text outside %q", got)
	}
}

// TestLineTables compares the two ways to count lines.
func TestLineTables(t *testing.T) {
	src := []byte("a\nb\r\nc\rd\u0085e\u2028f\u2029g")
	if got, want := lineStarts(src), []int{0, 2, 5, 7}; !reflect.DeepEqual(got, want) {
		t.Errorf("lines %v, want %v", got, want)
	}
	if got, want := yamlLineStarts(src), []int{0, 2, 5, 7, 10, 14, 18}; !reflect.DeepEqual(got, want) {
		t.Errorf("YAML's lines %v, want %v", got, want)
	}
}

// TestUnreadableText gives what is no text at all: one problem that names the line.
func TestUnreadableText(t *testing.T) {
	tests := []struct{ name, source, message string }{
		{"nul", "a: 1\nb: \x00\n", "not text in line 2: control character U+0000 is not allowed"},
		{"escape", "a: \x1b[31m\n", "not text in line 1: control character U+001B is not allowed"},
		{"c1", "a: \u009b\n", "not text in line 1: control character U+009B is not allowed"},
		{"delete", "a: \x7f\n", "not text in line 1: control character U+007F is not allowed"},
		{"noncharacter", "a: \uffff\n", "not text in line 1: control character U+FFFF is not allowed"},
		{"latin-1", "a: 1\r\nb: caf\xe9\r\n", "not text in line 2: byte 0xE9 is not valid UTF-8"},
		{"utf-16", "\xff\xfea\x00", "not text in line 1: byte 0xFF is not valid UTF-8"},
		{"surrogate", "a: \xed\xa0\x80\n", "not text in line 1: byte 0xED is not valid UTF-8"},
		{"cut short", "a: \xe2\x80", "not text in line 1: byte 0xE2 is not valid UTF-8"},
		{"too large", strings.Repeat("# a comment\n", MaxFileBytes/12+1), "larger than 4 MiB"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := Parse(".github/workflows/x.yml", []byte(test.source))
			if len(f.Problems) != 1 || !f.Problems[0].Whole || f.Problems[0].Message != test.message {
				t.Errorf("problems %v, want %q", f.Problems, test.message)
			}
			if f.Workflow != nil {
				t.Error("the file was used all the same")
			}
		})
	}
}

// TestColumnsInLongLines compares columns in long lines with counting afresh.
func TestColumnsInLongLines(t *testing.T) {
	for _, line := range []string{"x", "é", "a日", "😀\n"} {
		source := "\ufeff# " + strings.Repeat(line, 5000)
		f := Parse("x", []byte(source))
		for at := len("\ufeff"); at <= len(source); at += 7 {
			if at < len(source) && !utf8.RuneStart(source[at]) {
				continue
			}
			before := source[:at]
			before = strings.TrimPrefix(before[strings.LastIndex(before, "\n")+1:], "\ufeff")
			want := Position{1 + strings.Count(source[:at], "\n"), utf8.RuneCountInString(before) + 1, at}
			if got := f.Position(at); got != want {
				t.Fatalf("%q: %v, want %v", line, got, want)
			}
		}
	}
}
