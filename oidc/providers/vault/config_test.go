package vault

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
)

func TestNewRefusesABadBlockWithItsLine(t *testing.T) {
	const (
		address = "      address: https://vault.example\n"
		role    = "      role: site-deploy\n"
		token   = "      token: true\n"
	)
	field := func(path, field, name string) string {
		return address + role + "      secrets: [{ path: \"" + path + "\", fields: { \"" + field + "\": \"" + name + "\" } }]\n"
	}
	for block, want := range map[string]string{
		role + token: "address is missing",
		"      address: http://vault.example\n" + role + token:        "open line",
		"      address: https://user:pa55word@vault.example\n" + role: "without user",
		"      address: https://vault.example/x?y\n" + role:           "without user",
		"      address: vault.example\n" + role + token:               "not an url",
		address + token:                                                      "role is missing",
		address + "      role: a/b\n" + token:                                "not a name",
		address + role + token + "      mount: ../sys\n":                     "mount",
		address + role + token + "      namespace: a//b\n":                   "namespace",
		address + role + token + "      ca: nonsense\n":                      "ca is not a certificate",
		address + role + token + "      audience: https://github.com/acme\n": "every token without an audience",
		address + role + token + "      policies: [root]\n":                  "root",
		address + role + token + "      policies: [\"a b\"]\n":               "not a name",
		address + role + token + "      policy: x\n":                         "policy",
		address + role: "would get nothing",
		address + role + "      secrets: [{ path: a }]\n": "has 0 fields",
		field("../x", "a", "A"):                           "is not one",
		field("a/./b", "a", "A"):                          "is not one",
		field("a?b", "a", "A"):                            "is not one",
		field("a/..%2fb", "a", "A"):                       "is not one",
		field("/a", "a", "A"):                             "is not one",
		field("a/+/b", "a", "A"):                          "is not one",
		field("sys/mounts", "a", "A"):                     "not of a secrets engine",
		field("auth/token/lookup-self", "id", "A"):        "not of a secrets engine",
		field("a/b", "", "A"):                             "not a name",
		field("a/b", "a", "A-B"):                          "not the name of a variable",
		field("a/b", "a", "GITHUB_TOKEN"):                 "steers the runner",
		field("a/b", "a", "vault_token"):                  "steers the runner",
		field("a/b", "a", "Path"):                         "steers the runner",
		field("a/b", "a", "LD_PRELOAD"):                   "steers the runner",
		address + role + "      secrets: [{ path: a/b, data: { \"\": x }, fields: { a: X } }]\n":                                        "which has no name",
		address + role + "      secrets: [{ path: a/b, data: { x: \"" + strings.Repeat("y", maxDatum+1) + "\" }, fields: { a: X } }]\n": "more than 1024 bytes",
		address + role + "      secrets: [{ path: a/b, fields: { a: X } }, { path: a/c, fields: { a: X } }]\n":                          "two fields go to X",
	} {
		g := parseGrant(t, "15m", block)
		p, err := New(g.Targets[0], g, Options{})
		var e *oidc.Error
		if p != nil || !errors.As(err, &e) || !strings.Contains(e.Message, want) || e.Hint == "" || !strings.Contains(e.Message, "line 8") && !strings.Contains(e.Message, ".yml:1") ||
			strings.Contains(e.Message, "pa55word") {
			t.Errorf("%q: %+v, want %q", block, err, want)
		}
	}
}

func TestTooMuchIsRefused(t *testing.T) {
	many := strings.Repeat("        - { path: a/b, fields: { a: A } }\n", maxSecrets+1)
	policies := "      policies: [" + strings.Repeat("x,", maxPolicies) + "y]\n"
	for block, want := range map[string]string{"      secrets:\n" + many: "secrets lists", "      token: true\n" + policies: "policies lists"} {
		g := parseGrant(t, "15m", "      address: https://vault.example\n      role: x\n"+block)
		if _, err := New(g.Targets[0], g, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	g := &grant.Grant{Name: "x", TTL: 13 * time.Hour}
	if _, err := newSettings(config{Address: "https://vault.example", Role: "x", Token: true}, g, 3); err == nil || !strings.Contains(err.Error(), "ttl") {
		t.Errorf("%v", err)
	}
}

func TestDefaults(t *testing.T) {
	g := parseGrant(t, "15m", testBlock)
	p, err := New(g.Targets[0], g, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := p.(*provider).settings
	if p.Name() != "vault" || p.Audience() != testAddress || s.Mount != "jwt" || p.(*provider).host() != "vault.example" {
		t.Errorf("settings %+v", s.config)
	}
}
