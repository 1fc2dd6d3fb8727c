package policy_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stint-dev/stint/oidc/providers/aws/policy"
)

// rounds is how many random policies each property is tried on.
const rounds = 2000

// A generator makes random policies over few words, so that they often match.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) generator { return generator{rand.New(rand.NewPCG(seed, 1))} }

func pick[T any](g generator, from ...T) T { return from[g.IntN(len(from))] }

type (
	conditionSpec map[string]map[string]any
	statementSpec struct {
		Effect      string
		Action      string        `json:",omitempty"`
		NotAction   string        `json:",omitempty"`
		Resource    any           `json:",omitempty"`
		NotResource any           `json:",omitempty"`
		Condition   conditionSpec `json:",omitempty"`
	}
)

var operators = []string{
	"StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase",
	"StringEqualsIfExists", "StringNotEqualsIfExists", "Null", "Bool", "NumericLessThan", "DateGreaterThan",
	"ForAnyValue:StringLike", "ForAllValues:StringEquals", "ForAnyValue:StringNotEquals", "ForAllValues:StringNotLike",
	"StringMatches", "BinaryEquals",
}

func (g generator) condition() conditionSpec {
	spec := conditionSpec{}
	for range g.IntN(3) {
		values := make([]string, 1+g.IntN(2))
		for i := range values {
			values[i] = pick(g, "a", "b", "A", "*", "a*", "?", "true", "false", "5", "2026-01-01", "${aws:x}", "${*}")
		}
		spec[pick(g, operators...)] = map[string]any{pick(g, "s:one", "s:two", "S:ONE", "s:many", "s:none"): values}
	}
	return spec
}

func (g generator) statement(effect string) statementSpec {
	s := statementSpec{Effect: effect, Condition: g.condition()}
	action := pick(g, "s3:Get", "s3:*", "*", "s3:Put")
	resource := pick(g, "*", "arn:aws:s3:::b/*", "arn:aws:s3:::c/*", "arn:aws:s3:::${aws:x}/k")
	if s.Action = action; g.IntN(5) == 0 {
		s.Action, s.NotAction = "", action
	}
	if s.Resource = resource; g.IntN(5) == 0 {
		s.Resource, s.NotResource = nil, resource
	}
	return s
}

func (g generator) statements() []statementSpec {
	list := make([]statementSpec, 1+g.IntN(3))
	for i := range list {
		list[i] = g.statement(pick(g, "Allow", "Allow", "Deny"))
	}
	return list
}

// request leaves some keys out of what is known.
func (g generator) request() policy.Request {
	context := map[string][]string{"s:many": {"a", "b"}}
	for _, key := range []string{"s:one", "s:two"} {
		if g.IntN(3) > 0 {
			context[key] = []string{pick(g, "a", "b", "A", "true", "5", "")}
		}
	}
	return policy.Request{Action: pick(g, "s3:Get", "s3:Put"), Resource: pick(g, "arn:aws:s3:::b/k", "arn:aws:s3:::c/k"), Context: context}
}

func evaluate(t *testing.T, list []statementSpec, r policy.Request) policy.Decision {
	t.Helper()
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": list})
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, policy.Identity, string(text)).Evaluate(r)
}

func describe(list []statementSpec, r policy.Request) string {
	text, _ := json.Marshal(list)
	return fmt.Sprintf("%s\n%+v", text, r.Context)
}

func TestAddingADenyNeverAllowsMore(t *testing.T) {
	t.Parallel()
	g := newGenerator(1)
	lowered := 0
	for range rounds {
		list, r := g.statements(), g.request()
		before := evaluate(t, list, r).Outcome
		after := evaluate(t, append(slices.Clone(list), g.statement("Deny")), r).Outcome
		if after > before {
			t.Fatalf("from %v to %v\n%s", before, after, describe(list, r))
		}
		if after < before {
			lowered++
		}
	}
	if lowered == 0 {
		t.Error("no round had a deny that did anything")
	}
}

