package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Limits of reading over the API.
const (
	// ReadTimeout bounds one request; the host itself gives up after ten seconds.
	ReadTimeout = 60 * time.Second
	// maxReplyBytes is the longest answer that is read. A page of a hundred repositories
	// has about 3 MB; one that is longer is asked for in smaller ones.
	maxReplyBytes = 32 << 20
	// maxRESTInFlight is how many REST requests are under way at a time.
	maxRESTInFlight = 8
	// maxWait is the longest wait that a host may ask for: the hour of a budget, and some.
	maxWait = 65 * time.Minute
	// firstWait is the wait where the host does not say how long; it doubles.
	firstWait = time.Minute
	// maxTries is how often one request is made, waits between.
	maxTries = 5
	// maxRESTAMinute keeps below the 900 points a minute that the host allows.
	maxRESTAMinute = 850
)

var (
	errTooLong = fmt.Errorf("the answer is longer than %d bytes", maxReplyBytes)
	errToken   = errors.New("there is no token to ask with")
)

// A governor is the one way to the API: it adds the token, for the API's host alone,
// counts, paces, and waits as long as the host says. It reads answers whole, so that a
// request is under way until its last byte is there, and hides the host's budget from the
// client above, which would judge it by another clock.
type governor struct {
	next  http.RoundTripper
	at    *url.URL
	token TokenSource
	now   func() time.Time
	sleep func(context.Context, time.Duration) error
	log   func(format string, args ...any)

	query chan struct{} // one GraphQL query
	rest  chan struct{}

	mu     sync.Mutex
	spent  Spent
	core   Bucket
	until  time.Time // nothing is asked before it
	minute time.Time // the minute that restAt counts in
	inIt   int
}

func newGovernor(o Options, at *url.URL, log func(string, ...any)) *governor {
	return &governor{next: o.Transport, at: at, token: o.Token, now: o.Now, sleep: o.Sleep, log: log,
		query: make(chan struct{}, 1), rest: make(chan struct{}, maxRESTInFlight),
		spent: Spent{Left: -1}, core: Bucket{Limit: -1, Left: -1}}
}

func (g *governor) counted() Spent {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.spent
}

// charge counts the points of a query.
func (g *governor) charge(points int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.spent.Points += min(max(points, 0), 1000)
}

// RoundTrip implements [http.RoundTripper].
func (g *governor) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != g.at.Scheme || !strings.EqualFold(req.URL.Host, g.at.Host) {
		return nil, errors.New("the server sends the question to another one")
	}
	slots := g.rest
	if isQuery(req) {
		slots = g.query
	}
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	for try := 1; ; try++ {
		if err := g.ready(req); err != nil {
			return nil, err
		}
		resp, err := g.send(req)
		wait, again := g.judge(req, resp, err, try)
		if !again {
			return resp, err
		}
		if try == maxTries || wait > maxWait {
			g.log("%s: given up", refusal(resp))
			return nil, ErrLimited
		}
		if err := g.pause(req.Context(), wait, refusal(resp)); err != nil {
			return nil, err
		}
	}
}

// isQuery tells GraphQL from REST, in which a repository or an environment may be called so.
func isQuery(req *http.Request) bool {
	return req.Method == http.MethodPost && strings.HasSuffix(req.URL.Path, "/graphql")
}

func refusal(resp *http.Response) string {
	if resp == nil {
		return "no whole answer"
	}
	return fmt.Sprintf("status %d", resp.StatusCode)
}

// send makes the request once and reads the whole answer.
func (g *governor) send(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), ReadTimeout)
	defer cancel()
	token, err := g.token.Token(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errToken, err)
	}
	out := req.Clone(ctx)
	if req.GetBody != nil {
		if out.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
	}
	out.Header.Set("Authorization", "Bearer "+token)
	out.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	g.count(req)
	resp, err := g.next.RoundTrip(out)
	if err != nil {
		return nil, errors.New("no answer")
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReplyBytes+1))
	switch {
	case err != nil:
		return nil, errors.New("the answer is cut off")
	case len(body) > maxReplyBytes:
		return nil, errTooLong
	}
	g.read(req, resp.Header)
	resp.Body, resp.ContentLength, resp.Request = io.NopCloser(bytes.NewReader(body)), int64(len(body)), req
	return resp, nil
}

func (g *governor) count(req *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if isQuery(req) {
		g.spent.GraphQL++
	} else {
		g.spent.REST++
	}
}

