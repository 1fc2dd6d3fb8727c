package report

import (
	"fmt"

	"github.com/stint-dev/stint/lint"
)

// Comment returns one finding as Markdown for a comment beside its line: what could be
// lost, and what the fix with the given title does.
func Comment(r *lint.Result, f lint.Finding, fix string) string {
	if clean, ok := cleanerOf(r); ok {
		clean.finding(&f)
		fix = clean.Replace(fix)
	}
	return fmt.Sprintf("**%s: `%s`**: %s\n\nThis suggestion: %s.", f.Severity, f.Rule.ID, cell(sentence(f)), cell(fix))
}
