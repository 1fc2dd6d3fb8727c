package policy

import (
	"fmt"
	"strings"
)

// A Request is what is asked of a policy.
type Request struct {
	Principal Caller
	// Action is "service:Name".
	Action string
	// Resource is an ARN; a Trust document does not look at it.
	Resource string
	// Context holds the condition keys of the request. Names are compared without
	// regard to case; a key without values is absent.
	Context map[string][]string
	// Unknown reports, for a key that is not in Context, that the request may have
	// it all the same; a condition on it is then unread. Nil means that every
	// other key is absent. The key comes in lower case.
	Unknown func(key string) bool
}

// A Caller is who asks.
type Caller struct {
	// Type is the kind of principal: "Federated" or "AWS".
	Type string
	// IDs are the names by which a policy may mean the caller: the provider's ARN,
	// or a session's ARN and that of its role.
	IDs []string
}

// An Outcome is the answer of a policy. The order is from refused to admitted.
type Outcome uint8

// The outcomes.
const (
	// Deny: certainly refused, by a Deny or for want of an Allow.
	Deny Outcome = iota
	// Unknown: admitted if what was not read turns out that way; count it as
	// admitted when asking who could get in.
	Unknown
	// Allow: certainly admitted.
	Allow
)

// String returns "deny", "unknown" or "allow".
func (o Outcome) String() string {
	switch o {
	case Allow:
		return "allow"
	case Unknown:
		return "unknown"
	}
	return "deny"
}

// A Decision is an outcome and the statement that made it.
type Decision struct {
	Outcome Outcome
	// Statement is the index of the statement that decided, -1 where none applied.
	Statement int
	Sid       string
	// Why is one lower-case line. Values of the request in it are quoted, so it has
	// no control characters.
	Why string
}

// Explicit reports whether a Deny statement refused.
func (d Decision) Explicit() bool { return d.Outcome == Deny && d.Statement >= 0 }

// Evaluate decides a request by one document: a Deny that applies wins, else an
// Allow that applies, else it is refused.
func (d *Document) Evaluate(r Request) Decision {
	return Evaluate(r, d)
}

// Evaluate decides a request by the union of several documents, as IAM does with
// all policies of a role. Without documents it is refused. Statement counts
// through all of them.
func Evaluate(r Request, docs ...*Document) Decision {
	e := evaluation{request: r, context: lowerKeys(r.Context), allow: no, deny: no}
	e.allowBy, e.denyBy = none, none
	index := 0
	for _, d := range docs {
		for i := range d.Statements {
			e.statement(d, &d.Statements[i], index)
			index++
		}
	}
	return e.decision()
}

// Intersect decides by several kinds of policy that must all admit, such as a
// role's own and its session's. The least outcome wins; among refusals an
// explicit one does.
func Intersect(first Decision, more ...Decision) Decision {
	least := first
	for _, d := range more {
		if d.Outcome < least.Outcome || d.Explicit() && !least.Explicit() {
			least = d
		}
	}
	return least
}

func lowerKeys(m map[string][]string) map[string][]string {
	lower := make(map[string][]string, len(m))
	for k, v := range m {
		if len(v) > 0 {
			lower[strings.ToLower(k)] = v
		}
	}
	return lower
}

// A finding is how far one statement applies.
type finding struct {
	index int
	sid   string
	why   string
}

var none = finding{index: -1}

// An evaluation is one walk over the statements.
type evaluation struct {
	request         Request
	context         map[string][]string
	allow, deny     truth
	allowBy, denyBy finding
	misses          []string // why each Allow does not apply
}

// maxMisses bounds how many reasons a refusal lists.
const maxMisses = 4

func (e *evaluation) statement(d *Document, s *Statement, index int) {
	applies, why := e.applies(d, s)
	f := finding{index, s.Sid, why}
	switch {
	case s.Effect == EffectDeny && applies > e.deny:
		e.deny, e.denyBy = applies, f
	case s.Effect == EffectAllow && applies > e.allow:
		e.allow, e.allowBy = applies, f
	case s.Effect == EffectAllow && applies == no && len(e.misses) < maxMisses:
		e.misses = append(e.misses, f.name()+": "+why)
	}
}

func (e *evaluation) decision() Decision {
	switch {
	case e.deny == yes:
		return e.denyBy.decision(Deny, "denied by "+e.denyBy.name())
	case e.allow == yes && e.deny == unknown:
		return e.denyBy.decision(Unknown, e.denyBy.name()+" may deny: "+e.denyBy.why)
	case e.allow == yes:
		return e.allowBy.decision(Allow, "allowed by "+e.allowBy.name())
	case e.allow == unknown:
		return e.allowBy.decision(Unknown, e.allowBy.name()+" may allow: "+e.allowBy.why)
	case len(e.misses) > 0:
		return none.decision(Deny, "no statement allows it: "+strings.Join(e.misses, "; "))
	}
	return none.decision(Deny, "no statement allows anything")
}

func (f finding) decision(o Outcome, why string) Decision {
	return Decision{Outcome: o, Statement: f.index, Sid: f.sid, Why: why}
}

func (f finding) name() string {
	if f.sid != "" {
		return fmt.Sprintf("statement %d (%.200q)", f.index+1, f.sid)
	}
	return fmt.Sprintf("statement %d", f.index+1)
}

// applies says whether all parts of a statement match, and why not or what is
// unread.
func (e *evaluation) applies(d *Document, s *Statement) (truth, string) {
	result, why := e.action(s), fmt.Sprintf("action %.200q is not in it", e.request.Action)
	add := func(t truth, reason string) {
		if t < result {
			result, why = t, reason
		}
	}
	switch d.Kind {
	case Trust:
		add(e.principal(s), "it is about other principals")
	case Identity:
		add(e.resource(s), fmt.Sprintf("resource %.200q is not in it or holds a variable", e.request.Resource))
	}
	for i := range s.Conditions {
		if result == no {
			break
		}
		t, reason := e.condition(&s.Conditions[i])
		add(t, reason)
	}
	return result, why
}

func (e *evaluation) action(s *Statement) truth {
	result := no
	for _, a := range s.actions {
		result = result.or(a.pat.match(e.request.Action, true))
	}
	return negate(result, s.NotAction)
}

func (e *evaluation) resource(s *Statement) truth {
	result := no
	for _, r := range s.resources {
		result = result.or(r.pat.matchARN(e.request.Resource))
	}
	return negate(result, s.NotResource)
}

func (e *evaluation) principal(s *Statement) truth {
	result := no
	for _, p := range s.Principals {
		result = result.or(truthOf(p.names(e.request.Principal)))
	}
	return negate(result, s.NotPrincipal)
}

func negate(t truth, negated bool) truth {
	if negated {
		return t.not()
	}
	return t
}

// names reports whether a principal of a policy means the caller. Wildcards
// inside a name have no meaning; a bare "*" under AWS means everybody, as does a
// Principal of "*". An account means all of its identities, not a provider.
func (p Principal) names(c Caller) bool {
	if p.Type == "*" || p.Type == "AWS" && p.ID == "*" {
		return true
	}
	if p.Type != c.Type {
		return false
	}
	for _, id := range c.IDs {
		if p.ID == "*" || p.ID == id || p.Type == "AWS" && p.isAccountOf(id) {
			return true
		}
	}
	return false
}

func (p Principal) isAccountOf(arn string) bool {
	parts := strings.SplitN(arn, ":", arnParts)
	if len(parts) < arnParts || parts[4] == "" {
		return false
	}
	return p.ID == parts[4] || p.ID == strings.Join([]string{"arn", parts[1], "iam", "", parts[4], "root"}, ":")
}
