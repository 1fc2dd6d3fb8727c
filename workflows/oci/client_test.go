package oci

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stint-dev/stint/workflows"
)

func TestDigestWithAnonymousToken(t *testing.T) {
	r := newRegistry(t)
	want := r.put("team/tool:1.2")
	c := client(t, r)
	if got, err := ask(t, t.Context(), c, r.host()+"/team/tool:1.2"); got != want || err != nil {
		t.Fatalf("got %s, %v, want %s", got, err, want)
	}
	path := "/v2/team/tool/manifests/1.2"
	if got, want := r.asked(), []string{"HEAD " + path, "GET /token", "HEAD " + path}; !slices.Equal(got, want) {
		t.Errorf("it asked %q, want %q", got, want)
	}
	if _, err := ask(t, t.Context(), c, r.host()+"/team/tool"); !errors.Is(err, workflows.ErrNotFound) {
		t.Errorf("a tag that is not there: %v", err)
	}
}

// The one question is asked once, however often and in whatever spelling it comes.
func TestEachQuestionOnce(t *testing.T) {
	r := newRegistry(t)
	r.open = true
	want := r.put("team/tool:latest")
	c := client(t, r)
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			image := r.host() + "/team/tool" + []string{"", ":latest"}[i%2]
			if got, err := c.Digest(t.Context(), image); got != want || err != nil {
				t.Errorf("%s: %s, %v", image, got, err)
			}
		})
	}
	wg.Wait()
	if got := r.asked(); len(got) != 1 {
		t.Errorf("it asked %q", got)
	}
}

// Names are completed as docker completes them.
func TestHostsThatAreAsked(t *testing.T) {
	for image, want := range map[string]string{
		"node":                           hubServer + "/v2/library/node/manifests/latest",
		"node:22":                        hubServer + "/v2/library/node/manifests/22",
		"team/tool:1":                    hubServer + "/v2/team/tool/manifests/1",
		hub + "/node:22":                 hubServer + "/v2/library/node/manifests/22",
		hub + "/library/node:22":         hubServer + "/v2/library/node/manifests/22",
		hubIndex + "/team/tool":          hubServer + "/v2/team/tool/manifests/latest",
		"registry.example/tool":          "registry.example/v2/tool/manifests/latest",
		"Registry.Example:5000/a/b/c:v1": "registry.example:5000/v2/a/b/c/manifests/v1",
	} {
		var asked string
		c := &Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
			asked = strings.TrimPrefix(req.URL.String(), "https://")
			header := http.Header{"Content-Type": {listType}, "Docker-Content-Digest": {digestOf(image)}}
			return &http.Response{StatusCode: http.StatusOK, Header: header, Body: http.NoBody, Request: req}, nil
		})}
		if got, err := ask(t, t.Context(), c, image); got != digestOf(image) || err != nil || asked != want {
			t.Errorf("%s: asked %s, want %s; %v", image, asked, want, err)
		}
	}
}

// A registry that is silent or says enough is asked no more, and others are.
func TestRegistryFailsAlone(t *testing.T) {
	for _, test := range []struct {
		status int
		want   string
		again  bool
	}{
		{http.StatusTooManyRequests, "its rate limit is reached", false},
		{0, "does not answer", false},
		{http.StatusBadGateway, "status 502", true},
		{http.StatusForbidden, "wants a login", true},
	} {
		bad, good := newRegistry(t), newRegistry(t)
		good.open, bad.open = true, true
		want := good.put("tool:1")
		bad.put("b:1")
		bad.instead = func(w http.ResponseWriter, req *http.Request) bool {
			switch {
			case !strings.HasPrefix(req.URL.Path, "/v2/a/"):
				return false
			case test.status == 0:
				panic(http.ErrAbortHandler)
			}
			http.Error(w, private, test.status)
			return true
		}
		c := client(t, good)
		_, err := ask(t, t.Context(), c, bad.host()+"/a:1")
		if err == nil || !strings.Contains(err.Error(), test.want) || errors.Is(err, workflows.ErrNotFound) {
			t.Errorf("status %d: %v", test.status, err)
		}
		bad.asked()
		_, second := ask(t, t.Context(), c, bad.host()+"/b:1")
		if asked := len(bad.asked()) > 0; asked != test.again || (second == nil) != test.again {
			t.Errorf("status %d: asked again: %t, %v", test.status, asked, second)
		}
		if !test.again && fmt.Sprint(second) != fmt.Sprint(err) {
			t.Errorf("status %d: one fault is said in two ways: %q, %q", test.status, err, second)
		}
		if got, err := ask(t, t.Context(), c, good.host()+"/tool:1"); got != want || err != nil {
			t.Errorf("status %d: the other registry: %s, %v", test.status, got, err)
		}
	}
}

// A registry that never answers is given up in its time, and at once when the run ends.
func TestHangingRegistry(t *testing.T) {
	hang := roundTrip(func(req *http.Request) (*http.Response, error) {
		<-req.Context().Done()
		return nil, req.Context().Err()
	})
	synctest.Test(t, func(t *testing.T) {
		c, began := &Client{Transport: hang}, time.Now()
		for _, image := range []string{"registry.example/a", "registry.example/b"} {
			if _, err := ask(t, t.Context(), c, image); err == nil || !strings.Contains(err.Error(), "registry.example does not answer") {
				t.Errorf("%s: %v", image, err)
			}
		}
		if took := time.Since(began); took != AskTimeout {
			t.Errorf("two images of a silent registry took %s, want %s", took, AskTimeout)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		began := time.Now()
		var wg sync.WaitGroup
		c := &Client{Transport: hang}
		for i := range 2 * MaxQuestions { // half of them wait for their turn
			wg.Go(func() {
				if _, err := c.Digest(ctx, fmt.Sprintf("registry.example/a:%d", i)); !errors.Is(err, context.Canceled) {
					t.Errorf("cancelled: %v", err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(began); took != time.Second {
			t.Errorf("the end of the run took %s", took)
		}
	})
}

// A registry that answers each question just in time is asked for a while only.
func TestSlowRegistry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const pause = AskTimeout - time.Second
		asked := 0
		c := &Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
			asked++
			time.Sleep(pause)
			return &http.Response{StatusCode: http.StatusNotFound, Body: http.NoBody, Request: req}, nil
		})}
		var err error
		for i := range 100 {
			_, err = ask(t, t.Context(), c, fmt.Sprintf("registry.example/a:%d", i))
		}
		if want := int(MaxHostTime/pause) + 1; asked != want || !strings.Contains(err.Error(), "answers too slowly") {
			t.Errorf("it was asked %d times, want %d; then %v", asked, want, err)
		}
	})
}

func TestNumberOfRegistriesIsBounded(t *testing.T) {
	asked := 0
	c := &Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		asked++
		return nil, errors.New("nobody there")
	})}
	for i := range MaxHosts + 5 {
		_, err := ask(t, t.Context(), c, fmt.Sprintf("r%d.example/a", i))
		if over := i >= MaxHosts; err == nil || over != strings.Contains(err.Error(), "no others were asked") {
			t.Errorf("registry %d: %v", i, err)
		}
	}
	if asked != MaxHosts {
		t.Errorf("%d registries were asked, want %d", asked, MaxHosts)
	}
}
