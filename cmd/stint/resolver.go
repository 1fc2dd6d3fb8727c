package main

import (
	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/workflows/github"
)

// publicServer is the server whose API the resolver asks.
const publicServer = "https://github.com"

// newResolver returns the resolver that asks the network, one for a whole run. It takes
// the token of the environment for the API, unless that token is another server's.
func newResolver(w world) lint.Resolver {
	c := &github.Client{}
	if server := w.getenv("GITHUB_SERVER_URL"); server != "" && server != publicServer {
		return c
	}
	for _, name := range []string{"GITHUB_TOKEN", "GH_TOKEN"} {
		if c.Token == "" {
			c.Token = w.getenv(name)
		}
	}
	return c
}
