package policy

import (
	"fmt"
	"strings"
)

// condition decides one key under one operator, and says why it does not hold or
// is not read.
func (e *evaluation) condition(c *Condition) (truth, string) {
	if c.unread != "" {
		return unknown, c.unread
	}
	key := strings.ToLower(c.Key)
	got, present := e.context[key]
	if !present && e.request.Unknown != nil && e.request.Unknown(key) {
		return unknown, fmt.Sprintf("the value of %.200q is not known here", c.Key)
	}
	t := c.holds(got)
	switch {
	case t == yes:
		return yes, ""
	case t == unknown && len(got) > 1:
		return t, fmt.Sprintf("%.200q has %d values and %s reads one", c.Key, len(got), c.Operator)
	case t == unknown:
		return t, fmt.Sprintf("%s of %.200q is not read in full", c.Operator, c.Key)
	case !present:
		return no, fmt.Sprintf("%.200q is absent, %s %s", c.Key, c.Operator, c.wanted())
	}
	return no, fmt.Sprintf("%.200q is %.200q, %s %s", c.Key, strings.Join(got, ", "), c.Operator, c.wanted())
}

// wanted lists the values of the document, the first few.
func (c *Condition) wanted() string {
	const most = 3
	quoted := make([]string, 0, most)
	for i, v := range c.Values {
		if i == most {
			quoted = append(quoted, "…")
			break
		}
		quoted = append(quoted, fmt.Sprintf("%.200q", v))
	}
	return strings.Join(quoted, " or ")
}

// holds decides the condition for the values of its key; none means absent.
func (c *Condition) holds(got []string) truth {
	switch {
	case c.op.base == null:
		return c.isNull(len(got) == 0)
	case len(got) == 0:
		return c.onAbsent()
	case len(got) > 1 && c.op.qual == single:
		return unknown // IAM leaves it open: such keys want a set operator
	}
	switch c.op.qual {
	case forAny:
		result := no
		for _, v := range got {
			result = result.or(c.value(v))
		}
		return result
	case forAll:
		result := yes
		for _, v := range got {
			// An empty text counts as an absent value under ForAllValues.
			if v != "" {
				result = result.and(c.value(v))
			}
		}
		return result
	}
	return c.value(got[0])
}

func (c *Condition) isNull(absent bool) truth {
	result := no
	for _, v := range c.Values {
		want, _ := parseBool(v)
		result = result.or(truthOf(want == absent))
	}
	return result
}

// onAbsent is the answer when the request does not have the key.
func (c *Condition) onAbsent() truth {
	switch {
	case c.op.ifExists, c.op.qual == forAll:
		return yes
	case c.op.qual == forAny:
		return no
	}
	return truthOf(c.op.negated)
}

// value compares one value of the request with all of the document.
func (c *Condition) value(got string) truth {
	result := no
	for _, want := range c.operands {
		result = result.or(c.op.test(want, got))
	}
	return negate(result, c.op.negated)
}
