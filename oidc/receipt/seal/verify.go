package seal

import (
	"bytes"
	"crypto"
	"errors"
	"strconv"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/receipt"
)

// Limits of what is read.
const (
	MaxBundleBytes = 1 << 20
	MaxTrustBytes  = 4 << 20 // sigstore's public trusted root has some ten KiB
)

// Trust is what a signature has to hold against: either a key, or authorities with an
// identity and its issuer.
type Trust struct {
	Key []byte // public, in PEM

	Root     []byte // a trusted_root.json of sigstore
	Identity string // of the certificate: the URL of a workflow at a ref
	Issuer   string // of the id-token
}

// A Seal is a signature that holds.
type Seal struct {
	Lines int // how many it covers, from the first on
	// Identity, Issuer and At are of a signature with a certificate: whose it is, and when
	// a timestamp authority, or a log, saw it.
	Identity, Issuer string
	At               time.Time
	// Logged says that an entry of a transparency log was verified.
	Logged bool
	// Agrees names the claims of the receipts that the certificate states as well.
	Agrees []string
}

// Verify verifies a bundle over a file of receipts, or over its first lines, and that the
// claims in the receipts are those of the certificate. chain is what [receipt.Read] read
// of the file.
func Verify(text, file []byte, chain *receipt.Chain, trust Trust) (*Seal, error) {
	b := &bundle.Bundle{}
	if len(text) > MaxBundleBytes || b.UnmarshalJSON(text) != nil {
		return nil, sealError("the file beside the receipts is not a sigstore bundle", nil)
	}
	lines, end, err := covered(b, chain)
	if err != nil {
		return nil, err
	}
	artifact := verify.WithArtifact(bytes.NewReader(file[:end]))
	if trust.Key != nil {
		return verifyKey(b, artifact, trust.Key, lines)
	}
	s, stated, err := verifyCertificate(b, artifact, trust)
	if err != nil {
		return nil, err
	}
	s.Lines = lines
	s.Agrees, err = agree(stated, chain.Lines[:lines])
	return s, err
}

// covered finds the lines that the bundle says it is over. Whether it is, is verified
// after.
func covered(b *bundle.Bundle, chain *receipt.Chain) (lines int, end int64, err error) {
	content, err := b.SignatureContent()
	if err != nil || content.MessageSignatureContent() == nil {
		return 0, 0, sealError("the bundle does not sign a file", nil)
	}
	lines, ok := chain.Signed(content.MessageSignatureContent().Digest())
	if !ok {
		return 0, 0, sealError("neither the receipts nor their first lines are what was signed", nil)
	}
	return lines, chain.Lines[lines-1].End, nil
}

func verifyKey(b *bundle.Bundle, artifact verify.ArtifactPolicyOption, text []byte, lines int) (*Seal, error) {
	public, err := parsePublic(text)
	if err != nil {
		return nil, err
	}
	v, err := signature.LoadVerifier(public, crypto.SHA256)
	if err != nil {
		return nil, sealError("the key is of no use", nil)
	}
	trusted := root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) {
		return root.NewExpiringKey(v, time.Time{}, time.Time{}), nil // the one key, whatever name the bundle has for it
	})
	verifier, err := verify.NewVerifier(trusted, verify.WithNoObserverTimestamps())
	if err != nil {
		return nil, sealError("the key is of no use", err)
	}
	if _, err := verifier.Verify(b, verify.NewPolicy(artifact, verify.WithKey())); err != nil {
		return nil, sealError("the signature is not of this key", err)
	}
	return &Seal{Lines: lines}, nil
}

func verifyCertificate(b *bundle.Bundle, artifact verify.ArtifactPolicyOption, trust Trust) (*Seal, statement, error) {
	if len(trust.Root) > MaxTrustBytes {
		return nil, nil, errTrust
	}
	trusted, err := root.NewTrustedRootFromJSON(trust.Root)
	if err != nil {
		return nil, nil, errTrust
	}
	if trust.Identity == "" || trust.Issuer == "" {
		return nil, nil, sealError("nobody said whose signature it has to be", nil)
	}
	expected, err := verify.NewShortCertificateIdentity(trust.Issuer, "", trust.Identity, "")
	if err != nil {
		return nil, nil, sealError("the expected identity is none", nil)
	}
	entries, err := b.TlogEntries()
	if err != nil {
		return nil, nil, sealError("an entry of a transparency log in the bundle cannot be read", err)
	}
	logged := len(entries) > 0 && len(trusted.RekorLogs()) > 0
	verifier, err := verify.NewVerifier(trusted, options(trusted, logged)...)
	if err != nil {
		return nil, nil, sealError("the trusted root is of no use", err)
	}
	result, err := verifier.Verify(b, verify.NewPolicy(artifact, verify.WithCertificateIdentity(expected)))
	if err != nil {
		return nil, nil, explain(err)
	}
	summary := result.Signature.Certificate
	return &Seal{Identity: summary.SubjectAlternativeName, Issuer: summary.Issuer, At: result.VerifiedTimestamps[0].Timestamp.UTC(), Logged: logged},
		statementOf(summary), nil
}

// options demand a time that somebody trusted gives, an entry of a log where the bundle
// has one, and a certificate log's promise where the trusted root knows such a log.
func options(trusted *root.TrustedRoot, logged bool) []verify.VerifierOption {
	opts := []verify.VerifierOption{verify.WithObserverTimestamps(1)}
	if logged {
		opts = append(opts, verify.WithTransparencyLog(1))
	}
	if len(trusted.CTLogs()) > 0 {
		opts = append(opts, verify.WithSignedCertificateTimestamps(1))
	}
	return opts
}

// explain says in our words what the library found.
func explain(err error) error {
	var identity *verify.ErrNoMatchingCertificateIdentity
	if errors.As(err, &identity) {
		return sealError("it is the signature of another identity or issuer", err)
	}
	return sealError("the signature does not hold", err)
}

var errTrust = &oidc.Error{Message: "the trusted root is not one of sigstore's",
	Hint: "make one for your own instance with: cosign trusted-root create"}

// maxReason bounds what an error repeats of the library's, which may quote the bundle.
const maxReason = 300

func sealError(what string, err error) error {
	message := what
	if err != nil {
		text := err.Error()
		message += ": " + text[:min(len(text), maxReason)]
	}
	return &oidc.Error{Message: message,
		Hint: "treat what the receipts say as unknown, and ask the clouds' own logs: stint receipt reconcile"}
}

func quote(s string) string { return strconv.Quote(s[:min(len(s), maxReason)]) }
