package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/receipt/seal"
)

const (
	// signTimeout bounds a signature with all its calls. A log takes some seconds for its
	// entry; a cancelled job that is killed before has its receipts, unsigned.
	signTimeout = 20 * time.Second
	maxKeyBytes = 16 << 10
)

// signHelp is what a flag for the place of a signature says.
const signHelp = "sign by `PLACE`: fulcio=URL,tsa=URL[,rekor=URL], or key=FILE"

func receiptSignCommand(w world) *cobra.Command {
	var by, tokenFile string
	c := &cobra.Command{
		Use:   "sign FILE --by PLACE",
		Short: "sign the receipts that there are, while the job lasts",
		Long: `sign writes a sigstore bundle beside the receipts, over the file as it is: a
checkpoint, when more lines are to come. cosign verify-blob verifies it too.

By fulcio and tsa the signature is the job's own, with a certificate for its
id-token (audience sigstore) and a timestamp. A rekor is a transparency log.
Whoever reads such a log, or the log of a public Fulcio, reads the names of
repository, workflow and run: addresses of sigstore's public instance want
publish=yes beside them.

By key it is that of an ECDSA P-256 key in PEM, for places without a network.`,
		Example: `  stint receipt sign receipts.jsonl \
    --by fulcio=https://fulcio.acme.example,tsa=https://tsa.acme.example
  stint receipt sign receipts.jsonl --by key=receipts.key`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if by == "" {
				return usage("say by what, as in --by key=receipts.key", "sign wants a place")
			}
			source := venue{}.signing(w, tokenFile)
			s, err := newSigner(by, source)
			if err != nil {
				return err
			}
			if err := signReceipts(cmd.Context(), s, args[0]); err != nil {
				return err
			}
			fmt.Fprintf(w.stdout, "signed: %s\n", args[0]+bundleSuffix)
			return nil
		},
	}
	c.Flags().StringVar(&by, "by", "", signHelp)
	c.Flags().StringVar(&tokenFile, "token-file", "", "take the id-token from `FILE` instead of asking the runner")
	return c
}

// signing is where the id-token of a signature comes from.
func (v venue) signing(w world, tokenFile string) oidc.Source {
	if tokenFile != "" {
		return &oidc.File{Path: tokenFile, Now: w.now}
	}
	return oidc.NewRunner(oidc.RunnerOptions{Getenv: w.getenv, Now: w.now, Sleep: w.sleep, AllowLoopback: v.loopback})
}

// newSigner reads the place, and its key.
func newSigner(by string, source oidc.Source) (*seal.Signer, error) {
	place, err := seal.ParsePlace(by)
	if err != nil {
		return nil, asUsage(err)
	}
	var key []byte
	if place.KeyFile != "" {
		if key, err = readNamed(place.KeyFile, maxKeyBytes, "give the file with the signing key"); err != nil {
			return nil, err
		}
	}
	s, err := seal.NewSigner(place, oidc.NewSecret(string(key)), source, nil)
	if err != nil {
		return nil, asUsage(err)
	}
	return s, nil
}

// signReceipts signs a file as it is. A chain that is not whole is not signed.
func signReceipts(ctx context.Context, s *seal.Signer, path string) error {
	text, chain, err := readReceipts(path)
	if err != nil {
		return err
	}
	if len(chain.Breaks) > 0 || len(chain.Lines) == 0 {
		return &failure{exitFindings, fmt.Sprintf("the receipts in %q are not a whole chain", path), "look at it with: stint receipt verify FILE"}
	}
	ctx, cancel := context.WithTimeout(ctx, signTimeout)
	defer cancel()
	bundle, err := s.Sign(ctx, text)
	if err != nil {
		return err
	}
	if err := replaceFile(path+bundleSuffix, bundle); err != nil {
		return &failure{exitIncomplete, fmt.Sprintf("the signature cannot be written beside %q", path), "check the directory and the space left on the disk"}
	}
	return nil
}

// replaceFile writes a file whole or not at all. A link in its place is replaced.
func replaceFile(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
