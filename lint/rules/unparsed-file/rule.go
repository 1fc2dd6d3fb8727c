// Package unparsedfile is the rule unparsed-file; see README.md.
package unparsedfile

import (
	_ "embed"
	"fmt"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

//go:embed README.md
var readme string

// Rule reports files, and parts of files, that GitHub may run and that could not
// be read here.
var Rule = &lint.Rule{
	ID:              "unparsed-file",
	Title:           "a file that GitHub may run and that could not be read whole",
	Since:           "2026-11",
	Confidence:      lint.HighConfidence,
	Tags:            []string{"PR.AA-05"},
	Readme:          readme,
	Check:           check,
	CheckRepository: checkRepository,
}

// check reports what Parse could not read of a file.
func check(p *lint.Pass) {
	for _, problem := range p.File.Problems {
		f := lint.Finding{Span: problem.Span, Exposure: unseen(p.File.Kind)}
		if problem.Whole {
			f.Message = fmt.Sprintf("the file could not be read, so nothing in it was checked: %s", problem.Message)
			f.Next = "mend the file, or delete it when GitHub refuses it too"
		} else {
			f.Message = fmt.Sprintf("this could not be read and was not checked: %s", problem.Message)
			f.Next = "write it in a form that GitHub documents; the rest of the file was checked"
			low := reach.Low
			f.Ceiling = &low
		}
		p.Report(f)
	}
}

// checkRepository reports the files that were not even opened.
func checkRepository(p *lint.Pass) {
	for _, u := range p.Repository.Unread {
		f := workflows.Parse(u.Path, nil)
		p.Report(lint.Finding{
			File:     f,
			Message:  fmt.Sprintf("the file could not be opened, so nothing in it was checked: %s", u.Reason),
			Next:     "make it a readable file of ordinary size inside the repository, or delete it",
			Exposure: unseen(f.Kind),
		})
	}
}

// unseen is the exposure of what nobody saw. What code it is, is known: this
// repository's own. What it takes is not, so that the worst that a file of its
// kind can take is assumed: a workflow or an action can take every secret.
func unseen(kind workflows.Kind) reach.Exposure {
	if kind == workflows.KindDependabot || kind == workflows.KindLock {
		return reach.Exposure{}
	}
	return reach.Exposure{Steer: reach.OwnCode, Credentials: []*reach.Credential{{
		Kind: reach.StoredSecret, Name: reach.EverySecret, Lifetime: reach.Standing, Writes: true, All: true,
	}}}
}
