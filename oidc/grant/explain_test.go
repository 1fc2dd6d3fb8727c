package grant

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "write the goldens of testdata anew")

// golden compares text with a file of testdata/explain.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "explain", name+".txt")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
	checkPage(t, string(got))
}

// checkPage checks what holds of every explanation: lines fit, but for words
// that cannot be broken, and hold nothing that a terminal obeys.
func checkPage(t *testing.T, page string) {
	t.Helper()
	if !strings.HasSuffix(page, "\n") || strings.HasSuffix(page, "\n\n") {
		t.Error("the page does not end in one line break")
	}
	for line := range strings.Lines(page) {
		line = strings.TrimSuffix(line, "\n")
		if printable(line) != line || strings.TrimRight(line, " ") != line {
			t.Errorf("line %q", line)
		}
		if words := strings.Fields(line); utf8.RuneCountInString(line) > width && len(words) > 1 &&
			!slices.ContainsFunc(words, func(w string) bool { return len(w) > width-20 }) {
			t.Errorf("line is longer than %d: %q", width, line)
		}
	}
}

func TestWriteDecision(t *testing.T) {
	g := mustParse(t, readFile(t, "files/site.yml")).Grants[0]
	want := atHome
	want.Audience, want.Issuer = "sts.amazonaws.com", "https://token.actions.githubusercontent.com"
	for _, preset := range []string{
		"production", "main", "pull-request", "comment", "called", "self-hosted", "renamed", "tag", "hand-made", "hostile",
	} {
		t.Run(preset, func(t *testing.T) {
			var out bytes.Buffer
			if err := WriteDecision(&out, g.Decide(claimsOf(t, preset), want)); err != nil {
				t.Fatal(err)
			}
			golden(t, "decision-"+preset, out.Bytes())
		})
	}
}

func TestWriteGrant(t *testing.T) {
	site := mustParse(t, readFile(t, "files/site.yml")).Grants
	many := mustParse(t, readFile(t, "files/many.yml")).Grants
	for _, g := range append(site, many...) {
		t.Run(g.Name, func(t *testing.T) {
			var out bytes.Buffer
			if err := WriteGrant(&out, g, Repository{Name: "acme/site"}); err != nil {
				t.Fatal(err)
			}
			golden(t, "grant-"+g.Name, out.Bytes())
		})
	}
	var out bytes.Buffer
	if err := WriteGrant(&out, site[0], Repository{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "grant-nowhere", out.Bytes())
}

// The two sentences that say what the check is worth are on every page that
// could be taken for a promise.
func TestPagesSayWhatTheLockIs(t *testing.T) {
	g := grantOf(t, deployFor)
	var admitted, explained bytes.Buffer
	if err := WriteDecision(&admitted, g.Decide(claimsOf(t, "production"), atHome)); err != nil {
		t.Fatal(err)
	}
	if err := WriteGrant(&explained, g, Repository{Name: "a/b"}); err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{admitted.String(), explained.String()} {
		text := strings.Join(strings.Fields(page), " ")
		if !strings.Contains(text, "guard-rail") || !strings.Contains(text, "The lock is the cloud's own trust policy") {
			t.Errorf("not said in:\n%s", page)
		}
	}
}

func TestSubjects(t *testing.T) {
	site := Repository{Name: "acme/site"}
	ids := Repository{Name: "acme/site", ID: "2001", OwnerID: "1001"}
	tests := map[string]struct {
		forBlock string
		known    Repository
		want     []string
	}{
		"a branch":          {"{ ref: refs/heads/main }", site, []string{"repo:acme/site:ref:refs/heads/main"}},
		"with ids":          {"{ ref: refs/heads/main }", ids, []string{"repo:acme/site:ref:refs/heads/main", "repo:acme@1001/site@2001:ref:refs/heads/main"}},
		"ids of the grant":  {"{ repository-id: 7, repository-owner-id: 8, environment: p }", site, []string{"repo:acme/site:environment:p", "repo:acme@8/site@7:environment:p"}},
		"one id only":       {"{ repository-id: 7, environment: p }", site, []string{"repo:acme/site:environment:p"}},
		"an environment":    {"{ ref: refs/heads/main, environment: \"a:b\", events: [pull_request] }", site, []string{"repo:acme/site:environment:a%3Ab"}},
		"refs, sorted":      {"{ refs: [refs/tags/v1, refs/heads/release/*] }", site, []string{"repo:acme/site:ref:refs/heads/release/*", "repo:acme/site:ref:refs/tags/v1"}},
		"any ref":           {"{ workflow: .github/workflows/a.yml }", site, []string{"repo:acme/site:ref:*"}},
		"a pull request":    {"{ events: [pull_request] }", site, []string{"repo:acme/site:pull_request"}},
		"a target":          {"{ events: [pull_request_target], ref: refs/heads/main }", site, []string{"repo:acme/site:pull_request", "repo:acme/site:ref:refs/heads/main"}},
		"a push and a pull": {"{ events: [push, pull_request], ref: refs/heads/main }", site, []string{"repo:acme/site:pull_request", "repo:acme/site:ref:refs/heads/main"}},
		"another's":         {"{ repository: acme/www, ref: refs/heads/main }", site, []string{"repo:acme/www:ref:refs/heads/main"}},
		"nowhere":           {"{ ref: refs/heads/main }", Repository{}, nil},
	}
	for name, test := range tests {
		if got := grantOf(t, test.forBlock).Subjects(test.known); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestShortTime(t *testing.T) {
	for d, want := range map[time.Duration]string{
		15 * time.Minute: "15m", time.Hour: "1h", 90 * time.Minute: "1h30m", 90 * time.Second: "1m30s", 12 * time.Hour: "12h", 10 * time.Minute: "10m",
	} {
		if got := shortTime(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
