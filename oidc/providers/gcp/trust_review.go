package gcp

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc/providers/gcp/cel"
	"github.com/stint-dev/stint/oidc/trust"
)

// forgeable are claims whose values anyone can have in a repository of their own.
var forgeable = []string{
	"actor", "actor_id", "base_ref", "environment", "event_name", "head_ref", "ref", "ref_protected", "ref_type",
	"repository_visibility", "run_attempt", "runner_environment", "workflow", "aud",
}

// identifying are claims of which a part says nothing: a longer name is another's.
var identifying = []string{"sub", "repository", "repository_owner", "repository_id", "repository_owner_id", "workflow_ref", "job_workflow_ref"}

// Review returns what the text tells beyond the answers.
func (l *lock) Review() []trust.Finding {
	r := &review{lock: l, strangers: l.strangersPass()}
	for _, why := range l.broken {
		r.add("invalid", trust.Invalid, why)
	}
	if !l.body.hasProvider() {
		r.add("not-resolved", "", "the provider of the pool is not in this file: its mapping and its condition are not known")
	} else {
		r.issuer()
		r.condition()
	}
	r.bindings()
	return r.found
}

// A review collects findings.
type review struct {
	lock *lock
	// strangers says that the condition admits tokens of any repository.
	strangers bool
	found     []trust.Finding
}

// add adds a finding with words of its own, or of its class when message is "".
func (r *review) add(class string, grade trust.Grade, message string, replaces ...string) {
	f := trust.Found(class, grade)
	if message != "" {
		f.Message = message
	}
	f.Message, f.Replaces = printable(f.Message), replaces
	if slices.ContainsFunc(r.found, func(g trust.Finding) bool { return g.Class == f.Class && g.Message == f.Message }) {
		return
	}
	r.found = append(r.found, f)
}

func (r *review) issuer() {
	if r.lock.body.OIDC == nil {
		return
	}
	switch uri := r.lock.body.OIDC.IssuerURI; {
	case strings.HasPrefix(uri, trust.GitHubIssuer) && strings.HasSuffix(uri, "/"):
		r.add("wrong-issuer", trust.Dead, "")
	case strings.Contains(uri, "vstoken.actions."):
		r.add("old-issuer", trust.Dead, "")
	}
}

// strangersPass reports whether the condition admits tokens of repositories that
// nothing names.
func (l *lock) strangersPass() bool {
	if !l.hasCondition() {
		return true
	}
	for _, probe := range trust.Probes(trust.Target{}) {
		if probe.Name != "workload" && probe.Name != "outsider" {
			continue
		}
		id, why, _ := l.identity(probe.Claims)
		if outcome, _ := l.conditionOutcome(id); why != "" || !outcome.Only(cel.True) {
			return false
		}
	}
	return true
}

// narrow reports whether each member names one subject or repository, so that the
// condition is not all there is.
func (l *lock) narrow() bool {
	for _, m := range l.members {
		claim := l.claimOf(m.attribute)
		if m.kind == oneSubject || m.kind == otherMember || m.kind == oneAttribute && slices.Contains(identifying, claim) && claim != "job_workflow_ref" {
			continue
		}
		return false
	}
	return l.known
}

func (r *review) condition() {
	l := r.lock
	grade := trust.Bad
	if l.narrow() {
		grade = trust.Caution
	}
	switch {
	case !l.hasCondition():
		r.add("no-condition", grade, "", "no-subject", "any-owner")
		r.soften()
	case l.condition != nil && r.strangers:
		r.add("tautology", grade, "the condition tells no repository from another: tokens of anyone's pass", "no-subject", "any-owner")
		r.soften()
	}
	if l.condition == nil {
		return
	}
	r.unmapped(l.condition.Root)
	for _, n := range conjuncts(l.condition.Root) {
		r.part(n, true)
	}
}

// soften lowers what the members make up for.
func (r *review) soften() {
	if r.lock.narrow() {
		f := &r.found[len(r.found)-1]
		f.Severity, f.Message = "medium", f.Message+"; the members alone tell repositories apart"
	}
}

// unmapped looks for attributes that are compared and not mapped.
func (r *review) unmapped(n *cel.Node) {
	if n.Kind == cel.Select && n.Args[0].Kind == cel.Ident && n.Args[0].Name == "attribute" {
		if _, ok := r.lock.body.AttributeMapping[customPrefix+n.Name]; !ok {
			r.add("invalid", trust.Invalid, fmt.Sprintf("the condition looks at attribute.%.100s, which is not mapped", n.Name))
		}
	}
	for _, arg := range n.Args {
		r.unmapped(arg)
	}
}

