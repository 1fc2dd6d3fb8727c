package grant

import (
	"strconv"
	"time"

	"github.com/stint-dev/stint/oidc"
)

// Path is where a repository keeps its grants.
const Path = ".github/stint.yml"

// MaxFileBytes is the largest grant file that is read.
const MaxFileBytes = 256 << 10

// DefaultTTL is the lifetime of a grant that names none.
const DefaultTTL = 15 * time.Minute

// A File is the part of .github/stint.yml that this package reads.
type File struct {
	Path   string
	Grants []*Grant // in file order
	// Other lists the top-level keys that are not ours (lint, debt …) with
	// their lines, so that cmd/stint can refuse what nobody knows.
	Other []Key
	// Debt keys and lint keys are read by package lint.
	Digest string // "sha256:…" of the file's bytes
}

// A Key is a key of the file and its line, from 1.
type Key struct {
	Name string
	Line int
}

// A Grant is one named grant.
type Grant struct {
	Name string
	// Path and Line say where it is written; Path is as it was given to Parse.
	Path   string
	Line   int
	Intent string
	Owner  string
	For    For
	TTL    time.Duration
	// Targets are the provider blocks, one or more, in file order.
	Targets []*Target
	// Digest is "sha256:…" of the grant's canonical form, for receipts: it does
	// not change with comments, key order, quoting or a default written out.
	Digest string

	lines map[string]int // line of each key below for:, by its name in the file
}

// For is who may have the grant. A list admits any of its entries; an empty
// field admits any value except where the comment says otherwise. Values are
// compared exactly and with their case; a claim that is absent never admits.
type For struct {
	// Workflow is the path of the workflow file that was started, from the root
	// of the repository. It is compared with the path in workflow_ref, whose
	// repository must be the token's and whose ref must be one of Refs, if any.
	Workflow string
	// Called is the reusable workflow whose job asks, as owner/repo/path@ref; its
	// ref may end in "/*" like one of Refs. It is compared with job_workflow_ref.
	// "" refuses the jobs of every reusable workflow, also of the repository's own.
	Called string
	// Refs are exact, or a prefix that ends in "/*" below refs/heads/ or
	// refs/tags/; "/*" stands for one or more characters, also "/".
	Refs []string
	// Environment is the environment of the job; "" admits only jobs without one.
	Environment string
	// Events are values of event_name; empty admits the events of [NormalTrust] only.
	Events []string
	// Repository is owner/repo; "" admits the repository that holds the file.
	Repository string
	// RepositoryID and RepositoryOwnerID are decimal ids, which outlive a rename.
	RepositoryID, RepositoryOwnerID string
	// Actors are login names of who started the run.
	Actors []string
	// Runner is [GitHubHosted] (default), [SelfHosted] or [AnyRunner].
	Runner string
	// RefProtected demands ref_protected "true".
	RefProtected bool
	// Issuer and Subject are iss and sub of tokens that are not GitHub's, such as a
	// SPIFFE workload's, both exact. With them the fields above are empty and not
	// looked at; without them no such token is admitted.
	Issuer  string `json:",omitempty"`
	Subject string `json:",omitempty"`
}

// OfJobs reports whether the grant is for tokens of GitHub's jobs, and not for those of
// another issuer.
func (f For) OfJobs() bool { return f.Issuer == "" }

// The values of For.Runner; the first two are those of the claim runner_environment.
const (
	GitHubHosted = "github-hosted"
	SelfHosted   = "self-hosted"
	AnyRunner    = "any"
)

// A Target is one provider's block, kept as YAML until the provider reads it.
type Target struct {
	Provider string
	Line     int
	decode   func(v any) error
}

// Decode reads the block into v, a pointer to a struct whose fields carry yaml
// tags (`yaml:"role"`), strictly: unknown keys and wrong types are *oidc.Error
// that name file and line. Fields may be strings, booleans, integers,
// time.Duration, any, and slices, string maps, pointers and structs of these. A key that is absent
// leaves its field as it was: the caller says what is required.
func (t *Target) Decode(v any) error {
	if t.decode == nil {
		return &oidc.Error{Stage: oidc.StageDecide, Message: "the block of provider " + strconv.Quote(t.Provider) + " was not read from a file"}
	}
	return t.decode(v)
}

// A Decision is the answer to "may these claims have this grant".
type Decision struct {
	Grant   string
	Admit   bool
	Reasons []Reason // why not, in order of the For fields; empty when admitted
}

// A Reason is one claim that differs.
type Reason struct {
	Claim string // wire name
	// Expected and Got are for people: lists are joined with ", ". Got is as the
	// token has it, which may be hostile: strip it before a terminal. Text and
	// Next are safe to print.
	Expected string
	Got      string
	Class    Class
	// Text is one lower-case line: what differs and the likely cause.
	Text string
	// Next is the line to change.
	Next string
}

// A Class is the kind of a difference, the first thing a person wants to know.
type Class string

// Reason classes.
const (
	ClassOther         Class = "differs"
	ClassEnvironment   Class = "environment-instead-of-ref"
	ClassNoEnvironment Class = "environment-missing"
	ClassImmutable     Class = "immutable-subject"
	ClassPullRequest   Class = "pull-request"
	ClassReusable      Class = "reusable-workflow"
	ClassCase          Class = "case-only"
	ClassAudience      Class = "audience"
	ClassIssuer        Class = "issuer"
	ClassTag           Class = "tag-instead-of-branch"
	ClassNoTag         Class = "branch-instead-of-tag"
	ClassBranch        Class = "other-branch"
	ClassEvent         Class = "event"
	ClassLowTrust      Class = "low-trust-event"
	ClassRunner        Class = "self-hosted-runner"
	ClassRepository    Class = "other-repository"
	ClassRenamed       Class = "renamed-repository"
	ClassExpired       Class = "expired"
	ClassRecreated     Class = "recreated-repository" // same name, other id
	ClassMissing       Class = "missing-claim"
	ClassInconsistent  Class = "claims-disagree" // sub says one thing, another claim says another
)

// Options are what Parse needs beside the file.
type Options struct {
	// Providers are the keys of a grant that are provider blocks: "aws".
	Providers []string
}

// Expect is what a decision needs beside the grant and the claims. The caller
// takes it from the job's surroundings or from flags, never from the claims.
type Expect struct {
	// Repository is owner/repo of the repository that holds the file. Without it
	// a grant that names no repository admits nothing.
	Repository string
	// Issuer and Audience are compared when they are not "".
	Issuer, Audience string
	// Now is compared with exp and nbf, where present, with a leeway of [Leeway].
	// The zero time leaves them unchecked, for a post-mortem with saved claims.
	Now time.Time
}

// Leeway is how far the clock of the job may be from the issuer's.
const Leeway = 30 * time.Second

// Decide compares claims with the grant. It does no I/O and is deterministic.
// The claims are compared among each other too: sub must agree with repository, environment
// and ref, so that claims put together by hand do not pass for a token's.
func (g *Grant) Decide(c oidc.Claims, want Expect) Decision { return g.decide(c, want) }

// Parse reads a grant file strictly: an unknown key below grants, a key given
// twice, a wrong type or value is an *oidc.Error that begins with path:line. path is used for messages only.
func Parse(path string, b []byte, opts Options) (*File, error) { return parse(path, b, opts) }

// Grant returns the grant by name; the error of a name that is not there lists
// the names that are, the nearest first.
func (f *File) Grant(name string) (*Grant, error) { return f.grant(name) }
