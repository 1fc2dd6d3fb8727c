package flow

import "strings"

// maxPattern bounds the bytes of a destructuring pattern.
const maxPattern = 400

// An assignment is a name, or a pattern in braces or brackets, and the offset of its value.
type assignment struct {
	target string
	value  int
}

// assignments finds what looks like an assignment in JavaScript text, in order: a name
// or a pattern at the beginning of a statement, with or without its keyword, then "="
// or "+=". It looks back from each "=", which is far quicker than forward from each name.
func assignments(text string) []assignment {
	var out []assignment
	for at := 0; len(out) < maxStatements; at++ {
		next := strings.IndexByte(text[at:], '=')
		if next < 0 {
			break
		}
		at += next
		value := at + 1 + len(text[at+1:]) - len(strings.TrimLeft(text[at+1:], " \t"))
		if value == len(text) || strings.IndexByte("=>\r\n\f", text[value]) >= 0 {
			at = max(at, value-1) // not an assignment, or one whose value is on the next line
			continue
		}
		if target := assigned(text[:at]); target != "" {
			out = append(out, assignment{target, value})
		}
	}
	return out
}

// assigned returns the target of an assignment at the end of text, or "".
func assigned(text string) string {
	text = strings.TrimRight(strings.TrimSuffix(text, "+"), " \t\r\n\f")
	start := len(text)
	if strings.HasSuffix(text, "}") || strings.HasSuffix(text, "]") {
		start = strings.LastIndexAny(text[:len(text)-1], "{[")
		if start < 0 || len(text)-start > maxPattern || strings.ContainsAny(text[start+1:len(text)-1], "]}=") {
			return ""
		}
	} else {
		for start > 0 && isJSName(text[start-1]) {
			start--
		}
	}
	if start == len(text) || start > 0 && strings.IndexByte(";{( \t\r\n\f", text[start-1]) < 0 || text[start] >= '0' && text[start] <= '9' {
		return ""
	}
	return text[start:]
}

// isJSName reports whether c may stand in a name.
func isJSName(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$'
}
