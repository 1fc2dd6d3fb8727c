package main

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stint-dev/stint/workflows/github/githubtest"
)

// hub DIR serves the directories in DIR as the repositories of the organization acme, on
// loopback; $HUB is its address. It takes no token but the one that loopback is given, so
// that one of the environment would be refused.
func hub(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hub DIR")
	}
	org, err := githubtest.Checkouts("acme", ts.MkAbs(args[0]))
	ts.Check(err)
	host := githubtest.New(org)
	host.Token, host.NoLimits = loopbackToken, true
	s := httptest.NewServer(host)
	ts.Defer(s.Close)
	ts.Setenv("HUB", s.URL)
}

// Which token goes where: a job's is for its own server, and none is for loopback.
func TestHostToken(t *testing.T) {
	for _, c := range []struct{ host, env, want string }{
		{"github.com", "GITHUB_TOKEN=a", "a"},
		{"github.com", "GITHUB_TOKEN=a GH_TOKEN=b", "b"},
		{"octo.ghe.com", "GH_TOKEN=b", "b"},
		{"github.com", "GITHUB_TOKEN=a GITHUB_SERVER_URL=https://ghes.example", ""},
		{"github.com", "GITHUB_TOKEN=a GITHUB_SERVER_URL=https://github.com", "a"},
		{"ghes.example", "GITHUB_TOKEN=a", ""},
		{"ghes.example", "GITHUB_TOKEN=a GITHUB_SERVER_URL=https://ghes.example", "a"},
		{"ghes.example", "GH_ENTERPRISE_TOKEN=c GITHUB_TOKEN=a", "c"},
		{"http://127.0.0.1:80", "GITHUB_TOKEN=a", loopbackToken},
	} {
		env := map[string]string{}
		for _, pair := range strings.Fields(c.env) {
			name, value, _ := strings.Cut(pair, "=")
			env[name] = value
		}
		h, err := hostOptions{host: c.host}.open(world{getenv: func(name string) string { return env[name] }}, "acme")
		got := ""
		if h.token != nil {
			got, _ = h.token.Token(t.Context())
		}
		if err != nil || got != c.want {
			t.Errorf("%s with %s: %q, %v", c.host, c.env, got, err)
		}
	}
	for _, host := range []string{"http://example.com", "http://localhost:80", "https://example.com"} {
		if _, err := (hostOptions{host: host}).open(world{getenv: func(string) string { return "" }}, "acme"); err == nil {
			t.Errorf("%s is taken", host)
		}
	}
}
