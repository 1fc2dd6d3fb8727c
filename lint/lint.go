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

// A FixKind is a set of kinds of fixes.
type FixKind int

// The kinds of fixes; the zero value is none. See [Fix].
const (
	SafeFix FixKind = 1 << iota
	UnsafeFix
)

// String returns "", "safe", "unsafe" or "safe, unsafe".
func (k FixKind) String() string {
	return [...]string{"", "safe", "unsafe", "safe, unsafe"}[k&(SafeFix|UnsafeFix)]
}

// A NetworkUse says what a rule needs a [Resolver] for.
type NetworkUse int

const (
	// NoNetwork: it judges by the files alone.
	NoNetwork NetworkUse = iota
	// SomeNetwork: it finds more, or has more fixes, with the network.
	SomeNetwork
	// AllNetwork: it finds nothing without it.
	AllNetwork
)

// String returns "offline", "partly" or "online".
func (n NetworkUse) String() string { return [...]string{"offline", "partly", "online"}[n] }

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
	// Fixes says which kinds of fixes its findings can have.
	Fixes FixKind
	// Network says what of it needs the network.
	Network NetworkUse
	// Tags are framework ids: "NHI7:2025", "PR.AA-05", "ASI03". Real ids only.
	Tags []string
	// Clock is set when what the rule finds can come true of a file that nobody
	// touched: an advisory is published, a day passes, a tag moves. Where a change is
	// judged, such a finding on a line of the base is a notice.
	Clock bool
	// Readme is the embedded README.md.
	Readme string
	// Check looks at one file (Pass.File); CheckRepository at all of them
	// (Pass.File is nil); CheckSuppressions, after all rules have run, at what the
	// suppressions of the repository did (Pass.Suppressions). Each may be nil.
	// They run in parallel with other rules and files and must not keep state.
	Check             func(*Pass)
	CheckRepository   func(*Pass)
	CheckSuppressions func(*Pass)
}

// A Resolver answers what only the network knows. The error is ErrOffline when it may
// not ask, workflows.ErrNotFound when the server knows no such thing, which is an answer,
// and else why there is none; the engine reports what had no answer as "not checked".
// It asks each question once a run, is safe for concurrent use, and a repository that
// does not answer fails alone.
type Resolver interface {
	// Commit returns the full commit that owner/repo's ref points to now, and the
	// fullest version tag that points to the same commit ("" when none does).
	Commit(ctx context.Context, owner, repo, ref string) (commit, version string, err error)
	// Refs returns the branches and tags of owner/repo, and its new name if it has one.
	Refs(ctx context.Context, owner, repo string) (*workflows.Refs, error)
	// Contains reports whether the history of a branch or tag of owner/repo itself, and
	// not only that of a fork, has the commit.
	Contains(ctx context.Context, owner, repo, commit string) (bool, error)
	// Archived reports whether owner/repo is archived.
	Archived(ctx context.Context, owner, repo string) (bool, error)
	// Advisories returns all published advisories about actions.
	Advisories(ctx context.Context) ([]workflows.RemoteAdvisory, error)
	// Digest returns the digest, sha256:…, of what the image [HOST/]NAME[:TAG] is now,
	// for all its platforms together where it has several.
	Digest(ctx context.Context, image string) (string, error)
	// Environment returns what the deployment environment name of owner/repo demands.
	Environment(ctx context.Context, owner, repo, name string) (workflows.Protection, error)
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
	// NetworkFixes is set when fixes are wanted that must ask the Resolver, and Online
	// when what only the Resolver knows is to be judged, too.
	NetworkFixes, Online bool
	// Strict is set when strict findings are shown: the network is asked for no other
	// ones' fixes.
	Strict bool
	// Config is never nil.
	Config *Config
	// Today is the date of the run, YYYY-MM-DD.
	Today string
	// Suppressions are those of the whole repository, in order of file and place;
	// they are set for CheckSuppressions only.
	Suppressions []*Suppression

	report     func(Finding)
	notChecked func(string)
}

// Report adds a finding. File defaults to Pass.File.
func (p *Pass) Report(f Finding) { p.report(f) }

// NotChecked records that something could not be checked and why, in one line.
func (p *Pass) NotChecked(why string) { p.notChecked(why) }

// NeedsNetwork reports whether the rule may ask the Resolver for what it judges, and
// records that it was not checked where it may not. A rule calls it where it has
// something to ask.
func (p *Pass) NeedsNetwork() bool {
	if !p.Online {
		p.NotChecked("only the network knows: use --online")
	}
	return p.Online
}

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
	// Floor raises the severity of a defect in what stint is told, such as a dead
	// suppression, that must be seen although no credential is in reach of it.
	Floor reach.Severity
	// Confidence overrides the rule's when it is not zero.
	Confidence Confidence
	// Strict shows the finding with --strict only, in a rule that is for everyone.
	Strict bool
	// Redact keeps the text of the span out of everything that is written: the
	// text is a credential. Reports mask it wherever it stands, also in what other
	// findings show of its line, and the fingerprint is made without it.
	Redact bool
	Fixes  []Fix
	// Notice is set by [Known.Judge] on a finding that the change did not bring and
	// somebody should still know of: it fails nothing.
	Notice bool

	// The engine sets these. Fingerprint is 32 hex digits; see fingerprint.go for
	// what it survives.
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
	Findings []Finding
	// Compared says with what [Known.Judge] compared the findings, "" when it did not:
	// then Findings are those that the change brings, with the notices among them, and
	// Old are those that were there before.
	Compared string
	Old      []Finding
	// Redacted are the places whose text no report may show, in order: those of
	// every finding that asked for it, the suppressed ones and those below the
	// threshold too.
	Redacted []reach.Site
	// Suppressed counts the findings that a comment or the configuration took
	// away, Below those under the least severity, and StrictOnly those that
	// --strict would add.
	Suppressed, Below, StrictOnly int
	// NotChecked says per rule what was not checked and why, sorted: what only the
	// network knows, and the rules that the configuration switches off.
	NotChecked []string
	// Failures says what went wrong inside stint, one line each, sorted: a rule
	// that broke, with rule and file, or a run that was cancelled. A result with
	// any is incomplete.
	Failures []string

	suppressed []Finding // what Suppressed counts
	config     *Config
}

// Options choose what a run does.
type Options struct {
	// Rules are the rules to run, less those that Config disables.
	Rules []*Rule
	// Graph is the graph of the repository where the caller has built it; nil builds it.
	Graph *reach.Graph
	// Known are all rules there are, so that a suppression of a rule that does
	// not run today is told from a misspelt one; nil means Rules.
	Known []*Rule
	// Strict adds the strict findings and demands rule, reason and end of every
	// suppression; Config may ask for it too.
	Strict bool
	// MinSeverity is the least severity that is reported; nil leaves it to
	// Config, which reports everything when it says nothing.
	MinSeverity *reach.Severity
	Resolver    Resolver // nil means offline
	// NetworkFixes asks for the fixes that need the Resolver, such as the commit
	// that a tag names; without it a run asks the network nothing for fixes.
	NetworkFixes bool
	// Online asks for the findings that need the Resolver. Without it rules judge by
	// the files and by what is embedded, and the rest is "not checked".
	Online bool
	Config *Config // nil means none
	// Today is the date for suppressions and debt, YYYY-MM-DD; "" means that no
	// end has come.
	Today string
}

// Run lints one repository. The result depends on its arguments only, whatever
// the number of processors; when ctx ends early it holds what was found so far
// and Failures says so.
func Run(ctx context.Context, repo *workflows.Repository, o Options) *Result {
	return run(ctx, repo, o)
}
