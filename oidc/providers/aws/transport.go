package aws

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// errReplyTooLarge is a reply over maxReplyBytes.
var errReplyTooLarge = errors.New("reply too large")

// A redirectError is an answer that sends the caller elsewhere. The token must
// not follow it, to whatever host it points.
type redirectError struct {
	status int
	host   string // where to, "" when the reply does not say
}

func (e *redirectError) Error() string { return fmt.Sprintf("redirect %d to %q", e.status, e.host) }

// A transport bounds what comes back and says who asks.
type transport struct {
	next  http.RoundTripper
	host  string
	agent string
}

// RoundTrip reads the reply whole, up to maxReplyBytes, and refuses redirects.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	agent := t.agent
	if run, ok := r.Context().Value(runKey{}).(string); ok {
		agent += " (" + run + ")"
	}
	// The SDK's own agent carries AWS_EXECUTION_ENV; nothing ambient is sent.
	r.Header.Set("User-Agent", agent)
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return nil, &redirectError{status: resp.StatusCode, host: locationHost(r.URL, resp.Header.Get("Location"))}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReplyBytes+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxReplyBytes {
		return nil, errReplyTooLarge
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// runKey is the context key under which an exchange leaves its run's name.
type runKey struct{}

func locationHost(base *url.URL, location string) string {
	u, err := base.Parse(location)
	if err != nil || location == "" || len(u.Host) > 253 {
		return ""
	}
	return u.Host
}
