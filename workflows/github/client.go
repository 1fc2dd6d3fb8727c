package github

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stint-dev/stint/workflows"
)

// Limits of asking.
const (
	// AskTimeout bounds one question, connection, redirects and answer included.
	AskTimeout = 20 * time.Second
	// MaxQuestions is how many are under way at the same time.
	MaxQuestions = 8
	// maxRedirects is how often one question is sent on.
	maxRedirects = 3
	// deadAfter is how many questions in a row may find no server before none is
	// asked any more.
	deadAfter = 4
)

// Errors of questions that were not asked.
var (
	ErrNoNetwork = errors.New("the network does not answer")
	ErrNoToken   = errors.New("the API was not asked without a token: set GITHUB_TOKEN or GH_TOKEN")
	ErrLimited   = errors.New("the API answers no more for now: its rate limit is reached")
)

// A Client asks GitHub. The zero value asks github.com without a token. It is safe for
// concurrent use and meant for one run: each question is asked once, and its answer, an
// error too, is kept.
type Client struct {
	// Server is the base URL of git, "https://github.com" when empty.
	Server string
	// API is the base URL of the REST API, "https://api.github.com" when empty.
	API string
	// Token is sent to the host of API only; "" for none.
	Token string
	// Transport is http.DefaultTransport when nil.
	Transport http.RoundTripper

	refs         memo[*workflows.Refs]
	contained    memo[bool]
	archived     memo[bool]
	environments memo[map[string]workflows.Protection]
	advisories   memo[[]workflows.RemoteAdvisory]

	start   sync.Once
	slots   chan struct{}
	silent  atomic.Int32 // questions in a row that found no server
	limited atomic.Bool  // the API has said that it is asked too much
}

// A memo asks each question once; others wait for the same answer.
type memo[T any] struct {
	mu   sync.Mutex
	made map[string]func() (T, error)
}

func (m *memo[T]) get(key string, ask func() (T, error)) (T, error) {
	m.mu.Lock()
	if m.made == nil {
		m.made = map[string]func() (T, error){}
	}
	once := m.made[key]
	if once == nil {
		once = sync.OnceValues(ask)
		m.made[key] = once
	}
	m.mu.Unlock()
	return once()
}

// owners and repositories may hold only what GitHub allows in names; the underscore is
// that of enterprise managed users.
var (
	ownerName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`)
	repoName  = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
)

// slug returns owner/repo, an error when it is no name.
func slug(owner, repo string) (string, error) {
	if !ownerName.MatchString(owner) || !repoName.MatchString(repo) || repo == "." || repo == ".." {
		return "", fmt.Errorf("%q is no repository name", owner+"/"+repo)
	}
	return owner + "/" + repo, nil
}

// A question is one request and what may be read of its answer.
type question struct {
	method, url string
	header      http.Header
	body        []byte
	most        int64 // bytes of the answer that are read
}

// ask sends a question, follows redirects on the same server with the same method, and
// hands the answer to read while its connection is open. final is the URL that answered.
func (c *Client) ask(ctx context.Context, q question, read func(resp *http.Response, final *url.URL) error) error {
	c.start.Do(func() { c.slots = make(chan struct{}, MaxQuestions) })
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if c.silent.Load() >= deadAfter {
		return ErrNoNetwork
	}
	ctx, cancel := context.WithTimeout(ctx, AskTimeout)
	defer cancel()
	at, err := url.Parse(q.url)
	if err != nil {
		return errors.New("the server's address is malformed")
	}
	for range maxRedirects + 1 {
		resp, err := c.send(ctx, q, at)
		if err != nil {
			return err
		}
		next, err := redirect(at, resp)
		if err == nil && next == nil {
			defer resp.Body.Close()
			resp.Body = struct {
				io.Reader
				io.Closer
			}{io.LimitReader(resp.Body, q.most), resp.Body}
			return read(resp, at)
		}
		resp.Body.Close()
		if err != nil {
			return err
		}
		at = next
	}
	return errors.New("the server sends the question round in circles")
}

// send makes one request and counts how often nobody was there. A transport follows no
// redirect by itself.
func (c *Client) send(ctx context.Context, q question, at *url.URL) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, q.method, at.String(), bytes.NewReader(q.body))
	if err != nil {
		return nil, errors.New("the server's address is malformed")
	}
	req.Header = q.header.Clone()
	req.Header.Set("User-Agent", "stint")
	transport := c.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	resp, err := transport.RoundTrip(req)
	switch {
	case err == nil:
		c.silent.Store(0)
		return resp, nil
	case errors.Is(context.Cause(ctx), context.Canceled):
		return nil, context.Canceled
	}
	c.silent.Add(1)
	return nil, errors.New("no answer")
}

// redirect returns where an answer sends the question, nil when it is the answer. It
// goes to the same server only: another could be anybody's.
func redirect(at *url.URL, resp *http.Response) (*url.URL, error) {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, nil
	}
	next, err := at.Parse(resp.Header.Get("Location"))
	if err != nil || next.Scheme != at.Scheme || !strings.EqualFold(next.Host, at.Host) || next.User != nil {
		return nil, errors.New("the server sends the question to another one")
	}
	return next, nil
}

// base returns the base URL, or the default when it is empty, without a slash at its end.
func base(given, fallback string) string {
	if given == "" {
		given = fallback
	}
	return strings.TrimRight(given, "/")
}
