package oidc

import (
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// Limits of asking the runner.
const (
	// maxReplyBytes is the largest reply of the issuer that is read.
	maxReplyBytes = 64 << 10
	// maxRunnerTries is how often one token is asked for at most.
	maxRunnerTries = 10
	// DefaultRunnerDeadline is how long one token may take, retries included.
	DefaultRunnerDeadline = 30 * time.Second
	// runnerTryTimeout is how long one request may take, so that a connection
	// that hangs leaves time for another.
	runnerTryTimeout = 10 * time.Second
	// The n-th wait is a random part of firstBackoff·2ⁿ, at most maxBackoff.
	firstBackoff = 200 * time.Millisecond
	maxBackoff   = 5 * time.Second
)

// RunnerOptions are what a Runner takes from outside; the zero value is the
// process's own environment, network, clock and randomness.
type RunnerOptions struct {
	// Getenv reads the environment of the job; nil is os.Getenv.
	Getenv func(string) string
	// Transport carries the requests; nil is one like http.DefaultTransport,
	// which heeds the proxy variables. It must not follow redirects itself.
	Transport http.RoundTripper
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Sleep waits, and returns early with the context's error; nil waits on a timer.
	Sleep func(context.Context, time.Duration) error
	// Rand gives numbers in [0,1) for the jitter; nil is math/rand/v2.
	Rand func() float64
	// Deadline bounds one call of Token; 0 is DefaultRunnerDeadline.
	Deadline time.Duration
	// AllowLoopback admits a request URL on a loopback address, also without
	// TLS. It is for the sandbox and for tests, and no variable sets it: any
	// earlier step of a job can set variables.
	AllowLoopback bool
}

// A Runner is the Source of a GitHub Actions job: the runner gives every step of
// a job with id-token: write a URL and a bearer with which to ask for id-tokens.
type Runner struct {
	env      func(string) string
	client   *http.Client
	now      func() time.Time
	sleep    func(context.Context, time.Duration) error
	random   func() float64
	deadline time.Duration
	loopback bool
}

// NewRunner makes a Runner. It asks for nothing yet.
func NewRunner(o RunnerOptions) *Runner {
	r := &Runner{env: o.Getenv, now: o.Now, sleep: o.Sleep, random: o.Rand, deadline: o.Deadline, loopback: o.AllowLoopback}
	if r.env == nil {
		r.env = os.Getenv
	}
	if r.now == nil {
		r.now = time.Now
	}
	if r.sleep == nil {
		r.sleep = sleep
	}
	if r.random == nil {
		r.random = rand.Float64
	}
	if r.deadline <= 0 {
		r.deadline = DefaultRunnerDeadline
	}
	transport := o.Transport
	if transport == nil {
		transport = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: maxReplyBytes}
	}
	r.client = &http.Client{
		Transport: transport,
		// A redirect would carry the bearer to a host that was not checked.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return r
}

// sleep waits for d or for the context.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Name returns "runner".
func (r *Runner) Name() string { return "runner" }

// Token asks the issuer for a token with the one audience. It retries 429, 5xx
// and failed connections within the deadline, and nothing else.
func (r *Runner) Token(ctx context.Context, audience string) (*Token, error) {
	if err := checkAudience(audience, r.env("GITHUB_SERVER_URL")); err != nil {
		return nil, err
	}
	address, bearer := r.env("ACTIONS_ID_TOKEN_REQUEST_URL"), NewSecret(r.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
	if address == "" || bearer.IsZero() {
		return nil, r.whyAbsent(address != "", !bearer.IsZero())
	}
	u, err := r.requestURL(address, audience)
	if err != nil {
		return nil, err
	}
	raw, err := r.ask(ctx, u, bearer)
	if err != nil {
		return nil, err
	}
	return r.check(raw, audience)
}

// check holds what came back against what was asked for.
func (r *Runner) check(raw, audience string) (*Token, error) {
	t, err := ParseToken(raw)
	if err != nil {
		return nil, err
	}
	if err := checkToken(t, audience, r.now()); err != nil {
		return nil, err
	}
	return t, nil
}

// ask sends the request until it is answered or given up.
func (r *Runner) ask(ctx context.Context, u *url.URL, bearer Secret) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, r.deadline)
	defer cancel()
	end := r.now().Add(r.deadline)
	var last *Error
	for try := range maxRunnerTries {
		raw, err := r.once(ctx, u, bearer)
		if err == nil {
			return raw, nil
		}
		if last = err; !err.Retryable || ctx.Err() != nil {
			break
		}
		wait := max(err.RetryAfter, r.backoff(try))
		if r.now().Add(wait).After(end) {
			break
		}
		if r.sleep(ctx, wait) != nil {
			break
		}
	}
	if cause := ctx.Err(); cause != nil {
		return "", &Error{
			Stage: StageToken, Message: "asking for the id-token was stopped or took too long; last: " + last.Message,
			Hint: last.Hint, Status: last.Status, RequestID: last.RequestID, Retryable: true, Err: cause,
		}
	}
	return "", last
}

