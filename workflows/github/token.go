package github

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A TokenSource gives the token that is valid now.
type TokenSource interface {
	Token(ctx context.Context) (string, error)
}

// A tokenFunc is a source that prints as nothing but an address.
type tokenFunc func(ctx context.Context) (string, error)

// Token implements [TokenSource].
func (f tokenFunc) Token(ctx context.Context) (string, error) { return f(ctx) }

// StaticToken returns a source of one token: a personal one, or that of a job.
func StaticToken(token string) TokenSource {
	return tokenFunc(func(context.Context) (string, error) {
		if strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c >= 0x7f }) || token == "" {
			return "", errors.New("the token is empty or malformed")
		}
		return token, nil
	})
}

// AppOptions name an installation of a GitHub App.
type AppOptions struct {
	// Host, Transport and Now are as in [Options].
	Host      string
	Transport http.RoundTripper
	Now       func() time.Time
	// ID is the app's id or client id.
	ID string
	// Installation is the id of the installation; 0 looks for that of Owner.
	Installation int64
	Owner        string
	// KeyFile holds the app's RSA private key as PEM.
	KeyFile string
}

const (
	maxKeyBytes   = 64 << 10
	maxTokenReply = 256 << 10
	// refreshBefore is how long before its end a token is not used any more.
	refreshBefore = 5 * time.Minute
)

// NewAppToken returns a source of installation tokens, which live for an hour and are
// made anew when one is about to end. The key is read now and stays in memory.
func NewAppToken(o AppOptions) (TokenSource, error) {
	at, err := endpointsOf(o.Host)
	if err != nil {
		return nil, err
	}
	if !appID.MatchString(o.ID) || o.Installation == 0 && !ownerName.MatchString(o.Owner) {
		return nil, errors.New("an app is named by its id, and its installation by an id or an owner")
	}
	key, err := readKey(o.KeyFile)
	if err != nil {
		return nil, err
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	a := &app{o: o, key: key, base: at.rest.String()}
	return tokenFunc(a.token), nil
}

var appID = regexp.MustCompile(`^[A-Za-z0-9.]{1,64}$`)

// readKey reads an RSA key; its errors do not quote the file.
func readKey(name string) (*rsa.PrivateKey, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, errors.New("the app's key file cannot be read")
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxKeyBytes))
	block, _ := pem.Decode(b)
	if err != nil || block == nil {
		return nil, errors.New("the app's key file holds no PEM block")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	if parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		if key, ok := parsed.(*rsa.PrivateKey); ok {
			return key, nil
		}
	}
	return nil, errors.New("the app's key file holds no RSA private key")
}

// An app makes installation tokens.
type app struct {
	o    AppOptions
	key  *rsa.PrivateKey
	base string

	mu      sync.Mutex
	current string
	expires time.Time
}

func (a *app) token(ctx context.Context) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.current != "" && a.o.Now().Add(refreshBefore).Before(a.expires) {
		return a.current, nil
	}
	if a.o.Installation == 0 {
		var found struct {
			ID int64 `json:"id"`
		}
		err := a.ask(ctx, http.MethodGet, "orgs/"+a.o.Owner+"/installation", &found)
		if isStatus(err, http.StatusNotFound) {
			err = a.ask(ctx, http.MethodGet, "users/"+a.o.Owner+"/installation", &found)
		}
		if err != nil {
			return "", fmt.Errorf("the app's installation for %s: %w", a.o.Owner, err)
		}
		a.o.Installation = found.ID
	}
	var made struct {
		Token   string    `json:"token"`
		Expires time.Time `json:"expires_at"`
	}
	if err := a.ask(ctx, http.MethodPost, "app/installations/"+strconv.FormatInt(a.o.Installation, 10)+"/access_tokens", &made); err != nil {
		return "", fmt.Errorf("a token for the app's installation: %w", err)
	}
	if _, err := StaticToken(made.Token).Token(ctx); err != nil {
		return "", err
	}
	a.current, a.expires = made.Token, made.Expires
	return a.current, nil
}

// ask makes one request as the app itself. A transport follows no redirect.
func (a *app) ask(ctx context.Context, method, path string, into any) error {
	jwt, err := a.sign()
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, nil)
	if err != nil {
		return errors.New("the server's address is malformed")
	}
	req.Header.Set("Authorization", "Bearer "+jwt)
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("User-Agent", "stint")
	resp, err := a.o.Transport.RoundTrip(req)
	if err != nil {
		return errors.New("no answer")
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return &StatusError{Status: resp.StatusCode}
	}
	if json.NewDecoder(io.LimitReader(resp.Body, maxTokenReply)).Decode(into) != nil {
		return errors.New("the answer is cut off or malformed")
	}
	return nil
}

// sign makes the app's own token, which lives for nine minutes from a minute ago: ten
// are allowed, and clocks differ.
func (a *app) sign() (string, error) {
	now := a.o.Now()
	claims, err := json.Marshal(map[string]any{"iss": a.o.ID, "iat": now.Add(-time.Minute).Unix(), "exp": now.Add(8 * time.Minute).Unix()})
	if err != nil {
		return "", err
	}
	enc := base64.RawURLEncoding.EncodeToString
	text := enc([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + enc(claims)
	digest := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA256, digest[:])
	if err != nil {
		return "", errors.New("the app's key cannot sign")
	}
	return text + "." + enc(sig), nil
}
