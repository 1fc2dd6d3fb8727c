package sandbox

import (
	"bytes"
	"io"
	"net/http"
	"time"
)

// An Endpoint is one of the three servers.
type Endpoint string

// The endpoints.
const (
	EndpointIssuer Endpoint = "issuer"
	EndpointSTS    Endpoint = "sts"
	EndpointStore  Endpoint = "store"
)

// A Call is a request that the fault hook sees.
type Call struct {
	Endpoint Endpoint
	Method   string
	Path     string
	// N counts the requests of the endpoint, from 1.
	N int
}

// A Fault is what goes wrong with one request. Of the first group the earliest
// field that is set answers; the others spoil the answer that follows.
type Fault struct {
	// Hold keeps the request until the channel is closed or the client gives up;
	// then it goes on. No time passes by itself.
	Hold <-chan struct{}
	// Drop closes the connection without an answer.
	Drop bool
	// Redirect answers 307 with this Location.
	Redirect string
	// Code answers as an error of the STS or the store with this code, and Status
	// or 400.
	Code string
	// Status answers with this status and an empty body.
	Status int
	// RetryAfter is that header of the answer, "" for none.
	RetryAfter string
	// Bytes answers 200 with so many bytes of white space.
	Bytes int64

	// Audience is put into the token in place of the one asked for.
	Audience string
	// Expired makes the token's end lie this long in the past.
	Expired time.Duration
	// ForeignKey signs the token with a key that is not published, under the kid
	// of the one that is.
	ForeignKey bool
}

// answer applies the first group; it reports whether the request is dealt with.
func (f *Fault) answer(w http.ResponseWriter, r *http.Request, note *entry) bool {
	note.fault = f
	if f.Hold != nil {
		select {
		case <-f.Hold:
		case <-r.Context().Done():
			drop(w)
			return true
		}
	}
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	switch {
	case f.Drop:
		drop(w)
	case f.Redirect != "":
		http.Redirect(w, r, f.Redirect, http.StatusTemporaryRedirect)
	case f.Code != "":
		status := f.Status
		if status == 0 {
			status = http.StatusBadRequest
		}
		writeError(w, note, &apiError{status: status, code: f.Code, message: "injected by the fault hook"})
	case f.Status != 0:
		w.WriteHeader(f.Status)
	case f.Bytes > 0:
		writeBlank(w, f.Bytes)
	default:
		return false
	}
	return true
}

// drop closes the connection.
func drop(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// writeBlank sends n spaces, which are valid before JSON as before XML.
func writeBlank(w io.Writer, n int64) {
	blank := bytes.Repeat([]byte{' '}, 32<<10)
	for n > 0 {
		part := blank[:min(n, int64(len(blank)))]
		if _, err := w.Write(part); err != nil {
			return // the client has had enough
		}
		n -= int64(len(part))
	}
}
