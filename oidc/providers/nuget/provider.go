package nuget

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/registry"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// Name is the provider's key in the grant file and in handles.
const Name = "nuget"

// origin is where the exchange is; it is the audience as well.
const origin = "https://www." + Name + ".org"

// Options are what a provider takes from outside.
type Options = registry.Options

// config is the nuget block of a grant as written.
type config struct {
	Package  string `yaml:"package"`
	User     string `yaml:"user"`
	Audience string `yaml:"audience"`
	Endpoint string `yaml:"endpoint"`
}

func (c config) common() registry.Config {
	return registry.Config{Package: c.Package, Audience: c.Audience, Endpoint: c.Endpoint}
}

var (
	packageID = regexp.MustCompile(`^[A-Za-z0-9_]+([.-][A-Za-z0-9_]+)*$`)
	userName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
)

// gallery is the registry for one account, "" where no call is made.
func gallery(user string) registry.Registry {
	return registry.Registry{
		Name: Name, Title: "NuGet", Origin: origin, Audience: origin, PURL: "nuget",
		IsPackage: func(s string) bool { return len(s) <= 100 && packageID.MatchString(s) }, Example: "Acme.Site",
		Life: time.Hour,
		Request: func(origin *url.URL, _, idToken string) (*http.Request, error) {
			return registry.Post(origin, "/api/v2/token", idToken, map[string]string{"username": user, "tokenType": "ApiKey"})
		},
		Read: read, Refusal: refusal, HandOver: handOver,
		Form: registry.Form{File: "job_workflow_ref", AnyCase: true},
	}
}

// New makes the provider of a grant's nuget block; see [registry.New].
func New(target *grant.Target, g *grant.Grant, opts Options) (oidc.Provider, error) {
	var c config
	if err := target.Decode(&c); err != nil {
		return nil, err
	}
	if !userName.MatchString(c.User) {
		at := wire.Block{Grant: g.Name, Provider: Name, Line: target.Line}
		return nil, at.Errorf("name the account that owns the trusted-publishing policy, as in user: acme", "user %.200q is not the name of an account", c.User)
	}
	return registry.Make(gallery(c.User), c.common(), target, g, opts)
}

// NewEnder makes what says until when a key stays valid: the gallery takes none back by
// the key alone.
func NewEnder(opts Options) registry.Ender { return registry.NewEnder(gallery(""), opts) }

func read(body []byte) registry.Issued {
	var r struct {
		Key     string          `json:"apiKey"`
		Expires json.RawMessage `json:"expires"`
	}
	if json.Unmarshal(body, &r) != nil {
		return registry.Issued{}
	}
	return registry.Issued{Token: r.Key, Expires: registry.ReadTime(r.Expires)}
}

func refusal(r *wire.Reply) (code, hint string) {
	if r.Status == http.StatusUnauthorized || r.Status == http.StatusForbidden {
		return "", "no policy of the account matches the token: most likely first: user: names another account than the one that owns the policy; " +
			"the policy names another owner, repository, workflow file or environment; a policy that was never used has lapsed"
	}
	return "", ""
}

// handOver gives the key in the variable that dotnet nuget push is usually called with,
// as in --api-key "$NUGET_API_KEY": the tool reads none by itself.
func handOver(_ *url.URL, _ string, token oidc.Secret) ([]oidc.Var, []oidc.PrivateFile) {
	return []oidc.Var{{Name: "NUGET_API_KEY", Value: token}}, nil
}
