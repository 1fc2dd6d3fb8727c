package workflows

import "testing"

func TestRemoteRefs(t *testing.T) {
	a, b := "aaaa", "bbbb"
	r := &Refs{
		Branches: map[string]string{"main": a, "v1": b, "side": "cccc"},
		Tags:     map[string]string{"v1": a, "v1.2": a, "v1.2.9": a, "v1.2.10": a, "v1.2.11-rc.1": a, "1.3": b, "tool-v9.0.0": b, "nightly": b},
	}
	for ref, want := range map[string]string{"v1": a, "main": a, "side": "cccc", "none": ""} {
		if got := r.Commit(ref); got != want {
			t.Errorf("%s is %q, want %q", ref, got, want)
		}
	}
	for _, test := range []struct{ commit, ref, want string }{
		{a, "v1", "v1.2.10"}, {a, "", "v1.2.10"}, {a, "v1.2.9", "v1.2.9"}, {b, "nightly", "1.3"}, {"cccc", "side", ""},
	} {
		if got := r.Version(test.commit, test.ref); got != test.want {
			t.Errorf("the version of %s for %q is %q, want %q", test.commit, test.ref, got, test.want)
		}
	}
	for commit, want := range map[string]bool{a: true, "cccc": true, "dddd": false, "": false} {
		if r.IsTip(commit) != want {
			t.Errorf("%q is a tip: %t", commit, !want)
		}
	}
}

func TestCommentVersion(t *testing.T) {
	for comment, want := range map[string]string{
		"v4.3.1": "v4.3.1", "4.3.1, see notes": "4.3.1", "tag=v4": "v4", "pin@v4 keep": "v4", "@v4": "v4",
		"tool-v2.1": "tool-v2.1", "main": "", "pinned for the demo": "", "": "", "4": "4", "4 steps": "",
	} {
		u := &Uses{Comment: &Comment{Text: comment}}
		if got := u.CommentVersion(); got != want {
			t.Errorf("%q: %q, want %q", comment, got, want)
		}
	}
	if got := (&Uses{}).CommentVersion(); got != "" {
		t.Errorf("no comment: %q", got)
	}
}
