package org_test

import (
	"bufio"
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"

	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/workflows/github"
	"github.com/stint-dev/stint/workflows/github/githubtest"
)

// victimVariable names the index that a process of its own scans until it is killed.
const victimVariable = "STINT_TEST_VICTIM"

func TestMain(m *testing.M) {
	if path := os.Getenv(victimVariable); path != "" {
		victim(path)
		return
	}
	os.Exit(m.Run())
}

// resumeOptions is an organization that takes many pages, some of which want more.
var resumeOptions = githubtest.Options{Repositories: 45, Workflows: 1, Seed: 7}

// A stepped client reads a few repositories a request, and says when it is asked: for
// pages from a goroutine of its own.
type stepped struct {
	org.Client
	page, step func()
}

func (c stepped) Pages(ctx context.Context, name string, o github.PageOptions) iter.Seq2[github.Page, error] {
	o.Size = 5
	return func(yield func(github.Page, error) bool) {
		for page, err := range c.Client.Pages(ctx, name, o) {
			c.page()
			if !yield(page, err) {
				return
			}
		}
	}
}

func (c stepped) RepositorySettings(ctx context.Context, repos []github.Repo, which github.Which) iter.Seq2[github.RepositorySettings, error] {
	return func(yield func(github.RepositorySettings, error) bool) {
		for s, err := range c.Client.RepositorySettings(ctx, repos, which) {
			c.step()
			if !yield(s, err) {
				return
			}
		}
	}
}

// scanStepped scans with calls of page and step on the way.
func scanStepped(ctx context.Context, path string, page, step func()) error {
	host := githubtest.New(githubtest.Generate(resumeOptions))
	reader, err := github.New(github.Options{Token: github.StaticToken("token"), Transport: host, Now: host.Clock.Now, Sleep: host.Clock.Sleep})
	if err != nil {
		return err
	}
	x, err := org.Create(path)
	if err != nil {
		return err
	}
	defer x.Close()
	o := (&world{now: noon}).options()
	o.Inventory = org.WholeInventory
	o.Progress = func(org.Progress) { step() }
	return org.Scan(ctx, stepped{reader, page, step}, x, o)
}

// victim scans and writes a line at each step, so that it can be killed there.
func victim(path string) {
	out := bufio.NewWriterSize(os.Stdout, 1)
	step := func() { fmt.Fprintln(out, "step") }
	if err := scanStepped(context.Background(), path, step, step); err != nil {
		panic(err)
	}
	fmt.Fprintln(out, "end")
}

// runVictim runs a scan in its own process, kills it after some steps, and reports
// whether it came to its end before.
func runVictim(t *testing.T, path string, steps int) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victimVariable+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		if lines.Text() == "end" {
			return true
		}
		if n == steps {
			cmd.Process.Kill() // SIGKILL: nothing of it runs any more
			return false
		}
	}
	t.Fatal("the scan ended by itself")
	return false
}

// A scan that is killed wherever it is, and again, ends with what one does that is left
// alone. What a kill leaves of the index is a copy of the file at that moment.
func TestTakenUpFromFiftyPoints(t *testing.T) {
	t.Parallel()
	alone := indexPath(t)
	nothing := func() {}
	if err := scanStepped(t.Context(), alone, nothing, nothing); err != nil {
		t.Fatal(err)
	}
	checkKilled(t, 50, text(t, document(t, alone)), func(path string, steps int) (left string) {
		ctx, kill := context.WithCancel(t.Context())
		defer kill()
		err := scanStepped(ctx, path, nothing, func() {
			if steps--; steps == 0 {
				left = indexPath(t)
				if err := os.WriteFile(left, read(t, path), 0o600); err != nil {
					t.Fatal(err)
				}
				kill()
			}
		})
		if err != nil && left == "" {
			t.Fatal(err)
		}
		return left
	})
}

// The same with processes, which a kill may hit within a transaction.
func TestKilledAndTakenUp(t *testing.T) {
	if testing.Short() {
		t.Skip("a dozen processes")
	}
	t.Parallel()
	alone := indexPath(t)
	if !runVictim(t, alone, -1) {
		t.Fatal("the scan did not end")
	}
	checkKilled(t, 8, text(t, document(t, alone)), func(path string, steps int) (left string) {
		if runVictim(t, path, steps) || len(document(t, path).Trend) > 0 { // the kill came after the end
			return ""
		}
		return path
	})
}

// checkKilled kills scans so many times in all; scan stops after some steps and returns
// the index that is left, or "" when it came to its end before.
func checkKilled(t *testing.T, atLeast int, want string, scan func(path string, steps int) (left string)) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	kills, runs := 0, 0
	for ; kills < atLeast; runs++ {
		path := indexPath(t)
		for left := scan(path, 1+rnd.IntN(60)); left != ""; left = scan(path, 1+rnd.IntN(60)) {
			path = left
			kills++
		}
		if got := text(t, document(t, path)); got != want {
			t.Fatalf("after %d kills in %d runs: %s", kills, runs+1, firstDifference(want, got))
		}
	}
	if runs < 2 {
		t.Errorf("%d kills in %d run only", kills, runs)
	}
}
