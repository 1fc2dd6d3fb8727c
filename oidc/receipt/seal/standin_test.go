package seal

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providertest"
)

// services stand in for a Fulcio and a timestamp authority. The Fulcio verifies the token
// (signature, issuer, audience, times) and the proof that its bearer has the key, and
// states of the job what the real one states. Both go by the bench's clock of the cloud.
type services struct {
	bench           *providertest.Bench
	server          *httptest.Server
	ca, tsa, tsaCA  *x509.Certificate
	caKey, tsaKey   *ecdsa.PrivateKey
	mu              sync.Mutex
	stampAfter      time.Duration // how late the authority's clock is
	withoutStatings bool          // a certificate as for any other issuer
	answer          func(w http.ResponseWriter, r *http.Request) bool
	asked           []string
}

func newServices(t *testing.T) *services {
	t.Helper()
	s := &services{bench: providertest.NewBench(t)}
	var tsaRootKey *ecdsa.PrivateKey
	s.ca, s.caKey = authority(t, "receipts")
	s.tsaCA, tsaRootKey = authority(t, "clock")
	s.tsaKey = newECDSA(t)
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	check(t, err)
	s.tsa = s.issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(3), NotBefore: providertest.Start.AddDate(-1, 0, 0), NotAfter: providertest.Start.AddDate(5, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, Subject: pkix.Name{CommonName: "clock leaf"},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}},
	}, s.tsaCA, &s.tsaKey.PublicKey, tsaRootKey)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v2/signingCert", func(w http.ResponseWriter, r *http.Request) { s.certificate(t, w, r) })
	mux.HandleFunc("POST /tsa", func(w http.ResponseWriter, r *http.Request) { s.stamp(t, w, r) })
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r.URL.Path)
		answer := s.answer
		s.mu.Unlock()
		if answer == nil || !answer(w, r) {
			mux.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.server.Close)
	return s
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newECDSA(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	return k
}

func authority(t testing.TB, name string) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key := newECDSA(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: providertest.Start.AddDate(-1, 0, 0), NotAfter: providertest.Start.AddDate(9, 0, 0),
		KeyUsage: x509.KeyUsageCertSign,
	}
	return (&services{}).issue(t, template, template, &key.PublicKey, key), key
}

func (s *services) issue(t testing.TB, template, parent *x509.Certificate, public any, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	check(t, err)
	c, err := x509.ParseCertificate(der)
	check(t, err)
	return c
}

func (s *services) certificate(t *testing.T, w http.ResponseWriter, r *http.Request) {
	raw, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	claims, err := s.bench.Verify(raw, Audience)
	if err != nil {
		http.Error(w, "no token of ours: "+raw, http.StatusBadRequest) // a careless server repeats it
		return
	}
	var req struct {
		PublicKeyRequest struct {
			PublicKey         struct{ Algorithm, Content string }
			ProofOfPossession []byte
		}
	}
	check(t, json.NewDecoder(r.Body).Decode(&req))
	block, _ := pem.Decode([]byte(req.PublicKeyRequest.PublicKey.Content))
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	check(t, err)
	subject := sha256.Sum256([]byte(claims.Subject))
	if !ecdsa.VerifyASN1(public.(*ecdsa.PublicKey), subject[:], req.PublicKeyRequest.ProofOfPossession) {
		http.Error(w, "no proof", http.StatusBadRequest)
		return
	}
	leaf := s.issue(t, s.template(t, claims), s.ca, public, s.caKey)
	w.Header().Set("Content-Type", "application/json")
	check(t, json.NewEncoder(w).Encode(map[string]any{"signedCertificateDetachedSct": map[string]any{"chain": map[string]any{
		"certificates": []string{string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw}))}}}}))
}

// template is a certificate of ten minutes that states what Fulcio states of a job.
func (s *services) template(t testing.TB, c oidc.Claims) *x509.Certificate {
	const github = "https://github.com/"
	san, err := url.Parse(github + c.Get("job_workflow_ref"))
	check(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), URIs: []*url.URL{san}, NotBefore: s.bench.Cloud.Now(), NotAfter: s.bench.Cloud.Now().Add(10 * time.Minute),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	}
	stated := map[int]string{8: c.Issuer}
	if !s.withoutStatings {
		for oid, value := range map[int]string{
			9: github + c.Get("job_workflow_ref"), 10: c.Get("job_workflow_sha"), 11: c.Get("runner_environment"),
			12: github + c.Get("repository"), 13: c.Get("sha"), 14: c.Get("ref"), 15: c.Get("repository_id"),
			18: github + c.Get("workflow_ref"), 19: c.Get("workflow_sha"), 20: c.Get("event_name"),
			21: github + c.Get("repository") + "/actions/runs/" + c.Get("run_id") + "/attempts/" + c.Get("run_attempt"),
		} {
			stated[oid] = value
		}
	}
	for oid, value := range stated {
		der, err := asn1.MarshalWithParams(value, "utf8")
		check(t, err)
		template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, oid}, Value: der})
	}
	return template
}

func (s *services) stamp(t *testing.T, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	check(t, err)
	req, err := timestamp.ParseRequest(body)
	check(t, err)
	ts := timestamp.Timestamp{
		HashAlgorithm: req.HashAlgorithm, HashedMessage: req.HashedMessage, Nonce: req.Nonce,
		Time: s.bench.Cloud.Now().Add(s.stampAfter), Policy: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 2},
		Certificates: []*x509.Certificate{s.tsaCA},
	}
	reply, err := ts.CreateResponseWithOpts(s.tsa, s.tsaKey, crypto.SHA256)
	check(t, err)
	w.Header().Set("Content-Type", "application/timestamp-reply")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(reply)
}

// place is where the services are.
func (s *services) place() Place {
	return Place{Fulcio: s.server.URL, Timestamp: s.server.URL + "/tsa"}
}

// trustedRoot is what somebody who trusts the services has.
func (s *services) trustedRoot(t testing.TB) []byte {
	t.Helper()
	from, to := providertest.Start.AddDate(-1, 0, 0), providertest.Start.AddDate(9, 0, 0)
	tr, err := root.NewTrustedRoot(root.TrustedRootMediaType01,
		[]root.CertificateAuthority{&root.FulcioCertificateAuthority{Root: s.ca, ValidityPeriodStart: from, ValidityPeriodEnd: to, URI: s.server.URL}}, nil,
		[]root.TimestampingAuthority{&root.SigstoreTimestampingAuthority{Root: s.tsaCA, Leaf: s.tsa, ValidityPeriodStart: from, ValidityPeriodEnd: to, URI: s.server.URL}}, nil)
	check(t, err)
	text, err := tr.MarshalJSON()
	check(t, err)
	return text
}

// trust is that in the bench's job.
func (s *services) trust(t testing.TB) Trust {
	return Trust{Root: s.trustedRoot(t), Identity: "https://github.com/acme/site/.github/workflows/release.yml@refs/heads/main", Issuer: s.bench.Issuer()}
}

// keyPEM gives a key and its public half.
func keyPEM(t testing.TB) (private oidc.Secret, public []byte) {
	t.Helper()
	k := newECDSA(t)
	der, err := x509.MarshalPKCS8PrivateKey(k)
	check(t, err)
	pub, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	check(t, err)
	return oidc.NewSecret(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))),
		pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub})
}
