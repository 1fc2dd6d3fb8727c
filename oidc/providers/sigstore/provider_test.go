package sigstore

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/fulcio"
	"github.com/stint-dev/stint/oidc/fulcio/fulciotest"
	"github.com/stint-dev/stint/oidc/providertest"
)

const signer = "https://github.com/acme/site/.github/workflows/release.yml@refs/heads/main"

// A stage is a stand-in, and the provider of a grant for it.
type stage struct {
	*fulciotest.Fulcio
	bench  *providertest.Bench
	server *providertest.Server
	p      oidc.Provider
}

func open(t *testing.T) *stage {
	t.Helper()
	b := providertest.NewBench(t)
	s := &stage{Fulcio: fulciotest.New(t, b.Verify, b.Cloud.Now), bench: b}
	s.server = providertest.NewServer(t, s.Fulcio)
	g := providertest.Grant(t, Name, "10m", "{ fulcio: "+s.server.URL+" }")
	var err error
	if s.p, err = New(g.Targets[0], g, Options{Now: b.Now, Sleep: b.Sleep}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stage) trade(t *testing.T) (*oidc.Credential, error) {
	t.Helper()
	return providertest.Trade(t, s.bench, s.p, 10*time.Minute)
}

func TestExchange(t *testing.T) {
	s := open(t)
	c, err := s.trade(t)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Vars) != 0 || len(c.Files) != 2 || c.Files[0].Name != KeyFile || c.Files[0].Var != KeyVar || c.Files[1].Name != CertFile || c.Files[1].Var != CertVar {
		t.Fatalf("variables %v, files %v", c.Vars, c.Files)
	}
	until := providertest.Start.Add(10 * time.Minute)
	if c.Identity != signer || !c.Expires.Equal(until) || !c.UsableUntil.Equal(until) || c.Facts[FactAttempts] != "1" || c.Facts[FactSerial] != "2" {
		t.Errorf("credential %+v", c)
	}
	if h := c.Handle; h.Provider != Name || h.Grant != "release" || h.Identity != signer || !h.Expires.Equal(until) || h.Revoke != "" || !strings.HasPrefix(h.ID, "sha256:") {
		t.Errorf("handle %+v", h)
	}
	providertest.Silent(t, keyLines(c.Files[0].Content), providertest.Shown(c)...)
}

// keyLines are the lines of a key, any of which would be too much to show.
func keyLines(key oidc.Secret) []string {
	lines := strings.Split(strings.TrimSpace(key.Reveal()), "\n")
	return lines[1 : len(lines)-1]
}

// Another reader of both files, which knows nothing of ours, finds a pair in them.
func TestFilesAreAPair(t *testing.T) {
	s := open(t)
	c, err := s.trade(t)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair([]byte(c.Files[1].Content.Reveal()), []byte(c.Files[0].Content.Reveal()))
	if err != nil || len(pair.Certificate) != 2 || !bytes.Equal(pair.Certificate[1], s.Root.Raw) {
		t.Fatalf("%d certificates, %v", len(pair.Certificate), err)
	}
	if _, ok := pair.PrivateKey.(*ecdsa.PrivateKey); !ok || !strings.HasPrefix(c.Files[0].Content.Reveal(), "-----BEGIN PRIVATE KEY-----\n") {
		t.Errorf("a key of type %T", pair.PrivateKey)
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.Root)
	if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: s.bench.Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}}); err != nil {
		t.Error(err)
	}
}

func TestEachExchangeHasAKeyOfItsOwn(t *testing.T) {
	s := open(t)
	s.server.Script(providertest.Fault{Status: 503}, providertest.Fault{Lose: true})
	one, err := s.trade(t)
	if err != nil {
		t.Fatal(err)
	}
	two, err := s.trade(t)
	if err != nil {
		t.Fatal(err)
	}
	if one.Files[0].Content.Reveal() == two.Files[0].Content.Reveal() || one.Facts[FactAttempts] != "3" || len(s.bench.Tokens()) != 4 {
		t.Errorf("attempts %s, %d tokens", one.Facts[FactAttempts], len(s.bench.Tokens()))
	}
}

