package lint

import (
	"fmt"
	"strings"
	"time"
)

// A marker is one "stint: ignore[…]" as written in a comment. Offsets are bytes
// of the comment's text, its '#' included.
type marker struct {
	start, end int // from "stint:" to the end of the last attribute
	ids        []string
	list       [2]int // what is between the brackets
	until      string
	reason     string
	// problem says why the marker means nothing, "" when it is well formed.
	problem string
}

const (
	markerWord = "stint:"
	dateLayout = "2006-01-02"
)

// parseMarkers returns the markers of a comment: "stint:" at the start of the
// comment or after another '#', so that markers and version comments of several
// tools share a line in any order. "stint: ignore[" elsewhere in a comment is
// reported as malformed rather than passed over, because whoever wrote it relies
// on it.
func parseMarkers(comment string) []marker {
	var ms []marker
	for i := 0; ; {
		at := strings.Index(comment[i:], markerWord)
		if at < 0 {
			return ms
		}
		start := i + at
		before := strings.TrimRight(comment[:start], " \t")
		leads := strings.HasSuffix(before, "#")
		meant := strings.HasPrefix(strings.TrimLeft(comment[start+len(markerWord):], " \t"), "ignore[")
		i = start + len(markerWord)
		if !leads && !meant {
			continue
		}
		s := &scanner{text: comment, at: i}
		m := s.marker()
		m.start = start
		if !leads && m.problem == "" {
			m.problem = "it must follow a '#'"
		}
		ms = append(ms, m)
		i = max(i, m.end)
	}
}

// A scanner reads one marker.
type scanner struct {
	text string
	at   int
}

func (s *scanner) blanks() {
	for s.at < len(s.text) && (s.text[s.at] == ' ' || s.text[s.at] == '\t') {
		s.at++
	}
}

// word reads lower-case letters.
func (s *scanner) word() string {
	from := s.at
	for s.at < len(s.text) && 'a' <= s.text[s.at] && s.text[s.at] <= 'z' {
		s.at++
	}
	return s.text[from:s.at]
}

// has steps over c and reports whether it was there.
func (s *scanner) has(c byte) bool {
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

// marker reads what follows "stint:". On a problem it skips to the next '#', so
// that the rest of the marker is not read as another.
func (s *scanner) marker() (m marker) {
	m.problem = s.body(&m)
	if m.problem != "" {
		if n := strings.IndexByte(s.text[s.at:], '#'); n >= 0 {
			s.at += n
		} else {
			s.at = len(s.text)
		}
	}
	m.end = len(strings.TrimRight(s.text[:s.at], " \t"))
	return m
}

func (s *scanner) body(m *marker) string {
	s.blanks()
	if verb := s.word(); verb != "ignore" {
		return "it must say ignore[rule-id]"
	}
	if !s.has('[') {
		return "it names no rule: write ignore[rule-id]"
	}
	length := strings.IndexByte(s.text[s.at:], ']')
	if length < 0 {
		return "its list of rules has no ']'"
	}
	m.list = [2]int{s.at, s.at + length}
	for id := range strings.SplitSeq(s.text[s.at:s.at+length], ",") {
		id = strings.TrimSpace(id)
		if id == "" {
			return "it names no rule: write ignore[rule-id]"
		}
		m.ids = append(m.ids, id)
	}
	s.at += length + 1
	for {
		s.blanks()
		if s.at == len(s.text) || s.text[s.at] == '#' {
			return ""
		}
		if problem := s.attribute(m); problem != "" {
			return problem
		}
	}
}

// attribute reads until=YYYY-MM-DD or reason="…".
func (s *scanner) attribute(m *marker) string {
	key := s.word()
	if key == "" || !s.has('=') {
		return `only until=YYYY-MM-DD and reason="…" may follow the rules`
	}
	switch key {
	case "until":
		if m.until != "" {
			return "it has two ends"
		}
		from := s.at
		for s.at < len(s.text) && !strings.ContainsRune(" \t#", rune(s.text[s.at])) {
			s.at++
		}
		m.until = s.text[from:s.at]
		return badDate(m.until)
	case "reason":
		if m.reason != "" {
			return "it has two reasons"
		}
		text, ok := s.quoted()
		if !ok || strings.TrimSpace(text) == "" {
			return `its reason must be text in double quotes`
		}
		m.reason = text
		return ""
	}
	return fmt.Sprintf("%q is not known: only until and reason are", key)
}

// quoted reads "…" in which \" and \\ stand for " and \.
func (s *scanner) quoted() (string, bool) {
	if !s.has('"') {
		return "", false
	}
	var b strings.Builder
	for s.at < len(s.text) {
		c := s.text[s.at]
		s.at++
		switch {
		case c == '"':
			return b.String(), true
		case c == '\\' && s.at < len(s.text) && (s.text[s.at] == '"' || s.text[s.at] == '\\'):
			b.WriteByte(s.text[s.at])
			s.at++
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

// badDate says what is wrong with a date, "" when nothing is.
func badDate(s string) string {
	if _, err := time.Parse(dateLayout, s); err != nil {
		return fmt.Sprintf("its end %q is no date: write YYYY-MM-DD", oneLine(s))
	}
	return ""
}
