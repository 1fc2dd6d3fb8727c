package sandbox

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" // x5t is defined by it (RFC 7517 §4.8)
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const keyBits = 2048

// A signingKey is a key pair with the self-signed certificate that some relying
// parties (Ceph's radosgw) want to see beside it.
type signingKey struct {
	private    *rsa.PrivateKey
	cert       *x509.Certificate
	kid        string
	thumbprint [sha1.Size]byte // of the certificate
}

// A keyring holds the keys that are published. The last one signs.
type keyring struct {
	mu      sync.Mutex
	keys    []*signingKey
	foreign *signingKey // never published; made when first asked for
}

// maxKeys is how many keys stay published through rotations.
const maxKeys = 3

func newKeyring(first *rsa.PrivateKey, now time.Time) (*keyring, error) {
	k, err := newSigningKey(first, now)
	if err != nil {
		return nil, err
	}
	return &keyring{keys: []*signingKey{k}}, nil
}

// newSigningKey makes the certificate, and the key unless one is given.
func newSigningKey(private *rsa.PrivateKey, now time.Time) (*signingKey, error) {
	if private == nil {
		var err error
		if private, err = rsa.GenerateKey(rand.Reader, keyBits); err != nil {
			return nil, fmt.Errorf("sandbox: cannot make a signing key: %w", err)
		}
	}
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetInt64(now.UnixNano()),
		Subject:      pkix.Name{CommonName: "stint sandbox issuer"},
		NotBefore:    now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return nil, fmt.Errorf("sandbox: cannot certify the signing key: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("sandbox: cannot read the certificate back: %w", err)
	}
	k := &signingKey{private: private, cert: cert, thumbprint: sha1.Sum(der)}
	k.kid = hex.EncodeToString(k.thumbprint[:])
	return k, nil
}

// RotateKey adds a signing key; the older ones stay published for a while, as at
// GitHub, so that tokens signed before still verify.
func (s *Sandbox) RotateKey() error {
	k, err := newSigningKey(nil, s.opts.Now())
	if err != nil {
		return err
	}
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	s.keys.keys = append(s.keys.keys, k)
	if extra := len(s.keys.keys) - maxKeys; extra > 0 {
		s.keys.keys = s.keys.keys[extra:]
	}
	return nil
}

// Thumbprint is the SHA-1 of the current key's certificate in hexadecimal, which
// some relying parties want when the provider is registered.
func (s *Sandbox) Thumbprint() string { return s.keys.current().kid }

func (k *keyring) current() *signingKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.keys[len(k.keys)-1]
}

// impostor is a key that nobody publishes, under the kid of the current one.
func (k *keyring) impostor(now time.Time) (*signingKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.foreign == nil {
		foreign, err := newSigningKey(nil, now)
		if err != nil {
			return nil, err
		}
		k.foreign = foreign
	}
	fake := *k.foreign
	fake.kid = k.keys[len(k.keys)-1].kid
	return &fake, nil
}

// public is the published set, the newest key first.
func (k *keyring) public() jose.JSONWebKeySet {
	k.mu.Lock()
	defer k.mu.Unlock()
	var set jose.JSONWebKeySet
	for i := len(k.keys) - 1; i >= 0; i-- {
		key := k.keys[i]
		set.Keys = append(set.Keys, jose.JSONWebKey{
			Key: &key.private.PublicKey, KeyID: key.kid,
			Algorithm: string(jose.RS256), Use: "sig",
			Certificates:              []*x509.Certificate{key.cert},
			CertificateThumbprintSHA1: key.thumbprint[:],
		})
	}
	return set
}

// sign makes a compact JWT with the header that GitHub's tokens have.
func (k *signingKey) sign(claims []byte) (string, error) {
	opts := (&jose.SignerOptions{}).WithType("JWT").
		WithHeader("kid", k.kid).
		WithHeader("x5t", base64.RawURLEncoding.EncodeToString(k.thumbprint[:]))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: k.private}, opts)
	if err != nil {
		return "", fmt.Errorf("sandbox: cannot sign: %w", err)
	}
	jws, err := signer.Sign(claims)
	if err != nil {
		return "", fmt.Errorf("sandbox: cannot sign: %w", err)
	}
	return jws.CompactSerialize()
}