func TestRefusalIsExplained(t *testing.T) {
	s := open(t)
	s.Audience = "another"
	_, err := s.trade(t)
	var e *oidc.Error
	if !errors.As(err, &e) || e.Stage != oidc.StageExchange || e.Status != 400 || e.Code != "identity-token" ||
		!strings.Contains(e.Hint, `audience "sigstore"`) || !strings.Contains(e.Hint, "acme/site/.github/workflows/release.yml") {
		t.Errorf("%+v", err)
	}
}

// A certificate that does not say what the id-token says goes no further.
func TestVerifyHoldsTheCertificateAgainstTheToken(t *testing.T) {
	state := func(number int, value string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { _ = fulciotest.State(c, number, value) }
	}
	name := func(path string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.URIs[0].Path = path }
	}
	for what, c := range map[string]struct {
		change func(*x509.Certificate)
		want   string
	}{
		"another issuer":     {state(8, "https://elsewhere.example"), "names the issuer"},
		"no issuer":          {func(c *x509.Certificate) { c.ExtraExtensions = nil }, "names the issuer"},
		"another repository": {name("/acme/other/.github/workflows/release.yml@refs/heads/main"), "a certificate for"},
		"another ref":        {name("/acme/site/.github/workflows/release.yml@refs/heads/next"), "a certificate for"},
		"below another path": {name("/x/acme/site/.github/workflows/release.yml@refs/heads/main"), "a certificate for"},
		"plain http":         {func(c *x509.Certificate) { c.URIs[0].Scheme = "http" }, "a certificate for"},
		"lives longer":       {func(c *x509.Certificate) { c.NotAfter = c.NotAfter.Add(time.Minute) }, "longer than the ttl"},
		"is yet to come":     {func(c *x509.Certificate) { c.NotBefore = c.NotBefore.Add(time.Minute) }, "not valid yet"},
		"is over":            {func(c *x509.Certificate) { c.NotAfter = c.NotBefore }, "already over"},
	} {
		s := open(t)
		s.Change = c.change
		_, err := s.trade(t)
		var e *oidc.Error
		if !errors.As(err, &e) || e.Stage != oidc.StageVerify || !strings.Contains(e.Message, c.want) {
			t.Errorf("%s: %+v", what, err)
		}
	}
}

// What was exchanged is what is handed over.
func TestVerifyReadsTheFiles(t *testing.T) {
	s := open(t)
	req := s.bench.Request(10 * time.Minute)
	foreign, err := s.trade(t)
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*oidc.Credential){
		"another key":       func(c *oidc.Credential) { c.Files[0].Content = foreign.Files[0].Content },
		"for another key":   func(c *oidc.Credential) { c.Files[0].Content = oidc.NewSecret("none") },
		"not a certificate": func(c *oidc.Credential) { c.Files[1].Content = c.Files[0].Content },
		"not when the cred": func(c *oidc.Credential) { c.Expires = c.Expires.Add(time.Second) },
		"a certificate for": func(c *oidc.Credential) { c.Identity = "https://github.com/acme/other" },
		"no credential":     func(c *oidc.Credential) { c.Files = c.Files[:1] },
		"the id-token is":   func(c *oidc.Credential) { delete(c.Facts, FactExpected) },
	} {
		c, err := s.trade(t)
		if err != nil {
			t.Fatal(err)
		}
		change(c)
		if err := s.p.Verify(c, req); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
	if s.p.Verify(nil, req) == nil {
		t.Error("nothing passes")
	}
}

func TestClocksMayDifferALittle(t *testing.T) {
	for _, d := range []time.Duration{-25 * time.Second, 25 * time.Second} {
		s := open(t)
		s.bench.Cloud.Pass(d)
		if _, err := s.trade(t); err != nil {
			t.Errorf("%s: %v", d, err)
		}
	}
}

func TestLifetimeIsOneOfTheGrant(t *testing.T) {
	s := open(t)
	for _, ttl := range []time.Duration{0, 9 * time.Minute, 11 * time.Minute} {
		if _, err := s.p.Exchange(t.Context(), s.bench.Request(ttl)); err == nil || len(s.bench.Tokens()) != 0 {
			t.Errorf("%s: %v", ttl, err)
		}
	}
}

