package aws

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
)

// Values that no output may hold.
const (
	canaryToken   = "canary-id-token"
	canarySecret  = "canarySecretAccessKey0123456789"
	canarySession = "canarySessionToken0123456789=="
	canaryBody    = "canary-body-text"
)

const (
	testKeyID   = "ASIATESTKEY000000001"
	testSubject = "repo:acme/site:ref:refs/heads/main"
	testRole    = "arn:aws:iam::111122223333:role/team/site-deploy"
)

var testRun = oidc.Run{Repository: "acme/site", ID: "9876543210", Attempt: "2", Job: "deploy"}

// A clock that only moves when something sleeps.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits = append(c.waits, d)
	c.now = c.now.Add(d)
	return ctx.Err()
}

// A tokenSource gives numbered tokens and fails at one of them when told to.
type tokenSource struct {
	n      int
	failAt int
}

func (s *tokenSource) Name() string { return "test" }

func (s *tokenSource) Token(_ context.Context, audience string) (*oidc.Token, error) {
	s.n++
	if s.n == s.failAt {
		return nil, &oidc.Error{Stage: oidc.StageToken, Message: "no token today", Hint: "ask again"}
	}
	return &oidc.Token{
		Raw:    oidc.NewSecret(fmt.Sprintf("%s-%d", canaryToken, s.n)),
		Claims: oidc.Claims{Subject: testSubject, Audience: []string{audience}},
	}, nil
}

// A reply is what the stand-in answers once.
type reply struct {
	status int
	body   string
	header http.Header
	do     http.HandlerFunc // instead of the rest
}

// A fakeSTS answers a list of replies, the last of them for ever, and keeps the
// requests.
type fakeSTS struct {
	*httptest.Server
	mu      sync.Mutex
	replies []reply
	forms   []url.Values
	headers []http.Header
}

func newFake(t *testing.T, replies ...reply) *fakeSTS {
	t.Helper()
	f := &fakeSTS{replies: replies}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fakeSTS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "form", http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	f.forms, f.headers = append(f.forms, r.PostForm), append(f.headers, r.Header)
	next := f.replies[0]
	if len(f.replies) > 1 {
		f.replies = f.replies[1:]
	}
	f.mu.Unlock()
	if next.do != nil {
		next.do(w, r)
		return
	}
	for k, v := range next.header {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(next.status)
	fmt.Fprint(w, next.body)
}

// sent returns the requests so far.
func (f *fakeSTS) sent() []url.Values {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.forms)
}

// fields are the parts of a good reply; a test changes one of them.
type fields map[string]string

func goodFields(expires time.Time) fields {
	return fields{
		"AccessKeyId": testKeyID, "SecretAccessKey": canarySecret, "SessionToken": canarySession,
		"Expiration": expires.UTC().Format(time.RFC3339),
		"Arn":        "arn:aws:sts::111122223333:assumed-role/site-deploy/gh-9876543210-2-site",
		"Subject":    testSubject, "Audience": "sts.amazonaws.com", "Packed": "7",
	}
}

func (f fields) with(key, value string) fields {
	c := fields{}
	for k, v := range f {
		c[k] = v
	}
	c[key] = value
	return c
}

func element(name, value string) string {
	if value == "" {
		return ""
	}
	return "<" + name + ">" + value + "</" + name + ">"
}

func (f fields) xml() string {
	return `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>` +
		element("SubjectFromWebIdentityToken", f["Subject"]) + element("Audience", f["Audience"]) +
		`<AssumedRoleUser>` + element("Arn", f["Arn"]) + `<AssumedRoleId>AROATEST:x</AssumedRoleId></AssumedRoleUser>` +
		`<Credentials>` + element("AccessKeyId", f["AccessKeyId"]) + element("SecretAccessKey", f["SecretAccessKey"]) +
		element("SessionToken", f["SessionToken"]) + element("Expiration", f["Expiration"]) + `</Credentials>` +
		element("PackedPolicySize", f["Packed"]) +
		`</AssumeRoleWithWebIdentityResult><ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ResponseMetadata></AssumeRoleWithWebIdentityResponse>`
}

func good(f fields) reply {
	return reply{status: 200, body: f.xml(), header: http.Header{"X-Amzn-Requestid": {"c6104cbe-af31-11e0-8154-cbc7ccf896c7"}}}
}

func failure4xx(status int, code string) reply { return errorReply(status, code, canaryBody) }

func errorReply(status int, code, message string) reply {
	return reply{status: status, body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>` +
		code + `</Code><Message>` + message + `</Message></Error><RequestId>req-1</RequestId></ErrorResponse>`}
}

// A bench is a provider with its fake, clock and tokens.
type bench struct {
	*provider
	fake   *fakeSTS
	clock  *clock
	source *tokenSource
	ttl    time.Duration
}

func testConfig() config {
	return config{Role: testRole, Region: "eu-west-1",
		Allow: []rights{{Actions: []string{"s3:PutObject"}, Resources: []string{"arn:aws:s3:::site/*"}}}}
}

func newBench(t *testing.T, ttl time.Duration, replies ...reply) *bench {
	t.Helper()
	b := &bench{fake: newFake(t, replies...), clock: newClock(), source: &tokenSource{}, ttl: ttl}
	c := testConfig()
	c.Endpoint = b.fake.URL
	b.provider = b.make(t, c)
	return b
}

func (b *bench) make(t *testing.T, c config) *provider {
	t.Helper()
	s, err := newSettings(c, &grant.Grant{Name: "deploy-site", TTL: b.ttl}, 12)
	if err != nil {
		t.Fatal(err)
	}
	return newProvider("deploy-site", s, Options{Version: "1.2.3", Now: b.clock.Now, Sleep: b.clock.Sleep, Rand: func() float64 { return 0.5 }})
}

func (b *bench) request() oidc.Request {
	return oidc.Request{Source: b.source, TTL: b.ttl, Run: testRun}
}

func (b *bench) exchange(t *testing.T) (*oidc.Credential, error) {
	t.Helper()
	c, err := b.Exchange(t.Context(), b.request())
	if err != nil && c != nil {
		t.Fatal("an error came with a credential")
	}
	if err != nil {
		checkSilent(t, err)
	}
	return c, err
}

// checkSilent fails when an error shows anything that it must not, whichever way
// it is printed.
func checkSilent(t *testing.T, err error) {
	t.Helper()
	text := fmt.Sprintf("%v %+v %#v", err, err, err)
	if h, ok := err.(interface{ NextStep() string }); ok {
		text += h.NextStep()
		if h.NextStep() == "" {
			t.Errorf("no hint: %v", err)
		}
	}
	for _, canary := range []string{canaryToken, canarySecret, canarySession, canaryBody} {
		if strings.Contains(text, canary) {
			t.Errorf("error shows %q: %s", canary, text)
		}
	}
}
