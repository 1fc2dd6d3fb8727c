package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stint-dev/stint/oidc/sandbox"
)

// A victim is stint in a process of its own, in the job of a sandbox of this one, which
// says when a stage is reached and holds it there.
type victim struct {
	env     []string
	bearer  string // of the request for tokens
	dir     string
	temp    string
	reached chan struct{}
	once    sync.Once // closes reached
	after   func()    // the signal, what to do; nil is nothing
	out     bytes.Buffer
}

// Write takes what stint prints. A command that is ready is a stage, too.
func (v *victim) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("ready\n")) {
		v.reach()
	}
	return v.out.Write(p)
}

func (v *victim) reach() { v.once.Do(func() { close(v.reached) }) }

func newVictim(t *testing.T, stage sandbox.Endpoint) *victim {
	t.Helper()
	v := &victim{dir: t.TempDir(), temp: t.TempDir(), reached: make(chan struct{})}
	never := make(chan struct{}) // held until the client gives up
	opts := sandbox.Options{Fault: func(c sandbox.Call) *sandbox.Fault {
		if c.Endpoint != stage {
			return nil
		}
		v.reach()
		return &sandbox.Fault{Hold: never}
	}}
	f, err := parseGrants(".github/stint.yml", []byte(grants))
	if err != nil {
		t.Fatal(err)
	}
	if err := opts.AddGrants(f, sandbox.Repository{Name: "acme/site"}); err != nil {
		t.Fatal(err)
	}
	box, err := sandbox.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	job, err := box.Env(jobFor(f.Grants[0], "acme/site"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(v.dir, "stint.yml"), []byte(grants), 0o600); err != nil {
		t.Fatal(err)
	}
	v.env = append(os.Environ(), "RUNNER_TEMP="+v.temp, "INPUT_GRANT=deploy-site", "INPUT_FILE=stint.yml", "INPUT_MODE=file",
		"GITHUB_WORKSPACE="+v.dir, stsVariable+"="+box.STSURL(), storeVariable+"="+box.StoreURL())
	v.bearer = job["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
	for name, value := range job {
		v.env = append(v.env, name+"="+value)
	}
	for _, name := range []string{"GITHUB_ENV", "GITHUB_STATE", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"} {
		path := filepath.Join(v.dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		v.env = append(v.env, name+"="+path)
	}
	return v
}

// killedAt starts stint, sends a signal when the stage is reached, and waits.
func (v *victim) killedAt(t *testing.T, s syscall.Signal, args ...string) (status int, said string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Cmd{Path: self, Args: append([]string{"stint"}, args...), Env: v.env, Dir: v.dir, Stdout: v, Stderr: v,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true}} // no terminal, as on a runner
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(over)
	}()
	select {
	case <-v.reached:
	case <-over:
		t.Fatalf("it ended before the stage\n%s", v.out.String())
	}
	if err := cmd.Process.Signal(s); err != nil {
		t.Error(err)
	}
	if v.after != nil {
		v.after()
	}
	<-over
	return cmd.ProcessState.ExitCode(), v.out.String()
}

var stageArgs = map[string][]string{
	"exec": {"sandbox", "exec", "deploy-site", "--file", "stint.yml", "--mode", "file", "--", "touch", "witness"},
	"main": {"sandbox", "action", "main"},
}

// Stopped by a signal while it waits for the token, or for the cloud: the command does
// not run, the job has nothing, and no file is left. A kill leaves none either, because
// nothing is written before there is a credential; and a crash, which is what a quit
// makes of a Go program, prints all its stacks and no secret.
func TestSignalsAtEachStage(t *testing.T) {
	for _, stage := range []sandbox.Endpoint{sandbox.EndpointIssuer, sandbox.EndpointSTS} {
		for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGKILL} {
			for name, args := range stageArgs {
				t.Run(fmt.Sprint(name, "/", stage, "/", s), func(t *testing.T) {
					v := newVictim(t, stage)
					status, said := v.killedAt(t, s, args...)
					want := map[syscall.Signal]int{syscall.SIGINT: exitIncomplete, syscall.SIGTERM: exitIncomplete, syscall.SIGQUIT: 2, syscall.SIGKILL: -1}[s]
					if status != want || strings.Contains(said, "goroutine ") != (s == syscall.SIGQUIT) {
						t.Errorf("status %d\n%s", status, said)
					}
					if v.bearer == "" || strings.Contains(said, v.bearer) {
						t.Errorf("it shows the bearer:\n%s", said)
					}
					if state := settings(filepath.Join(v.dir, "GITHUB_STATE")); name == "exec" && len(state) > 0 || name == "main" && !slices.Equal(state, []string{"lease="}) {
						t.Errorf("the state is %q", state)
					}
					for _, file := range []string{"GITHUB_ENV", "GITHUB_OUTPUT"} {
						if b, err := os.ReadFile(filepath.Join(v.dir, file)); err != nil || len(b) > 0 {
							t.Errorf("%s holds %q, %v", file, b, err)
						}
					}
					if _, err := os.Stat(filepath.Join(v.dir, "witness")); err == nil {
						t.Error("the command ran")
					}
					if left, _ := filepath.Glob(filepath.Join(v.temp, "stint-lease-*")); len(left) > 0 {
						t.Errorf("left %v", left)
					}
				})
			}
		}
	}
}

