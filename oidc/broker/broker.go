package broker

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stint-dev/stint/oidc"
)

// Limits of the endpoint.
const (
	maxHeaderBytes = 16 << 10
	readTimeout    = 5 * time.Second
	// answerTimeout bounds one answer, which may take an exchange.
	answerTimeout = 90 * time.Second
	maxAtOnce     = 16 // answers
	closeTimeout  = 2 * time.Second
)

// A Broker listens on loopback until it is closed. It is safe for concurrent use.
type Broker struct {
	host     string // 127.0.0.1:PORT
	server   *http.Server
	slots    chan struct{}
	answered atomic.Int64
	refused  atomic.Int64

	mu        sync.Mutex
	endpoints map[string]*Endpoint // by path
	closed    bool
}

// An Endpoint is the address of one credential.
type Endpoint struct {
	URL    string
	Bearer oidc.Secret

	sum    [sha256.Size]byte // of the bearer
	broker *Broker
	answer func(context.Context) (oidc.Secret, error) // nil: not yet
}

// Listen starts a broker on a free port of 127.0.0.1. Errors are *oidc.Error.
func Listen() (*Broker, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, &oidc.Error{Stage: oidc.StageHandOver, Message: "the broker cannot listen on 127.0.0.1",
			Hint: "let this machine's processes do so, or leave the mode broker out", Err: err}
	}
	b := &Broker{host: l.Addr().String(), slots: make(chan struct{}, maxAtOnce), endpoints: map[string]*Endpoint{}}
	b.server = &http.Server{
		Handler: http.HandlerFunc(b.serve), MaxHeaderBytes: maxHeaderBytes, ReadTimeout: readTimeout,
		WriteTimeout: answerTimeout + readTimeout, ErrorLog: log.New(io.Discard, "", 0),
	}
	b.server.SetKeepAlivesEnabled(false)
	go func() { _ = b.server.Serve(l) }() // ends with Close
	return b, nil
}

// Endpoint makes an address and a bearer. It refuses everything until it is served.
func (b *Broker) Endpoint() (*Endpoint, error) {
	var path [16]byte
	var bearer [32]byte
	_, err := rand.Read(path[:])
	if _, err2 := rand.Read(bearer[:]); errors.Join(err, err2) != nil {
		return nil, &oidc.Error{Stage: oidc.StageHandOver, Message: "there is no randomness for a bearer", Hint: "look at this machine's random source"}
	}
	text := hex.EncodeToString(bearer[:])
	e := &Endpoint{broker: b, Bearer: oidc.NewSecret(text), sum: sha256.Sum256([]byte(text))}
	name := "/" + hex.EncodeToString(path[:])
	e.URL = "http://" + b.host + name
	b.mu.Lock()
	b.endpoints[name] = e
	b.mu.Unlock()
	return e, nil
}

// Serve lets the endpoint answer. Errors of answer reach the command's tools by their
// first line.
func (e *Endpoint) Serve(answer func(context.Context) (oidc.Secret, error)) {
	e.broker.mu.Lock()
	defer e.broker.mu.Unlock()
	e.answer = answer
}

// Counts are how many requests were answered and refused so far.
func (b *Broker) Counts() (answered, refused int64) { return b.answered.Load(), b.refused.Load() }

// Close ends the broker: nothing is answered from here on. It waits for answers under
// way for [closeTimeout] at most.
func (b *Broker) Close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if b.server.Shutdown(ctx) != nil {
		_ = b.server.Close()
	}
}

// serve answers one request, or refuses it in words of one's own: what was asked is
// never repeated.
func (b *Broker) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	answer, status, why := b.admit(r)
	if status != http.StatusOK {
		b.refuse(w, status, why)
		return
	}
	select {
	case b.slots <- struct{}{}:
		defer func() { <-b.slots }()
	default:
		b.refuse(w, http.StatusServiceUnavailable, "too many requests at once")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), answerTimeout)
	defer cancel()
	body, err := answer(ctx)
	if err != nil {
		b.refuse(w, http.StatusServiceUnavailable, firstLine(err))
		return
	}
	if b.isClosed() {
		b.refuse(w, http.StatusServiceUnavailable, "the command has ended")
		return
	}
	b.answered.Add(1)
	_, _ = io.WriteString(w, body.Reveal())
}

// admit says what answers a request, or why nothing does. The bearer is asked for
// before the path is looked at, with one text for both, so that neither can be found
// out by itself.
func (b *Broker) admit(r *http.Request) (answer func(context.Context) (oidc.Secret, error), status int, why string) {
	switch {
	case r.Host != b.host:
		return nil, http.StatusMisdirectedRequest, "another host was meant"
	case r.Method != http.MethodGet:
		return nil, http.StatusMethodNotAllowed, "only GET is answered"
	case r.ContentLength != 0 || len(r.TransferEncoding) > 0 || r.URL.RawQuery != "" || r.URL.IsAbs():
		return nil, http.StatusBadRequest, "a plain request for the address is answered, and nothing else"
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.endpoints[r.URL.Path]
	given, want := sha256.Sum256([]byte(bearerOf(r))), [sha256.Size]byte{}
	if e != nil {
		want = e.sum
	}
	switch {
	case subtle.ConstantTimeCompare(given[:], want[:]) != 1:
		return nil, http.StatusForbidden, "the address or its bearer is not right"
	case b.closed:
		return nil, http.StatusServiceUnavailable, "the command has ended"
	case e.answer == nil:
		return nil, http.StatusServiceUnavailable, "there is no credential yet"
	}
	return e.answer, http.StatusOK, ""
}

// bearerOf is the bearer of a request. AWS's tools send it as it is, others after the
// word Bearer.
func bearerOf(r *http.Request) string {
	if len(r.Header.Values("Authorization")) != 1 {
		return ""
	}
	given := r.Header.Get("Authorization")
	if word, rest, ok := strings.Cut(given, " "); ok && strings.EqualFold(word, "Bearer") {
		return rest
	}
	return given
}

func (b *Broker) isClosed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

// refuse writes an error of the form that AWS's tools show: a code and a message.
func (b *Broker) refuse(w http.ResponseWriter, status int, why string) {
	b.refused.Add(1)
	body, err := json.Marshal(map[string]string{"code": "stint", "message": "stint: " + why})
	if err != nil {
		body = nil // a text always encodes
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// firstLine is what is wrong, without the cause.
func firstLine(err error) string {
	var e *oidc.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return "there is no answer"
}
