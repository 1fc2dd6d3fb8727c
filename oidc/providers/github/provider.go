package github

import (
	"context"
	"encoding/base64"
	"net/url"
	"strconv"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// Name is the provider's key in the grant file and in handles.
const Name = "github"

// Options are what a provider takes from outside.
type Options = wire.Options

// A provider is the github block of one grant, ready to be exchanged.
type provider struct {
	grant  *grant.Grant
	target *grant.Target
	*settings
	opts Options
}

// New makes the provider of a grant's github block. It checks the whole block, makes
// no call, asks for no token and reads no key. Errors are *oidc.Error and name the line.
func New(target *grant.Target, g *grant.Grant, opts Options) (oidc.Provider, error) {
	s, err := targetSettings(g, target)
	if err != nil {
		return nil, err
	}
	return &provider{grant: g, target: target, settings: s, opts: opts.WithDefaults()}, nil
}

// Name returns "github".
func (p *provider) Name() string { return Name }

// Audience returns the audience that its tokens must have.
func (p *provider) Audience() string { return p.audience }

// End ends the token; see [Ender].
func (p *provider) End(ctx context.Context, h oidc.Handle) oidc.Ending {
	return NewEnder(p.opts).End(ctx, h)
}

// vars are the names that gh, git and the actions' own tools read.
func (p *provider) vars(token string) []oidc.Var {
	secret := oidc.NewSecret(token)
	names, web := []string{"GH_TOKEN", "GITHUB_TOKEN"}, "https://github.com/"
	var vars []oidc.Var
	if p.API != "" && p.api.Path == enterpriseV3 {
		names, web = []string{"GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"}, p.api.Scheme+"://"+p.api.Host+"/"
		vars = append(vars, oidc.Var{Name: "GH_HOST", Value: oidc.NewSecret(p.api.Host), Public: true})
	}
	for _, name := range names {
		vars = append(vars, oidc.Var{Name: name, Value: secret})
	}
	if p.Git {
		vars = append(vars, gitVars(web, token)...)
	}
	return vars
}

// gitVars configure git by its environment, which wins over all files. The empty value
// clears headers that were set before, such as those that actions/checkout leaves: a
// request with two of them is refused.
func gitVars(web, token string) []oidc.Var {
	key := "http." + web + ".extraheader"
	header := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("x-access-token:"+token))
	settings := []struct{ key, value string }{{key, ""}, {key, header}}
	vars := []oidc.Var{{Name: "GIT_CONFIG_COUNT", Value: oidc.NewSecret(strconv.Itoa(len(settings))), Public: true}}
	for i, s := range settings {
		n := strconv.Itoa(i)
		vars = append(vars, oidc.Var{Name: "GIT_CONFIG_KEY_" + n, Value: oidc.NewSecret(s.key), Public: true},
			oidc.Var{Name: "GIT_CONFIG_VALUE_" + n, Value: oidc.NewSecret(s.value), Public: s.value == ""})
	}
	return vars
}

// endpointOf is what a handle keeps of the API's address.
func (s *settings) endpointOf(api *url.URL) string {
	if s.API == "" {
		return ""
	}
	return api.String()
}
