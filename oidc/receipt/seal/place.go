package seal

import (
	"strings"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/fulcio"
)

// A Place says where a signature is made: by a Fulcio with a timestamp authority, and a
// transparency log if one is named, or with the key in a file.
type Place struct {
	Fulcio    string // base address
	Timestamp string // whole address of a timestamp authority (RFC 3161)
	Rekor     string // base address of a transparency log of Rekor's second version
	KeyFile   string // of an ECDSA P-256 key in PEM
	Publish   bool   // sigstore's public instance may be used, which shows names to everybody
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
	p.Publish = publish == "yes"
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
		if _, err := fulcio.Address(a, p.Publish); err != nil {
			return placeError(err.Error())
		}
	}
	return nil
}
