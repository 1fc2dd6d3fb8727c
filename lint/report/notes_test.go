package report

import (
	"slices"
	"testing"
)

// Notes with one reason are one line, however many rules and repositories have it.
func TestByReason(t *testing.T) {
	got := byReason([]string{"b: no network", "a: no network", "c: status 503: later", "b: no network", "no rule", "failed: rule x failed on y: z"})
	want := []string{"b, a: no network", "c: status 503: later", "no rule", "failed: rule x failed on y: z"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := byReason(nil); got == nil || len(got) > 0 {
		t.Errorf("nothing gives %#v", got)
	}
}
