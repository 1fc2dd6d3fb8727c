package spiffe

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spiffe/go-spiffe/v2/proto/spiffe/workload"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/stint-dev/stint/oidc"
)

const (
	subject = "spiffe://example.org/ci/release"
	canary  = "canary-text"
)

// An agent is a Workload API on a socket of its own. It gives SVIDs of its shape, which
// it does not sign: nobody here verifies them.
type agent struct {
	workload.UnimplementedSpiffeWorkloadAPIServer
	mu     sync.Mutex
	asked  []*workload.JWTSVIDRequest
	fails  []error
	change map[string]any
	silent bool
}

func (a *agent) FetchJWTSVID(ctx context.Context, r *workload.JWTSVIDRequest) (*workload.JWTSVIDResponse, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if md, _ := metadata.FromIncomingContext(ctx); len(md.Get("workload.spiffe.io")) != 1 {
		return nil, status.Error(codes.InvalidArgument, "no security header")
	}
	a.asked = append(a.asked, r)
	if a.silent {
		return &workload.JWTSVIDResponse{}, nil
	}
	if len(a.fails) > 0 {
		err := a.fails[0]
		a.fails = a.fails[1:]
		return nil, err
	}
	claims := map[string]any{"iss": "https://spire.example.org", "sub": subject, "aud": r.Audience, "exp": time.Now().Add(5 * time.Minute).Unix()}
	for k, v := range a.change {
		claims[k] = v
		if v == nil {
			delete(claims, k)
		}
	}
	b, _ := json.Marshal(claims)
	part := base64.RawURLEncoding.EncodeToString
	svid := part([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + part(b) + "." + part([]byte(canary))
	return &workload.JWTSVIDResponse{Svids: []*workload.JWTSVID{{SpiffeId: subject, Svid: svid}}}, nil
}

// serve opens the socket and returns a source at it whose waits take no time.
func serve(t *testing.T, a *agent) *Source {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Skip("no unix sockets here:", err)
	}
	s := grpc.NewServer()
	workload.RegisterSpiffeWorkloadAPIServer(s, a)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return &Source{Socket: "unix://" + path, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
}

func TestTokenIsForTheAudience(t *testing.T) {
	a := &agent{}
	s := serve(t, a)
	s.Subject = subject
	tok, err := s.Token(t.Context(), "vault.example")
	if err != nil {
		t.Fatal(err)
	}
	if tok.Claims.Subject != subject || tok.Claims.Issuer != "https://spire.example.org" || tok.Claims.Audience[0] != "vault.example" {
		t.Errorf("claims %v", tok.Claims)
	}
	if r := a.asked[0]; r.SpiffeId != subject || len(r.Audience) != 1 || r.Audience[0] != "vault.example" {
		t.Errorf("asked %v", r)
	}
	if text := fmt.Sprintf("%v %+v", tok, tok); strings.Contains(text, base64.RawURLEncoding.EncodeToString([]byte(canary))) {
		t.Error("a printed token shows itself")
	}
	if s.Name() != "spiffe" {
		t.Error(s.Name())
	}
}

func TestFailuresAreNamed(t *testing.T) {
	gone := status.Error(codes.Unavailable, canary)
	rows := map[string]struct {
		agent *agent
		want  string
		calls int
	}{
		"no identity":    {&agent{fails: []error{status.Error(codes.PermissionDenied, canary)}}, "no identity", 1},
		"starting anew":  {&agent{fails: []error{gone, gone}}, "", 3},
		"gone":           {&agent{fails: []error{gone, gone, gone}}, "nothing answers", 3},
		"slow":           {&agent{fails: []error{status.Error(codes.DeadlineExceeded, canary)}}, "in time", 1},
		"argument":       {&agent{fails: []error{status.Error(codes.InvalidArgument, canary)}}, "did not take", 1},
		"not an api":     {&agent{fails: []error{status.Error(codes.Unimplemented, canary)}}, "not a workload api", 1},
		"other":          {&agent{fails: []error{status.Error(codes.Internal, canary)}}, "gave no JWT-SVID", 1},
		"nothing":        {&agent{silent: true}, "gave no JWT-SVID", 1},
		"no issuer":      {&agent{change: map[string]any{"iss": nil}}, "no iss claim", 1},
		"other audience": {&agent{change: map[string]any{"aud": []string{"vault.example", "other.example"}}}, "audience", 1},
		"other subject":  {&agent{change: map[string]any{"sub": "spiffe://example.org/other"}}, "another subject", 1},
		"no spiffe id":   {&agent{change: map[string]any{"sub": canary}}, "gave no JWT-SVID", 1},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			s := serve(t, row.agent)
			s.Subject = subject
			_, err := s.Token(t.Context(), "vault.example")
			if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) || len(row.agent.asked) != row.calls {
				t.Fatalf("%d calls, %v", len(row.agent.asked), err)
			}
			var e *oidc.Error
			if err != nil && (!errors.As(err, &e) || e.Stage != oidc.StageToken || e.Hint == "" || strings.Contains(e.Message+e.Hint, canary)) {
				t.Errorf("error %+v", err)
			}
		})
	}
}

func TestExpiryIsByTheClockGiven(t *testing.T) {
	s := serve(t, &agent{})
	s.Now = func() time.Time { return time.Now().Add(10 * time.Minute) }
	if _, err := s.Token(t.Context(), "vault.example"); err == nil || !strings.Contains(err.Error(), "expired at") {
		t.Errorf("%v", err)
	}
}

func TestAddressesAndArguments(t *testing.T) {
	for _, s := range []*Source{
		{Socket: ""}, {Socket: "http://127.0.0.1:1"}, {Socket: "unix:relative"}, {Socket: "tcp://192.0.2.1:8081"}, {Socket: "tcp://localhost:1"},
		{Socket: "tcp://127.0.0.1:1", Subject: "repo:acme/site"},
	} {
		_, err := s.Token(t.Context(), "vault.example")
		var e *oidc.Error
		if !errors.As(err, &e) || e.Hint == "" {
			t.Errorf("%+v: %v", s, err)
		}
	}
	if _, err := (&Source{Socket: "tcp://127.0.0.1:1"}).Token(t.Context(), ""); err == nil {
		t.Error("no audience, and no error")
	}
	s := &Source{Socket: "unix://" + filepath.Join(t.TempDir(), "none"), Sleep: func(context.Context, time.Duration) error { return nil }}
	if _, err := s.Token(t.Context(), "x"); err == nil || !strings.Contains(err.Error(), "nothing answers") {
		t.Errorf("no socket: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Token(ctx, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}