// backoff is the wait after a try, from 0: full jitter under a doubling bound.
func (r *Runner) backoff(try int) time.Duration {
	bound := min(maxBackoff, firstBackoff<<try)
	return time.Duration(r.random() * float64(bound))
}

// once sends one request and returns the token in its reply.
func (r *Runner) once(ctx context.Context, u *url.URL, bearer Secret) (string, *Error) {
	ctx, cancel := context.WithTimeout(ctx, runnerTryTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", badRequestURL("it cannot be requested")
	}
	req.Header.Set("Authorization", "Bearer "+bearer.Reveal())
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "stint")
	res, err := r.client.Do(req)
	if err != nil {
		return "", transportError(u.Host, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxReplyBytes+1))
	if err != nil {
		return "", transportError(u.Host, err)
	}
	if res.StatusCode != http.StatusOK {
		return "", statusError(res, body, r.now())
	}
	return tokenOf(res, body)
}

// tokenOf reads the reply of the issuer; a bad one is not asked for again.
func tokenOf(res *http.Response, body []byte) (string, *Error) {
	bad := &Error{
		Stage: StageToken, Status: res.StatusCode, RequestID: requestID(res.Header),
		Hint: "the reply may come from a proxy in between; run the job again, and look at the proxy settings of the runner if it stays",
	}
	var reply struct {
		Value string `json:"value"`
	}
	switch {
	case len(body) > maxReplyBytes:
		bad.Message = "the reply of the id-token issuer is larger than " + strconv.Itoa(maxReplyBytes>>10) + " KiB"
	case json.Unmarshal(body, &reply) != nil:
		bad.Message = "the reply of the id-token issuer is not the JSON that it should be"
	case reply.Value == "":
		bad.Message = "the reply of the id-token issuer has no token in it"
	default:
		return reply.Value, nil
	}
	return "", bad
}

// checkAudience refuses audiences that more than one party would accept.
func checkAudience(audience, server string) error {
	if audience == "" {
		return &Error{
			Stage: StageToken, Message: "no audience was given for the id-token",
			Hint: "name the party that it is for, e.g. sts.amazonaws.com: without one every party that accepts GitHub's default would take the token",
		}
	}
	if isOwnerURL(audience, server) {
		return &Error{
			Stage: StageToken, Message: "the audience " + strconv.Quote(audience) + " is an owner's URL, which is GitHub's default",
			Hint: "use an audience of the party's own: every party that accepts the default would take the token",
		}
	}
	return nil
}

// isOwnerURL reports whether s is https://github.com/OWNER, or the same at the
// job's own server.
func isOwnerURL(s, server string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return false
	}
	path := strings.Trim(u.Path, "/")
	own, err := url.Parse(server)
	ours := strings.EqualFold(u.Hostname(), "github.com") || err == nil && own.Host != "" && strings.EqualFold(u.Host, own.Host)
	return ours && path != "" && !strings.Contains(path, "/")
}

// checkToken holds a token against the audience asked for and the clock.
func checkToken(t *Token, audience string, now time.Time) error {
	if got := t.Claims.Audience; len(got) != 1 || got[0] != audience {
		return &Error{
			Stage: StageToken, Message: "the id-token is not for the audience " + strconv.Quote(audience) + " alone",
			Hint: "ask for a token with that audience and no other",
		}
	}
	if !t.Expires().After(now) {
		return &Error{
			Stage: StageToken, Message: "the id-token expired at " + t.Expires().UTC().Format(time.RFC3339),
			Hint: "get a fresh one; if it is fresh, set the clock of this machine, which says " + now.UTC().Format(time.RFC3339),
		}
	}
	return nil
}
