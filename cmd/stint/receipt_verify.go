package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/oidc/receipt"
	"github.com/stint-dev/stint/oidc/receipt/seal"
	"github.com/stint-dev/stint/workflows"
)

type receiptVerifyOptions struct{ bundle, root, key, identity, issuer string }

func receiptVerifyCommand(w world) *cobra.Command {
	var o receiptVerifyOptions
	c := &cobra.Command{
		Use:   "verify FILE",
		Short: "verify the chain of receipts, and a signature over its head",
		Long: `verify checks that each line follows the one before it. With a key, or a trusted
root and whose signature it has to be, it verifies the sigstore bundle beside
the file, and that the claims in the receipts are those of the signing job.

The chain alone does not show that lines at the end are missing, or that the
last line, or all of it, was written anew: that takes a signature, or a head
kept elsewhere.

Exit status: 0 all of it holds, 1 it does not, 2 wrong use, 3 a file cannot be
read.`,
		Example: `  stint receipt verify receipts.jsonl
  stint receipt verify receipts.jsonl --key receipts.pub
  stint receipt verify receipts.jsonl --trusted-root trusted_root.json \
    --certificate-identity "$WORKFLOW_URL@refs/heads/main" \
    --certificate-oidc-issuer https://token.actions.githubusercontent.com`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return o.run(w, args[0]) },
	}
	c.Flags().StringVar(&o.bundle, "bundle", "", "the signature in `FILE` instead of in the receipts' name with "+bundleSuffix)
	c.Flags().StringVar(&o.root, "trusted-root", "", "the authorities to trust, sigstore's trusted_root.json in `FILE`")
	c.Flags().StringVar(&o.key, "key", "", "the public key to trust, PEM in `FILE`")
	c.Flags().StringVar(&o.identity, "certificate-identity", "", "whose signature it has to be: the `URL` of a workflow at a ref")
	c.Flags().StringVar(&o.issuer, "certificate-oidc-issuer", "", "the issuer of the job's token, an `URL`")
	return c
}

// signed reports whether a signature is to be verified, and whether what that takes is given.
func (o receiptVerifyOptions) signed() (bool, error) {
	byKey, byJob := o.key != "", o.root != "" && o.identity != "" && o.issuer != ""
	anything := o != receiptVerifyOptions{}
	if byKey && (o.root+o.identity+o.issuer != "") || anything && !byKey && !byJob {
		return false, usage("give --key, or --trusted-root with --certificate-identity and --certificate-oidc-issuer",
			"it is not said whose signature the receipts have to have")
	}
	return anything, nil
}

func (o receiptVerifyOptions) run(w world, path string) error {
	signed, err := o.signed()
	if err != nil {
		return err
	}
	text, chain, err := readReceipts(path)
	if err != nil {
		return err
	}
	if len(chain.Breaks) > 0 {
		fmt.Fprintf(w.stdout, "chain      broken: %d lines\n", len(chain.Lines))
		sayBreaks(w, chain)
		return errStatus(exitFindings)
	}
	if len(chain.Lines) == 0 {
		return &failure{exitFindings, fmt.Sprintf("%q holds no receipt, so there is nothing to verify", path), "find out who emptied it, or name the file that the job wrote"}
	}
	fmt.Fprintf(w.stdout, "chain      whole: %d lines\nhead       %s\n", len(chain.Lines), chain.Head())
	if !signed {
		fmt.Fprintln(w.stdout, "signature  not verified: lines missing at the end, or all written anew, do not show")
		return nil
	}
	s, err := o.seal(path, text, chain)
	if err != nil {
		return err
	}
	saySeal(w, s, len(chain.Lines))
	return nil
}

// seal verifies the signature. What does not hold is a finding; what cannot be read is not.
func (o receiptVerifyOptions) seal(path string, text []byte, chain *receipt.Chain) (*seal.Seal, error) {
	const hint = "give the signature with --bundle, and the key or the trusted root as a file"
	bundle, err := readNamed(cmp.Or(o.bundle, path+bundleSuffix), seal.MaxBundleBytes, hint)
	if err != nil {
		return nil, err
	}
	trust := seal.Trust{Identity: o.identity, Issuer: o.issuer}
	if o.key != "" {
		trust.Key, err = readNamed(o.key, seal.MaxTrustBytes, hint)
	} else {
		trust.Root, err = readNamed(o.root, seal.MaxTrustBytes, hint)
	}
	if err != nil {
		return nil, err
	}
	s, err := seal.Verify(bundle, text, chain, trust)
	if err != nil {
		return nil, &failure{exitFindings, err.Error(), nextStep(err)}
	}
	return s, nil
}

func saySeal(w world, s *seal.Seal, lines int) {
	fmt.Fprintf(w.stdout, "signature  holds over lines 1 to %d\n", s.Lines)
	if s.Identity != "" {
		fmt.Fprintf(w.stdout, "           of %s\n           issuer %s\n           at %s, by a timestamp authority or a log\n",
			workflows.Printable(s.Identity), workflows.Printable(s.Issuer), stamp(s.At))
		agreed := "the certificate states nothing that the receipts say"
		if len(s.Agrees) > 0 {
			agreed = "the certificate and the receipts have the same " + strings.Join(s.Agrees, ", ")
		}
		for i, line := range folded(agreed, terminalWidth(w)-len("claims     ")) {
			fmt.Fprintf(w.stdout, "%-11s%s\n", map[bool]string{true: "claims"}[i == 0], line)
		}
		if !s.Logged {
			fmt.Fprintln(w.stdout, "log        none was verified")
		}
	}
	if s.Lines < lines {
		fmt.Fprintf(w.stdout, "unsigned   lines %d to %d, written after the signature\n", s.Lines+1, lines)
	}
}
