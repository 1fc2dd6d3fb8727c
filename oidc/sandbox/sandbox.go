package sandbox

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/stint-dev/stint/oidc/providers/aws/policy"
)

// DefaultProvider is the name under which trust policies know the issuer unless
// Options say otherwise: policies written for GitHub work here unchanged.
const DefaultProvider = "token.actions.githubusercontent.com"

// DefaultAudience is the audience that the STS takes unless Options say otherwise.
const DefaultAudience = "sts.amazonaws.com"

// DefaultTokenLife is how long an id-token lives, as seen on github.com.
const DefaultTokenLife = 5 * time.Minute

// Options set up a sandbox. The zero value is of use: it has no roles.
type Options struct {
	// Roles are the roles that exist. Their policies are read by New.
	Roles []Role
	// ManagedPolicies are the policies that a session may name, JSON by ARN.
	ManagedPolicies map[string]string
	// Audiences are the client ids of the identity provider; DefaultAudience when empty.
	Audiences []string
	// Issuer is the iss claim; the issuer's own URL when empty, where its
	// discovery document is. With another value the tokens verify in the sandbox's
	// STS only.
	Issuer string
	// Provider is the issuer's name in trust policies, in ARNs and condition keys;
	// DefaultProvider when empty.
	Provider string
	// TokenLife is exp − iat; DefaultTokenLife when 0.
	TokenLife time.Duration
	// Key is the first signing key; one of 2048 bits is made when nil.
	Key *rsa.PrivateKey
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	// Log gets one line a request; nothing is logged when nil. Neither tokens nor
	// keys are in it.
	Log *slog.Logger
	// Fault is asked before each request is answered; nil means no faults. It is
	// called from several goroutines.
	Fault func(Call) *Fault
}

// A Sandbox is a running issuer, STS and object store. It is safe for concurrent use.
type Sandbox struct {
	opts     Options
	roles    map[string]*role
	managed  map[string]*policy.Document
	keys     *keyring
	sessions *sessions
	objects  *objects

	issuer, sts, store *endpoint

	mu    sync.Mutex
	jobs  map[string]*registeredJob
	calls map[Endpoint]int
}

// New starts a sandbox on free ports of 127.0.0.1. Close it.
func New(opts Options) (*Sandbox, error) {
	opts = withDefaults(opts)
	roles, err := compileRoles(opts.Roles)
	if err != nil {
		return nil, err
	}
	managed, err := compileManaged(opts.ManagedPolicies)
	if err != nil {
		return nil, err
	}
	keys, err := newKeyring(opts.Key, opts.Now())
	if err != nil {
		return nil, err
	}
	s := &Sandbox{
		opts: opts, roles: roles, managed: managed, keys: keys,
		sessions: newSessions(), objects: newObjects(),
		jobs: map[string]*registeredJob{}, calls: map[Endpoint]int{},
	}
	for _, e := range []struct {
		endpoint **endpoint
		name     Endpoint
		handler  handler
	}{
		{&s.issuer, EndpointIssuer, s.serveIssuer},
		{&s.sts, EndpointSTS, s.serveSTS},
		{&s.store, EndpointStore, s.serveStore},
	} {
		if *e.endpoint, err = s.listen(e.name, e.handler); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	if s.opts.Issuer == "" {
		s.opts.Issuer = s.issuer.url()
	}
	for _, e := range s.endpoints() {
		e.start()
	}
	return s, nil
}

func withDefaults(o Options) Options {
	if len(o.Audiences) == 0 {
		o.Audiences = []string{DefaultAudience}
	}
	if o.Provider == "" {
		o.Provider = DefaultProvider
	}
	if o.TokenLife == 0 {
		o.TokenLife = DefaultTokenLife
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Fault == nil {
		o.Fault = func(Call) *Fault { return nil }
	}
	return o
}

// IssuerURL is where the discovery document and the keys are.
func (s *Sandbox) IssuerURL() string { return s.issuer.url() }

// Issuer is the iss claim of the tokens.
func (s *Sandbox) Issuer() string { return s.opts.Issuer }

// STSURL is the endpoint for AssumeRoleWithWebIdentity and GetCallerIdentity.
func (s *Sandbox) STSURL() string { return s.sts.url() }

// StoreURL is the object store; an object is at StoreURL()/bucket/key.
func (s *Sandbox) StoreURL() string { return s.store.url() }

// Close ends the servers and every open connection. It may be called twice.
func (s *Sandbox) Close() error {
	var errs []error
	for _, e := range s.endpoints() {
		errs = append(errs, e.close())
	}
	return errors.Join(errs...)
}

func (s *Sandbox) endpoints() []*endpoint {
	var list []*endpoint
	for _, e := range []*endpoint{s.issuer, s.sts, s.store} {
		if e != nil {
			list = append(list, e)
		}
	}
	return list
}

// Limits of the servers.
const (
	readTimeout    = 10 * time.Second
	writeTimeout   = 60 * time.Second // a fault may hold a reply that long
	maxHeaderBytes = 64 << 10
	maxFormBytes   = 64 << 10 // an STS form: a token of 20,000 characters and a policy
)

// An endpoint is one server and its listener.
type endpoint struct {
	name     Endpoint
	listener net.Listener
	server   *http.Server
	cancel   context.CancelFunc
	done     chan struct{} // closed when Serve has returned; nil before start
}

// A handler answers one request. It fills in what the log should say.
type handler func(w http.ResponseWriter, r *http.Request, note *entry)

func (s *Sandbox) listen(name Endpoint, h handler) (*endpoint, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("sandbox: cannot listen on loopback: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	e := &endpoint{name: name, listener: l, cancel: cancel}
	e.server = &http.Server{
		Handler:           s.wrap(e, h),
		ReadHeaderTimeout: readTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		MaxHeaderBytes: maxHeaderBytes,
		ErrorLog:       log.New(io.Discard, "", 0),
		BaseContext:    func(net.Listener) context.Context { return ctx },
	}
	return e, nil
}

func (e *endpoint) start() {
	e.done = make(chan struct{})
	go func() {
		defer close(e.done)
		_ = e.server.Serve(e.listener) // it returns ErrServerClosed
	}()
}

func (e *endpoint) url() string {
	return (&url.URL{Scheme: "http", Host: e.listener.Addr().String()}).String()
}

func (e *endpoint) close() error {
	e.cancel()
	if e.done == nil {
		return e.listener.Close()
	}
	err := e.server.Close()
	<-e.done
	return err
}

// wrap is what every request passes: the host check, the fault hook, the log line.
func (s *Sandbox) wrap(e *endpoint, h handler) http.Handler {
	host := e.listener.Addr().String()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note := &entry{endpoint: e.name, request: newID()}
		reply := &recorder{ResponseWriter: w}
		// Clients reckon with the server's clock.
		reply.Header().Set("Date", s.opts.Now().UTC().Format(http.TimeFormat))
		reply.Header().Set("Cache-Control", "no-store")
		defer func() { s.log(r, reply, note) }()
		// A page in a browser reaches loopback under a name of its own.
		if !strings.EqualFold(r.Host, host) {
			note.code = "WrongHost"
			http.Error(reply, "this host is not served here", http.StatusMisdirectedRequest)
			return
		}
		fault := s.opts.Fault(s.call(e.name, r))
		if fault != nil && fault.answer(reply, r, note) {
			return
		}
		note.fault = fault
		h(reply, r, note)
	})
}

// call counts the requests of an endpoint.
func (s *Sandbox) call(name Endpoint, r *http.Request) Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[name]++
	return Call{Endpoint: name, Method: r.Method, Path: r.URL.Path, N: s.calls[name]}
}
