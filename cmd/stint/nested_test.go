package main

import (
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/lease"
	"github.com/stint-dev/stint/oidc/spiffe"
)

// What runs under stint exec is refused every grant, unless it has a source of id-tokens
// that stint did not give it; and what stint gives it, by a runner or a workload api, is none.
func TestNestedHasNothingToAskWith(t *testing.T) {
	ofJob := &grant.Grant{Name: "deploy-site"}
	ofWorkload := &grant.Grant{Name: "release", For: grant.For{Issuer: "https://spire.example.org", Subject: "spiffe://example.org/ci"}}
	ambient := []string{"ACTIONS_ID_TOKEN_REQUEST_URL=u", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=t", spiffe.SocketVar + "=unix:///s", "OTHER=x"}
	child, _, err := lease.ChildEnv(ambient)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name      string
		env       []string
		tokenFile string
		refused   bool
	}{
		{"beside", ambient, "", false},
		{"within", append(child, withinVariable+"=outer"), "", true},
		{"within, with a token file", append(child, withinVariable+"=outer"), "token", false},
		{"within, with a source of its own", append(ambient, withinVariable+"=outer"), "", false},
	} {
		env := map[string]string{}
		for _, entry := range row.env {
			name, value, _ := strings.Cut(entry, "=")
			env[name] = value
		}
		w := world{getenv: func(name string) string { return env[name] }}
		for _, g := range []*grant.Grant{ofJob, ofWorkload} {
			if err := notWithin(w, g, row.tokenFile); (err != nil) != row.refused {
				t.Errorf("%s, %s: %v", row.name, g.Name, err)
			}
		}
	}
}
