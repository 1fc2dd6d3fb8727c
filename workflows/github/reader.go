package github

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	gh "github.com/google/go-github/v60/github"
)

// Options say which host a [Reader] reads and how.
type Options struct {
	// Host is "github.com" (also ""), a data-residency host ("octo.ghe.com"), or a GitHub
	// Enterprise Server, optionally with a port. A URL may stand in its place; http is
	// accepted for a loopback address only.
	Host string
	// Token gives the token for each request. It is asked before each and refreshes by itself.
	Token TokenSource
	// Transport is http.DefaultTransport, which takes proxies from the environment, when nil.
	Transport http.RoundTripper
	// Now and Sleep are the clock; time.Now and a timer when nil.
	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration) error
	// Version is stint's, for the User-Agent.
	Version string
	// Log takes one line when the reader waits, halves or gives up. It may be nil.
	Log func(line string)
}

// A Reader reads repositories and settings over the API. It is safe for concurrent use,
// with one GraphQL query under way at a time: two would not be faster, since the host
// bounds the time that it works for one token.
type Reader struct {
	rest *gh.Client
	gov  *governor
	log  func(format string, args ...any)
	// graphql is the query endpoint relative to that of REST.
	graphql string
}

// New returns a reader. It asks nothing yet.
func New(o Options) (*Reader, error) {
	at, err := endpointsOf(o.Host)
	if err != nil {
		return nil, err
	}
	if o.Token == nil {
		return nil, ErrNoToken
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	r := &Reader{log: func(format string, args ...any) {
		if o.Log != nil {
			o.Log(fmt.Sprintf(format, args...))
		}
	}}
	r.gov = newGovernor(o, at.rest, r.log)
	r.rest = gh.NewClient(&http.Client{Transport: r.gov, CheckRedirect: sameServer})
	r.rest.BaseURL, r.graphql = at.rest, at.graphql
	r.rest.UserAgent = strings.TrimSuffix("stint/"+o.Version, "/")
	return r, nil
}

// endpoints are where a host answers: REST with a slash at its end, and GraphQL relative
// to it.
type endpoints struct {
	rest    *url.URL
	graphql string
}

// endpointsOf derives the endpoints from the name of a host.
func endpointsOf(host string) (endpoints, error) {
	if !strings.Contains(host, "://") {
		host = "https://" + host
	}
	u, err := url.Parse(host)
	if host == "https://" {
		u, err = url.Parse("https://github.com")
	}
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		return endpoints{}, fmt.Errorf("%q is no host", host)
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return endpoints{}, fmt.Errorf("%q: only https may carry a token", host)
	}
	name := strings.ToLower(u.Host)
	switch {
	case name == "github.com" || name == "api.github.com" || name == "www.github.com":
		return endpoints{&url.URL{Scheme: u.Scheme, Host: "api.github.com", Path: "/"}, "graphql"}, nil
	case strings.HasSuffix(name, ".ghe.com"):
		return endpoints{&url.URL{Scheme: u.Scheme, Host: "api." + strings.TrimPrefix(name, "api."), Path: "/"}, "graphql"}, nil
	}
	return endpoints{&url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/api/v3/"}, "../graphql"}, nil
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || host == "localhost"
}

// sameServer lets a request be sent on within the server only, and never as another
// method: the governor gives the token to no other host, and a GET instead of a query
// would be answered with something else.
func sameServer(req *http.Request, via []*http.Request) error {
	first := via[0]
	if len(via) > maxRedirects || req.Method != first.Method || req.URL.Scheme != first.URL.Scheme || !strings.EqualFold(req.URL.Host, first.URL.Host) {
		return errors.New("the server sends the question to another one")
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Spent returns what the reader has asked so far.
func (r *Reader) Spent() Spent { return r.gov.counted() }

// A Bucket is one of the host's budgets of an hour.
type Bucket struct {
	Limit, Left int // -1 when the host sets no limit
	Resets      time.Time
}

// A Budget is what a token may still ask.
type Budget struct{ GraphQL, REST Bucket }

// Budget asks the host what the token may still ask, which costs nothing. A host
// without limits, as GitHub Enterprise Server is by default, answers 404 to that.
func (r *Reader) Budget(ctx context.Context) (Budget, error) {
	none := Bucket{Limit: -1, Left: -1}
	var reply struct {
		Resources struct {
			Core    gh.Rate `json:"core"`
			GraphQL gh.Rate `json:"graphql"`
		} `json:"resources"`
	}
	err := r.get(ctx, "rate_limit", &reply)
	if isStatus(err, http.StatusNotFound) {
		return Budget{none, none}, nil
	}
	if err != nil {
		return Budget{}, err
	}
	of := func(rate gh.Rate) Bucket { return Bucket{rate.Limit, rate.Remaining, rate.Reset.UTC()} }
	return Budget{of(reply.Resources.GraphQL), of(reply.Resources.Core)}, nil
}

// Blob returns the content of a file by its id, held against it. It is at most
// [workflows.MaxFileBytes] long.
func (r *Reader) Blob(ctx context.Context, repo, oid string) ([]byte, error) {
	owner, name, _ := strings.Cut(repo, "/")
	full, err := slug(owner, name)
	if err != nil {
		return nil, err
	}
	if !commitID.MatchString(oid) {
		return nil, fmt.Errorf("%q is no id of a file", oid)
	}
	b, err := r.raw(ctx, "repos/"+full+"/git/blobs/"+oid)
	if err == nil && !isBlob(oid, b) {
		err = errors.New("the content is not what its id says")
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// get asks REST once and decodes the answer.
func (r *Reader) get(ctx context.Context, path string, into any) error {
	_, err := r.page(ctx, path, into)
	return err
}

// page is get for lists; it returns the number of the next page, 0 when there is none.
func (r *Reader) page(ctx context.Context, path string, into any) (next int, err error) {
	req, err := r.rest.NewRequest(http.MethodGet, path, nil)
	if err != nil {
		return 0, fmt.Errorf("%q is no path of the API", path)
	}
	resp, err := r.rest.Do(ctx, req, into)
	if err != nil {
		return 0, restError(ctx, err)
	}
	return resp.NextPage, nil
}

// raw asks for the bytes of a file.
func (r *Reader) raw(ctx context.Context, path string) ([]byte, error) {
	req, err := r.rest.NewRequest(http.MethodGet, path, nil)
	if err != nil {
		return nil, fmt.Errorf("%q is no path of the API", path)
	}
	req.Header.Set("Accept", "application/vnd.github.raw+json")
	resp, err := r.rest.BareDo(ctx, req)
	if err != nil {
		return nil, restError(ctx, err)
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body) // the governor has bounded it
}

// A StatusError is an answer of REST that is none.
type StatusError struct {
	Status int
	// Needs is the permission that the host says it takes, "" when it does not.
	Needs string
}

// Error returns one line.
func (e *StatusError) Error() string { return fmt.Sprintf("status %d", e.Status) }

func isStatus(err error, status ...int) bool {
	var e *StatusError
	if !errors.As(err, &e) {
		return false
	}
	for _, s := range status {
		if e.Status == s {
			return true
		}
	}
	return false
}

// restError reduces an error of the client to what may be shown: the host's own words
// and addresses stay out.
func restError(ctx context.Context, err error) error {
	var reply *gh.ErrorResponse
	var secondary *gh.AbuseRateLimitError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &reply) && reply.Response != nil:
		return &StatusError{reply.Response.StatusCode, permissionWords(reply.Response.Header.Get("X-Accepted-GitHub-Permissions"))}
	case errors.As(err, &secondary):
		return ErrLimited
	case errors.Is(err, ErrLimited), errors.Is(err, errTooLong), errors.Is(err, errToken):
		return unwrapURL(err)
	}
	return errors.New("no whole answer")
}

func unwrapURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// permissionWords keeps of a header what permissions are written in:
// "administration=read; organization_secrets=read,metadata=read".
func permissionWords(s string) string {
	s = strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || strings.ContainsRune("_=;, ", c) {
			return c
		}
		return -1
	}, s)
	return s[:min(len(s), 200)]
}
