package rubygems

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
const Name = "rubygems"

// host is where the exchange is; it is the audience as well.
const host = Name + ".org"

// Options are what a provider takes from outside.
type Options = registry.Options

var gemName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,255}$`)

var rubygems = registry.Registry{
	Name: Name, Title: "RubyGems", Origin: "https://" + host, Audience: host, PURL: "gem",
	IsPackage: gemName.MatchString, Example: "acme-site",
	Rights:  []string{"push_rubygem"},
	Life:    15 * time.Minute,
	Request: request, Read: read, Refusal: refusal, HandOver: handOver,
	Form: registry.Form{File: "job_workflow_ref", AtRunRef: true, OwnerID: true},
}

// New makes the provider of a grant's rubygems block; see [registry.New].
func New(target *grant.Target, g *grant.Grant, opts Options) (oidc.Provider, error) {
	return registry.New(rubygems, target, g, opts)
}

// NewEnder makes what says until when a key stays valid: the exchange has no way back.
func NewEnder(opts Options) registry.Ender { return registry.NewEnder(rubygems, opts) }

func request(origin *url.URL, _, idToken string) (*http.Request, error) {
	return registry.Post(origin, "/api/v1/oidc/trusted_publisher/exchange_token", "", map[string]string{"jwt": idToken})
}

// read takes the gem where it is named as text: a publisher of several gems gives a key
// for all of them and names none.
func read(body []byte) registry.Issued {
	var r struct {
		Key     string          `json:"rubygems_api_key"`
		Scopes  []string        `json:"scopes"`
		Gem     json.RawMessage `json:"gem"`
		Expires json.RawMessage `json:"expires_at"`
	}
	if json.Unmarshal(body, &r) != nil {
		return registry.Issued{}
	}
	issued := registry.Issued{Token: r.Key, Rights: r.Scopes, Expires: registry.ReadTime(r.Expires)}
	var gem string
	if json.Unmarshal(r.Gem, &gem) == nil && gemName.MatchString(gem) {
		issued.Package = gem
	}
	return issued
}

func refusal(r *wire.Reply) (code, hint string) {
	if r.Status == http.StatusNotFound {
		return "", "no trusted publisher matches the token: compare owner, repository, workflow file name and environment with the gem's trusted publishers"
	}
	return "", ""
}

// handOver gives the key under the name by which gem push and rake release look for it.
func handOver(_ *url.URL, _ string, token oidc.Secret) ([]oidc.Var, []oidc.PrivateFile) {
	return []oidc.Var{{Name: "GEM_HOST_API_KEY", Value: token}}, nil
}
