package platform

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

var noCommit = strings.Repeat("0a", 20)

func TestBadData(t *testing.T) {
	decoder := json.NewDecoder(bytes.NewReader(badJSON))
	decoder.DisallowUnknownFields()
	var d badData
	if err := decoder.Decode(&d); err != nil {
		t.Fatal(err)
	}
	if d.Version != 1 || len(d.Actions) < 55 || len(d.Images) < 3 || BadDate() != d.Generated {
		t.Errorf("version %d, %d actions, %d images", d.Version, len(d.Actions), len(d.Images))
	}
	kinds := []string{"malicious", "malicious-transitive", "vulnerable", "hardening-version"}
	seen := map[string]bool{}
	for i, e := range d.Actions {
		key := e.Action + " " + e.Kind + " " + e.ID
		if e.Action != strings.ToLower(e.Action) || !strings.Contains(e.Action, "/") || seen[key] || !slices.Contains(kinds, e.Kind) {
			t.Errorf("%s: bad or double key", key)
		}
		seen[key] = true
		checkBadDates(t, e.Action, e.Date, e.Source, e.Summary)
		if len(bad.Actions[i].ranges) != len(e.Ranges) {
			t.Errorf("%s: a range of %q does not parse", e.Action, e.Ranges)
		}
		if len(e.Ranges)+len(e.Refs)+len(e.Commits) == 0 && e.All == "" {
			t.Errorf("%s: nothing is bad about it", key)
		}
		for _, c := range e.Commits {
			if c != strings.ToLower(c) || len(c) < minCommitDigits || !isHex(c) {
				t.Errorf("%s: commit %q", e.Action, c)
			}
		}
	}
	for _, b := range d.Images {
		checkBadDates(t, b.Images[0], b.Date, b.Source, b.Summary)
	}
}

func checkBadDates(t *testing.T, name, date, source, summary string) {
	if _, err := time.Parse(time.DateOnly, date); err != nil || source == "" || summary == "" || len(summary) > 160 {
		t.Errorf("%s: date %q, source %q, summary %q", name, date, source, summary)
	}
}

// Every entry must fire on what it lists and be silent on its fixed version.
func TestEveryBadEntry(t *testing.T) {
	for _, e := range bad.Actions {
		for _, c := range e.Commits {
			full := c + noCommit[len(c):]
			if !hasExact(LookupBad(e.Action, strings.ToUpper(full), ""), e.Kind) {
				t.Errorf("%s@%s does not fire", e.Action, full)
			}
			if !hasExact(LookupBad(e.Action+"/sub/path", full, "v99.0.0"), e.Kind) {
				t.Errorf("%s/sub/path@%s does not fire", e.Action, full)
			}
		}
		for _, ref := range e.Refs {
			ref, _, _ = strings.Cut(ref, "..")
			if !hasKind(LookupBad(e.Action, ref, ""), e.Kind) {
				t.Errorf("%s@%s does not fire", e.Action, ref)
			}
		}
		for _, r := range e.ranges {
			if v, ok := lowest(r); ok && !hasExact(LookupBad(e.Action, v, ""), e.Kind) && !holdsRef(e.Clean, v) {
				t.Errorf("%s@%s is in %v and does not fire", e.Action, v, r)
			}
		}
		for _, clean := range e.Clean {
			clean, _, _ = strings.Cut(clean, "..")
			if found := LookupBad(e.Action, clean, ""); slices.ContainsFunc(found, func(a Advisory) bool { return a.Kind == e.Kind && a.ID == e.ID }) {
				t.Errorf("%s@%s is clean and fires: %+v", e.Action, clean, found)
			}
		}
		if e.Fixed != "" && len(e.ranges) > 0 {
			if v, ok := parseVersion(e.Fixed); ok && v.parts == 3 {
				checkSilent(t, e, e.Fixed)
				checkSilent(t, e, "v"+e.Fixed)
			}
		}
	}
}

