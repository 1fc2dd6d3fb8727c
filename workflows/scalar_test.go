package workflows

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestScalarStyles holds the token and value of every style. «» mark the token.
func TestScalarStyles(t *testing.T) {
	tests := []struct{ name, source, value string }{
		{"plain", "a: «b c» # d\n", "b c"},
		{"plain with quotes inside", "a: «b'c\"d»\n", `b'c"d`},
		{"plain with hash", "a: «b#c»\n", "b#c"},
		{"plain with colon", "a: «b:c»\n", "b:c"},
		{"plain, trailing blanks", "a: «b» \t\n", "b"},
		{"plain, several lines", "a: «b\n  c\n\n  d»\nz: 1\n", "b c\nd"},
		{"plain, line ends in blanks", "a: «b \n  c»\n", "b c"},
		{"plain, crlf", "a: «b\r\n  c\r\n\r\n  d»\r\n", "b c\nd"},
		{"plain, multi-byte", "a: «äö\n  日»\n", "äö 日"},
		{"plain in flow", "a: [«b c», d]\n", "b c"},
		{"plain in flow, several lines", "a: [«b\n c», d]\n", "b c"},
		{"plain at end of file", "a: «b»", "b"},
		{"empty", "a:«»\nb: 1\n", ""},
		{"single", "a: «'b'» # c\n", "b"},
		{"single empty", "a: «''»\n", ""},
		{"single, escaped", "a: «'it''s'»\n", "it's"},
		{"single, only a quote", "a: «''''»\n", "'"},
		{"single, hash inside", "a: «'b # c'»\n", "b # c"},
		{"single, several lines", "a: «'b \n\n   c\n  d'»\n", "b\nc d"},
		{"single, blanks kept", "a: «' b  c '»\n", " b  c "},
		{"single, begins with a break", "a: «'\n  b'»\n", " b"},
		{"double", "a: «\"b\"»\n", "b"},
		{"double, all escapes", `a: «"\0\a\b\t\n\v\f\r\e\ \"\\\N\_\L\P\x41\u00e9\U0001F600"»` + "\n",
			"\x00\a\b\t\n\v\f\r\x1b \"\\\u0085\u00a0\u2028\u2029Aé😀"},
		{"double, escaped break", "a: «\"b \\\n   c\"»\n", "b c"},
		{"double, escaped break and empty line", "a: «\"b\\\n\n   c\"»\n", "b\nc"},
		{"double, folded", "a: «\"b\n\n\n  c\"»\n", "b\n\nc"},
		{"double, crlf", "a: «\"b\r\n  c\"»\r\n", "b c"},
		{"literal", "a: «|\n  b\n  c»\nd: 1\n", "b\nc\n"},
		{"literal, strip", "a: «|-\n  b»\n\n\nd: 1\n", "b"},
		{"literal, keep", "a: «|+\n  b\n\n»\nd: 1\n", "b\n\n\n"},
		{"literal, no final break", "a: «|\n  b»", "b"},
		{"literal, indicator", "a: «|1\n   b»\n", "  b\n"},
		{"literal, indicator and chomping", "a: «|2-\n   b»\n", " b"},
		{"literal, chomping and indicator", "a: «|-2\n   b»\n", " b"},
		{"literal, indented lines", "a: «|\n  b\n    c\n\n  d»\n", "b\n  c\n\nd\n"},
		{"literal, hash lines", "a: «|\n  # b\n  c # d»\n# e\n", "# b\nc # d\n"},
		{"literal, header comment", "a: «| # b\n  c»\n", "c\n"},
		{"literal, crlf", "a: «|\r\n  b\r\n  c»\r\n", "b\nc\n"},
		{"literal, lone cr", "a: «|\r  b\r  c»\r", "b\nc\n"},
		{"literal, tabs", "a: «|\n  b\n  \tc\td»\n", "b\n\tc\td\n"},
		{"literal, blank lines first", "a: «|\n\n \n  b»\n", "\n\nb\n"},
		{"literal, blanks after the end", "a: «|\n  b»\n \n", "b\n"},
		{"literal, line of blanks", "a: «|\n  b\n     »\nc: 1\n", "b\n   \n"},
		{"literal, nested", "- a:\n    - b: «|\n        c»\n", "c\n"},
		{"literal in a compact list", "- - «|2\n     c»\n", " c\n"},
		{"literal behind an anchored key", "- &x a: «|1\n     c»\n", "  c\n"},
		{"literal empty", "a: «|»\n", ""},
		{"literal of breaks only", "a: «|+\n\n»\n", "\n\n"},
		{"folded", "a: «>\n  b\n  c»\n", "b c\n"},
		{"folded, paragraphs", "a: «>\n  b\n\n  c\n   d\n  e»\n", "b\nc\n d\ne\n"},
		{"folded, strip", "a: «>-\n  b\n  c»\n", "b c"},
		{"folded, crlf", "a: «>\r\n  b\r\n  c»\r\n", "b c\n"},
		{"odd breaks", "a: «\"b\u0085 c\u2028 d\"»\n", "b c\u2028d"},
		{"odd breaks, literal", "a: «|\n  b\u0085  c\u2028  d»\n", "b\nc\u2028d\n"},
		{"anchor", "a: &x «b»\n", "b"},
		{"tag", "a: !!str «12»\n", "12"},
		{"anchor and tag on lines of their own", "a: &x # c\n  !!str\n  «b»\n", "b"},
		{"byte order mark", "\ufeffa: «b»\n", "b"},
		{"stray byte order marks", "\ufeff\ufeffa: «\"b\ufeff\\t\"»\n", "b\ufeff\t"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			start := strings.Index(test.source, "«")
			end := strings.Index(test.source, "»") - len("«")
			source := strings.NewReplacer("«", "", "»", "").Replace(test.source)
			f, r, root := readText(source)
			if len(f.Problems) > 0 || len(r.undecoded) > 0 {
				t.Fatal(f.Problems, r.undecoded)
			}
			s := scalarAt(root, start)
			if s == nil {
				t.Fatalf("no scalar at %d", start)
			}
			if s.Value != test.value {
				t.Errorf("value %q, want %q", s.Value, test.value)
			}
			if want := (Span{start, end}); s.Span != want {
				t.Errorf("token %q, want %q", f.Text(s.Span), f.Text(want))
			}
			checkMapping(t, f, s)
		})
	}
}

