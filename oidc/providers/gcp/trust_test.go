package gcp

import (
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/gcp/cel"
	"github.com/stint-dev/stint/oidc/trust"
	"github.com/stint-dev/stint/oidc/trust/trusttest"
)

func testSettings(t *testing.T, g *grant.Grant, c config) *settings {
	t.Helper()
	if c.Provider == "" {
		c.Provider = testProvider
	}
	s, err := newSettings(c, g, 7)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLabelledLocks(t *testing.T) { trusttest.Cases(t, Trust) }

// What the lock admits is what the grant's own decision admits, with no residue.
func TestALockIsItsGrant(t *testing.T) {
	trusttest.Agree(t, 500, func(g *grant.Grant, repo trust.Repository) (trust.Lock, error) {
		lock, err := renderSettings(g, testSettings(t, g, config{ServiceAccount: testAccount}), repo)
		if err == nil && len(lock.AlsoAdmits) > 0 {
			t.Errorf("residue %v", lock.AlsoAdmits)
		}
		return lock, err
	})
}

var longSubject = mustParse("assertion.sub + '" + strings.Repeat("x", maxSubjectBytes) + "'")

func mustParse(src string) *cel.Expression {
	x, err := cel.Parse(src)
	if err != nil {
		panic(err)
	}
	return x
}
