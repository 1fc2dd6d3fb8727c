package aws

import (
	"context"
	"net/http"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// Name is the provider's key in the grant file and in handles.
const Name = "aws"

// Limits of one exchange.
const (
	// exchangeTimeout bounds all attempts and the waits between them.
	exchangeTimeout = time.Minute
	// clockLeeway is how far this machine's clock may be from the cloud's.
	clockLeeway = 30 * time.Second
)

// Options are what a provider takes from outside.
type Options = wire.Options

// A provider is the aws block of one grant, ready to be exchanged.
type provider struct {
	grant    string
	settings *settings
	opts     Options
	timeout  time.Duration // of one attempt
}

// New makes the provider of a grant's aws block. It checks the whole block, makes
// no call and asks for no token. Errors are *oidc.Error and name the line.
func New(target *grant.Target, g *grant.Grant, opts Options) (oidc.Provider, error) {
	s, err := targetSettings(g, target)
	if err != nil {
		return nil, err
	}
	return newProvider(g.Name, s, opts), nil
}

func newProvider(grantName string, s *settings, opts Options) *provider {
	return &provider{grant: grantName, settings: s, opts: opts.WithDefaults(), timeout: wire.CallTimeout}
}

// client is the SDK's, as it calls for one run.
func (p *provider) client(run oidc.Run) *sts.Client {
	caller := wire.Caller{Options: p.opts, Stage: oidc.StageExchange, Run: run, Timeout: p.timeout}
	return sts.New(sts.Options{
		Region:      p.settings.Region,
		Credentials: awssdk.AnonymousCredentials{},
		Retryer:     awssdk.NopRetryer{}, // the loop in Exchange takes a fresh token each time
		HTTPClient:  &http.Client{Transport: wire.Transport{Caller: caller}},
		// Always given, so that no other endpoint can be resolved from anywhere.
		BaseEndpoint: awssdk.String(p.settings.baseURL()),
	})
}

// host is where the calls go, for messages.
func (s *settings) host() string {
	if s.endpoint != nil {
		return s.endpoint.Host
	}
	return "sts." + s.Region + "." + partitionOfRegion(s.Region).domain
}

func (s *settings) baseURL() string {
	if s.endpoint != nil {
		return s.endpoint.String()
	}
	return "https://" + s.host()
}

// Name returns "aws".
func (p *provider) Name() string { return Name }

// Audience returns the audience that its tokens must have.
func (p *provider) Audience() string { return p.settings.Audience }

// End says how long the session stays valid; see [Ender].
func (p *provider) End(ctx context.Context, h oidc.Handle) oidc.Ending {
	return Ender{Now: p.opts.Now}.End(ctx, h)
}
