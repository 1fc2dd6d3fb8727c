//go:build unix

package lease

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
)

func init() {
	// kills itself, as a crash would
	roles["die"] = func(string) int { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} }
	// plays stint: runs the role in arg under a lease of its own and passes the status on
	roles["parent"] = func(arg string) int {
		ender := &fakeProvider{name: "one", journal: new([]string)}
		l := &Lease{grant: &grant.Grant{Name: "deploy-site"}, opts: Options{Observe: func(e Event) { fmt.Println("event", e.Kind) }, Now: func() time.Time { return noon }},
			held: []*held{{ender: ender, cred: &oidc.Credential{Handle: oidc.Handle{Provider: "one", Revoke: canaryRevoke}}}}}
		c := command(arg)
		c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
		status, _, err := l.Run(context.Background(), c)
		if err != nil {
			return 99
		}
		return status
	}
}

func TestStatusOfAKilledCommand(t *testing.T) {
	s := newScene(t)
	status, ended, err := s.mustOpen(t).Run(t.Context(), command("die"))
	if status != 128+9 || err != nil || len(ended) != 2 {
		t.Errorf("status %d, %v, endings %v", status, err, ended)
	}
}

// A process that plays stint gets a signal; its command must get it too, and the
// lease must end after the command did.
func TestSignalsArePassedOn(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), roleVar+"=parent:trap:"+s.String())
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal, as on a runner
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			var got []string
			for lines.Scan() {
				got = append(got, lines.Text())
				if lines.Text() == "ready" {
					_ = cmd.Process.Signal(s)
				}
			}
			_ = cmd.Wait()
			want := []string{"ready", "got " + s.String(), "event end"}
			if strings.Join(got, "|") != strings.Join(want, "|") || cmd.ProcessState.ExitCode() != 42 {
				t.Errorf("%q, status %d", got, cmd.ProcessState.ExitCode())
			}
		})
	}
}

func TestKeysOfATerminalAreNotSentTwice(t *testing.T) {
	for s, typed := range map[syscall.Signal]bool{syscall.SIGINT: true, syscall.SIGQUIT: true, syscall.SIGTERM: false, syscall.SIGHUP: false} {
		if passOn(s, true) == typed || !passOn(s, false) {
			t.Errorf("%s: %v with a terminal, %v without", s, passOn(s, true), passOn(s, false))
		}
	}
}

// A pipe in place of a file, which the next start would wait for at its other end.
func TestSweepWaitsForNoPipe(t *testing.T) {
	for _, name := range []string{ownerName, recordName} {
		temp := t.TempDir()
		d, err := NewDirectory(temp, "")
		if err != nil {
			t.Fatal(err)
		}
		_ = d.lock.Close()
		path := filepath.Join(d.Path(), name)
		_ = os.Remove(path)
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		swept := make(chan error, 1)
		go func() {
			_, err := Sweep(temp, "", time.Now(), func(State) { t.Errorf("%s: it ends something", name) })
			swept <- err
		}()
		select {
		case err := <-swept:
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("%s: it waits", name)
		}
	}
}
