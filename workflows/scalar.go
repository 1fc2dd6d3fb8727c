package workflows

import (
	"bytes"
	"sort"
	"strings"
)

// A segment maps a run of a scalar's value onto a run of the source. The run of
// the value ends where the next segment's begins. Where both runs are equally
// long their bytes correspond one to one; otherwise (an escape, a folded line
// break, \r\n) they correspond as a whole.
type segment struct{ value, source, length int32 }

// SpanOf returns the source bytes that made Value[start:end]. Where a run of the
// value has no bytes of its own (a folded line break), the nearest bytes of the
// same scalar are returned. The result lies in s.Span; arguments outside Value
// are moved to its nearer end.
func (s *Scalar) SpanOf(start, end int) Span {
	start = max(0, min(start, len(s.Value)))
	end = max(start, min(end, len(s.Value)))
	from := s.sourceOf(start)
	to := from
	if end > start {
		to = s.sourceEndOf(end)
	}
	from = max(s.Span.Start, min(from, s.Span.End))
	return Span{from, max(from, min(to, s.Span.End))}
}

// sourceOf returns where the value's byte at the given offset begins in the source.
func (s *Scalar) sourceOf(at int) int {
	if len(s.segs) == 0 {
		return s.plainStart() + at
	}
	i := max(0, s.segmentAt(at))
	seg := s.segs[i]
	if delta := at - int(seg.value); s.valueLen(i) == int(seg.length) {
		return int(seg.source) + delta
	} else if delta > 0 && at >= s.valueEnd(i) {
		return int(seg.source + seg.length)
	}
	return int(seg.source)
}

// sourceEndOf returns where the value's byte before the given offset ends in the source.
func (s *Scalar) sourceEndOf(at int) int {
	if len(s.segs) == 0 {
		return s.plainStart() + at
	}
	i := max(0, s.segmentAt(at-1))
	seg := s.segs[i]
	if s.valueLen(i) == int(seg.length) {
		return int(seg.source) + at - int(seg.value)
	}
	return int(seg.source + seg.length)
}

// plainStart is where the text of a scalar without segments begins.
func (s *Scalar) plainStart() int {
	if s.Style == Plain {
		return s.Span.Start
	}
	return s.Span.Start + 1
}

// segmentAt returns the index of the segment that holds the value's byte at.
func (s *Scalar) segmentAt(at int) int {
	return sort.Search(len(s.segs), func(i int) bool { return int(s.segs[i].value) > at }) - 1
}

func (s *Scalar) valueEnd(i int) int {
	if i+1 < len(s.segs) {
		return int(s.segs[i+1].value)
	}
	return len(s.Value)
}

func (s *Scalar) valueLen(i int) int { return s.valueEnd(i) - int(s.segs[i].value) }

// A decoder reads one scalar token from the source and records where each run of
// its value came from.
type decoder struct {
	src  []byte
	pos  int // next byte to read
	out  []byte
	segs []segment
}

// copy appends src[from:to] unchanged.
func (d *decoder) copy(from, to int) {
	if from == to {
		return
	}
	if n := len(d.segs); n > 0 {
		// One segment for neighbours: most lines of a script are a run each.
		last := &d.segs[n-1]
		if int(last.source+last.length) == from && len(d.out)-int(last.value) == int(last.length) {
			last.length += int32(to - from)
			d.out = append(d.out, d.src[from:to]...)
			return
		}
	}
	d.segs = append(d.segs, segment{int32(len(d.out)), int32(from), int32(to - from)})
	d.out = append(d.out, d.src[from:to]...)
}

// replace appends text, which src[from:to] stands for.
func (d *decoder) replace(text string, from, to int) {
	if text == "" {
		return
	}
	if text == string(d.src[from:to]) {
		d.copy(from, to)
		return
	}
	d.segs = append(d.segs, segment{int32(len(d.out)), int32(from), int32(to - from)})
	d.out = append(d.out, text...)
}

