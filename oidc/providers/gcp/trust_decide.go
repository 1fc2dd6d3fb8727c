package gcp

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/gcp/cel"
	"github.com/stint-dev/stint/oidc/trust"
)

// Decide asks the provider and then the members. What is not read never refuses.
func (l *lock) Decide(c oidc.Claims) trust.Answer {
	a := l.decide(c)
	a.Exact, a.Why = a.Exact && !l.open, printable(a.Why)
	return a
}

// printable is one line without control characters.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}

func refusal(format string, args ...any) trust.Answer {
	return trust.Answer{Exact: true, Why: fmt.Sprintf(format, args...)}
}

func (l *lock) decide(c oidc.Claims) trust.Answer {
	a := trust.Answer{Admits: true, Exact: true}
	doubt := func(why string) {
		if a.Exact {
			a.Exact, a.Why = false, why
		}
	}
	if !l.body.hasProvider() {
		return l.membersAlone()
	}
	if why := l.outside(c); why != "" {
		return refusal("%s", why)
	}
	sure, why := l.takesAudience(c)
	switch {
	case why != "":
		return refusal("%s", why)
	case !sure:
		doubt("the provider's own name, which is its audience, is not known")
	}
	ids, why, doubtful := l.identity(c)
	if why != "" {
		return refusal("%s", why)
	}
	if doubtful != "" {
		doubt(doubtful)
	}
	outcome, why := l.conditionOutcome(ids)
	switch {
	case !outcome.Can(cel.True):
		return refusal("the condition refuses: %s", why)
	case !outcome.Only(cel.True):
		doubt("the condition is not read in full: " + why)
	}
	bound, why := l.bound(ids)
	switch bound {
	case no:
		return refusal("%s", why)
	case maybe:
		doubt(why)
	}
	if a.Exact {
		a.Why = "the condition holds, and " + why
	}
	return a
}

// membersAlone is the answer where only an IAM policy is known.
func (l *lock) membersAlone() trust.Answer {
	for _, m := range l.members {
		if m.kind != otherMember {
			return trust.Answer{Admits: true, Why: "the provider of the pool is not in this file: its mapping and its condition decide"}
		}
	}
	return refusal("no member is of a workload identity pool")
}

// outside says why the provider does not look at the token at all.
func (l *lock) outside(c oidc.Claims) string {
	switch {
	case l.body.Disabled:
		return "the provider is disabled"
	case l.body.State == "DELETED":
		return "the provider is deleted"
	case l.body.OIDC == nil && l.body.otherKind():
		return "the provider takes no id-tokens"
	case l.body.OIDC != nil && c.Get("iss") != l.body.OIDC.IssuerURI:
		return fmt.Sprintf("iss is %.200q, the provider is for %.200q", c.Get("iss"), l.body.OIDC.IssuerURI)
	}
	return ""
}

// takesAudience compares aud with the allowed audiences, else with the provider's own
// name, with and without its scheme. Where the name is not known, sure is not set for
// what could be it.
func (l *lock) takesAudience(c oidc.Claims) (sure bool, why string) {
	var allowed []string
	if l.body.OIDC != nil {
		allowed = l.body.OIDC.AllowedAudiences
	}
	for _, aud := range c.Audience {
		if slices.Contains(allowed, aud) {
			return true, ""
		}
		if len(allowed) > 0 {
			continue
		}
		own, ok := strings.CutPrefix(strings.TrimPrefix(aud, "https:"), "//iam.googleapis.com/")
		m := providerName.FindStringSubmatch(own)
		switch {
		case !ok || m == nil:
		case aud == l.Audience() || "https:"+aud == l.Audience():
			return true, ""
		case l.provider == "" && (l.pool.id == "" || l.pool == pool{m[1], m[2]}):
			return false, ""
		}
	}
	return false, fmt.Sprintf("aud is %.200q, the provider expects %.200q", strings.Join(c.Audience, ", "), strings.Join(append(allowed, l.defaultAudience(allowed)...), ", "))
}

func (l *lock) defaultAudience(allowed []string) []string {
	if len(allowed) > 0 {
		return nil
	}
	return []string{l.Audience()}
}

// An identity is what a mapping makes of a token.
type identity struct {
	claims, google, attribute cel.Value
	subject                   string
	groups                    cel.Value
	attributes                map[string]cel.Value // by their whole names
}

// identity maps the token. why is why Google refuses to; doubtful is set where it is
// not known what Google does, as with an attribute whose claim is absent.
func (l *lock) identity(c oidc.Claims) (out identity, why, doubtful string) {
	out = identity{claims: assertion(c), attributes: map[string]cel.Value{}, groups: cel.Texts(nil)}
	vars := cel.Vars{"assertion": out.claims}
	custom := map[string]cel.Value{}
	google := map[string]cel.Value{}
	for _, key := range sortedKeys(l.body.AttributeMapping) {
		v := cel.Open("the mapping of " + key)
		if x := l.mapping[key]; x != nil {
			v = x.Evaluate(vars)
		}
		switch _, isText := v.AsText(); {
		case key == subjectAttribute:
			out.subject, why = subjectOf(v)
			google["subject"] = v
			if v.IsOpen() {
				doubtful = "the mapping of google.subject is not read in full"
			}
		case key == groupsAttribute:
			out.groups, google["groups"] = v, v
		default:
			if !isText && doubtful == "" {
				doubtful = fmt.Sprintf("%s is mapped to what is no text here (%s); the exchange may fail", key, v.Why())
			}
			if v.IsOpen() {
				v = cel.Open(key)
			}
			out.attributes[key] = v
			custom[strings.TrimPrefix(key, customPrefix)] = v
		}
		if why != "" {
			return out, why, ""
		}
	}
	if _, ok := l.body.AttributeMapping[subjectAttribute]; !ok {
		return out, "google.subject is not mapped", ""
	}
	out.google, out.attribute = cel.Object(google), cel.Object(custom)
	return out, "", doubtful
}

