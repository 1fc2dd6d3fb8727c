package gcp

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc/providers/gcp/cel"
	"github.com/stint-dev/stint/oidc/trust"
)

// maxTargets bounds the workloads that a lock is judged by.
const maxTargets = 48

// maxReadings bounds the texts that a regular expression is read as.
const maxReadings = 12

// Targets are the workloads that the condition and the members name together. Where
// what is understood of them leads to none that gets in, the texts that they hold are
// tried as names of one thing and another.
func (l *lock) Targets() []trust.Target {
	named := names{}
	if l.condition != nil {
		for _, n := range conjuncts(l.condition.Root) {
			l.named(n, named)
		}
	}
	if l.body.OIDC != nil && l.body.OIDC.IssuerURI != "" {
		named["iss"] = []string{l.body.OIDC.IssuerURI}
	}
	targets := l.through(named)
	if !slices.ContainsFunc(targets, l.admits) {
		targets = append(targets, l.guessed(named)...)
	}
	return targets[:min(len(targets), maxTargets)]
}

// through joins what the condition names with what each member does.
func (l *lock) through(named names) []trust.Target {
	if len(l.members) == 0 {
		return trust.Named(named)
	}
	var targets []trust.Target
	for _, m := range l.members {
		with := named.clone()
		switch m.kind {
		case otherMember:
			continue
		case oneSubject:
			l.nameMember(with, subjectAttribute, m.value)
		case oneAttribute:
			l.nameMember(with, m.attribute, m.value)
		}
		targets = append(targets, trust.Named(with)...)
		if len(targets) >= maxTargets {
			break
		}
	}
	return targets
}

// admits reports whether some token made around a target gets in.
func (l *lock) admits(t trust.Target) bool {
	t.Audience = l.Audience()
	return slices.ContainsFunc(trust.Probes(t), func(p trust.Probe) bool { return l.Decide(p.Claims).Admits })
}

// guessed are the workloads that get in among those that the texts and numbers of
// the condition and the members may name.
func (l *lock) guessed(named names) []trust.Target {
	var texts []string
	if l.condition != nil {
		texts = literals(l.condition.Root, texts)
	}
	for _, m := range l.members {
		texts = append(texts, m.value)
	}
	together := named.clone()
	var targets []trust.Target
	for _, text := range texts[:min(len(texts), maxReadings)] {
		for _, claim := range mayBe(text) {
			alone := named.clone()
			alone[claim], together[claim] = []string{text}, []string{text}
			targets = append(targets, trust.Named(alone)...)
		}
	}
	targets = append(targets, trust.Named(together)...)
	return slices.DeleteFunc(targets[:min(len(targets), maxTargets)], func(t trust.Target) bool { return !l.admits(t) })
}

// literals collects the texts and whole numbers of an expression.
func literals(n *cel.Node, into []string) []string {
	if n.Kind == cel.Literal {
		if text, ok := n.Literal.AsText(); ok && text != "" {
			into = append(into, text)
		} else if n.Literal.IsWhole() {
			into = append(into, n.Source)
		}
	}
	for _, arg := range n.Args {
		into = literals(arg, into)
	}
	return into
}

// mayBe are the claims that look like a text.
func mayBe(text string) []string {
	switch owner, repo, ok := strings.Cut(text, "/"); {
	case strings.HasPrefix(text, "repo:"):
		return []string{"sub"}
	case strings.HasPrefix(text, "refs/"):
		return []string{"ref"}
	case strings.Contains(text, "/.github/workflows/"):
		return []string{"job_workflow_ref", "workflow_ref"}
	case ok && owner != "" && repo != "" && !strings.Contains(repo, "/"):
		return []string{"repository"}
	case digits.MatchString(text):
		return []string{"repository_id", "repository_owner_id"}
	case !ok && text != "":
		return []string{"repository_owner", "environment"}
	}
	return nil
}

// names are the values that a text names for each claim.
type names map[string][]string

func (n names) clone() names {
	out := make(names, len(n))
	for k, v := range n {
		out[k] = slices.Clone(v)
	}
	return out
}

func (n names) add(claim, value string) {
	if !slices.Contains(n[claim], value) {
		n[claim] = append(n[claim], value)
	}
}

// nameMember narrows what is named to the member's value, through the mapping of its
// attribute: a claim, or claims and texts in a row.
func (l *lock) nameMember(into names, attribute, value string) {
	if x := l.mapping[attribute]; x != nil {
		for claim, part := range takeApart(x.Root, value) {
			into[claim] = []string{part}
		}
	}
}

// shapes are how the values of claims look that are joined without a separator.
var shapes = map[string]string{
	"repository": `([A-Za-z0-9_-]+/[A-Za-z0-9._-]+?)`, "ref": `(refs/.+)`, "sub": `(repo:.+)`,
	"repository_id": `([0-9]+)`, "repository_owner_id": `([0-9]+)`,
}

