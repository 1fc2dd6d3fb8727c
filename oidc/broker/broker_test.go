package broker

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc"
)

const canary = "canary-secret-0123456789"

func listen(t *testing.T) *Broker {
	t.Helper()
	b, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func endpoint(t *testing.T, b *Broker, answer string) *Endpoint {
	t.Helper()
	e, err := b.Endpoint()
	if err != nil {
		t.Fatal(err)
	}
	e.Serve(func(context.Context) (oidc.Secret, error) { return oidc.NewSecret(answer), nil })
	return e
}

// ask sends a request as change makes it, and returns the status and the body.
func ask(t *testing.T, e *Endpoint, change func(*http.Request)) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", e.Bearer.Reveal())
	if change != nil {
		change(req)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !resp.Close {
		t.Error("the connection is kept")
	}
	return resp.StatusCode, string(body)
}

func TestAnswersItsOwnBearerAlone(t *testing.T) {
	b := listen(t)
	one, two := endpoint(t, b, canary+"-one"), endpoint(t, b, canary+"-two")
	if one.URL == two.URL || one.Bearer.Reveal() == two.Bearer.Reveal() || len(one.Bearer.Reveal()) != 64 || !strings.HasPrefix(one.URL, "http://127.0.0.1:") {
		t.Fatalf("%s %s", one.URL, two.URL)
	}
	for e, want := range map[*Endpoint]string{one: canary + "-one", two: canary + "-two"} {
		for _, word := range []string{"", "Bearer ", "bearer "} {
			status, body := ask(t, e, func(r *http.Request) { r.Header.Set("Authorization", word+e.Bearer.Reveal()) })
			if status != http.StatusOK || body != want {
				t.Errorf("%q: %d %s", word, status, body)
			}
		}
	}
	if status, body := ask(t, one, func(r *http.Request) { r.Header.Set("Authorization", two.Bearer.Reveal()) }); status != http.StatusForbidden || strings.Contains(body, canary) {
		t.Errorf("the other's bearer: %d %s", status, body)
	}
	if answered, refused := b.Counts(); answered != 6 || refused != 1 {
		t.Errorf("%d answered, %d refused", answered, refused)
	}
}

func TestRefuses(t *testing.T) {
	b := listen(t)
	e := endpoint(t, b, canary)
	rows := map[string]struct {
		change func(*http.Request)
		status int
	}{
		"no bearer":      {func(r *http.Request) { r.Header.Del("Authorization") }, http.StatusForbidden},
		"empty bearer":   {func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") }, http.StatusForbidden},
		"prefix":         {func(r *http.Request) { r.Header.Set("Authorization", e.Bearer.Reveal()[:63]) }, http.StatusForbidden},
		"longer":         {func(r *http.Request) { r.Header.Set("Authorization", e.Bearer.Reveal()+"0") }, http.StatusForbidden},
		"two bearers":    {func(r *http.Request) { r.Header.Add("Authorization", e.Bearer.Reveal()) }, http.StatusForbidden},
		"another path":   {func(r *http.Request) { r.URL.Path = "/" }, http.StatusForbidden},
		"below the path": {func(r *http.Request) { r.URL.Path += "/x" }, http.StatusForbidden},
		"rebound name":   {func(r *http.Request) { r.Host = "evil.example" }, http.StatusMisdirectedRequest},
		"localhost":      {func(r *http.Request) { r.Host = strings.Replace(b.host, "127.0.0.1", "localhost", 1) }, http.StatusMisdirectedRequest},
		"another port":   {func(r *http.Request) { r.Host = "127.0.0.1:1" }, http.StatusMisdirectedRequest},
		"POST":           {func(r *http.Request) { r.Method = http.MethodPost }, http.StatusMethodNotAllowed},
		"HEAD":           {func(r *http.Request) { r.Method = http.MethodHead }, http.StatusMethodNotAllowed},
		"OPTIONS":        {func(r *http.Request) { r.Method = http.MethodOptions }, http.StatusMethodNotAllowed},
		"a body":         {func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(strings.NewReader("x")), 1 }, http.StatusBadRequest},
		"a query":        {func(r *http.Request) { r.URL.RawQuery = "x=1" }, http.StatusBadRequest},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			status, body := ask(t, e, row.change)
			if status != row.status || strings.Contains(body, canary) || strings.Contains(body, e.Bearer.Reveal()) {
				t.Errorf("%d %s", status, body)
			}
		})
	}
	if answered, refused := b.Counts(); answered != 0 || refused != int64(len(rows)) {
		t.Errorf("%d answered, %d of %d refused", answered, refused, len(rows))
	}
}

// What is asked as of a proxy names another server, whatever its host is.
func TestNoProxy(t *testing.T) {
	b := listen(t)
	e := endpoint(t, b, canary)
	conn, err := net.Dial("tcp", b.host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: %s\r\n\r\n", e.URL, b.host, e.Bearer.Reveal())
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != http.StatusBadRequest {
		t.Errorf("%v %v", resp, err)
	}
}

func TestNothingIsAnsweredBeforeServeAndAfterClose(t *testing.T) {
	b, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	e, err := b.Endpoint()
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := ask(t, e, nil); status != http.StatusServiceUnavailable {
		t.Errorf("before: %d", status)
	}
	inside, release := make(chan struct{}), make(chan struct{})
	e.Serve(func(context.Context) (oidc.Secret, error) {
		close(inside)
		<-release
		return oidc.NewSecret(canary), nil
	})
	type reply struct {
		status int
		body   string
	}
	replies := make(chan reply)
	go func() {
		status, body := ask(t, e, nil)
		replies <- reply{status, body}
	}()
	<-inside
	closed := make(chan struct{})
	go func() { b.Close(); close(closed) }()
	for !b.isClosed() { // the answer under way must see it
	}
	close(release)
	if r := <-replies; r.status != http.StatusServiceUnavailable || strings.Contains(r.body, canary) {
		t.Errorf("under way: %d %s", r.status, r.body)
	}
	<-closed
	if _, err := http.Get(e.URL); err == nil {
		t.Error("it still listens")
	}
}

// An error reaches the tools by its first line, and never with its cause.
func TestErrorsAreShort(t *testing.T) {
	b := listen(t)
	e := endpoint(t, b, "")
	for err, want := range map[error]string{
		&oidc.Error{Message: "the credential ended", Err: fmt.Errorf("cause %s", canary)}: "stint: the credential ended",
		fmt.Errorf("raw %s", canary): "stint: there is no answer",
	} {
		e.Serve(func(context.Context) (oidc.Secret, error) { return oidc.NewSecret(canary), err })
		status, body := ask(t, e, nil)
		if status != http.StatusServiceUnavailable || !strings.Contains(body, want) || strings.Contains(body, canary) {
			t.Errorf("%d %s", status, body)
		}
	}
}

func TestAtMostSoManyAtOnce(t *testing.T) {
	b := listen(t)
	e := endpoint(t, b, "")
	inside, release := make(chan struct{}, maxAtOnce), make(chan struct{})
	e.Serve(func(context.Context) (oidc.Secret, error) {
		inside <- struct{}{}
		<-release
		return oidc.NewSecret("x"), nil
	})
	done := make(chan int, maxAtOnce)
	for range maxAtOnce {
		go func() { status, _ := ask(t, e, nil); done <- status }()
	}
	for range maxAtOnce {
		<-inside
	}
	if status, _ := ask(t, e, nil); status != http.StatusServiceUnavailable {
		t.Errorf("one more: %d", status)
	}
	close(release)
	for range maxAtOnce {
		if status := <-done; status != http.StatusOK {
			t.Errorf("status %d", status)
		}
	}
}
