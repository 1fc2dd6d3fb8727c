package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/report"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/github"
)

// maxSuggestedLines is the longest part of a file that one suggestion replaces.
const maxSuggestedLines = 30

// suggestFixes posts the safe fixes of what fails as suggestions on the pull request that
// the run is for. It is a courtesy: what it cannot do is said and fails nothing.
func suggestFixes(ctx context.Context, w world, result *lint.Result) {
	n, err := postSuggestions(ctx, w, result)
	if err != nil {
		fmt.Fprintf(w.stderr, "stint: no suggestions: %s\n", workflows.Printable(err.Error()))
		return
	}
	fmt.Fprintf(w.stderr, "stint: suggestions posted: %d\n", n)
}

func postSuggestions(ctx context.Context, w world, result *lint.Result) (int, error) {
	e, err := readEvent(w)
	if err != nil {
		return 0, err
	}
	owner, repo, ok := strings.Cut(w.getenv("GITHUB_REPOSITORY"), "/")
	if e.PullRequest == nil || !ok {
		return 0, errors.New("the run is not for a pull request")
	}
	pr := github.PullRequest{Owner: owner, Repo: repo, Number: e.PullRequest.Number, Head: e.PullRequest.Head.SHA}
	c := &github.Client{API: w.getenv("GITHUB_API_URL"), Token: w.getenv("GITHUB_TOKEN")}
	return c.Suggest(ctx, pr, suggestions(result))
}

// suggestions makes one suggestion for each failing finding that has a safe fix, the
// worst first. Where two would replace the same line the worse is kept.
func suggestions(result *lint.Result) []github.Suggestion {
	findings := result.Failing()
	slices.SortStableFunc(findings, func(a, b lint.Finding) int { return int(b.Severity) - int(a.Severity) })
	taken := map[string]bool{}
	var all []github.Suggestion
	for _, f := range findings {
		repair := lint.Mend([]lint.Finding{f}, false)
		if f.Redact || len(repair.Files) != 1 {
			continue
		}
		s := suggestion(repair.Files[0])
		text := strings.Join(slices.Concat(s.Old, s.New), "\n")
		if len(s.Old) == 0 || len(s.Old)+len(s.New) > maxSuggestedLines || report.Mask(result, text) != text || !claim(taken, s) {
			continue
		}
		s.Key = f.Fingerprint
		s.Text = report.Comment(result, f, repair.Files[0].Titles[0])
		all = append(all, s)
	}
	return all
}

// claim marks the lines of a suggestion and reports whether they were free.
func claim(taken map[string]bool, s github.Suggestion) bool {
	var lines []string
	for i := range s.Old {
		lines = append(lines, fmt.Sprintf("%s:%d", s.Path, s.First+i))
	}
	if slices.ContainsFunc(lines, func(l string) bool { return taken[l] }) {
		return false
	}
	for _, l := range lines {
		taken[l] = true
	}
	return true
}

// suggestion returns the lines in which a file differs before and after. Where lines are
// only added, the line before them, or the one after at the beginning, is replaced with
// itself: a suggestion has to stand on a line.
func suggestion(f *lint.RepairedFile) github.Suggestion {
	old, new := strings.Split(string(f.File.Source), "\n"), strings.Split(string(f.Source), "\n")
	from := 0
	for from < min(len(old), len(new)) && old[from] == new[from] {
		from++
	}
	end := 0
	for end < min(len(old), len(new))-from && old[len(old)-1-end] == new[len(new)-1-end] {
		end++
	}
	if from == len(old)-end {
		if from > 0 {
			from--
		} else {
			end--
		}
	}
	return github.Suggestion{Path: f.File.Path, First: from + 1, Old: old[from : len(old)-end], New: new[from : len(new)-end]}
}
