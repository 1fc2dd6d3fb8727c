package oci

import (
	"net/http"
	"net/url"
	"strings"
)

// A challenge is what a registry that wants a token says about where to get one.
type challenge struct{ realm, service, scope string }

// bearer returns the first Bearer challenge of an answer (RFC 9110, section 11.6.1).
func bearer(h http.Header) (challenge, bool) {
	for _, line := range h.Values("WWW-Authenticate") {
		scheme, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			continue
		}
		params := parameters(rest)
		if params["realm"] != "" {
			return challenge{params["realm"], params["service"], params["scope"]}, true
		}
	}
	return challenge{}, false
}

// parameters reads key="value", key=value, …; it ends at the first that has another form.
func parameters(s string) map[string]string {
	params := map[string]string{}
	for {
		key, rest, ok := strings.Cut(strings.TrimLeft(s, ", \t"), "=")
		if !ok {
			return params
		}
		value, rest, ok := parameterValue(rest)
		if !ok {
			return params
		}
		params[strings.ToLower(strings.TrimSpace(key))] = value
		s = rest
	}
}

// parameterValue takes a token or a quoted string off the front of s.
func parameterValue(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, ", \t")
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:], end > 0
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:], true
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}

// tokenURL returns where to ask for the token, and nil where that is no place to ask.
func (c challenge) tokenURL() *url.URL {
	at, err := url.Parse(c.realm)
	if err != nil || !askable(at) {
		return nil
	}
	query := at.Query()
	for key, value := range map[string]string{"service": c.service, "scope": c.scope} {
		if value != "" {
			query.Set(key, value)
		}
	}
	at.RawQuery, at.Fragment = query.Encode(), ""
	return at
}

// askable reports whether a URL that a registry gives may be asked.
func askable(u *url.URL) bool {
	return u.Scheme == "https" && u.Hostname() != "" && u.User == nil && u.Opaque == ""
}
