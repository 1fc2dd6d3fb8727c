package grant

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/stint-dev/stint/oidc"
)

// Limits on what is read from a grant file, which is as hostile as the branch
// that it was read from.
const (
	// maxNodes is the largest number of YAML nodes visited, counting a node again
	// for each alias that leads to it.
	maxNodes = 50_000
	// maxDepth is the deepest nesting of YAML values.
	maxDepth = 40
	// maxGrants is the largest number of grants in one file.
	maxGrants = 1_000
	// maxList is the longest list below for:.
	maxList = 200
)

// problem is an error of the file at a line; line 0 is "somewhere".
func problem(path string, line int, hint, format string, args ...any) error {
	at := path
	if line > 0 {
		at += ":" + strconv.Itoa(line)
	}
	return &oidc.Error{
		Stage:   oidc.StageDecide,
		Message: at + ": " + fmt.Sprintf(format, args...),
		Hint:    hint,
	}
}

// document reads the one YAML document of a file and bounds it, so that whoever
// walks the nodes afterwards ends.
func document(path string, b []byte) (*yaml.Node, error) {
	if len(b) > MaxFileBytes {
		return nil, problem(path, 0, fmt.Sprintf("keep the grant file under %d KiB", MaxFileBytes>>10), "the grant file is too large")
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if at := badByte(b); at >= 0 {
		return nil, problem(path, 1+bytes.Count(b[:at], []byte("\n")), "save the file as UTF-8 text", "the file has bytes that are not text")
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		return nil, syntaxProblem(path, b, err)
	}
	var second yaml.Node
	if err := dec.Decode(&second); err == nil {
		return nil, problem(path, second.Line, "keep all grants in the first document", "the file has a second YAML document")
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxProblem(path, b, err)
	}
	left := maxNodes
	if err := bound(path, &doc, &left, 0); err != nil {
		return nil, err
	}
	return doc.Content[0], nil
}

// badByte returns the offset of the first byte that is no part of text, or -1.
func badByte(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		switch {
		case r == utf8.RuneError && n == 1, r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0x7f:
			return i
		}
		i += n
	}
	return -1
}

func syntaxProblem(path string, b []byte, err error) error {
	if errors.Is(err, io.EOF) {
		return problem(path, 1, "begin with `version: 1` and `grants:`", "the file is empty")
	}
	line, hint := 0, "mend the YAML at that line"
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if pe, ok := errors.AsType[*yaml.ParserError](err); ok {
		line, text = pe.Line, pe.Message
	}
	if strings.Contains(text, "cannot start any token") && bytes.Contains(b, []byte("\t")) {
		hint = "indent with spaces: YAML does not take tabs"
	}
	return problem(path, line, hint, "%s", printable(text))
}

// bound refuses a document that is larger than it looks, through aliases or
// nesting, and tags that turn a value into something else.
func bound(path string, n *yaml.Node, left *int, depth int) error {
	*left--
	if *left < 0 || depth > maxDepth {
		return problem(path, n.Line, "write the grants out, without nested aliases", "the file nests or repeats too much")
	}
	switch n.Kind {
	case yaml.AliasNode:
		return bound(path, n.Alias, left, depth+1)
	case yaml.ScalarNode:
		switch n.ShortTag() {
		case "!!str", "!!int", "!!bool", "!!null", "!!float", "!!timestamp", "!!merge":
		default:
			return problem(path, n.Line, "remove the tag", "the tag %s is not read here", quote(n.Tag))
		}
	}
	for _, c := range n.Content {
		if err := bound(path, c, left, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// A pair is one key of a mapping with its value, aliases resolved.
type pair struct {
	name  string
	line  int
	value *yaml.Node
}

// pairs returns the keys of a mapping in order; what names the mapping in errors.
func pairs(path string, n *yaml.Node, what string) ([]pair, error) {
	n = resolve(n)
	if n.Kind != yaml.MappingNode {
		return nil, problem(path, n.Line, "write it as a mapping of keys to values", "%s must be a mapping, not %s", what, kind(n))
	}
	out := make([]pair, 0, len(n.Content)/2)
	seen := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := resolve(n.Content[i])
		if k.Kind == yaml.ScalarNode && k.ShortTag() == "!!merge" {
			return nil, problem(path, n.Content[i].Line, "write the keys out, or use an alias for the whole value", "merge keys (<<) are not read")
		}
		if k.Kind != yaml.ScalarNode || k.ShortTag() != "!!str" {
			return nil, problem(path, n.Content[i].Line, "put the key in quotes if it is meant as text", "a key in %s must be text, not %s", what, kind(k))
		}
		line := n.Content[i].Line
		if first, dup := seen[k.Value]; dup {
			return nil, problem(path, line, "keep one of the two", "%s in %s is given twice, first in line %d", quote(k.Value), what, first)
		}
		seen[k.Value] = line
		out = append(out, pair{k.Value, line, resolve(n.Content[i+1])})
	}
	return out, nil
}

// resolve follows an alias. Bound has made sure that this ends.
func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// kind names what a node is, for "must be text, not …".
func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "empty"
	case "!!bool":
		return "true or false"
	case "!!int", "!!float":
		return "a number"
	case "!!timestamp":
		return "a date"
	}
	return "text"
}

// quote shows text of the file on one line of plain characters, shortened.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		cut := most
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return strconv.Quote(s)
}

// printable drops what a terminal could take for a command.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return -1
		}
		return r
	}, s)
}
