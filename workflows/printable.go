package workflows

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable returns s on one line and without anything that could steer a
// terminal or reorder text: control characters, invalid UTF-8 and Unicode's
// bidirectional and invisible formatting become U+FFFD, line breaks and tabs a
// space. Every renderer passes through it what comes from a file or an API.
func Printable(s string) string {
	if isPlain(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t', r == '\r':
			return ' '
		case r == utf8.RuneError, unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == '\u2028', r == '\u2029':
			return utf8.RuneError
		}
		return r
	}, s)
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}
