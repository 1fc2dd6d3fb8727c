package oidc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

const testBearer = "bearer-of-the-job"

// jobEnv is the environment of a job with id-token: write, with changes.
func jobEnv(change map[string]string) func(string) string {
	env := map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_ACTOR": "ann",
		"GITHUB_SERVER_URL":              "https://github.com",
		"ACTIONS_ID_TOKEN_REQUEST_URL":   "https://pipelines.actions.githubusercontent.com/token?api-version=2.0",
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN": testBearer,
	}
	for k, v := range change {
		env[k] = v
	}
	return func(name string) string { return env[name] }
}

// A wire is a transport that answers from a list and keeps what was asked.
type wire struct {
	mu      sync.Mutex
	answers []answer
	asked   []*http.Request
}

// An answer is a reply or the error instead of one; the zero reply is a good token.
type answer struct {
	status int
	header map[string]string
	body   string
	cut    bool // the connection breaks behind the body
	err    error
}

func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, req)
	a := w.answers[min(len(w.asked), len(w.answers))-1]
	if a.err != nil {
		return nil, a.err
	}
	header := http.Header{}
	for k, v := range a.header {
		header.Set(k, v)
	}
	var body io.Reader = strings.NewReader(a.body)
	if a.cut {
		body = io.MultiReader(body, iotest.ErrReader(errors.New(a.body)))
	}
	return &http.Response{StatusCode: a.status, Header: header, Body: io.NopCloser(body), Request: req}, nil
}

// A clock is a virtual clock: to sleep is to move it.
type clock struct {
	now   time.Time
	slept []time.Duration
}

func (c *clock) Now() time.Time { return c.now }

func (c *clock) Sleep(_ context.Context, d time.Duration) error {
	c.now, c.slept = c.now.Add(d), append(c.slept, d)
	return nil
}

func tokenReply(t testing.TB, change map[string]any) answer {
	t.Helper()
	b, err := json.Marshal(map[string]any{"count": 1, "value": tokenFor(t, change)})
	if err != nil {
		t.Fatal(err)
	}
	return answer{status: 200, body: string(b)}
}

// newTestRunner is a Runner over a wire and a virtual clock, with half jitter.
func newTestRunner(env map[string]string, answers ...answer) (*Runner, *wire, *clock) {
	w, c := &wire{answers: answers}, &clock{now: noon}
	return NewRunner(RunnerOptions{
		Getenv: jobEnv(env), Transport: w, Now: c.Now, Sleep: c.Sleep, Rand: func() float64 { return 0.5 },
	}), w, c
}

func TestRunnerAsksForTheAudience(t *testing.T) {
	r, w, _ := newTestRunner(nil, tokenReply(t, nil))
	tok, err := r.Token(t.Context(), "sts.example")
	if err != nil {
		t.Fatal(err)
	}
	if tok.Claims.Get("repository") != "acme/site" || r.Name() != "runner" {
		t.Errorf("token has %v", tok.Claims.Values)
	}
	req := w.asked[0]
	if req.Method != http.MethodGet || req.Header.Get("Authorization") != "Bearer "+testBearer || req.Header.Get("Accept") != "application/json" {
		t.Errorf("request is %s with %v", req.Method, req.Header)
	}
	if _, err := r.Token(t.Context(), "sts.example"); err != nil || len(w.asked) != 2 {
		t.Errorf("a second call asked %d times, error %v: every call is a fresh token", len(w.asked), err)
	}
}

