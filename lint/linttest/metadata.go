package linttest

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/lint"
)

// tags are the framework ids that a rule may carry: OWASP Non-Human Identities
// Top 10 2025 (NHI), OWASP Top 10 for Agentic Applications 2026 (ASI), NIST CSF
// 2.0 identity management (PR.AA), and the NIST AI RMF 1.0 subcategories of GOVERN.
// PR.AA-06 is about physical access and has no place in a workflow, but is real.
var tags = []string{
	"NHI1:2025", "NHI2:2025", "NHI3:2025", "NHI4:2025", "NHI5:2025",
	"NHI6:2025", "NHI7:2025", "NHI8:2025", "NHI9:2025", "NHI10:2025",
	"ASI01", "ASI02", "ASI03", "ASI04", "ASI05", "ASI06", "ASI07", "ASI08", "ASI09", "ASI10",
	"PR.AA-01", "PR.AA-02", "PR.AA-03", "PR.AA-04", "PR.AA-05", "PR.AA-06",
	"GOVERN 1.3", "GOVERN 1.4", "GOVERN 1.5", "GOVERN 1.6", "GOVERN 1.7",
	"GOVERN 2.1", "GOVERN 3.2", "GOVERN 6.1", "GOVERN 6.2",
}

// sections are the headings that a rule's README must have, in this order.
var sections = []string{"## What", "## Why", "## Fix", "## References"}

var (
	idForm    = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	sinceForm = regexp.MustCompile(`^\d{4}-(0[1-9]|1[0-2])$`)
)

func checkMetadata(t *testing.T, rule *lint.Rule) {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range metadataProblems(rule, filepath.Base(dir)) {
		t.Error(p)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil || string(readme) != rule.Readme {
		t.Error("Readme is not the directory's README.md: embed it")
	}
}

// metadataProblems says what is wrong with the rule's own words.
func metadataProblems(rule *lint.Rule, dir string) []string {
	var ps []string
	demand := func(ok bool, problem string) {
		if !ok {
			ps = append(ps, problem)
		}
	}
	demand(rule.ID == dir, "ID "+rule.ID+" is not the name of the directory, "+dir)
	demand(idForm.MatchString(rule.ID), "ID is not kebab case")
	demand(rule.Title != "" && !strings.ContainsAny(rule.Title, "\n") && !strings.HasSuffix(rule.Title, "."), "Title is not one line without a full stop")
	demand(strings.ToLower(rule.Title[:min(1, len(rule.Title))]) == rule.Title[:min(1, len(rule.Title))], "Title does not start in lower case")
	demand(sinceForm.MatchString(rule.Since), "Since is not YYYY-MM")
	demand(rule.Confidence >= lint.LowConfidence && rule.Confidence <= lint.HighConfidence, "Confidence is not set")
	demand(rule.Check != nil || rule.CheckRepository != nil || rule.CheckSuppressions != nil, "there is no Check")
	demand(len(rule.Tags) > 0, "Tags is empty")
	for _, tag := range rule.Tags {
		demand(slices.Contains(tags, tag), "the tag "+tag+" is not an id that we know to be real")
	}
	demand(strings.HasPrefix(rule.Readme, "# "+rule.ID+"\n"), "README.md does not start with # "+rule.ID)
	at := 0
	for _, s := range sections {
		i := strings.Index(rule.Readme[at:], "\n"+s+"\n")
		demand(i >= 0, "README.md has no section "+s+" in its place")
		at += max(i, 0)
	}
	return ps
}
