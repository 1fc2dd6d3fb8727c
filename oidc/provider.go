package oidc

import (
	"context"
	"time"
)

// A Request is what a lease asks of a provider.
type Request struct {
	// Source gives the id-tokens; a provider takes a fresh one for each attempt.
	Source Source
	// TTL is how long the credential is wanted; never longer is accepted.
	TTL time.Duration
	// Run names the run, for session names and audit fields.
	Run Run
}

// A Run identifies the job that asks, from the token's claims where they say so.
type Run struct {
	Repository string // owner/repo
	ID         string // run_id
	Attempt    string // run_attempt
	Job        string // GITHUB_JOB: a label, not a claim
	URL        string
}

// A Provider trades id-tokens for the credentials of one cloud under one grant.
// It is made from the grant's own block and is safe for concurrent use.
type Provider interface {
	// Name is the provider's key in the grant file: "aws".
	Name() string
	// Audience is the audience its id-tokens must have.
	Audience() string
	// Exchange asks for a credential. It retries what its cloud's rules allow,
	// each time with a fresh token, within ctx. Errors are *Error.
	Exchange(ctx context.Context, req Request) (*Credential, error)
	// Verify compares what was issued with what the grant asks for: identity,
	// lifetime, rights where the reply states them. It is called before any of
	// the credential is handed over; an error means that nothing may be.
	Verify(c *Credential, req Request) error
	// End ends the credential where the cloud can and checks that it did. It is
	// idempotent and must work from the Handle alone, in another process.
	End(ctx context.Context, h Handle) Ending
}

// A Credential is what a provider issued.
type Credential struct {
	// Vars are the environment variables by which the cloud's own tools take the
	// credential, in the order to set them.
	Vars []Var
	// Files are what the cloud's tools read from disk.
	Files []PrivateFile
	// Identity is who the cloud says the bearer is, e.g. an assumed-role ARN.
	Identity string
	// Expires is when the cloud says that it ends. UsableUntil is when it stops
	// being of use, which a deny in its own policy may put earlier; never later.
	Expires, UsableUntil time.Time
	// Handle is what End and receipts need.
	Handle Handle
	// Facts are public details for receipts and summaries: session name, request
	// id, packed policy size. No secrets.
	Facts map[string]string
}

// A Var is one variable of a hand-over; Secret says whether its value is masked.
type Var struct {
	Name   string
	Value  Secret
	Public bool // region, role name: not masked
}

// A PrivateFile is a file of a hand-over. It is written into a directory of the
// lease's own that only this user may read, and removed when the lease ends.
type PrivateFile struct {
	// Name is the file's name in that directory, one path element.
	Name string
	// Var is the environment variable that gets the file's absolute path.
	Var     string
	Content Secret
}

// A Brokered provider can be asked by the cloud's own tools through an endpoint on
// loopback, for as long as a command runs. The broker gives each lease an URL and a
// bearer of its own, and keeps the credential fresh; the provider knows only what its
// cloud's tools say and expect.
type Brokered interface {
	Provider
	// Point returns what sends the tools to url with the bearer, in place of the
	// variables and files of the credential itself. A file without content is for tools
	// that ask a file instead of an endpoint: the broker fills it with the Answer and
	// replaces it, whole, at least every [FileLife].
	Point(url string, bearer Secret) ([]Var, []PrivateFile)
	// Answer returns the body of one reply, in application/json unless the provider's
	// documentation says otherwise. It may take a fresh id-token from the request's source.
	Answer(ctx context.Context, c *Credential, req Request) (Secret, error)
}

// FileLife is how long a file that a broker keeps fresh may hold the same Answer. An
// id-token, which is what such files hold, lives five minutes as seen on github.com.
const FileLife = 2 * time.Minute

// A Filed provider can be handed over without a secret in a variable: its tools read
// what they need from private files.
type Filed interface {
	Provider
	// InFiles returns the credential in that form, in place of its own variables and files.
	InFiles(c *Credential) ([]Var, []PrivateFile)
}

// A Renewed provider can keep what it issued alive without a new exchange, as Vault
// does; what cannot be renewed any more is exchanged anew.
type Renewed interface {
	Provider
	// Renew extends the credential in place, never beyond req.TTL from now.
	Renew(ctx context.Context, c *Credential, req Request) (*Credential, error)
}

// A Handle names an open credential to the process that ends it. It is stored
// between main and post of the action.
type Handle struct {
	Provider string `json:"provider"`
	Grant    string `json:"grant"`
	// ID is the public id by which the cloud's log names the credential (access key id).
	ID          string    `json:"id"`
	Identity    string    `json:"identity"`
	Expires     time.Time `json:"expires"`
	UsableUntil time.Time `json:"usable_until"`
	// Endpoint is the server that issued it, as an URL, where the grant named another
	// than the cloud's own and End must call it.
	Endpoint string `json:"endpoint,omitempty"`
	// Revoke is the token that revocation needs, for clouds that have it. AWS has
	// none and leaves it empty. It is the only secret that a state may hold.
	Revoke string `json:"revoke,omitempty"`
}

// An Outcome is how a credential ended, in words that claim no more than is true.
type Outcome string

// The outcomes.
const (
	// Revoked: the cloud ended it and a check afterwards confirmed that, or, where the
	// cloud has nothing to check with, its own answer did; Detail says which.
	Revoked Outcome = "revoked"
	// Expires: the cloud has no way to end it; it stays valid until its time.
	Expires Outcome = "expires"
	// Expired: its time had already passed.
	Expired Outcome = "expired"
	// Open: an attempt to end it failed or could not be confirmed.
	Open Outcome = "open"
)

// An Ending is the end of one credential.
type Ending struct {
	Outcome Outcome   `json:"outcome"`
	At      time.Time `json:"at"` // when it was ended, or when it expires
	// Detail is one lower-case line for the summary.
	Detail string `json:"detail"`
}
