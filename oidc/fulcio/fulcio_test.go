package fulcio_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/fulcio"
	"github.com/stint-dev/stint/oidc/fulcio/fulciotest"
	"github.com/stint-dev/stint/oidc/providertest"
)

// A desk is a stand-in behind scripted faults, and who asks there.
type desk struct {
	*fulciotest.Fulcio
	bench  *providertest.Bench
	server *providertest.Server
	asks   fulcio.Authority
	key    *ecdsa.PrivateKey
}

func open(t *testing.T) *desk {
	t.Helper()
	b := providertest.NewBench(t)
	f := fulciotest.New(t, b.Verify, b.Cloud.Now)
	s := providertest.NewServer(t, f)
	address, err := fulcio.Address(s.URL+"/", false)
	if err != nil {
		t.Fatal(err)
	}
	return &desk{f, b, s, fulcio.Authority{Address: address, Options: fulcio.Options{Now: b.Now, Sleep: b.Sleep}}, fulciotest.NewKey(t)}
}

func (d *desk) certify(t *testing.T) (*fulcio.Issuance, error) {
	t.Helper()
	got, err := d.asks.Certify(t.Context(), d.bench, providertest.Run, d.key)
	if err != nil {
		providertest.Silent(t, d.bench.Tokens(), err)
	}
	return got, err
}

func TestCertificateStatesTheJob(t *testing.T) {
	for _, logged := range []bool{false, true} {
		d := open(t)
		d.Logged = logged
		got, err := d.certify(t)
		if err != nil {
			t.Fatal(err)
		}
		if got.Identity() != "https://github.com/acme/site/.github/workflows/release.yml@refs/heads/main" || got.Issuer() != d.bench.Issuer() {
			t.Errorf("identity %q, issuer %q", got.Identity(), got.Issuer())
		}
		if !got.IsFor(&d.key.PublicKey) || got.IsFor(&fulciotest.NewKey(t).PublicKey) || got.IsFor(nil) {
			t.Error("it does not tell its key from another")
		}
		if !got.Leaf.NotAfter.Equal(providertest.Start.Add(fulcio.Life)) || got.Attempts != 1 || got.Claims.Get("repository") != "acme/site" {
			t.Errorf("%+v", got)
		}
		again, err := fulcio.Parse(got.PEM())
		if err != nil || len(again.Chain) != 1 || !again.Leaf.Equal(got.Leaf) || !again.Chain[0].Equal(d.Root) {
			t.Errorf("it is not read again: %v", err)
		}
	}
}

// Only what may go better is tried again, and never with the same token.
func TestAttempts(t *testing.T) {
	busy := providertest.Fault{Status: 503, Body: "{}"}
	for name, c := range map[string]struct {
		faults []providertest.Fault
		calls  int
		ok     bool
	}{
		"busy twice":      {[]providertest.Fault{busy, {Status: 429, RetryAfter: "2"}}, 3, true},
		"broken lines":    {[]providertest.Fault{{Drop: true}, {Half: true}, {Lose: true}}, 4, true},
		"busy for ever":   {[]providertest.Fault{busy, busy, busy, busy, busy}, 4, false},
		"long left alone": {[]providertest.Fault{{Status: 429, RetryAfter: "600"}}, 1, false},
		"refused":         {[]providertest.Fault{{Status: 400, Body: "{}"}}, 1, false},
		"sent elsewhere":  {[]providertest.Fault{{Status: 307, Location: "https://elsewhere.example/"}}, 1, false},
		"of no use":       {[]providertest.Fault{{Status: 201, Body: "{}"}}, 1, false},
	} {
		d := open(t)
		d.server.Script(c.faults...)
		got, err := d.certify(t)
		tokens := d.bench.Tokens()
		if (err == nil) != c.ok || len(d.server.Requests()) != c.calls || c.ok && got.Attempts != c.calls {
			t.Errorf("%s: %v after %d calls", name, err, len(d.server.Requests()))
		}
		if slices.Sort(tokens); len(tokens) != c.calls || len(slices.Compact(tokens)) != c.calls {
			t.Errorf("%s: %d calls with %d tokens", name, c.calls, len(slices.Compact(tokens)))
		}
	}
}

// A source has its own retries.
func TestSourceThatFailsIsAskedOnce(t *testing.T) {
	d, s := open(t), &failing{}
	_, err := d.asks.Certify(t.Context(), s, providertest.Run, d.key)
	var e *oidc.Error
	if !errors.As(err, &e) || e.Stage != oidc.StageToken || s.asked != 1 || len(d.server.Requests()) != 0 {
		t.Errorf("%v after %d tries", err, s.asked)
	}
}

