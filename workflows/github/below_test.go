package github_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/workflows/github"
	"github.com/stint-dev/stint/workflows/github/githubtest"
)

// Actions below .github are read also where no file names them, with a query more for the
// directories and one for the texts, of all repositories that have any.
func TestActionsBelowHome(t *testing.T) {
	org := githubtest.Generate(githubtest.Options{Repositories: 250, Workflows: 1, Plain: true})
	action := githubtest.Text("name: x\nruns:\n  using: composite\n  steps:\n    - uses: ./ci/inner\n")
	inner := githubtest.Text("name: y\nruns:\n  using: composite\n  steps: []\n")
	for i, r := range org.Repositories {
		if i%20 != 3 {
			continue
		}
		for path, f := range map[string]*githubtest.File{
			".github/services/action.yml":                 action,
			".github/services/a/action.yaml":              inner,
			".github/services/a/b/action.yml":             inner,
			".github/services/a/b/c/action.yml":           inner, // deeper than is looked
			".github/services/a/b/action.txt":             githubtest.Text("x"),
			".github/services/linked/action.yml":          githubtest.Link("../action.yml"),
			".github/actions/group/one/action.yml":        inner,
			".github/actions/whole/action.yml":            inner,
			".github/actions/whole/inside/action.yml":     inner, // a part of the action
			".github/ISSUE_TEMPLATE/bug/action.yml":       inner,
			".github/scripts/build.sh":                    githubtest.Text("make\n"),
			"ci/inner/action.yml":                         inner,
			"tools/action.yml":                            inner, // nobody names it
			fmt.Sprintf(".github/own-%d/x/action.yml", i): inner,
		} {
			r.Files[path] = f
		}
	}
	s := githubtest.New(org)
	repos := listed(t, readerOf(t, s), github.PageOptions{Text: true})
	for i, repo := range repos {
		var got []string
		for _, f := range repo.Files {
			if strings.Contains(f.Path, "action.y") {
				got = append(got, f.Path)
				if (f.Text == nil) != (f.Mode == githubtest.ModeLink) {
					t.Errorf("%s: %s has no text", repo.Name, f.Path)
				}
			}
		}
		var want []string
		if i%20 == 3 {
			want = []string{".github/actions/group/one/action.yml", ".github/actions/whole/action.yml", fmt.Sprintf(".github/own-%d/x/action.yml", i),
				".github/services/a/action.yaml", ".github/services/a/b/action.yml", ".github/services/action.yml", ".github/services/linked/action.yml", "ci/inner/action.yml"}
		}
		if !slices.Equal(got, want) || len(repo.Denied) > 0 || repo.Failed != "" {
			t.Errorf("%s: %q, want %q; denied %q", repo.Name, got, want, repo.Denied)
		}
	}
	if n := s.Stats().GraphQL; n != 3+1+1+1 { // pages, directories, texts, the action that one of them names
		t.Errorf("%d queries", n)
	}
}

// A directory that may not be read, or that the host has no answer for, is said.
func TestDirectoriesBelowHomeThatFail(t *testing.T) {
	org := githubtest.Generate(githubtest.Options{Repositories: 3, Workflows: 1, Plain: true})
	for _, r := range org.Repositories {
		r.Files[".github/services/a/action.yml"] = githubtest.Text("name: x\nruns: {using: composite, steps: []}\n")
	}
	org.Repositories[0].DeniedPaths = []string{".github/services"}
	s := faulty(org, githubtest.BadGateway, func(r githubtest.Request) bool {
		return strings.Contains(r.Query, "fragment D") && slices.Contains(r.Repositories, "repo-00001")
	})
	var got []string
	for _, repo := range listed(t, readerOf(t, s), github.PageOptions{Text: true}) {
		got = append(got, fmt.Sprint(repo.Denied, repo.Failed))
	}
	want := []string{"[.github/services: the token may not read it]", "[.github/services: the host does not answer for this directory]", "[]"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
