package workflows

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// What stands between the tokens that carry values: white space, indicators,
// anchors, tags, directives and comments.

// skipTo moves to an offset and notes the comments on the way.
func (r *reader) skipTo(to int) {
	for i := r.end; i < to; {
		i = r.skip(i)
	}
	r.end = max(r.end, to)
}

// skip returns the end of the piece of a gap that begins at i.
func (r *reader) skip(i int) int {
	switch r.src[i] {
	case '#':
		return r.comment(i)
	case '&': // a '#' inside an anchor's or tag's name begins no comment
		return i + 1 + anchorLen(r.src[i+1:])
	case '!':
		return i + tagLen(r.src[i:])
	}
	return i + 1
}

// comment notes the comment at i and returns its end.
func (r *reader) comment(i int) int {
	end := i
	for end < len(r.src) && breakLen(r.src, end) == 0 {
		end++
	}
	if n := len(r.file.Comments); n > 0 && r.file.Comments[n-1].Span.End > i {
		return end // a part of one that was noted: the library can place a token inside a comment behind a lone CR
	}
	before := i
	for before > 0 && isBlank(r.src[before-1]) {
		before--
	}
	body := strings.TrimSpace(string(r.file.Source[i+1 : end]))
	ownLine := before == 0 || r.src[before-1] == '\n' || r.src[before-1] == '\r' ||
		before == len(byteOrderMark) && string(r.src[:before]) == byteOrderMark
	r.file.Comments = append(r.file.Comments, Comment{Text: body, Span: Span{i, end}, OwnLine: ownLine})
	return end
}

// headerComment notes the comment in the header of a block scalar.
func (r *reader) headerComment(s Span) {
	for i := s.Start; i < s.End && breakLen(r.src, i) == 0; i++ {
		if r.src[i] == '#' {
			r.comment(i)
			return
		}
	}
}

// skipProperties returns where the content of a value begins that starts, with its
// anchor and tag, at start; bare is the end of these when nothing follows them.
func (r *reader) skipProperties(start int) (content, bare int) {
	i := start
	for bare = start; i < len(r.src); {
		switch r.src[i] {
		case '&':
			i += 1 + anchorLen(r.src[i+1:])
			bare = i
		case '!':
			i += tagLen(r.src[i:])
			bare = i
		case ' ', '\t':
			i++
		case '#':
			if i == start {
				return i, bare
			}
			for i < len(r.src) && breakLen(r.src, i) == 0 {
				i++
			}
		default:
			n := breakLen(r.src, i)
			if n == 0 || bare == start {
				return i, bare
			}
			i += n
		}
	}
	return i, bare
}

// closeFlow moves behind the closing bracket of a flow collection.
func (r *reader) closeFlow(bracket byte) {
	for i := r.end; i < len(r.src); {
		if r.src[i] == bracket {
			r.end = i + 1
			return
		}
		i = r.skip(i)
	}
	r.end = len(r.src)
}

// closeDocument reads to the end of the file, noting comments, and reports a
// second document.
func (r *reader) closeDocument() {
	rest, marked := r.documentEnd()
	r.skipTo(rest)
	if !marked {
		return
	}
	for _, line := range bytes.FieldsFunc(r.src[rest:], isLineEnd) {
		for _, marker := range []string{"---", "..."} {
			line = bytes.TrimPrefix(line, []byte(marker))
		}
		if line = bytes.TrimSpace(line); len(line) == 0 || line[0] == '#' {
			continue
		}
		span := trimmed(r.file.Source, Span{rest, len(r.src)})
		r.file.problem(span, fmt.Sprintf("a second YAML document begins in line %d and is not read; GitHub refuses this file",
			r.file.Position(rest).Line))
		return
	}
	r.skipTo(len(r.src))
}

func isLineEnd(c rune) bool { return c == '\n' || c == '\r' }

// documentEnd returns the offset of the first document marker after the last
// token, or the end of the file.
func (r *reader) documentEnd() (end int, marked bool) {
	first, _ := slices.BinarySearch(r.lines, r.end)
	for _, i := range r.lines[first:] {
		if rest := r.src[i:]; (bytes.HasPrefix(rest, []byte("---")) || bytes.HasPrefix(rest, []byte("..."))) &&
			(len(rest) == 3 || isBlank(rest[3]) || breakLen(rest, 3) > 0) {
			return i, true
		}
	}
	return len(r.src), false
}

// anchorLen returns the length of the anchor name at the start of b.
func anchorLen(b []byte) int {
	for i, c := range b {
		if c <= ' ' || c > '~' || strings.IndexByte("[]{},:", c) >= 0 {
			return i
		}
	}
	return len(b)
}

// tagLen returns the length of the tag at the start of b.
func tagLen(b []byte) int {
	for i, c := range b {
		if c <= ' ' || c == '#' || breakLen(b, i) > 0 {
			return i
		}
	}
	return len(b)
}

// clip shortens a name of the file for a message.
func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