func checkSilent(t *testing.T, e badEntry, ref string) {
	for _, a := range LookupBad(e.Action, ref, "") {
		if a.ID == e.ID && a.Kind == e.Kind {
			t.Errorf("%s@%s is fixed and fires: %+v", e.Action, ref, a)
		}
	}
}

// lowest returns a version of three parts at the lower end of a range.
func lowest(r versionRange) (string, bool) {
	for _, text := range []string{"0.0.0", "0.12.0", "2.0.0", "3.0.0", "4.0.0", "5.0.0", "6.0.0", "0.31.0", "1.13.2", "3.26.11"} {
		if v, ok := parseVersion(text); ok && r.holds(v) {
			return text, true
		}
	}
	return "", false
}

func hasKind(list []Advisory, kind string) bool {
	return slices.ContainsFunc(list, func(a Advisory) bool { return a.Kind == kind })
}

func hasExact(list []Advisory, kind string) bool {
	return slices.ContainsFunc(list, func(a Advisory) bool { return a.Kind == kind && a.Exact && !a.ByComment })
}

func TestLookupBad(t *testing.T) {
	for _, c := range []struct {
		name, ref, comment string
		want               string // kind, then marks: ! exact, # by comment, ~ restored
	}{
		// A moved tag: the commit decides.
		{"tj-actions/changed-files", "0e58ed8671d6b60d0890c21b07f8835ace038e67", "", "malicious!~"},
		{"TJ-Actions/Changed-Files", "0E58ED8671D6B60D0890C21B07F8835ACE038E67", "v45.0.7", "malicious!~"},
		{"tj-actions/changed-files", noCommit, "v45.0.7", ""},
		{"tj-actions/changed-files", noCommit, "v40.0.0", "vulnerable!#"},
		{"tj-actions/changed-files", "v45.0.7", "", "malicious!~"},
		{"tj-actions/changed-files", "v46.0.1", "", ""},
		{"tj-actions/changed-files", "v45", "", "malicious~"},
		{"tj-actions/changed-files", "v47", "", ""},
		{"tj-actions/changed-files", "main", "", "malicious~ vulnerable"},
		{"reviewdog/action-setup", "f0d342d24037bb11d26b9bd8496e0808ba32e9ec", "", "malicious!~"},
		{"reviewdog/action-setup", "3f401fe1d58fe77e10d665ab713057375e39b887", "v1", ""},
		{"reviewdog/action-setup", "v1", "", "malicious~"},
		{"reviewdog/action-setup", "v1.3.2", "", ""},
		{"reviewdog/action-typos", noCommit, "", "malicious-transitive~"},

		// Tags that are still malicious.
		{"actions-cool/issues-helper", "v3", "", "malicious!"},
		{"actions-cool/issues-helper", "v3.6.0", "", "malicious!"},
		{"actions-cool/issues-helper", "main", "", "malicious!"},
		{"actions-cool/issues-helper", noCommit, "", ""},
		{"actions-cool/issues-helper", noCommit, "v3.6.0", "malicious#"},
		{"ci-quality/code-quality-check", noCommit, "", "malicious!"},
		{"ci-quality/code-quality-check", "v1", "", "malicious!"},
		{"codfish/semantic-release-action", "v3.2.0", "", "malicious!"},
		{"codfish/semantic-release-action", "v2.0.0", "", ""},
		{"codfish/semantic-release-action", "v1.4.0", "", ""},
		{"simonecorsi/mawesome", "latest", "", "malicious!"},
		{"simonecorsi/mawesome", "e339407b8e34" + strings.Repeat("1", 28), "", "malicious!"},
		{"checkmarx/kics-github-action", "v2.1.10", "", "malicious"},
		{"checkmarx/ast-github-action", "v2.3.28", "", "malicious!"},
		{"checkmarx/ast-github-action", "v2.3.29", "", ""},

		// Old versions came back under tags with a leading v.
		{"aquasecurity/trivy-action", "0.28.0", "", "malicious!"},
		{"aquasecurity/trivy-action", "v0.28.0", "", ""},
		{"aquasecurity/trivy-action", "v0.33.0", "", "vulnerable!"},
		{"aquasecurity/trivy-action", "0.35.0", "", ""},
		{"aquasecurity/trivy-action", "57a97c7e7821a5776cebc9bb87c984fa69cba8f1", "0.35.0", ""},
		{"aquasecurity/setup-trivy", "v0.2.3", "", "malicious!"},
		{"aquasecurity/setup-trivy", "v0.2.6", "", ""},
		{"xygeni/xygeni-action", "v5", "", "malicious!"},
		{"xygeni/xygeni-action", "v6", "", "malicious"},
		{"xygeni/xygeni-action", "v6.4.0", "", ""},

		// Vulnerable versions.
		{"actions/download-artifact", "v4.1.2", "", "vulnerable!"},
		{"actions/download-artifact", "v4.1.3", "", ""},
		{"actions/download-artifact", "v4", "", "vulnerable"},
		{"actions/download-artifact", "v5", "", ""},
		{"actions/download-artifact", noCommit, "v4.1.0", "vulnerable!#"},
		{"actions/download-artifact", noCommit, "v4", "vulnerable#"},
		{"actions/download-artifact", noCommit, "", ""},
		{"actions/download-artifact", noCommit, "pinned by hand", ""},
		{"github/codeql-action/init", "v3.27.0", "", "vulnerable!"},
		{"github/codeql-action/init", "v3", "", "vulnerable"},
		{"dawidd6/action-download-artifact", "v3", "", "vulnerable!"},
		{"dawidd6/action-download-artifact", "v6", "", ""},
		{"anthropics/claude-code-action", "v1", "", "vulnerable"},
		{"anthropics/claude-code-action", "v0.0.60", "", "vulnerable!"},
		{"super-linter/super-linter/slim", "v8.0.0", "", "vulnerable!"},
		{"rlespinasse/github-slug-action", "v2.1.0", "", "vulnerable!"},
		{"rlespinasse/github-slug-action", "v2.1.1", "", ""},

		// The checkout that refuses forks.
		{"actions/checkout", "v4.3.0", "", "hardening-version!"},
		{"actions/checkout", "v4.4.0", "", ""},
		{"actions/checkout", "v4", "", "hardening-version"},
		{"actions/checkout", "v1", "", "hardening-version!"},
		{"actions/checkout", "v7", "", ""},
		{"actions/checkout", noCommit, "v4.2.2", "hardening-version!#"},
		{"actions/checkout", noCommit, "v6.1.0", ""},

		// Not reported at all.
		{"tj-actions/eslint-changed-files", "v21", "", ""},
		{"rsolv-dev/rsolv-action", "v1", "", ""},
		{"oven-sh/setup-bun", "0c5077e51419868618aeaa5fe8019c62421857d6", "v2.2.0", ""},
		{"tj-actions/changed-files-more", "v1", "", ""},
		{"", "", "", ""},
	} {
		var got []string
		for _, a := range LookupBad(c.name, c.ref, c.comment) {
			got = append(got, mark(a))
		}
		slices.Sort(got)
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("LookupBad(%q, %q, %q) = %q, want %q", c.name, c.ref, c.comment, text, c.want)
		}
	}
}

