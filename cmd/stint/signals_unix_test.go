//go:build unix

package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

var caughtByTrap = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}

// A signal reaches the command, which decides what to do; its status is stint's,
// and the lease is ended after it.
func TestExecPassesSignalsOn(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	trap := filepath.Join(dir, "trap")
	if err := os.Symlink(self, trap); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "stint.yml")
	if err := os.WriteFile(file, []byte(grants), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} { // a terminal sends SIGINT to the command itself
		var stderr strings.Builder
		cmd := exec.Cmd{Path: self, Args: []string{"stint", "sandbox", "run", "deploy-site", "--file", file, "--repository", "acme/site", "--", trap}, Env: os.Environ(), Dir: dir, Stderr: &stderr}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(out)
		if line, err := lines.ReadString('\n'); line != "ready\n" {
			t.Fatalf("%q, %v\n%s", line, err, stderr.String())
		}
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(lines)
		if want := "got " + s.String() + "\n"; err != nil || string(rest) != want {
			t.Errorf("%v: the command printed %q, want %q (%v)", s, rest, want, err)
		}
		_ = cmd.Wait()
		if got := cmd.ProcessState.ExitCode(); got != 42 {
			t.Errorf("%v: status %d, want the command's 42", s, got)
		}
		if !strings.Contains(stderr.String(), "stint: deploy-site: aws cannot end a session early") {
			t.Errorf("%v: the end of the lease is not told: %q", s, stderr.String())
		}
	}
}
