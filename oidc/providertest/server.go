package providertest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stint-dev/stint/oidc"
)

// A Fault takes the place of one answer of a stand-in, or goes before it.
type Fault struct {
	// Status, Body and RetryAfter are the answer; a Status of 0 lets the stand-in answer.
	Status     int
	Body       string
	RetryAfter string
	Location   string
	// Drop closes the connection without an answer, Half in the middle of one.
	Drop, Half bool
	// Lose lets the stand-in act on the request and then drops its answer.
	Lose bool
	// Hang keeps the request until the client gives up.
	Hang bool
	// Then is called when the request has come, before anything else.
	Then func()
}

// An Answer is a recorded one, to key a table by.
type Answer struct {
	Status int
	Body   string
}

// A Server is a stand-in on loopback with a script of faults.
type Server struct {
	*httptest.Server
	mu       sync.Mutex
	faults   []Fault
	requests []*http.Request
	bodies   []string
}

// NewServer serves h until the test ends.
func NewServer(t *testing.T, h http.Handler) *Server {
	t.Helper()
	s := &Server{}
	s.Server = httptest.NewServer(s.wrap(h))
	t.Cleanup(s.Close)
	return s
}

// Script sets what goes wrong with the next requests, one after the other. After the
// last of them the stand-in answers.
func (s *Server) Script(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = faults
}

// Requests returns what was asked, and Bodies the bodies that came with it.
func (s *Server) Requests() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*http.Request(nil), s.requests...)
}

// Bodies returns the bodies of the requests so far.
func (s *Server) Bodies() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.bodies...)
}

func (s *Server) next(r *http.Request) Fault {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests, s.bodies = append(s.requests, r), append(s.bodies, string(body))
	if len(s.faults) == 0 {
		return Fault{}
	}
	f := s.faults[0]
	s.faults = s.faults[1:]
	return f
}

func (s *Server) wrap(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := s.next(r)
		if f.Then != nil {
			f.Then()
		}
		switch {
		case f.Hang:
			<-r.Context().Done()
		case f.Drop:
			hangUp(w, "")
		case f.Half:
			hangUp(w, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{\"token\":\"")
		case f.Lose:
			h.ServeHTTP(httptest.NewRecorder(), r)
			hangUp(w, "")
		case f.Status != 0:
			f.write(w)
		default:
			h.ServeHTTP(w, r)
		}
	})
}

func (f Fault) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	for name, value := range map[string]string{"Retry-After": f.RetryAfter, "Location": f.Location} {
		if value != "" {
			w.Header().Set(name, value)
		}
	}
	w.WriteHeader(f.Status)
	_, _ = io.WriteString(w, f.Body)
}

// hangUp writes raw bytes and closes the connection.
func hangUp(w http.ResponseWriter, raw string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(conn, raw)
	_ = conn.Close()
}

// Silent fails the test when one of the values shows a secret, whichever way it is
// printed. An error must also say what to do next.
func Silent(t *testing.T, secrets []string, values ...any) {
	t.Helper()
	if len(secrets) == 0 {
		t.Fatal("no secrets to look for")
	}
	for _, v := range values {
		text := fmt.Sprintf("%v %+v %#v %s", v, v, v, v)
		var e *oidc.Error
		if err, ok := v.(error); ok && errors.As(err, &e) {
			text += fmt.Sprintf("%+v", *e)
			if e.Hint == "" {
				t.Errorf("no hint: %v", e)
			}
		}
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%T shows %q: %s", v, secret, text)
			}
		}
	}
}

// Shown are the parts of a credential that anyone may see.
func Shown(c *oidc.Credential) []any {
	public := c.Handle
	public.Revoke = ""
	return []any{c.Identity, c.Facts, public, c.Vars, c.Files}
}
