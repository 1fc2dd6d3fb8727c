package npm

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/registry"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// Name is the provider's key in the grant file and in handles.
const Name = "npm"

// host is where the exchange is; the audience of the id-token is made of it.
const host = "registry." + Name + "js.org"

// Options are what a provider takes from outside.
type Options = registry.Options

// packageName is a package's name, with its scope or without, as new ones must be.
var packageName = regexp.MustCompile(`^(@[a-z0-9~-][a-z0-9._~-]*/)?[a-z0-9~-][a-z0-9._~-]*$`)

var npm = registry.Registry{
	Name: Name, Title: "npm", Origin: "https://" + host, Audience: "npm:" + host, PURL: "npm",
	IsPackage: func(s string) bool { return len(s) <= 214 && packageName.MatchString(s) }, Example: "@acme/site",
	Request: request, Read: read, Refusal: refusal, HandOver: handOver,
	Form: registry.Form{File: "workflow_ref", Refuses: []string{"issue_comment", "pull_request_target"}},
}

// New makes the provider of a grant's npm block; see [registry.New].
func New(target *grant.Target, g *grant.Grant, opts Options) (oidc.Provider, error) {
	var c registry.Config
	if err := target.Decode(&c); err != nil {
		return nil, err
	}
	if u, err := url.Parse(c.Endpoint); err == nil && c.Endpoint != "" && c.Audience == "" {
		c.Audience = "npm:" + u.Hostname() // as the command line makes it
	}
	return registry.Make(npm, c, target, g, opts)
}

// NewEnder makes what says until when a token stays valid: the registry is not known
// to take one back.
func NewEnder(opts Options) registry.Ender { return registry.NewEnder(npm, opts) }

func request(origin *url.URL, pkg, idToken string) (*http.Request, error) {
	return registry.Post(origin, "/-/npm/v1/oidc/token/exchange/package/"+strings.ReplaceAll(pkg, "/", "%2f"), idToken, nil)
}

func read(body []byte) registry.Issued {
	var r struct {
		Token   string          `json:"token"`
		Expires json.RawMessage `json:"expires"`
	}
	if json.Unmarshal(body, &r) != nil {
		return registry.Issued{}
	}
	return registry.Issued{Token: r.Token, Expires: registry.ReadTime(r.Expires)}
}

// refusal has sentences only. The registry answers 404 also for packages that exist.
func refusal(r *wire.Reply) (code, hint string) {
	if r.Status == http.StatusNotFound {
		return "", "npm answers so for a package that it does not have and for one that has no trusted publisher for this job: most likely first: " +
			"the publisher names another repository, workflow file or environment; the repository was renamed or made anew since; the publisher was never used and has lapsed"
	}
	return "", ""
}

// handOver writes the user configuration that npm, pnpm and yarn 1 read, because npm
// takes no token from a variable alone.
func handOver(origin *url.URL, _ string, token oidc.Secret) ([]oidc.Var, []oidc.PrivateFile) {
	at := host
	if origin != nil {
		at = origin.Host
	}
	return nil, []oidc.PrivateFile{{Name: "npmrc", Var: "NPM_CONFIG_USERCONFIG",
		Content: oidc.NewSecret("//" + at + "/:_authToken=" + token.Reveal() + "\n")}}
}
