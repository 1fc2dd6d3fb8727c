package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/workflows"
)

// The safe fix of a new finding becomes a suggestion on the line of the pull request; a
// server that refuses fails nothing.
func TestLintSuggests(t *testing.T) {
	dir := t.TempDir()
	put := func(name, content string) string {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const checkout = "      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
	put(".github/workflows/ci.yml", "on: pull_request\npermissions: { contents: read }\njobs:\n  ci:\n    runs-on: ubuntu-24.04\n    steps:\n"+checkout+"\n      - run: npm ci\n")
	event := put("event.json", `{"pull_request": {"number": 7, "base": {"sha": "b"}, "head": {"sha": "c0ffee"}}}`)
	var posted string
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/files"):
			json.NewEncoder(w).Encode([]map[string]string{{"filename": ".github/workflows/ci.yml", "patch": "@@ -6,1 +6,2 @@\n     steps:\n+" + checkout}})
		case strings.HasSuffix(r.URL.Path, "/comments"):
			io.WriteString(w, "[]")
		default:
			b, _ := io.ReadAll(r.Body)
			posted = r.URL.Path + " " + string(b)
			w.WriteHeader(status)
		}
	}))
	defer server.Close()
	env := map[string]string{"GITHUB_EVENT_PATH": event, "GITHUB_REPOSITORY": "acme/site", "GITHUB_API_URL": server.URL, "GITHUB_TOKEN": "t0ken"}
	lintIt := func() (int, string) {
		var stdout, stderr bytes.Buffer
		w := world{stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, getenv: func(n string) string { return env[n] }, environ: os.Environ, now: time.Now}
		return run(t.Context(), w, []string{"lint", "--offline", "--rules", "persisted-credentials", "--min-severity", "info", "--suggest", dir}), stderr.String()
	}
	got, stderr := lintIt()
	if got != exitFindings || stderr != "stint: suggestions posted: 1\n" {
		t.Fatalf("status %d: %s", got, stderr)
	}
	for _, want := range []string{"/repos/acme/site/pulls/7/reviews ", `"line":7`, `suggestion\n`, `persist-credentials: false`, "stint:", "`persisted-credentials`"} {
		if !strings.Contains(posted, want) {
			t.Errorf("%q is missing in %s", want, posted)
		}
	}
	status = http.StatusForbidden
	if got, stderr := lintIt(); got != exitFindings || !strings.HasPrefix(stderr, "stint: no suggestions: the token may not comment") || strings.Contains(stderr, "t0ken") {
		t.Errorf("status %d: %s", got, stderr)
	}
	env["GITHUB_EVENT_PATH"] = put("push.json", `{}`)
	if got, stderr := lintIt(); got != exitFindings || !strings.Contains(stderr, "the run is not for a pull request") {
		t.Errorf("status %d: %s", got, stderr)
	}
}

// A suggestion holds the lines that differ, and one more where lines are only added.
func TestSuggestionIsTheDifference(t *testing.T) {
	for _, test := range []struct{ before, after, old, new string }{
		{"a\nb\nc\n", "a\nx\nc\n", "b", "x"},
		{"a\nb\nc\n", "a\nb\nx\nc\n", "b", "b|x"},
		{"a\nb\n", "x\na\nb\n", "a", "x|a"},
		{"a\nb\nc\n", "a\nc\n", "b", ""},
		{"a\nb", "a\nx", "b", "x"},
		{"a\na\na\n", "a\na\na\na\n", "a", "a|a"},
	} {
		file := workflows.Parse("a.yml", []byte(test.before))
		s := suggestion(&lint.RepairedFile{File: file, Source: []byte(test.after)})
		if old, new := strings.Join(s.Old, "|"), strings.Join(s.New, "|"); old != test.old || new != test.new {
			t.Errorf("%q to %q: %q for %q", test.before, test.after, new, old)
		}
		lines := strings.Split(test.before, "\n")
		if at := lines[s.First-1 : s.First-1+len(s.Old)]; strings.Join(at, "|") != test.old {
			t.Errorf("%q to %q: line %d is %q", test.before, test.after, s.First, at)
		}
	}
}
