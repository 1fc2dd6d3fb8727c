package seal

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/fulcio/fulciotest"
	"github.com/stint-dev/stint/oidc/providertest"
)

// services stand in for a Fulcio and a timestamp authority, which go by the bench's clock
// of the cloud.
type services struct {
	*fulciotest.Fulcio
	bench      *providertest.Bench
	server     *httptest.Server
	tsa, tsaCA *x509.Certificate
	tsaKey     *ecdsa.PrivateKey
	mu         sync.Mutex
	stampAfter time.Duration // how late the authority's clock is
	answer     func(w http.ResponseWriter, r *http.Request) bool
}

func newServices(t *testing.T) *services {
	t.Helper()
	b := providertest.NewBench(t)
	s := &services{bench: b, Fulcio: fulciotest.New(t, b.Verify, b.Cloud.Now)}
	var tsaRootKey *ecdsa.PrivateKey
	s.tsaCA, tsaRootKey = fulciotest.Authority(t, "clock")
	s.tsaKey = fulciotest.NewKey(t)
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	check(t, err)
	s.tsa = fulciotest.Issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(3), NotBefore: providertest.Start.AddDate(-1, 0, 0), NotAfter: providertest.Start.AddDate(5, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, Subject: pkix.Name{CommonName: "clock leaf"},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}},
	}, s.tsaCA, &s.tsaKey.PublicKey, tsaRootKey)
	mux := http.NewServeMux()
	mux.Handle("POST "+fulciotest.Path, s.Fulcio)
	mux.HandleFunc("POST /tsa", func(w http.ResponseWriter, r *http.Request) { s.stamp(t, w, r) })
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
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
		[]root.CertificateAuthority{&root.FulcioCertificateAuthority{Root: s.Root, ValidityPeriodStart: from, ValidityPeriodEnd: to, URI: s.server.URL}}, nil,
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
	k := fulciotest.NewKey(t)
	der, err := x509.MarshalPKCS8PrivateKey(k)
	check(t, err)
	pub, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	check(t, err)
	return oidc.NewSecret(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))),
		pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub})
}
