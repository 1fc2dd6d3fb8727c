package main

import (
	"net/http"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/workflows/github"
)

// newResolver returns the resolver that asks the network. Only fixes need it
// today, so lint without --fix or --diff asks nothing.
func newResolver() lint.Resolver {
	return &github.Refs{Client: &http.Client{Timeout: github.AskTimeout}}
}
