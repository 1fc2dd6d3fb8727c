package main

import (
	"net/http"
	"strings"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/lease"
	"github.com/stint-dev/stint/oidc/providers"
	"github.com/stint-dev/stint/oidc/spiffe"
)

// A venue is where grants are traded. The zero value is the real one: GitHub's
// issuer and the clouds. The only other one is the sandbox's (sandbox_venue.go),
// and the command decides which: `stint sandbox exec` is another command than
// `stint exec`. No flag, variable or file leads from one to the other, because an
// earlier step of a job can set all of these.
type venue struct {
	// loopback admits a token request on a loopback address.
	loopback bool
	// issuer is whose tokens are wanted; "" is the issuer of the job's server.
	issuer string
	// transport carries the providers' calls; nil is their own.
	transport http.RoundTripper
	// vars are set beside the variables of every credential.
	vars []oidc.Var
}

// realVenue is that of the commands a job runs.
func realVenue(world) (venue, error) { return venue{}, nil }

// source is where the id-tokens for a grant come from: a file that the command line
// names; the Workload API, for a grant of an issuer that is not GitHub's; or else the
// runner. The grant decides and not the variable alone, so that a socket which an
// earlier step names cannot take the place of the runner.
func (v venue) source(w world, g *grant.Grant, tokenFile string) oidc.Source {
	socket := w.getenv(spiffe.SocketVar)
	switch {
	case tokenFile != "":
		return &oidc.File{Path: tokenFile, Now: w.now}
	case !g.For.OfJobs() && socket != "":
		return &spiffe.Source{Socket: socket, Subject: spiffeID(g.For.Subject), Now: w.now, Sleep: w.sleep}
	}
	return oidc.NewRunner(oidc.RunnerOptions{Getenv: w.getenv, Now: w.now, Sleep: w.sleep, AllowLoopback: v.loopback})
}

// spiffeID is the subject to ask for, "" when it is not one of SPIFFE's.
func spiffeID(subject string) string {
	if strings.HasPrefix(subject, "spiffe://") {
		return subject
	}
	return ""
}

func (v venue) issuerOf(j job, c oidc.Claims) string {
	if v.issuer != "" {
		return v.issuer
	}
	return issuerOf(j.issuer(), c)
}

// providers makes the providers of a grant.
func (v venue) providers(w world, g *grant.Grant) ([]oidc.Provider, error) {
	list, err := providers.New(g, v.options(w))
	if err != nil {
		return nil, asUsage(err)
	}
	return list, nil
}

// enders are what ends the credentials that a saved state names.
func (v venue) enders(w world) map[string]lease.Ender {
	enders := map[string]lease.Ender{}
	for name, e := range providers.Enders(v.options(w)) {
		enders[name] = e
	}
	return enders
}

func (v venue) options(w world) providers.Options {
	return providers.Options{Version: version, Now: w.now, Sleep: w.sleep, Transport: v.transport}
}
