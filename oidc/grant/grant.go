package grant

import (
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
	Name   string
	Line   int
	Intent string
	Owner  string
	For    For
	TTL    time.Duration
	// Targets are the provider blocks, one or more, in file order.
	Targets []*Target
	// Digest is "sha256:…" of the grant's canonical form, for receipts.
	Digest string
}

// For is who may have the grant. A list admits any of its entries; an empty
// field admits any value except where the comment says otherwise.
type For struct {
	Workflow                        string   // path of the workflow file; compared with workflow_ref (or job_workflow_ref, see Called)
	Called                          string   // owner/repo/path@ref of the reusable workflow whose job asks; "" refuses called jobs
	Refs                            []string // exact, or a prefix that ends in "/*" after refs/heads/ or refs/tags/
	Environment                     string   // "" admits only jobs without an environment
	Events                          []string // empty admits the events of normal trust only
	Repository                      string   // owner/repo; "" admits the repository that holds the file
	RepositoryID, RepositoryOwnerID string
	Actors                          []string
	// Runner is "github-hosted" (default), "self-hosted" or "any".
	Runner string
	// RefProtected demands ref_protected "true".
	RefProtected bool
}

// A Target is one provider's block, kept as YAML until the provider reads it.
type Target struct {
	Provider string
	Line     int
	decode   func(v any) error
}

// Decode reads the block into v strictly: unknown keys and wrong types are
// errors that name file and line.
func (t *Target) Decode(v any) error { return t.decode(v) }

// A Decision is the answer to "may these claims have this grant".
type Decision struct {
	Grant   string
	Admit   bool
	Reasons []Reason // why not, in order of the For fields; empty when admitted
}

// A Reason is one claim that differs.
type Reason struct {
	Claim    string // wire name
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
	ClassBranch        Class = "other-branch"
	ClassEvent         Class = "event"
	ClassLowTrust      Class = "low-trust-event"
	ClassRunner        Class = "self-hosted-runner"
	ClassRepository    Class = "other-repository"
	ClassRenamed       Class = "renamed-repository"
	ClassExpired       Class = "expired"
)

// Decide compares claims with the grant. now is used for exp and nbf only, with
// a leeway of 30 seconds. It does no I/O and is deterministic.
func (g *Grant) Decide(c oidc.Claims, now time.Time) Decision { return g.decide(c, now) }

// Parse reads a grant file strictly. Errors are *oidc.Error with file:line.
func Parse(path string, b []byte) (*File, error) { return parse(path, b) }

// Grant returns the grant by name; the error of a name that is not there lists
// the names that are, the nearest first.
func (f *File) Grant(name string) (*Grant, error) { return f.grant(name) }
