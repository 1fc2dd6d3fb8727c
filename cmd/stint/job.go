package main

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/stint-dev/stint/oidc"
)

// A job is what the surroundings say of the job that stint runs in. Nothing in it
// comes from a token, because tokens are compared with it.
type job struct {
	server     string // https://github.com
	repository string // owner/repo, "" when it is not known
	id         string // of the run
	attempt    string
	name       string // of the job in its workflow
}

func jobOf(w world) job {
	j := job{
		server: w.getenv("GITHUB_SERVER_URL"), repository: w.getenv("GITHUB_REPOSITORY"),
		id: w.getenv("GITHUB_RUN_ID"), attempt: w.getenv("GITHUB_RUN_ATTEMPT"), name: w.getenv("GITHUB_JOB"),
	}
	if j.server == "" {
		j.server = "https://github.com"
	}
	return j
}

// run names the run: as the token says where there is one, else as the
// surroundings do.
func (j job) run(c oidc.Claims) oidc.Run {
	r := oidc.Run{Repository: j.repository, ID: j.id, Attempt: j.attempt, Job: j.name}
	if c.Has("run_id") {
		r.Repository, r.ID, r.Attempt = c.Get("repository"), c.Get("run_id"), c.Get("run_attempt")
	}
	if r.Repository != "" && r.ID != "" {
		r.URL = j.server + "/" + r.Repository + "/actions/runs/" + r.ID
	}
	return r
}

// The issuers, by the server that runs the job. Source: "OpenID Connect reference"
// of GitHub's documentation, read November 2026.
const (
	publicIssuer     = "https://token.actions.githubusercontent.com"
	dataResidency    = ".ghe.com" // https://token.actions.SUBDOMAIN.ghe.com
	enterpriseServer = "/_services/token"
)

// issuer is whose tokens the jobs of the server have.
func (j job) issuer() string {
	u, err := url.Parse(j.server)
	switch {
	case err != nil || u.Host == "" || strings.EqualFold(u.Hostname(), "github.com"):
		return publicIssuer
	case strings.HasSuffix(strings.ToLower(u.Hostname()), dataResidency):
		return "https://token.actions." + strings.ToLower(u.Hostname())
	}
	return "https://" + strings.ToLower(u.Host) + enterpriseServer
}

var enterpriseSlug = regexp.MustCompile(`^[A-Za-z0-9](-?[A-Za-z0-9])*$`)

// issuerOf is the issuer to expect of a token: the server's own, or the one with
// the enterprise's slug, which an enterprise can switch on. Which enterprise it
// is, only the cloud's copy of the grant can hold against.
func issuerOf(own string, c oidc.Claims) string {
	slug, found := strings.CutPrefix(c.Issuer, own+"/")
	if found && enterpriseSlug.MatchString(slug) && !strings.HasSuffix(own, enterpriseServer) {
		return c.Issuer
	}
	return own
}
