package report

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stint-dev/stint/workflows"
)

// maxText is the longest text that is shown of one field, in characters.
const maxText = 600

// shown makes a text fit to be shown: on one line, without controls, of bounded length.
func shown(s string) string { return clip(s, maxText) }

// clip shortens text to n characters, the last an ellipsis.
func clip(s string, n int) string {
	if len(s) > n*utf8.UTFMax { // never walk through megabytes
		s = strings.ToValidUTF8(s[:n*utf8.UTFMax], "")
	}
	s = workflows.Printable(s)
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// commits are those of full length: for a person ten digits tell them apart.
var commits = regexp.MustCompile(`\b([0-9a-f]{10})[0-9a-f]{30}\b`)

func shortCommits(s string) string { return commits.ReplaceAllString(s, "$1…") }

// shortPath leaves out where all workflows are.
func shortPath(path string) string {
	if name, ok := strings.CutPrefix(path, ".github/workflows/"); ok {
		return "…/" + name
	}
	return path
}

// count writes a number with its noun: "1 job", "12,000 jobs".
func count(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "y"):
		return thousands(n) + " " + strings.TrimSuffix(noun, "y") + "ies"
	}
	return thousands(n) + " " + noun + "s"
}

// thousands writes a number in groups of three digits.
func thousands(n int) string {
	s := strconv.Itoa(n)
	digits := strings.TrimPrefix(s, "-")
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return s[:len(s)-len(strings.TrimPrefix(s, "-"))] + digits
}

// numberText is a number that may not be known.
func numberText(n int) string {
	if n < 0 {
		return "?"
	}
	return thousands(n)
}

// day is the number of a day since 1970, 0 for a time that is not known.
func day(t time.Time) int {
	if t.IsZero() || t.Unix() <= 0 {
		return 0
	}
	return int(t.Unix() / (24 * 60 * 60))
}

func dayText(t time.Time) string {
	if day(t) == 0 {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}
