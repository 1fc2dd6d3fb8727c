package secretsinherit

import (
	"fmt"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/workflows"
)

const inheritKey = "secrets:"

// fixes replaces inherit by the list of what the callee uses, or removes the key
// when that is nothing. A key written in flow style is left to a person. Where the
// callee reads secrets in a deployment environment the fix is unsafe: whether an
// environment's secret replaces one passed by name is not GitHub's documented
// promise for every case.
func fixes(f *workflows.File, j *workflows.Job, n needs) []lint.Fix {
	span := j.InheritSecrets.Span
	start := span.Start
	for start > 0 && f.Source[start-1] != '\n' {
		start--
	}
	end := span.End
	for end < len(f.Source) && f.Source[end] != '\n' {
		end++
	}
	head, rest := string(f.Source[start:span.Start]), string(f.Source[span.End:end])
	if strings.TrimSpace(head) != inheritKey {
		return nil
	}
	eol := "\n"
	if trimmed, crlf := strings.CutSuffix(rest, "\r"); crlf {
		eol, rest, end = "\r\n", trimmed, end-1
	}
	indent := head[:strings.Index(head, inheritKey)]
	edit := workflows.Edit{Span: workflows.Span{Start: start, End: end}}
	switch comment := strings.TrimSpace(rest); {
	case len(n.names) > 0:
		edit.New = indent + inheritKey + strings.TrimRight(rest, " ")
		for _, name := range n.sorted() {
			edit.New += fmt.Sprintf("%s%s  %s: ${{ secrets.%s }}", eol, indent, name, name)
		}
	case comment != "":
		edit.New = indent + comment
	case end+len(eol) <= len(f.Source):
		edit.Span.End = end + len(eol)
	}
	return []lint.Fix{{Title: "pass by name what the called workflow uses", Safe: !n.environment, Edits: []workflows.Edit{edit}}}
}
