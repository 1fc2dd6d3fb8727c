package platform

import "testing"

func TestLookupOutput(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	for _, c := range []struct {
		action, ref, comment, output string
		want                         OutputText
		escaped                      bool
	}{
		{"tj-actions/changed-files", "v40", "", "all_changed_files", OutputFiles, false},
		{"tj-actions/changed-files", "v45", "", "docs_all_changed_files", OutputFiles, true},
		{"tj-actions/changed-files", commit, "v35.9.2", "all_changed_files", OutputFiles, false},
		{"tj-actions/changed-files", commit, "", "all_changed_files", OutputFiles, true},
		{"tj-actions/changed-files", "v40", "", "any_changed", OutputFixed, false},
		{"dorny/paths-filter", "v3", "", "src", OutputFixed, false},
		{"dorny/paths-filter", "v3", "", "src_files", OutputFiles, false},
		{"Dorny/Paths-Filter", "v3", "", "SRC_files", OutputFiles, false},
		{"actions/cache/restore", "v4", "", "cache-hit", OutputFixed, false},
		{"actions/setup-node", "v4", "", "node-version", OutputFixed, false},
		{"docker/metadata-action", "v5", "", "tags", OutputFixed, false},
		{"xt0rted/pull-request-comment-branch", "v2", "", "head_ref", OutputBranch, false},
		{"xt0rted/pull-request-comment-branch", "v2", "", "head_sha", OutputHead, false},
		{"stefanbuck/github-issue-parser", "v3", "", "issueparser_version", OutputWords, false},
		{"release-drafter/release-drafter", "v6", "", "body", OutputMerged, false},
		{"release-drafter/release-drafter", "v6", "", "tag_name", OutputFixed, false},
		{"nobody/knows", "v1", "", "x", OutputUnknown, false},
	} {
		got, escaped := LookupOutput(c.action, c.ref, c.comment, c.output)
		if got != c.want || escaped && !c.escaped || c.want == OutputFiles && escaped != c.escaped {
			t.Errorf("LookupOutput(%s@%s # %s, %s) = %v, %v; want %v, %v", c.action, c.ref, c.comment, c.output, got, escaped, c.want, c.escaped)
		}
	}
}

func TestHoldsOutsiderText(t *testing.T) {
	for name, want := range map[string]bool{"pr-title": true, "HEAD_REF": true, "comment": true, "timeout_minutes": false, "preferred": false, "": false} {
		if got := HoldsOutsiderText(name); got != want {
			t.Errorf("HoldsOutsiderText(%q) = %v", name, got)
		}
	}
}
