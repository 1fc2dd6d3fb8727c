package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/workflows"
)

// How often progress is shown: on a terminal in place, elsewhere as lines of a log.
const (
	barEvery  = 200 * time.Millisecond
	lineEvery = 15 * time.Second
	barCells  = 24
)

// A progress shows how far a scan has come.
type progress struct {
	w     world
	bar   bool
	mu    sync.Mutex
	last  time.Time
	begun map[string]bool
}

func newProgress(w world) *progress {
	f, ok := w.stderr.(*os.File)
	return &progress{w: w, begun: map[string]bool{}, bar: ok && w.getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))}
}

func (p *progress) show(now org.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	every := lineEvery
	if p.bar {
		every = barEvery
	}
	if at := p.w.now(); at.Sub(p.last) >= every || !p.begun[now.Doing] && p.bar {
		p.last, p.begun[now.Doing] = at, true
		p.write(now)
	}
}

func (p *progress) write(now org.Progress) {
	of := fmt.Sprint(now.Done)
	if now.Total > 0 {
		of = fmt.Sprintf("%d of %d", now.Done, now.Total)
	}
	line := fmt.Sprintf("%s %s, %d queries, %d requests", now.Doing, of, now.Requests.GraphQL, now.Requests.REST)
	if !p.bar {
		fmt.Fprintf(p.w.stderr, "stint: %s\n", line)
		return
	}
	full := 0
	if now.Total > 0 {
		full = min(barCells*now.Done/now.Total, barCells)
	}
	fmt.Fprintf(p.w.stderr, "\r\x1b[K[%s%s] %s", strings.Repeat("=", full), strings.Repeat(" ", barCells-full), line)
}

// done takes the bar away.
func (p *progress) done() {
	if p.bar {
		fmt.Fprint(p.w.stderr, "\r\x1b[K")
	}
}

// logLine prints what the client has to say while it waits.
func logLine(w world, line string) { fmt.Fprintf(w.stderr, "stint: %s\n", workflows.Printable(line)) }
