package aws

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
)

// parseGrant reads a grant file whose aws block is given, through the real parser.
func parseGrant(t *testing.T, block string) *grant.Grant {
	t.Helper()
	file := `version: 1
grants:
  deploy-site:
    intent: publish the built site
    owner: "@acme/web"
    for: { workflow: .github/workflows/deploy.yml, ref: refs/heads/main, events: [push], repository: acme/site }
    ttl: 15m
    aws:
` + block
	f, err := grant.Parse(".github/stint.yml", []byte(file), grant.Options{Providers: []string{Name}})
	if err != nil {
		t.Fatal(err)
	}
	return f.Grants[0]
}

func TestNewReadsTheGrantFile(t *testing.T) {
	b := newBench(t, 15*time.Minute)
	b.fake.replies = []reply{good(goodFields(b.clock.now.Add(15 * time.Minute)))}
	g := parseGrant(t, `      role: `+testRole+`
      region: eu-west-1
      audience: sts.amazonaws.com
      endpoint: `+b.fake.URL+`
      managed-policies: ["arn:aws:iam::111122223333:policy/site-write"]
      allow:
        - { actions: [s3:PutObject], resources: ["arn:aws:s3:::site/*"] }
        - actions: [s3:ListBucket]
          resources: ["arn:aws:s3:::site"]
`)
	p, err := New(g.Targets[0], g, Options{Version: "1.2.3", Now: b.clock.Now, Sleep: b.clock.Sleep})
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.Exchange(t.Context(), b.request())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Verify(c, b.request()); err != nil {
		t.Error(err)
	}
	form := b.fake.sent()[0]
	if form.Get("PolicyArns.member.1.arn") != "arn:aws:iam::111122223333:policy/site-write" || strings.Count(form.Get("Policy"), "Effect") != 2 {
		t.Errorf("sent %v", form)
	}
	if e := p.End(t.Context(), c.Handle); e.Outcome != oidc.Expires {
		t.Errorf("ending %+v", e)
	}
}

func TestNewRefusesABadBlockWithItsLine(t *testing.T) {
	for block, want := range map[string]string{
		"      role: " + testRole + "\n      region: eu-west-1\n      rolle: x\n":       "rolle",
		"      role: [a]\n      region: eu-west-1\n":                                    "role",
		"      role: site-deploy\n      region: eu-west-1\n":                            "not the arn of a role",
		"      role: " + testRole + "\n      region: eu-west-1\n      allow: s3:Put*\n": "allow",
	} {
		g := parseGrant(t, block)
		p, err := New(g.Targets[0], g, Options{})
		var e *oidc.Error
		if p != nil || !errors.As(err, &e) || !strings.Contains(e.Message, want) || e.Hint == "" {
			t.Errorf("%q: %+v", block, err)
		}
	}
}