func TestRunnerSetsTheQuery(t *testing.T) {
	const host = "https://token.actions.githubusercontent.com"
	tests := map[string]struct {
		address, audience string
		want              url.Values
	}{
		"a query is kept":            {host + "/x?api-version=2.0", "aud", url.Values{"api-version": {"2.0"}, "audience": {"aud"}}},
		"no query":                   {host + "/x", "aud", url.Values{"audience": {"aud"}}},
		"an audience is replaced":    {host + "/x?audience=evil&audience=evil2&a=b", "aud", url.Values{"a": {"b"}, "audience": {"aud"}}},
		"a fragment is dropped":      {host + "/x?a=b#frag", "aud", url.Values{"a": {"b"}, "audience": {"aud"}}},
		"an audience full of syntax": {host + "/x", "api://a?b&c=d#e f", url.Values{"audience": {"api://a?b&c=d#e f"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r, w, _ := newTestRunner(map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": test.address}, tokenReply(t, map[string]any{"aud": test.audience}))
			if _, err := r.Token(t.Context(), test.audience); err != nil {
				t.Fatal(err)
			}
			u := w.asked[0].URL
			if got := u.Query(); got.Encode() != test.want.Encode() || u.Fragment != "" || u.Path != "/x" {
				t.Errorf("asked %s, want the query %v", u, test.want)
			}
		})
	}
}

func TestRunnerSendsTheBearerToGitHubOnly(t *testing.T) {
	tests := []struct {
		server, address string
		want            bool
	}{
		{"https://github.com", "https://token.actions.githubusercontent.com/x", true},
		{"https://github.com", "https://TOKEN.Actions.GithubUserContent.com:443/x", true},
		{"https://github.com", "https://run.eu.pipelines.actions.githubusercontent.com/x", true},
		{"", "https://pipelines.actions.githubusercontent.com/x", true},
		{"https://github.com", "http://pipelines.actions.githubusercontent.com/x", false},
		{"https://github.com", "https://pipelines.actions.githubusercontent.com:8443/x", false},
		{"https://github.com", "https://actions.githubusercontent.com.evil.example/x", false},
		{"https://github.com", "https://evil-actions.githubusercontent.com/x", false},
		{"https://github.com", "https://raw.githubusercontent.com/x", false},
		{"https://github.com", "https://token.actions.githubusercontent.com@evil.example/x", false},
		{"https://github.com", "https://user:pass@token.actions.githubusercontent.com/x", false},
		{"https://github.com", "https://github.com/x", false},
		{"https://github.com", "https://evil.example/?token.actions.githubusercontent.com", false},
		{"https://github.com", "//token.actions.githubusercontent.com/x", false},
		{"https://github.com", "https:token.actions.githubusercontent.com/x", false},
		{"https://github.com", "token.actions.githubusercontent.com/x", false},
		{"https://github.com", "https://token.actions.githubusercontent.com/x?%zz", false},
		{"https://github.com", "https://127.0.0.1/x", false},
		{"https://github.com", "http://127.0.0.1:8080/x", false},
		{"https://acme.ghe.com", "https://token.actions.acme.ghe.com/x", true},
		{"https://acme.ghe.com", "https://acme.ghe.com/x", true},
		{"https://acme.ghe.com", "https://other.ghe.com/x", false},
		{"https://acme.ghe.com", "https://evilacme.ghe.com/x", false},
		{"https://git.corp.example", "https://git.corp.example/_services/x", true},
		{"https://git.corp.example", "https://GIT.corp.example:443/_services/x", true},
		{"https://git.corp.example:8443", "https://git.corp.example:8443/x", true},
		{"https://git.corp.example:8443", "https://git.corp.example/x", false},
		{"https://git.corp.example", "https://sub.git.corp.example/x", false},
		{"http://git.corp.example", "https://git.corp.example/x", false},
		{"https://evil@git.corp.example", "https://git.corp.example/x", false},
		{"https://", "https:///x", false},
		{"::", "https://evil.example/x", false},
	}
	for _, test := range tests {
		r, w, _ := newTestRunner(map[string]string{"GITHUB_SERVER_URL": test.server, "ACTIONS_ID_TOKEN_REQUEST_URL": test.address}, tokenReply(t, nil))
		_, err := r.Token(t.Context(), "sts.example")
		if (err == nil) != test.want || len(w.asked) != map[bool]int{true: 1, false: 0}[test.want] {
			t.Errorf("with server %q, %q: asked %d times, error %v", test.server, test.address, len(w.asked), err)
		}
		if !test.want {
			wantError(t, err, "ACTIONS_ID_TOKEN_REQUEST_URL is not used")
		}
	}
}

func TestRunnerRefusesAudiencesOfEverybody(t *testing.T) {
	tests := []struct {
		server, audience string
		want             bool
	}{
		{"https://github.com", "", false},
		{"https://github.com", "https://github.com/acme", false},
		{"https://github.com", "HTTPS://GitHub.com/Acme/", false},
		{"https://github.com", "http://github.com/acme", false},
		{"https://git.corp.example", "https://git.corp.example/acme", false},
		{"https://git.corp.example", "https://github.com/acme", false},
		{"https://github.com", "https://git.corp.example/acme", true},
		{"https://github.com", "https://github.com/acme/site", true},
		{"https://github.com", "https://github.com", true},
		{"https://github.com", "sts.amazonaws.com", true},
		{"https://github.com", "api://AzureADTokenExchange", true},
		{"https://github.com", "acme", true},
		{"", "//github.com/acme", false},
	}
	for _, test := range tests {
		r, w, _ := newTestRunner(map[string]string{"GITHUB_SERVER_URL": test.server}, tokenReply(t, map[string]any{"aud": test.audience}))
		_, err := r.Token(t.Context(), test.audience)
		if (err == nil) != test.want {
			t.Errorf("at %q, audience %q: error %v", test.server, test.audience, err)
		}
		if !test.want {
			wantError(t, err, "audience")
			if len(w.asked) != 0 {
				t.Errorf("audience %q was asked for", test.audience)
			}
		}
	}
}

func TestRunnerChecksTheToken(t *testing.T) {
	tests := map[string]struct {
		change map[string]any
		want   string
	}{
		"another audience":     {map[string]any{"aud": "https://github.com/acme"}, "not for the audience"},
		"two audiences":        {map[string]any{"aud": []string{"sts.example", "other"}}, "not for the audience"},
		"no audience":          {map[string]any{"aud": nil}, "not for the audience"},
		"an expired token":     {map[string]any{"exp": noon.Unix() - 1}, "expired at 2026-11-23T11:59:59Z"},
		"expiring this second": {map[string]any{"exp": noon.Unix()}, "expired"},
		"no expiry":            {map[string]any{"exp": nil}, "no exp"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r, w, _ := newTestRunner(nil, tokenReply(t, test.change))
			tok, err := r.Token(t.Context(), "sts.example")
			wantError(t, err, test.want)
			if tok != nil || len(w.asked) != 1 {
				t.Errorf("asked %d times, token %v", len(w.asked), tok)
			}
		})
	}
}

func TestRunnerNeverAsksAgainAfter(t *testing.T) {
	tests := map[string]struct {
		answer answer
		want   string
	}{
		"no JSON":               {answer{status: 200, body: "<html>"}, "not the JSON"},
		"no value":              {answer{status: 200, body: `{"count":3}`}, "no token in it"},
		"a value of no text":    {answer{status: 200, body: `{"value":7}`}, "not the JSON"},
		"a value of no token":   {answer{status: 200, body: `{"value":"x"}`}, "three parts"},
		"400":                   {answer{status: 400, body: "no"}, "status 400"},
		"401":                   {answer{status: 401}, "refused the job's bearer"},
		"403":                   {answer{status: 403}, "refused the job's bearer"},
		"404":                   {answer{status: 404}, "status 404"},
		"408":                   {answer{status: 408}, "status 408"},
		"204":                   {answer{status: 204}, "status 204"},
		"a redirect":            {answer{status: 302, header: map[string]string{"Location": "https://evil.example/"}}, "redirect"},
		"a job that is over":    {answer{status: 400, body: `{"message":"Can't issue ID_TOKEN for job in 'Completed' state."}`}, "already over"},
		"over, with status 500": {answer{status: 500, body: `{"message":"Can\u0027t issue ID_TOKEN for job in \u0027Completed\u0027 state."}`}, "already over"},
		"a certificate nobody vouches for": {
			answer{err: &url.Error{Err: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}}}, "certificate"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r, w, c := newTestRunner(nil, test.answer)
			_, err := r.Token(t.Context(), "sts.example")
			e := wantError(t, err, test.want)
			if len(w.asked) != 1 || len(c.slept) != 0 || e.Retryable {
				t.Errorf("asked %d times, slept %v, retryable %v", len(w.asked), c.slept, e.Retryable)
			}
			if test.answer.status != 0 && e.Status != test.answer.status && test.want != "three parts" {
				t.Errorf("status is %d, want %d", e.Status, test.answer.status)
			}
		})
	}
}

