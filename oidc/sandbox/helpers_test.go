package sandbox_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/stint-dev/stint/oidc/sandbox"
)

const (
	roleARN  = "arn:aws:iam::444455556666:role/ship"
	provider = "arn:aws:iam::444455556666:oidc-provider/token.actions.githubusercontent.com"
)

// signingKey is one for all tests: making it is what takes time.
var signingKey = sync.OnceValue(newKey)

// foreignKey is one that no sandbox publishes.
var foreignKey = sync.OnceValue(newKey)

func newKey() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
}

// A clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// A logBuffer collects the log of a sandbox.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logBuffer) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// trustSub is a trust policy for one subject, exact.
func trustSub(sub string) string {
	return trustIf(`{"StringEquals":{"K:aud":"sts.amazonaws.com","K:sub":"` + sub + `"}}`)
}

// trustIf is a trust policy with a condition block; K: stands for the prefix.
func trustIf(condition string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"` + provider + `"},` +
		`"Action":"sts:AssumeRoleWithWebIdentity","Condition":` +
		strings.ReplaceAll(condition, "K:", sandbox.DefaultProvider+":") + `}]}`
}

const mainSub = "repo:birch/press:ref:refs/heads/main"

// shipRole trusts main of birch/press and may write to one bucket.
func shipRole() sandbox.Role {
	return sandbox.Role{
		ARN: roleARN, Trust: trustSub(mainSub),
		Policies: []string{`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::press/*"}}`},
	}
}

// pushJob is a push to main of birch/press.
func pushJob() sandbox.Job {
	return sandbox.Job{Repository: "birch/press", RepositoryID: "31", OwnerID: "7", Ref: "refs/heads/main", WorkflowPath: ".github/workflows/ship.yml"}
}

// start runs a sandbox with a clock of its own, unless opts bring one.
func start(t *testing.T, opts sandbox.Options) (*sandbox.Sandbox, *clock) {
	t.Helper()
	c := newClock()
	if opts.Now == nil {
		opts.Now = c.Now
	}
	if opts.Key == nil {
		opts.Key = signingKey()
	}
	s, err := sandbox.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s, c
}

func token(t *testing.T, s *sandbox.Sandbox, j sandbox.Job) string {
	t.Helper()
	raw, err := s.Token(j, sandbox.DefaultAudience)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// client follows no redirect, so that a test sees it.
var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// do sends a request and reads the whole answer.
func do(t *testing.T, r *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func newRequest(t *testing.T, method, address string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// assumeForm is a good form with changes; "-" removes a field.
func assumeForm(token string, changes map[string]string) url.Values {
	form := url.Values{
		"Action": {"AssumeRoleWithWebIdentity"}, "Version": {"2011-06-15"},
		"RoleArn": {roleARN}, "RoleSessionName": {"stint-1-1"}, "WebIdentityToken": {token},
	}
	for name, value := range maps.All(changes) {
		if form.Set(name, value); value == "-" {
			form.Del(name)
		}
	}
	return form
}

func post(t *testing.T, s *sandbox.Sandbox, form url.Values) (*http.Response, string) {
	t.Helper()
	r := newRequest(t, http.MethodPost, s.STSURL(), strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return do(t, r)
}

// errorCode picks the code out of an error answer, "" when it is none.
func errorCode(body string) string {
	_, rest, _ := strings.Cut(body, "<Code>")
	code, _, _ := strings.Cut(rest, "</Code>")
	return code
}

// sign makes a token by hand.
func sign(t *testing.T, alg jose.SignatureAlgorithm, key any, header map[jose.HeaderKey]any, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, &jose.SignerOptions{ExtraHeaders: header})
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
