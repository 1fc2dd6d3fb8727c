package policy

import (
	"fmt"
	"strings"
)

// prepare makes the values of every statement ready to be compared and notes
// what is not read. Two statements with one Sid are an error, as in IAM.
func (d *Document) prepare() error {
	sids := map[string]bool{}
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Sid != "" && sids[s.Sid] {
			return fmt.Errorf("two statements have the sid %.80q", s.Sid)
		}
		sids[s.Sid] = true
		d.prepareStatement(i, s)
	}
	return nil
}

func (d *Document) prepareStatement(i int, s *Statement) {
	// Actions know wildcards and no variables.
	s.actions = operands(s.Actions, syntax{wildcards: true})
	for _, a := range s.Actions {
		if a != "*" && !strings.Contains(a, ":") {
			d.note(i, true, "action %.80q has no service prefix", a)
		}
	}
	s.resources = operands(s.Resources, syntax{wildcards: true, variables: d.variables()})
	for _, r := range s.resources {
		if !r.pat.onlyStars() && len(r.pat.splitARN()) < arnParts {
			d.note(i, !r.pat.hasVariable(), "resource %.80q is neither \"*\" nor an ARN", r.raw)
		} else if r.pat.hasVariable() {
			d.note(i, false, "resource %.80q holds a policy variable", r.raw)
		}
	}
	for j := range s.Conditions {
		d.prepareCondition(i, &s.Conditions[j])
	}
}

// variables reports whether "${…}" has a meaning in this document.
func (d *Document) variables() bool { return d.Version == version2012 }

func operands(values []string, syn syntax) []operand {
	list := make([]operand, len(values))
	for i, v := range values {
		list[i] = operand{v, compile(v, syn)}
	}
	return list
}

func (d *Document) prepareCondition(i int, c *Condition) {
	op, known := parseOperator(c.Operator)
	if !known {
		c.unread = fmt.Sprintf("operator %.80q is not known", c.Operator)
		d.note(i, true, "%s", c.unread)
		return
	}
	c.op = op
	c.operands = operands(c.Values, syntax{op.wildcards, d.variables()})
	if reason, invalid := c.unreadable(); reason != "" {
		c.unread = reason
		d.note(i, invalid, "%s", reason)
		return
	}
	for _, o := range c.operands {
		if o.pat.hasVariable() {
			d.note(i, false, "value %.80q of %.80q holds a policy variable", o.raw, c.Key)
		}
	}
}

// unreadable says why a condition with a known operator is not read, and whether
// IAM refuses it.
func (c *Condition) unreadable() (reason string, invalid bool) {
	switch {
	case len(c.Values) == 0:
		return fmt.Sprintf("%.80q has no values", c.Key), false
	case isClaim(c.Key) && !c.op.text:
		return fmt.Sprintf("operator %.80q does not fit %.80q, which is a string", c.Operator, c.Key), false
	case c.op.base != null && c.op.test == nil:
		return fmt.Sprintf("operator %.80q is not read", c.Operator), false
	}
	for _, o := range c.operands {
		if c.op.valid == nil || c.op.valid(o.raw) {
			continue
		}
		if o.pat.hasVariable() {
			return fmt.Sprintf("value %.80q of %.80q holds a policy variable", o.raw, c.Key), false
		}
		return fmt.Sprintf("operator %.80q cannot read the value %.80q", c.Operator, o.raw), true
	}
	return "", false
}

// isClaim reports whether a key is a claim of an identity provider, which are
// named "host[/path]:claim"; keys of AWS have a service prefix without a dot.
func isClaim(key string) bool {
	prefix, _, _ := strings.Cut(key, ":")
	return strings.ContainsAny(prefix, "./")
}

func (d *Document) note(statement int, invalid bool, format string, args ...any) {
	d.Notes = append(d.Notes, Note{statement, fmt.Sprintf(format, args...), invalid})
}
