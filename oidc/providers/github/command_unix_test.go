//go:build unix

package github

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain lets the test program play the program that signs.
func TestMain(m *testing.M) {
	if os.Getenv("STINT_TEST_SIGNER") == "" {
		os.Exit(m.Run())
	}
	key := func() *rsa.PrivateKey { b, _ := os.ReadFile(os.Getenv("STINT_TEST_SIGNER")); return parseKey(b) }()
	input, _ := io.ReadAll(os.Stdin)
	sum := sha256.Sum256(input)
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		os.Exit(1)
	}
	_, _ = os.Stdout.WriteString(base64.StdEncoding.EncodeToString(signature) + "\n")
}

func TestKeyCommandSigns(t *testing.T) {
	b := newTable(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("STINT_TEST_SIGNER", b.keyFile)
	if _, err := b.trade(t, b.provider(t, strings.Replace(appBlock, "key-file: $KEY", "key-command: [\""+self+"\"]", 1))); err != nil {
		t.Error(err)
	}
}

func TestKeyCommandsThatFail(t *testing.T) {
	script := filepath.Join(t.TempDir(), "sign")
	for body, want := range map[string]string{
		"exit 3":                              "failed",
		"echo " + bodyCanary + " >&2; exit 1": "failed",
		"echo '!!!'":                          "did not print",
		"true":                                "did not print",
		"yes":                                 "failed",
	} {
		if err := os.WriteFile(script, []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		b := newTable(t)
		p := b.provider(t, strings.Replace(appBlock, "key-file: $KEY", "key-command: [\""+script+"\"]", 1))
		if _, err := b.trade(t, p); err == nil || !strings.Contains(err.Error(), want) || len(b.Requests()) != 0 {
			t.Errorf("%s: %v", body, err)
		}
	}
}
