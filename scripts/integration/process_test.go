//go:build integration

package integration_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Times of servers, on a machine that is busy with other things.
const (
	startTimeout = time.Minute
	stopTimeout  = 10 * time.Second
	pollInterval = 200 * time.Millisecond
	maxLogTail   = 2000 // bytes of a server's log that an error shows
)

// A server is a process in the foreground that ends with its test.
type server struct {
	name   string
	log    string
	exited chan struct{} // closed when the process is gone
}

// serve starts a server. Its output goes to a file below dir.
func (p *proof) serve(dir string, env []string, path string, args ...string) *server {
	p.t.Helper()
	s := &server{name: filepath.Base(path), exited: make(chan struct{})}
	log, err := os.CreateTemp(dir, s.name+"-*.log")
	p.must(err, "making a log file")
	s.log = log.Name()
	ctx, stop := context.WithCancel(p.ctx)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), env...), log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopTimeout // then it is killed
	err = cmd.Start()
	_ = log.Close() // the process has its own descriptor
	if err != nil {
		stop()
		p.must(err, "starting "+s.name)
	}
	go func() {
		defer close(s.exited)
		_ = cmd.Wait() // it is told to stop, so its status says nothing
	}()
	p.t.Cleanup(func() { stop(); <-s.exited })
	return s
}

// waitUntil polls until a server is ready, has exited, or took too long.
func (p *proof) waitUntil(s *server, ready func() bool) {
	p.t.Helper()
	limit, cancel := context.WithTimeout(p.ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for !ready() {
		select {
		case <-tick.C:
		case <-s.exited:
			p.must(fmt.Errorf("it exited: %s", s.tail()), "waiting for "+s.name)
		case <-limit.Done():
			p.must(fmt.Errorf("%w: %s", limit.Err(), s.tail()), "waiting for "+s.name)
		}
	}
}

func (s *server) tail() string {
	text, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text[max(0, len(text)-maxLogTail):]))
}

// run runs a command to its end and gives what it prints.
func (p *proof) run(path string, args ...string) string {
	p.t.Helper()
	out, err := exec.CommandContext(p.ctx, path, args...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out[max(0, len(out)-maxLogTail):])
	}
	p.must(err, filepath.Base(path)+" "+strings.Join(args, " "))
	return string(out)
}

// Ports for servers that cannot say which one they took. They lie below those that systems give to outgoing
// connections, so that a port that is free now is still free when the server has come so far.
const firstPort, ports, portTries = 20000, 12000, 50

// freeAddress gives a loopback address on which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	var err error
	for range portTries {
		var l net.Listener
		if l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(firstPort+rand.IntN(ports)))); err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal(err)
	return ""
}

// answers reports whether a GET gives status 200.
func answers(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
