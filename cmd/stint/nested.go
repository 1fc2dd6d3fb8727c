package main

import (
	"fmt"
	"strings"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/spiffe"
)

// withinVariable marks what runs under stint exec, by the names of its grants. It
// proves nothing and only words the error: what keeps a child to what its parent was
// given is that the means to ask for id-tokens are not passed on. Where the credential
// is an id-token itself, as Azure's tools take it, the child can show it to whoever is
// its audience, under this grant or another: what it then gets is for the cloud's own
// copy of the grants to say.
const withinVariable = "STINT_WITHIN"

// mark is for the environment of a command.
func mark(grants []string) oidc.Var {
	return oidc.Var{Name: withinVariable, Value: oidc.NewSecret(strings.Join(grants, ",")), Public: true}
}

// notWithin refuses a grant in a command that stint exec runs, where there is no
// id-token to be had. One that was given a token file has a source of its own.
func notWithin(w world, g *grant.Grant, tokenFile string) error {
	asks := "ACTIONS_ID_TOKEN_REQUEST_URL"
	if !g.For.OfJobs() {
		asks = spiffe.SocketVar
	}
	parents := w.getenv(withinVariable)
	if parents == "" || tokenFile != "" || w.getenv(asks) != "" {
		return nil
	}
	return &failure{exitIncomplete,
		fmt.Sprintf("there is no id-token to ask for: this runs under stint exec %q, which does not pass the request on", parents),
		fmt.Sprintf("give the outer command both grants, as in stint exec %s,%s -- CMD, or run this one beside it", parents, g.Name)}
}
