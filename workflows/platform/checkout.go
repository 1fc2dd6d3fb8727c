package platform

import (
	"slices"
	"strings"
)

// CheckoutRefusalDate is the day on which the floating majors of actions/checkout
// began to refuse a fork's code; v7.0.0 does since 2026-06-17.
const CheckoutRefusalDate = "2026-07-16"

// AllowUnsafeCheckout is the input of actions/checkout that switches its refusal off.
const AllowUnsafeCheckout = "allow-unsafe-pr-checkout"

// refusedEvents are the events under which actions/checkout looks whose code it is
// asked for. Source: its CHANGELOG and action.yml, v7.0.0.
var refusedEvents = []string{"pull_request_target", "workflow_run"}

// CheckoutRefuses reports whether actions/checkout may refuse a fork's code under
// the event, in the releases that refuse at all. Every other way to that code
// (git fetch, gh pr checkout, other actions, issue_comment) is not looked at.
func CheckoutRefuses(event string) bool {
	return slices.Contains(refusedEvents, strings.ToLower(event))
}

// refusingReleases are the first releases of each major of actions/checkout that
// refuse. Source: the tags and CHANGELOG of github.com/actions/checkout, 2026-07-16.
var refusingReleases = []version{
	{major: 2, minor: 8, parts: 3}, {major: 3, minor: 7, parts: 3}, {major: 4, minor: 4, parts: 3},
	{major: 5, minor: 1, parts: 3}, {major: 6, minor: 1, parts: 3}, {major: 7, parts: 3},
}

// A Refusal says whether a version of actions/checkout refuses a fork's code.
type Refusal int

// Refusals.
const (
	RefusalUnknown Refusal = iota // a commit whose version nothing tells, a foreign tag
	RefusalAbsent                 // an exact release from before
	RefusalPresent
)

// CheckoutRefusal judges actions/checkout at ref by its version, or for a commit by
// the version in the comment behind it ("" for none). A floating tag stands for
// the newest release of its line.
func CheckoutRefusal(ref, comment string) Refusal {
	if ref == "main" || ref == "master" {
		return RefusalPresent
	}
	v, ok := parseVersion(strings.TrimPrefix(ref, "refs/tags/"))
	if !ok || isCommit(ref) {
		first, _, _ := strings.Cut(strings.TrimSpace(comment), " ")
		if v, ok = parseVersion(first); !ok {
			return RefusalUnknown
		}
		if v.parts == 1 {
			return RefusalUnknown // the pin says which line, not which release
		}
	}
	if v.major > refusingReleases[len(refusingReleases)-1].major {
		return RefusalPresent
	}
	for _, first := range refusingReleases {
		if v.major == first.major && v.top().compare(first) >= 0 {
			return RefusalPresent
		}
	}
	return RefusalAbsent
}
