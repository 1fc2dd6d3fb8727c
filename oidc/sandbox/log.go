package sandbox

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
)

// An entry is what a handler tells the log. No field may hold a token or a key.
type entry struct {
	endpoint Endpoint
	request  string // request id
	action   string // API action
	code     string // error code, "" when it went well
	role     string
	session  string
	claims   string // digest of the claims
	why      string // of a decision
	fault    *Fault
}

// digest names claims without showing them.
func digest(claims []byte) string {
	sum := sha256.Sum256(claims)
	return "sha256:" + hex.EncodeToString(sum[:8])
}

// newID returns 32 random hexadecimal digits.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// A recorder remembers the status for the log.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// log writes the one line of a request. The query is left out: it may hold
// anything.
func (s *Sandbox) log(r *http.Request, w *recorder, e *entry) {
	attrs := []slog.Attr{
		slog.String("endpoint", string(e.endpoint)),
		slog.String("method", r.Method),
		slog.Int("status", w.status),
		slog.String("request", e.request),
	}
	for _, a := range []struct{ key, value string }{
		{"action", e.action}, {"code", e.code}, {"role", e.role},
		{"session", e.session}, {"claims", e.claims}, {"why", e.why},
	} {
		if a.value != "" {
			attrs = append(attrs, slog.String(a.key, a.value))
		}
	}
	if e.fault != nil {
		attrs = append(attrs, slog.Bool("fault", true))
	}
	s.opts.Log.LogAttrs(r.Context(), slog.LevelInfo, "request", attrs...)
}
