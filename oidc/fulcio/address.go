package fulcio

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/stint-dev/stint/oidc/providers/wire"
)

// publicDomain is where sigstore's public instance is.
const publicDomain = "sigstore.dev"

// Address reads the address of a Fulcio, or of a service beside it: https, or http on
// loopback, with or without a path. Without publish it refuses sigstore's public instance.
// An error is one line that quotes no more than the host.
func Address(text string, publish bool) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("the address is not an URL of scheme, host and path")
	case u.Scheme != "https" && (u.Scheme != "http" || !wire.IsLoopback(u.Hostname())):
		return nil, fmt.Errorf("the address of %.253q is not https", u.Host)
	case isPublic(u.Hostname()) && !publish:
		return nil, fmt.Errorf("%.253q is public: it shows the names of repository, workflow and run to everybody, also those of a private repository", u.Host)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u, nil
}

func isPublic(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == publicDomain || strings.HasSuffix(host, "."+publicDomain)
}
