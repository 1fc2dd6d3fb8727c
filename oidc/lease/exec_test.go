package lease

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
)

// roleVar makes the test binary play a command under a lease. The name must not be
// one that ChildEnv removes.
const roleVar = "LEASE_TEST_ROLE"

func TestMain(m *testing.M) {
	role, arg, _ := strings.Cut(os.Getenv(roleVar), ":")
	if play, ok := roles[role]; ok {
		os.Exit(play(arg))
	}
	// Leases that a test leaves open have their records in here.
	temp, err := os.MkdirTemp("", "lease-test")
	if err != nil {
		panic(err)
	}
	_ = os.Setenv("TMPDIR", temp)
	status := m.Run()
	_ = os.RemoveAll(temp)
	os.Exit(status)
}

// roles are what the test binary can play.
var roles = map[string]func(arg string) int{
	"exit": func(arg string) int { n, _ := strconv.Atoi(arg); return n },
	"echo": func(string) int {
		in, _ := io.ReadAll(os.Stdin)
		fmt.Fprintf(os.Stdout, "out:%s", in)
		fmt.Fprintf(os.Stderr, "err:%s", os.Args[1:])
		return 0
	},
	"env": func(string) int { fmt.Print(strings.Join(os.Environ(), "\n")); return 0 },
	// waits for any signal, says so, and gives it as its status
	"trap": func(arg string) int {
		c := make(chan os.Signal, 1)
		signal.Notify(c)
		fmt.Println("ready")
		for {
			select {
			case s := <-c:
				if s.String() != arg { // the runtime's own signals
					continue
				}
				fmt.Println("got", s)
				return 42
			case <-time.After(20 * time.Second):
				return 43
			}
		}
	},
	"hang": func(string) int { fmt.Println("ready"); time.Sleep(20 * time.Second); return 43 },
}

// command is the test binary in a role.
func command(role string) Command {
	return Command{Args: []string{os.Args[0], "an argument"}, Env: append(os.Environ(), roleVar+"="+role), Stdout: io.Discard, Stderr: io.Discard}
}

func TestRunPassesTheStatusOnAndEndsTheLease(t *testing.T) {
	for _, status := range []int{0, 1, 7, 255} {
		s := newScene(t)
		l := s.mustOpen(t)
		s.journal = nil
		got, ended, err := l.Run(t.Context(), command(fmt.Sprintf("exit:%d", status)))
		if err != nil || got != status {
			t.Errorf("status %d, want %d: %v", got, status, err)
		}
		if !slices.Equal(s.journal, []string{"end two", "end one"}) || len(ended) != 2 || ended[0].Outcome != oidc.Revoked {
			t.Errorf("journal %v, endings %+v", s.journal, ended)
		}
	}
}

func TestRunPassesStreamsAndEnvironment(t *testing.T) {
	s := newScene(t)
	c := command("echo")
	var out, errOut bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader("input"), &out, &errOut
	if status, _, err := s.mustOpen(t).Run(t.Context(), c); status != 0 || err != nil {
		t.Fatal(status, err)
	}
	if out.String() != "out:input" || errOut.String() != "err:[an argument]" {
		t.Errorf("out %q, err %q", &out, &errOut)
	}

	s = newScene(t)
	c, out = command("env"), bytes.Buffer{}
	c.Env = append(c.Env, "ACTIONS_ID_TOKEN_REQUEST_TOKEN="+canaryToken, "ACTIONS_RUNTIME_TOKEN="+canaryToken, "AWS_SECRET_ACCESS_KEY=ambient")
	c.Stdout = &out
	if status, _, err := s.mustOpen(t).Run(t.Context(), c); status != 0 || err != nil {
		t.Fatal(status, err)
	}
	env := strings.Split(out.String(), "\n")
	if !slices.Contains(env, "ONE_SECRET="+canarySecret) || strings.Contains(out.String(), canaryToken) || strings.Contains(out.String(), "ambient") {
		t.Errorf("environment %q", env)
	}
}

func TestRunThatCannotStartEndsTheLease(t *testing.T) {
	file := t.TempDir() + "/plain"
	if err := os.WriteFile(file, []byte("not a program"), 0o600); err != nil {
		t.Fatal(err)
	}
	rows := map[string]struct {
		args   []string
		status int
	}{
		"nothing":        {nil, StatusNotFound},
		"unknown":        {[]string{"no-such-command-at-all"}, StatusNotFound},
		"unknown path":   {[]string{"/no/such/command"}, StatusNotFound},
		"not executable": {[]string{file}, StatusNotExecutable},
	}
	for name, row := range rows {
		s := newScene(t)
		l := s.mustOpen(t)
		s.journal = nil
		status, ended, err := l.Run(t.Context(), Command{Args: row.args, Env: os.Environ()})
		if status != row.status || err == nil || hintOf(err) == "" || len(ended) != 2 || len(s.journal) != 2 {
			t.Errorf("%s: status %d, %v, endings %v", name, status, err, ended)
		}
	}
}

func TestRunOfAnEndedLeaseHandsNothingOver(t *testing.T) {
	s := newScene(t)
	l := s.mustOpen(t)
	l.End(t.Context())
	var out bytes.Buffer
	c := command("env")
	c.Stdout = &out
	if _, _, err := l.Run(t.Context(), c); err != nil || strings.Contains(out.String(), canarySecret) {
		t.Errorf("%v, environment %q", err, &out)
	}
}

func TestCancelledContextStopsTheCommand(t *testing.T) {
	s := newScene(t)
	l := s.mustOpen(t)
	s.journal = nil
	ctx, cancel := context.WithCancel(t.Context())
	c := command("hang")
	c.Stdout = writerFunc(func(p []byte) (int, error) { cancel(); return len(p), nil }) // it is running
	start := time.Now()
	status, _, err := l.Run(ctx, c)
	if status == 0 || status == 43 || err != nil || time.Since(start) > 15*time.Second || len(s.journal) != 2 {
		t.Errorf("status %d after %s, %v, journal %v", status, time.Since(start), err, s.journal)
	}
}
