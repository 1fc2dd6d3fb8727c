package oidc

import (
	"net/netip"
	"net/url"
	"strings"
)

// issuerDomain is where github.com's runners ask for id-tokens: at the domain
// itself (token.actions…) or below it (pipelines….actions…).
const issuerDomain = "actions.githubusercontent.com"

// requestURL is the address to ask, with the audience set in its query. It
// refuses every host that is not GitHub's, because the bearer goes there.
func (r *Runner) requestURL(address, audience string) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, badRequestURL("it is not a URL")
	case u.User != nil || u.Opaque != "" || u.Host == "":
		return nil, badRequestURL("it is not a plain URL of a host")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, badRequestURL("its query cannot be read")
	}
	if !r.trusted(u) {
		return nil, badRequestURL("it is not an https URL of a GitHub host")
	}
	query.Set("audience", audience)
	u.RawQuery, u.Fragment, u.RawFragment = query.Encode(), "", ""
	return u, nil
}

func badRequestURL(why string) *Error {
	return &Error{
		Stage:   StageToken,
		Message: "ACTIONS_ID_TOKEN_REQUEST_URL is not used: " + why,
		Hint:    "look for a step or runner set-up that changes the variable; nothing was sent to it",
	}
}

// trusted reports whether the bearer may be sent to u.
func (r *Runner) trusted(u *url.URL) bool {
	if r.loopback && isLoopback(u) {
		return true
	}
	if u.Scheme != "https" {
		return false
	}
	host := strings.ToLower(u.Host)
	if within(strings.TrimSuffix(host, ":443"), issuerDomain) {
		return true
	}
	server, err := url.Parse(r.env("GITHUB_SERVER_URL"))
	if err != nil || server.Scheme != "https" || server.Host == "" || server.User != nil {
		return false
	}
	own := strings.TrimSuffix(strings.ToLower(server.Host), ":443")
	host = strings.TrimSuffix(host, ":443")
	switch {
	case own == "github.com":
		return false // its issuer is at issuerDomain only
	case strings.HasSuffix(own, ".ghe.com"):
		return within(host, own)
	}
	return host == own
}

// within reports whether host is domain or a name below it.
func within(host, domain string) bool {
	return host == domain || strings.HasSuffix(host, "."+domain)
}

// isLoopback reports whether u is at a loopback address, written as a number:
// the name localhost is whatever the hosts file says.
func isLoopback(u *url.URL) bool {
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.IsLoopback() && (u.Scheme == "http" || u.Scheme == "https")
}
