package seal

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/sign"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/fulcio"
)

// Limits of one call of a service.
const (
	callTimeout = 10 * time.Second
	callRetries = 1 // on a status of 5xx or 429
	rekorTiles  = 2 // the version of Rekor's API
)

// A Signer makes signatures.
type Signer struct {
	place     Place
	key       *keypair // nil for a certificate of the job's own
	source    oidc.Source
	transport http.RoundTripper
}

// NewSigner signs at a place. key is the PEM of the place's KeyFile, for a place that has
// one. source gives the id-tokens for a Fulcio, one for each signature. transport carries
// the calls; nil is the default one.
func NewSigner(p Place, key oidc.Secret, source oidc.Source, transport http.RoundTripper) (*Signer, error) {
	s := &Signer{place: p, source: source, transport: transport}
	if transport == nil {
		s.transport = http.DefaultTransport
	}
	if p.KeyFile == "" {
		return s, nil
	}
	var err error
	s.key, err = parseKey(key)
	return s, err
}

// Sign signs a file of receipts as it is, and returns the bundle as JSON. Errors hold
// neither token nor key, and no reply of a service.
func (s *Signer) Sign(ctx context.Context, file []byte) ([]byte, error) {
	key, opts := s.key, sign.BundleOptions{Context: ctx}
	calls := &calls{ctx: ctx, next: s.transport}
	if key == nil {
		var err error
		if key, err = newKey(); err != nil {
			return nil, err
		}
		if err := s.services(&opts, calls, key); err != nil {
			return nil, err
		}
	}
	signed, err := sign.Bundle(&sign.PlainData{Data: file}, key, opts)
	if err != nil {
		return nil, s.explain(calls, err)
	}
	b, err := bundle.NewBundle(signed)
	if err != nil {
		return nil, signError("the services gave something that is no signature", err)
	}
	return b.MarshalJSON()
}

// services adds those of the place.
func (s *Signer) services(opts *sign.BundleOptions, calls *calls, key *keypair) error {
	address, err := fulcio.Address(s.place.Fulcio, s.place.Publish)
	if err != nil {
		return placeError(err.Error())
	}
	opts.CertificateProvider = certifier{source: s.source, key: key,
		authority: fulcio.Authority{Address: address, Options: fulcio.Options{Transport: s.transport}}}
	opts.TimestampAuthorities = []*sign.TimestampAuthority{sign.NewTimestampAuthority(&sign.TimestampAuthorityOptions{
		URL: s.place.Timestamp, Timeout: callTimeout, Retries: callRetries, Transport: calls})}
	if s.place.Rekor != "" {
		opts.TransparencyLogs = []sign.Transparency{sign.NewRekor(&sign.RekorOptions{
			BaseURL: s.place.Rekor, Timeout: callTimeout, Retries: callRetries, Version: rekorTiles})}
	}
	return nil
}

// A certifier asks the place's Fulcio where sigstore-go asks for a certificate.
type certifier struct {
	authority fulcio.Authority
	source    oidc.Source
	key       *keypair
}

// GetCertificate returns the certificate in DER; it is for the certifier's own key.
func (c certifier) GetCertificate(ctx context.Context, _ sign.Keypair, _ *sign.CertificateProviderOptions) ([]byte, error) {
	got, err := c.authority.Certify(ctx, c.source, oidc.Run{}, c.key.private)
	if err != nil {
		return nil, err
	}
	return got.Leaf.Raw, nil
}

// errRedirected is why a call ended: a token does not follow a redirect.
var errRedirected = errors.New("redirected")

// calls carries the calls of a timestamp authority, within the signature's context, and
// remembers the last one for an explanation. They are made one after the other.
type calls struct {
	ctx    context.Context
	next   http.RoundTripper
	last   *url.URL
	status int // 0 when there was no answer
}

// RoundTrip makes a call.
func (c *calls) RoundTrip(r *http.Request) (*http.Response, error) {
	c.last, c.status = r.URL, 0
	ctx, cancel := context.WithCancel(r.Context()) // which the client bounds by callTimeout
	context.AfterFunc(c.ctx, cancel)
	resp, err := c.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	c.status = resp.StatusCode
	if c.status >= 300 && c.status < 400 {
		_ = resp.Body.Close()
		return nil, errRedirected
	}
	return resp, nil
}

// explain says which service did not do its part. The text of err may hold a reply, which
// may hold anything. The log is spoken to by a client of its own.
func (s *Signer) explain(c *calls, err error) error {
	var asked *oidc.Error // by the Fulcio, or by the source of the token
	switch {
	case errors.As(err, &asked) && asked.Stage == oidc.StageToken:
		return asked
	case asked != nil:
		return signError(asked.Message, nil)
	case c.last == nil:
		return signError("it could not be made", err)
	case c.status == 0:
		return signError(c.last.Host+" did not answer", nil)
	case c.status < 300 && s.place.Rekor != "":
		return signError("the transparency log did not take the signature", nil)
	case c.status < 300:
		return signError("the answer of "+c.last.Host+" is of no use", nil)
	}
	return signError(c.last.Host+" answered with status "+strconv.Itoa(c.status), nil)
}

// signError explains why there is no signature; err is kept only where it holds no reply.
func signError(why string, err error) error {
	return &oidc.Error{Message: "the receipts are not signed: " + why, Err: err,
		Hint: "the receipts themselves are whole; sign them with stint receipt sign while the job lasts"}
}
