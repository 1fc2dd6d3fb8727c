package github_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/github"
	"github.com/stint-dev/stint/workflows/github/githubtest"
)

func TestTreeSweep(t *testing.T) {
	org := githubtest.Generate(githubtest.Options{Seed: 1, Repositories: 1201})
	s := githubtest.New(org)
	r := readerOf(t, s)
	known := map[string]github.Repo{}
	var ids []string
	for _, repo := range listed(t, r, github.PageOptions{Archived: true}) {
		if repo.NodeID != "" && len(repo.Denied) == 0 {
			known[repo.NodeID], ids = repo, append(ids, repo.NodeID)
		}
	}
	moved := org.Repositories[5]
	s.Change(func(*githubtest.Organization) { // another default branch: no push tells
		at := moved.Pushed
		moved.Push(at, map[string]*githubtest.File{".github/workflows/new.yml": githubtest.Text("on: push\n")})
		org.Repositories[6].Denied = true
	})
	s.Reset()
	var changed, denied []string
	for tree, err := range r.Trees(t.Context(), append(ids, "R_gone")) {
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case tree.Denied != "":
			denied = append(denied, tree.NodeID)
		case tree.Tree != known[tree.NodeID].Tree || tree.Name != known[tree.NodeID].Name:
			changed = append(changed, tree.Name)
		}
	}
	if want := []string{org.Repositories[6].NodeID, "R_gone"}; !slices.Equal(changed, []string{"acme/" + moved.Name}) || !slices.Equal(denied, want) {
		t.Errorf("changed %q, denied %q", changed, denied)
	}
	if n := s.Stats().GraphQL; n != 3 {
		t.Errorf("%d queries for %d ids", n, len(ids))
	}
	for repo, err := range r.Repositories(t.Context(), []string{moved.NodeID, "R_gone"}) {
		if err != nil || repo.NodeID == "R_gone" && len(repo.Denied) == 0 {
			t.Errorf("%+v, %v", repo, err)
		} else if repo.NodeID == moved.NodeID {
			checkFiles(t, moved, repo)
		}
	}
}

func TestSweepIsHalved(t *testing.T) {
	org := githubtest.Generate(githubtest.Options{Repositories: 600, Plain: true})
	s := faulty(org, githubtest.BadGateway, func(r githubtest.Request) bool { return r.Size > 130 })
	var ids []string
	for _, r := range org.Repositories {
		ids = append(ids, r.NodeID)
	}
	n := 0
	for tree, err := range readerOf(t, s).Trees(t.Context(), ids) {
		if err != nil || tree.NodeID != ids[n] || tree.Denied != "" {
			t.Fatalf("%+v, %v", tree, err)
		}
		n++
	}
	if sizes := s.Stats().Sizes; n != 600 || !slices.Equal(sizes[:3], []int{500, 250, 125}) || slices.Max(sizes[2:]) > 125 {
		t.Errorf("%d trees, sizes %v", n, sizes)
	}
}

func TestSource(t *testing.T) {
	org := githubtest.Generate(githubtest.Options{Seed: 1, Repositories: 60})
	r := readerOf(t, githubtest.New(org))
	var source workflows.Source = r.Source("acme/repo-00005", "acme/none", "acme")
	names, failed := map[string]int{}, 0
	for repo, err := range source.Repositories(t.Context()) {
		if err != nil {
			failed++
			continue
		}
		names[repo.Name]++
		for _, f := range repo.Files {
			if f.Kind == workflows.KindWorkflow && f.Workflow == nil && len(f.Problems) == 0 {
				t.Errorf("%s: %s: %v", repo.Name, f.Path, f.Problems)
			}
		}
		if repo.Name == "acme/repo-00005" && repo.Action("ci/inner") == nil {
			t.Error("a local action of a local action is not there")
		}
		if repo.Name == "acme/repo-00018" && !slices.ContainsFunc(repo.Unread, func(u workflows.Unread) bool {
			return strings.Contains(u.Reason, "link") && u.Path == ".github/workflows/linked.yml"
		}) {
			t.Errorf("the link is not said: %+v", repo.Unread)
		}
		if repo.Name == "acme/repo-00014" && (len(repo.Unread) == 0 || repo.Unread[0].Path != ".github/workflows") {
			t.Errorf("what is denied is not said: %+v", repo.Unread)
		}
	}
	if failed != 1 || names["acme/repo-00005"] != 2 || len(names) < 50 {
		t.Errorf("%d failed, %v", failed, names)
	}
}
