package lint

import (
	"context"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// A Confidence is how sure a finding is, rising.
type Confidence int

// Confidences.
const (
	LowConfidence Confidence = iota + 1
	MediumConfidence
	HighConfidence
)

// String returns "low", "medium" or "high".
func (c Confidence) String() string { return [...]string{"", "low", "medium", "high"}[c] }

// An Audience says who is shown a rule's findings.
type Audience int

const (
	// Everyone sees it by default.
	Everyone Audience = iota
	// Strict findings are shown with --strict.
	Strict
)

// A Rule is one rule. The directory lint/rules/<id> holds all of it.
type Rule struct {
	// ID names the defect in kebab case and equals the directory's name.
	ID string
	// Title is one line, lower case, for lists.
	Title string
	// Since is the profile (YYYY-MM) that first has the rule.
	Since      string
	Confidence Confidence
	Audience   Audience
	// Tags are framework ids: "NHI7:2025", "PR.AA-05", "ASI03". Real ids only.
	Tags []string
	// Readme is the embedded README.md.
	Readme string
	// Check looks at one file (Pass.File); CheckRepository at all of them
	// (Pass.File is nil). Either may be nil.
	Check           func(*Pass)
	CheckRepository func(*Pass)
}

// A Resolver answers what only the network knows. Every method returns
// ErrOffline when it may not ask; the engine then reports "not checked".
type Resolver interface {
	// Commit returns the full commit that owner/repo's ref points to now, and the
	// fullest version tag that points to the same commit ("" when none does).
	Commit(ctx context.Context, owner, repo, ref string) (commit, version string, err error)
}

// A Pass is what a rule is shown. It is made by the engine for one rule and one
// file (or one repository) and must not be kept.
type Pass struct {
	Context    context.Context
	Rule       *Rule
	Repository *workflows.Repository
	File       *workflows.File
	Graph      *reach.Graph
	Resolver   Resolver
	Config     *Config

	report     func(Finding)
	notChecked func(string)
}

// Report adds a finding. File defaults to Pass.File.
func (p *Pass) Report(f Finding) { p.report(f) }

// NotChecked records that something could not be checked and why, in one line.
func (p *Pass) NotChecked(why string) { p.notChecked(why) }

// A Finding is one defect at one place.
type Finding struct {
	Rule *Rule
	File *workflows.File
	Span workflows.Span
	// Message says what is wrong and what could be taken, one line, lower case.
	Message string
	// Next is the next step, one line, imperative, lower case.
	Next string
	// Related are other places, in the order to read them.
	Related []Related
	// Exposure grades the finding and names what is at stake.
	Exposure reach.Exposure
	// Job is the job the finding is in, nil when it is in none.
	Job *reach.Job
	// Code is the code that could take the credentials, nil when it is not one piece.
	Code *reach.Code
	// Ceiling caps the severity of a defect that is a chore whatever is in reach;
	// nil for none. A ceiling never depends on reach.
	Ceiling *reach.Severity
	// Confidence overrides the rule's when it is not zero.
	Confidence Confidence
	// Strict shows the finding with --strict only, in a rule that is for everyone.
	Strict bool
	Fixes  []Fix

	// The engine sets these.
	Severity    reach.Severity
	Fingerprint string
}

// A Related is another place of a finding.
type Related struct {
	File *workflows.File
	Span workflows.Span
	Text string
}

// A Fix is one way to mend a finding, as edits of the finding's own file.
type Fix struct {
	Title string
	// Safe means that it cannot change what a correct workflow does; only safe
	// fixes are applied by --fix, others with --fix=unsafe.
	Safe  bool
	Edits []workflows.Edit
}

// A Result is everything a run has to say about one repository.
type Result struct {
	Repository *workflows.Repository
	Graph      *reach.Graph
	// Findings are in total order: path, offset, rule, message.
	Findings   []Finding
	Suppressed int
	// NotChecked says per rule what could not be checked, sorted.
	NotChecked []string
}

// Options choose what a run does.
type Options struct {
	Rules    []*Rule
	Strict   bool
	Resolver Resolver // nil means offline
	Config   *Config
	// Today is the date for suppressions and debt, YYYY-MM-DD.
	Today string
}

// Run lints one repository.
func Run(ctx context.Context, repo *workflows.Repository, o Options) *Result {
	return run(ctx, repo, o)
}