func TestAddingAnAllowNeverAllowsLess(t *testing.T) {
	t.Parallel()
	g := newGenerator(2)
	raised := 0
	for range rounds {
		list, r := g.statements(), g.request()
		before := evaluate(t, list, r).Outcome
		after := evaluate(t, append(slices.Clone(list), g.statement("Allow")), r).Outcome
		if after < before {
			t.Fatalf("from %v to %v\n%s", before, after, describe(list, r))
		}
		if after > before {
			raised++
		}
	}
	if raised == 0 {
		t.Error("no round had an allow that did anything")
	}
}

// TestRemovingACondition: without it an Allow admits no less and a Deny refuses
// no less.
func TestRemovingACondition(t *testing.T) {
	t.Parallel()
	g := newGenerator(3)
	changed := 0
	for range rounds {
		list, r := g.statements(), g.request()
		before := evaluate(t, list, r).Outcome
		i := g.IntN(len(list))
		wider := slices.Clone(list)
		wider[i].Condition = nil
		after := evaluate(t, wider, r).Outcome
		if list[i].Effect == "Allow" && after < before || list[i].Effect == "Deny" && after > before {
			t.Fatalf("without the condition of statement %d from %v to %v\n%s", i, before, after, describe(list, r))
		}
		if after != before {
			changed++
		}
	}
	if changed == 0 {
		t.Error("no round had a condition that did anything")
	}
}

// TestUnreadConditionIsOpen: one more condition that nobody reads never makes an
// Allow refuse and never makes a Deny certain.
func TestUnreadConditionIsOpen(t *testing.T) {
	t.Parallel()
	g := newGenerator(4)
	for range rounds {
		list, r := g.statements(), g.request()
		before := evaluate(t, list, r).Outcome
		i := g.IntN(len(list))
		unread := slices.Clone(list)
		unread[i].Condition = conditionSpec{"StringFeels": {"s:one": "x"}}
		for operator, keys := range list[i].Condition {
			unread[i].Condition[operator] = keys
		}
		after := evaluate(t, unread, r)
		if before != policy.Deny && after.Outcome == policy.Deny {
			t.Fatalf("an unread condition refuses\n%s", describe(list, r))
		}
		if after.Explicit() && after.Statement == i {
			t.Fatalf("an unread Deny is certain\n%s", describe(list, r))
		}
	}
}

// TestOrderDoesNotMatter: statements are a set.
func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	g := newGenerator(5)
	for range rounds {
		list, r := g.statements(), g.request()
		reversed := slices.Clone(list)
		slices.Reverse(reversed)
		if a, b := evaluate(t, list, r).Outcome, evaluate(t, reversed, r).Outcome; a != b {
			t.Fatalf("%v, reversed %v\n%s", a, b, describe(list, r))
		}
	}
}

// TestUnknownCoversEveryCompletion: what is certain without a key stays so
// whatever the key turns out to be.
func TestUnknownCoversEveryCompletion(t *testing.T) {
	t.Parallel()
	g := newGenerator(6)
	completions := [][]string{nil, {"a"}, {"b"}, {"A"}, {"true"}, {"5"}, {"2027-01-01"}, {"zzz"}}
	var certain, open int
	for range rounds {
		list, r := g.statements(), g.request()
		delete(r.Context, "s:one")
		r.Unknown = func(key string) bool { return key == "s:one" }
		bound := evaluate(t, list, r).Outcome
		if bound == policy.Unknown {
			open++
			continue
		}
		certain++
		r.Unknown = nil
		for _, values := range completions {
			r.Context["s:one"] = values
			if got := evaluate(t, list, r).Outcome; got != bound {
				t.Fatalf("certain %v became %v with %q\n%s", bound, got, values, describe(list, r))
			}
		}
	}
	if certain < rounds/10 || open < rounds/100 {
		t.Errorf("%d certain and %d open: the property was hardly tried", certain, open)
	}
}