type failing struct{ asked int }

func (*failing) Name() string { return "failing" }

func (s *failing) Token(context.Context, string) (*oidc.Token, error) {
	s.asked++
	return nil, &oidc.Error{Stage: oidc.StageToken, Message: "busy", Hint: "later", Retryable: true}
}

func TestAttemptsEndWithTheirContext(t *testing.T) {
	d := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	d.server.Script(providertest.Fault{Hang: true, Then: cancel})
	if _, err := d.asks.Certify(ctx, d.bench, providertest.Run, d.key); !errors.Is(err, context.Canceled) || len(d.server.Requests()) != 1 {
		t.Errorf("%v after %d calls", err, len(d.server.Requests()))
	}
}

// The explanations of the recorded refusals.
func TestRefusals(t *testing.T) {
	const leak = "text-of-a-reply-0123456789"
	says := func(text string) string {
		b, _ := json.Marshal(map[string]any{"code": 3, "message": text, "details": []any{leak}})
		return string(b)
	}
	for _, c := range []struct {
		status     int
		body, code string
		want       string
	}{
		{400, says("There was an error processing the identity token"), "identity-token", "does not list the issuer"},
		{400, says("The signature supplied in the request could not be verified"), "proof-of-possession", "another claim"},
		{400, says("The public key supplied in the request is insecure"), "public-key", "P-256"},
		{400, says(leak), "", "most likely first"},
		{401, leak, "", "most likely first"},
		{404, leak, "", "not that of a Fulcio"},
		{500, says("Error entering certificate in CTL"), "certificate-log", "certificate log"},
		{503, leak, "", "later"},
	} {
		d := open(t)
		fault := providertest.Fault{Status: c.status, Body: c.body}
		d.server.Script(fault, fault, fault, fault)
		_, err := d.certify(t)
		var e *oidc.Error
		if !errors.As(err, &e) || e.Status != c.status || e.Code != c.code || e.Stage != oidc.StageExchange || !strings.Contains(e.Hint, c.want) {
			t.Errorf("%d %s: %+v", c.status, c.body, err)
			continue
		}
		if c.status < 500 && !strings.Contains(e.Hint, "presented: issuer "+`"`+d.bench.Issuer()) {
			t.Errorf("%d: the claims are not told: %s", c.status, e.Hint)
		}
		providertest.Silent(t, []string{leak}, err)
	}
}

// What the stand-in itself refuses: it verifies, and so does the real one.
func TestTokenOfAnotherAudienceIsRefused(t *testing.T) {
	d := open(t)
	d.asks.Audience = "elsewhere"
	_, err := d.certify(t)
	var e *oidc.Error
	if !errors.As(err, &e) || e.Code != "identity-token" || !strings.Contains(e.Hint, `audience "elsewhere"`) {
		t.Errorf("%+v", err)
	}
}

func TestPublicInstanceKnowsOneIssuer(t *testing.T) {
	d := open(t)
	address, err := fulcio.Address("https://fulcio.sigstore.dev", true)
	if err != nil {
		t.Fatal(err)
	}
	own, _ := url.Parse(d.server.URL)
	d.asks.Address, d.asks.Options.Transport = address, sendTo{own}
	d.Audience = "another"
	_, err = d.certify(t)
	var e *oidc.Error
	if !errors.As(err, &e) || !strings.Contains(e.Hint, "most likely first: of GitHub's issuers") {
		t.Errorf("%+v", err)
	}
}

// sendTo carries calls for any host to one.
type sendTo struct{ *url.URL }

func (s sendTo) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = s.Scheme, s.Host
	return http.DefaultTransport.RoundTrip(r)
}

