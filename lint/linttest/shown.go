package linttest

import (
	"sync"
	"testing"

	"github.com/stint-dev/stint/lint"
)

// What the tests of a rule showed of it, so that what it says of itself in lists
// (rules.md, stint rules) is what it does.
var shown = struct {
	sync.Mutex
	fixes  map[*lint.Rule]lint.FixKind
	online map[*lint.Rule]bool
}{fixes: map[*lint.Rule]lint.FixKind{}, online: map[*lint.Rule]bool{}}

// show takes note of the fixes of a result, and of whether it took the network.
func (s *setup) show(rule *lint.Rule, res *lint.Result) {
	shown.Lock()
	defer shown.Unlock()
	for _, f := range of(rule, res) {
		for _, fix := range f.Fixes {
			if fix.Safe {
				shown.fixes[rule] |= lint.SafeFix
			} else {
				shown.fixes[rule] |= lint.UnsafeFix
			}
		}
	}
	if s.network != nil {
		shown.online[rule] = true
	}
}

// checkShown compares what the rule says of itself with what its tests showed. A fix
// that needs the network may be shown by tests of the rule's own.
func checkShown(t *testing.T, rule *lint.Rule) {
	shown.Lock()
	defer shown.Unlock()
	got := shown.fixes[rule]
	if got&^rule.Fixes != 0 || rule.Network == lint.NoNetwork && got != rule.Fixes {
		t.Errorf("the rule says that its fixes are %q, its tests show %q", rule.Fixes, got)
	}
	if shown.online[rule] && rule.Network == lint.NoNetwork {
		t.Error("the rule says that it needs no network, and its tests give it one")
	}
}
