package crates

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
const Name = "crates"

// host is where the exchange is, and the audience as well; tokens is the path that
// gives and takes them.
const (
	host   = Name + ".io"
	tokens = "/api/v1/trusted_publishing/tokens"
)

// Options are what a provider takes from outside.
type Options = registry.Options

var crateName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)

var crates = registry.Registry{
	Name: Name, Title: "crates", Origin: "https://" + host, Audience: host, PURL: "cargo",
	IsPackage: crateName.MatchString, Example: "acme-site",
	Life:    30 * time.Minute,
	Request: request, Read: read, Refusal: refusal, HandOver: handOver, Revoke: revoke,
	Form: registry.Form{File: "workflow_ref", OwnerID: true, AnyCase: true,
		Refuses: []string{"pull_request_target", "workflow_run"}},
}

// New makes the provider of a grant's crates block; see [registry.New].
func New(target *grant.Target, g *grant.Grant, opts Options) (oidc.Provider, error) {
	return registry.New(crates, target, g, opts)
}

// NewEnder makes what takes tokens back.
func NewEnder(opts Options) registry.Ender { return registry.NewEnder(crates, opts) }

func request(origin *url.URL, _, idToken string) (*http.Request, error) {
	return registry.Post(origin, tokens, "", map[string]string{"jwt": idToken})
}

func revoke(origin *url.URL, token string) (*http.Request, error) {
	r, err := http.NewRequest(http.MethodDelete, origin.String()+tokens, nil)
	if err == nil {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r, err
}

func read(body []byte) registry.Issued {
	var r struct {
		Token string `json:"token"`
	}
	if json.Unmarshal(body, &r) != nil {
		return registry.Issued{}
	}
	return registry.Issued{Token: r.Token}
}

// phrases of the registry's refusals, which have no codes.
var phrases = []registry.Phrase{
	{Says: "no trusted publishing config", Hint: "the crate has no trusted publisher for this repository: add one in the crate's settings"},
	{Says: "repository owner id", Hint: "the owner of the repository is another account than when the publisher was added: find out who it is now, then add the publisher anew"},
	{Says: "workflow filename", Hint: "the publisher names another workflow file: compare it with the file that was started"},
	{Says: "environment", Hint: "the publisher names another environment, or one where the job has none: compare the two"},
	{Says: "already been used", Hint: "this id-token was used before; run the job again for a new one"},
	{Says: "unsupported jwt issuer", Hint: "the registry takes tokens of github.com's own issuer only, without the name of an enterprise"},
	{Says: "failed to decode jwt", Hint: "the registry could not verify the id-token: most likely first: another audience than it expects (audience: in the grant), a clock that is wrong"},
	{Says: "event", Hint: "the registry takes no token of a run started by this event: publish from a push, a release or a dispatch"},
}

func refusal(r *wire.Reply) (code, hint string) { return "", registry.By(r, phrases) }

// handOver gives the token under the name by which cargo looks for it.
func handOver(_ *url.URL, _ string, token oidc.Secret) ([]oidc.Var, []oidc.PrivateFile) {
	return []oidc.Var{{Name: "CARGO_REGISTRY_TOKEN", Value: token}}, nil
}
