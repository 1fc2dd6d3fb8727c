package trusttest

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/trust"
)

// CasesVar names the directory of a labelled set: index.tsv with the columns file,
// cloud, grade and admits_all among others, tokens.json, and the policies.
const CasesVar = "STINT_TRUST_CASES"

// audience stands in a labelled token for what the relying party expects.
const audience = "AUD"

// Cases holds a cloud to the labelled set that CasesVar names, and skips without one.
// A case is right when each token is answered as its label says, exactly.
func Cases(t *testing.T, cloud trust.Cloud) {
	dir := os.Getenv(CasesVar)
	if dir == "" {
		t.Skip(CasesVar + " names no directory of labelled policies")
	}
	tokens := readTokens(t, filepath.Join(dir, "tokens.json"))
	seen := 0
	for _, row := range readTable(t, filepath.Join(dir, "index.tsv")) {
		if row["cloud"] != cloud.Name {
			continue
		}
		seen++
		t.Run(row["file"], func(t *testing.T) { oneCase(t, cloud, filepath.Join(dir, row["file"]), row, tokens) })
	}
	if seen == 0 {
		t.Errorf("the set has no case for %s", cloud.Name)
	}
}

func oneCase(t *testing.T, cloud trust.Cloud, file string, row map[string]string, tokens map[string]map[string]string) {
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := Read(t, cloud, file, body)
	want := map[string]bool{}
	for _, name := range strings.Fields(row["admits_all"]) {
		want[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(tokens)) {
		claims := maps.Clone(tokens[name])
		if claims["aud"] == audience {
			claims["aud"] = p.Audience()
		}
		if a := p.Decide(Claims(claims)); a.Admits != want[name] || a.Why == "" {
			t.Errorf("token %s: admits is %v, want %v: %s", name, a.Admits, want[name], a.Why)
		}
	}
	grade, findings := trust.Judge(p)
	if string(grade) != row["grade"] {
		t.Errorf("grade is %s, the label says %s (%s): %+v", grade, row["grade"], row["why"], findings)
	}
}

// Read finds and parses the one lock of a file.
func Read(t *testing.T, cloud trust.Cloud, path string, body []byte) trust.Policy {
	t.Helper()
	docs, err := cloud.Find(path, body)
	if err != nil || len(docs) != 1 {
		t.Fatalf("%s: found %d locks, want one: %v", path, len(docs), err)
	}
	if docs[0].Cloud != cloud.Name || docs[0].Path != path || docs[0].Line < 1 {
		t.Errorf("%s: the document says %q %q line %d", path, docs[0].Cloud, docs[0].Path, docs[0].Line)
	}
	p, err := cloud.Parse(docs[0])
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return p
}

// Claims makes the claims of a token from their values.
func Claims(values map[string]string) oidc.Claims {
	return oidc.Claims{Issuer: values["iss"], Subject: values["sub"], Audience: []string{values["aud"]}, Values: values}
}

func readTokens(t *testing.T, file string) map[string]map[string]string {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var tokens map[string]map[string]string
	if err := json.Unmarshal(b, &tokens); err != nil || len(tokens) == 0 {
		t.Fatalf("%s has %d tokens: %v", file, len(tokens), err)
	}
	return tokens
}

// readTable reads lines of cells between tabs, the first of which names them.
func readTable(t *testing.T, file string) []map[string]string {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	head := strings.Split(lines[0], "\t")
	rows := make([]map[string]string, 0, len(lines)-1)
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, cell := range strings.Split(line, "\t") {
			if i < len(head) {
				row[head[i]] = cell
			}
		}
		rows = append(rows, row)
	}
	return rows
}
