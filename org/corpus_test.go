package org_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/rules"
	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/github"
	"github.com/stint-dev/stint/workflows/github/githubtest"
)

// TestCorpus serves the repositories below STINT_CORPUS, OWNER__NAME/…, as one
// organization: what is read over the API is what lies on disk, to the byte, and is judged
// as it is there, for few questions.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("STINT_CORPUS")
	if dir == "" {
		t.Skip("STINT_CORPUS names no directory of repositories")
	}
	served, err := githubtest.Checkouts("acme", dir)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, host: githubtest.New(served), now: noon, change: func(o *org.Options) { o.Rules = rules.All }}
	pages, files := 0, 0
	read := map[string]map[string]bool{}
	for page, err := range w.reader().(*github.Reader).Pages(t.Context(), "acme", github.PageOptions{Text: true}) {
		if err != nil {
			t.Fatal(err)
		}
		pages++
		for _, r := range page.Repos {
			read[r.Name] = sameBytes(t, dir, &r)
			files += len(read[r.Name])
		}
	}
	asked := w.host.Stats()
	t.Logf("%d repositories, %d files, %d pages: %d queries, %d points, %d REST", len(served.Repositories), files, pages, asked.GraphQL, asked.Points, asked.REST)
	if most := pages + len(served.Repositories)/5; asked.GraphQL+asked.REST > most {
		t.Errorf("%d questions and %d of REST for %d repositories, over %d", asked.GraphQL, asked.REST, len(served.Repositories), most)
	}

	path := filepath.Join(t.TempDir(), "acme.index")
	w.scan(path)
	d := document(t, path)
	if len(d.Repositories) != len(served.Repositories) {
		t.Fatalf("%d of %d repositories", len(d.Repositories), len(served.Repositories))
	}
	for _, r := range d.Repositories {
		var got []string
		if a := d.Analyses[r.Analysis]; a != nil {
			for _, f := range a.Findings {
				got = append(got, fmt.Sprintln(f.Path, f.Line, f.Column, f.Rule, f.Severity, f.Fingerprint))
			}
		}
		if want := onDisk(t, dir, r.Name, read[r.Name]); !slices.Equal(got, want) {
			t.Errorf("%s:\n over the API %q\n on disk %q", r.Name, got, want)
		}
	}
}

// sameBytes compares the files of a repository with those on disk and returns their names.
func sameBytes(t *testing.T, dir string, r *github.Repo) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, f := range r.Files {
		if f.Text == nil {
			continue
		}
		names[f.Path] = true
		want, err := os.ReadFile(filepath.Join(dir, filepath.Base(r.Name), filepath.FromSlash(f.Path)))
		if err != nil || !bytes.Equal(f.Text, want) {
			t.Errorf("%s: %s is not what lies there: %v", r.Name, f.Path, err)
		}
	}
	return names
}

// onDisk judges a checkout as a scan does. The files that a scan passes over are actions
// outside of .github/actions that no workflow of the repository uses.
func onDisk(t *testing.T, dir, name string, read map[string]bool) []string {
	t.Helper()
	root := filepath.Join(dir, filepath.Base(name))
	config := &lint.Config{}
	b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(lint.ConfigPath)))
	if err == nil {
		config, err = lint.ParseConfig(lint.ConfigPath, b)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	low := reach.Low
	var lines []string
	for repo, err := range workflows.Open([]string{root}, nil).Repositories(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		repo.Name = name
		repo.Files = slices.DeleteFunc(repo.Files, func(f *workflows.File) bool {
			if !read[f.Path] && (f.Action == nil && len(f.Problems) == 0 || strings.HasPrefix(f.Path, ".github/actions/")) {
				t.Errorf("%s: %s is not read", name, f.Path)
			}
			return !read[f.Path]
		})
		result := lint.Run(t.Context(), repo, lint.Options{Rules: rules.All, Known: rules.All, Config: config, Today: "2026-11-21", MinSeverity: &low})
		for _, f := range result.Findings {
			at := f.File.Position(f.Span.Start)
			lines = append(lines, fmt.Sprintln(f.File.Path, at.Line, at.Column, f.Rule.ID, f.Severity, f.Fingerprint))
		}
	}
	return lines
}
