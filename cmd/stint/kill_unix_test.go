//go:build linux

package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Killed without a last word, exec leaves its private files, which the next start
// removes and names; a run that lives keeps its own.
func TestNextStartSweepsAKilledRun(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, temp := t.TempDir(), t.TempDir()
	trap, file := filepath.Join(dir, "trap"), filepath.Join(dir, "stint.yml")
	if err := os.Symlink(self, trap); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(grants), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"stint", "sandbox", "run", "deploy-site", "--mode", "file", "--file", file, "--repository", "acme/site", "--"}
	cmd := exec.Cmd{Path: self, Args: append(args, trap), Env: append(os.Environ(), "RUNNER_TEMP="+temp), Dir: dir,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true}}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if kept, _ := os.ReadDir(temp); len(kept) != 1 {
		t.Fatalf("%d directories while it runs", len(kept))
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // our own group: stint and its command
	_ = cmd.Wait()

	var stderr strings.Builder
	next := exec.Cmd{Path: self, Args: append(args, "/bin/true"), Env: append(os.Environ(), "RUNNER_TEMP="+temp), Dir: dir, Stderr: &stderr}
	if err := next.Run(); err != nil || !strings.Contains(stderr.String(), "stint: removed the private files of a run that was killed: "+temp) {
		t.Errorf("%v\n%s", err, stderr.String())
	}
	if left, _ := os.ReadDir(temp); len(left) != 0 {
		t.Errorf("%d directories are left", len(left))
	}
}
