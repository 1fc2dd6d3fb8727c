package insecurecommands

import (
	"regexp"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// switchOff is the fix: the switch to false, and every old command of the steps
// rewritten to the file that took its place. ok is false when a script prints one in
// a way that cannot be rewritten with certainty.
func switchOff(f *workflows.File, value *workflows.Scalar, steps []*workflows.Step) (fix lint.Fix, ok bool) {
	fix = lint.Fix{Title: "switch " + variable + " off", Safe: true, Edits: []workflows.Edit{{Span: value.Span, New: `"false"`}}}
	for _, s := range steps {
		if s.Uses != nil && !modern(s.Uses) {
			fix.Safe = false // it may print the old commands itself
		}
		if s.Run == nil {
			continue
		}
		left := strings.Count(s.Run.Value, "::set-env") + strings.Count(s.Run.Value, "::add-path")
		for _, c := range s.Run.Commands {
			if oldCommand(c) == "" {
				continue
			}
			edits, ok := rewrite(f, s.Run, c)
			if !ok {
				return lint.Fix{}, false
			}
			fix.Edits = append(fix.Edits, edits...)
			left--
		}
		if left > 0 {
			return lint.Fix{}, false
		}
	}
	return fix, true
}

// modern reports whether an action is known not to print the old commands: those that
// the platform keeps up to date.
func modern(u *workflows.Uses) bool {
	info, ok := platform.LookupAction(u.FullName())
	return ok && strings.HasPrefix(info.Name, "actions/")
}

// printed matches what an old command prints, up to its value.
var printed = regexp.MustCompile(`::(?:set-env name=([A-Za-z_][A-Za-z0-9_]*)::|add-path::)`)

// rewrite turns echo "::set-env name=X::value" into echo "X=value" >> "$GITHUB_ENV".
// A value with line breaks, which the file writes differently, and an echo that goes
// elsewhere already are left.
func rewrite(f *workflows.File, s *workflows.Script, c *workflows.Command) ([]workflows.Edit, bool) {
	text := f.Text(c.Span)
	at := printed.FindStringSubmatchIndex(text)
	plain := s.Style == workflows.Plain || s.Style == workflows.Literal
	if c.Name != "echo" || at == nil || len(c.Args()) != 1 || len(c.Redirs) > 0 || c.PipesInto != nil || c.Within != nil || !plain || strings.Contains(text, "%0A") {
		return nil, false
	}
	prefix, file := "", "GITHUB_PATH"
	if at[2] >= 0 {
		prefix, file = text[at[2]:at[3]]+"=", "GITHUB_ENV"
	}
	return []workflows.Edit{
		{Span: workflows.Span{Start: c.Span.Start + at[0], End: c.Span.Start + at[1]}, New: prefix},
		{Span: workflows.Span{Start: c.Span.End, End: c.Span.End}, New: ` >> "$` + file + `"`},
	}, true
}
