package main

import (
	"testing"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/spiffe"
)

// The grant says whose tokens it wants, so a variable that an earlier step sets cannot
// lead the grant of a job to another source.
func TestSourceIsChosenByTheGrant(t *testing.T) {
	job := &grant.Grant{For: grant.For{Workflow: ".github/workflows/deploy.yml"}}
	workload := &grant.Grant{For: grant.For{Issuer: "https://spire.example.org", Subject: "spiffe://example.org/ci"}}
	other := &grant.Grant{For: grant.For{Issuer: "https://ci.example.org", Subject: "project:site"}}
	for name, row := range map[string]struct {
		grant           *grant.Grant
		socket, file    string
		want, spiffeFor string
	}{
		"job":                       {job, "", "", "runner", ""},
		"job beside a socket":       {job, "unix:///run/agent.sock", "", "runner", ""},
		"job with a file":           {job, "", "token", "file", ""},
		"workload":                  {workload, "unix:///run/agent.sock", "", "spiffe", "spiffe://example.org/ci"},
		"workload without a socket": {workload, "", "", "runner", ""},
		"workload with a file":      {workload, "unix:///run/agent.sock", "token", "file", ""},
		"no spiffe id":              {other, "unix:///run/agent.sock", "", "spiffe", ""},
	} {
		w := world{getenv: func(name string) string {
			if name == spiffe.SocketVar {
				return row.socket
			}
			return ""
		}}
		source := venue{}.source(w, row.grant, row.file)
		if source.Name() != row.want {
			t.Errorf("%s: the source is %s, want %s", name, source.Name(), row.want)
		}
		if s, ok := source.(*spiffe.Source); ok && (s.Subject != row.spiffeFor || s.Socket != row.socket) {
			t.Errorf("%s: %+v", name, s)
		}
	}
}
