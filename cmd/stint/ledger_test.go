package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/lease"
	"github.com/stint-dev/stint/oidc/receipt"
	"github.com/stint-dev/stint/oidc/receipt/seal"
)

// signingKey writes a key, and gives its path and its public half.
func signingKey(t *testing.T) (path string, public []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, errPrivate := x509.MarshalECPrivateKey(key)
	der, errPublic := x509.MarshalPKIXPublicKey(&key.PublicKey)
	path = filepath.Join(t.TempDir(), "receipts.key")
	errWrite := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}), 0o600)
	if errPrivate != nil || errPublic != nil || errWrite != nil {
		t.Fatal(errPrivate, errPublic, errWrite)
	}
	return path, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func TestLedgerSignsAtItsEnd(t *testing.T) {
	const canary = "--password=canary-argument-0123456789"
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	key, public := signingKey(t)
	for i, all := range []bool{false, true} {
		l, err := openLedger(path)
		if err != nil {
			t.Fatal(err)
		}
		l.runs([]string{"./deploy.sh", canary}, all)
		if err := l.signedBy("key="+key, nil); err != nil {
			t.Fatal(err)
		}
		record := l.of(oidc.Run{ID: "1"}, nil)
		record(lease.Event{Kind: lease.Issuance, At: time.Now(), Credential: &oidc.Credential{}})
		record(lease.Event{Kind: lease.End, At: time.Now()})
		var stderr bytes.Buffer
		if l.close(&stderr); stderr.Len() > 0 {
			t.Fatal(stderr.String())
		}
		text, chain, err := readReceipts(path)
		if err != nil || len(chain.Breaks) > 0 {
			t.Fatal(err, chain.Breaks)
		}
		bundle, _ := os.ReadFile(path + bundleSuffix)
		s, err := seal.Verify(bundle, text, chain, seal.Trust{Key: public})
		if err != nil || s.Lines != 2*(i+1) {
			t.Errorf("%+v, %v", s, err)
		}
		if got := chain.Lines[2*i].Event.Command; len(got) != 1+i || got[0] != "./deploy.sh" || strings.Contains(string(text), canary) != all {
			t.Errorf("command %q", got)
		}
		if chain.Lines[2*i+1].Event.Kind != receipt.End || chain.Lines[2*i+1].Event.Command != nil {
			t.Error("the end has the command again")
		}
	}
}

func TestLedgerSaysThatItIsNotSigned(t *testing.T) {
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	key, _ := signingKey(t)
	l, err := openLedger(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.signedBy("key="+key, nil); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	if l.close(&stderr); !strings.Contains(stderr.String(), "not a whole chain") { // there was nothing to record
		t.Errorf("stderr %q", stderr.String())
	}
	for place, path := range map[string]string{"key=" + key: "", "key=/none": path, "nonsense": path} {
		if err := (&ledger{path: path}).signedBy(place, nil); err == nil || statusOf(err) != exitUsage {
			t.Errorf("%s: %v", place, err)
		}
	}
}