// part looks at one part of the condition; alone is set where it must hold by itself.
func (r *review) part(n *cel.Node, alone bool) {
	if n.Kind != cel.Call || len(n.Args) == 0 {
		return
	}
	if claim, values, ok := r.lock.comparison(n); ok {
		r.values(n, claim, values, alone)
		return
	}
	if claim, literal, ok := r.lock.textTest(n); ok {
		r.substring(n, claim, literal)
		return
	}
	if _, values, ok := r.lock.comparison(n.Args[0]); ok && n.Name == "!" && alone {
		r.negated(n, values, true)
	}
	for _, arg := range n.Args {
		r.part(arg, false)
	}
}

// comparison reads claim == literal, claim != literal and claim in [literals].
func (l *lock) comparison(n *cel.Node) (claim string, values []cel.Value, ok bool) {
	if n.Kind != cel.Call || len(n.Args) != 2 || n.Name != "==" && n.Name != "!=" && n.Name != "in" || n.Method {
		return "", nil, false
	}
	left, right := n.Args[0], n.Args[1]
	if n.Name != "in" && left.Kind == cel.Literal {
		left, right = right, left
	}
	if claim = l.claim(left); claim == "" {
		return "", nil, false
	}
	items := []*cel.Node{right}
	if n.Name == "in" {
		if items = right.Args; right.Kind != cel.List {
			return "", nil, false
		}
	}
	for _, item := range items {
		if item.Kind != cel.Literal {
			return "", nil, false
		}
		values = append(values, item.Literal)
	}
	return claim, values, true
}

// textTest reads claim.contains(literal) and its like.
func (l *lock) textTest(n *cel.Node) (claim, literal string, ok bool) {
	if !n.Method || len(n.Args) != 2 || !slices.Contains([]string{"contains", "startsWith", "endsWith", "matches"}, n.Name) {
		return "", "", false
	}
	literal, ok = n.Args[1].Literal.AsText()
	claim = l.claim(n.Args[0])
	return claim, literal, ok && n.Args[1].Kind == cel.Literal && claim != ""
}

// claim is the claim that an expression is, directly or through the mapping; "" for
// anything else.
func (l *lock) claim(n *cel.Node) string {
	name, of := "", n
	switch {
	case n.Kind == cel.Select:
		name = n.Name
	case n.Kind == cel.Call && n.Name == "[]" && n.Args[1].Kind == cel.Literal:
		name, _ = n.Args[1].Literal.AsText()
	}
	if name == "" || of.Args[0].Kind != cel.Ident {
		return ""
	}
	switch of.Args[0].Name {
	case "assertion":
		return name
	case "google", "attribute":
		return l.claimOf(of.Args[0].Name + "." + name)
	}
	return ""
}

// claimOf is the claim that an attribute is mapped to as it is.
func (l *lock) claimOf(attribute string) string {
	x := l.mapping[attribute]
	if x == nil || x.Root.Kind != cel.Select || x.Root.Args[0].Kind != cel.Ident || x.Root.Args[0].Name != "assertion" {
		return ""
	}
	return x.Root.Name
}

func (r *review) values(n *cel.Node, claim string, values []cel.Value, alone bool) {
	never := 0
	for _, v := range values {
		s, isText := v.AsText()
		switch {
		case notText(v) && claim != "exp" && claim != "iat" && claim != "nbf":
			never++
		case isText && strings.ContainsAny(s, "*"):
			never++
		}
	}
	if never == 0 {
		r.negated(n, values, alone)
		return
	}
	class := "literal-wildcard"
	if notText(values[0]) {
		class = "claim-type"
	}
	grade, message := trust.Grade(""), fmt.Sprintf("%.200s is never true", n.Source)
	switch {
	case n.Name == "!=":
		message = fmt.Sprintf("%.200s is always true", n.Source)
	case alone && never == len(values):
		grade = trust.Dead
	}
	r.add(class, grade, message)
}

// notText reports whether a value is a number or a boolean, which no claim of GitHub is.
func notText(v cel.Value) bool {
	return v.IsWhole() || v.Outcome().Only(cel.True) || v.Outcome().Only(cel.False)
}

// negated looks for a part that lists what is shut out. A claim that is there at all
// is often compared with "".
func (r *review) negated(n *cel.Node, values []cel.Value, alone bool) {
	if len(values) == 0 {
		return
	}
	if s, ok := values[0].AsText(); ok && s != "" && (n.Name == "!=" || n.Name == "!") && alone {
		r.add("negated-condition", "", fmt.Sprintf("%.200s lists what is shut out, and everything else gets in", n.Source))
	}
}

// boundaries end a part of a name.
const boundaries = "/:@"

