package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc/trust"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

func graphOf(files map[string]string) *reach.Graph {
	repo := &workflows.Repository{Name: "umbrella/shop"}
	for path, text := range files {
		repo.Files = append(repo.Files, workflows.Parse(path, []byte(text)))
	}
	slices.SortFunc(repo.Files, func(a, b *workflows.File) int { return strings.Compare(a.Path, b.Path) })
	return reach.Build(repo)
}

// presented lists "job event: values of a claim" for every token that is put together.
func presented(g *reach.Graph, q guess, claim string) map[string][]string {
	got := map[string][]string{}
	for _, j := range g.Jobs {
		for _, p := range q.presences(g, j) {
			key := j.Job.ID + " " + p.event
			for _, t := range p.targets {
				if v := t.Token(false).Get(claim); !slices.Contains(got[key], v) {
					got[key] = append(got[key], v)
				}
			}
			if slices.Contains(p.open, claim) {
				got[key] = append(got[key], "open")
			}
		}
	}
	return got
}

func TestPresencesFollowTheWorkflow(t *testing.T) {
	const head = "permissions: { id-token: write }\njobs:\n"
	job := func(id, more string) string {
		return "  " + id + ": { runs-on: ubuntu-latest, steps: [{ run: make }]" + more + " }\n"
	}
	g := graphOf(map[string]string{
		".github/workflows/a.yml": "on: { push: { branches: [main, 'release/*'], tags: [v1] }, pull_request: , issue_comment: }\n" + head +
			job("plain", "") + job("live", ", environment: live") + job("some", ", environment: \"${{ inputs.to }}\"") + job("none", ", permissions: {}") +
			"  own: { runs-on: [self-hosted, linux], steps: [{ run: make }] }\n" +
			"  away: { uses: umbrella/pipes/.github/workflows/ship.yml@v4 }\n" +
			"  here: { uses: ./.github/workflows/called.yml }\n",
		".github/workflows/called.yml": "on: workflow_call\n" + head + job("inner", ""),
	})
	q := guess{repository: trust.Repository{Name: "umbrella/shop", ID: "31", OwnerID: "32"}, hints: []trust.Target{{Ref: "refs/heads/release/7", Environment: "live"}}}
	const file = "umbrella/shop/.github/workflows/"
	for claim, want := range map[string]map[string][]string{
		"ref": {
			"plain push":          {"refs/heads/main", "refs/heads/release/7", "refs/heads/release/x", "refs/tags/v1", "open"},
			"plain pull_request":  {"refs/pull/7/merge"},
			"plain issue_comment": {"refs/heads/main", "refs/heads/master", "refs/heads/release/7", "open"},
		},
		"environment": {"live pull_request": {"live"}, "plain push": {""}, "some push": {"", "any-environment", "live", "open"}},
		"job_workflow_ref": {
			"away pull_request":  {"umbrella/pipes/.github/workflows/ship.yml@refs/heads/v4", "umbrella/pipes/.github/workflows/ship.yml@refs/tags/v4", "open"},
			"inner pull_request": {file + "called.yml@refs/pull/7/merge"},
			"plain pull_request": {file + "a.yml@refs/pull/7/merge"},
		},
		"workflow_ref":       {"inner pull_request": {file + "a.yml@refs/pull/7/merge"}},
		"runner_environment": {"own pull_request": {"self-hosted"}, "plain pull_request": {"github-hosted"}},
		"sub":                {"plain pull_request": {"repo:umbrella/shop:pull_request"}, "live pull_request": {"repo:umbrella/shop:environment:live"}},
		"repository_id":      {"plain push": {"31"}},
	} {
		got := presented(g, q, claim)
		for key, values := range want {
			if !slices.Equal(got[key], values) {
				t.Errorf("%s of %s: %q, want %q", claim, key, got[key], values)
			}
		}
		for key := range got {
			if strings.HasPrefix(key, "none ") || strings.HasPrefix(key, "here ") || strings.HasSuffix(key, " workflow_call") {
				t.Errorf("%s presents a token", key)
			}
		}
	}
}
