package workflows

import (
	"bytes"
	"fmt"
	"sort"
	"unicode/utf8"
)

// byteOrderMark is U+FEFF in UTF-8.
const byteOrderMark = "\ufeff"

// markStandIn is what the YAML library reads in place of byte order marks after
// the start: a word joiner, as long and as invisible.
const markStandIn = "\u2060"

// Position returns the place of a byte offset. Lines end as people and editors
// count them: at \n, \r\n or a lone \r. An offset outside the file is moved to
// its nearer end.
func (f *File) Position(offset int) Position {
	offset = max(0, min(offset, len(f.Source)))
	if len(f.lines) == 0 {
		return Position{Line: 1, Column: 1, Offset: offset}
	}
	line := f.lineOf(offset)
	column := f.runesBefore(offset) - f.runesBefore(f.lines[line-1]) + 1
	if line == 1 && offset > 0 && bytes.HasPrefix(f.Source, []byte(byteOrderMark)) {
		column--
	}
	return Position{Line: line, Column: column, Offset: offset}
}

// lineOf returns the line, from 1, of an offset.
func (f *File) lineOf(offset int) int { return sort.SearchInts(f.lines, offset+1) }

// runeStep is the distance in bytes between the places up to which characters are
// counted in advance, so that a column costs little in a line of any length.
const runeStep = 1 << 10

// countRunes returns how many characters begin before each multiple of runeStep.
func countRunes(src []byte) []int32 {
	counts := make([]int32, 0, len(src)/runeStep+1)
	total := int32(0)
	for i, c := range src {
		if i%runeStep == 0 {
			counts = append(counts, total)
		}
		if utf8.RuneStart(c) {
			total++
		}
	}
	return counts
}

// runesBefore returns how many characters begin before an offset.
func (f *File) runesBefore(offset int) int {
	if f.runes == nil || offset == 0 {
		return offset
	}
	step := (offset - 1) / runeStep
	count := int(f.runes[step])
	for _, c := range f.Source[step*runeStep : offset] {
		if utf8.RuneStart(c) {
			count++
		}
	}
	return count
}

// LineText returns the text of line n (from 1) without its line break and without
// a byte order mark at the start of the file. It returns "" for a line that the
// file does not have.
func (f *File) LineText(n int) string {
	if n < 1 || n > len(f.lines) {
		return ""
	}
	end := len(f.Source)
	if n < len(f.lines) {
		end = f.lines[n]
	}
	line := bytes.TrimRight(f.Source[f.lines[n-1]:end], "\r\n")
	if n == 1 {
		line = bytes.TrimPrefix(line, []byte(byteOrderMark))
	}
	return string(line)
}

// Text returns the source of a span; what lies outside the file is left out.
func (f *File) Text(s Span) string {
	start := max(0, min(s.Start, len(f.Source)))
	end := max(start, min(s.End, len(f.Source)))
	return string(f.Source[start:end])
}

// lineStarts returns the offset of the start of each line, the first included.
func lineStarts(src []byte) []int {
	starts := make([]int, 1, bytes.Count(src, []byte{'\n'})+2)
	for i := 0; i < len(src); i++ {
		switch src[i] {
		case '\n':
			starts = append(starts, i+1)
		case '\r':
			if i+1 == len(src) || src[i+1] != '\n' {
				starts = append(starts, i+1)
			}
		}
	}
	return starts
}

// yamlLineStarts is lineStarts as the YAML scanner counts: it also breaks lines at
// U+0085, U+2028 and U+2029, wherever they stand.
func yamlLineStarts(src []byte) []int {
	starts := make([]int, 1, bytes.Count(src, []byte{'\n'})+2)
	for i := 0; i < len(src); {
		n := breakLen(src, i)
		if n > 0 {
			starts = append(starts, i+n)
		}
		i += max(n, 1)
	}
	return starts
}

// breakLen returns the length of the YAML line break at src[i:], 0 if there is none.
func breakLen(src []byte, i int) int {
	if i >= len(src) {
		return 0
	}
	switch c := src[i]; {
	case c == '\n':
		return 1
	case c == '\r':
		if i+1 < len(src) && src[i+1] == '\n' {
			return 2
		}
		return 1
	case c == 0xC2 && i+1 < len(src) && src[i+1] == 0x85: // U+0085
		return 2
	case c == 0xE2 && i+2 < len(src) && src[i+1] == 0x80 && src[i+2]|1 == 0xA9: // U+2028, U+2029
		return 3
	}
	return 0
}

// isBlank reports whether c is a space or a tab.
func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// A textCheck is what one look at a file's bytes found.
type textCheck struct {
	// wide is set when there are characters of more than one byte.
	wide bool
	// oddBreaks is set when U+0085, U+2028 or U+2029 occur, at which YAML breaks
	// lines and people do not.
	oddBreaks bool
	// strayMark is set when U+FEFF occurs after the start.
	strayMark bool
	// bad is the offset of the first character that YAML does not allow, or -1,
	// and why says which.
	bad int
	why string
}

// checkText looks for what YAML refuses outright.
func checkText(src []byte) textCheck {
	c := textCheck{bad: -1}
	for i := 0; i < len(src); {
		b := src[i]
		if b >= ' ' && b < 0x7F || b == '\n' || b == '\r' || b == '\t' {
			i++
			continue
		}
		r, n := utf8.DecodeRune(src[i:])
		c.wide = c.wide || b >= utf8.RuneSelf
		switch {
		case r == utf8.RuneError && n == 1:
			c.bad, c.why = i, fmt.Sprintf("byte 0x%02X is not valid UTF-8", b)
			return c
		case r < ' ' || r >= 0x7F && r < 0xA0 && r != 0x85 || r == 0xFFFE || r == 0xFFFF:
			c.bad, c.why = i, fmt.Sprintf("control character U+%04X is not allowed", r)
			return c
		case r == 0x85 || r == 0x2028 || r == 0x2029:
			c.oddBreaks = true
		case r == 0xFEFF && i > 0:
			c.strayMark = true
		}
		i += n
	}
	return c
}