// While the command runs a signal is the command's, whose end is stint's; nothing is
// left after it.
func TestSignalsWhileTheCommandRuns(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		v := newVictim(t, sandbox.EndpointStore)
		trap := filepath.Join(v.dir, "trap")
		if err := os.Symlink(self, trap); err != nil {
			t.Fatal(err)
		}
		status, said := v.killedAt(t, s, "sandbox", "exec", "deploy-site", "--file", "stint.yml", "--mode", "file", "--", trap)
		if status != 42 || !strings.Contains(said, "got "+s.String()) || !strings.Contains(said, "stint: deploy-site: aws cannot end a session early") {
			t.Errorf("%v: status %d\n%s", s, status, said)
		}
		if left, _ := filepath.Glob(filepath.Join(v.temp, "stint-lease-*")); len(left) > 0 {
			t.Errorf("%v: left %v", s, left)
		}
	}
}

// Nobody reads what stint says any more, as behind head: the command runs, its status is
// stint's, and nothing is left.
func TestExecUnread(t *testing.T) {
	v := newVictim(t, "")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = read.Close()
	cmd := exec.Cmd{Path: self, Args: []string{"stint", "sandbox", "exec", "deploy-site", "--file", "stint.yml", "--mode", "file", "-v", "--", "sh", "-c", "touch witness; exit 7"},
		Env: v.env, Dir: v.dir, Stdout: write, Stderr: write}
	_ = cmd.Run()
	_ = write.Close()
	if _, err := os.Stat(filepath.Join(v.dir, "witness")); err != nil || cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("%v, %v", cmd.ProcessState, err)
	}
	if left, _ := filepath.Glob(filepath.Join(v.temp, "stint-lease-*")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// A signal while post waits for the cloud does not keep it from ending the credential:
// that is what a cancelled job sends.
func TestPostOutlivesSignals(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		v := newVictim(t, sandbox.EndpointStore)
		var revoked, seen bool
		answer := make(chan struct{})
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !seen && strings.HasSuffix(r.URL.Path, "/revoke-self") {
				seen, revoked = true, r.Header.Get("X-Vault-Token") == "hvs.victim"
				v.reach()
				<-answer
				w.WriteHeader(http.StatusNoContent)
				return
			}
			reply(w, http.StatusForbidden, object{"errors": []string{"permission denied", "invalid token"}})
		}))
		defer server.Close()
		v.env = append(v.env, `STATE_lease={"version":1,"grant":"deploy-site","grant_digest":"","handles":[{"provider":"vault","grant":"deploy-site","id":"a1","identity":"site",`+
			`"expires":"2199-01-01T00:00:00Z","usable_until":"2199-01-01T00:00:00Z","revoke":"hvs.victim","endpoint":"`+server.URL+`"}],"vars":["VAULT_TOKEN"]}`)
		v.after = func() { close(answer) }
		status, said := v.killedAt(t, s, "action", "post")
		if status != exitOK || !revoked || !strings.Contains(said, "stint: deploy-site: revoked") || strings.Contains(said, "hvs.victim") {
			t.Errorf("%v: status %d\n%s", s, status, said)
		}
	}
}
