package platform

import "testing"

func TestLookalike(t *testing.T) {
	for name, want := range map[string]string{
		"action/checkout": "actions/checkout", "actoins/checkout": "actions/checkout", "actionss/checkout": "actions/checkout", "actlons/checkout": "actions/checkout",
		"actons/checkuot": "actions/checkout", "action-s/setup-node": "actions/setup-node", "tj-action/changed-files": "tj-actions/changed-files",
		"google-github-action/auth": "google-github-actions/auth", "dockr/login-action": "docker/login-action",
		"actions/checkout": "", "actions/chekout": "", "acti0ns/other": "", "some/checkout": "", "acme/tool": "", "aw/x": "", "": "", "actions": "",
		"psg/black": "", // three letters are too few
	} {
		if got := Lookalike(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// No well-known action is taken for another.
func TestWellKnownAreNoLookalikes(t *testing.T) {
	for name := range actions {
		if other := Lookalike(name); other != "" {
			t.Errorf("%s is taken for a typo of %s", name, other)
		}
	}
}

func TestOneTypo(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"abc", "abc", false}, {"abc", "abd", true}, {"abc", "ab", true}, {"abc", "xabc", true}, {"abc", "acb", true}, {"abc", "cba", false},
		{"abc", "abcde", false}, {"", "a", true}, {"", "", false}, {"ab", "ba", true}, {"abcd", "badc", false},
	} {
		if oneTypo(c.a, c.b) != c.want || oneTypo(c.b, c.a) != c.want {
			t.Errorf("%q, %q: want %v", c.a, c.b, c.want)
		}
	}
}
