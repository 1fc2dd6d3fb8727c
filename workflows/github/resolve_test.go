package github_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/workflows/github"
	"github.com/stint-dev/stint/workflows/github/githubtest"
)

func commit(c string) string { return strings.Repeat(c, 40) }

func resolved(t *testing.T, r *github.Reader, names []github.RefName) []github.RefCommit {
	t.Helper()
	var all []github.RefCommit
	for c, err := range r.Resolve(t.Context(), names) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

func TestResolve(t *testing.T) {
	org := githubtest.Generate(githubtest.Options{Repositories: 3, Plain: true})
	tool := &githubtest.Repository{Name: "some/tool", Branch: "main", Head: commit("a"), Refs: map[string]githubtest.Ref{
		"refs/tags/v1":               {Commit: commit("1")},
		"refs/tags/v2":               {Commit: commit("2"), Tags: 1},
		"refs/tags/v3":               {Commit: commit("3"), Tags: 3},
		"refs/tags/v4":               {Commit: commit("4"), Tags: 4},
		"refs/tags/both":             {Commit: commit("5")},
		"refs/heads/both":            {Commit: commit("6")},
		"refs/heads/release/1":       {Commit: commit("7")},
		"refs/heads/refs/tags/false": {Commit: commit("8")},
		"refs/tags/file":             {},
		"refs/tags/denied":           {Denied: true},
		"refs/heads/denied":          {Commit: commit("9")},
	}}
	org.Others = append(org.Others, tool, &githubtest.Repository{Name: "shut/tool", Denied: true, Refs: tool.Refs})
	s := githubtest.New(org)
	var names []github.RefName
	want := [][3]string{
		{"some/tool", "v1", "tag " + commit("1")},
		{"some/tool", "v2", "tag " + commit("2")},
		{"some/tool", "v3", "tag " + commit("3")},
		{"some/tool", "v4", "it names no commit"}, // deeper than anybody's
		{"some/tool", "main", "branch " + commit("a")},
		{"some/tool", "both", "tag " + commit("5")},
		{"some/tool", "refs/heads/both", "branch " + commit("6")},
		{"some/tool", "refs/tags/both", "tag " + commit("5")},
		{"some/tool", "release/1", "branch " + commit("7")},
		{"some/tool", "false", "there is no such tag or branch"},
		{"some/tool", "refs/tags/false", "there is no such tag or branch"},
		{"some/tool", "file", "it names no commit"},
		{"some/tool", "denied", "the token may not read it"},
		{"some/tool", "none", "there is no such tag or branch"},
		{"some/tool", `"){id}`, "there is no such tag or branch"},
		{"some/tool", "a b", "no tag or branch can have this name"},
		{"some/tool", "", "no tag or branch can have this name"},
		{"../tool", "v1", "no tag or branch can have this name"},
		{"none/tool", "v1", "not found, or the token may not see it"},
		{"shut/tool", "v1", "the token may not read it"},
		{"acme/repo-00001", "main", "branch " + org.Repositories[1].Head},
	}
	for _, w := range want {
		names = append(names, github.RefName{Repository: w[0], Ref: w[1]})
	}
	r := readerOf(t, s)
	for i, got := range resolved(t, r, names) {
		text := got.Denied
		if text == "" {
			text = got.Kind + " " + got.Commit
		}
		if got.RefName != names[i] || text != want[i][2] {
			t.Errorf("%v: %s, want %s", got.RefName, text, want[i][2])
		}
	}
	if got, stats := r.Spent(), s.Stats(); stats.GraphQL != 1 || got.GraphQL != 1 || got.Points != 1 || stats.Points != 1 || stats.REST != 0 {
		t.Errorf("spent %+v, counted %+v", got, stats)
	}
	s.Reset()
	if resolved(t, r, names[15:18]); s.Stats().GraphQL != 0 {
		t.Error("what cannot be is asked for")
	}
}

// many makes refs of a few repositories, and the host that has them.
func many(n int) (*githubtest.Organization, []github.RefName) {
	org := githubtest.Generate(githubtest.Options{Repositories: 1, Plain: true})
	var names []github.RefName
	for i := range n {
		if i%7 == 0 {
			org.Others = append(org.Others, &githubtest.Repository{Name: fmt.Sprintf("some/tool-%d", i/7)})
		}
		at := org.Others[len(org.Others)-1]
		ref := fmt.Sprintf("v%d", i)
		at.Move("refs/tags/"+ref, githubtest.Ref{Commit: fmt.Sprintf("%040x", i), Tags: i % 3})
		names = append(names, github.RefName{Repository: at.Name, Ref: ref})
	}
	return org, names
}

// As many are asked for at a time as the host can bear, each once, and one that it cannot
// answer fails alone.
func TestResolveInBatches(t *testing.T) {
	org, names := many(2*github.RefsPerQuery + 1)
	for name, test := range map[string]struct {
		fault  func(githubtest.Request) bool
		most   int // queries
		failed []int
	}{
		"whole":  {func(githubtest.Request) bool { return false }, 3, nil},
		"halved": {func(r githubtest.Request) bool { return r.Size > 250 }, 1 + 5, nil},
		"alone":  {func(r githubtest.Request) bool { return slices.Contains(r.Repositories, "some/tool-3") }, 30, []int{21, 22, 23, 24, 25, 26, 27}},
	} {
		t.Run(name, func(t *testing.T) {
			s := faulty(org, githubtest.BadGateway, test.fault)
			got := resolved(t, readerOf(t, s), names)
			if len(got) != len(names) {
				t.Fatalf("%d answers to %d", len(got), len(names))
			}
			var failed []int
			for i, c := range got {
				if c.RefName != names[i] || c.Denied == "" && c.Commit != fmt.Sprintf("%040x", i) {
					t.Fatalf("%+v is the answer to %+v", c, names[i])
				}
				if c.Denied != "" {
					failed = append(failed, i)
				}
			}
			if stats := s.Stats(); !slices.Equal(failed, test.failed) || stats.GraphQL > test.most {
				t.Errorf("%d queries of %v, failed %v", stats.GraphQL, stats.Sizes, failed)
			}
		})
	}
}