// What is not a certificate for the key, from an authority that keeps to its own chain,
// goes no further.
func TestRepliesOfNoUse(t *testing.T) {
	for want, spoil := range map[string]func(*desk){
		"another key":        func(d *desk) { d.Key = &fulciotest.NewKey(t).PublicKey },
		"not one for sign":   func(d *desk) { d.Change = func(c *x509.Certificate) { c.ExtKeyUsage = nil } },
		"for signing code":   func(d *desk) { d.Change = func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true } },
		"not exactly one":    func(d *desk) { d.Change = func(c *x509.Certificate) { c.URIs = append(c.URIs, c.URIs[0]) } },
		"exactly one name":   func(d *desk) { d.Change = func(c *x509.Certificate) { c.DNSNames = []string{"github.com"} } },
		"has not exactly":    func(d *desk) { d.Change = func(c *x509.Certificate) { c.URIs = nil } },
		"no certificate":     func(d *desk) { d.server.Script(providertest.Fault{Status: 200, Body: "[]"}) },
		"not a list of cert": func(d *desk) { d.server.Script(providertest.Fault{Status: 200, Body: chainOf("x")}) },
		"too many": func(d *desk) {
			root := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: d.Root.Raw}))
			d.server.Script(providertest.Fault{Status: 200, Body: chainOf(strings.Repeat(root, 9))})
		},
	} {
		d := open(t)
		spoil(d)
		got, err := d.certify(t)
		var e *oidc.Error
		if !errors.As(err, &e) || e.Stage != oidc.StageVerify || e.Hint == "" || !strings.Contains(e.Message, want) || got != nil {
			t.Errorf("want %q: %+v", want, err)
		}
	}
}

func TestChainOfAnotherAuthorityIsRefused(t *testing.T) {
	other, _ := fulciotest.Authority(t, "other")
	got, err := open(t).certify(t)
	if err != nil {
		t.Fatal(err)
	}
	got.Chain = []*x509.Certificate{other}
	if _, err := fulcio.Parse(got.PEM()); err == nil || !strings.Contains(err.Error(), "each by the next") {
		t.Errorf("%v", err)
	}
}

func chainOf(text string) string {
	b, _ := json.Marshal(map[string]any{"signedCertificateDetachedSct": map[string]any{"chain": map[string]any{"certificates": []string{text}}}})
	return string(b)
}

func TestIssuerOfAnOldCertificate(t *testing.T) {
	d := open(t)
	d.Change = func(c *x509.Certificate) {
		last := len(fulcioIssuer) - 1
		for i, e := range c.ExtraExtensions {
			if e.Id.Equal(fulcioIssuer) {
				c.ExtraExtensions[i].Id = append(slices.Clone(e.Id[:last]), 1)
				c.ExtraExtensions[i].Value = []byte("https://old.example")
			}
		}
	}
	got, err := d.certify(t)
	if err != nil || got.Issuer() != "https://old.example" {
		t.Errorf("%v, %v", got, err)
	}
	d.Change = func(c *x509.Certificate) { c.ExtraExtensions = nil }
	if got, err = d.certify(t); err != nil || got.Issuer() != "" {
		t.Errorf("%v, %v", got, err)
	}
}

var fulcioIssuer = []int{1, 3, 6, 1, 4, 1, 57264, 1, 8}

func TestAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"https://ca.example":           "https://ca.example",
		"https://ca.example/below/":    "https://ca.example/below",
		"http://127.0.0.1:5555":        "http://127.0.0.1:5555",
		"http://[::1]:5555":            "http://[::1]:5555",
		"http://localhost:5555/x":      "http://localhost:5555/x",
		"https://notsigstore.dev":      "https://notsigstore.dev",
		"https://sigstore.dev.example": "https://sigstore.dev.example",
	} {
		if got, err := fulcio.Address(text, false); err != nil || got.String() != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"": "not an URL", "ca.example": "not an URL", "https://": "not an URL", "https://u:pass@ca.example": "not an URL", "https://ca.example?x": "not an URL",
		"https://ca.example?": "not an URL", "https://ca.example#x": "not an URL", "https://:443": "not an URL",
		"http://ca.example": "not https", "ftp://127.0.0.1": "not https", "http://localhost.example": "not https",
		"https://fulcio.sigstore.dev": "is public", "https://Fulcio.Sigstore.Dev.": "is public", "https://sigstore.dev": "is public",
	} {
		got, err := fulcio.Address(text, false)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "pass") {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	if _, err := fulcio.Address("https://fulcio.sigstore.dev", true); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	root, key := fulciotest.Authority(f, "fuzz")
	leaf := fulciotest.Issue(f, &x509.Certificate{SerialNumber: big.NewInt(2), URIs: []*url.URL{{Scheme: "https", Host: "github.com", Path: "/a/b"}},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}}, root, &key.PublicKey, key)
	f.Add((&fulcio.Certificate{Leaf: leaf, Chain: []*x509.Certificate{root}}).PEM())
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := fulcio.Parse(text)
		if err != nil {
			return
		}
		c.Issuer()
		if again, err := fulcio.Parse(c.PEM()); err != nil || again.Identity() != c.Identity() || c.Identity() == "" {
			t.Errorf("%v, %v", again, err)
		}
	})
}
