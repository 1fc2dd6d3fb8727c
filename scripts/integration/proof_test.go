//go:build integration

// The tests here try stint against servers that others wrote. They need binaries that "go test ./..." must not need,
// so they have a build tag; scripts/integration/run finds or builds the binaries and runs them.
package integration_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// testTimeout bounds each test, its servers' start included.
const testTimeout = 4 * time.Minute

// interrupted ends when the run is told to stop, so that no server outlives it.
var interrupted context.Context

func TestMain(m *testing.M) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	interrupted = ctx
	status := m.Run()
	stop()
	os.Exit(status)
}

// A proof collects what a test saw, one line each, and prints them together when the test ends: the tests run side by
// side, and a reader wants each server's part in one piece.
type proof struct {
	t     *testing.T
	ctx   context.Context
	begun time.Time
	lines []string
	// starting is set while what fails is the machine's affair and not ours: then the test is skipped.
	starting bool
}

var printing sync.Mutex

// begin is the start of every test: it runs beside the others, within testTimeout. The title says which server it is.
func begin(t *testing.T, title string) *proof {
	t.Helper()
	t.Parallel()
	ctx, cancel := context.WithTimeout(interrupted, testTimeout)
	p := &proof{t: t, ctx: ctx, begun: time.Now()}
	t.Cleanup(func() {
		cancel()
		printing.Lock()
		defer printing.Unlock()
		fmt.Printf("\n%s: %s after %s\n%s\n", title, p.verdict(), time.Since(p.begun).Round(time.Second), strings.Join(p.lines, "\n"))
	})
	return p
}

func (p *proof) verdict() string {
	switch {
	case p.t.Failed():
		return "FAILED"
	case p.t.Skipped():
		return "skipped"
	}
	return "passed"
}

func (p *proof) line(kind, format string, args ...any) {
	p.lines = append(p.lines, fmt.Sprintf("  %-8s ", kind)+fmt.Sprintf(format, args...))
}

// check records one thing that the server had to do, and fails the test if it did not.
func (p *proof) check(ok bool, format string, args ...any) {
	p.t.Helper()
	if ok {
		p.line("ok", format, args...)
		return
	}
	p.line("FAILED", format, args...)
	p.t.Fail()
}

// must ends the test on what makes all the rest of it pointless.
func (p *proof) must(err error, doing string) {
	p.t.Helper()
	if err != nil && p.starting && interrupted.Err() == nil {
		p.skip("it does not start here: %s: %v", doing, err)
	}
	if err != nil {
		p.line("FAILED", "%s: %v", doing, err)
		p.t.FailNow()
	}
}

// open says what this server does not prove.
func (p *proof) open(format string, args ...any) { p.line("open", format, args...) }

// binary gives the path of a server's binary: what the variable says, else what is installed. Without one that runs the
// test is skipped; VARIABLE_WHY can tell the reason.
func (p *proof) binary(variable, name string) string {
	p.t.Helper()
	path := cmp.Or(os.Getenv(variable), name)
	found, err := exec.LookPath(path)
	if err != nil {
		p.skip("%s", cmp.Or(os.Getenv(variable+"_WHY"), "there is no "+name+" on this machine"))
	}
	out, err := exec.CommandContext(p.ctx, found, "--version").CombinedOutput()
	if err != nil { // some have a command for it
		out, err = exec.CommandContext(p.ctx, found, "version").CombinedOutput()
	}
	if err != nil {
		p.skip("%s does not start: %v: %.200s", name, err, out)
	}
	return found
}

// installed skips the test unless the commands are on this machine.
func (p *proof) installed(names ...string) {
	p.t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			p.skip("there is no %s on this machine", name)
		}
	}
}

func (p *proof) skip(format string, args ...any) {
	p.t.Helper()
	p.line("skipped", format, args...)
	p.t.SkipNow()
}