// zeros is a body without end that counts what is read of it.
type zeros struct{ read int }

func (z *zeros) Read(b []byte) (int, error) { z.read += len(b); return len(b), nil }
func (z *zeros) Close() error               { return nil }

func (z *zeros) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: z, Request: req}, nil
}

func TestRunnerStopsReadingAReplyWithoutEnd(t *testing.T) {
	z := &zeros{}
	_, err := NewRunner(RunnerOptions{Getenv: jobEnv(nil), Transport: z}).Token(t.Context(), "sts.example")
	wantError(t, err, "larger than 64 KiB")
	if z.read > 2*maxReplyBytes {
		t.Errorf("%d bytes were read", z.read)
	}
}

func TestRunnerAsksAgainAfter(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	tests := map[string]answer{
		"429": {status: 429}, "500": {status: 500}, "502": {status: 502}, "503": {status: 503}, "504": {status: 504},
		"a refused connection": {err: dial},
		"an unknown name":      {err: &net.DNSError{Err: "no such host", Name: "x"}},
		"a reset connection":   {err: syscall.ECONNRESET},
		"a reply cut short":    {err: io.ErrUnexpectedEOF},
		"a body cut short":     {status: 200, body: `{"value":"`, cut: true},
	}
	for name, a := range tests {
		t.Run(name, func(t *testing.T) {
			r, w, c := newTestRunner(nil, a, a, tokenReply(t, nil))
			if _, err := r.Token(t.Context(), "sts.example"); err != nil {
				t.Fatal(err)
			}
			if len(w.asked) != 3 || len(c.slept) != 2 || c.slept[0] != 100*time.Millisecond || c.slept[1] != 200*time.Millisecond {
				t.Errorf("asked %d times, slept %v", len(w.asked), c.slept)
			}
		})
	}
}

