package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// Every kind of difference that saved claims can have is told by its name, with a
// next step.
func TestGrantCheckNamesTheDifference(t *testing.T) {
	const inEnvironment = "environment: production, "
	cases := []struct {
		class  string
		change map[string]string // claims; "-" removes
		who    string            // more of for:
	}{
		{"differs", claims("workflow_ref", "acme/site/.github/workflows/other.yml@refs/heads/main"), ""},
		{"environment-instead-of-ref", claims("environment", "production", "sub", "repo:acme/site:environment:production"), ""},
		{"environment-missing", nil, inEnvironment},
		{"pull-request", claims("event_name", "pull_request", "ref", "refs/pull/1/merge", "sub", "repo:acme/site:pull_request"), ""},
		{"reusable-workflow", claims("job_workflow_ref", "acme/shared/.github/workflows/publish.yml@refs/heads/main"), ""},
		{"case-only", claims("repository", "Acme/site", "sub", "repo:Acme/site:ref:refs/heads/main", "workflow_ref", "Acme/site/.github/workflows/deploy.yml@refs/heads/main"), ""},
		{"audience", claims("aud", "https://github.com/acme"), ""},
		{"issuer", claims("iss", "https://evil.example"), ""},
		{"tag-instead-of-branch", claims("ref", "refs/tags/main", "sub", "repo:acme/site:ref:refs/tags/main"), ""},
		{"other-branch", claims("ref", "refs/heads/other", "sub", "repo:acme/site:ref:refs/heads/other"), ""},
		{"event", claims("event_name", "release"), "events: [push], "},
		{"low-trust-event", claims("event_name", "issue_comment"), ""},
		{"self-hosted-runner", claims("runner_environment", "self-hosted"), ""},
		{"other-repository", claims("repository", "acme/other", "sub", "repo:acme/other:ref:refs/heads/main"), ""},
		{"recreated-repository", claims("repository_id", "99"), `repository-id: "1", `},
		{"renamed-repository", claims("repository", "acme/new", "sub", "repo:acme/new:ref:refs/heads/main"), `repository-id: "1", `},
		{"missing-claim", claims("event_name", "-"), ""},
		{"claims-disagree", claims("sub", "repo:acme/site:ref:refs/heads/other"), ""},
	}
	for _, c := range cases {
		dir := t.TempDir()
		file := filepath.Join(dir, "stint.yml")
		text := strings.Replace(grants, "events: [push]", "", 1)
		text = strings.Replace(text, "for: { ", "for: { "+c.who, 1)
		text = strings.Replace(text, ",  }", " }", 1)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, status := check(t, c.change, "--file", file)
		if status != exitFindings || !strings.Contains(out, " ("+c.class+")\n") || !strings.Contains(out, "\n  next   ") {
			t.Errorf("%s: status %d\n%s", c.class, status, out)
		}
	}
}

func claims(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

// check runs stint grant check deploy-site on the claims of a good job with changes.
func check(t *testing.T, change map[string]string, args ...string) (out string, status int) {
	t.Helper()
	c := map[string]string{
		"iss": publicIssuer, "sub": "repo:acme/site:ref:refs/heads/main", "aud": "sts.amazonaws.com",
		"repository": "acme/site", "repository_id": "1", "repository_owner_id": "1", "event_name": "push",
		"ref": "refs/heads/main", "runner_environment": "github-hosted",
		"workflow_ref":     "acme/site/.github/workflows/deploy.yml@refs/heads/main",
		"job_workflow_ref": "acme/site/.github/workflows/deploy.yml@refs/heads/main",
	}
	for name, value := range change {
		c[name] = value
		if value == "-" {
			delete(c, name)
		}
		if _, called := change["job_workflow_ref"]; name == "workflow_ref" && !called {
			c["job_workflow_ref"] = value
		}
	}
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	w := world{stdin: bytes.NewReader(b), stdout: &stdout, stderr: &stderr, getenv: func(string) string { return "" }, environ: func() []string { return nil }, now: time.Now}
	status = run(t.Context(), w, append([]string{"grant", "check", "deploy-site", "--repository", "acme/site", "--claims", "-"}, args...))
	return stdout.String() + stderr.String(), status
}

func TestGrantCheckAdmits(t *testing.T) {
	file := filepath.Join(t.TempDir(), "stint.yml")
	if err := os.WriteFile(file, []byte(grants), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, status := check(t, nil, "--file", file); status != exitOK {
		t.Errorf("status %d\n%s", status, out)
	}
}

// The help of every command fits a terminal of 80 columns.
func TestHelpFits(t *testing.T) {
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		var b bytes.Buffer
		c.SetOut(&b)
		if err := c.Help(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > defaultWidth {
				t.Errorf("%s: %d columns: %s", c.CommandPath(), n, line)
			}
		}
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(rootCommand(world{}))
}
