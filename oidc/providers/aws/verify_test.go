package aws

import (
	"io"
	"log"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// Each row spoils one field of a good reply. The credential must not get past
// Exchange and Verify.
func TestSpoiltReplies(t *testing.T) {
	at := newClock().now
	rows := []struct {
		name, field, value string
		ttl                time.Duration
		text               string
	}{
		{"no key", "AccessKeyId", "", 0, "access key id"},
		{"key with a newline", "AccessKeyId", "ASIA0000\nINJECTED=1000", 0, "access key id"},
		{"no secret", "SecretAccessKey", "", 0, "secret access key"},
		{"secret with a newline", "SecretAccessKey", "a\nLD_PRELOAD=x", 0, "secret access key"},
		{"no session token", "SessionToken", "", 0, "session token"},
		{"no expiry", "Expiration", "", 0, "does not say when"},
		{"another subject", "Subject", "repo:acme/other:ref:refs/heads/main", 0, "another subject"},
		{"another audience", "Audience", "sigstore", 0, "another audience"},
		{"no identity", "Arn", "", 0, "another identity"},
		{"another account", "Arn", "arn:aws:sts::999999999999:assumed-role/site-deploy/gh-9876543210-2-site", 0, "another identity"},
		{"another role", "Arn", "arn:aws:sts::111122223333:assumed-role/admin/gh-9876543210-2-site", 0, "another identity"},
		{"role with its path", "Arn", "arn:aws:sts::111122223333:assumed-role/team/site-deploy/gh-9876543210-2-site", 0, "another identity"},
		{"another partition", "Arn", "arn:aws-cn:sts::111122223333:assumed-role/site-deploy/gh-9876543210-2-site", 0, "another identity"},
		{"another session", "Arn", "arn:aws:sts::111122223333:assumed-role/site-deploy/gh-1-1-site", 0, "another identity"},
		{"a user", "Arn", "arn:aws:iam::111122223333:user/gh-9876543210-2-site", 0, "another identity"},
		{"already expired", "Expiration", at.Add(-time.Minute).Format(time.RFC3339), 0, "already over"},
		{"expires now", "Expiration", at.Format(time.RFC3339), 0, "already over"},
		{"longer than asked", "Expiration", at.Add(time.Hour).Format(time.RFC3339), 0, "longer than asked"},
		{"just too long", "Expiration", at.Add(15*time.Minute + 31*time.Second).Format(time.RFC3339), 0, "longer than asked"},
		{"our clock is behind", "Expiration", at.Add(20 * time.Minute).Format(time.RFC3339), 2 * time.Minute, "longer than asked"},
		{"our clock is ahead", "Expiration", at.Add(10 * time.Minute).Format(time.RFC3339), 2 * time.Minute, "ahead of the cloud's"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			ttl := row.ttl
			if ttl == 0 {
				ttl = 15 * time.Minute
			}
			b := newBench(t, ttl, good(goodFields(at.Add(15*time.Minute)).with(row.field, row.value)))
			c, err := b.exchange(t)
			if err == nil {
				err = b.Verify(c, b.request())
			}
			if err == nil || !strings.Contains(err.Error(), row.text) {
				t.Fatalf("got %v, want an error with %q", err, row.text)
			}
			checkSilent(t, err)
			if e := err.(*oidc.Error); e.Stage != oidc.StageVerify || len(b.fake.sent()) != 1 {
				t.Errorf("stage %s after %d calls", e.Stage, len(b.fake.sent()))
			}
		})
	}
}

func TestRepliesThatAreNone(t *testing.T) {
	for _, body := range []string{"", canaryBody, `{"json":"` + canaryBody + `"}`, "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"} {
		b := newBench(t, 15*time.Minute, reply{status: 200, body: body})
		if _, err := b.exchange(t); err == nil || !strings.Contains(err.Error(), "holds no credentials") {
			t.Errorf("%q gives %v", body, err)
		}
	}
}

