package grant

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
)

const foreignFor = `{ issuer: "https://spire.example.org", subject: "spiffe://example.org/ci/release" }`

func foreignClaims(t *testing.T, change ...string) oidc.Claims {
	t.Helper()
	text := `{"iss":"https://spire.example.org","sub":"spiffe://example.org/ci/release","aud":["vault.example"],"exp":1795262700}`
	c, err := oidc.ParseClaims([]byte(strings.NewReplacer(change...).Replace(text)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var foreignWant = Expect{Repository: "acme/site", Issuer: "https://token.actions.githubusercontent.com", Audience: "vault.example",
	Now: time.Unix(1795262400, 0)}

func TestForeignTokensNeedAGrantThatNamesThem(t *testing.T) {
	g := grantOf(t, foreignFor)
	if d := g.Decide(foreignClaims(t), foreignWant); !d.Admit {
		t.Errorf("refused: %+v", d.Reasons)
	}
	for name, row := range map[string]struct {
		change []string
		claim  string
		class  Class
	}{
		"issuer":       {[]string{"https://spire.example.org", "https://spire.example.net"}, "iss", ClassIssuer},
		"issuer below": {[]string{"https://spire.example.org", "https://spire.example.org/x"}, "iss", ClassIssuer},
		"no issuer":    {[]string{`"iss":"https://spire.example.org",`, ""}, "iss", ClassMissing},
		"subject":      {[]string{"ci/release", "ci/release/x"}, "sub", ClassOther},
		"case":         {[]string{"ci/release", "ci/Release"}, "sub", ClassCase},
		"no subject":   {[]string{`"sub":"spiffe://example.org/ci/release",`, ""}, "sub", ClassMissing},
		"audience":     {[]string{`["vault.example"]`, `["vault.example","other"]`}, "aud", ClassAudience},
		"expired":      {[]string{"1795262700", "1795262000"}, "exp", ClassExpired},
	} {
		d := g.Decide(foreignClaims(t, row.change...), foreignWant)
		if d.Admit || len(d.Reasons) != 1 || d.Reasons[0].Claim != row.claim || d.Reasons[0].Class != row.class || d.Reasons[0].Next == "" {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// No grant of jobs admits a token of another issuer, and no grant of another issuer one
// of a job, be its subject what it may.
func TestJobsAndForeignTokensDoNotMix(t *testing.T) {
	for _, who := range []string{"{ ref: refs/heads/main, runner: any }", "{ ref-protected: false, runner: any, events: [push] }"} {
		want := foreignWant
		want.Issuer = ""
		if d := grantOf(t, who).Decide(foreignClaims(t), want); d.Admit {
			t.Errorf("%s admits a foreign token", who)
		}
	}
	job, err := oidc.ParseClaims(readFile(t, "claims/main.json"))
	if err != nil {
		t.Fatal(err)
	}
	g := grantOf(t, foreignFor)
	g.For.Subject = job.Subject
	want := foreignWant
	want.Audience, want.Now = "", time.Time{}
	if d := g.Decide(job, want); d.Admit {
		t.Error("a job's token is admitted by its subject alone")
	}
}

func TestForeignGrantIsExplained(t *testing.T) {
	g := grantOf(t, foreignFor)
	var b bytes.Buffer
	if err := WriteGrant(&b, g, Repository{Name: "acme/site"}); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if !strings.Contains(text, "not GitHub's") || strings.Count(text, "spiffe://example.org/ci/release") != 2 || strings.Contains(text, "acme/site") || strings.Contains(text, "15 July") {
		t.Error(text)
	}
}
