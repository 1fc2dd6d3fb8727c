package platform

import (
	"encoding/base64"
	"encoding/json"
	"hash/crc32"
	"slices"
	"strings"
	"time"
)

// checksummed accepts what ends in six base-62 digits of the CRC-32 of the text
// between the first underscore and them, as GitHub and npm make their tokens.
func checksummed(whole string, h *SecretHit) bool {
	_, body, _ := strings.Cut(whole, "_")
	split := len(body) - 6
	if split <= 0 || base62(crc32.ChecksumIEEE([]byte(body[:split]))) != body[split:] {
		return false
	}
	h.Proven = true
	return true
}

// base62 writes a number in six digits: 0-9, A-Z, a-z.
func base62(n uint32) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	var out [6]byte
	for i := range out {
		out[len(out)-1-i] = digits[n%62]
		n /= 62
	}
	return string(out[:])
}

// awsKeyID accepts key ids that are not those of AWS's documentation.
func awsKeyID(whole string, _ *SecretHit) bool {
	return !strings.Contains(whole, "EXAMPLE") && distinct(whole[4:]) >= 7 && longestRun(whole) < 6
}

// statelessAppToken accepts the form of GitHub's installation tokens since
// 2026-04: ghs_, the app's id, and a web token.
func statelessAppToken(whole string, h *SecretHit) bool {
	body := strings.TrimPrefix(whole, "ghs_")
	i := strings.Index(body, "eyJ")
	return i >= 0 && webToken(body[i:], h)
}

// pypiMacaroon accepts a macaroon whose location is PyPI or its test instance.
func pypiMacaroon(whole string, h *SecretHit) bool {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(whole, "pypi-"))
	if err != nil || len(raw) < 32 {
		return false
	}
	location := string(raw[:min(len(raw), 24)])
	switch {
	case strings.Contains(location, "test.pypi."):
		h.Kind, h.Weight = "a token for PyPI's test instance", SecretTest
	case !strings.Contains(location, "pypi."):
		return false
	}
	h.Proven = true
	return distinct(whole) > 20
}

// holds returns a check for a form with a fixed piece inside.
func holds(piece string) func(string, *SecretHit) bool {
	return func(whole string, h *SecretHit) bool {
		h.Proven = true
		return strings.Contains(whole, piece) && distinct(whole) > 15 && !strings.Contains(whole, "xxxx")
	}
}

// slackToken tells by its parts what a Slack token is.
func slackToken(whole string, _ *SecretHit) bool {
	parts := strings.Split(whole, "-")
	return len(parts) >= 3 && LooksRandom(parts[len(parts)-1])
}

// lastPart checks the part behind the last slash, colon or dot.
func lastPart(whole string, _ *SecretHit) bool {
	return LooksRandom(whole[strings.LastIndexAny(whole, "/:.")+1:])
}

// emulatorKeys are the published keys of emulators: the Azure Storage emulators',
// and Cosmos DB's, by how they begin.
var emulatorKeys = []string{"Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsu", "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nD"}

func isEmulatorKey(value string) bool {
	return slices.ContainsFunc(emulatorKeys, func(k string) bool { return strings.HasPrefix(value, k) })
}

// azureKey accepts a key of a whole number of bytes in base 64.
func azureKey(whole string, h *SecretHit) bool {
	_, key, _ := strings.Cut(whole, "=")
	if isEmulatorKey(key) {
		return false
	}
	raw, err := base64.StdEncoding.DecodeString(key)
	h.Proven = err == nil && (len(raw) == 64 || len(raw) == 32)
	return h.Proven && distinct(key) > 15
}

