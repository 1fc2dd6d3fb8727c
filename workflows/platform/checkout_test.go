package platform

import "testing"

func TestCheckoutRefusal(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	const digits = "0123456789012345678901234567890123456789" // a commit can be all digits
	for _, c := range []struct {
		ref, comment string
		want         Refusal
	}{
		{"v1", "", RefusalAbsent},
		{"v2", "", RefusalPresent}, {"v3", "", RefusalPresent}, {"v4", "", RefusalPresent}, {"v7", "", RefusalPresent},
		{"v4.3", "", RefusalAbsent}, {"v4.4", "", RefusalPresent}, {"v4.3.1", "", RefusalAbsent}, {"v4.4.0", "", RefusalPresent},
		{"v5.0.1", "", RefusalAbsent}, {"v5.1.0", "", RefusalPresent}, {"v6.0.3", "", RefusalAbsent}, {"v6.1.0", "", RefusalPresent},
		{"v7.0.0", "", RefusalPresent}, {"v8", "", RefusalPresent}, {"main", "", RefusalPresent}, {"4.2.2", "", RefusalAbsent},
		{"refs/tags/v4.2.2", "", RefusalAbsent}, {"feature", "", RefusalUnknown},
		{commit, "", RefusalUnknown}, {commit, "v4.2.2", RefusalAbsent}, {commit, "v4.4.1", RefusalPresent},
		{commit, "v4", RefusalUnknown}, {commit, "v4.2.2 # pinned by a bot", RefusalAbsent}, {commit, "a note", RefusalUnknown},
		{digits, "v7.0.1", RefusalPresent}, {digits, "", RefusalUnknown},
	} {
		if got := CheckoutRefusal(c.ref, c.comment); got != c.want {
			t.Errorf("CheckoutRefusal(%q, %q) = %v, want %v", c.ref, c.comment, got, c.want)
		}
	}
}

func TestCheckoutRefuses(t *testing.T) {
	for event, want := range map[string]bool{"pull_request_target": true, "workflow_run": true, "issue_comment": false, "pull_request": false} {
		if got := CheckoutRefuses(event); got != want {
			t.Errorf("CheckoutRefuses(%q) = %v", event, got)
		}
	}
}
