package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const data = `{"version":1,"generated":"2026-01-01","actions":[
 {"action":"b/two","kind":"malicious","id":"GHSA-2","summary":"our words","refs":["v1"],"date":"2026-01-01","source":"s"},
 {"action":"a/one","kind":"vulnerable","id":"GHSA-1","summary":"our words","ranges":["<1"],"fixed":"1","date":"2026-01-01","source":"s"}],
 "images":[{"images":["x/y"],"summary":"bad","tags":["1"],"date":"2026-01-01","source":"s"}]}`

// Two pages in a row, as gh api --paginate writes them.
const advisories = `[
 {"ghsa_id":"GHSA-1","html_url":"https://example.test/1","published_at":"2026-02-01T00:00:00Z","vulnerabilities":[
  {"package":{"ecosystem":"actions","name":"A/One"},"vulnerable_version_range":">= 1.0.0, < 1.2.0","first_patched_version":"1.2.0"}]},
 {"ghsa_id":"GHSA-2","html_url":"https://example.test/2","published_at":"2026-02-01T00:00:00Z","vulnerabilities":[
  {"package":{"ecosystem":"actions","name":"b/two"},"vulnerable_version_range":"< 9","first_patched_version":"9"}]}]
[
 {"ghsa_id":"GHSA-3","html_url":"https://example.test/3","published_at":"2026-03-01T00:00:00Z","vulnerabilities":[
  {"package":{"ecosystem":"actions","name":"c/three"},"vulnerable_version_range":"< 2.1.1","first_patched_version":"2.1.1"},
  {"package":{"ecosystem":"actions","name":"c/three"},"vulnerable_version_range":">= 3, < 3.4","first_patched_version":"3.4"},
  {"package":{"ecosystem":"npm","name":"c/three-npm"},"vulnerable_version_range":"< 1","first_patched_version":"1"}]},
 {"ghsa_id":"GHSA-4","withdrawn_at":"2026-03-02T00:00:00Z","html_url":"https://example.test/4","published_at":"2026-03-01T00:00:00Z","vulnerabilities":[
  {"package":{"ecosystem":"actions","name":"d/four"},"vulnerable_version_range":"< 1","first_patched_version":"1"}]}]`

func TestRefresh(t *testing.T) {
	dir := t.TempDir()
	path, list := filepath.Join(dir, "bad.json"), filepath.Join(dir, "advisories.json")
	write(t, path, data)
	write(t, list, advisories)
	if err := run([]string{"-data", path, list}, time.Date(2026, 4, 5, 6, 7, 8, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	got, err := readData(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, e := range got.Actions {
		lines = append(lines, strings.Join([]string{e.Action, e.Kind, e.ID, e.Summary, strings.Join(e.Ranges, " or "), e.Fixed, e.Date}, "|"))
	}
	want := `a/one|vulnerable|GHSA-1|our words|>=1.0.0,<1.2.0|1.2.0|2026-01-01
b/two|malicious|GHSA-2|our words|||2026-01-01
c/three|vulnerable|GHSA-3|has a published advisory|<2.1.1 or >=3,<3.4|3.4|2026-03-01`
	if text := strings.Join(lines, "\n"); text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	if got.Generated != "2026-04-05" || len(got.Images) != 1 {
		t.Errorf("generated %s, %d images", got.Generated, len(got.Images))
	}
}

// Without an argument the embedded file must come out as it is.
func TestEmbeddedFileIsSorted(t *testing.T) {
	text, err := os.ReadFile("../bad.json")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "bad.json")
	write(t, path, string(text))
	if err := run([]string{"-data", path}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if again, _ := os.ReadFile(path); string(again) != string(text) {
		t.Error("bad.json is not as refresh writes it: run go generate ./workflows/platform")
	}
}

func TestRefreshRefuses(t *testing.T) {
	dir := t.TempDir()
	path, list := filepath.Join(dir, "bad.json"), filepath.Join(dir, "list.json")
	for _, c := range []struct{ data, list, want string }{
		{`{"version":2,"actions":[]}`, "", "version 2 is not 1"},
		{`{"version":1,"colour":"red"}`, "", "unknown field"},
		{`{`, "", "unexpected EOF"},
		{data, `{"message":"rate limit"}`, "cannot unmarshal"},
	} {
		write(t, path, c.data)
		args := []string{"-data", path}
		if c.list != "" {
			write(t, list, c.list)
			args = append(args, list)
		}
		if err := run(args, time.Now()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.want, err, c.want)
		}
		if after, _ := os.ReadFile(path); string(after) != c.data {
			t.Errorf("%s: a refused run changed the file", c.want)
		}
	}
	if err := run([]string{"-data", filepath.Join(dir, "none.json")}, time.Now()); err == nil {
		t.Error("a file that is not there is accepted")
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
