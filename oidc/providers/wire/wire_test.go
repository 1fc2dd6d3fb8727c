package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
)

const canary = "canary-text"

// call sends one request to h.
func call(t *testing.T, c Caller, h http.HandlerFunc) (*Reply, error) {
	t.Helper()
	s := httptest.NewServer(h)
	defer s.Close()
	c.Options = c.Options.WithDefaults()
	r, err := http.NewRequest(http.MethodGet, s.URL+"/"+canary+"?q="+canary, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+canary)
	return c.Do(t.Context(), r)
}

func TestDoReadsAReplyOfAnyStatus(t *testing.T) {
	for _, status := range []int{200, 204, 400, 429, 500} {
		reply, err := call(t, Caller{Run: oidc.Run{ID: "1\r\n2", Attempt: "3"}}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.Header().Set("X-Agent", r.UserAgent())
			w.WriteHeader(status)
		})
		if err != nil || reply.Status != status || reply.Good() != (status < 300) || reply.RetryAfter() != 7*time.Second {
			t.Errorf("%d: %+v %v", status, reply, err)
		}
		if agent := reply.Header.Get("X-Agent"); agent != "stint/dev (run 12; attempt 3)" {
			t.Errorf("user agent %q", agent)
		}
	}
	exact, err := call(t, Caller{}, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("x", MaxReplyBytes)) })
	if err != nil || len(exact.Body) != MaxReplyBytes {
		t.Errorf("the largest reply: %v", err)
	}
}

func TestDoNamesFailuresWithoutTheirText(t *testing.T) {
	for want, row := range map[string]struct {
		h         http.HandlerFunc
		retryable bool
	}{
		"sends elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://user:"+canary+"@evil.example/"+canary, http.StatusTemporaryRedirect)
		}, false},
		"is larger": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("x", MaxReplyBytes+1)) }, false},
		"breaks off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			fmt.Fprint(w, canary[:4])
		}, true},
		"did not answer in time": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, true},
	} {
		_, err := call(t, Caller{Stage: oidc.StageEnd, Timeout: 50 * time.Millisecond}, row.h)
		var e *oidc.Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, want) || e.Retryable != row.retryable || e.Stage != oidc.StageEnd || e.Hint == "" {
			t.Errorf("%s: %+v", want, err)
		} else if strings.Contains(e.Message+e.Hint, canary) {
			t.Errorf("shows the request or the reply: %+v", e)
		}
	}
}

func TestRetryAfterIsBounded(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 0, "-1": 0, "x": 0, "1": time.Second, "999999999": time.Hour, "Wed, 21 Oct 2026 07:28:00 GMT": 0} {
		if got := (&Reply{Header: http.Header{"Retry-After": {text}}}).RetryAfter(); got != want {
			t.Errorf("%q is %s", text, got)
		}
	}
}

func TestLoopWaitsNoLongerThanItsDeadline(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	var waits []time.Duration
	opts := Options{Now: func() time.Time { return now }, Rand: func() float64 { return 0.5 },
		Sleep: func(_ context.Context, d time.Duration) error { waits, now = append(waits, d), now.Add(d); return nil }}
	busy := &oidc.Error{Message: "busy", Retryable: true}

	loop := Loop{Options: opts, Tries: 9, Deadline: now.Add(10 * time.Second)}
	var err error
	for err == nil {
		err = loop.Next(t.Context(), busy)
	}
	if now.After(loop.Deadline) || loop.Attempts() != 6 || fmt.Sprint(waits) != "[250ms 500ms 1s 2s 4s]" || !strings.Contains(err.Error(), "attempt 6") {
		t.Errorf("%d attempts, waits %v, %v", loop.Attempts(), waits, err)
	}
	for name, row := range map[string]struct {
		tries int
		err   error
	}{
		"final":       {9, &oidc.Error{Message: "no"}},
		"foreign":     {9, io.EOF},
		"tries":       {1, busy},
		"a long wait": {9, &oidc.Error{Message: "busy", Retryable: true, RetryAfter: time.Minute}},
	} {
		loop := Loop{Options: opts, Tries: row.tries, Deadline: now.Add(10 * time.Second)}
		if err := loop.Next(t.Context(), row.err); !errors.Is(err, row.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	opts.Sleep = func(context.Context, time.Duration) error { return context.Canceled }
	if err := (&Loop{Options: opts, Tries: 9, Deadline: now.Add(time.Minute)}).Next(t.Context(), busy); err == nil {
		t.Error("the caller has given up, and there is another attempt")
	}
}

func TestFinal(t *testing.T) {
	again := &oidc.Error{Message: "busy", Retryable: true}
	var e *oidc.Error
	if err := Final(again); !errors.As(err, &e) || e.Retryable || !again.Retryable || e.Message != "busy" {
		t.Errorf("%+v", err)
	}
	for _, err := range []error{io.EOF, &oidc.Error{Message: "no"}} {
		if Final(err) != err {
			t.Errorf("%v is changed", err)
		}
	}
}

func TestTextsOfTheOtherSide(t *testing.T) {
	if got := SafeText("a-b_c.1\x1b[2J/é" + strings.Repeat("x", 200)); strings.ContainsAny(got, "\x1b/é[") || len(got) > 128 {
		t.Errorf("%q", got)
	}
	for text, want := range map[string]string{"AccessDenied": "AccessDenied", "": "", "a b": "", "x\n": "", strings.Repeat("x", 65): ""} {
		if got := Code(text); got != want {
			t.Errorf("%q is %q", text, got)
		}
	}
	if IsSecretText("") || IsSecretText("a b") || IsSecretText("a\n") || IsSecretText("é") || !IsSecretText("ghs_a.b-c") {
		t.Error("secret text")
	}
	if got := Digest("x"); got != "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" {
		t.Error(got)
	}
	if got := Answer(oidc.Error{Status: 400, Code: "x", RequestID: "y"}); got != "status 400, code x, request id y" {
		t.Error(got)
	}
}

func FuzzParseEndpoint(f *testing.F) {
	for _, s := range []string{"https://a.example", "http://127.0.0.1:9000/", "http://[::1]:1", "http://a.example", "https://u@a", "https://a/b", "https://a?x", "//a", "%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseEndpoint(text)
		if err != nil {
			return
		}
		if u.Scheme != "https" && (u.Scheme != "http" || !IsLoopback(u.Hostname())) || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" {
			t.Errorf("%q is %v", text, u)
		}
		if again, err := ParseEndpoint(u.String()); err != nil || again.String() != u.String() {
			t.Errorf("%q does not read itself: %v", u, err)
		}
	})
}

func TestDefaultsAndLoopback(t *testing.T) {
	o := Options{}.WithDefaults()
	if r := o.Rand(); r < 0 || r >= 1 || o.Transport == nil || o.Now().IsZero() || o.Version == "" || o.Sleep(t.Context(), 0) != nil {
		t.Errorf("options %+v", o)
	}
	for host, want := range map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true, "localhost.evil.example": false, "10.0.0.1": false, "": false} {
		if IsLoopback(host) != want {
			t.Errorf("%q", host)
		}
	}
}
