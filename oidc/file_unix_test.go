//go:build unix

package oidc

import (
	"path/filepath"
	"syscall"
	"testing"
)

// A pipe without a writer would hold a careless reader for ever.
func TestFileDoesNotWaitForAPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip("no pipes here:", err)
	}
	wantError(t, second(fileSource(pipe).Token(t.Context(), "sts.example")), "not a regular file")
}
