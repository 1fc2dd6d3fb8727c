package policy

// MaxDocumentBytes is the largest document that is read, in bytes. The largest
// that IAM stores for a role is 10,240 characters of inline policies, white space
// not counted (IAM quotas).
const MaxDocumentBytes = 32 << 10

// A Kind is what a document is attached to; it decides which elements it must
// and must not have.
type Kind int

// The kinds.
const (
	// Trust is a role's trust policy: principals and no resources.
	Trust Kind = iota
	// Identity is a policy of a role or of a session: resources and no principals.
	Identity
)

// A Document is one policy. It is made by [Parse] and not changed afterwards, so
// it may be shared between goroutines.
type Document struct {
	Kind Kind
	// Version is "2012-10-17" or "2008-10-17", the latter when the document names
	// none. Policy variables exist in the newer one only.
	Version    string
	ID         string
	Statements []Statement
	// Notes are the parts that evaluation does not read, in document order.
	Notes []Note
}

// A Note is a part of a document that is not read.
type Note struct {
	Statement int // index, from 0
	Text      string
	// Invalid is set where IAM refuses to store such a document; without it the
	// part is valid and merely beyond this package.
	Invalid bool
}

// Valid reports whether no part is known to be refused by IAM.
func (d *Document) Valid() bool {
	for _, n := range d.Notes {
		if n.Invalid {
			return false
		}
	}
	return true
}

// An Effect is what a statement does when it applies.
type Effect string

// The effects, spelt as in a document.
const (
	EffectAllow Effect = "Allow"
	EffectDeny  Effect = "Deny"
)

// A Statement is one statement; all its parts must match for it to apply.
type Statement struct {
	Sid    string
	Effect Effect

	// Principals are who it is about, in a Trust document. NotPrincipal turns it
	// round: everybody but them.
	Principals   []Principal
	NotPrincipal bool

	// Actions are patterns such as "s3:Get*", matched without regard to case.
	Actions   []string
	NotAction bool

	// Resources are ARN patterns, in an Identity document.
	Resources   []string
	NotResource bool

	Conditions []Condition

	actions, resources []operand
}

// A Principal is one entry of a Principal element. Type is "AWS", "Federated",
// "Service", "CanonicalUser", or "*" for everybody (then ID is "*" as well).
type Principal struct{ Type, ID string }

// A Condition is one key under one operator. Values are alternatives.
type Condition struct {
	Operator string // as written: "ForAnyValue:StringLikeIfExists"
	Key      string // as written; compared without regard to case
	Values   []string

	op       operator
	operands []operand
	// unread says why the condition is not read, "" when it is.
	unread string
}

// An operand is a value of a document, made ready to be compared.
type operand struct {
	raw string
	pat pattern
}
