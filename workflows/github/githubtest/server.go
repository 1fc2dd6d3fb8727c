package githubtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The time at which a server's clock begins.
var start = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// A Server is the stand-in. Its exported fields are set before it is used.
type Server struct {
	// Host is the one that RoundTrip answers for, "api.github.com" when empty.
	Host string
	// Clock is the time of the host.
	Clock *Clock
	// Token is what every request has to bring, any when empty.
	Token string
	// Limit is the budget of an hour of each kind, 5,000 when 0.
	Limit int
	// NoLimits is a GitHub Enterprise Server: no header and no rateLimit.
	NoLimits bool
	// Fault says what goes wrong with a request, nil for nothing.
	Fault func(Request) Fault

	mu      sync.Mutex
	org     *Organization
	byID    map[string]*Repository
	stats   Stats
	window  time.Time
	used    [2]int // points of REST and of GraphQL in the window
	flying  int
	current int // requests of all kinds so far
}

// Stats count what a server was asked.
type Stats struct {
	GraphQL, Points, REST int
	// MostQueries is how many queries were under way at a time.
	MostQueries int
	// Sizes are the first, or the number of ids, of each query in order.
	Sizes []int
	// Paths are those of REST in order.
	Paths []string
	// Elsewhere are the hosts that RoundTrip was to reach and that are not this one, and
	// Leaked those of them that were given the token.
	Elsewhere, Leaked []string
}

// A Request is what a fault is judged by.
type Request struct {
	N       int // of all requests, from 1
	GraphQL bool
	Query   string // the text of the query
	Path    string // of REST, without a slash in front
	Size    int    // first, or the number of ids
	// Repositories are the names that the answer holds.
	Repositories []string
}

// New returns a server of an organization.
func New(org *Organization) *Server {
	s := &Server{Host: "api.github.com", org: org, Clock: &Clock{now: start}}
	s.index()
	return s
}

func (s *Server) index() {
	s.byID = map[string]*Repository{}
	for _, r := range s.org.Repositories {
		s.byID[r.NodeID] = r
	}
}

// Change lets a test change the organization while no request is answered.
func (s *Server) Change(change func(*Organization)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s.org)
	s.index()
}

// Stats returns the counts since the last Reset.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// Reset sets the counts to zero; the budgets stay as they are.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats, s.current = Stats{}, 0
}

func (s *Server) limit() int {
	if s.Limit == 0 {
		return 5000
	}
	return s.Limit
}

// left returns what remains of a budget and when it begins anew.
func (s *Server) left(graphql bool) (int, time.Time) {
	if now := s.Clock.Now(); s.window.IsZero() || now.Sub(s.window) >= time.Hour {
		s.window, s.used = now, [2]int{}
	}
	return max(0, s.limit()-s.used[kind(graphql)]), s.window.Add(time.Hour)
}

func kind(graphql bool) int {
	if graphql {
		return 1
	}
	return 0
}

// A reply is an answer before it is put on the wire.
type reply struct {
	status int
	header http.Header
	body   []byte
	fault  Fault
}

// RoundTrip implements [http.RoundTripper]: it is the network, with one host in it.
func (s *Server) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if req.URL.Host != s.Host {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.stats.Elsewhere = append(s.stats.Elsewhere, req.URL.Host)
		if req.Header.Get("Authorization") != "" {
			s.stats.Leaked = append(s.stats.Leaked, req.URL.Host)
		}
		return nil, errors.New("no such host")
	}
	r := s.answer(req)
	if r.fault == Reset {
		return nil, errors.New("connection reset by peer")
	}
	return &http.Response{Status: strconv.Itoa(r.status), StatusCode: r.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: r.header, Body: io.NopCloser(r.reader()), ContentLength: -1, Request: req}, nil
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r := s.answer(req)
	if r.fault == Reset {
		panic(http.ErrAbortHandler)
	}
	for name, values := range r.header {
		w.Header()[name] = values
	}
	w.WriteHeader(r.status)
	if _, err := io.Copy(w, r.reader()); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// answer answers one request.
