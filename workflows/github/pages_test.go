package github_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/workflows/github"
	"github.com/stint-dev/stint/workflows/github/githubtest"
)

const token = "ghp_canary0123456789canary0123456789"

// readerOf returns a reader of a stand-in that takes the token and nobody else's.
func readerOf(t *testing.T, s *githubtest.Server) *github.Reader {
	t.Helper()
	s.Token = token
	r, err := github.New(github.Options{Token: github.StaticToken(token), Transport: s, Now: s.Clock.Now, Sleep: s.Clock.Sleep, Version: "test",
		Log: func(line string) {
			if strings.Contains(line, token) || strings.ContainsAny(line, "\n\x1b") {
				t.Errorf("logged %q", line)
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stats := s.Stats()
		if len(stats.Elsewhere) > 0 || len(stats.Leaked) > 0 {
			t.Errorf("asked other hosts: %q, with the token: %q", stats.Elsewhere, stats.Leaked)
		}
		if stats.MostQueries > 1 {
			t.Errorf("%d queries at a time", stats.MostQueries)
		}
	})
	return r
}

// listed reads all pages.
func listed(t *testing.T, r *github.Reader, o github.PageOptions) []github.Repo {
	t.Helper()
	var repos []github.Repo
	for page, err := range r.Pages(t.Context(), "acme", o) {
		if err != nil {
			t.Fatal(err)
		}
		repos = append(repos, page.Repos...)
	}
	return repos
}

// checkWhole holds what was read against what is served.
func checkWhole(t *testing.T, org *githubtest.Organization, repos []github.Repo) {
	t.Helper()
	served := map[string]*githubtest.Repository{}
	for _, r := range org.Repositories {
		served["acme/"+r.Name] = r
	}
	for _, repo := range repos {
		r := served[repo.Name]
		if r == nil {
			if repo.Name != "" || len(repo.Denied) == 0 {
				t.Errorf("%+v is nobody's", repo)
			}
			continue
		}
		delete(served, repo.Name)
		if repo.Failed != "" {
			t.Errorf("%s: %s", repo.Name, repo.Failed)
		}
		checkFiles(t, r, repo)
	}
	for name, r := range served {
		if !r.Denied {
			t.Errorf("%s is not listed", name)
		}
	}
}

func checkFiles(t *testing.T, r *githubtest.Repository, repo github.Repo) {
	t.Helper()
	want := map[string]string{}
	for path, f := range r.Files {
		if !slices.ContainsFunc(r.DeniedPaths, func(d string) bool { return strings.HasPrefix(path, d) }) && isWanted(path) {
			want[path] = string(f.Content())
			if f.Mode != 0 {
				want[path] = fmt.Sprintf("mode %o", f.Mode)
			}
		}
	}
	got := map[string]string{}
	for _, f := range repo.Files {
		got[f.Path] = string(f.Text)
		if f.Mode != githubtest.ModeFile {
			got[f.Path] = fmt.Sprintf("mode %o", f.Mode)
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("%s: files %q, want %q", repo.Name, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
	if !slices.IsSortedFunc(repo.Files, func(a, b github.Blob) int { return strings.Compare(a.Path, b.Path) }) {
		t.Errorf("%s: files are not sorted", repo.Name)
	}
	if (len(r.DeniedPaths) > 0) != (len(repo.Denied) > 0) {
		t.Errorf("%s: denied %q", repo.Name, repo.Denied)
	}
}

// isWanted knows the files of generated organizations that matter.
func isWanted(path string) bool {
	dir := path[:max(strings.LastIndexByte(path, '/'), 0)]
	return dir == ".github/workflows" || strings.HasSuffix(path, "/action.yml") || strings.HasSuffix(path, "/action.yaml") || path == "action.yml" ||
		path == ".github/dependabot.yml" || path == ".github/actions/vendored"
}

func TestPagesReadEverything(t *testing.T) {
	org := githubtest.Generate(githubtest.Options{Seed: 1, Repositories: 620})
	s := githubtest.New(org)
	r := readerOf(t, s)
	checkWhole(t, org, listed(t, r, github.PageOptions{Text: true, Archived: true}))
	if got, stats := r.Spent(), s.Stats(); got.GraphQL != stats.GraphQL || got.Points != stats.Points || got.REST != stats.REST {
		t.Errorf("spent %+v, counted %+v", got, stats)
	}
}

// Ten thousand repositories take about a hundred requests and the memory of a few pages.
func TestTenThousandRepositories(t *testing.T) {
	if testing.Short() {
		t.Skip("half a minute")
	}
	org := githubtest.Generate(githubtest.Options{Seed: 2, Repositories: 10_000})
	s := githubtest.New(org)
	r := readerOf(t, s)
	before := liveBytes()
	n, pages, texts, most := 0, 0, 0, uint64(0)
	for page, err := range r.Pages(t.Context(), "acme", github.PageOptions{Text: true, Archived: true}) {
		if err != nil {
			t.Fatal(err)
		}
		n += len(page.Repos)
		for _, repo := range page.Repos {
			for _, f := range repo.Files {
				texts += len(f.Text)
			}
		}
		if pages++; pages%25 == 0 {
			most = max(most, liveBytes())
		}
	}
	stats, held := s.Stats(), int64(most)-int64(before)
	t.Logf("%d repositories, %d MB of text: %d queries, %d points, %d REST, %d MB held", n, texts>>20, stats.GraphQL, stats.Points, stats.REST, held>>20)
	if n != 10_000 || stats.GraphQL > 130 || stats.Points != stats.GraphQL || held > 60<<20 {
		t.Errorf("%d repositories in %d queries with %d points, %d MB held", n, stats.GraphQL, stats.Points, held>>20)
	}
}

// liveBytes is what is in use after a collection.
func liveBytes() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestSecondRunAfterOnePercentChanged(t *testing.T) {
	org := githubtest.Generate(githubtest.Options{Seed: 3, Repositories: 1000, Plain: true})
	s := githubtest.New(org)
	r := readerOf(t, s)
	listed(t, r, github.PageOptions{Text: true})
	since := s.Clock.Now()
	if n := s.Stats().GraphQL; n != 10 {
		t.Errorf("%d queries for the first run", n)
	}
	s.Reset()
	s.Change(func(o *githubtest.Organization) {
		for i := range 100 {
			o.Repositories[i*7].Push(since.Add(time.Duration(i)*time.Second), map[string]*githubtest.File{".github/workflows/new.yml": githubtest.Text("on: push\n")})
		}
	})
	repos := listed(t, r, github.PageOptions{Text: true, Since: since})
	if n := s.Stats().GraphQL; len(repos) != 100 || n != 2 {
		t.Errorf("%d repositories in %d queries", len(repos), n)
	}
}

func TestPagesGoOn(t *testing.T) {
	org := githubtest.Generate(githubtest.Options{Seed: 4, Repositories: 450})
	s := githubtest.New(org)
	var repos []github.Repo
	o := github.PageOptions{Text: true, Archived: true, Size: 37}
	for more := true; more; { // a new reader for each page, as after a kill
		for page, err := range readerOf(t, s).Pages(t.Context(), "acme", o) {
			if err != nil {
				t.Fatal(err)
			}
			repos, o.After, more = append(repos, page.Repos...), page.Cursor, page.Cursor != ""
			break
		}
	}
	checkWhole(t, org, repos)
}

func TestPagesWithoutText(t *testing.T) {
	s := githubtest.New(githubtest.Generate(githubtest.Options{Seed: 5, Repositories: 300}))
	for _, repo := range listed(t, readerOf(t, s), github.PageOptions{}) {
		if repo.Archived {
			t.Errorf("%s is archived", repo.Name)
		}
		for _, f := range repo.Files {
			if f.Text != nil || len(f.OID) != 40 || f.Size == 0 && f.Mode == githubtest.ModeFile {
				t.Errorf("%s: %+v", repo.Name, f)
			}
		}
	}
	if n := s.Stats().GraphQL; n != 3 {
		t.Errorf("%d queries", n)
	}
}

// faulty returns a server that fails in the given way as long as the test says so.
func faulty(org *githubtest.Organization, f githubtest.Fault, when func(githubtest.Request) bool) *githubtest.Server {
	s := githubtest.New(org)
	s.Fault = func(r githubtest.Request) githubtest.Fault {
		if when(r) {
			return f
		}
		return githubtest.None
	}
	return s
}

// Too large a page is halved and never asked for again in its size.
func TestPageSizeIsHalved(t *testing.T) {
	for name, f := range map[string]githubtest.Fault{"502": githubtest.BadGateway, "timeout": githubtest.Timeout, "limits": githubtest.ResourceLimits,
		"half": githubtest.HalfReply, "reset": githubtest.Reset, "garbage": githubtest.Garbage, "endless": githubtest.Endless} {
		t.Run(name, func(t *testing.T) {
			org := githubtest.Generate(githubtest.Options{Seed: 6, Repositories: 300})
			s := faulty(org, f, func(r githubtest.Request) bool {
				return r.GraphQL && r.Size > 30 && strings.Contains(r.Query, "PUSHED_AT")
			})
			checkWhole(t, org, listed(t, readerOf(t, s), github.PageOptions{Text: true, Archived: true}))
			if sizes := s.Stats().Sizes; !slices.Equal(sizes[:4], []int{100, 50, 25, 25}) {
				t.Errorf("sizes %v", sizes)
			}
		})
	}
}

// One repository that cannot be had fails alone, and growing again is slow.
func TestOneRepositoryFailsAlone(t *testing.T) {
	org := githubtest.Generate(githubtest.Options{Seed: 7, Repositories: 700, Plain: true})
	const poison = "repo-00123"
	s := faulty(org, githubtest.BadGateway, func(r githubtest.Request) bool {
		return strings.Contains(r.Query, "text") && slices.Contains(r.Repositories, poison)
	})
	failed := 0
	repos := listed(t, readerOf(t, s), github.PageOptions{Text: true})
	for _, repo := range repos {
		if (repo.Failed != "") != (repo.Name == "acme/"+poison) {
			t.Errorf("%s: failed %q", repo.Name, repo.Failed)
		}
		if repo.Failed != "" {
			failed++
		}
	}
	stats := s.Stats()
	if len(repos) != 700 || failed != 1 || stats.GraphQL > 60 {
		t.Errorf("%d repositories, %d failed, %d queries of %v", len(repos), failed, stats.GraphQL, stats.Sizes)
	}
}

// The host says how long to wait, and is obeyed.
func TestLimitsAreObeyed(t *testing.T) {
	for name, test := range map[string]struct {
		fault    githubtest.Fault
		from, to time.Duration // slept
	}{
		"primary":        {githubtest.PrimaryLimit, 59 * time.Minute, 61 * time.Minute},
		"secondary":      {githubtest.SecondaryLimit, 90 * time.Second, 95 * time.Second},
		"secondary bare": {githubtest.SecondaryBare, 60 * time.Second, 65 * time.Second},
		"429":            {githubtest.Throttled, 60 * time.Second, 65 * time.Second},
		"slow":           {githubtest.Slow, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			org := githubtest.Generate(githubtest.Options{Seed: 8, Repositories: 300})
			s := faulty(org, test.fault, func(r githubtest.Request) bool { return r.N == 2 })
			checkWhole(t, org, listed(t, readerOf(t, s), github.PageOptions{Text: true, Archived: true}))
			if slept := s.Clock.Slept(); slept < test.from || slept > test.to {
				t.Errorf("slept %v", slept)
			}
			if sizes := s.Stats().Sizes; sizes[1] != 100 || sizes[2] != 100 {
				t.Errorf("sizes %v", sizes)
			}
		})
	}
}

// A host that refuses for ever is left; a wait without doubt too long is not begun.
func TestRefusalsEnd(t *testing.T) {
	for f, slept := range map[githubtest.Fault]time.Duration{
		githubtest.SecondaryBare: 15 * time.Minute, // 1 + 2 + 4 + 8
		githubtest.FarAway:       0,
	} {
		s := faulty(githubtest.Generate(githubtest.Options{Repositories: 30}), f, func(githubtest.Request) bool { return true })
		var last error
		for _, err := range readerOf(t, s).Pages(t.Context(), "acme", github.PageOptions{Text: true}) {
			last = err
		}
		if last == nil || strings.Contains(last.Error(), token) || s.Clock.Slept() != slept {
			t.Errorf("%d: %v after %v", f, last, s.Clock.Slept())
		}
	}
}

// A budget that runs out is waited for before the request, not after a refusal.
func TestEmptyBudgetIsNotAsked(t *testing.T) {
	org := githubtest.Generate(githubtest.Options{Seed: 9, Repositories: 1000, Plain: true})
	s := githubtest.New(org)
	s.Limit = 4
	listed(t, readerOf(t, s), github.PageOptions{Text: true})
	if stats := s.Stats(); stats.GraphQL != 10 || s.Clock.Slept() < 2*time.Hour {
		t.Errorf("%d queries in %v", stats.GraphQL, s.Clock.Slept())
	}
}

func TestNoRedirectIsFollowedAway(t *testing.T) {
	for _, f := range []githubtest.Fault{githubtest.Redirect, githubtest.RedirectQuery} {
		s := faulty(githubtest.Generate(githubtest.Options{Repositories: 3}), f, func(githubtest.Request) bool { return true })
		r := readerOf(t, s)
		for _, err := range r.Pages(t.Context(), "acme", github.PageOptions{Text: true}) {
			if err == nil {
				t.Error("a page came from somewhere else")
			}
		}
		if _, err := r.Blob(t.Context(), "acme/repo-00001", strings.Repeat("a", 40)); err == nil {
			t.Error("a file came from somewhere else")
		}
	}
}

func TestTokenIsNeverShown(t *testing.T) {
	s := githubtest.New(githubtest.Generate(githubtest.Options{Repositories: 3}))
	r := readerOf(t, s)
	s.Token = "another"
	for _, err := range r.Pages(t.Context(), "acme", github.PageOptions{Text: true}) {
		if err == nil || strings.Contains(err.Error(), token) {
			t.Errorf("%v", err)
		}
	}
	if text := fmt.Sprintf("%v %+v %#v", github.StaticToken(token), r, github.Options{Token: github.StaticToken(token)}); strings.Contains(text, token) {
		t.Error("the token prints")
	}
}

func TestCancelled(t *testing.T) {
	s := githubtest.New(githubtest.Generate(githubtest.Options{Repositories: 3}))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range readerOf(t, s).Pages(ctx, "acme", github.PageOptions{Text: true}) {
		if err == nil {
			t.Error("a page after the end")
		}
	}
}

var _ http.RoundTripper = (*githubtest.Server)(nil)
