package github

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stint-dev/stint/workflows"
)

// A roundTrip is a network in one function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A network that is dead is asked a few times, and then no more.
func TestDeadNetworkIsLeftAlone(t *testing.T) {
	var asked atomic.Int32
	c := &Client{Token: canary, Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		asked.Add(1)
		return nil, errors.New("dial tcp 192.0.2.1:443: " + canary)
	})}
	for i := range 20 {
		_, err := c.Refs(t.Context(), "acme", fmt.Sprint("tool", i))
		if err == nil || strings.Contains(err.Error(), canary) || errors.Is(err, workflows.ErrNotFound) {
			t.Errorf("question %d: %v", i, err)
		}
		if i >= deadAfter && !errors.Is(err, ErrNoNetwork) {
			t.Errorf("question %d: %v", i, err)
		}
	}
	if _, err := c.Advisories(t.Context()); !errors.Is(err, ErrNoNetwork) {
		t.Errorf("the API: %v", err)
	}
	if n := asked.Load(); n != deadAfter {
		t.Errorf("asked %d times", n)
	}
}

// One repository that fails, also again and again, does not make the network dead.
func TestFailingRepositoriesFailAlone(t *testing.T) {
	s := newStandIn(t)
	c := s.client()
	c.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		if strings.HasPrefix(r.URL.Path, "/bad/") {
			return nil, errors.New("connection reset")
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	for i := range 2 * deadAfter {
		if _, err := c.Refs(t.Context(), "bad", fmt.Sprint("tool", i)); err == nil {
			t.Error("a failing repository answers")
		}
		if _, err := c.Contains(t.Context(), "acme", "tool", fmt.Sprintf("%040x", i+1)); err != nil {
			t.Errorf("after %d failures: %v", i+1, err)
		}
	}
}

// A server that accepts and says nothing costs AskTimeout; the clock is virtual.
func TestSilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}
		start := time.Now()
		if _, err := c.Refs(t.Context(), "acme", "tool"); err == nil {
			t.Error("silence is an answer")
		}
		if took := time.Since(start); took != AskTimeout {
			t.Errorf("it took %v", took)
		}
	})
}

// Questions are bounded in number, and each is asked once whoever else wants it.
func TestManyAtOnce(t *testing.T) {
	var asked, now, most atomic.Int32
	var once sync.Once
	full := make(chan struct{})
	c := &Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		asked.Add(1)
		n := now.Add(1)
		defer now.Add(-1)
		if most.Store(max(most.Load(), n)); n == MaxQuestions {
			once.Do(func() { close(full) })
		}
		<-full
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("0000"))}, nil
	})}
	var wg sync.WaitGroup
	for i := range 40 {
		for range 3 {
			wg.Go(func() {
				if _, err := c.Refs(context.Background(), "acme", fmt.Sprint("tool", i)); err != nil {
					t.Errorf("tool%d: %v", i, err)
				}
			})
		}
	}
	wg.Wait()
	if asked.Load() != 40 || most.Load() > MaxQuestions {
		t.Errorf("asked %d times, %d at once", asked.Load(), most.Load())
	}
}

// A repository or an environment may be called graphql.
func TestOnlyAQueryIsOne(t *testing.T) {
	for _, c := range []struct {
		method, url string
		want        bool
	}{
		{http.MethodPost, "https://api.github.com/graphql", true},
		{http.MethodPost, "https://ghe.example/api/graphql", true},
		{http.MethodGet, "https://api.github.com/repos/acme/graphql", false},
		{http.MethodGet, "https://api.github.com/repos/acme/site/environments/graphql", false},
		{http.MethodPost, "https://api.github.com/repos/acme/site/pulls/1/reviews", false},
	} {
		req, err := http.NewRequest(c.method, c.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if isQuery(req) != c.want {
			t.Errorf("%s %s: %v", c.method, c.url, !c.want)
		}
	}
}
