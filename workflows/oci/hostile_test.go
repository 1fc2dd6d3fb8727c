package oci

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// manifestWith answers every question with a manifest that has these headers and this body.
func manifestWith(kind, digest, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", kind)
		if digest != "" {
			w.Header().Set("Docker-Content-Digest", digest)
		}
		fmt.Fprint(w, body)
		return true
	}
}

// Where HEAD does not name the digest it is made of the body, which the registry cannot
// contradict.
func TestDigestOfBody(t *testing.T) {
	const body = `{"schemaVersion":2}` + private
	long := strings.Repeat("x", maxManifestBytes)
	for name, test := range map[string]struct {
		instead func(http.ResponseWriter, *http.Request) bool
		want    string // digest, or part of the error
	}{
		"no header":    {manifestWith(index, "", body), digestOf(body)},
		"longest":      {manifestWith(index, "", long), digestOf(long)},
		"too long":     {manifestWith(index, "", long+"x"), "longer than"},
		"a page":       {manifestWith("text/html", "", body), "no manifest"},
		"a page named": {manifestWith("text/html", digestOf(body), body), "no manifest"},
		"first schema": {manifestWith("application/vnd.docker.distribution.manifest.v1+prettyjws", digestOf(body), body), "no manifest"},
		"sha512":       {manifestWith(index, "sha512:"+strings.Repeat("a", 128), body), "no sha256 digest"},
		"short":        {manifestWith(index, "sha256:abc", body), "no sha256 digest"},
		"upper case":   {manifestWith(index, "sha256:"+strings.Repeat("A", 64), body), "no sha256 digest"},
		"and more":     {manifestWith(index, digestOf(body)+" # x", body), "no sha256 digest"},
		"no HEAD": {func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodHead {
				w.WriteHeader(http.StatusMethodNotAllowed)
				return true
			}
			return manifestWith(index, digestOf(body), body)(w, r)
		}, digestOf(body)},
		"another's": {func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodHead {
				return manifestWith(index, "", "")(w, r)
			}
			return manifestWith(index, digestOf("another"), body)(w, r)
		}, "not the one of the digest"},
		"cut off": {func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodGet {
				w.Header().Set("Content-Length", "1000")
			}
			return manifestWith(index, "", body)(w, r)
		}, "cut off"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRegistry(t)
			r.instead = test.instead
			got, err := ask(t, t.Context(), client(t, r), r.host()+"/tool:1")
			if strings.HasPrefix(test.want, "sha256:") {
				if got != test.want || err != nil {
					t.Errorf("got %s, %v, want %s", got, err, test.want)
				}
			} else if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %s, %v, want an error with %q", got, err, test.want)
			}
		})
	}
}

// A registry may send the question on, over https and to public addresses.
func TestRedirects(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("http was asked") }))
	defer plain.Close()
	for _, test := range []struct{ to, want string }{
		{plain.URL + "/v2/tool/manifests/1", "no https address"},
		{"//user:word@registry.example/x", "no https address"},
		{"https:///x", "no https address"},
		{"file:///etc/passwd", "no https address"},
		{"https://10.0.0.1/x", "not a public one"},
		{"https://169.254.169.254/latest/meta-data", "not a public one"},
		{"https://[::1]:9/x", "not a public one"},
		{"https://[::ffff:10.0.0.1]:9/x", "not a public one"},
		{"/v2/tool/manifests/1", "in circles"},
	} {
		r := newRegistry(t)
		r.instead = func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Location", test.to)
			w.WriteHeader(http.StatusTemporaryRedirect)
			return true
		}
		if _, err := ask(t, t.Context(), client(t, r), r.host()+"/tool:1"); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("to %s: %v, want %q", test.to, err, test.want)
		}
		if n := len(r.asked()); n > maxRequests {
			t.Errorf("to %s: %d requests", test.to, n)
		}
	}
}

