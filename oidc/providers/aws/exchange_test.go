package aws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

func TestExchangeSendsTheGrantAndReadsTheReply(t *testing.T) {
	b := newBench(t, 15*time.Minute)
	expires := b.clock.now.Add(15 * time.Minute)
	b.fake.replies = []reply{good(goodFields(expires))}

	c, err := b.exchange(t)
	if err != nil {
		t.Fatal(err)
	}
	form := b.fake.sent()[0]
	want := map[string]string{
		"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15",
		"RoleArn": testRole, "RoleSessionName": "gh-9876543210-2-site",
		"WebIdentityToken": canaryToken + "-1", "DurationSeconds": "900",
		"Policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::site/*"}]}`,
	}
	for k, v := range want {
		if form.Get(k) != v {
			t.Errorf("%s = %q, want %q", k, form.Get(k), v)
		}
	}
	if len(form) != len(want) {
		t.Errorf("fields sent: %v", form)
	}
	h := b.fake.headers[0]
	if h.Get("Authorization") != "" {
		t.Error("the call was signed")
	}
	if got := h.Get("User-Agent"); got != "stint/1.2.3 (run 9876543210; attempt 2)" {
		t.Errorf("user agent %q", got)
	}
	if err := b.Verify(c, b.request()); err != nil {
		t.Errorf("Verify: %v", err)
	}
	if c.Handle.ID != testKeyID || !c.Expires.Equal(expires) || !c.UsableUntil.Equal(expires) || c.Handle.Revoke != "" {
		t.Errorf("credential %+v", c)
	}
	checkVars(t, c, expires)
	wantFacts := map[string]string{
		FactSession: "gh-9876543210-2-site", FactAsked: "900", FactRequestedAt: "2026-11-21T12:00:00Z",
		FactRequestID: "c6104cbe-af31-11e0-8154-cbc7ccf896c7", FactPackedPolicy: "7", FactAttempts: "1",
		FactPolicyDigest: c.Facts[FactPolicyDigest],
	}
	if !reflect.DeepEqual(c.Facts, wantFacts) || !strings.HasPrefix(c.Facts[FactPolicyDigest], "sha256:") {
		t.Errorf("facts %v", c.Facts)
	}
}

func checkVars(t *testing.T, c *oidc.Credential, usable time.Time) {
	t.Helper()
	want := []struct {
		name, value string
		public      bool
	}{
		{"AWS_ACCESS_KEY_ID", testKeyID, true},
		{"AWS_SECRET_ACCESS_KEY", canarySecret, false},
		{"AWS_SESSION_TOKEN", canarySession, false},
		{"AWS_REGION", "eu-west-1", true},
		{"AWS_DEFAULT_REGION", "eu-west-1", true},
		{"AWS_CREDENTIAL_EXPIRATION", usable.Format(time.RFC3339), true},
	}
	if len(c.Vars) != len(want) {
		t.Fatalf("%d variables", len(c.Vars))
	}
	for i, w := range want {
		if v := c.Vars[i]; v.Name != w.name || v.Value.Reveal() != w.value || v.Public != w.public {
			t.Errorf("variable %d is %s, public %v", i, v.Name, v.Public)
		}
	}
	if text := fmt.Sprintf("%+v %#v", c, c); strings.Contains(text, canarySecret) || strings.Contains(text, canarySession) {
		t.Error("a printed credential shows its secrets")
	}
}

func TestAmbientSettingsAreNotRead(t *testing.T) {
	for k, v := range map[string]string{
		"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1",
		"AWS_REGION": "xx-nowhere-1", "AWS_ACCESS_KEY_ID": "AKIAAMBIENT000000000", "AWS_SECRET_ACCESS_KEY": "ambient",
		"AWS_PROFILE": "missing", "AWS_CONFIG_FILE": "/nonexistent", "AWS_EXECUTION_ENV": "ambient", "AWS_MAX_ATTEMPTS": "9",
	} {
		t.Setenv(k, v)
	}
	b := newBench(t, 15*time.Minute)
	b.fake.replies = []reply{good(goodFields(b.clock.now.Add(15 * time.Minute)))}
	if _, err := b.exchange(t); err != nil {
		t.Fatal(err)
	}
	for k, v := range b.fake.headers[0] {
		if s := strings.Join(v, " "); strings.Contains(s, "AKIA") || strings.Contains(s, "ambient") {
			t.Errorf("header %s carries an ambient value", k)
		}
	}
}

func TestShortTTLIsKeptByADeny(t *testing.T) {
	b := newBench(t, 2*time.Minute)
	issued := b.clock.now.Add(15 * time.Minute)
	b.fake.replies = []reply{good(goodFields(issued))}
	c, err := b.exchange(t)
	if err != nil {
		t.Fatal(err)
	}
	usable := b.clock.now.Add(2 * time.Minute)
	if !c.UsableUntil.Equal(usable) || !c.Expires.Equal(issued) {
		t.Errorf("usable until %s, expires %s", c.UsableUntil, c.Expires)
	}
	form := b.fake.sent()[0]
	if form.Get("DurationSeconds") != "900" || !strings.Contains(form.Get("Policy"), `{"DateGreaterThan":{"aws:CurrentTime":"2026-11-21T12:02:00Z"}}`) {
		t.Errorf("asked for %s with %s", form.Get("DurationSeconds"), form.Get("Policy"))
	}
	if err := b.Verify(c, b.request()); err != nil {
		t.Error(err)
	}
	checkVars(t, c, usable)
}

// Each row answers the first calls with one failure and then well. calls is how
// many the table of retries allows.
func TestEveryCode(t *testing.T) {
	rows := []struct {
		reply     reply
		calls     int
		retryable bool
		hint      string
	}{
		{failure4xx(400, "IDPCommunicationError"), 3, true, "oidc provider"},
		{failure4xx(400, "InvalidIdentityToken"), 2, true, "client ids"},
		{errorReply(400, "InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider, "+canaryBody), 3, true, "oidc provider"},
		{failure4xx(400, "ExpiredTokenException"), 2, true, "clock"},
		{failure4xx(403, "IDPRejectedClaim"), 1, false, "trust policy"},
		{failure4xx(403, "AccessDenied"), 1, false, "most likely first"},
		{failure4xx(400, "MalformedPolicyDocument"), 1, false, "allow"},
		{failure4xx(400, "PackedPolicyTooLarge"), 1, false, "managed policy"},
		{failure4xx(403, "RegionDisabledException"), 1, false, "region"},
		{failure4xx(400, "ValidationError"), 1, false, "MaxSessionDuration"},
		{failure4xx(400, "Throttling"), 5, true, "later"},
		{failure4xx(400, "ThrottlingException"), 5, true, "later"},
		{failure4xx(400, "RequestLimitExceeded"), 5, true, "later"},
		{failure4xx(400, "NeverHeardOf"), 1, false, "API reference"},
		{failure4xx(429, "TooMany"), 5, true, "later"},
		{failure4xx(500, "InternalFailure"), 5, true, "later"},
		{reply{status: 503, body: "<html>" + canaryBody}, 5, true, "later"},
		{reply{status: 502}, 5, true, "later"},
		{reply{status: 404, body: canaryBody}, 1, false, "API reference"},
		{reply{status: 200, body: `<html>` + canaryBody}, 3, true, "endpoint"},
	}
	for _, row := range rows {
		t.Run(fmt.Sprintf("%d/%.60s", row.reply.status, row.reply.body), func(t *testing.T) {
			b := newBench(t, 15*time.Minute, row.reply)
			_, err := b.exchange(t)
			var e *oidc.Error
			if !errors.As(err, &e) {
				t.Fatalf("error %v", err)
			}
			if len(b.fake.sent()) != row.calls || e.Retryable != row.retryable {
				t.Errorf("%d calls, want %d; retryable %v: %v", len(b.fake.sent()), row.calls, e.Retryable, err)
			}
			if e.Stage != oidc.StageExchange || e.Status != row.reply.status || !strings.Contains(e.Hint, row.hint) {
				t.Errorf("error %+v", e)
			}
			checkFreshTokens(t, b)
		})
	}
}

// checkFreshTokens fails when a token was sent twice.
func checkFreshTokens(t *testing.T, b *bench) {
	t.Helper()
	seen := map[string]bool{}
	for _, form := range b.fake.sent() {
		token := form.Get("WebIdentityToken")
		if seen[token] || token == "" {
			t.Errorf("token %q was sent twice", token)
		}
		seen[token] = true
	}
	if b.source.n != len(b.fake.sent()) {
		t.Errorf("%d tokens for %d calls", b.source.n, len(b.fake.sent()))
	}
}

func TestErrorKeepsCodeStatusAndRequestID(t *testing.T) {
	b := newBench(t, 15*time.Minute, failure4xx(403, "AccessDenied"))
	_, err := b.exchange(t)
	var e *oidc.Error
	if !errors.As(err, &e) || e.Code != "AccessDenied" || e.RequestID != "req-1" || e.Status != 403 {
		t.Fatalf("error %+v", e)
	}
	for _, part := range []string{testSubject, "sts.amazonaws.com", testRole, "does not say why"} {
		if !strings.Contains(e.Hint, part) {
			t.Errorf("hint lacks %q: %s", part, e.Hint)
		}
	}
	if strings.Contains(e.Message+e.Hint, "\n") {
		t.Error("more than two lines")
	}
}

func TestHostileCodeIsNotKept(t *testing.T) {
	for _, code := range []string{"a b", "x\x1b[31m", strings.Repeat("A", 65), canaryBody + "!"} {
		b := newBench(t, 15*time.Minute, failure4xx(400, code))
		_, err := b.exchange(t)
		var e *oidc.Error
		if !errors.As(err, &e) || e.Code != "" {
			t.Errorf("code %q was kept: %+v", code, e)
		}
	}
}

func TestRecoversFromPassingFailures(t *testing.T) {
	b := newBench(t, 15*time.Minute)
	b.fake.replies = []reply{failure4xx(503, "ServiceUnavailable"), failure4xx(400, "ExpiredTokenException"), good(goodFields(b.clock.now.Add(15 * time.Minute)))}
	c, err := b.exchange(t)
	if err != nil {
		t.Fatal(err)
	}
	if c.Facts[FactAttempts] != "3" {
		t.Errorf("facts %v", c.Facts)
	}
	if want := []time.Duration{250 * time.Millisecond, 500 * time.Millisecond}; !reflect.DeepEqual(b.clock.waits, want) {
		t.Errorf("waited %v, want %v", b.clock.waits, want)
	}
	checkFreshTokens(t, b)
}

func TestRetryAfterIsHonouredWithinTheDeadline(t *testing.T) {
	busyFor := func(s string) reply {
		r := failure4xx(429, "Throttling")
		r.header = http.Header{"Retry-After": {s}}
		return r
	}
	b := newBench(t, 15*time.Minute)
	b.fake.replies = []reply{busyFor("20"), good(goodFields(b.clock.now.Add(15 * time.Minute)))}
	if _, err := b.exchange(t); err != nil || b.clock.waits[0] != 20*time.Second {
		t.Errorf("%v, waited %v", err, b.clock.waits)
	}
	for asked, want := range map[string]time.Duration{"61": 61 * time.Second, "99999999": time.Hour} {
		b = newBench(t, 15*time.Minute, busyFor(asked))
		_, err := b.exchange(t)
		var e *oidc.Error
		if !errors.As(err, &e) || e.RetryAfter != want || len(b.clock.waits) != 0 || len(b.fake.sent()) != 1 {
			t.Errorf("Retry-After %s: %+v after %d calls and waits %v", asked, e, len(b.fake.sent()), b.clock.waits)
		}
	}
	for _, odd := range []string{"-5", "soon", "1e9"} {
		if d := (&wire.Reply{Header: http.Header{"Retry-After": {odd}}}).RetryAfter(); d != 0 {
			t.Errorf("Retry-After %q gives %s", odd, d)
		}
	}
}

func TestTokenFailureEndsTheExchange(t *testing.T) {
	b := newBench(t, 15*time.Minute, failure4xx(503, "ServiceUnavailable"))
	b.source.failAt = 2
	_, err := b.exchange(t)
	var e *oidc.Error
	if !errors.As(err, &e) || e.Stage != oidc.StageToken || len(b.fake.sent()) != 1 {
		t.Errorf("%+v after %d calls", e, len(b.fake.sent()))
	}
}

func TestFaultsOfTheLine(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer elsewhere.Close()
	hang := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}
	drop := func(w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := http.NewResponseController(w).Hijack()
		_ = conn.Close()
	}
	rows := []struct {
		name  string
		do    http.HandlerFunc
		calls int
		text  string
	}{
		{"redirect 307", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}, 1, "sends elsewhere"},
		{"redirect 302", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) }, 1, "sends elsewhere"},
		{"redirect to itself", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusPermanentRedirect) }, 1, "sends elsewhere"},
		{"100 MB", big(200), 1, "larger than 1048576 bytes"},
		{"100 MB of error", big(500), 1, "larger than 1048576 bytes"},
		{"slow", hang, 5, "did not answer in time"},
		{"hangs up", drop, 5, "breaks off"},
		{"cut short", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5000")
			fmt.Fprint(w, "<AssumeRoleWithWebIdentityResponse>"+canaryBody)
		}, 5, "breaks off"},
		{"truncated xml", func(w http.ResponseWriter, _ *http.Request) {
			s := goodFields(time.Now()).xml()
			fmt.Fprint(w, s[:strings.Index(s, canarySession)+9])
		}, 3, "not a whole reply"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t, 15*time.Minute, reply{do: row.do})
			b.timeout = 5 * time.Second
			if row.name == "slow" {
				b.timeout = 20 * time.Millisecond
			}
			_, err := b.exchange(t)
			// Tokens are counted: a call that is given up may not have arrived yet.
			if err == nil || !strings.Contains(err.Error(), row.text) || b.source.n != row.calls {
				t.Errorf("%v after %d calls", err, b.source.n)
			}
		})
	}
}

// big answers 100 MB, or as much as the other side takes.
func big(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		piece := strings.Repeat(canaryBody, 4096)
		for range 100 << 20 / len(piece) {
			if _, err := io.WriteString(w, piece); err != nil {
				return
			}
		}
	}
}

func TestDeadEndpoint(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := "http://" + l.Addr().String()
	_ = l.Close()
	b := newBench(t, 15*time.Minute, reply{status: 500})
	c := testConfig()
	c.Endpoint = dead
	b.provider = b.make(t, c)
	_, err = b.exchange(t)
	if err == nil || !strings.Contains(err.Error(), "refuses connections") || b.source.n != 5 {
		t.Errorf("%v after %d tokens", err, b.source.n)
	}
}

func TestUntrustedCertificate(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	server.Config.ErrorLog = quiet()
	b := newBench(t, 15*time.Minute, reply{status: 500})
	c := testConfig()
	c.Endpoint = server.URL
	b.provider = b.make(t, c)
	_, err := b.exchange(t)
	if err == nil || !strings.Contains(err.Error(), "certificate") || b.source.n != 1 {
		t.Errorf("%v after %d tokens", err, b.source.n)
	}
}

func TestCallerGivesUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b := newBench(t, 15*time.Minute, reply{do: func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	}})
	_, err := b.Exchange(ctx, b.request())
	if !errors.Is(err, context.Canceled) || b.source.n != 1 {
		t.Errorf("%v after %d calls", err, b.source.n)
	}
	checkSilent(t, err)
}

func TestRequestOutsideTheGrantIsRefusedBeforeAToken(t *testing.T) {
	b := newBench(t, 15*time.Minute, reply{status: 500})
	for _, ttl := range []time.Duration{0, time.Second, 16 * time.Minute, -time.Hour} {
		req := b.request()
		req.TTL = ttl
		if _, err := b.Exchange(t.Context(), req); err == nil || b.source.n != 0 {
			t.Errorf("ttl %s: %v, %d tokens", ttl, err, b.source.n)
		}
	}
}

func TestSessionName(t *testing.T) {
	rows := []struct {
		run  oidc.Run
		want string
	}{
		{testRun, "gh-9876543210-2-site"},
		{oidc.Run{Repository: "acme/" + strings.Repeat("long", 40), ID: "9876543210", Attempt: "1"}, "gh-9876543210-1-" + strings.Repeat("long", 12)},
		{oidc.Run{Repository: "acme/a b\nc/é", ID: "1", Attempt: "1"}, "gh-1-1-a-b-c"},
		{oidc.Run{Repository: "acme/site"}, "gh-site"},
		{oidc.Run{}, "gh"},
		{oidc.Run{ID: strings.Repeat("9", 100)}, "gh-" + strings.Repeat("9", 61)},
	}
	for _, row := range rows {
		if got := sessionName(row.run); got != row.want {
			t.Errorf("%+v gives %q, want %q", row.run, got, row.want)
		}
	}
}
