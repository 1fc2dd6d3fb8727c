package oidc

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits on what is read from a token's claims.
const (
	// maxClaimsBytes is the largest JSON object of claims.
	maxClaimsBytes = 64 << 10
	// maxClaims is the largest number of members; GitHub sends about forty.
	maxClaims = 500
	// maxAudiences is the longest aud list.
	maxAudiences = 32
	// maxClaimTime is the last second that is read as a time: the end of 9999.
	maxClaimTime = 253_402_300_799
)

// claimError is an error about a token or a file of claims, whose text it never
// quotes: it may be a secret that was put in the wrong place.
func claimError(message, hint string) error {
	return &Error{Stage: StageToken, Message: message, Hint: hint}
}

const tokenHint = "check where the token comes from: it must be the compact JWT that GitHub's issuer gives, unchanged"

func parseToken(raw string) (*Token, error) {
	if len(raw) > MaxTokenBytes {
		return nil, claimError("the id-token is longer than "+strconv.Itoa(MaxTokenBytes)+" bytes", tokenHint)
	}
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return nil, claimError("the id-token is not a JWT of three parts", tokenHint)
	}
	decoded := make([][]byte, len(parts))
	for i, p := range parts {
		b, err := base64.RawURLEncoding.Strict().DecodeString(p)
		// The decoder skips line breaks, which have no place in a token.
		if err != nil || len(b) == 0 || strings.ContainsAny(p, "\r\n") {
			return nil, claimError("a part of the id-token is not base64url", tokenHint)
		}
		decoded[i] = b
	}
	if err := checkHeader(decoded[0]); err != nil {
		return nil, err
	}
	claims, err := parseClaims(decoded[1])
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"iss", "sub", "exp"} {
		if claims.Get(name) == "" {
			return nil, claimError("the id-token has no "+name+" claim", tokenHint)
		}
	}
	return &Token{Raw: NewSecret(raw), Claims: claims}, nil
}

// checkHeader refuses what no relying party would take.
func checkHeader(b []byte) error {
	var header struct {
		Alg string `json:"alg"`
	}
	if err := json.Unmarshal(b, &header); err != nil {
		return claimError("the header of the id-token is not a JSON object", tokenHint)
	}
	if header.Alg == "" || strings.EqualFold(header.Alg, "none") {
		return claimError("the id-token is not signed", tokenHint)
	}
	return nil
}

func parseClaims(b []byte) (Claims, error) {
	const hint = "the claims must be one JSON object, like the middle part of an id-token once decoded"
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	switch {
	case len(b) > maxClaimsBytes:
		return Claims{}, claimError("the claims are larger than "+strconv.Itoa(maxClaimsBytes>>10)+" KiB", hint)
	case !utf8.Valid(b):
		return Claims{}, claimError("the claims are not UTF-8 text", hint)
	}
	p := claimParser{dec: json.NewDecoder(bytes.NewReader(b)), claims: Claims{Values: map[string]string{}}, seen: map[string]bool{}}
	p.dec.UseNumber()
	if err := p.object(); err != nil {
		if _, ours := err.(*Error); ours {
			return Claims{}, err
		}
		return Claims{}, claimError("the claims are not JSON at byte "+strconv.FormatInt(p.dec.InputOffset(), 10), hint)
	}
	return p.claims, nil
}

// A claimParser reads one object of claims member by member, because decoding
// into a map would let the last of two equal names win in silence.
type claimParser struct {
	dec    *json.Decoder
	claims Claims
	seen   map[string]bool
}

func (p *claimParser) object() error {
	open, err := p.dec.Token()
	if err != nil {
		return err
	}
	if open != json.Delim('{') {
		return claimError("the claims are not a JSON object", "give one object: {\"sub\": \"…\", …}")
	}
	for p.dec.More() {
		if err := p.member(); err != nil {
			return err
		}
	}
	if _, err := p.dec.Token(); err != nil {
		return err
	}
	if _, err := p.dec.Token(); err != io.EOF {
		return claimError("something follows the claims", "remove what comes after the closing brace")
	}
	return nil
}

func (p *claimParser) member() error {
	key, err := p.dec.Token()
	if err != nil {
		return err
	}
	name, _ := key.(string) // an object's keys are strings, the decoder sees to it
	if p.seen[name] {
		return claimError(claimLabel(name)+" is given twice", "remove one of the two")
	}
	if p.seen[name] = true; len(p.seen) > maxClaims {
		return claimError("the claims have more than "+strconv.Itoa(maxClaims)+" members", tokenHint)
	}
	var raw json.RawMessage
	if err := p.dec.Decode(&raw); err != nil {
		return err
	}
	if name == "aud" {
		return p.audience(raw)
	}
	value, ok := scalarText(raw)
	if !ok {
		if typed[name] != "" {
			return claimError(claimLabel(name)+" must be "+typed[name], tokenHint)
		}
		return nil // an object, a list or null: nothing that we compare
	}
	p.claims.Values[name] = value
	return p.named(name, value, raw[0] == '"')
}

