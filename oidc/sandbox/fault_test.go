package sandbox_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/sandbox"
)

// faultAt spoils the n-th request of an endpoint.
func faultAt(e sandbox.Endpoint, n int, f *sandbox.Fault) func(sandbox.Call) *sandbox.Fault {
	return func(c sandbox.Call) *sandbox.Fault {
		if c.Endpoint == e && c.N == n {
			return f
		}
		return nil
	}
}

func TestFaultAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault sandbox.Fault
		check func(t *testing.T, resp *http.Response, body string)
	}{
		{"status", sandbox.Fault{Status: 503, RetryAfter: "7"}, func(t *testing.T, resp *http.Response, body string) {
			if resp.StatusCode != 503 || resp.Header.Get("Retry-After") != "7" || body != "" {
				t.Errorf("%d %v %q", resp.StatusCode, resp.Header, body)
			}
		}},
		{"code", sandbox.Fault{Code: "IDPCommunicationError"}, func(t *testing.T, resp *http.Response, body string) {
			if resp.StatusCode != 400 || errorCode(body) != "IDPCommunicationError" || !strings.Contains(body, "<Type>Sender<") {
				t.Errorf("%d %q", resp.StatusCode, body)
			}
		}},
		{"code with status", sandbox.Fault{Code: "Throttling", Status: 500}, func(t *testing.T, resp *http.Response, body string) {
			if resp.StatusCode != 500 || errorCode(body) != "Throttling" || !strings.Contains(body, "<Type>Receiver<") {
				t.Errorf("%d %q", resp.StatusCode, body)
			}
		}},
		{"redirect", sandbox.Fault{Redirect: "https://evil.example/"}, func(t *testing.T, resp *http.Response, _ string) {
			if resp.StatusCode != 307 || resp.Header.Get("Location") != "https://evil.example/" {
				t.Errorf("%d %v", resp.StatusCode, resp.Header)
			}
		}},
		{"bytes", sandbox.Fault{Bytes: 100_001}, func(t *testing.T, resp *http.Response, body string) {
			if resp.StatusCode != 200 || len(body) != 100_001 || strings.TrimSpace(body) != "" {
				t.Errorf("%d, %d bytes", resp.StatusCode, len(body))
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, _ := start(t, sandbox.Options{Roles: []sandbox.Role{shipRole()}, Fault: faultAt(sandbox.EndpointSTS, 1, &tt.fault)})
			resp, body := post(t, s, assumeForm(token(t, s, pushJob()), nil))
			tt.check(t, resp, body)
			if _, body := post(t, s, assumeForm(token(t, s, pushJob()), nil)); errorCode(body) != "" {
				t.Errorf("the next request: %s", body)
			}
		})
	}
}

func TestFaultDrop(t *testing.T) {
	t.Parallel()
	s, _ := start(t, sandbox.Options{Fault: func(sandbox.Call) *sandbox.Fault { return &sandbox.Fault{Drop: true} }})
	resp, err := client.Do(newRequest(t, http.MethodGet, s.IssuerURL()+"/.well-known/jwks", nil))
	if err == nil {
		_ = resp.Body.Close()
		t.Errorf("status %d", resp.StatusCode)
	}
}

// TestFaultHold: a held request goes on when it is let go, and ends when the
// client gives up or the sandbox closes.
func TestFaultHold(t *testing.T) {
	t.Parallel()
	hold, arrived := make(chan struct{}), make(chan struct{}, 3)
	s, _ := start(t, sandbox.Options{Fault: func(sandbox.Call) *sandbox.Fault {
		arrived <- struct{}{}
		return &sandbox.Fault{Hold: hold}
	}})
	get := func(ctx context.Context) chan error {
		done := make(chan error, 1)
		go func() {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.IssuerURL()+"/.well-known/jwks", nil)
			if err == nil {
				var resp *http.Response
				if resp, err = client.Do(r); err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
			}
			done <- err
		}()
		<-arrived
		return done
	}
	ctx, cancel := context.WithCancel(t.Context())
	given := get(ctx)
	cancel()
	if err := <-given; err == nil {
		t.Error("a client that gave up got an answer")
	}
	kept := get(t.Context())
	select {
	case err := <-kept:
		t.Errorf("the request was not held: %v", err)
	default:
	}
	close(hold)
	if err := <-kept; err != nil {
		t.Errorf("after it was let go: %v", err)
	}
}

func TestCloseEndsHeldRequests(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 1)
	s, _ := start(t, sandbox.Options{Fault: func(sandbox.Call) *sandbox.Fault {
		arrived <- struct{}{}
		return &sandbox.Fault{Hold: make(chan struct{})}
	}})
	done := make(chan error, 1)
	r := newRequest(t, http.MethodGet, s.IssuerURL(), nil)
	go func() {
		resp, err := client.Do(r)
		if err == nil {
			err = resp.Body.Close()
		}
		done <- err
	}()
	<-arrived
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-done; err == nil {
		t.Error("a held request got an answer from a closed sandbox")
	}
}

