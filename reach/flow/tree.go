package flow

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// TreeSource is the source of what the files of an outsider's commit hold.
const TreeSource = "a file of the checked-out commit"

// takesTree records that a step puts an outsider's commit into the workspace, so that
// what is read from its files is the outsider's text.
func (r *reader) takesTree() {
	if r.ev.mode != asText || len(anyoneEvents(r.sc)) == 0 || !takesCommits(r.step) {
		return
	}
	r.ev.st.checkoutSinks(r.sc, r.step, func(s Sink) {
		dir := s.dir
		if v := r.step.With.Get("path"); r.step.Uses != nil && v != nil {
			dir = placed("", v.Value)
		}
		key := treeKey(dir)
		for _, t := range s.Taints {
			if refusesForks(r.step, t.Events) {
				continue
			}
			t.Source = TreeSource
			r.flow.saved[key] = merge(r.flow.saved[key], through([]Taint{t}, r.sc.file, s.Span, "in the files of this checkout"))
		}
	})
}

// refusesForks reports whether the checkout is of a release that does not take a
// fork's code under any of the events.
func refusesForks(s *workflows.Step, events []string) bool {
	u := s.Uses
	if u == nil || u.FullName() != "actions/checkout" || slices.ContainsFunc(events, func(e string) bool { return !platform.CheckoutRefuses(e) }) {
		return false
	}
	if v := s.With.Get(platform.AllowUnsafeCheckout); v != nil && v.Value != "" && !strings.EqualFold(v.Value, "false") {
		return false
	}
	comment := ""
	if u.Comment != nil {
		comment = u.Comment.Text
	}
	return platform.CheckoutRefusal(u.Ref, comment) == platform.RefusalPresent
}
