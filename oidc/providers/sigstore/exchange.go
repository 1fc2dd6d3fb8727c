package sigstore

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strconv"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/fulcio"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// The facts of a credential, by key.
const (
	FactIssuer   = "token_issuer"   // of the id-token that was traded
	FactExpected = "token_identity" // what the certificate has to name for that token
	FactSerial   = "serial"         // of the certificate, in hexadecimal
	FactAttempts = "attempts"
)

// The files of the hand-over, and the variables that get their paths.
const (
	KeyFile  = "signing.key" // PKCS 8 in PEM, without a password
	KeyVar   = "SIGNING_KEY_FILE"
	CertFile = "signing.crt" // the certificate, then those above it, in PEM
	CertVar  = "SIGNING_CERT_FILE"
)

// Exchange makes a key and asks for a certificate for it. It retries what a busy server
// or a broken line can cause, with a fresh id-token each time, for a minute at most. A try
// whose answer is lost may leave a certificate; its key is in this process only.
func (p *provider) Exchange(ctx context.Context, req oidc.Request) (*oidc.Credential, error) {
	if req.TTL < MinTTL || req.TTL > p.ttl {
		return nil, &oidc.Error{Stage: oidc.StageExchange,
			Message: fmt.Sprintf("a lifetime of %s is not within what grant %q gives", req.TTL, p.grant),
			Hint:    fmt.Sprintf("ask for %s to %s", MinTTL, p.ttl)}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, keyError()
	}
	got, err := p.authority.Certify(ctx, req.Source, req.Run, key)
	if err != nil {
		return nil, err
	}
	return p.credential(key, got)
}

func keyError() error {
	return &oidc.Error{Stage: oidc.StageExchange, Message: "no signing key could be made", Hint: "report this"}
}

func (p *provider) credential(key *ecdsa.PrivateKey, got *fulcio.Issuance) (*oidc.Credential, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, keyError()
	}
	expires, identity := got.Leaf.NotAfter.UTC(), got.Identity()
	return &oidc.Credential{
		Files: []oidc.PrivateFile{
			{Name: KeyFile, Var: KeyVar, Content: oidc.NewSecret(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))},
			{Name: CertFile, Var: CertVar, Content: oidc.NewSecret(string(got.PEM()))},
		},
		Identity: identity, Expires: expires, UsableUntil: expires,
		Facts: map[string]string{FactIssuer: got.Claims.Issuer, FactExpected: expected(got.Claims),
			FactSerial: got.Leaf.SerialNumber.Text(16), FactAttempts: strconv.Itoa(got.Attempts)},
		Handle: oidc.Handle{Provider: Name, Grant: p.grant, ID: wire.Digest(string(got.Leaf.Raw)), Identity: identity,
			Expires: expires, UsableUntil: expires},
	}, nil
}

// expected is what a certificate for a token names: the file that defines the job, below
// the address of the GitHub that runs it, or the subject of any other workload.
func expected(c oidc.Claims) string {
	if file := c.Get("job_workflow_ref"); file != "" {
		return file
	}
	return c.Subject
}
