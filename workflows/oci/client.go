package oci

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/stint-dev/stint/workflows"
)

// Limits of asking.
const (
	// AskTimeout bounds the question about one image: names, connections, token,
	// redirects and answer.
	AskTimeout = 20 * time.Second
	// MaxQuestions is how many images are asked about at the same time.
	MaxQuestions = 8
	// MaxHosts is how many registries one run asks.
	MaxHosts = 32
	// MaxHostTime is how long the questions to one registry may take, added up: one that
	// answers each just in time must not hold up the run.
	MaxHostTime = 2 * time.Minute

	// maxManifestBytes is what the specification wants registries to take.
	maxManifestBytes = 4 << 20
)

// errLogin says that an image is for those who log in, or is not there: a registry need
// not tell which.
var errLogin = errors.New("the registry wants a login, or has no such image; images are looked up without a login")

// errNoDigest says that an answer does not name the digest, so that the body has to.
var errNoDigest = errors.New("the answer names no digest")

// mediaTypes are those of manifests and indexes, OCI's and docker's. One that is none of
// them is not what docker would pull by its digest.
var mediaTypes = []string{
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.v2+json",
}

var digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// A Client asks registries for digests, as nobody in particular. The zero value is ready.
// It is safe for concurrent use and meant for one run: each question is asked once, and
// its answer, an error too, is kept.
type Client struct {
	// Transport makes the requests; nil is one that connects to public addresses only
	// and takes no proxy. Whoever sets another decides where it connects.
	Transport http.RoundTripper

	start  sync.Once
	way    http.RoundTripper
	slots  chan struct{}
	images sync.Map // by Reference: func() (string, error)

	mu    sync.Mutex
	hosts map[string]*host
}

// A host is a registry that was asked.
type host struct {
	took time.Duration // added up
	lost error         // why it is not asked any more, nil while it is
}

// Digest returns the digest, sha256: and 64 hexadecimal digits, of what [HOST/]NAME[:TAG]
// stands for now: of the index where the image has one for several platforms, else of the
// manifest. The error is workflows.ErrNotFound when the registry has no such image, and
// else says why there is no answer. It is one line, and of the answers it holds nothing.
func (c *Client) Digest(ctx context.Context, image string) (string, error) {
	ref, err := ParseReference(image)
	if err != nil {
		return "", err
	}
	c.start.Do(func() {
		c.slots, c.hosts, c.way = make(chan struct{}, MaxQuestions), map[string]*host{}, c.Transport
		if c.way == nil {
			c.way = newTransport(public)
		}
	})
	once, _ := c.images.LoadOrStore(ref, sync.OnceValues(func() (string, error) { return c.ask(ctx, ref) }))
	return once.(func() (string, error))()
}

// ask asks about one image, in its turn, unless its registry is given up.
func (c *Client) ask(ctx context.Context, ref Reference) (string, error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if err := c.admit(ref.Host); err != nil {
		return "", err
	}
	began := time.Now()
	within, cancel := context.WithTimeout(ctx, AskTimeout)
	defer cancel()
	digest, err := c.digest(within, http.MethodHead, ref)
	if errors.Is(err, errNoDigest) {
		digest, err = c.digest(within, http.MethodGet, ref)
	}
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	c.account(ref.Host, time.Since(began), err)
	var lost *hostError
	switch {
	case err == nil:
		return digest, nil
	case errors.As(err, &lost):
		return "", err
	case errors.Is(err, workflows.ErrNotFound):
		return "", fmt.Errorf("the image %s: %w", ref, workflows.ErrNotFound)
	}
	return "", fmt.Errorf("the digest of %s: %w", ref, err)
}

// A hostError is why a registry is asked no more.
type hostError struct{ host, why string }

func (e *hostError) Error() string { return "the registry " + e.host + " " + e.why }

// admit returns why a registry is not asked, nil when it may be.
func (c *Client) admit(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.hosts[name]
	switch {
	case h != nil:
		return h.lost
	case len(c.hosts) >= MaxHosts:
		return fmt.Errorf("more than %d registries are named, and no others were asked", MaxHosts)
	}
	c.hosts[name] = &host{}
	return nil
}

// account takes down what one question to a registry was like.
func (c *Client) account(name string, took time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.hosts[name]
	h.took += took
	var lost *hostError
	switch {
	case h.lost != nil:
	case errors.As(err, &lost):
		h.lost = lost
	case h.took > MaxHostTime:
		h.lost = &hostError{name, "answers too slowly"}
	}
}

// digest asks for a manifest and reads the digest off the answer.
func (c *Client) digest(ctx context.Context, method string, ref Reference) (string, error) {
	at := &url.URL{Scheme: "https", Host: ref.Host, Path: "/v2/" + ref.Repository + "/manifests/" + ref.Tag}
	resp, err := c.fetch(ctx, method, at, ref)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return "", workflows.ErrNotFound
	case resp.StatusCode == http.StatusUnauthorized, resp.StatusCode == http.StatusForbidden:
		return "", errLogin
	case resp.StatusCode == http.StatusTooManyRequests:
		return "", &hostError{ref.Host, "answers no more for now: its rate limit is reached"}
	case resp.StatusCode == http.StatusMethodNotAllowed && method == http.MethodHead:
		return "", errNoDigest
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("status %d", resp.StatusCode)
	}
	if kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || !slices.Contains(mediaTypes, kind) {
		return "", errors.New("the answer is no manifest that names the image")
	}
	named := resp.Header.Get("Docker-Content-Digest")
	switch {
	case named != "" && !digestForm.MatchString(named):
		return "", errors.New("the answer names no sha256 digest")
	case method == http.MethodGet:
		return sum(resp.Body, named)
	case named == "":
		return "", errNoDigest
	}
	return named, nil
}

// sum returns the digest of a manifest, and holds what the registry says of it against it.
func sum(body io.Reader, named string) (string, error) {
	manifest, err := readAll(body, maxManifestBytes)
	if err != nil {
		return "", err
	}
	of := sha256.Sum256(manifest)
	digest := "sha256:" + hex.EncodeToString(of[:])
	if named != "" && named != digest {
		return "", errors.New("the manifest is not the one of the digest that the answer names")
	}
	return digest, nil
}

func readAll(body io.Reader, most int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(body, most+1))
	switch {
	case err != nil:
		return nil, errors.New("the answer is cut off")
	case int64(len(text)) > most:
		return nil, fmt.Errorf("the answer is longer than %d bytes", most)
	}
	return text, nil
}
