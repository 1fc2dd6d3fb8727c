package github

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/wire"
	"github.com/stint-dev/stint/oidc/trust"
)

// organizationPolicies is the repository with the policies of a whole organization.
const organizationPolicies = ".github"

// ReadLive reads the grant's policy of octo-sts from the default branch of the
// repository that it is about. The token is GH_TOKEN or GITHUB_TOKEN; for a server of
// one's own GH_ENTERPRISE_TOKEN or GITHUB_ENTERPRISE_TOKEN, where GH_HOST names that server.
func ReadLive(ctx context.Context, g *grant.Grant, t *grant.Target, opts Options) ([]trust.Document, error) {
	s, err := targetSettings(g, t)
	if err != nil {
		return nil, err
	}
	if s.ownKey() {
		return nil, &oidc.Error{Stage: oidc.StageRead, Message: fmt.Sprintf("grant %q uses the app's own key: there is no policy of octo-sts to read", g.Name),
			Hint: "choose another cloud of the grant with --for"}
	}
	r := policyReader{settings: s, address: s.api.String(), opts: opts.WithDefaults(), timeout: wire.CallTimeout}
	return r.read(ctx)
}

// A policyReader reads one policy.
type policyReader struct {
	*settings
	address string
	opts    Options
	timeout time.Duration // of one call
}

// place is the repository and the path of the policy there.
func (r *policyReader) place() (repository, path string) {
	repository = r.Scope
	if !strings.Contains(repository, "/") {
		repository += "/" + organizationPolicies
	}
	return repository, octoDirectory + r.Identity + octoSuffix
}

func (r *policyReader) lookup() wire.Lookup {
	repository, path := r.place()
	right := "contents: read on " + repository
	return wire.Lookup{Host: r.api.Host, What: fmt.Sprintf("%q of %s", path, repository), Right: right,
		Login:   "put a token where stint looks: export GH_TOKEN=$(gh auth token); it needs " + right,
		Missing: "compare scope: and identity: in the grant with the repository; a token without " + right + " gets the same answer"}
}

// token is that of the environment for the server that the environment means by it.
func (r *policyReader) token() string {
	if r.API == "" || r.api.String() == publicAPI {
		return cmp.Or(os.Getenv("GH_TOKEN"), os.Getenv("GITHUB_TOKEN"))
	}
	if os.Getenv("GH_HOST") == r.api.Host {
		return cmp.Or(os.Getenv("GH_ENTERPRISE_TOKEN"), os.Getenv("GITHUB_ENTERPRISE_TOKEN"))
	}
	return ""
}

func (r *policyReader) read(ctx context.Context) ([]trust.Document, error) {
	l := r.lookup()
	token := r.token()
	if !wire.IsSecretText(token) {
		if r.API != "" {
			l.Login = "export GH_HOST=" + r.api.Host + " and its GH_ENTERPRISE_TOKEN if you trust that server: your token goes to no address of a grant"
		}
		return nil, l.NoLogin("github")
	}
	repository, path := r.place()
	body, err := wire.Read(ctx, r.opts, func(ctx context.Context) ([]byte, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.address+"/repos/"+repository+"/contents/"+path, nil)
		if err != nil {
			return nil, l.Garbled()
		}
		req.Header.Set("Accept", "application/vnd.github.raw+json")
		req.Header.Set("X-GitHub-Api-Version", "2022-11-28")
		req.Header.Set("Authorization", "Bearer "+token)
		reply, err := wire.Caller{Options: r.opts, Stage: oidc.StageRead, Timeout: r.timeout}.Do(ctx, req)
		if err != nil {
			return nil, err
		}
		if !reply.Good() {
			return nil, l.Refused(readClass(reply), oidc.Error{Status: reply.Status, RequestID: requestID(reply), RetryAfter: reply.RetryAfter()})
		}
		return reply.Body, nil
	})
	if err != nil {
		return nil, err
	}
	docs, err := findSTS(path, body)
	if err != nil || len(docs) != 1 {
		return nil, l.Garbled()
	}
	docs[0].Path, docs[0].Line = repository+"/"+path, 0
	return docs, nil
}

// readClass tells a limit that is used up from a right that is missing: both are 403.
func readClass(reply *wire.Reply) int {
	if reply.Status == http.StatusForbidden && (reply.Header.Get("X-Ratelimit-Remaining") == "0" || reply.Header.Get("Retry-After") != "") {
		return http.StatusTooManyRequests
	}
	return reply.Status
}
