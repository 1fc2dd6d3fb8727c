package main

import (
	"context"

	"github.com/stint-dev/stint/lint"
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