func TestRunnerGivesUp(t *testing.T) {
	r, w, c := newTestRunner(nil, answer{status: 503, header: map[string]string{"X-GitHub-Request-Id": "AB:12"}})
	_, err := r.Token(t.Context(), "sts.example")
	e := wantError(t, err, "status 503")
	if !e.Retryable || e.RequestID != "AB:12" || e.Status != 503 {
		t.Errorf("error is %+v", e)
	}
	if passed := c.now.Sub(noon); passed > DefaultRunnerDeadline || len(w.asked) > maxRunnerTries || len(w.asked) < 5 {
		t.Errorf("asked %d times in %v", len(w.asked), passed)
	}
}

func TestRunnerHeedsRetryAfter(t *testing.T) {
	busy := func(after string) answer {
		return answer{status: 429, header: map[string]string{"Retry-After": after}}
	}
	tests := map[string]struct {
		after string
		slept time.Duration // 0: gave up at once
	}{
		"seconds":           {"7", 7 * time.Second},
		"a date":            {noon.Add(9 * time.Second).Format(http.TimeFormat), 9 * time.Second},
		"zero":              {"0", 100 * time.Millisecond},
		"a date gone by":    {noon.Add(-time.Hour).Format(http.TimeFormat), 100 * time.Millisecond},
		"no number":         {"soon", 100 * time.Millisecond},
		"a negative":        {"-5", 100 * time.Millisecond},
		"an overflow":       {"99999999999999999999", 100 * time.Millisecond},
		"past the deadline": {"31", 0},
		"an age":            {"4000000000", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r, _, c := newTestRunner(nil, busy(test.after), tokenReply(t, nil))
			_, err := r.Token(t.Context(), "sts.example")
			if test.slept == 0 {
				if e := wantError(t, err, "429"); e.RetryAfter < 31*time.Second || e.RetryAfter > 24*time.Hour || len(c.slept) != 0 {
					t.Errorf("slept %v, retry after %v", c.slept, e.RetryAfter)
				}
				return
			}
			if err != nil || len(c.slept) != 1 || c.slept[0] != test.slept {
				t.Errorf("slept %v, error %v", c.slept, err)
			}
		})
	}
}

