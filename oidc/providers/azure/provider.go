package azure

import (
	"context"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// Name is the provider's key in the grant file and in handles.
const Name = "azure"

// Options are what a provider takes from outside.
type Options = wire.Options

// A provider is the azure block of one grant, ready to be exchanged. It is an
// [oidc.Brokered]: the broker keeps the federated token file fresh.
type provider struct {
	grant  *grant.Grant
	target *grant.Target
	*settings
	opts Options
}

// New makes the provider of a grant's azure block. It checks the whole block, makes no
// call and asks for no token. Errors are *oidc.Error and name the line.
func New(target *grant.Target, g *grant.Grant, opts Options) (oidc.Provider, error) {
	s, err := targetSettings(g, target)
	if err != nil {
		return nil, err
	}
	return &provider{grant: g, target: target, settings: s, opts: opts.WithDefaults()}, nil
}

// Name returns "azure".
func (p *provider) Name() string { return Name }

// Audience returns the audience that its tokens must have.
func (p *provider) Audience() string { return p.config.Audience }

// End says how long the access token stays valid; see [Ender].
func (p *provider) End(ctx context.Context, h oidc.Handle) oidc.Ending {
	return NewEnder(p.opts).End(ctx, h)
}

// vars are the names that Azure's SDKs and command line, and Terraform's azurerm read.
// None of them is a secret: what they name can be seen by whoever may see the grant.
func (p *provider) vars() []oidc.Var {
	var vars []oidc.Var
	for _, v := range []struct{ name, value string }{
		{"AZURE_CLIENT_ID", p.ClientID}, {"AZURE_TENANT_ID", p.Tenant}, {"AZURE_AUTHORITY_HOST", p.authorityURL()},
		{"AZURE_SUBSCRIPTION_ID", p.Subscription}, {"ARM_USE_OIDC", "true"}, {"ARM_CLIENT_ID", p.ClientID},
		{"ARM_TENANT_ID", p.Tenant}, {"ARM_SUBSCRIPTION_ID", p.Subscription}, {"ARM_ENVIRONMENT", p.terraform},
	} {
		if v.value != "" {
			vars = append(vars, oidc.Var{Name: v.name, Value: oidc.NewSecret(v.value), Public: true})
		}
	}
	return vars
}

// files are one token under the two names by which the tools look for it.
func files(token oidc.Secret) []oidc.PrivateFile {
	return []oidc.PrivateFile{
		{Name: "azure-federated-token", Var: "AZURE_FEDERATED_TOKEN_FILE", Content: token},
		{Name: "arm-oidc-token", Var: "ARM_OIDC_TOKEN_FILE_PATH", Content: token},
	}
}

// Point gives the tools the same files, for the broker to keep fresh: they know no
// endpoint that they could be sent to.
func (p *provider) Point(string, oidc.Secret) ([]oidc.Var, []oidc.PrivateFile) {
	return p.vars(), files(oidc.Secret{})
}

// Answer returns a fresh id-token as the files hold it, which is text and not JSON.
func (p *provider) Answer(ctx context.Context, _ *oidc.Credential, req oidc.Request) (oidc.Secret, error) {
	tok, err := req.Source.Token(ctx, p.Audience())
	if err != nil {
		return oidc.Secret{}, err
	}
	return tok.Raw, nil
}
