package hardcodedsecret

import (
	"context"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/linttest"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

func TestRule(t *testing.T) { linttest.Run(t, Rule) }

// personalToken makes a token with a true checksum that no service has issued.
// Tests make it when they run, so that no file of ours looks like a leak.
func personalToken() string { return checksummed("ghp" + "_") }

func checksummed(prefix string) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	body := "q7Vb2mKx94TzLw8RnY3cP5dJ1sHg6A"
	sum := crc32.ChecksumIEEE([]byte(body))
	check := make([]byte, 6)
	for i := range check {
		check[5-i] = digits[sum%62]
		sum /= 62
	}
	return prefix + body + string(check)
}

// webToken ends on 2027-01-15.
const webToken = "eyJhbGciOiJSUzI1NiJ9." + "eyJleHAiOjE4MDAwMDAwMDB9.q7Vb2mKx94TzLw8RnY3cP5dJ1sHg6Aq7Vb2mKx94TzLw8RnY3c"

const shape = `on: push
# the old one was %1
jobs:
  build:
    runs-on: ubuntu-24.04
    env: { GH_TOKEN: '%1' }
    steps:
      - run: |
          curl -H "Authorization: Bearer %1" https://api.github.com/user
          echo "%2"
      - uses: acme/tool@v1
        with: { anything: "%1", notes: "see %1." }
`

func find(t *testing.T, o lint.Options, secret string) *lint.Result {
	t.Helper()
	src := strings.NewReplacer("%1", secret, "%2", secret[:len(secret)-1]).Replace(shape)
	file := workflows.Parse(".github/workflows/ci.yml", []byte(src))
	o.Rules = []*lint.Rule{Rule}
	r := lint.Run(context.Background(), &workflows.Repository{Root: ".", Files: []*workflows.File{file}}, o)
	for _, f := range r.Findings {
		if got := f.File.Text(f.Span); !strings.HasPrefix(secret, got) {
			t.Errorf("the finding covers %q", got)
		}
	}
	return r
}

func TestFormsAreFoundAnywhereAndNeverShown(t *testing.T) {
	secret := personalToken()
	r := find(t, lint.Options{}, secret)
	if len(r.Findings) != 5 || len(r.Redacted) != 5 {
		t.Fatalf("%d findings, %d places to mask", len(r.Findings), len(r.Redacted))
	}
	inJob := 0
	for _, f := range r.Findings {
		if f.Severity != reach.Critical || f.Confidence != lint.HighConfidence || !f.Redact {
			t.Errorf("%s, confidence %s: %s", f.Severity, f.Confidence, f.Message)
		}
		for _, text := range []string{f.Message, f.Next, f.Exposure.Credentials[0].Name} {
			if strings.Contains(text, secret[:5]) {
				t.Errorf("too much is shown: %s", text)
			}
		}
		if f.Job != nil && f.Job.Job.ID == "build" {
			inJob++
		}
	}
	if inJob != 4 {
		t.Errorf("%d findings are in the job", inJob)
	}
}

// The fingerprint says nothing of the secret, and still tells findings apart.
func TestFingerprintsAreMadeWithoutTheSecret(t *testing.T) {
	secret := personalToken()
	seen := map[string]bool{}
	for _, f := range find(t, lint.Options{}, secret).Findings {
		if seen[f.Fingerprint] {
			t.Errorf("two findings are %s", f.Fingerprint)
		}
		seen[f.Fingerprint] = true
	}
	for _, f := range find(t, lint.Options{}, checksummed("npm"+"_")).Findings {
		if !seen[f.Fingerprint] {
			t.Error("another secret at the same place has another fingerprint: it is in there")
		}
	}
}

// Severities follow what a form opens and until when.
func TestWeights(t *testing.T) {
	for _, c := range []struct {
		secret, today string
		want          reach.Severity
	}{
		{personalToken(), "", reach.Critical},
		{"AKIA" + "Q7VB2MKX64TZLW5R", "", reach.Medium},
		{"sk_" + "test_q7Vb2mKx94TzLw8RnY3cP5dJ", "", reach.Low},
		{webToken, "2026-11-21", reach.Critical},
		{webToken, "2027-01-16", reach.Info},
	} {
		r := find(t, lint.Options{Today: c.today}, c.secret)
		if len(r.Findings) == 0 || r.Findings[0].Severity != c.want {
			t.Errorf("%s…: %+v", c.secret[:4], r.Findings)
		}
	}
}
