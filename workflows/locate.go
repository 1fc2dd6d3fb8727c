package workflows

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
)

// The functions below build edits that fixes share. All keep the file's line
// endings, indentation and style, and return ok = false for a shape that they
// cannot edit without risk: then there is no fix.

// lineBreak returns the line break of the file: that of its first line.
func (f *File) lineBreak() string {
	if i := bytes.IndexByte(f.Source, '\n'); i > 0 && f.Source[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// lineStart returns the offset at which the line of an offset starts.
func (f *File) lineStart(offset int) int {
	return bytes.LastIndexByte(f.Source[:offset], '\n') + 1
}

// lineEnd returns the offset of the line break that ends the line of an offset,
// or the length of the file.
func (f *File) lineEnd(offset int) int {
	i := bytes.IndexByte(f.Source[offset:], '\n')
	switch {
	case i < 0:
		return len(f.Source)
	case i > 0 && f.Source[offset+i-1] == '\r':
		return offset + i - 1
	}
	return offset + i
}

// endsLine reports whether nothing but white space and a comment follows an
// offset in its line.
func (f *File) endsLine(offset int) bool {
	rest := strings.TrimLeft(string(f.Source[offset:f.lineEnd(offset)]), " \t")
	return rest == "" || rest[0] == '#'
}

// indentOf returns the white space that puts a key under the block mapping key
// that starts at an offset; ok is false when that key is not in block style.
func (f *File) indentOf(key int) (indent string, ok bool) {
	prefix := string(f.Source[f.lineStart(key):key])
	if f.lineStart(key) == 0 {
		prefix = strings.TrimPrefix(prefix, byteOrderMark)
	}
	indent = strings.ReplaceAll(prefix, "-", " ")
	return indent, strings.Trim(indent, " ") == ""
}

// indentUnit returns the white space by which the file indents a level: that of
// its first job, or two spaces.
func (f *File) indentUnit() string {
	if f.Workflow != nil && len(f.Workflow.Jobs) > 0 {
		if indent, ok := f.indentOf(f.Workflow.Jobs[0].IDSpan.Start); ok && indent != "" {
			return indent
		}
	}
	return "  "
}

// isFlow reports whether the mapping or list at span is written in brackets.
func (f *File) isFlow(span Span) bool {
	return span.Start < span.End && (f.Source[span.Start] == '{' || f.Source[span.Start] == '[')
}

// afterColon returns the offset behind the colon that follows a key.
func (f *File) afterColon(key Span) (offset int, ok bool) {
	i := key.End
	for i < len(f.Source) && isBlank(f.Source[i]) {
		i++
	}
	if i >= len(f.Source) || f.Source[i] != ':' {
		return 0, false
	}
	return i + 1, true
}

// A yamlEntry is a key with text, or with entries of its own, to be written. No
// text and no entries are written as {}.
type yamlEntry struct {
	key, text string
	entries   []yamlEntry
}

// block writes e in block style, without indentation in front and without a line
// break behind.
func (f *File) block(e yamlEntry, indent string) string {
	switch {
	case e.text != "":
		return yamlText(e.key, false) + ": " + yamlText(e.text, false)
	case len(e.entries) == 0:
		return yamlText(e.key, false) + ": {}"
	}
	var b strings.Builder
	b.WriteString(yamlText(e.key, false) + ":")
	inner := indent + f.indentUnit()
	for _, child := range e.entries {
		b.WriteString(f.lineBreak() + inner + f.block(child, inner))
	}
	return b.String()
}

// flow writes e in flow style.
func (e yamlEntry) flow() string {
	if e.text != "" {
		return yamlText(e.key, true) + ": " + yamlText(e.text, true)
	}
	return yamlText(e.key, true) + ": " + flowMap(e.entries)
}

func flowMap(entries []yamlEntry) string {
	parts := make([]string, len(entries))
	for i, e := range entries {
		parts[i] = e.flow()
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// plainPattern is text that YAML takes as it stands, false and numbers among it,
// which GitHub turns into text again; flowPattern is the same inside brackets.
var (
	plainPattern = regexp.MustCompile(`^[A-Za-z0-9_$./][^\x00-\x1f\x7f]*$`)
	flowPattern  = regexp.MustCompile(`^[A-Za-z0-9_$./][^\x00-\x1f\x7f\[\]{},]*$`)
)

// yamlText writes s as a scalar, quoted only where that is needed.
func yamlText(s string, inFlow bool) string {
	pattern := plainPattern
	if inFlow {
		pattern = flowPattern
	}
	switch {
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return strconv.Quote(s)
	case !pattern.MatchString(s), s == "null",
		strings.Contains(s, ": "), strings.Contains(s, " #"),
		strings.HasSuffix(s, ":"), strings.HasSuffix(s, " "):
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return s
}

// insertLineAfter inserts e as a line behind the line on which a value of the
// same mapping ends.
func (f *File) insertLineAfter(end int, indent string, e yamlEntry) (Edit, bool) {
	if !f.endsLine(end) {
		return Edit{}, false
	}
	at := f.lineEnd(end)
	return Edit{Span{at, at}, f.lineBreak() + indent + f.block(e, indent)}, true
}

// insertLineBefore inserts e as a line before a key of the same block mapping.
func (f *File) insertLineBefore(key int, e yamlEntry) (Edit, bool) {
	indent, ok := f.indentOf(key)
	if !ok {
		return Edit{}, false
	}
	return Edit{Span{key, key}, f.block(e, indent) + f.lineBreak() + indent}, true
}

// addEntry adds e to a mapping that has entries or is {}.
func (f *File) addEntry(m Span, entries []Entry, e yamlEntry) (Edit, bool) {
	if f.isFlow(m) {
		return addFlowEntry(m, entries, e), true
	}
	if len(entries) == 0 {
		return Edit{}, false
	}
	first, last := entries[0], entries[len(entries)-1]
	if !m.Contains(first.Key.Span) || !m.Contains(last.Key.Span) {
		return Edit{}, false // merged in from elsewhere
	}
	indent, ok := f.indentOf(first.Key.Span.Start)
	if !ok {
		return Edit{}, false
	}
	return f.insertLineAfter(f.endOfEntry(m, last), indent, e)
}

func addFlowEntry(m Span, entries []Entry, e yamlEntry) Edit {
	at, text := m.Start+1, e.flow()
	if len(entries) > 0 {
		if last := entries[len(entries)-1]; last.inPlace(m) {
			end := last.Value.Span.End
			return Edit{Span{end, end}, ", " + text}
		}
		text += ", "
	}
	return Edit{Span{at, at}, text}
}

// inPlace reports whether the value of an entry stands behind its key in the
// mapping at m: that of an alias stands elsewhere, and where the alias ends is not
// known.
func (e Entry) inPlace(m Span) bool {
	return m.Contains(e.Value.Span) && e.Value.Span.Start >= e.Key.Span.End
}

// endOfEntry returns where an entry of a block mapping ends; an alias ends with
// its line.
func (f *File) endOfEntry(m Span, e Entry) int {
	if e.inPlace(m) {
		return e.Value.Span.End
	}
	return f.lineEnd(e.Key.Span.End)
}

// removeLines removes the whole lines of an entry of a block mapping.
func (f *File) removeLines(entry Span) (Edit, bool) {
	start := f.lineStart(entry.Start)
	if strings.Trim(string(f.Source[start:entry.Start]), " ") != "" || !f.endsLine(entry.End) {
		return Edit{}, false
	}
	end := f.lineEnd(entry.End)
	if end == len(f.Source) {
		// The last line of a file without a final line break.
		return Edit{Span{max(start-len(f.lineBreak()), 0), end}, ""}, true
	}
	return Edit{Span{start, end + len(f.lineBreak())}, ""}, true
}
