package oidc

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// transportError says why no reply came. The text of the cause stays out: it may
// hold what a hostile server sent.
func transportError(host string, err error) *Error {
	e := &Error{
		Stage: StageToken, Retryable: true, Err: knownCause(err),
		Hint: "run the job again; if it stays, let the runner reach " + strconv.Quote(host),
	}
	what := "the connection failed"
	switch {
	case isA[*tls.CertificateVerificationError](err):
		e.Retryable = false
		what, e.Hint = "its certificate could not be verified", "look for a proxy in between; its certificate authority must be known to the runner"
	case errors.Is(err, context.Canceled):
		e.Retryable = false
		what, e.Hint = "the request was cancelled", "run the job again"
	case isA[*net.DNSError](err):
		what = "its name could not be resolved"
	case errors.Is(err, syscall.ECONNREFUSED):
		what = "the connection was refused"
	case isTimeout(err):
		what = "it did not answer in time"
	}
	e.Message = "the id-token issuer at " + strconv.Quote(host) + " could not be asked: " + what
	return e
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}

// knownCause keeps the causes that carry nothing of the other side.
func knownCause(err error) error {
	for _, known := range []error{context.Canceled, context.DeadlineExceeded, syscall.ECONNREFUSED, syscall.ECONNRESET} {
		if errors.Is(err, known) {
			return known
		}
	}
	return nil
}

// statusError says what a refusal means. Only status and request id of the reply
// are kept; the body is looked at for the texts that we know.
func statusError(res *http.Response, body []byte, now time.Time) *Error {
	e := &Error{Stage: StageToken, Status: res.StatusCode, RequestID: requestID(res.Header)}
	status := strconv.Itoa(res.StatusCode)
	switch {
	case jobIsOver(body):
		e.Message = "the job is already over for the issuer, which gives it no more id-tokens (status " + status + ")"
		e.Hint = "ask while the job runs: a process left behind by a step, or a job that was cancelled, cannot"
	case res.StatusCode >= 300 && res.StatusCode < 400:
		e.Message = "the id-token issuer answered with a redirect (status " + status + "), which is not followed"
		e.Hint = "look for a proxy in between: the request carries a bearer and goes to the checked host only"
	case res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden:
		e.Message = "the id-token issuer refused the job's bearer (status " + status + ")"
		e.Hint = "give the job `permissions: id-token: write`, and ask while it runs: the bearer ends with the job"
	case res.StatusCode == http.StatusTooManyRequests:
		e.Message = "the id-token issuer asks to wait (status 429)"
		e.Hint = "run the job again later, or ask for fewer tokens at a time"
		e.Retryable, e.RetryAfter = true, retryAfter(res.Header, now)
	case res.StatusCode >= 500:
		e.Message = "the id-token issuer has a problem of its own (status " + status + ")"
		e.Hint = "run the job again; see https://www.githubstatus.com if it stays"
		e.Retryable, e.RetryAfter = true, retryAfter(res.Header, now)
	default:
		e.Message = "the id-token issuer did not take the request (status " + status + ")"
		e.Hint = "check the audience; if it is right, look for a proxy in between"
	}
	return e
}

// jobIsOver knows the issuer's words for a job that has ended: "Can't issue
// ID_TOKEN for job in 'Completed' state".
func jobIsOver(body []byte) bool {
	text := strings.ToLower(string(body))
	// The apostrophes come as ' or as \u0027.
	text = strings.ReplaceAll(text, `\u0027`, "'")
	return strings.Contains(text, "job in 'completed' state")
}

// retryAfter reads Retry-After, in seconds or as a date; 0 when there is none.
// A silly value is kept within a day, which is beyond every deadline.
func retryAfter(h http.Header, now time.Time) time.Duration {
	const most = 24 * time.Hour
	value := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return min(most, time.Duration(seconds)*time.Second)
	}
	if at, err := http.ParseTime(value); err == nil && at.After(now) {
		return min(most, at.Sub(now))
	}
	return 0
}

// identifier is what may be kept of what the other side says.
var identifier = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,64}$`)

// requestID is the id under which the issuer's side knows the request.
func requestID(h http.Header) string {
	for _, name := range []string{"X-GitHub-Request-Id", "X-VSS-E2EID"} {
		if id := h.Get(name); identifier.MatchString(id) {
			return id
		}
	}
	return ""
}