func mark(a Advisory) string {
	text := a.Kind
	if a.Exact {
		text += "!"
	}
	if a.ByComment {
		text += "#"
	}
	if a.Restored {
		text += "~"
	}
	return text
}

func TestMovedOn(t *testing.T) {
	for _, c := range []struct {
		name, ref, comment string
		want               bool
	}{
		{"actions/download-artifact", "v4", "", true},
		{"actions/download-artifact", "v4.1", "", true},
		{"actions/download-artifact", "v4.0", "", false},
		{"actions/download-artifact", "main", "", true},
		{"actions/download-artifact", "experiment", "", false},
		{"actions/download-artifact", noCommit, "v4", false},
		{"pypa/gh-action-pypi-publish", "release/v1", "", true},
		{"anthropics/claude-code-action", "v1", "", true},
		{"anthropics/claude-code-action", "beta", "", false},
		{"lycheeverse/lychee-action", "v1", "", false},
	} {
		found := LookupBad(c.name, c.ref, c.comment)
		if len(found) == 0 {
			t.Errorf("%s@%s %s: nothing", c.name, c.ref, c.comment)
		}
		for _, a := range found {
			if a.MovedOn != c.want {
				t.Errorf("%s@%s %s: %+v", c.name, c.ref, c.comment, a)
			}
		}
	}
}

