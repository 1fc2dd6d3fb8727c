package main

import (
	"net/url"
	"strings"

	"github.com/spf13/pflag"

	"github.com/stint-dev/stint/workflows/github"
)

// A host is where an organization is read, and by which token.
type host struct {
	// name is what an index is told by: "github.com", "127.0.0.1:8080".
	name string
	// at is the name, or a URL on loopback.
	at    string
	token github.TokenSource
}

type hostOptions struct {
	host, app, appKey string
	installation      int64
}

func (o *hostOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.host, "host", "github.com", "the `host` of the organization: github.com, NAME.ghe.com or a GitHub Enterprise Server")
	f.StringVar(&o.app, "app", "", "read as the GitHub App with this `id` instead of by a token")
	f.StringVar(&o.appKey, "app-key", "", "`file` with the app's private key")
	f.Int64Var(&o.installation, "app-installation", 0, "`id` of the app's installation; by default that of the organization")
}

// loopbackToken is sent to a stand-in on loopback, which is given no real one.
const loopbackToken = "loopback"

// open finds the token for the host. Only --host leads to a server on loopback, and plain
// http nowhere else: a variable or a file, which an earlier step of a job can set, does
// not. Such a server is given no token of the environment.
func (o hostOptions) open(w world, organization string) (host, error) {
	h := host{name: strings.ToLower(o.host), at: o.host}
	if u, err := url.Parse(o.host); err == nil && strings.Contains(o.host, "://") {
		if !onLoopback(u) {
			return h, usage("give the name of the host alone, as in --host github.example.com", "--host %q is no name of a host", o.host)
		}
		h.name, h.token = u.Host, github.StaticToken(loopbackToken)
		return h, nil
	}
	switch {
	case o.app != "" && o.appKey != "":
		source, err := github.NewAppToken(github.AppOptions{Host: h.at, ID: o.app, Installation: o.installation, Owner: organization, KeyFile: o.appKey, Now: w.now})
		h.token = source
		if err != nil {
			return h, usage("give --app ID and --app-key FILE of an app that is installed there", "%s", err)
		}
	case o.app != "" || o.appKey != "":
		return h, usage("give both, --app ID and --app-key FILE", "--app and --app-key belong together")
	default:
		if token := tokenFor(w, h.name); token != "" {
			h.token = github.StaticToken(token)
		}
	}
	return h, nil
}

// tokenFor returns the token of the environment that is for a host, "" when none is. The
// token of a job is for the job's own server.
func tokenFor(w world, host string) string {
	names := []string{"GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"}
	if host == "github.com" || strings.HasSuffix(host, ".ghe.com") {
		names = []string{"GH_TOKEN", "GITHUB_TOKEN"}
	}
	if server, err := url.Parse(w.getenv("GITHUB_SERVER_URL")); err == nil && server.Host != "" {
		if strings.EqualFold(server.Host, host) {
			names = append(names, "GH_TOKEN", "GITHUB_TOKEN")
		} else if names[0] == "GH_TOKEN" {
			return ""
		}
	}
	for _, name := range names {
		if token := w.getenv(name); token != "" {
			return token
		}
	}
	return ""
}

// reader returns the client.
func (h host) reader(w world) (*github.Reader, error) {
	if h.token == nil {
		return nil, usage("set GH_TOKEN (GH_ENTERPRISE_TOKEN for a GitHub Enterprise Server), or use --app", "there is no token for %s", h.name)
	}
	r, err := github.New(github.Options{Host: h.at, Token: h.token, Now: w.now, Sleep: w.sleep, Version: version, Log: func(line string) { logLine(w, line) }})
	if err != nil {
		return nil, usage("give the name of the host alone, as in --host github.example.com", "%s", err)
	}
	return r, nil
}
