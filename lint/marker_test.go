package lint

import (
	"slices"
	"strings"
	"testing"
)

func TestParseMarkers(t *testing.T) {
	type want struct {
		text, ids, until, reason, problem string
	}
	tests := []struct {
		comment string
		want    []want
	}{
		{"# nothing of ours", nil},
		{"# we asked stint: it said no", nil},
		{"# stint: ignore[a]", []want{{"stint: ignore[a]", "a", "", "", ""}}},
		{"#stint:ignore[a]", []want{{"stint:ignore[a]", "a", "", "", ""}}},
		{`# stint: ignore[a, b-c] until=2027-01-31 reason="no \"OIDC\" \\ yet # really"`,
			[]want{{`stint: ignore[a, b-c] until=2027-01-31 reason="no \"OIDC\" \\ yet # really"`, "a b-c", "2027-01-31", `no "OIDC" \ yet # really`, ""}}},
		{`# stint: ignore[a] reason="x" until=2027-01-31`, []want{{`stint: ignore[a] reason="x" until=2027-01-31`, "a", "2027-01-31", "x", ""}}},
		{`# v1.2.3 # stint: ignore[a] reason="x"`, []want{{`stint: ignore[a] reason="x"`, "a", "", "x", ""}}},
		{`# stint: ignore[a] until=2027-01-31# v1.2.3`, []want{{`stint: ignore[a] until=2027-01-31`, "a", "2027-01-31", "", ""}}},
		{`# stint: ignore[a] # zizmor: ignore[b] # stint: ignore[c] # v1`,
			[]want{{"stint: ignore[a]", "a", "", "", ""}, {"stint: ignore[c]", "c", "", "", ""}}},
		{"# please stint: ignore[a]", []want{{"stint: ignore[a]", "a", "", "", "follow a '#'"}}},
		{"# stint: ignore", []want{{"stint: ignore", "", "", "", "names no rule"}}},
		{"# stint: ignore[]", []want{{"stint: ignore[]", "", "", "", "names no rule"}}},
		{"# stint: ignore[a,]", []want{{"stint: ignore[a,]", "a", "", "", "names no rule"}}},
		{"# stint: ignore[a", []want{{"stint: ignore[a", "", "", "", "no ']'"}}},
		{"# stint: disable[a]", []want{{"stint: disable[a]", "", "", "", "must say ignore"}}},
		{"# stint: ignore[a] because", []want{{"stint: ignore[a] because", "a", "", "", "only until="}}},
		{"# stint: ignore[a] until 2027-01-31", []want{{"stint: ignore[a] until 2027-01-31", "a", "", "", "only until="}}},
		{"# stint: ignore[a] until=2027-02-30", []want{{"stint: ignore[a] until=2027-02-30", "a", "2027-02-30", "", "no date"}}},
		{"# stint: ignore[a] until=soon # v1", []want{{"stint: ignore[a] until=soon", "a", "soon", "", "no date"}}},
		{"# stint: ignore[a] until=2027-01-01 until=2028-01-01", []want{{"stint: ignore[a] until=2027-01-01 until=2028-01-01", "a", "2027-01-01", "", "two ends"}}},
		{"# stint: ignore[a] reason=x", []want{{"stint: ignore[a] reason=x", "a", "", "", "double quotes"}}},
		{`# stint: ignore[a] reason="x`, []want{{`stint: ignore[a] reason="x`, "a", "", "", "double quotes"}}},
		{`# stint: ignore[a] reason=" "`, []want{{`stint: ignore[a] reason=" "`, "a", "", "", "double quotes"}}},
		{`# stint: ignore[a] owner="x"`, []want{{`stint: ignore[a] owner="x"`, "a", "", "", "not known"}}},
	}
	for _, test := range tests {
		got := parseMarkers(test.comment)
		if len(got) != len(test.want) {
			t.Errorf("%s: %d markers, want %d", test.comment, len(got), len(test.want))
			continue
		}
		for i, w := range test.want {
			g := got[i]
			if text := test.comment[g.start:g.end]; text != w.text || strings.Join(g.ids, " ") != w.ids || g.until != w.until || g.reason != w.reason {
				t.Errorf("%s: got %q %+v, want %+v", test.comment, text, g, w)
			}
			if (g.problem == "") != (w.problem == "") || !strings.Contains(g.problem, w.problem) {
				t.Errorf("%s: problem %q, want %q", test.comment, g.problem, w.problem)
			}
		}
	}
}

// A marker that is read must be found where it says, and reading only the marker
// must give the same again.
func FuzzParseMarkers(f *testing.F) {
	f.Add(`# v1.2.3 # stint: ignore[a, b] until=2027-01-31 reason="x \" y"`)
	f.Add(`# stint: ignore[a # stint: ignore[b]`)
	f.Add(`#stint:#stint:ignore[a]#`)
	f.Fuzz(func(t *testing.T, comment string) {
		last := 0
		for _, m := range parseMarkers(comment) {
			if m.start < last || m.end <= m.start || m.end > len(comment) {
				t.Fatalf("%q: marker at [%d, %d) after %d", comment, m.start, m.end, last)
			}
			last = m.end
			if m.problem != "" {
				continue
			}
			again := parseMarkers("#" + comment[m.start:m.end])
			if len(again) != 1 || !slices.Equal(again[0].ids, m.ids) || again[0].reason != m.reason || again[0].until != m.until || again[0].problem != "" {
				t.Fatalf("%q: read %+v, alone %+v", comment, m, again)
			}
		}
	})
}
