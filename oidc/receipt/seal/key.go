package seal

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"

	common "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"

	"github.com/stint-dev/stint/oidc"
)

// A keypair signs with ECDSA on P-256 over SHA-256, the one algorithm that all parts of
// sigstore take.
type keypair struct {
	private *ecdsa.PrivateKey
	public  []byte // PKIX
}

// newKey makes a key for one signature.
func newKey() (*keypair, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, signError("no key could be made", err)
	}
	return keypairOf(private)
}

func keypairOf(private *ecdsa.PrivateKey) (*keypair, error) {
	public, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		return nil, signError("the key is of no use", nil)
	}
	return &keypair{private, public}, nil
}

// parseKey reads a private key of SEC 1 or PKCS 8 in PEM. Its errors never quote it.
func parseKey(text oidc.Secret) (*keypair, error) {
	bad := &oidc.Error{Message: "the signing key is not an ECDSA P-256 key in PEM",
		Hint: "make one with: openssl ecparam -name prime256v1 -genkey -noout -out receipts.key"}
	block, _ := pem.Decode([]byte(text.Reveal()))
	if block == nil {
		return nil, bad
	}
	private, err := x509.ParseECPrivateKey(block.Bytes)
	if err != nil {
		any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, bad
		}
		private, _ = any.(*ecdsa.PrivateKey)
	}
	if private == nil || private.Curve != elliptic.P256() {
		return nil, bad
	}
	return keypairOf(private)
}

// parsePublic reads a public key in PEM.
func parsePublic(text []byte) (*ecdsa.PublicKey, error) {
	if block, _ := pem.Decode(text); block != nil {
		if any, err := x509.ParsePKIXPublicKey(block.Bytes); err == nil {
			if public, ok := any.(*ecdsa.PublicKey); ok && public.Curve == elliptic.P256() {
				return public, nil
			}
		}
	}
	return nil, &oidc.Error{Message: "the key is not a public ECDSA P-256 key in PEM",
		Hint: "make it from the signing key with: openssl ec -in receipts.key -pubout -out receipts.pub"}
}

// hintOf names a public key in a bundle: the base64 of the sha256 of its PKIX form.
func hintOf(public []byte) string {
	sum := sha256.Sum256(public)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// The methods of a keypair of sigstore-go.

func (k *keypair) GetHashAlgorithm() common.HashAlgorithm { return common.HashAlgorithm_SHA2_256 }

func (k *keypair) GetSigningAlgorithm() common.PublicKeyDetails {
	return common.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256
}

func (k *keypair) GetHint() []byte { return []byte(hintOf(k.public)) }

func (k *keypair) GetKeyAlgorithm() string { return "ECDSA" }

func (k *keypair) GetPublicKey() crypto.PublicKey { return &k.private.PublicKey }

func (k *keypair) GetPublicKeyPem() (string, error) {
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: k.public})), nil
}

func (k *keypair) SignData(_ context.Context, data []byte) (signature, digest []byte, err error) {
	sum := sha256.Sum256(data)
	signature, err = ecdsa.SignASN1(rand.Reader, k.private, sum[:])
	return signature, sum[:], err
}
