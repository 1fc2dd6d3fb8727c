package rules_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/rules"
	"github.com/stint-dev/stint/reach"
)

const rulesDocument = "../../docs/rules.md"

// TestRulesDocument holds docs/rules.md to the rules; -update writes it.
func TestRulesDocument(t *testing.T) {
	want := documentRules(t)
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(rulesDocument, want, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(rulesDocument)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("docs/rules.md is stale (%v): run go test ./lint/rules -run TestRulesDocument -update", err)
	}
}

func documentRules(t *testing.T) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# The rules of stint lint

Made by %sgo test ./lint/rules -run TestRulesDocument -update%s from the rules, their tests and testdata/incidents.

A rule has no severity of its own: it comes from what could be taken, how long that lives, who can steer the code or start the job, and whether a person is in
the loop ([lint/README.md](../lint/README.md) has the table). "Seen" is the range that the rule's own tests have. "Network" is what %s--online%s adds. "Break-ins" are
the incidents of testdata/incidents in which the rule must fire.

| rule | finds | seen | for | network | fixes | tags | break-ins |
|---|---|---|---|---|---|---|---|
`, "`", "`", "`", "`")
	broken := incidentsOf(t)
	for _, r := range rules.All {
		audience := "everyone"
		if r.Audience == lint.Strict {
			audience = "strict"
		}
		fmt.Fprintf(&b, "| [%s](../lint/rules/%s/README.md) | %s | %s | %s | %s | %s | %s | %s |\n", r.ID, r.ID, r.Title, severitiesOf(t, r.ID), audience,
			r.Network, dash(r.Fixes.String()), strings.Join(r.Tags, ", "), dash(strings.Join(broken[r.ID], ", ")))
	}
	return b.Bytes()
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// incidentsOf returns the names of the incidents by the rules that must fire in them.
func incidentsOf(t *testing.T) map[string][]string {
	paths, err := filepath.Glob(filepath.Join(incidentsDir, "*", "incident.yml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no incidents: %v", err)
	}
	of := map[string][]string{}
	for _, path := range paths {
		name := filepath.Base(filepath.Dir(path))
		for _, f := range readIncident(t, path).Findings {
			if !slices.Contains(of[f.Rule], name) {
				of[f.Rule] = append(of[f.Rule], name)
			}
		}
	}
	return of
}

var wantLine = regexp.MustCompile(`(?m)^\S+:\d+:\d+ ([a-z]+) ([a-z-]+) `)

// severitiesOf returns the range of severities in the archives of a rule.
func severitiesOf(t *testing.T, id string) string {
	archives, err := filepath.Glob(filepath.Join(id, "testdata", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	least, most, found := reach.Critical, reach.Info, false
	for _, path := range archives {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range wantLine.FindAllStringSubmatch(string(src), -1) {
			if s, ok := reach.ParseSeverity(m[1]); ok && m[2] == id {
				least, most, found = min(least, s), max(most, s), true
			}
		}
	}
	switch {
	case !found:
		return "–"
	case least == most:
		return most.String()
	}
	return least.String() + " to " + most.String()
}