// lineBreak appends the line break src[from:to] as YAML normalizes it.
func (d *decoder) lineBreak(from, to int) { d.replace(normalBreak(d.src[from:to]), from, to) }

// normalBreak returns what a line break is in a value: "\n", except that U+2028 and
// U+2029 are kept.
func normalBreak(b []byte) string {
	if len(b) == 3 {
		return string(b)
	}
	return "\n"
}

// foldBreaks reads the white space at d.pos, which holds at least one line break,
// and appends what YAML folds it to. The first break becomes nothing when others
// follow and a space when none does.
func (d *decoder) foldBreaks() {
	start := d.pos
	first := true
	var kept, firstText string
	for d.pos < len(d.src) {
		if isBlank(d.src[d.pos]) {
			d.pos++
			continue
		}
		n := breakLen(d.src, d.pos)
		if n == 0 {
			break
		}
		text := normalBreak(d.src[d.pos : d.pos+n])
		if first {
			firstText, first = text, false
		} else {
			kept += text
		}
		d.pos += n
	}
	switch {
	case firstText != "\n":
		kept = firstText + kept
	case kept == "":
		kept = " "
	}
	d.replace(kept, start, d.pos)
}

// blankRun returns the end of the run of spaces and tabs at i.
func blankRun(src []byte, i int) int {
	for i < len(src) && isBlank(src[i]) {
		i++
	}
	return i
}

// plain reads a plain scalar whose value is known: the value says where the token
// ends, which else depends on all that surrounds it.
func (d *decoder) plain(value string) {
	for d.pos < len(d.src) && len(d.out) < len(value) {
		if end := blankRun(d.src, d.pos); end > d.pos || breakLen(d.src, d.pos) > 0 {
			if breakLen(d.src, end) > 0 {
				d.foldBreaks()
			} else {
				d.copy(d.pos, end)
				d.pos = end
			}
			continue
		}
		start := d.pos
		for d.pos < len(d.src) && !isBlank(d.src[d.pos]) && breakLen(d.src, d.pos) == 0 &&
			d.pos-start < len(value)-len(d.out) {
			d.pos++
		}
		d.copy(start, d.pos)
	}
}

// single reads a single-quoted scalar from its opening quote.
func (d *decoder) single() {
	d.pos++
	start := d.pos
	for d.pos < len(d.src) {
		switch c := d.src[d.pos]; {
		case c == '\'' && d.pos+1 < len(d.src) && d.src[d.pos+1] == '\'':
			d.copy(start, d.pos)
			d.replace("'", d.pos, d.pos+2)
			d.pos += 2
			start = d.pos
		case c == '\'':
			d.copy(start, d.pos)
			d.pos++
			return
		case isBlank(c) || breakLen(d.src, d.pos) > 0:
			start = d.space(start)
		default:
			d.pos++
		}
	}
	d.copy(start, d.pos)
}

// space reads white space inside quotes, of which start is the beginning of the
// run not yet appended; it returns the beginning of the next such run.
func (d *decoder) space(start int) int {
	end := blankRun(d.src, d.pos)
	if breakLen(d.src, end) == 0 {
		d.pos = end
		return start
	}
	d.copy(start, d.pos)
	d.foldBreaks()
	return d.pos
}

// double reads a double-quoted scalar from its opening quote.
func (d *decoder) double() {
	d.pos++
	start := d.pos
	for d.pos < len(d.src) {
		switch c := d.src[d.pos]; {
		case c == '\\':
			d.copy(start, d.pos)
			d.escape()
			start = d.pos
		case c == '"':
			d.copy(start, d.pos)
			d.pos++
			return
		case isBlank(c) || breakLen(d.src, d.pos) > 0:
			start = d.space(start)
		default:
			d.pos++
		}
	}
	d.copy(start, d.pos)
}

