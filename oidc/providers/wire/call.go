package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"github.com/stint-dev/stint/oidc"
)

// Limits of one call.
const (
	// MaxReplyBytes bounds a reply; real ones have a few kilobytes.
	MaxReplyBytes = 1 << 20
	// CallTimeout bounds one call.
	CallTimeout = 15 * time.Second
	// maxRetryAfter bounds how long a server can make us wait in words; the deadlines
	// of the callers are far shorter.
	maxRetryAfter = time.Hour
)

// A Caller sends requests to one server.
type Caller struct {
	Options Options
	// Stage is that of the errors.
	Stage oidc.Stage
	// Run names the run in the user agent; it may be the zero value.
	Run oidc.Run
	// Timeout bounds one call; 0 is CallTimeout.
	Timeout time.Duration
}

// A Reply is what a server answered, whatever the status.
type Reply struct {
	Status int
	Header http.Header
	// Body is at most MaxReplyBytes long. It may hold secrets: parse it, do not print it.
	Body []byte
}

// Good reports whether the status is one of success.
func (r *Reply) Good() bool { return r.Status >= 200 && r.Status < 300 }

// RetryAfter is how long the server wants to be left alone, 0 when it does not say.
// The form with a date is not read, because it needs the other side's clock.
func (r *Reply) RetryAfter() time.Duration {
	n, err := strconv.Atoi(r.Header.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return min(time.Duration(n)*time.Second, maxRetryAfter)
}

// Response is the reply as an SDK wants it, an answer to r.
func (r *Reply) Response(to *http.Request) *http.Response {
	return &http.Response{
		StatusCode: r.Status, Status: http.StatusText(r.Status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: r.Header, Body: io.NopCloser(bytes.NewReader(r.Body)), ContentLength: int64(len(r.Body)), Request: to,
	}
}

// A Transport carries the calls of an SDK as Do does. Its errors are Do's, which are to
// be found in the SDK's own.
type Transport struct{ Caller Caller }

// RoundTrip sends one request.
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	reply, err := t.Caller.Do(r.Context(), r)
	if err != nil {
		return nil, err
	}
	return reply.Response(r), nil
}

var errTooLarge = errors.New("reply too large")

// Do sends the request, follows no redirect and reads the reply whole. An error is an
// *oidc.Error, Retryable when another attempt may do better; it never says whether the
// server acted on the request.
func (c Caller) Do(ctx context.Context, r *http.Request) (*Reply, error) {
	timeout := c.Timeout
	if timeout == 0 {
		timeout = CallTimeout
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r = r.Clone(limited)
	r.Header.Set("User-Agent", c.agent())
	resp, err := c.Options.Transport.RoundTrip(r)
	if err != nil {
		return nil, c.explain(ctx, err, r.URL.Host)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return nil, c.redirected(resp, r.URL)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxReplyBytes+1))
	if err == nil && len(body) > MaxReplyBytes {
		err = errTooLarge
	}
	if err != nil {
		return nil, c.explain(ctx, err, r.URL.Host)
	}
	return &Reply{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

func (c Caller) agent() string {
	agent := "stint/" + c.Options.Version
	if c.Run.ID != "" {
		agent += " (run " + SafeText(c.Run.ID) + "; attempt " + SafeText(c.Run.Attempt) + ")"
	}
	return agent
}

// redirected refuses: the secret in the request must not follow, to whatever host it points.
func (c Caller) redirected(resp *http.Response, base *url.URL) *oidc.Error {
	to, err := base.Parse(resp.Header.Get("Location"))
	host := ""
	if err == nil && len(to.Host) <= 253 && resp.Header.Get("Location") != "" {
		host = to.Host
	}
	return &oidc.Error{Stage: c.Stage, Status: resp.StatusCode,
		Message: fmt.Sprintf("%s sends elsewhere (status %d, to %q), and the token does not follow", base.Host, resp.StatusCode, host),
		Hint:    "correct endpoint: in the grant, and look for a proxy that redirects"}
}

// explain names the kind of a failure without any text of the other side. The cause
// is dropped but for the caller's own end, because it can hold a piece of the reply.
func (c Caller) explain(ctx context.Context, err error, host string) *oidc.Error {
	if ctx.Err() != nil {
		return &oidc.Error{Stage: c.Stage, Message: "stopped before " + host + " answered",
			Hint: "nothing was handed over; run the job again", Err: ctx.Err()}
	}
	e := &oidc.Error{Stage: c.Stage, Retryable: true,
		Hint: "check the network of the runner and, if it is set, endpoint: in the grant"}
	e.Message, e.Retryable = lineFailure(err, host)
	return e
}

func lineFailure(err error, host string) (text string, retryable bool) {
	var (
		dns    *net.DNSError
		cert   *tls.CertificateVerificationError
		netErr net.Error
	)
	switch {
	case errors.Is(err, errTooLarge):
		return fmt.Sprintf("the reply of %s is larger than %d bytes", host, MaxReplyBytes), false
	case errors.As(err, &cert):
		return host + " has a certificate that this machine does not trust", false
	case errors.As(err, &dns) && dns.IsNotFound:
		return "there is no host " + host, true
	case errors.Is(err, syscall.ECONNREFUSED):
		return host + " refuses connections", true
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return host + " did not answer in time", true
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "the reply of " + host + " breaks off", true
	}
	return host + " could not be reached", true
}
