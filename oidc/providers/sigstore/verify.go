package sigstore

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/fulcio"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// clockLeeway is how far this machine's clock may be from the Fulcio's.
const clockLeeway = 30 * time.Second

const (
	notOurs   = "nothing was handed over; check fulcio: in the grant, and who signs there"
	clockHint = "set this machine's clock, or that of the fulcio; nothing was handed over"
)

func verifyError(hint, format string, args ...any) error {
	return &oidc.Error{Stage: oidc.StageVerify, Message: fmt.Sprintf(format, args...), Hint: hint}
}

// Verify reads what is about to be handed over: the certificate must be for the key, name
// the issuer and the job of the id-token, and be valid now and no longer than asked for.
func (p *provider) Verify(c *oidc.Credential, req oidc.Request) error {
	if c == nil || len(c.Files) != 2 {
		return verifyError(notOurs, "there is no credential to check")
	}
	cert, err := fulcio.Parse([]byte(c.Files[1].Content.Reveal()))
	switch {
	case err != nil:
		return verifyError(notOurs, "what %s issued is not a certificate: %v", p.host(), err)
	case !cert.IsFor(publicKey(c.Files[0].Content)):
		return verifyError(notOurs, "%s issued a certificate for another key", p.host())
	case cert.Issuer() != c.Facts[FactIssuer]:
		return verifyError(notOurs, "%s issued a certificate that names the issuer %.200q, and the id-token is of %.200q", p.host(), cert.Issuer(), c.Facts[FactIssuer])
	case cert.Identity() != c.Identity || !names(cert.Identity(), c.Facts[FactExpected]):
		return verifyError(notOurs, "%s issued a certificate for %.300q, and the id-token is of %.300q", p.host(), cert.Identity(), c.Facts[FactExpected])
	case !cert.Leaf.NotAfter.Equal(c.Expires) || c.UsableUntil.After(c.Expires):
		return verifyError(notOurs, "the certificate ends at %s, not when the credential says", wire.Stamp(cert.Leaf.NotAfter))
	}
	return p.verifyTimes(cert.Leaf, req.TTL)
}

func (p *provider) verifyTimes(leaf *x509.Certificate, ttl time.Duration) error {
	now := p.authority.Options.Now()
	switch {
	case !leaf.NotAfter.After(now):
		return verifyError(clockHint, "the certificate is already over: it ends at %s, and here it is %s", wire.Stamp(leaf.NotAfter), wire.Stamp(now))
	case leaf.NotBefore.After(now.Add(clockLeeway)):
		return verifyError(clockHint, "the certificate is not valid yet: it begins at %s, and here it is %s", wire.Stamp(leaf.NotBefore), wire.Stamp(now))
	case leaf.NotAfter.After(now.Add(ttl + clockLeeway)):
		return verifyError(clockHint+"; if that is how long its certificates live, write a longer ttl",
			"the certificate lives until %s, longer than the ttl of %s", wire.Stamp(leaf.NotAfter), ttl)
	}
	return nil
}

// publicKey reads the half of a key that a certificate names, nil when it is none.
func publicKey(text oidc.Secret) *ecdsa.PublicKey {
	block, _ := pem.Decode([]byte(text.Reveal()))
	if block == nil {
		return nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok {
		return nil
	}
	return &key.PublicKey
}

// names reports whether the name in a certificate is the expected one, as it is or below
// the address of a server. Which server is for those who verify: a Fulcio of one's own
// names its own GitHub.
func names(identity, want string) bool {
	if want == "" || identity == want {
		return want != ""
	}
	u, err := url.Parse(identity)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == "" &&
		strings.TrimPrefix(u.Path, "/") == want
}
