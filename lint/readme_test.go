package lint

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows/platform"
)

func readme(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// table returns the cells of the first table after a text.
func table(t *testing.T, doc, after string) [][]string {
	t.Helper()
	_, rest, ok := strings.Cut(doc, after)
	if !ok {
		t.Fatalf("README.md has no %q", after)
	}
	var rows [][]string
	for l := range strings.Lines(rest[strings.Index(rest, "\n|")+1:]) {
		if !strings.HasPrefix(l, "|") {
			break
		}
		var row []string
		for cell := range strings.SplitSeq(strings.Trim(strings.TrimSpace(l), "|"), "|") {
			row = append(row, strings.TrimSpace(cell))
		}
		rows = append(rows, row)
	}
	return append(rows[:1:1], rows[2:]...)
}

func TestReadmeHoldsTheSeverityTable(t *testing.T) {
	stakes := [][]*reach.Credential{
		nil,
		{{Lifetime: reach.ForJob}},
		{{Lifetime: reach.ForJob, Writes: true}},
		{{Lifetime: reach.Standing}},
	}
	columns := [][]reach.Trust{
		{reach.OwnCode},
		{reach.SameOwner, reach.PlatformCode, reach.PinnedThirdParty},
		{reach.MutableThirdParty, reach.MutableInside, reach.FetchedCode},
		{reach.AgentCode},
		{reach.OutsiderCode},
		{reach.MaliciousCode},
	}
	rows := table(t, readme(t), "<!-- severity")
	if len(rows) != len(stakes)+1 || len(rows[0]) != len(columns)+1 {
		t.Fatalf("the table is %d × %d", len(rows), len(rows[0]))
	}
	for i, creds := range stakes {
		for k, trusts := range columns {
			for _, trust := range trusts {
				e := reach.Exposure{Credentials: creds, Steer: trust, Start: platform.StartWriter}
				if got := reach.Grade(e).String(); rows[i+1][k+1] != got {
					t.Errorf("%q × %v is %s in the code, %s in README.md", rows[i+1][0], trust, got, rows[i+1][k+1])
				}
			}
		}
	}
}

// Every key that the README documents is read, and every key that is read is documented.
func TestReadmeHoldsTheKeys(t *testing.T) {
	values := map[string]string{
		"lint.profile": "2026-11", "lint.min-severity": "low", "lint.strict": "true", "lint.disable": "[a]",
		"lint.trusted-owners": "[a]", "lint.actions": "{ allow: [a/b] }", "lint.ignore": "[{ rule: a, path: b, reason: c, until: 2027-01-31 }]",
		"debt": "[{ secret: a, owner: b, reason: c, until: 2027-01-31 }]",
	}
	key := regexp.MustCompile("^`([a-z.-]+)`$")
	for _, row := range table(t, readme(t), "## Configuration")[1:] {
		m := key.FindStringSubmatch(row[0])
		if m == nil || values[m[1]] == "" {
			t.Errorf("README.md documents %s, which this test does not know", row[0])
			continue
		}
		src := m[1] + ": " + values[m[1]]
		if name, inLint := strings.CutPrefix(m[1], "lint."); inLint {
			src = "lint: { " + name + ": " + values[m[1]] + " }"
		}
		c, err := ParseConfig(ConfigPath, []byte(src))
		if err != nil {
			t.Errorf("%s: %v", m[1], err)
			continue
		}
		c.File, c.named = nil, nil
		if reflect.DeepEqual(c, &Config{}) {
			t.Errorf("%s is read and changes nothing", m[1])
		}
		delete(values, m[1])
	}
	for missing := range values {
		t.Errorf("README.md does not document %s", missing)
	}
}
