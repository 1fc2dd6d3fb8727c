package seal

import (
	"net"
	"net/url"
	"strings"

	"github.com/stint-dev/stint/oidc"
)

// Audience is that of the id-token that a signature takes; Fulcio's default.
const Audience = "sigstore"

// publicDomain is where sigstore's public instance is.
const publicDomain = "sigstore.dev"

// A Place says where a signature is made: by a Fulcio with a timestamp authority, and a
// transparency log if one is named, or with the key in a file.
type Place struct {
	Fulcio    string // base address
	Timestamp string // whole address of a timestamp authority (RFC 3161)
	Rekor     string // base address of a transparency log of Rekor's second version
	KeyFile   string // of an ECDSA P-256 key in PEM
}

const placeHint = "write fulcio=URL,tsa=URL, with rekor=URL for a transparency log and publish=yes for sigstore's public instance, or key=FILE"

func placeError(message string) error { return &oidc.Error{Message: message, Hint: placeHint} }

// ParsePlace reads comma-separated settings: fulcio, tsa, rekor and publish, or key.
// Addresses are https, or http on loopback.
func ParsePlace(text string) (Place, error) {
	var p Place
	var publish string
	fields := map[string]*string{"fulcio": &p.Fulcio, "tsa": &p.Timestamp, "rekor": &p.Rekor, "key": &p.KeyFile, "publish": &publish}
	for _, part := range strings.Split(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		field, known := fields[name]
		switch {
		case !known:
			return Place{}, placeError("there is no setting " + quote(name) + " of a signature")
		case value == "" || *field != "":
			return Place{}, placeError("the setting " + quote(name) + " of a signature is empty or given twice")
		}
		*field = value
	}
	return p, p.check(publish)
}

func (p Place) check(publish string) error {
	addresses := []string{p.Fulcio, p.Timestamp, p.Rekor}
	switch {
	case p.KeyFile != "" && strings.Join(addresses, "")+publish != "":
		return placeError("a signature is made by fulcio or with a key, not by both")
	case p.KeyFile != "":
		return nil
	case p.Fulcio == "" || p.Timestamp == "":
		return placeError("a certificate lives for ten minutes, so fulcio and tsa are needed together")
	case publish != "" && publish != "yes":
		return placeError("publish is yes or left out")
	}
	for _, a := range addresses {
		if a == "" {
			continue
		}
		if err := checkAddress(a, publish == "yes"); err != nil {
			return err
		}
	}
	return nil
}

// checkAddress refuses what would show the token on the way, and what would publish names.
func checkAddress(address string, publish bool) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return placeError("an address of the signature is not an URL")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return placeError("the address of " + quote(u.Host) + " is not https")
	case public(u.Hostname()) && !publish:
		return placeError(quote(u.Host) + " is public: it shows the names of repository, workflow and run to everybody, also those of a private repository")
	}
	return nil
}

func public(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == publicDomain || strings.HasSuffix(host, "."+publicDomain)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