func (r *review) substring(n *cel.Node, claim, literal string) {
	message := fmt.Sprintf("%.200s compares a part of the value: longer names fit", n.Source)
	if n.Name == "matches" {
		r.pattern(n, literal, message)
		return
	}
	if !slices.Contains(identifying, claim) {
		return
	}
	if n.Name == "startsWith" && literal != "" && strings.ContainsAny(literal[len(literal)-1:], boundaries) {
		return
	}
	grade := trust.Bad
	if n.Name == "endsWith" && strings.HasPrefix(claim, "job_workflow") {
		grade = ""
	}
	r.add("substring-match", grade, message)
}

// pattern looks at a regular expression, which is searched for anywhere.
func (r *review) pattern(n *cel.Node, literal, message string) {
	re, err := syntax.Parse(literal, syntax.Perl)
	if err != nil {
		r.add("invalid", "", fmt.Sprintf("%.200s has no valid expression of RE2", n.Source))
		return
	}
	from, to := anchored(re)
	prefix := strings.TrimRight(literal, ".*")
	closed := prefix != "" && strings.ContainsAny(prefix[len(prefix)-1:], boundaries)
	switch {
	case re.Op == syntax.OpAlternate && strings.ContainsAny(literal, "^$") && (!from || !to):
		r.add("pattern-anchoring", trust.Bad, "")
	case !from || !to && !closed:
		r.add("substring-match", trust.Bad, message)
	}
	if bareDot.MatchString(literal) {
		r.add("unescaped-dot", "", "")
	}
}

// bareDot is a point between letters that was meant as one.
var bareDot = regexp.MustCompile(`[A-Za-z0-9]\.[A-Za-z]`)

// anchored reports whether an expression holds at the beginning and at the end of a
// text only.
func anchored(re *syntax.Regexp) (from, to bool) {
	switch re.Op {
	case syntax.OpBeginText:
		return true, false
	case syntax.OpEndText:
		return false, true
	case syntax.OpCapture:
		return anchored(re.Sub[0])
	case syntax.OpConcat:
		from, _ = anchored(re.Sub[0])
		_, to = anchored(re.Sub[len(re.Sub)-1])
		return from, to
	case syntax.OpAlternate:
		from, to = true, true
		for _, sub := range re.Sub {
			f, t := anchored(sub)
			from, to = from && f, to && t
		}
		return from, to
	}
	return false, false
}

// bindings looks at the members.
func (r *review) bindings() {
	l := r.lock
	class, dead, alive := "claim-never-present", "", false
	for _, m := range l.members {
		if m.kind == otherMember {
			if m.text == "allUsers" || m.text == "allAuthenticatedUsers" {
				r.add("shared-role", trust.Bad, fmt.Sprintf("%q is bound as well: everybody", m.text))
			}
			if strings.HasPrefix(m.text, "principal") {
				dead = fmt.Sprintf("member %.300q is none that Google knows", m.text)
			}
			continue
		}
		if why := r.neverMeans(m); why != "" {
			if dead = why; strings.Contains(m.value, "*") {
				class = "literal-wildcard"
			}
			continue
		}
		alive = true
		r.member(m)
	}
	if dead != "" {
		grade := trust.Dead
		if alive {
			grade = ""
		}
		r.add(class, grade, dead)
	}
	if l.body.PoolProviders > 1 && l.known {
		r.add("several-providers", "", fmt.Sprintf("the pool has %d providers, and a member names the pool: the laxest of them decides", l.body.PoolProviders))
	}
}

// neverMeans says why no identity is the member's.
func (r *review) neverMeans(m member) string {
	switch {
	case !digits.MatchString(m.pool.project):
		return fmt.Sprintf("member %.300q names the project %.60q; members have its number", m.text, m.pool.project)
	case r.lock.pool != m.pool:
		return fmt.Sprintf("member %.300q is of another pool", m.text)
	case m.kind == oneAttribute && r.lock.body.AttributeMapping != nil && r.lock.body.AttributeMapping[m.attribute] == "":
		return fmt.Sprintf("member %.300q names an attribute that is not mapped", m.text)
	case len(m.value) > maxSubjectBytes && m.kind == oneSubject:
		return fmt.Sprintf("the subject of a member has %d bytes, and google.subject takes %d", len(m.value), maxSubjectBytes)
	case strings.Contains(m.value, "*"):
		return fmt.Sprintf("member %.300q has a \"*\", which stands for itself", m.text)
	}
	return ""
}

func (r *review) member(m member) {
	l := r.lock
	switch claim := l.claimOf(m.attribute); {
	case m.kind == wholePool:
		r.add("pool-wide-binding", "", "")
	case m.kind == oneAttribute && slices.Contains(forgeable, claim) && l.body.hasProvider():
		grade := trust.Grade("")
		if r.strangers {
			grade = trust.Bad
		}
		r.add("forgeable-binding", grade, fmt.Sprintf("member %.300q names what others can have too: %s", m.text, claim), "actor-only", "forgeable-claim", "visibility-only")
	}
}
