package vault

import (
	"context"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// Name is the provider's key in the grant file and in handles.
const Name = "vault"

// Limits of one exchange.
const (
	// exchangeTimeout bounds all attempts and the waits between them.
	exchangeTimeout = time.Minute
	exchangeTries   = 5
	// clockLeeway is how much longer than asked a lifetime may look, since it is counted
	// from before the call.
	clockLeeway = 5 * time.Second
)

// Options are what a provider takes from outside.
type Options = wire.Options

// A provider is the vault block of one grant, ready to be exchanged.
type provider struct {
	grant    string
	settings *settings
	opts     wire.Options
	server   server
}

// New makes the provider of a grant's vault block. It checks the whole block, makes
// no call and asks for no token. Errors are *oidc.Error and name the line.
func New(target *grant.Target, g *grant.Grant, opts Options) (oidc.Provider, error) {
	s, err := targetSettings(g, target)
	if err != nil {
		return nil, err
	}
	o := s.withRoots(opts.WithDefaults())
	return &provider{grant: g.Name, settings: s, opts: o, server: s.server(o)}, nil
}

// server is where the settings send the calls.
func (s *settings) server(o wire.Options) server {
	return server{address: s.address.String(), namespace: s.Namespace, ca: s.CA, opts: o}
}

// Name returns "vault".
func (p *provider) Name() string { return Name }

// Audience returns the audience that its tokens must have.
func (p *provider) Audience() string { return p.settings.Audience }

// End revokes the token and checks that it was; see [Ender].
func (p *provider) End(ctx context.Context, h oidc.Handle) oidc.Ending {
	return Ender{opts: p.opts}.End(ctx, h)
}

// host is where the calls go, for messages.
func (p *provider) host() string { return p.settings.address.Host }

var (
	_ oidc.Provider = (*provider)(nil)
	_ oidc.Renewed  = (*provider)(nil)
)