// TestFaultyTokens: the runner gives them, the STS refuses them.
func TestFaultyTokens(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault sandbox.Fault
		code  string
	}{
		{"audience", sandbox.Fault{Audience: "elsewhere"}, "InvalidIdentityToken"},
		{"expired", sandbox.Fault{Expired: time.Minute}, "ExpiredTokenException"},
		{"foreign key", sandbox.Fault{ForeignKey: true}, "InvalidIdentityToken"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, c := start(t, sandbox.Options{Roles: []sandbox.Role{shipRole()}, Fault: faultAt(sandbox.EndpointIssuer, 1, &tt.fault)})
			env, err := s.Env(pushJob())
			if err != nil {
				t.Fatal(err)
			}
			var replies []string
			for range 2 {
				r := newRequest(t, http.MethodGet, env["ACTIONS_ID_TOKEN_REQUEST_URL"]+"&audience=sts.amazonaws.com", nil)
				r.Header.Set("Authorization", "Bearer "+env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"])
				_, body := do(t, r)
				_, rest, _ := strings.Cut(body, `"value":"`)
				raw, _, _ := strings.Cut(rest, `"`)
				if parsed, err := oidc.ParseToken(raw); err != nil || tt.fault.Expired > 0 && len(replies) == 0 && parsed.Expires().After(c.Now()) {
					t.Fatalf("token: %v", err)
				}
				replies = append(replies, raw)
			}
			if _, body := post(t, s, assumeForm(replies[0], nil)); errorCode(body) != tt.code {
				t.Errorf("code %q, want %q", errorCode(body), tt.code)
			}
			if _, body := post(t, s, assumeForm(replies[1], nil)); errorCode(body) != "" {
				t.Errorf("the second token: %s", body)
			}
		})
	}
}

// TestLog: one line a request, with what happened and no secret.
func TestLog(t *testing.T) {
	t.Parallel()
	var buffer logBuffer
	s, c := start(t, sandbox.Options{Roles: []sandbox.Role{shipRole()}, Log: buffer.logger()})
	env, err := s.Env(pushJob())
	if err != nil {
		t.Fatal(err)
	}
	r := newRequest(t, http.MethodGet, env["ACTIONS_ID_TOKEN_REQUEST_URL"], nil)
	r.Header.Set("Authorization", "Bearer "+env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"])
	_, reply := do(t, r)
	raw := token(t, s, pushJob())
	keys := assume(t, s, nil)
	pull := pushJob()
	pull.Event = "pull_request"
	post(t, s, assumeForm(token(t, s, pull), nil))
	post(t, s, assumeForm(raw, map[string]string{"RoleSessionName": "a\x1b[2Jb\n"}))
	do(t, signed(t, keys, c.Now(), "PUT", s.StoreURL()+"/press/x", "the body"))

	text := buffer.String()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	want := []string{
		`endpoint=issuer method=GET status=200 request=* action=token claims=sha256:*`,
		`endpoint=sts method=POST status=200 request=* action=AssumeRoleWithWebIdentity role=` + roleARN + ` session=stint-1-1 claims=sha256:* why="allowed by statement 1"`,
		`endpoint=sts method=POST status=403 request=* action=AssumeRoleWithWebIdentity code=AccessDenied role=` + roleARN + ` session=stint-1-1 claims=sha256:* why="no statement allows it: *repo:birch/press:pull_request*"`,
		`endpoint=sts method=POST status=400 request=* action=AssumeRoleWithWebIdentity code=ValidationError`,
		`endpoint=store method=PUT status=200 request=* action=s3:PutObject role=` + roleARN + ` session=stint-1-1 why="role: allowed by statement 1"`,
	}
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want), text)
	}
	for i, line := range lines {
		if !fits(line, "level=INFO msg=request "+want[i]) {
			t.Errorf("line %d\n%s\nwant\n%s", i+1, line, want[i])
		}
	}
	for name, secret := range map[string]string{
		"bearer": env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"], "token": raw, "signature": raw[strings.LastIndex(raw, ".")+1:],
		"secret key": keys.SecretAccessKey, "session token": keys.SessionToken, "body": "the body", "escape": "\x1b",
		"first token": reply[strings.Index(reply, "eyJ") : len(reply)-3],
	} {
		if strings.Contains(text, secret) {
			t.Errorf("the %s is in the log", name)
		}
	}
}

// fits compares with "*" for any text.
func fits(line, pattern string) bool {
	parts := strings.Split(pattern, "*")
	if !strings.HasPrefix(line, parts[0]) || !strings.HasSuffix(line, parts[len(parts)-1]) {
		return false
	}
	for _, p := range parts {
		i := strings.Index(line, p)
		if i < 0 {
			return false
		}
		line = line[i+len(p):]
	}
	return true
}