func (s *Server) answer(req *http.Request) reply {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(io.LimitReader(req.Body, 4<<20))
		req.Body.Close()
	}
	path := strings.TrimPrefix(strings.TrimPrefix(req.URL.EscapedPath(), "/api/v3"), "/")
	graphql := path == "graphql" || path == "api/graphql"
	s.enter(graphql)
	defer s.leave(graphql)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current++
	if auth := req.Header.Get("Authorization"); auth == "" || s.Token != "" && auth != "Bearer "+s.Token {
		return s.reply(graphql, http.StatusUnauthorized, map[string]any{"message": "Bad credentials"})
	}
	var r reply
	asked := Request{N: s.current, GraphQL: graphql, Path: path}
	switch {
	case graphql && req.Method == http.MethodPost:
		r = s.graphql(body, &asked)
	case !graphql && req.Method == http.MethodGet:
		s.stats.REST++
		s.stats.Paths = append(s.stats.Paths, path)
		r = s.rest(path, req)
	default:
		r = s.reply(graphql, http.StatusMethodNotAllowed, map[string]any{"message": "Method Not Allowed"})
	}
	if s.Fault != nil {
		if f := s.Fault(asked); f != None {
			return s.spoil(f, r, graphql)
		}
	}
	return r
}

// enter and leave count the queries under way, outside of the lock that orders them.
func (s *Server) enter(graphql bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if graphql {
		s.flying++
		s.stats.MostQueries = max(s.stats.MostQueries, s.flying)
	}
}

func (s *Server) leave(graphql bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if graphql {
		s.flying--
	}
}

// graphql answers a query.
func (s *Server) graphql(body []byte, asked *Request) reply {
	s.stats.GraphQL++
	var in struct {
		Query     string         `json:"query"`
		Variables map[string]any `json:"variables"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return s.reply(true, http.StatusBadRequest, map[string]any{"message": "Problems parsing JSON"})
	}
	asked.Query = in.Query
	doc, err := parse(in.Query)
	if err != nil {
		return s.reply(true, http.StatusOK, map[string]any{"errors": []queryError{wrongQuery(err)}})
	}
	c := newCheck(doc, in.Variables)
	asked.Size = c.size
	s.stats.Sizes = append(s.stats.Sizes, c.size)
	if c.err != nil {
		return s.reply(true, http.StatusOK, map[string]any{"errors": []queryError{wrongQuery(c.err)}})
	}
	if left, _ := s.left(true); left < c.points() && !s.NoLimits {
		return s.spoil(PrimaryLimit, reply{}, true)
	}
	s.used[1] += c.points()
	s.stats.Points += c.points()
	x := &execution{check: c, s: s, trees: map[*Repository]*node{}, points: c.points()}
	data := map[string]any{}
	x.set(object{typ: "Query", of: s}, doc.selection, nil, data)
	asked.Repositories = x.seen
	answer := map[string]any{"data": data}
	if len(x.errors) > 0 {
		answer["errors"] = x.errors
	}
	return s.reply(true, http.StatusOK, answer)
}

func wrongQuery(err error) queryError {
	return queryError{Message: err.Error(), Extensions: map[string]string{"code": "undefinedField"}}
}

// reply makes an answer with the headers that the host adds.
func (s *Server) reply(graphql bool, status int, body any) reply {
	h := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	if !s.NoLimits {
		left, reset := s.left(graphql)
		h.Set("X-RateLimit-Limit", strconv.Itoa(s.limit()))
		h.Set("X-RateLimit-Remaining", strconv.Itoa(left))
		h.Set("X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
		h.Set("X-RateLimit-Resource", []string{"core", "graphql"}[kind(graphql)])
	}
	b, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("githubtest: an answer that is no JSON: %v", err))
	}
	return reply{status: status, header: h, body: b}
}

func (r reply) reader() io.Reader {
	switch r.fault {
	case HalfReply:
		return io.MultiReader(bytes.NewReader(r.body[:len(r.body)/2]), broken{})
	case Endless:
		return io.MultiReader(strings.NewReader(`{"data":"`), endless{})
	}
	return bytes.NewReader(r.body)
}
