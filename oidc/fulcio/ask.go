package fulcio

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// Audience is that of the id-tokens that a Fulcio takes unless it is told otherwise.
const Audience = "sigstore"

// Life is how long a certificate lives: every Fulcio says the same (pkg/ca/common.go of
// sigstore/fulcio 1.8.8, read November 2026).
const Life = 10 * time.Minute

// Limits of one exchange.
const (
	maxTries    = 4
	allTimeout  = time.Minute // all attempts and the waits between them
	callTimeout = 10 * time.Second
)

// Options are what the calls take from outside. The zero value is for real use.
type Options = wire.Options

// An Authority is one Fulcio.
type Authority struct {
	// Address is one that [Address] took.
	Address *url.URL
	// Audience is that of the id-tokens; "" is [Audience].
	Audience string
	Options  Options
}

// An Issuance is a certificate, and how it came.
type Issuance struct {
	*Certificate
	// Claims are those of the id-token that was traded.
	Claims oidc.Claims
	// Attempts counts the calls, from 1.
	Attempts int
}

// Certify asks for a certificate for a key on P-256. It retries what a busy server or a
// broken line can cause, with a fresh id-token each time, for a minute at most. Errors
// are *oidc.Error, of the stage id-token where the source gave none.
func (a Authority) Certify(ctx context.Context, source oidc.Source, run oidc.Run, key *ecdsa.PrivateKey) (*Issuance, error) {
	a.Options = a.Options.WithDefaults()
	loop := wire.Loop{Options: a.Options, Tries: maxTries, Deadline: a.Options.Now().Add(allTimeout)}
	for {
		got, err := a.attempt(ctx, source, run, key)
		if err == nil {
			got.Attempts = loop.Attempts() + 1
			return got, nil
		}
		if err := loop.Next(ctx, err); err != nil {
			return nil, err
		}
	}
}

// attempt asks once, with an id-token of its own. What the source says of its own
// failure is final: it has its own retries.
func (a Authority) attempt(ctx context.Context, source oidc.Source, run oidc.Run, key *ecdsa.PrivateKey) (*Issuance, error) {
	tok, err := source.Token(ctx, cmp.Or(a.Audience, Audience))
	if err != nil {
		return nil, wire.Final(err)
	}
	r, err := a.request(tok, key)
	if err != nil {
		return nil, &oidc.Error{Stage: oidc.StageExchange, Message: "the request for a certificate could not be built", Hint: "report this"}
	}
	reply, err := wire.Caller{Options: a.Options, Stage: oidc.StageExchange, Run: run, Timeout: callTimeout}.Do(ctx, r)
	if err != nil {
		return nil, err
	}
	if !reply.Good() {
		return nil, a.refused(reply, tok.Claims)
	}
	c, err := readChain(reply.Body)
	if err != nil {
		return nil, a.useless(reply, err.Error())
	}
	if !c.IsFor(&key.PublicKey) {
		return nil, a.useless(reply, "the certificate is for another key")
	}
	return &Issuance{Certificate: c, Claims: tok.Claims}, nil
}

func (a Authority) useless(r *wire.Reply, why string) error {
	return &oidc.Error{Stage: oidc.StageVerify, Status: r.Status,
		Message: "the answer of " + a.Address.Host + " is of no use: " + why,
		Hint:    "nothing was handed over; check that the address is that of a Fulcio, and the proxy of the runner"}
}

// A signingRequest is what POST /api/v2/signingCert takes (fulcio.proto).
type signingRequest struct {
	PublicKeyRequest publicKeyRequest `json:"publicKeyRequest"`
}

type publicKeyRequest struct {
	PublicKey publicKey `json:"publicKey"`
	Proof     []byte    `json:"proofOfPossession"`
}

type publicKey struct {
	Algorithm string `json:"algorithm"`
	Content   string `json:"content"`
}

func (a Authority) request(tok *oidc.Token, key *ecdsa.PrivateKey) (*http.Request, error) {
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256([]byte(principal(tok.Claims)))
	proof, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(signingRequest{publicKeyRequest{Proof: proof, PublicKey: publicKey{Algorithm: "ECDSA",
		Content: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))}}})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequest(http.MethodPost, a.Address.String()+"/api/v2/signingCert", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+tok.Raw.Reveal())
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	return r, nil
}

// principal is the text that the proof of possession signs: the subject, or a verified
// e-mail address where the token is a person's (pkg/challenges of sigstore/fulcio).
func principal(c oidc.Claims) string {
	if c.Get("email") != "" && c.Get("email_verified") == "true" {
		return c.Get("email")
	}
	return c.Subject
}

// readChain reads the chain of a good reply. Where Fulcio writes certificates to a log,
// the log's promise is in the certificate; else it may stand beside it.
func readChain(body []byte) (*Certificate, error) {
	type signed struct {
		Chain struct {
			Certificates []string `json:"certificates"`
		} `json:"chain"`
	}
	var reply struct {
		Embedded signed `json:"signedCertificateEmbeddedSct"`
		Detached signed `json:"signedCertificateDetachedSct"`
	}
	_ = json.Unmarshal(body, &reply) // what is no such reply holds no certificate
	list := reply.Embedded.Chain.Certificates
	if len(list) == 0 {
		list = reply.Detached.Chain.Certificates
	}
	return Parse([]byte(strings.Join(list, "\n")))
}
