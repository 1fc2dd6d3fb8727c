package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/stint-dev/stint/oidc/receipt"
)

// bundleSuffix is what the name of a signature has beyond that of the receipts.
const bundleSuffix = ".sigstore.json"

func receiptCommand(w world) *cobra.Command {
	c := &cobra.Command{
		Use:   "receipt",
		Short: "show, sign, verify and compare what was recorded",
		Long: `receipt reads the files that --receipts and the action write: a JSON line for
each decision, issuance, refresh and end, each with the hash of the line before
it.`,
	}
	c.AddCommand(receiptShowCommand(w), receiptVerifyCommand(w), receiptSignCommand(w), receiptReconcileCommand(w))
	return c
}

// readReceipts reads a file of receipts, as it is and as a chain.
func readReceipts(path string) ([]byte, *receipt.Chain, error) {
	text, err := readNamed(path, receipt.MaxFileBytes, "give the file that --receipts named, or the action's output receipts")
	if err != nil {
		return nil, nil, err
	}
	chain, err := receipt.Read(bytes.NewReader(text))
	return text, chain, err
}

// readNamed reads a file that the command line names.
func readNamed(path string, limit int64, hint string) ([]byte, error) {
	text, err := readBounded(machine{}, path, limit)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &failure{exitUsage, "there is no file " + strconv.Quote(path), hint}
	case err != nil:
		return nil, &failure{exitIncomplete, fmt.Sprintf("the file %q cannot be read: %s", path, reason(err)), hint}
	}
	return text, nil
}

// sayBreaks tells where a chain is not whole.
func sayBreaks(w world, chain *receipt.Chain) {
	for _, b := range chain.Breaks {
		fmt.Fprintf(w.stdout, "line %d: %s\n", b.Line, b.Text)
	}
}