// takeApart finds the claims of a sum of claims and texts whose value is known.
func takeApart(n *cel.Node, value string) map[string]string {
	var claims []string
	var pattern strings.Builder
	for _, part := range summands(n) {
		text, isText := part.Literal.AsText()
		switch {
		case part.Kind == cel.Literal && isText:
			pattern.WriteString(regexp.QuoteMeta(text))
		case part.Kind == cel.Select && part.Args[0].Kind == cel.Ident && part.Args[0].Name == "assertion":
			shape, ok := shapes[part.Name]
			if !ok {
				shape = `(.+?)`
			}
			claims = append(claims, part.Name)
			pattern.WriteString(shape)
		default:
			return nil
		}
	}
	out := map[string]string{}
	if len(claims) == 1 && n.Kind == cel.Select {
		out[claims[0]] = value
		return out
	}
	re, err := regexp.Compile(`^` + pattern.String() + `$`)
	if err != nil {
		return nil
	}
	for i, part := range re.FindStringSubmatch(value) {
		if i > 0 {
			out[claims[i-1]] = part
		}
	}
	return out
}

// summands are the parts of a + b + c.
func summands(n *cel.Node) []*cel.Node {
	if n.Kind == cel.Call && n.Name == "+" && len(n.Args) == 2 {
		return append(summands(n.Args[0]), summands(n.Args[1])...)
	}
	return []*cel.Node{n}
}

// anyEnvironment stands for an environment where the condition wants one and does not
// say which.
const anyEnvironment = "production"

// named collects the values that a part names for claims. Of alternatives it takes
// them all.
func (l *lock) named(n *cel.Node, into names) {
	if n.Kind != cel.Call {
		return
	}
	if claim, values, ok := l.comparison(n); ok {
		for _, v := range values {
			s, isText := v.AsText()
			switch {
			case isText && n.Name != "!=":
				into.add(claim, s)
			case claim == "environment" && s != anyEnvironment:
				into.add(claim, anyEnvironment)
			}
		}
		return
	}
	if n.Name == "==" {
		for i, side := range n.Args {
			if text, ok := n.Args[1-i].Literal.AsText(); ok && n.Args[1-i].Kind == cel.Literal {
				for claim, part := range takeApart(side, text) {
					into.add(claim, part)
				}
			}
		}
		return
	}
	if claim, literal, ok := l.textTest(n); ok {
		for _, value := range likenesses(n.Name, claim, literal) {
			into.add(claim, value)
		}
		return
	}
	switch n.Name {
	case "has":
		if len(n.Args) == 1 && l.claim(n.Args[0]) == "environment" && len(into["environment"]) == 0 {
			into.add("environment", anyEnvironment)
		}
	case "?:":
		l.named(n.Args[1], into)
		l.named(n.Args[2], into)
	case "||", "&&":
		for _, arg := range n.Args {
			l.named(arg, into)
		}
	}
}

// likenesses write a test of texts as patterns with wildcards.
func likenesses(method, claim, literal string) []string {
	switch method {
	case "startsWith":
		return []string{literal + "*"}
	case "endsWith":
		return []string{"*" + literal}
	case "contains":
		if claim != "sub" {
			return []string{literal + "*"} // the owner comes first in names
		}
		return []string{"*" + literal + "*"}
	}
	re, err := syntax.Parse(literal, syntax.Perl)
	if err != nil {
		return nil
	}
	var out []string
	for _, r := range readings(re) {
		if _, to := anchored(re); !r.whole || !to {
			r.text += "*"
		}
		out = append(out, r.text)
	}
	return out
}

// A reading is the beginning of a text that an expression fits; whole says that it is
// the text up to the expression's end.
type reading struct {
	text  string
	whole bool
}

// readings follow an expression as long as it says what comes next.
func readings(re *syntax.Regexp) []reading {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase != 0 {
			// The parser keeps the capitals of what is compared in any case.
			return []reading{{strings.ToLower(string(re.Rune)), true}}
		}
		return []reading{{string(re.Rune), true}}
	case syntax.OpBeginText, syntax.OpEndText, syntax.OpEmptyMatch:
		return []reading{{"", true}}
	case syntax.OpCapture:
		return readings(re.Sub[0])
	case syntax.OpAlternate:
		var out []reading
		for _, sub := range re.Sub {
			out = append(out, readings(sub)...)
		}
		return out[:min(len(out), maxReadings)]
	case syntax.OpConcat:
		return concatenated(re.Sub)
	}
	return []reading{{"", false}}
}

func concatenated(subs []*syntax.Regexp) []reading {
	out := []reading{{"", true}}
	for _, sub := range subs {
		var next []reading
		for _, r := range out {
			if !r.whole {
				next = append(next, r)
				continue
			}
			for _, tail := range readings(sub) {
				next = append(next, reading{r.text + tail.text, tail.whole})
			}
		}
		out = next[:min(len(next), maxReadings)]
	}
	return out
}