// webToken accepts a signed JSON web token (RFC 7519), unless it names a role that is public.
func webToken(whole string, h *SecretHit) bool {
	parts := strings.Split(whole, ".")
	if len(parts) != 3 || len(parts[2]) < 20 {
		return false
	}
	var header struct{ Alg string }
	var claims struct {
		Exp  int64
		Role string
	}
	if !decodePart(parts[0], &header) || !decodePart(parts[1], &claims) || header.Alg == "" || strings.EqualFold(header.Alg, "none") {
		return false
	}
	if claims.Role == "anon" {
		return false // Supabase's and PostgREST's key for everybody
	}
	if claims.Exp > 0 && claims.Exp < 1<<40 {
		h.Ends = time.Unix(claims.Exp, 0).UTC().Format(time.DateOnly)
	}
	h.Proven = true
	return !strings.HasPrefix(parts[2], "SflKxwRJSMeKKF2QT4") // the example of the format's home page
}

func decodePart(part string, into any) bool {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(part, "="))
	return err == nil && json.Unmarshal(raw, into) == nil
}

// minKeyBytes is the least base 64 behind a private key's first line: the
// shortest, an Ed25519 key, has 64.
const minKeyBytes = 60

// findPrivateKeys adds private keys in PEM and OpenPGP armour, with line breaks of
// any kind, also written as \n.
func findPrivateKeys(hits []SecretHit, text string) []SecretHit {
	const begin, endKey = "-----BEGIN ", "-----END "
	for from := 0; ; {
		at := strings.Index(text[from:], begin)
		if at < 0 {
			return hits
		}
		start := from + at
		from = start + len(begin)
		label, _, ok := strings.Cut(text[from:min(len(text), from+60)], "-----")
		if !ok || !strings.HasSuffix(strings.TrimSuffix(label, " BLOCK"), "PRIVATE KEY") {
			continue
		}
		body := from + len(label) + 5
		limit := text[body:min(len(text), body+maxSecretBytes)]
		end := strings.Index(limit, endKey)
		key := limit
		if end >= 0 {
			key = limit[:end]
		}
		if !isKeyBody(key) {
			continue
		}
		stop := body + len(key)
		if end >= 0 {
			stop += len(endKey) + len(label) + 5
		}
		hits = append(hits, SecretHit{Kind: "a private key", Weight: SecretWhole, Start: start, End: min(stop, len(text)), Proven: end >= 0})
	}
}

// isKeyBody reports whether enough of base 64 and nothing of a template stands there.
func isKeyBody(key string) bool {
	if strings.ContainsAny(key, "${<*") || strings.Contains(key, "...") {
		return false
	}
	key = strings.ReplaceAll(key, `\n`, "")
	n := 0
	for _, c := range key {
		if isAlnum(c) || c == '+' || c == '/' {
			n++
		}
	}
	return n >= minKeyBytes && distinct(key) > 20
}

// findURLPasswords adds passwords in URLs (scheme://user:password@host) whose host
// is elsewhere.
func findURLPasswords(hits []SecretHit, text string) []SecretHit {
	for from := 0; ; {
		at := strings.Index(text[from:], "://")
		if at < 0 {
			return hits
		}
		from += at + 3
		authority := text[from:min(len(text), from+512)]
		if end := strings.IndexAny(authority, "/ \t\r\n\"'`<>\\|?#,;)]}"); end >= 0 {
			authority = authority[:end]
		}
		at = strings.LastIndexByte(authority, '@')
		if at < 0 {
			continue
		}
		user, password, ok := strings.Cut(authority[:at], ":")
		if !ok || strings.ContainsAny(user+password, "${(%*") || isLocalHost(authority[at+1:]) || !LooksRandom(password) {
			continue
		}
		start := from + len(user) + 1
		hits = append(hits, SecretHit{Kind: "a password in a URL", Weight: SecretWhole, Start: start, End: start + len(password)})
	}
}

// isLocalHost reports whether a host (with port) is the machine itself, a service
// beside the job, or one that documentation uses.
func isLocalHost(host string) bool {
	name, _, _ := strings.Cut(strings.ToLower(host), ":")
	return !strings.Contains(name, ".") || strings.HasPrefix(name, "127.") || name == "0.0.0.0" || name == "host.docker.internal" ||
		strings.HasSuffix(name, ".local") || strings.HasSuffix(name, ".localhost") || strings.HasSuffix(name, ".test") || strings.HasSuffix(name, ".invalid") ||
		strings.Contains(name, "example.")
}
