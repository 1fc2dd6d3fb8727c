package org_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/lint/rules"
	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/workflows/github/githubtest"
)

// benchVariable asks for the large measurement, by the number of repositories.
const benchVariable = "STINT_ORG_BENCH"

// The bounds of a scan of 10,000 repositories with 5 workflows each.
const (
	maxScanMemory   = 300 << 20
	maxIncidentTime = time.Second
)

// TestLargeOrganization measures what `make org-bench` says: requests, time and memory
// of a first scan and of one after a hundredth changed, and the time of an incident.
func TestLargeOrganization(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv(benchVariable))
	if n == 0 {
		t.Skip("set " + benchVariable + " to the number of repositories, or run make org-bench")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	w := newWorld(t, githubtest.Options{Repositories: n, Workflows: 5, Plain: true})
	w.change = func(o *org.Options) { o.Rules = rules.All }
	path := filepath.Join(t.TempDir(), "acme.index")
	start := time.Now()
	stats := w.scan(path)
	t.Logf("first scan: %d queries, %s, peak memory %d MiB", stats.GraphQL, time.Since(start).Round(time.Millisecond), peakMemory()>>20)
	if want := (n + 99) / 100; stats.GraphQL != want {
		t.Errorf("%d queries, want %d", stats.GraphQL, want)
	}
	if peak := peakMemory(); peak > maxScanMemory {
		t.Errorf("peak memory %d MiB", peak>>20)
	}
	w.push(n / 100)
	start = time.Now()
	stats = w.scan(path)
	t.Logf("second scan: %d queries, %s", stats.GraphQL, time.Since(start).Round(time.Millisecond))
	if stats.GraphQL > (n/100)/100+1 {
		t.Errorf("%d queries after %d changes", stats.GraphQL, n/100)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("index: %d MiB", info.Size()>>20)
	incidents(t, path)
	document(t, path)
	t.Logf("peak memory with a report's document: %d MiB", peakMemory()>>20)
}

// incidents holds queries that hit few and nearly all jobs against the second.
func incidents(t *testing.T, path string) {
	chalk, err := org.ParsePackage("npm:chalk")
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []org.Query{{Action: "vendor/upload", Ref: "v3"}, {Action: "actions/checkout"}, {Action: "nobody/here"}, chalk} {
		start := time.Now()
		x, err := org.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		in, err := x.Incident(q)
		x.Close()
		took := time.Since(start)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d jobs, %s", q, len(in.Hits), took.Round(time.Millisecond))
		if took > maxIncidentTime {
			t.Errorf("%s took %s", q, took)
		}
	}
}

// peakMemory returns the largest resident size of the process so far, 0 where the system
// does not say.
func peakMemory() int64 {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		var kib int64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	return 0
}

// BenchmarkIncident asks an index of 1,000 repositories.
func BenchmarkIncident(b *testing.B) {
	path := filepath.Join(b.TempDir(), "acme.index")
	w := &world{t: new(testing.T), host: githubtest.New(githubtest.Generate(githubtest.Options{Repositories: 1000, Workflows: 5, Plain: true})), now: noon}
	x, err := org.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	o := w.options()
	o.Rules = nil
	if err := org.Scan(b.Context(), w.reader(), x, o); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := x.Incident(org.Query{Action: "vendor/upload", Ref: "v3"}); err != nil {
			b.Fatal(err)
		}
	}
	x.Close()
}
