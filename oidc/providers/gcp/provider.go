package gcp

import (
	"context"
	"net/url"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// Name is the provider's key in the grant file and in handles.
const Name = "gcp"

// exchangeTimeout bounds all attempts and the waits between them.
const exchangeTimeout = time.Minute

// clockLeeway is how far this machine's clock may be from the cloud's.
const clockLeeway = 30 * time.Second

// The servers of Google. Source: REST references of "Security Token Service API" and
// "IAM Service Account Credentials API".
const (
	stsHost         = "sts.googleapis.com"
	credentialsHost = "iamcredentials.googleapis.com"
)

// Options are what a provider takes from outside.
type Options = wire.Options

// A provider is the gcp block of one grant, ready to be exchanged.
type provider struct {
	grant    *grant.Grant
	settings *settings
	opts     wire.Options
	timeout  time.Duration // of one call; 0 is wire's own
}

// New makes the provider of a grant's gcp block. It checks the whole block, makes no
// call and asks for no token. Errors are *oidc.Error and name the line.
//
// The result is an [oidc.Brokered] where the credentials file that Google's tools
// would be given opens no more than the grant does: see [brokered].
func New(target *grant.Target, g *grant.Grant, opts Options) (oidc.Provider, error) {
	s, err := targetSettings(g, target)
	if err != nil {
		return nil, err
	}
	p := &provider{grant: g, settings: s, opts: opts.WithDefaults()}
	if s.fitsFile() {
		return &brokered{p}, nil
	}
	return p, nil
}

// Name returns "gcp".
func (p *provider) Name() string { return Name }

// Audience returns the audience that its tokens must have.
func (p *provider) Audience() string { return p.settings.Audience }

// End says how long the token stays valid; see [Ender].
func (p *provider) End(ctx context.Context, h oidc.Handle) oidc.Ending {
	return Ender{Now: p.opts.Now}.End(ctx, h)
}

// tokenURL is where tokens are exchanged.
func (s *settings) tokenURL() *url.URL { return s.at(stsHost, "/v1/token") }

// accountURL is a method of the service account.
func (s *settings) accountURL(method string) *url.URL {
	return s.at(credentialsHost, "/v1/projects/-/serviceAccounts/"+s.ServiceAccount+":"+method)
}

func (s *settings) at(host, path string) *url.URL {
	if s.endpoint != nil {
		u := *s.endpoint
		u.Path = path
		return &u
	}
	return &url.URL{Scheme: "https", Host: host, Path: path}
}