// typed says what the claims that have a field must be.
var typed = map[string]string{
	"iss": "text", "sub": "text", "jti": "text",
	"exp": "a number of seconds", "iat": "a number of seconds", "nbf": "a number of seconds",
}

// named fills the field of a claim that has one.
func (p *claimParser) named(name, value string, isString bool) error {
	want := typed[name]
	if want == "" {
		return nil
	}
	if isString != (want == "text") {
		return claimError(claimLabel(name)+" must be "+want, tokenHint)
	}
	switch name {
	case "iss":
		p.claims.Issuer = value
	case "sub":
		p.claims.Subject = value
	case "jti":
		p.claims.ID = value
	default:
		return p.time(name, value)
	}
	return nil
}

func (p *claimParser) time(name, value string) error {
	whole, _, _ := strings.Cut(value, ".") // a fraction of a second decides nothing
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || seconds < 1 || seconds > maxClaimTime {
		return claimError(claimLabel(name)+" is not a time", "it must be seconds since 1970")
	}
	at := time.Unix(seconds, 0).UTC()
	switch name {
	case "exp":
		p.claims.Expires = at
	case "iat":
		p.claims.IssuedAt = at
	case "nbf":
		p.claims.NotBefore = at
	}
	return nil
}

func (p *claimParser) audience(raw json.RawMessage) error {
	bad := claimError(claimLabel("aud")+" must be text or a list of text", tokenHint)
	if raw[0] == '"' {
		value, _ := scalarText(raw)
		p.claims.Audience, p.claims.Values["aud"] = []string{value}, value
		return nil
	}
	var list []*string
	if raw[0] != '[' || json.Unmarshal(raw, &list) != nil || len(list) > maxAudiences || slices.Contains(list, nil) {
		return bad
	}
	for _, a := range list {
		p.claims.Audience = append(p.claims.Audience, *a)
	}
	if len(list) == 1 {
		p.claims.Values["aud"] = *list[0]
	}
	return nil
}

// scalarText is a string, number or boolean as text.
func scalarText(raw json.RawMessage) (string, bool) {
	switch c := raw[0]; {
	case c == '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err == nil
	case c == 't' || c == 'f':
		return string(raw), true
	case c == '-' || c >= '0' && c <= '9':
		return decimal(string(raw))
	}
	return "", false
}

// decimal writes a JSON number without an exponent, so that one number has one
// text. Ids of GitHub are strings; a number that a double cannot hold exactly
// is taken only when it is written as an integer.
func decimal(s string) (string, bool) {
	if len(s) <= 20 && strings.Trim(s, "0123456789") == "" {
		return s, true
	}
	const exact = 1 << 53
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.Abs(f) > exact {
		return "", false
	}
	if f == 0 {
		return "0", true // also "-0"
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	const longest = 40 // a tiny number has hundreds of zeros, and is none that we compare
	return text, len(text) <= longest
}

// claimLabel names a claim in an error, if it is a name that GitHub uses: any
// other text from the token stays out.
func claimLabel(name string) string {
	if slices.Contains(githubClaims, name) {
		return "claim " + strconv.Quote(name)
	}
	return "a claim"
}

// IsGitHubClaim reports whether tokens of GitHub's jobs may have a claim of the name:
// one of its documented ones, or a property that an organization puts into them.
func IsGitHubClaim(name string) bool {
	return slices.Contains(githubClaims, name) || strings.HasPrefix(name, "repo_property_")
}

// githubClaims are the names of GitHub's "OpenID Connect reference", with
// ref_protected and environment_node_id, which tokens carry and the page omits.
var githubClaims = []string{
	"iss", "aud", "sub", "exp", "iat", "nbf", "jti",
	"actor", "actor_id", "base_ref", "check_run_id", "enterprise", "enterprise_id", "environment",
	"environment_node_id", "event_name", "head_ref", "job_workflow_ref", "job_workflow_sha", "ref",
	"ref_protected", "ref_type", "repository", "repository_id", "repository_owner",
	"repository_owner_id", "repository_visibility", "run_attempt", "run_id", "run_number",
	"runner_environment", "sha", "workflow", "workflow_ref", "workflow_sha",
}