func TestBackoffIsFullJitterUnderABound(t *testing.T) {
	for _, part := range []float64{0, 0.25, 0.999} {
		r := NewRunner(RunnerOptions{Rand: func() float64 { return part }})
		for try := range maxRunnerTries {
			bound := min(5*time.Second, 200*time.Millisecond*time.Duration(1<<try))
			if got, want := r.backoff(try), time.Duration(part*float64(bound)); got != want {
				t.Errorf("wait %d at %v is %v, want %v", try, part, got, want)
			}
		}
	}
}

// hang is a transport that never answers.
type hang struct{ tries int }

func (h *hang) RoundTrip(req *http.Request) (*http.Response, error) {
	h.tries++
	<-req.Context().Done()
	return nil, req.Context().Err()
}

func TestRunnerBoundsASilentIssuer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hang{}
		r := NewRunner(RunnerOptions{Getenv: jobEnv(nil), Transport: h})
		start := time.Now()
		_, err := r.Token(context.Background(), "sts.example")
		e := wantError(t, err, "did not answer in time")
		if took := time.Since(start); took > DefaultRunnerDeadline {
			t.Errorf("took %v", took)
		}
		if h.tries < 3 || !errors.Is(err, context.DeadlineExceeded) || !e.Retryable {
			t.Errorf("tried %d times, error %+v", h.tries, e)
		}
	})
}

func TestRunnerStopsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hang{}
		r := NewRunner(RunnerOptions{Getenv: jobEnv(nil), Transport: h})
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		start := time.Now()
		_, err := r.Token(ctx, "sts.example")
		if took := time.Since(start); took != 2*time.Second || h.tries != 1 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("took %v, tried %d times, error %v", took, h.tries, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		h := &hang{}
		r := NewRunner(RunnerOptions{Getenv: jobEnv(nil), Transport: h})
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(time.Second, cancel)
		_, err := r.Token(ctx, "sts.example")
		if e := wantError(t, err, "stopped"); h.tries != 1 || !errors.Is(err, context.Canceled) || e.NextStep() != e.Hint {
			t.Errorf("tried %d times, error %+v", h.tries, e)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		r, w, _ := newTestRunner(nil, answer{status: 503})
		ctx, cancel := context.WithCancel(context.Background())
		r.sleep = func(ctx context.Context, d time.Duration) error {
			cancel()
			return sleep(ctx, time.Hour)
		}
		if _, err := r.Token(ctx, "sts.example"); !errors.Is(err, context.Canceled) || len(w.asked) != 1 {
			t.Errorf("asked %d times, error %v", len(w.asked), err)
		}
	})
}

// A real server on loopback: the whole way over the default transport, which is
// open only to code that says so, and a redirect that must not be followed.
func TestRunnerOverLoopback(t *testing.T) {
	var stolen bool
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { stolen = true }))
	defer thief.Close()
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/redirect" {
			http.Redirect(w, r, thief.URL, http.StatusTemporaryRedirect)
			return
		}
		if r.Header.Get("Authorization") != "Bearer "+testBearer {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, tokenReply(t, map[string]any{"aud": r.URL.Query().Get("audience")}).body)
	}))
	defer issuer.Close()
	at := func(path string, allow bool) *Runner {
		env := jobEnv(map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": issuer.URL + path})
		return NewRunner(RunnerOptions{Getenv: env, Now: func() time.Time { return noon }, AllowLoopback: allow})
	}
	ask := func(r *Runner) error { return second(r.Token(t.Context(), "sts.example")) }
	var all sync.WaitGroup
	shared := at("/token?api-version=2.0", true)
	for range 8 { // a source is used by several leases at once
		all.Go(func() {
			if err := ask(shared); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	wantError(t, ask(at("/token", false)), "not an https URL of a GitHub host")
	wantError(t, ask(at("/redirect", true)), "redirect")
	if stolen {
		t.Error("the redirect was followed")
	}
}