// escapes are YAML's one-letter escapes; their values are of one character.
var escapes = map[byte]string{
	'0': "\x00", 'a': "\a", 'b': "\b", 't': "\t", '\t': "\t", 'n': "\n", 'v': "\v",
	'f': "\f", 'r': "\r", 'e': "\x1b", ' ': " ", '"': `"`, '\'': "'", '/': "/", '\\': `\`,
	'N': "\u0085", '_': "\u00a0", 'L': "\u2028", 'P': "\u2029",
}

// escape reads one backslash escape.
func (d *decoder) escape() {
	from := d.pos
	d.pos = min(d.pos+2, len(d.src))
	c := d.src[d.pos-1]
	if n := breakLen(d.src, from+1); n > 0 {
		d.escapedBreak(from, n)
		return
	}
	digits := 0
	switch c {
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	default:
		d.replace(escapes[c], from, d.pos)
		return
	}
	var r rune
	for ; digits > 0 && d.pos < len(d.src); digits-- {
		r = r<<4 | hexDigit(d.src[d.pos])
		d.pos++
	}
	d.replace(string(r), from, d.pos)
}

// escapedBreak reads a line break after a backslash at from: it and the
// indentation that follows are nothing, empty lines after it are kept.
func (d *decoder) escapedBreak(from, n int) {
	d.pos = from + 1 + n
	for d.pos < len(d.src) {
		if isBlank(d.src[d.pos]) {
			d.pos++
			continue
		}
		n := breakLen(d.src, d.pos)
		if n == 0 {
			return
		}
		d.lineBreak(d.pos, d.pos+n)
		d.pos += n
	}
}

// hexDigit returns the value of a hexadecimal digit.
func hexDigit(c byte) rune {
	switch {
	case c >= 'a':
		return rune(c - 'a' + 10)
	case c >= 'A':
		return rune(c - 'A' + 10)
	}
	return rune(c - '0')
}

// simpleEnd returns the end of a token that is written exactly as its value, and
// whether it is one: then no decoding and no segments are needed.
func simpleEnd(src []byte, start int, style Style, value string) (int, bool) {
	open := 0
	if style != Plain {
		open = 1
	}
	end := start + open + len(value)
	if end > len(src) || string(src[start+open:end]) != value {
		return 0, false
	}
	switch style {
	case Plain:
		return end, true
	case SingleQuoted:
		closed := end < len(src) && src[end] == '\'' && (end+1 == len(src) || src[end+1] != '\'')
		return end + 1, closed && strings.IndexByte(value, '\'') < 0
	case DoubleQuoted:
		return end + 1, end < len(src) && src[end] == '"' && strings.IndexByte(value, '\\') < 0
	}
	return 0, false
}

// readScalar reads the scalar token at start, whose decoded value the YAML library
// has given. indent is the column of the innermost block collection around it, -1
// at the top. ok is false when our reading and the library's differ; the scalar
// then maps as a whole onto its first line.
func (d *decoder) readScalar(src []byte, start, indent int, style Style, value string, s *Scalar) (ok bool) {
	s.Value, s.Style, s.Span = value, style, Span{start, start}
	if end, simple := simpleEnd(src, start, style, value); simple {
		s.Span.End = end
		return true
	}
	*d = decoder{src: src, pos: start, out: d.out[:0], segs: d.segs[:0]}
	switch style {
	case Plain:
		d.plain(value)
	case SingleQuoted:
		d.single()
	case DoubleQuoted:
		d.double()
	case Literal, Folded:
		d.block(indent, style == Literal)
	}
	s.Span.End = d.pos
	if string(d.out) == value {
		s.segs = append([]segment(nil), d.segs...)
		return true
	}
	if end := bytes.IndexAny(src[start:], "\r\n"); end >= 0 {
		s.Span.End = start + end
	} else {
		s.Span.End = len(src)
	}
	s.segs = []segment{{0, int32(start), int32(s.Span.End - start)}}
	return false
}
