package workflows

import (
	"bytes"
	"errors"
	"fmt"
	"sort"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxBisectBytes is the largest broken file in which the exact line of the error
// is searched for by parsing it again.
const maxBisectBytes = 256 << 10

// loadYAML parses the first document of src. Text that the library refuses is an
// error; a nil node without error is an empty document.
func loadYAML(src []byte) (root *yaml.Node, err error) {
	// The library reports its own bugs by panics ("please report"); hostile input
	// must not stop the run through one.
	defer func() {
		if r := recover(); r != nil {
			root, err = nil, fmt.Errorf("the YAML library failed: %v", r)
		}
	}()
	var doc yaml.Node
	if err := yaml.Unmarshal(src, &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	return doc.Content[0], nil
}

// yamlMessage returns the library's message without its prefix and line.
func yamlMessage(err error) string {
	var parse *yaml.ParserError
	if errors.As(err, &parse) {
		return parse.Message
	}
	return strings.TrimPrefix(err.Error(), "yaml: ")
}

// yamlErrorLine returns the line, from 1, in which src first goes wrong. The
// library often names the line in which the enclosing value begins and sometimes
// none, so the shortest run of lines that fails in the same way is looked for.
func yamlErrorLine(src []byte, err error, starts []int) int {
	base := starts[0]
	if len(src) > maxBisectBytes {
		var parse *yaml.ParserError
		if errors.As(err, &parse) {
			return max(1, min(parse.Line, len(starts)))
		}
		return 1
	}
	message := yamlMessage(err)
	return 1 + sort.Search(len(starts)-1, func(i int) bool {
		_, err := loadYAML(src[base:starts[i+1]])
		return err != nil && yamlMessage(err) == message
	})
}

// yamlProblem describes a file that the library refused.
func (f *File) yamlProblem(src []byte, err error, starts []int) Problem {
	line := yamlErrorLine(src, err, starts)
	end := len(src)
	if line < len(starts) {
		end = starts[line]
	}
	span := trimmed(f.Source, Span{starts[line-1], end})
	message := fmt.Sprintf("not valid YAML in line %d: %s", f.Position(span.Start).Line, yamlMessage(err))
	return Problem{Span: span, Message: message, Whole: true}
}

// trimmed returns s without the white space at its ends.
func trimmed(src []byte, s Span) Span {
	text := src[s.Start:s.End]
	start := s.Start + len(text) - len(bytes.TrimLeft(text, " \t\r\n"))
	end := s.Start + len(bytes.TrimRight(text, " \t\r\n"))
	return Span{start, max(start, end)}
}
