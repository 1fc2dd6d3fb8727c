package trust

import (
	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
)

// MaxDocumentBytes is the largest policy, export or infrastructure file that is read, in bytes.
const MaxDocumentBytes = 4 << 20

// A Cloud is what a provider's package knows of its cloud's locks. It is a value
// called Trust in each provider's package.
type Cloud struct {
	// Name is how the command line says it: "aws", "octo-sts".
	Name string
	// Audience is what the cloud expects in aud unless it is told otherwise; "" where
	// each installation has its own.
	Audience string
	// Find returns the locks of a file in one of the cloud's own forms: a policy, an
	// export of its command line tool. A file that is none of them gives nothing and
	// no error; an error is a file that is meant to be one and cannot be read.
	Find func(path string, b []byte) ([]Document, error)
	// Parse reads one lock. Errors are one lower-case line that quotes the document.
	Parse func(Document) (Policy, error)
	// Render writes the lock of a grant.
	Render func(*grant.Grant, *grant.Target, Repository) (Lock, error)
}

// A Document is one lock as it was found.
type Document struct {
	Cloud string
	// Path and Line say where it is; Name is its name there, such as the address
	// aws_iam_role.deploy in a Terraform file. Line counts from 1; it is 0 for a lock
	// that was read from the cloud itself, whose Path is what the cloud calls it.
	Path string
	Line int
	Name string
	// Body is what the cloud itself would be sent: JSON, or YAML for octo-sts.
	Body []byte
	// Unresolved are the expressions of an infrastructure file for which Body holds a
	// placeholder, as written. The policy is then no more than a lower bound of its text, and
	// its answers are not exact.
	Unresolved []string
}

// A Policy is one lock that was read. It has no clock, no network and no state, and is
// safe for concurrent use.
type Policy interface {
	// Decide answers whether the cloud takes a token with these claims. Signature and
	// time are not its business.
	Decide(oidc.Claims) Answer
	// Audience is what the relying party expects in aud, as far as the policy or the
	// cloud's default says; "" when neither does.
	Audience() string
	// Targets are the workloads that the policy means, as far as its text names any.
	Targets() []Target
	// Review returns what the text of the policy tells beyond its answers, in the
	// cloud's own terms; Judge adds the rest.
	Review() []Finding
}

// An Answer is what a lock says to one token.
type Answer struct {
	// Admits is an upper bound when Exact is not set.
	Admits bool `json:"admits"`
	// Exact is set when nothing that was not read took part.
	Exact bool `json:"exact"`
	// Why is one lower-case line without control characters.
	Why string `json:"why"`
}

// A Target is a workload, as far as it is known; an empty field is not known.
type Target struct {
	Owner, Repository     string // "acme" and "app"
	OwnerID, RepositoryID string // decimal
	Ref                   string // "refs/heads/main"
	Environment           string
	Workflow              string // path in the repository
	Called                string // owner/repo/path@ref of a reusable workflow
	// Immutable says that its subjects carry the ids: repo:acme@1001/app@2001:…
	Immutable bool
	// Subject is the sub claim as the text writes it, wildcards and all; "" when it
	// names none.
	Subject string
	// Issuer is the token issuer; "" is github.com's. Audience is what aud should be.
	Issuer, Audience string
	// Claims are the values that the text names for other claims, by wire name:
	// actor_id, event_name, runner_environment.
	Claims map[string]string
}

// A Grade is how much a lock lets in, seen from what it was written for.
type Grade string

// The grades, worst last but for Invalid and Dead, which admit nothing they should.
const (
	// Good: one exact ref, or an environment together with its ref, or one exact
	// called workflow, of one named repository.
	Good Grade = "good"
	// Caution: bound to the right owner or repository but wider than that, or as
	// strong as something outside the policy, such as an environment's protection.
	Caution Grade = "caution"
	// Bad: other owners, other repositories, pull requests or unintended refs get
	// in, or the control does nothing.
	Bad Grade = "bad"
	// Dead: never admits what it was written for.
	Dead Grade = "dead"
	// Invalid: the cloud refuses to store it today; it may exist from before.
	Invalid Grade = "invalid"
)

// A Finding is one thing that is wrong with a lock.
type Finding struct {
	// Class is a short kebab-case name of the defect, the same for all clouds: "any-repository".
	Class string `json:"class"`
	// Severity is "info", "low", "medium", "high" or "critical".
	Severity string `json:"severity"`
	// Message says what gets in or what is broken, in one line.
	Message string `json:"message"`
	// Next is the next step, in one line.
	Next string `json:"next,omitempty"`
	// Witness are claims that the lock admits and should not, or refuses and should
	// not; nil where no token shows the defect.
	Witness map[string]string `json:"witness,omitempty"`
	// Grade is the best grade that a lock with this finding can have; "" leaves it open.
	Grade Grade `json:"-"`
	// Replaces are classes that Judge need not find as well, because this finding says it.
	Replaces []string `json:"-"`
}

// A Repository is the repository of a grant, as its host knows it.
type Repository struct {
	// Name is owner/repo.
	Name string
	// OwnerID and ID are decimal, "" when not known.
	OwnerID, ID string
	// Subject says which form the sub claim has. A repository made, renamed or moved
	// on github.com after 2026-07-15 has the immutable one; others may choose it.
	Subject SubjectForm
	// Issuer is the token issuer; "" is github.com's.
	Issuer string
}

// A SubjectForm is how a repository's tokens spell sub.
type SubjectForm string

// The subject forms.
const (
	NameSubject      SubjectForm = "name"      // repo:acme/app:…
	ImmutableSubject SubjectForm = "immutable" // repo:acme@1001/app@2001:…
	EitherSubject    SubjectForm = "either"    // a lock that takes both
)

// A Lock is a grant, rendered.
type Lock struct {
	Cloud string `json:"cloud"`
	// Documents are what the cloud is sent, the trust first; for a registry, the
	// fields of its form.
	Documents []Rendered `json:"documents"`
	// Terraform and CLI do the same through the tools; "" where there is no such way.
	Terraform string `json:"terraform,omitempty"`
	CLI       string `json:"cli,omitempty"`
	// AlsoAdmits is what the lock cannot express. It is empty when the lock admits
	// exactly what the grant does.
	AlsoAdmits []Residue `json:"also_admits"`
	// Policy is the trust document read back, to be asked.
	Policy Policy `json:"-"`
}

// A Rendered is one document of a lock: "trust-policy", in a form ready to be sent.
type Rendered struct {
	Name string `json:"name"`
	Body string `json:"body"`
}

// A Residue is one condition of a grant that a lock cannot express. The lock admits a
// token that [grant.Grant.Decide] refuses if and only if the grant would admit the same
// job with other values of the residue's claims.
type Residue struct {
	// Claim is the wire name of the claim that the lock does not look at.
	Claim string `json:"claim"`
	// Text says in one line what is let in because of it.
	Text string `json:"text"`
}