// readText reads a text as Parse does, up to the tree of nodes.
func readText(source string) (*File, *reader, node) {
	f := &File{Source: []byte(source)}
	check := checkText(f.Source)
	f.index(check)
	r := newReader(f, check)
	tree, err := loadYAML(r.src[r.end:])
	if err != nil {
		f.lost(Span{}, err.Error())
		return f, r, node{}
	}
	return f, r, r.document(tree)
}

// walkNodes calls visit for the scalars of a tree, keys included.
func walkNodes(n node, visit func(*Scalar)) {
	if n.scalar != nil {
		visit(n.scalar)
	}
	for _, f := range n.fields {
		visit(f.key)
		walkNodes(f.val, visit)
	}
	for _, item := range n.items {
		walkNodes(item, visit)
	}
}

func scalarAt(n node, start int) (found *Scalar) {
	walkNodes(n, func(s *Scalar) {
		if s.Span.Start == start && (found == nil || found.Span.Len() < s.Span.Len()) {
			found = s
		}
	})
	return found
}

// checkMapping holds the map between value and source: every character of the
// value maps into the token, in order, and to the same text unless the place is an
// escape, a quote, or a line break.
func checkMapping(t *testing.T, f *File, s *Scalar) {
	t.Helper()
	if !s.Span.Contains(s.SpanOf(0, len(s.Value))) {
		t.Errorf("%q maps to %v outside %v", s.Value, s.SpanOf(0, len(s.Value)), s.Span)
	}
	last := s.Span.Start
	for i, c := range s.Value {
		at := s.SpanOf(i, i+utf8.RuneLen(c))
		if at.Start < last || !s.Span.Contains(at) {
			t.Errorf("%q[%d] maps to %v, after %d in %v", s.Value, i, at, last, s.Span)
		}
		last = at.Start
		got := f.Text(at)
		switch {
		case got == string(c):
		case strings.ContainsRune("\n \u2028\u2029", c): // a break, perhaps folded, perhaps behind the token
			if strings.Trim(got, " \t\r\n\u0085\u2028\u2029") != "" && !strings.HasPrefix(got, `\`) {
				t.Errorf("the %q of %q at %d is %q in the source", c, s.Value, i, got)
			}
		case strings.HasPrefix(got, `\`), got == "''":
		default:
			t.Errorf("the %q of %q at %d is %q in the source", c, s.Value, i, got)
		}
	}
	for i := 0; i <= len(s.Value); i += 1 + len(s.Value)/7 {
		a, b, whole := s.SpanOf(0, i), s.SpanOf(i, len(s.Value)), s.SpanOf(0, len(s.Value))
		if i > 0 && a.Start != whole.Start || i < len(s.Value) && b.End != whole.End || a.Start > b.End {
			t.Errorf("%q: %v and %v do not make up %v", s.Value, a, b, whole)
		}
	}
}

// TestTokensAreExact replaces each token of our files by the same value in double
// quotes. If a span were a byte off, the file would say something else.
func TestTokensAreExact(t *testing.T) {
	for _, file := range parseData(t) {
		t.Run(file.name, func(t *testing.T) { checkTokens(t, string(file.source)) })
	}
}

func checkTokens(t *testing.T, source string) {
	t.Helper()
	f, r, root := readText(source)
	if len(r.undecoded) > 0 {
		t.Fatalf("read differently from the library: %q", f.Text(r.undecoded[0]))
	}
	var want []string
	var tokens []*Scalar
	walkNodes(root, func(s *Scalar) {
		want = append(want, s.Value)
		tokens = append(tokens, s)
		checkMapping(t, f, s)
	})
	for _, s := range tokens {
		if s.Style == Plain && (s.Value == "" || s.Value == "~" || s.Value == "null") {
			continue // quoted these are texts and no longer nothing
		}
		changed := source[:s.Span.Start] + quoteYAML(s.Value) + source[s.Span.End:]
		g, _, again := readText(changed)
		var got []string
		walkNodes(again, func(s *Scalar) { got = append(got, s.Value) })
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("with %q quoted: %v\n%v\n%v", f.Text(s.Span), g.Problems, got, want)
		}
	}
}

// quoteYAML writes a text in double quotes on one line.
func quoteYAML(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c < ' ' || c >= 0x7F && c < 0xA0:
			fmt.Fprintf(&b, `\x%02x`, c)
		case c == 0x2028 || c == 0x2029 || c == 0xFEFF:
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// TestRandomScalars writes random texts in random styles and reads them back.
func TestRandomScalars(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 11))
	styles := map[Style]int{}
	for range 3000 {
		source := randomDocument(random)
		f, r, root := readText(source)
		if len(f.Problems) > 0 {
			continue // the generator does not always write YAML
		}
		if len(r.undecoded) > 0 {
			t.Fatalf("%q: read differently from the library: %q", source, f.Text(r.undecoded[0]))
		}
		walkNodes(root, func(s *Scalar) {
			styles[s.Style]++
			checkMapping(t, f, s)
		})
		if t.Failed() {
			t.Fatalf("in %q", source)
		}
	}
	for style := Plain; style <= Folded; style++ {
		if styles[style] < 500 {
			t.Errorf("only %d scalars of style %d were tried", styles[style], style)
		}
	}
}

// randomDocument writes a mapping of a few keys to random scalars.
func randomDocument(random *rand.Rand) string {
	var b strings.Builder
	eol := []string{"\n", "\n", "\r\n", "\r"}[random.IntN(4)]
	for i := range 1 + random.IntN(4) {
		fmt.Fprintf(&b, "k%d: ", i)
		words := make([]string, random.IntN(6))
		for j := range words {
			words[j] = randomWord(random)
		}
		gap := func() string {
			if random.IntN(3) > 0 {
				return " "
			}
			return strings.Repeat(eol, 1+random.IntN(3)) + "  "
		}
		var text strings.Builder
		for j, w := range words {
			if j > 0 {
				text.WriteString(gap())
			}
			text.WriteString(w)
		}
		switch style := random.IntN(5); style {
		case 0:
			b.WriteString(text.String())
		case 1:
			b.WriteString("'" + strings.ReplaceAll(text.String(), "'", "''") + "'")
		case 2:
			b.WriteString(`"` + strings.ReplaceAll(strings.ReplaceAll(text.String(), `\`, `\\`), `"`, `\"`) + `"`)
		default:
			b.WriteString([]string{"|", ">"}[style-3] + []string{"", "-", "+", "1", "2-"}[random.IntN(5)])
			b.WriteString([]string{"", " # note"}[random.IntN(2)] + eol + "  " + text.String())
			b.WriteString(strings.Repeat(eol, random.IntN(3)))
		}
		b.WriteString(eol)
	}
	return b.String()
}

func randomWord(random *rand.Rand) string {
	const letters = "ab:#'\"\\-{}[],&*!|>%@`?~0 \té日😀\u0085\u2028\u00a0$"
	runes := []rune(letters)
	word := make([]rune, 1+random.IntN(5))
	for i := range word {
		word[i] = runes[random.IntN(len(runes))]
		if random.IntN(3) > 0 {
			word[i] = 'x'
		}
	}
	return string(word)
}

// TestSpanOfBounds asks for places outside the value.
func TestSpanOfBounds(t *testing.T) {
	_, _, root := readText("a: \"b\\tc\"\n")
	s := root.fields[0].val.scalar
	for _, test := range []struct {
		start, end int
		want       Span
	}{
		{-5, 99, Span{4, 8}}, {3, 1, Span{8, 8}}, {1, 2, Span{5, 7}}, {1, 1, Span{5, 5}}, {2, 2, Span{7, 7}},
	} {
		if got := s.SpanOf(test.start, test.end); got != test.want {
			t.Errorf("SpanOf(%d, %d) = %v, want %v", test.start, test.end, got, test.want)
		}
	}
	if !utf8.ValidString(s.Value) {
		t.Error("value is not UTF-8")
	}
}
