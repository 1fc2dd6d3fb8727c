package org_test

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
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

// benchVariable asks for the large measurement, by the number of repositories;
// benchIndexVariable names the file in which its index is kept, and taken from where it
// is there already: a scan takes minutes.
const (
	benchVariable      = "STINT_ORG_BENCH"
	benchIndexVariable = "STINT_ORG_BENCH_INDEX"
)

// The bounds for 10,000 repositories with 5 workflows each.
const (
	maxMemory       = 300 << 20 // of a scan, and of each report
	maxIncidentTime = time.Second
)

// TestLargeOrganization measures what `make org-bench` says: requests, time and memory
// of a first scan and of one after a hundredth changed, the time of an incident, and time
// and memory of all reports. The last two are of the command as a process of its own.
func TestLargeOrganization(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv(benchVariable))
	if n == 0 {
		t.Skip("set " + benchVariable + " to the number of repositories, or run make org-bench")
	}
	path := os.Getenv(benchIndexVariable)
	if path == "" {
		path = indexPath(t)
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		scanLarge(t, n, path)
		info, err = os.Stat(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("index: %d MiB", info.Size()>>20)
	bin := filepath.Join(t.TempDir(), "stint")
	if out, err := exec.Command("go", "build", "-o", bin, "github.com/stint-dev/stint/cmd/stint").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	incidents(t, bin, path)
	reports(t, bin, path)
}

func scanLarge(t *testing.T, n int, path string) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	w := newWorld(t, githubtest.Options{Repositories: n, Workflows: 5, Plain: true})
	w.change = func(o *org.Options) { o.Rules = rules.All }
	start := time.Now()
	stats := w.scan(path)
	peak := peakMemory(os.Getpid())
	t.Logf("first scan: %d queries, %s, peak memory %d MiB", stats.GraphQL, time.Since(start).Round(time.Millisecond), peak>>20)
	// The five refs of all actions are asked for at once.
	if want := (n+99)/100 + 1; stats.GraphQL != want {
		t.Errorf("%d queries, want %d", stats.GraphQL, want)
	}
	if peak > maxMemory {
		t.Errorf("peak memory %d MiB", peak>>20)
	}
	w.push(n / 100)
	start = time.Now()
	stats = w.scan(path)
	t.Logf("second scan: %d queries, %s", stats.GraphQL, time.Since(start).Round(time.Millisecond))
	if stats.GraphQL > (n/100)/100+1+1 {
		t.Errorf("%d queries after %d changes", stats.GraphQL, n/100)
	}
}

// incidents holds queries that hit few and nearly all jobs against the second.
func incidents(t *testing.T, bin, path string) {
	commit := fmt.Sprintf("%x", sha1.Sum([]byte("v4 of actions/checkout"))) // where the host has it
	for _, asked := range [][]string{{"vendor/upload@v3"}, {"actions/checkout"}, {"actions/checkout@" + commit}, {"nobody/here"}, {"--package", "npm:chalk"}, {"--package", "npm:chalk", "--since", "2026-01-01"}} {
		for _, format := range []string{"text", "csv", "markdown", "json"} {
			out, took, used, _ := run(t, bin, append([]string{"incident", "--index", path, "--format", format}, asked...)...)
			t.Logf("incident %s as %s: %d KiB, %s, processor %s", strings.Join(asked, " "), format, len(out)>>10, took.Round(time.Millisecond), used.Round(time.Millisecond))
			// Where others use the machine as well, the time on a clock is theirs, too.
			if min(took, used) > maxIncidentTime {
				t.Errorf("%s as %s took %s", asked, format, took)
			}
		}
	}
}

// reports holds all formats of a report against the memory they may take.
func reports(t *testing.T, bin, path string) {
	for _, format := range []string{"text", "json", "html", "csv", "markdown", "sarif-dir"} {
		to := filepath.Join(t.TempDir(), "report")
		_, took, used, peak := run(t, bin, "org", "acme", "--offline", "--index", path, "--format", format, "--output", to)
		t.Logf("report as %s: %s, processor %s, peak memory %d MiB", format, took.Round(time.Millisecond), used.Round(time.Millisecond), peak>>20)
		if peak > maxMemory || peak == 0 {
			t.Errorf("%s takes %d MiB", format, peak>>20)
		}
	}
}

// run runs the command, and returns what it wrote, how long it took and used processors,
// and the most memory it had, with the pages of the index that it looked at. That is asked
// for all the time: what rusage says of a child may be its parent's.
func run(t *testing.T, bin string, args ...string) (out []byte, took, used time.Duration, peak int64) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(bin, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- cmd.Wait() }()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case err := <-ended:
			took = time.Since(start)
			var status *exec.ExitError
			if err != nil && (!errors.As(err, &status) || status.ExitCode() != 1) || stderr.Len() > 0 {
				t.Fatalf("%s: %v\n%s", args, err, stderr.Bytes())
			}
			return stdout.Bytes(), took, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), peak
		case <-look.C:
			peak = max(peak, peakMemory(cmd.Process.Pid))
		}
	}
}

// peakMemory returns the largest resident size of a process so far, 0 where the system
// does not say.
func peakMemory(process int) int64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", process))
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