func TestEndClaimsNoMoreThanIsTrue(t *testing.T) {
	s := open(t)
	c, err := s.trade(t)
	if err != nil {
		t.Fatal(err)
	}
	calls := len(s.server.Requests())
	e := s.p.End(t.Context(), c.Handle)
	if e.Outcome != oidc.Expires || !e.At.Equal(c.Expires) || !strings.Contains(e.Detail, "can sign until 2026-11-21T12:10:00Z") {
		t.Errorf("ending %+v", e)
	}
	s.bench.Pass(10 * time.Minute)
	if e := NewEnder(Options{Now: s.bench.Now}).End(t.Context(), c.Handle); e.Outcome != oidc.Expired || len(s.server.Requests()) != calls {
		t.Errorf("ending %+v", e)
	}
	if e := s.p.End(t.Context(), oidc.Handle{}); e.Outcome != oidc.Open {
		t.Errorf("ending %+v", e)
	}
}

func TestNew(t *testing.T) {
	for block, audience := range map[string]string{
		"{ fulcio: \"https://ca.example\" }":                         fulcio.Audience,
		"{ fulcio: \"https://ca.example/x\", audience: ca.example }": "ca.example",
		"{ fulcio: \"https://fulcio.sigstore.dev\", publish: true }": "sigstore",
	} {
		g := providertest.Grant(t, Name, "1h", block)
		if p, err := New(g.Targets[0], g, Options{}); err != nil || p.Name() != Name || p.Audience() != audience {
			t.Errorf("%s: %v, %v", block, p, err)
		}
	}
	for _, c := range []struct{ ttl, block, want string }{
		{"10m", "{ }", "fulcio is missing"},
		{"10m", "{ fulcio: \"http://ca.example\" }", "not https"},
		{"10m", "{ fulcio: \"https://fulcio.sigstore.dev\" }", "is public"},
		{"10m", "{ fulcio: \"https://fulcio.sigstore.dev\", publish: false }", "is public"},
		{"10m", "{ fulcio: \"https://ca.example\", publish: sure }", "true or false"},
		{"10m", "{ fulcio: \"https://ca.example\", audience: \"https://github.com/acme\" }", "without an audience"},
		{"10m", "{ fulcio: \"https://ca.example\", rekor: x }", "rekor"},
		{"9m", "{ fulcio: \"https://ca.example\" }", "ten minutes"},
	} {
		g := providertest.Grant(t, Name, c.ttl, c.block)
		_, err := New(g.Targets[0], g, Options{})
		var e *oidc.Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, c.want) || e.Hint == "" {
			t.Errorf("%s %s: %v", c.ttl, c.block, err)
		}
	}
}

// The name of another workload is its subject; of a job, its file below some server.
func TestNames(t *testing.T) {
	const file = "acme/site/.github/workflows/a.yml@refs/heads/feature#1"
	for identity, want := range map[string]string{
		"https://github.com/acme/site/.github/workflows/a.yml@refs/heads/feature%231":  file,
		"https://ghe.example/acme/site/.github/workflows/a.yml@refs/heads/feature%231": file,
		"spiffe://example.org/ci": "spiffe://example.org/ci",
	} {
		if !names(identity, want) {
			t.Errorf("%s is not %s", identity, want)
		}
	}
	for identity, want := range map[string]string{
		"https://github.com/acme/site/.github/workflows/a.yml@refs/heads/feature#1": file,
		"https://github.com/a?b":    "a",
		"https://u@github.com/a":    "a",
		"https:///a":                "a",
		"https://github.com/":       "",
		"":                          "",
		"spiffe://example.org/ci/x": "spiffe://example.org/ci",
	} {
		if names(identity, want) {
			t.Errorf("%s is %s", identity, want)
		}
	}
	job, _ := oidc.ParseClaims([]byte(`{"sub":"repo:a/b","job_workflow_ref":"a/b/c@d"}`))
	other, _ := oidc.ParseClaims([]byte(`{"sub":"spiffe://example.org/ci"}`))
	if expected(job) != "a/b/c@d" || expected(other) != "spiffe://example.org/ci" {
		t.Errorf("%q, %q", expected(job), expected(other))
	}
}

func TestPublicKey(t *testing.T) {
	for _, text := range []string{"", "none", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}}))} {
		if publicKey(oidc.NewSecret(text)) != nil {
			t.Errorf("%q is a key", text)
		}
	}
}
