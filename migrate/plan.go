package migrate

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/trust"
	"github.com/stint-dev/stint/workflows"
)

// DefaultUses is the action that takes the place of others, without its ref.
const DefaultUses = "stint-dev/stint"

// Options are what a plan needs beside the repository.
type Options struct {
	// Ref is the commit or tag at which workflows will use stint's action, and Version
	// the comment behind it, "" for none.
	Ref, Version string
	// Owner answers for new grants and debts, as in "@acme/web".
	Owner string
	// Repository is the repository of the workflows, as far as it is known.
	Repository trust.Repository
	// DefaultBranch is its default branch; "" takes what the workflows say, else main.
	DefaultBranch string
	// Values are the values of vars and secrets that are identifiers and no secrets,
	// by name: a role's ARN, a tenant's id.
	Values map[string]string
	// Grants are the bytes of .github/stint.yml, nil when there is none.
	Grants []byte
	// Providers are the keys of a grant that are provider blocks.
	Providers []string
	// Check refuses a grant that its providers refuse.
	Check func(*grant.Grant) error
	// Lock finds the cloud of a provider.
	Lock func(provider string) (trust.Cloud, bool)
	// Today is the date of the run, YYYY-MM-DD, from which debts are given time.
	Today string
}

// A Plan is what would change, and what would not and why.
type Plan struct {
	// Changes are in order of path, the grant file last.
	Changes []*Change
	// Notes are in order of path and line.
	Notes []Note
	// Grants are the names of the new grants, in order of the file.
	Grants []string
	// Moved counts the steps that were rewritten.
	Moved int
}

// A Change is one file before and after.
type Change struct {
	Path string
	// Before is nil for a file that is not there yet.
	Before, After []byte
}

// Diff returns the change as a unified diff that patch -p1 and git apply take. It
// holds the file's bytes as they are: whoever prints it must strip control characters.
func (c *Change) Diff() []byte {
	before := "a/" + c.Path
	if c.Before == nil {
		before = "/dev/null"
	}
	return diff.Diff(before, c.Before, "b/"+c.Path, c.After)
}

// A NoteKind says what a note is about.
type NoteKind string

// The kinds of notes, in the order in which they need a person.
const (
	// Left is a step or key that stays as it is.
	Left NoteKind = "left alone"
	// FillIn is a value of a new grant that the files do not tell.
	FillIn NoteKind = "fill in"
	// Differs is what a rewritten step does otherwise than before.
	Differs NoteKind = "differs"
)

// A Note is one thing that a person has to know about a place.
type Note struct {
	Kind NoteKind
	Path string
	Line int // from 1, 0 for the whole file
	// About names the step's action or the grant.
	About string
	// Text says what it is, Next what to do, each in one line; Next may be "".
	Text, Next string
}

// sortNotes puts notes in order and drops repetitions.
func sortNotes(notes []Note) []Note {
	order := []NoteKind{Left, FillIn, Differs}
	slices.SortStableFunc(notes, func(a, b Note) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line),
			cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind)))
	})
	return slices.Compact(notes)
}

// An edited is a workflow file with the edits that are planned for it.
type edited struct {
	file  *workflows.File
	edits []workflows.Edit
}

// add adds edits if the file still reads as well with them. Edits that are there
// already, such as those of a job's permissions, count once.
func (e *edited) add(more []workflows.Edit) error {
	all := slices.Clone(e.edits)
	for _, edit := range more {
		if !slices.Contains(all, edit) {
			all = append(all, edit)
		}
	}
	if _, err := workflows.Apply(e.file, all); err != nil {
		return err
	}
	e.edits = all
	return nil
}

// change returns the file's change, nil when nothing is planned.
func (e *edited) change() (*Change, error) {
	if len(e.edits) == 0 {
		return nil, nil
	}
	after, err := workflows.Apply(e.file, e.edits)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.file.Path, err)
	}
	return &Change{Path: e.file.Path, Before: e.file.Source, After: after}, nil
}