func TestAcceptableReplies(t *testing.T) {
	at := newClock().now
	whole := goodFields(at.Add(15 * time.Minute))
	rows := map[string]struct {
		ttl   time.Duration
		reply fields
	}{
		"within the leeway":             {15 * time.Minute, whole.with("Expiration", at.Add(15*time.Minute+29*time.Second).Format(time.RFC3339))},
		"shorter than asked":            {15 * time.Minute, whole.with("Expiration", at.Add(5*time.Minute).Format(time.RFC3339))},
		"expires before the deny":       {5 * time.Minute, whole.with("Expiration", at.Add(4*time.Minute).Format(time.RFC3339))},
		"states no subject or audience": {15 * time.Minute, whole.with("Subject", "").with("Audience", "")},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, row.ttl, good(row.reply))
			c, err := b.exchange(t)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Verify(c, b.request()); err != nil {
				t.Error(err)
			}
			if c.UsableUntil.After(c.Expires) || c.UsableUntil.After(at.Add(row.ttl+clockLeeway)) {
				t.Errorf("usable until %s", c.UsableUntil)
			}
		})
	}
}

func TestCompatibleServerMayLeaveTheIdentityOut(t *testing.T) {
	b := newBench(t, 15*time.Minute)
	b.fake.replies = []reply{good(goodFields(b.clock.now.Add(15*time.Minute)).with("Arn", ""))}
	c := testConfig()
	c.Role, c.Endpoint = "arn:minio:iam:::role/nOybJqMNzNmroqEKq5D0EUsRZw0", b.fake.URL
	b.provider = b.make(t, c)
	cred, err := b.exchange(t)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Verify(cred, b.request()); err != nil || cred.Facts[FactIdentity] == "" {
		t.Errorf("%v, facts %v", err, cred.Facts)
	}
	cred.Identity = "arn:minio:sts:::assumed-role/other/x"
	if b.Verify(cred, b.request()) == nil {
		t.Error("a stated identity that differs was accepted")
	}
	if b.Verify(nil, b.request()) == nil {
		t.Error("no credential was accepted")
	}
}

func TestEndClaimsNoMoreThanIsTrue(t *testing.T) {
	at := newClock().now
	handle := func(usable, expires time.Duration) oidc.Handle {
		return oidc.Handle{Provider: Name, ID: testKeyID, UsableUntil: at.Add(usable), Expires: at.Add(expires)}
	}
	rows := map[string]struct {
		handle  oidc.Handle
		outcome oidc.Outcome
		end     time.Duration
		detail  string
	}{
		"running":          {handle(600e9, 600e9), oidc.Expires, 600e9, "aws cannot end a session early; this one stays valid until 2026-11-21T12:10:00Z"},
		"running to deny":  {handle(60e9, 600e9), oidc.Expires, 60e9, "aws cannot end a session early; its session policy denies everything from 2026-11-21T12:01:00Z, aws itself lists it until 2026-11-21T12:10:00Z"},
		"denied":           {handle(-60e9, 600e9), oidc.Expires, 600e9, "its session policy denies everything since 2026-11-21T11:59:00Z; aws itself lists it until 2026-11-21T12:10:00Z"},
		"over":             {handle(-60e9, 0), oidc.Expired, 0, "expired at 2026-11-21T12:00:00Z"},
		"tampered":         {handle(600e9, 60e9), oidc.Open, 0, "it is not known when this session expires; aws cannot end it early"},
		"without any time": {oidc.Handle{}, oidc.Open, 0, "it is not known when this session expires; aws cannot end it early"},
	}
	for name, row := range rows {
		e := Ender{Now: newClock().Now}
		got := e.End(t.Context(), row.handle)
		if got != e.End(t.Context(), row.handle) {
			t.Errorf("%s: a second End differs", name)
		}
		if got.Outcome != row.outcome || !got.At.Equal(at.Add(row.end)) || got.Detail != row.detail {
			t.Errorf("%s: %+v", name, got)
		}
		if strings.Contains(got.Detail, "revoked") {
			t.Errorf("%s: claims a revocation", name)
		}
	}
}
