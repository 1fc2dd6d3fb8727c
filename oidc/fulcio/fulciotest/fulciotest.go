// Package fulciotest stands in for a Fulcio. It verifies the token (signature, issuer,
// audience, times) and the proof that its bearer has the key, and states of the job what
// the real one states (fulcio docs/oid-info.md).
package fulciotest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providertest"
)

// Path is where a certificate is asked for.
const Path = "/api/v2/signingCert"

// A Fulcio is the stand-in. Its fields may be set until it is first asked.
type Fulcio struct {
	// Verify verifies a token, Audience is whose tokens are taken, and Now is the clock.
	Verify   func(raw, audience string) (oidc.Claims, error)
	Audience string
	Now      func() time.Time
	// Root signs the certificates.
	Root *x509.Certificate
	// Logged answers as an instance with a certificate log does.
	Logged bool
	// Bare makes a certificate that states the issuer alone, as for any other issuer.
	Bare bool
	// Change spoils the certificate before it is signed; Key makes it one for another key.
	Change func(*x509.Certificate)
	Key    *ecdsa.PublicKey

	key *ecdsa.PrivateKey
}

// New makes a Fulcio for the audience sigstore.
func New(t testing.TB, verify func(raw, audience string) (oidc.Claims, error), now func() time.Time) *Fulcio {
	t.Helper()
	root, key := Authority(t, "signers")
	return &Fulcio{Verify: verify, Audience: "sigstore", Now: now, Root: root, key: key}
}

// ServeHTTP answers at [Path], with the refusals of the real one.
func (f *Fulcio) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.URL.Path != Path {
		http.NotFound(w, r)
		return
	}
	raw, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	claims, err := f.Verify(raw, f.Audience)
	if err != nil { // a careless server would say which token it was
		refuse(w, "There was an error processing the identity token "+raw)
		return
	}
	public, proof, err := request(r)
	if err != nil {
		refuse(w, "The public key supplied in the request could not be parsed")
		return
	}
	if digest := sha256.Sum256([]byte(claims.Subject)); !ecdsa.VerifyASN1(public, digest[:], proof) {
		refuse(w, "The signature supplied in the request could not be verified")
		return
	}
	leaf, err := f.certificate(claims, public)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	kind := "signedCertificateDetachedSct"
	if f.Logged {
		kind = "signedCertificateEmbeddedSct"
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{kind: map[string]any{"chain": map[string]any{
		"certificates": []string{encode(leaf), encode(f.Root.Raw)}}}})
}

// refuse answers in the shape of a gRPC gateway.
func refuse(w http.ResponseWriter, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]any{"code": 3, "message": message, "details": []any{}})
}

func request(r *http.Request) (public *ecdsa.PublicKey, proof []byte, err error) {
	var req struct {
		PublicKeyRequest struct {
			PublicKey         struct{ Algorithm, Content string }
			ProofOfPossession []byte
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		return nil, nil, err
	}
	block, _ := pem.Decode([]byte(req.PublicKeyRequest.PublicKey.Content))
	if block == nil {
		return nil, nil, fmt.Errorf("no key")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, nil, err
	}
	public, ok := parsed.(*ecdsa.PublicKey)
	if !ok || req.PublicKeyRequest.PublicKey.Algorithm != "ECDSA" {
		return nil, nil, fmt.Errorf("not an ECDSA key")
	}
	return public, req.PublicKeyRequest.ProofOfPossession, nil
}

// certificate signs one of ten minutes.
func (f *Fulcio) certificate(c oidc.Claims, public *ecdsa.PublicKey) ([]byte, error) {
	san, err := url.Parse(github + c.Get("job_workflow_ref"))
	if err != nil {
		return nil, err
	}
	now := f.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), URIs: []*url.URL{san}, NotBefore: now, NotAfter: now.Add(10 * time.Minute),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	}
	stated := map[int]string{8: c.Issuer}
	if !f.Bare {
		stated = statements(c)
	}
	for number, value := range stated {
		if err := State(template, number, value); err != nil {
			return nil, err
		}
	}
	if f.Change != nil {
		f.Change(template)
	}
	if f.Key != nil {
		public = f.Key
	}
	return x509.CreateCertificate(rand.Reader, template, f.Root, public, f.key)
}

const github = "https://github.com/"

func statements(c oidc.Claims) map[int]string {
	return map[int]string{
		8: c.Issuer, 9: github + c.Get("job_workflow_ref"), 10: c.Get("job_workflow_sha"), 11: c.Get("runner_environment"),
		12: github + c.Get("repository"), 13: c.Get("sha"), 14: c.Get("ref"), 15: c.Get("repository_id"),
		18: github + c.Get("workflow_ref"), 19: c.Get("workflow_sha"), 20: c.Get("event_name"),
		21: github + c.Get("repository") + "/actions/runs/" + c.Get("run_id") + "/attempts/" + c.Get("run_attempt"),
	}
}

// State sets the extension 1.3.6.1.4.1.57264.1.number of a certificate.
func State(c *x509.Certificate, number int, value string) error {
	der, err := asn1.MarshalWithParams(value, "utf8")
	if err != nil {
		return err
	}
	id := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, number}
	for i, e := range c.ExtraExtensions {
		if e.Id.Equal(id) {
			c.ExtraExtensions[i].Value = der
			return nil
		}
	}
	c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: id, Value: der})
	return nil
}

func encode(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// NewKey makes a key on P-256.
func NewKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Authority makes one that signs itself, for ten years around [providertest.Start].
func Authority(t testing.TB, name string) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key := NewKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: providertest.Start.AddDate(-1, 0, 0), NotAfter: providertest.Start.AddDate(9, 0, 0),
		KeyUsage: x509.KeyUsageCertSign,
	}
	return Issue(t, template, template, &key.PublicKey, key), key
}

// Issue signs a certificate.
func Issue(t testing.TB, template, parent *x509.Certificate, public any, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
