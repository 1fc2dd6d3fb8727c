package main

import (
	"net/http"
	"net/netip"
	"net/url"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/sandbox"
)

// The variables by which AWS's tools find their endpoints, and by which a command
// below a sandbox finds its clouds.
const (
	stsVariable   = "AWS_ENDPOINT_URL_STS"
	storeVariable = "AWS_ENDPOINT_URL_S3"
)

// venueOf is the venue of a sandbox that this process runs.
func venueOf(box *sandbox.Sandbox) (venue, error) {
	sts, err := url.Parse(box.STSURL())
	return sandboxVenue(box.Issuer(), sts, box.STSURL(), box.StoreURL()), err
}

// outerVenue is the venue of a sandbox that another process runs, of whose job
// this one is a part: `stint sandbox -- CMD`. It trades with loopback alone, so
// that whoever sets the variables gets no further than that.
func outerVenue(w world) (venue, error) {
	request, err := url.Parse(w.getenv("ACTIONS_ID_TOKEN_REQUEST_URL"))
	if err != nil || !onLoopback(request) {
		return venue{}, usage("run it in a job of a sandbox, as in: stint sandbox -- stint sandbox exec GRANT -- CMD",
			"there is no sandbox here: ACTIONS_ID_TOKEN_REQUEST_URL is not on loopback")
	}
	sts, err := url.Parse(w.getenv(stsVariable))
	if err != nil || !onLoopback(sts) {
		return venue{}, usage("run it in a job of a sandbox, as in: stint sandbox -- stint sandbox exec GRANT -- CMD",
			"there is no sandbox here: %s is not on loopback", stsVariable)
	}
	issuer := url.URL{Scheme: request.Scheme, Host: request.Host}
	return sandboxVenue(issuer.String(), sts, sts.String(), w.getenv(storeVariable)), nil
}

func sandboxVenue(issuer string, sts *url.URL, stsURL, storeURL string) venue {
	v := venue{loopback: true, issuer: issuer, transport: &detour{to: sts, next: &http.Transport{DisableKeepAlives: true}}}
	for _, at := range []struct{ name, value string }{{stsVariable, stsURL}, {storeVariable, storeURL}} {
		if at.value != "" {
			v.vars = append(v.vars, oidc.Var{Name: at.name, Value: oidc.NewSecret(at.value), Public: true})
		}
	}
	return v
}

// onLoopback reports whether u is at a loopback address, written as a number.
func onLoopback(u *url.URL) bool {
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.IsLoopback() && (u.Scheme == "http" || u.Scheme == "https")
}

// A detour sends to the sandbox what is meant for a cloud, so that a grant is
// tried as it is written. What a grant sends to a server on loopback goes there.
type detour struct {
	to   *url.URL
	next http.RoundTripper
}

// RoundTrip changes the address of a request and nothing else.
func (d *detour) RoundTrip(r *http.Request) (*http.Response, error) {
	if !onLoopback(r.URL) {
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host, r.Host = d.to.Scheme, d.to.Host, d.to.Host
	}
	return d.next.RoundTrip(r)
}

// jobFor is a job that a grant is for, as far as one can be told from it: the
// first of each list, and any name for a star.
func jobFor(g *grant.Grant, repository string) sandbox.Job {
	who := g.For
	j := sandbox.Job{
		Repository: repository, RepositoryID: who.RepositoryID, OwnerID: who.RepositoryOwnerID,
		Ref: "refs/heads/main", RefProtected: who.RefProtected, Environment: who.Environment,
		WorkflowPath: who.Workflow, JobWorkflowRef: anyRef(who.Called), RunnerEnvironment: who.Runner,
	}
	if who.Repository != "" {
		j.Repository = who.Repository
	}
	if j.WorkflowPath == "" {
		j.WorkflowPath = ".github/workflows/any.yml"
	}
	if who.Runner == grant.AnyRunner {
		j.RunnerEnvironment = grant.GitHubHosted
	}
	if len(who.Events) > 0 {
		j.Event = who.Events[0]
	}
	if len(who.Actors) > 0 {
		j.Actor = who.Actors[0]
	}
	switch {
	case len(who.Refs) > 0:
		j.Ref = anyRef(who.Refs[0])
	case j.Event == "pull_request":
		j.Ref = "refs/pull/1/merge"
	}
	return j
}

// anyRef names one ref that a pattern admits.
func anyRef(ref string) string {
	if n := len(ref); n > 2 && ref[n-2:] == "/*" {
		return ref[:n-1] + "any"
	}
	return ref
}
