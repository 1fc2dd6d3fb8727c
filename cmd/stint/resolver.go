package main

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/github"
	"github.com/stint-dev/stint/workflows/oci"
)

// publicServer is the server whose API the resolver asks.
const publicServer = "https://github.com"

// A resolver asks GitHub about repositories, and registries about images. The token is
// GitHub's alone.
type resolver struct {
	*github.Client
	images oci.Client
}

// Digest implements [lint.Resolver].
func (r *resolver) Digest(ctx context.Context, image string) (string, error) {
	return r.images.Digest(ctx, image)
}

// identify names a repository whose files tell no name, where a job on github.com has it as
// its workspace: without git, actions/checkout unpacks an archive there.
func identify(w world, repo *workflows.Repository) {
	name, workspace := w.getenv("GITHUB_REPOSITORY"), w.getenv("GITHUB_WORKSPACE")
	if repo.Name != "" || name == "" || workspace == "" || w.getenv("GITHUB_SERVER_URL") != publicServer {
		return
	}
	if root, err := filepath.Abs(repo.Root); err == nil && root == filepath.Clean(workspace) {
		repo.Name, repo.Host = name, strings.TrimPrefix(publicServer, "https://")
	}
}

// newResolver returns the resolver that asks the network, one for a whole run. It takes
// the token of the environment for the API, unless that token is another server's.
func newResolver(w world) lint.Resolver {
	r := &resolver{Client: &github.Client{}}
	if server := w.getenv("GITHUB_SERVER_URL"); server != "" && server != publicServer {
		return r
	}
	for _, name := range []string{"GITHUB_TOKEN", "GH_TOKEN"} {
		if r.Token == "" {
			r.Token = w.getenv(name)
		}
	}
	return r
}