// read keeps what the host says of a budget. A host that says nothing sets no limit.
func (g *governor) read(req *http.Request, h http.Header) {
	left, err := strconv.Atoi(h.Get("X-RateLimit-Remaining"))
	reset, err2 := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil || err2 != nil || left < 0 || reset < 0 || reset > 1<<40 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if isQuery(req) {
		g.spent.Left, g.spent.Resets = left, time.Unix(reset, 0).UTC()
	} else {
		g.core.Left, g.core.Resets = left, time.Unix(reset, 0).UTC()
	}
}

// ready waits until the request may be made: not before a time that the host named, nor
// with an empty budget, nor over the pace.
func (g *governor) ready(req *http.Request) error {
	for {
		wait, why := g.due(req)
		if wait > maxWait {
			return ErrLimited
		}
		if wait <= 0 {
			return nil
		}
		if err := g.pause(req.Context(), wait, why); err != nil {
			return err
		}
	}
}

// due returns how long the request has to wait, and takes its place in the pace when
// it has not.
func (g *governor) due(req *http.Request) (time.Duration, string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	left, resets := g.core.Left, g.core.Resets
	if isQuery(req) {
		left, resets = g.spent.Left, g.spent.Resets
	}
	switch {
	case now.Before(g.until):
		return g.until.Sub(now), "the host wants a pause"
	case left == 0 && now.Before(resets):
		return resets.Sub(now) + time.Second, "the budget of this hour is spent"
	}
	if isQuery(req) || g.core.Left < 0 {
		return 0, ""
	}
	if now.Sub(g.minute) >= time.Minute {
		g.minute, g.inIt = now, 0
	}
	if g.inIt >= maxRESTAMinute {
		return g.minute.Add(time.Minute).Sub(now), "the host allows 900 requests a minute"
	}
	g.inIt++
	return 0, ""
}

func (g *governor) pause(ctx context.Context, d time.Duration, why string) error {
	if d >= time.Second {
		g.log("waiting %s: %s", d.Round(time.Second), why)
	}
	return g.sleep(ctx, d)
}

// judge says whether the request has to be made again and after what wait: retry-after
// before the reset of an empty budget before a minute, doubling. A failed query is not
// made again here: that of the same size would fail in the same way.
func (g *governor) judge(req *http.Request, resp *http.Response, err error, try int) (time.Duration, bool) {
	if err != nil {
		failed := !isQuery(req) && req.Context().Err() == nil && !errors.Is(err, errToken) && !errors.Is(err, errTooLong) && try < 3
		return time.Second << try, failed
	}
	h := resp.Header
	defer forget(h)
	if !isLimited(resp) {
		return time.Second << try, resp.StatusCode >= 500 && !isQuery(req) && try < 3
	}
	now := g.now()
	wait := firstWait << (try - 1)
	if s := h.Get("Retry-After"); s != "" {
		if n, err := strconv.Atoi(s); err == nil && n >= 0 {
			wait = time.Duration(min(n, int(2*maxWait/time.Second))) * time.Second
		}
	} else if reset, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64); err == nil && h.Get("X-RateLimit-Remaining") == "0" && reset < 1<<40 {
		wait = max(time.Unix(reset, 0).Sub(now), 0) + time.Second
	}
	if wait <= maxWait {
		g.mu.Lock()
		g.until = now.Add(wait)
		g.mu.Unlock()
	}
	return wait, true
}

// forget removes the budget from an answer.
func forget(h http.Header) {
	for _, name := range []string{"Retry-After", "X-RateLimit-Remaining", "X-RateLimit-Limit", "X-RateLimit-Reset", "X-RateLimit-Used"} {
		h.Del(name)
	}
}

// isLimited reports whether an answer says that too much was asked. A query may say so
// with status 200; a plain 403 is a missing permission.
func isLimited(resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		return true
	case http.StatusForbidden:
		if resp.Header.Get("Retry-After") != "" || resp.Header.Get("X-RateLimit-Remaining") == "0" {
			return true
		}
	case http.StatusOK:
		if !isQuery(resp.Request) {
			return false
		}
	default:
		return false
	}
	return saysLimited(resp)
}

// maxRefusalBytes is more than any answer that is a refusal has.
const maxRefusalBytes = 64 << 10

func saysLimited(resp *http.Response) bool {
	if resp.ContentLength > maxRefusalBytes {
		return false
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	var reply struct {
		Message string `json:"message"`
		Errors  []struct {
			Type    string `json:"type"`
			Message string `json:"message"`
		} `json:"errors"`
	}
	if json.Unmarshal(body, &reply) != nil {
		return false
	}
	if resp.StatusCode == http.StatusForbidden && strings.Contains(strings.ToLower(reply.Message), "rate limit") {
		return true
	}
	for _, e := range reply.Errors {
		if e.Type == "RATE_LIMITED" || e.Type == "RATE_LIMIT" {
			return true
		}
	}
	return false
}