// subjectOf reads what google.subject is mapped to. Google refuses another type, and
// more than 127 bytes.
func subjectOf(v cel.Value) (subject, why string) {
	s, ok := v.AsText()
	switch {
	case v.IsOpen():
		return "", ""
	case !ok && v.Why() != "":
		return "", "google.subject cannot be mapped: " + v.Why()
	case !ok:
		return "", "google.subject is not mapped to a text"
	case s == "":
		return "", "google.subject is empty"
	case len(s) > maxSubjectBytes:
		return "", fmt.Sprintf("google.subject has %d bytes; google takes %d", len(s), maxSubjectBytes)
	}
	return s, ""
}

// assertion is the variable of that name. GitHub's claims are strings but for the
// times.
func assertion(c oidc.Claims) cel.Value {
	fields := make(map[string]cel.Value, len(c.Values))
	for name, value := range c.Values {
		fields[name] = cel.Text(value)
	}
	for _, name := range []string{"exp", "iat", "nbf"} {
		if n, err := strconv.ParseInt(c.Get(name), 10, 64); err == nil {
			fields[name] = cel.Number(n)
		}
	}
	if len(c.Audience) > 1 {
		fields["aud"] = cel.Texts(c.Audience)
	}
	return cel.Object(fields)
}

func (id identity) vars() cel.Vars {
	return cel.Vars{"assertion": id.claims, "google": id.google, "attribute": id.attribute}
}

// conditionOutcome evaluates the condition, and names the part of it that does not
// hold or is not read.
func (l *lock) conditionOutcome(id identity) (cel.Outcome, string) {
	switch {
	case !l.hasCondition():
		return cel.True, ""
	case l.condition == nil:
		return cel.True | cel.False, "it is no expression"
	}
	whole := l.condition.Evaluate(id.vars()).Outcome()
	for _, n := range conjuncts(l.condition.Root) {
		v := cel.Evaluate(n, id.vars())
		if part := v.Outcome(); !part.Can(cel.True) || !whole.Only(cel.True) && whole.Can(cel.True) && !part.Only(cel.True) {
			why := fmt.Sprintf("%.200q", n.Source)
			if v.Why() != "" {
				why += fmt.Sprintf(" (%.200q)", v.Why())
			}
			return whole, why
		}
	}
	return whole, fmt.Sprintf("%.200q", l.condition.Root.Source)
}

// conjuncts are the parts of a condition that must all hold.
func conjuncts(n *cel.Node) []*cel.Node {
	if n.Kind == cel.Call && n.Name == "&&" {
		return append(conjuncts(n.Args[0]), conjuncts(n.Args[1])...)
	}
	return []*cel.Node{n}
}

// A truth is an answer that may be open.
type truth uint8

const (
	no truth = iota
	maybe
	yes
)

// bound reports whether a member means the identity, and which.
func (l *lock) bound(id identity) (truth, string) {
	if !l.known {
		return maybe, "the members that are bound to the pool are not in this file"
	}
	best, why := no, "no member means this identity"
	for _, m := range l.members {
		t := l.means(m, id)
		if t == yes && m.conditional {
			t = maybe
		}
		if t > best {
			best, why = t, fmt.Sprintf("member %.300q means it", m.text)
			if t == maybe {
				why = fmt.Sprintf("member %.300q may mean it", m.text)
			}
		}
	}
	return best, why
}

func (l *lock) means(m member, id identity) truth {
	if m.kind == otherMember || l.pool != m.pool {
		return no
	}
	switch m.kind {
	case wholePool:
		return yes
	case oneSubject:
		v := id.subjectValue()
		return textIs(v, m.value)
	case oneGroup:
		return groupsHave(id.groups, m.value)
	}
	v, ok := id.attributes[m.attribute]
	if !ok {
		return no
	}
	return textIs(v, m.value)
}

func (id identity) subjectValue() cel.Value {
	if id.subject == "" {
		return cel.Open(subjectAttribute)
	}
	return cel.Text(id.subject)
}

func textIs(v cel.Value, want string) truth {
	got, ok := v.AsText()
	switch {
	case v.IsOpen():
		return maybe
	case ok && got == want:
		return yes
	}
	return no
}

func groupsHave(groups cel.Value, want string) truth {
	out := cel.In(cel.Text(want), groups)
	switch {
	case out.Only(cel.True):
		return yes
	case out.Can(cel.True):
		return maybe
	}
	return no
}
