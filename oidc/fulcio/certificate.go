package fulcio

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"slices"
)

// maxChain is the most certificates that a chain may have, the leaf included.
const maxChain = 8

// A Certificate is one with the chain above it.
type Certificate struct {
	Leaf *x509.Certificate
	// Chain begins with the certificate that signed the leaf. It may end in a root, and
	// may be empty.
	Chain []*x509.Certificate
}

// The extensions that name the issuer of the id-token: its text as a DER UTF8String, and
// the deprecated raw one (fulcio docs/oid-info.md).
var (
	issuerOID    = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 8}
	issuerRawOID = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 1}
)

// Parse reads a chain in PEM, the leaf first. Each must be signed by the next, and the
// leaf must be one for signing, with one name. An error is one line without any of the text.
func Parse(text []byte) (*Certificate, error) {
	var all []*x509.Certificate
	for rest := bytes.TrimSpace(text); len(rest) > 0; rest = bytes.TrimSpace(rest) {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" {
			return nil, errors.New("it is not a list of certificates in PEM")
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil || len(all) == maxChain {
			return nil, errors.New("a certificate of the chain cannot be read, or there are too many")
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, errors.New("it holds no certificate")
	}
	for i, c := range all[1:] {
		if all[i].CheckSignatureFrom(c) != nil {
			return nil, errors.New("the certificates are not signed each by the next")
		}
	}
	c := &Certificate{all[0], all[1:]}
	return c, c.check()
}

// check refuses a leaf that could sign certificates, or is for other uses than code.
func (c *Certificate) check() error {
	switch {
	case c.Leaf.IsCA || !slices.Contains(c.Leaf.ExtKeyUsage, x509.ExtKeyUsageCodeSigning):
		return errors.New("its first certificate is not one for signing code")
	case c.Identity() == "":
		return errors.New("its first certificate has not exactly one name")
	}
	return nil
}

// IsFor reports whether the certificate is for a key, which may be nil.
func (c *Certificate) IsFor(public *ecdsa.PublicKey) bool {
	own, ok := c.Leaf.PublicKey.(*ecdsa.PublicKey)
	return ok && public != nil && own.Equal(public)
}

// Identity returns the subject alternative name, an URL or an e-mail address, "" when
// there is not exactly one.
func (c *Certificate) Identity() string {
	l := c.Leaf
	var names []string
	for _, u := range l.URIs {
		names = append(names, u.String())
	}
	names = append(names, l.EmailAddresses...)
	if len(names) != 1 || len(l.DNSNames)+len(l.IPAddresses) > 0 {
		return ""
	}
	return names[0]
}

// Issuer returns the issuer of the id-token, as the certificate states it; "" when it
// does not.
func (c *Certificate) Issuer() string {
	raw := ""
	for _, e := range c.Leaf.Extensions {
		switch {
		case e.Id.Equal(issuerOID):
			var text string
			if rest, err := asn1.Unmarshal(e.Value, &text); err == nil && len(rest) == 0 {
				return text
			}
			return ""
		case e.Id.Equal(issuerRawOID):
			raw = string(e.Value)
		}
	}
	return raw
}

// PEM writes the leaf and its chain.
func (c *Certificate) PEM() []byte {
	var b bytes.Buffer
	for _, one := range append([]*x509.Certificate{c.Leaf}, c.Chain...) {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: one.Raw}) // to memory
	}
	return b.Bytes()
}