// A token is for the registry that wanted it: another one, to which the question is sent
// on, makes its own. The stand-in complains of a token that it did not make.
func TestTokenStaysWithItsRegistry(t *testing.T) {
	first, second := newRegistry(t), newRegistry(t)
	want := second.put("tool:1")
	first.instead = func(w http.ResponseWriter, req *http.Request) bool {
		if req.URL.Path == "/token" || req.Header.Get("Authorization") == "" {
			return false
		}
		http.Redirect(w, req, second.URL+req.URL.Path, http.StatusTemporaryRedirect)
		return true
	}
	if got, err := ask(t, t.Context(), client(t, first), first.host()+"/tool:1"); got != want || err != nil {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	if len(second.tokens) != 1 {
		t.Errorf("the second registry made %d tokens", len(second.tokens))
	}
}

// Tokens may come from another host than the registry, under the same conditions.
func TestRealms(t *testing.T) {
	r, other := newRegistry(t), newRegistry(t)
	want := r.put("tool:1")
	r.realm = other.URL + "/token?kept=yes"
	other.instead = func(w http.ResponseWriter, req *http.Request) bool {
		if req.URL.Query().Get("kept") != "yes" || req.Method != http.MethodGet {
			t.Errorf("the token is asked for with %s %s", req.Method, req.URL)
		}
		r.giveToken(w, req)
		return true
	}
	if got, err := ask(t, t.Context(), client(t, r), r.host()+"/tool:1"); got != want || err != nil {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	for realm, want := range map[string]string{
		"http://" + other.host() + "/token":            "no place to get a token",
		"https://user:word@" + other.host() + "/token": "no place to get a token",
		"token":                      "no place to get a token",
		"https://192.168.1.1/token":  "not a public one",
		"https://100.100.100.200/t":  "not a public one",
		"https://[fd00:ec2::254]/t":  "not a public one",
		"https://[64:ff9b::a00:1]/t": "not a public one",
	} {
		r := newRegistry(t)
		r.realm = realm
		if _, err := ask(t, t.Context(), client(t, r), r.host()+"/tool:1"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("realm %s: %v, want %q", realm, err, want)
		}
	}
}

func TestTokenAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		status     int
		body, want string
	}{
		"no json":        {http.StatusOK, private, "holds no token"},
		"empty":          {http.StatusOK, `{"token":""}`, "holds no token"},
		"a line break":   {http.StatusOK, `{"token":"a\r\nX: y"}`, "could be sent"},
		"too long":       {http.StatusOK, `{"token":"` + strings.Repeat("a", maxTokenBytes) + `"}`, "longer than"},
		"for none":       {http.StatusUnauthorized, private, "wants a login"},
		"out of order":   {http.StatusServiceUnavailable, private, "status 503"},
		"no good":        {http.StatusOK, `{"access_token":"invented"}`, "wants a login"},
		"somewhere else": {http.StatusFound, "", "for a token round in circles"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRegistry(t)
			r.instead = func(w http.ResponseWriter, req *http.Request) bool {
				if req.URL.Path != "/token" {
					w.Header().Set("WWW-Authenticate", `Bearer realm="`+r.URL+`/token"`)
					http.Error(w, private, http.StatusUnauthorized)
					return true
				}
				w.Header().Set("Location", "/token")
				w.WriteHeader(test.status)
				fmt.Fprint(w, test.body)
				return true
			}
			if _, err := ask(t, t.Context(), client(t, r), r.host()+"/tool:1"); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestBasicLoginIsNone(t *testing.T) {
	r := newRegistry(t)
	r.instead = func(w http.ResponseWriter, req *http.Request) bool {
		if req.Header.Get("Authorization") != "" {
			t.Errorf("it sent %q", req.Header.Get("Authorization"))
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="`+r.URL+`"`)
		http.Error(w, private, http.StatusUnauthorized)
		return true
	}
	if _, err := ask(t, t.Context(), client(t, r), r.host()+"/tool:1"); err == nil || !strings.Contains(err.Error(), "wants a login") {
		t.Error(err)
	}
}

// The client that users get reaches no address of the machine or of its network, whether
// the image has the address or a name that leads to it.
func TestOnlyPublicAddresses(t *testing.T) {
	r := newRegistry(t)
	r.open = true
	r.put("tool:1")
	_, port, _ := strings.Cut(r.host(), ":")
	c := &Client{}
	for _, host := range []string{r.host(), "localhost:" + port, "10.0.0.1", "169.254.169.254"} {
		if _, err := ask(t, t.Context(), c, host+"/tool:1"); err == nil || !strings.Contains(err.Error(), "not a public one") {
			t.Errorf("%s: %v", host, err)
		}
	}
	if got := r.asked(); len(got) > 0 {
		t.Errorf("the stand-in was asked %q", got)
	}
}

// Nor does a proxy of the environment see the question.
func TestNoProxy(t *testing.T) {
	if newTransport(public).Proxy != nil {
		t.Error("the transport takes a proxy")
	}
}

func TestPublic(t *testing.T) {
	for text, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "::ffff:8.8.8.8": true,
		"127.0.0.1": false, "::1": false, "0.0.0.0": false, "::": false, "0.1.2.3": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.0.1": false,
		"169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd00:ec2::254": false, "100.64.0.1": false,
		"100.100.100.200": false, "168.63.129.16": false, "192.0.0.192": false, "198.18.0.1": false, "224.0.0.1": false, "ff02::1": false, "240.0.0.1": false,
		"255.255.255.255": false, "::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "::127.0.0.1": false, "64:ff9b::7f00:1": false,
		"2002:7f00:1::": false, "2001:0:1::": false, "2001:db8::1%eth0": false, "fec0::1": false,
	} {
		if got := public(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: public is %t, want %t", text, got, want)
		}
	}
	if public(netip.Addr{}) {
		t.Error("no address is public")
	}
}
