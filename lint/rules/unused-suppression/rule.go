// Package unusedsuppression is the rule unused-suppression; see README.md.
package unusedsuppression

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
)

//go:embed README.md
var readme string

// Rule reports suppressions that match nothing, have run out, or are malformed.
// It runs after all other rules and cannot be suppressed itself.
var Rule = &lint.Rule{
	ID:                "unused-suppression",
	Title:             "a suppression that matches nothing, has run out or is malformed",
	Since:             "2026-11",
	Confidence:        lint.HighConfidence,
	Fixes:             lint.SafeFix,
	Tags:              []string{"GOVERN 1.5"},
	Clock:             true,
	Readme:            readme,
	CheckSuppressions: check,
}

func check(p *lint.Pass) {
	for _, s := range p.Suppressions {
		idle, unknown := useless(s)
		f := lint.Finding{File: s.File, Span: s.Span, Floor: reach.Low}
		switch {
		case s.Problem != "":
			f.Message = "this suppression is not honoured: " + s.Problem
			f.Next = `write # stint: ignore[rule-id] until=YYYY-MM-DD reason="…"`
		case len(unknown) > 0:
			f.Message = fmt.Sprintf("this suppression names no rule that there is: %s", quoted(unknown))
			f.Next = "mend the spelling, or remove it"
		case s.Expired && len(idle) < len(s.Rules):
			f.Message = fmt.Sprintf("this suppression ended on %s and hides nothing any more", s.Until)
			f.Next = "mend what it hid, or decide again with a new end and reason"
		case len(idle) > 0:
			f.Message = fmt.Sprintf("this suppression matches no finding of %s", strings.Join(idle, ", "))
			f.Next = "remove it, so that it cannot hide a later finding"
			f.Fixes = removal(s, idle)
		default:
			continue
		}
		p.Report(f)
	}
}

// useless returns the ids that had nothing to suppress and those that name no rule.
func useless(s *lint.Suppression) (idle, unknown []string) {
	for _, r := range s.Rules {
		switch {
		case !r.Known:
			unknown = append(unknown, r.ID)
		case r.Judged && r.Matched == 0:
			idle = append(idle, r.ID)
		}
	}
	return idle, unknown
}

func quoted(ids []string) string {
	var q []string
	for _, id := range ids {
		q = append(q, fmt.Sprintf("%q", id))
	}
	return strings.Join(q, ", ")
}

func removal(s *lint.Suppression, ids []string) []lint.Fix {
	edits := s.Removal(ids...)
	if edits == nil {
		return nil
	}
	return []lint.Fix{{Title: "remove what is not needed of the suppression", Safe: true, Edits: edits}}
}
