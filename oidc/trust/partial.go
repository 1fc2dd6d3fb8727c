package trust

import (
	"bytes"

	"github.com/stint-dev/stint/oidc"
)

// Partial is a policy of which part is not known here. written is what stands in its
// text, each placeholder taken for a name; may reports whether a token that it refuses
// gets in with some other text in their place, and nil says that any may. Its answers
// are an upper bound, and never exact. Judge and Drift judge what is written.
func Partial(written Policy, may func(oidc.Claims) bool) Policy { return partial{written, may} }

type partial struct {
	Policy
	may func(oidc.Claims) bool
}

// Decide takes what is not known for what lets a token in.
func (p partial) Decide(c oidc.Claims) Answer {
	a := p.Policy.Decide(c)
	a.Exact = false
	if !a.Admits && (p.may == nil || p.may(c)) {
		a.Admits, a.Why = true, "part of the policy is not known here and may let it in; as written, "+a.Why
	}
	return a
}

// asWritten is what stands in the text of a policy.
func asWritten(p Policy) (text Policy, whole bool) {
	if part, ok := p.(partial); ok {
		return part.Policy, false
	}
	return p, true
}

// HasPlaceholders reports whether Body holds some text in place of an expression. Each is
// "unresolved-N", in which N counts the expressions of Unresolved from 1.
func (d Document) HasPlaceholders() bool {
	return len(d.Unresolved) > 0 && bytes.Contains(d.Body, []byte("unresolved-"))
}
