package oci

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
)

const (
	index    = "application/vnd.oci.image.index.v1+json"
	listType = "application/vnd.docker.distribution.manifest.list.v2+json"
	// private stands in every body: no error may hold it.
	private = "text of the answer"
)

// A registry is a stand-in that speaks https on loopback. It gives a manifest only to
// whoever brings the token that it made for that repository, and takes nothing else that
// could be a credential.
type registry struct {
	*httptest.Server
	t *testing.T
	// realm is where it says that tokens are, its own /token when empty.
	realm string
	// open needs no token.
	open bool
	// instead answers before the registry does, for the faults; it reports whether it did.
	instead func(w http.ResponseWriter, r *http.Request) bool

	mu        sync.Mutex
	manifests map[string]string // by repository:tag
	tokens    map[string]string // repository by token
	requests  []string
}

func newRegistry(t *testing.T) *registry {
	t.Helper()
	r := &registry{t: t, manifests: map[string]string{}, tokens: map[string]string{}}
	r.Server = httptest.NewTLSServer(r)
	t.Cleanup(r.Close)
	return r
}

// host is the registry as the name of an image has it.
func (r *registry) host() string { return r.Listener.Addr().String() }

// put keeps an image and returns its digest.
func (r *registry) put(name string) string {
	manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"annotations":{"x":"%s %s"}}`, index, private, name)
	r.manifests[name] = manifest
	return digestOf(manifest)
}

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// asked returns the requests so far, "METHOD /path", and forgets them.
func (r *registry) asked() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.requests
	r.requests = nil
	return all
}

func (r *registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	r.requests = append(r.requests, req.Method+" "+req.URL.Path)
	r.mu.Unlock()
	for _, name := range []string{"Cookie", "Proxy-Authorization"} {
		if req.Header.Get(name) != "" {
			r.t.Errorf("%s %s came with a %s", req.Method, req.URL, name)
		}
	}
	switch {
	case r.instead != nil && r.instead(w, req):
	case req.URL.Path == "/token":
		r.giveToken(w, req)
	default:
		r.giveManifest(w, req)
	}
}

// giveToken takes whoever names the service and one repository to pull from.
func (r *registry) giveToken(w http.ResponseWriter, req *http.Request) {
	query := req.URL.Query()
	scope := strings.Split(query.Get("scope"), ":")
	if req.Header.Get("Authorization") != "" || query.Get("service") != "stand-in" || len(scope) != 3 || scope[0] != "repository" || scope[2] != "pull" {
		r.t.Errorf("a token is asked for as %s with %q", req.URL, req.Header)
		http.Error(w, private, http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	token := digestOf(fmt.Sprintf("%s %d", scope[1], len(r.tokens)))[7:]
	r.tokens[token] = scope[1]
	r.mu.Unlock()
	json.NewEncoder(w).Encode(map[string]any{"token": token, "expires_in": 60})
}

func (r *registry) giveManifest(w http.ResponseWriter, req *http.Request) {
	repository, tag, ok := strings.Cut(strings.TrimPrefix(req.URL.Path, "/v2/"), "/manifests/")
	if !ok || !strings.Contains(req.Header.Get("Accept"), index) || !strings.Contains(req.Header.Get("Accept"), listType) {
		r.t.Errorf("%s %s is no question for an index: %q", req.Method, req.URL, req.Header)
	}
	r.mu.Lock()
	manifest, known := r.manifests[repository+":"+tag]
	_, bearer, _ := strings.Cut(req.Header.Get("Authorization"), "Bearer ")
	admitted := r.open || bearer != "" && r.tokens[bearer] == repository
	r.mu.Unlock()
	switch {
	case !admitted && bearer != "":
		r.t.Errorf("%s came with a token of another registry or repository", req.URL)
		fallthrough
	case !admitted:
		realm := r.realm
		if realm == "" {
			realm = r.URL + "/token"
		}
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s",service="stand-in",scope="repository:%s:pull"`, realm, repository))
		http.Error(w, private, http.StatusUnauthorized)
	case !known:
		http.Error(w, private, http.StatusNotFound)
	default:
		w.Header().Set("Content-Type", index+"; charset=utf-8")
		w.Header().Set("Docker-Content-Digest", digestOf(manifest))
		fmt.Fprint(w, manifest)
	}
}

// loopback lets the stand-ins through, and nothing else that is not public.
func loopback(a netip.Addr) bool { return a == netip.MustParseAddr("127.0.0.1") || public(a) }

// client returns a client that trusts the certificates of the stand-ins.
func client(t *testing.T, r *registry) *Client {
	t.Helper()
	way := newTransport(loopback)
	way.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
	way.TLSClientConfig.RootCAs.AddCert(r.Certificate())
	t.Cleanup(way.CloseIdleConnections)
	return &Client{Transport: way}
}

// roundTrip is a transport made of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// ask asks and holds every error to what all errors must be.
func ask(t *testing.T, ctx context.Context, c *Client, image string) (string, error) {
	t.Helper()
	digest, err := c.Digest(ctx, image)
	if err != nil && (digest != "" || strings.Contains(err.Error(), private) || strings.ContainsAny(err.Error(), "\n\x1b")) {
		t.Errorf("%s: digest %q with error %q", image, digest, err)
	}
	return digest, err
}