func TestLookupBadImage(t *testing.T) {
	const digest = "sha256:2588a44890263a8185bd5d9fadb6bc9220b60245dbcbc4da35e1b62a6f8c230d"
	for _, c := range []struct {
		image, tag, digest string
		found, exact       bool
	}{
		{"aquasec/trivy", "0.69.4", "", true, true},
		{"docker.io/aquasec/trivy", "0.69.4", "", true, true},
		{"ghcr.io/aquasecurity/trivy", "0.70.0", "", false, false},
		{"aquasec/trivy", "", "", true, false},
		{"checkmarx/kics", "latest", "", true, false},
		{"checkmarx/kics", "latest", digest, true, true},
		{"checkmarx/kics", "v2.1.20", "sha256:" + strings.Repeat("0", 64), false, false},
		{"alpine", "latest", "", false, false},
	} {
		found := LookupBadImage(c.image, c.tag, c.digest)
		if len(found) > 0 != c.found || c.found && found[0].Exact != c.exact {
			t.Errorf("LookupBadImage(%q, %q, %q) = %+v", c.image, c.tag, c.digest, found)
		}
	}
}

func FuzzLookupBad(f *testing.F) {
	f.Add("tj-actions/changed-files", "v45", "")
	f.Add("actions/checkout", noCommit, "v4.2.2")
	f.Fuzz(func(t *testing.T, name, ref, comment string) {
		for _, a := range LookupBad(name, ref, comment) {
			if !strings.HasPrefix(strings.ToLower(name), a.Action) || a.Source == "" {
				t.Errorf("%q@%q: %+v", name, ref, a)
			}
		}
	})
}

// What was published since the data was collected counts, and does not undo it.
func TestLookupPublished(t *testing.T) {
	list := []Published{
		{Action: "new/tool", ID: "GHSA-new", Range: ">= 1.0.0, < 1.2.1", Fixed: "1.2.1"},
		{Action: "new/tool", ID: "GHSA-odd", Range: "before the flood"},
		{Action: "tj-actions/changed-files", ID: "GHSA-mrrh-fwg8-r2c3", Range: "< 0.0.1"},
		{Action: "tj-actions/changed-files", ID: "GHSA-mcph-m25j-8j63", Range: "< 99", Fixed: "99"},
	}
	ids := func(name, ref, comment string) (out []string) {
		for _, a := range LookupPublished(list, name, ref, comment) {
			out = append(out, a.ID)
		}
		return out
	}
	commit := strings.Repeat("1", 40)
	for _, c := range []struct{ name, ref, comment, want string }{
		{"new/tool", "v1.2.0", "", "GHSA-new"},
		{"New/Tool/sub", "v1.2.0", "", "GHSA-new"},
		{"new/tool", commit, "v1.0.0", "GHSA-new"},
		{"new/tool", "v1.2.1", "", ""},
		{"new/tools", "v1.2.0", "", ""},
		{"tj-actions/changed-files", "0e58ed8671d6b60d0890c21b07f8835ace038e67", "", "GHSA-mrrh-fwg8-r2c3"},
		{"tj-actions/changed-files", "v50.0.0", "", "GHSA-mcph-m25j-8j63"}, // given a later end
	} {
		if got := strings.Join(ids(c.name, c.ref, c.comment), " "); got != c.want {
			t.Errorf("%s@%s # %s: %q, want %q", c.name, c.ref, c.comment, got, c.want)
		}
	}
	if n := len(LookupBad("tj-actions/changed-files", "v50.0.0", "")); n > 0 {
		t.Errorf("without the list: %d", n)
	}
}
