package workflows

import "strings"

// A Span is a half-open range of bytes, [Start, End), of a file's source.
// The zero Span means "no place"; an empty Span with a non-zero Start is a
// point, used for insertions.
type Span struct{ Start, End int }

// Len returns the number of bytes the span covers.
func (s Span) Len() int { return s.End - s.Start }

// IsZero reports whether the span says nothing about a place.
func (s Span) IsZero() bool { return s == Span{} }

// Contains reports whether all of t lies in s.
func (s Span) Contains(t Span) bool { return s.Start <= t.Start && t.End <= s.End }

// A Position is a place as people and tools name it: Line from 1, Column in
// characters (Unicode code points) from 1, Offset in bytes from 0. A byte order
// mark at the start of a file counts as bytes but not as a column.
type Position struct{ Line, Column, Offset int }

// A Kind says what a file is to GitHub.
type Kind int

const (
	// KindUnknown is a file that no part of GitHub Actions reads.
	KindUnknown Kind = iota
	// KindWorkflow is .github/workflows/*.yml or *.yaml.
	KindWorkflow
	// KindAction is an action.yml or action.yaml anywhere in the repository.
	KindAction
	// KindDependabot is .github/dependabot.yml or .yaml.
	KindDependabot
	// KindLock is .github/workflows/actions.lock.
	KindLock
)

// A File is one file after its single parse. Exactly one of Workflow, Action,
// Dependabot and Lock is set, by Kind; all are nil when nothing could be used.
// A File is immutable after Parse and safe for concurrent use.
type File struct {
	// Path is relative to the repository root, with forward slashes.
	Path   string
	Kind   Kind
	Source []byte

	Workflow   *Workflow
	Action     *Action
	Dependabot *Value
	Lock       *Lock

	// Problems lists what could not be read, in order of place.
	Problems []Problem
	// Comments lists every YAML comment of the file in order of place.
	Comments []Comment

	lines []int   // byte offset of the start of each line
	runes []int32 // see countRunes; nil when every character is one byte
}

// A Problem is a part of a file that could not be read as what it should be.
// Message is one lower-case line without a final full stop.
type Problem struct {
	Span    Span
	Message string
	// Whole is set when nothing of the file could be used.
	Whole bool
}

// A Comment is one "# …" of the YAML itself (not of a script inside it).
// Text is what follows the '#', trimmed; Span includes the '#'.
type Comment struct {
	Text string
	Span Span
	// OwnLine is set when nothing but white space precedes the comment.
	OwnLine bool
}

// Generated reports whether the file is written by a generator, as gh-aw names what it
// makes of its sources: nobody mends it by hand. Source: the documentation of gh-aw, 2026-11.
func (f *File) Generated() bool { return strings.HasSuffix(f.Path, ".lock.yml") }
