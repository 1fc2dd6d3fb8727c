package workflows

// A blockHeader is the first line of a block scalar.
type blockHeader struct {
	chomp  byte // '-', '+' or 0
	indent int  // indentation indicator, 0 for none
}

// block reads a literal or folded block scalar from its indicator. d.pos ends
// after the last line that counts, before that line's break.
func (d *decoder) block(parent int, literal bool) {
	header := d.blockHeader()
	end := d.pos
	if n := breakLen(d.src, d.pos); n > 0 {
		d.pos += n
	}
	indent := 0
	if header.indent > 0 {
		indent = max(parent, 0) + header.indent
	}
	b := blockReader{decoder: d, parent: parent, indent: indent, literal: literal}
	b.emptyLines()
	for b.atLine() {
		end = b.line()
	}
	if header.chomp != '-' && b.last.Len() > 0 {
		d.lineBreak(b.last.Start, b.last.End)
	}
	if header.chomp == '+' {
		for _, br := range b.empty {
			d.lineBreak(br.Start, br.End)
			end = br.Start
		}
	}
	d.pos = end
}

// blockHeader reads the indicators, white space and comment up to the line's end.
func (d *decoder) blockHeader() blockHeader {
	var h blockHeader
	for d.pos++; d.pos < len(d.src); d.pos++ {
		switch c := d.src[d.pos]; {
		case c == '+' || c == '-':
			h.chomp = c
		case c >= '1' && c <= '9':
			h.indent = int(c - '0')
		default:
			for d.pos < len(d.src) && breakLen(d.src, d.pos) == 0 {
				d.pos++
			}
			return h
		}
	}
	return h
}

// A blockReader reads the lines of a block scalar.
type blockReader struct {
	*decoder
	parent  int // column of the enclosing collection
	indent  int // column of the content, 0 while not known
	literal bool

	column int    // column at pos after emptyLines
	last   Span   // break of the last line read
	empty  []Span // breaks of the empty lines since
	blank  bool   // the last line began with white space
}

// emptyLines reads indentation and the breaks of empty lines; at the first call it
// settles the indentation, as the YAML library does: by the longest of the empty
// lines and the first line with text.
func (b *blockReader) emptyLines() {
	longest := 0
	for {
		b.column = 0
		for b.pos < len(b.src) && b.src[b.pos] == ' ' && (b.indent == 0 || b.column < b.indent) {
			b.pos++
			b.column++
		}
		longest = max(longest, b.column)
		n := breakLen(b.src, b.pos)
		if n == 0 {
			break
		}
		b.empty = append(b.empty, Span{b.pos, b.pos + n})
		b.pos += n
	}
	if b.indent == 0 {
		b.indent = max(longest, b.parent+1, 1)
	}
}

// atLine reports whether a line of the scalar is at hand.
func (b *blockReader) atLine() bool { return b.column == b.indent && b.pos < len(b.src) }

// line reads one line of content with the breaks before it and the empty lines
// after it; it returns the line's end.
func (b *blockReader) line() int {
	blank := isBlank(b.src[b.pos])
	switch {
	case b.literal || b.blank || blank || b.last.Len() == 0 || b.last.Len() == 3:
		if b.last.Len() > 0 {
			b.lineBreak(b.last.Start, b.last.End)
		}
	case len(b.empty) == 0:
		b.replace(" ", b.last.Start, b.pos)
	}
	for _, br := range b.empty {
		b.lineBreak(br.Start, br.End)
	}
	b.empty, b.blank = b.empty[:0], blank

	start := b.pos
	for b.pos < len(b.src) && breakLen(b.src, b.pos) == 0 {
		b.pos++
	}
	b.copy(start, b.pos)
	end := b.pos
	b.last = Span{end, end + breakLen(b.src, end)}
	b.pos = b.last.End
	b.emptyLines()
	return end
}
