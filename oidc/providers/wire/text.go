package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/stint-dev/stint/oidc"
)

var (
	notSafe    = regexp.MustCompile(`[^A-Za-z0-9._-]+`)
	codeText   = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	secretText = regexp.MustCompile(`^[!-~]+$`)
)

// SafeText keeps what a request id or a run id may hold, 128 characters at most. What
// comes from the other side is not printed otherwise.
func SafeText(s string) string { return notSafe.ReplaceAllString(s[:min(len(s), 128)], "") }

// Code returns s when it has the form of an error code, else "".
func Code(s string) string {
	if codeText.MatchString(s) {
		return s
	}
	return ""
}

// IsSecretText reports whether s can be a token in an environment variable and a
// header: printable, without spaces.
func IsSecretText(s string) bool { return secretText.MatchString(s) }

// Digest names a secret without showing it: "sha256:…".
func Digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Answer is what the other side said, in the terms of its documentation.
func Answer(e oidc.Error) string {
	parts := []string{"status " + strconv.Itoa(e.Status)}
	if e.Code != "" {
		parts = append(parts, "code "+e.Code)
	}
	if e.RequestID != "" {
		parts = append(parts, "request id "+e.RequestID)
	}
	return strings.Join(parts, ", ")
}

// Stamp writes a time for people and receipts.
func Stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// A Block is a provider's block in a grant, for errors.
type Block struct {
	Grant, Provider string
	Line            int
}

// Errorf builds the two lines of an error in the block.
func (b Block) Errorf(hint, format string, args ...any) *oidc.Error {
	return &oidc.Error{Stage: oidc.StageDecide, Hint: hint,
		Message: fmt.Sprintf("grant %q, %s block at line %d: %s", b.Grant, b.Provider, b.Line, fmt.Sprintf(format, args...))}
}

// Endpoint reads the endpoint of a block: https, or http on loopback, without user,
// path, query or fragment. The error is one of the block.
func (b Block) Endpoint(text string) (*url.URL, error) {
	const hint = "use https://HOST[:PORT]; plain http is for loopback only, as in http://127.0.0.1:9000"
	u, err := ParseEndpoint(text)
	if err != nil {
		return nil, b.Errorf(hint, "endpoint %.200q %v", text, err)
	}
	return u, nil
}

// ParseEndpoint reads the address of a server that is given a token. Errors go behind
// the quoted text.
func ParseEndpoint(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "":
		return nil, errors.New("is not an url")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		return nil, errors.New("must be a scheme and a host, without user, path, query or fragment")
	case u.Scheme != "https" && (u.Scheme != "http" || !IsLoopback(u.Hostname())):
		return nil, errors.New("would send the token over an open line")
	}
	u.Path = ""
	return u, nil
}

// IsLoopback accepts the address literals and localhost, no name that a resolver
// could send elsewhere.
func IsLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// audienceText is what an audience may hold: no space, quote or control character.
var audienceText = regexp.MustCompile(`^[!#-\[\]-~]{1,255}$`)

// Audience checks an audience that a block names in place of the usual one. The token
// that the runner gives without an audience has the owner's url; every careless
// relying party takes it, so it must not be good here too.
func (b Block) Audience(text string) error {
	const hint = "leave audience out, or give the one that the server expects"
	if !audienceText.MatchString(text) {
		return b.Errorf(hint, "audience %.64q is not one", text)
	}
	if strings.HasPrefix(strings.ToLower(text), "https://github.com/") {
		return b.Errorf(hint, "audience %.200q is what every token without an audience has", text)
	}
	return nil
}
