package aws

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net/http"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
)

// Name is the provider's key in the grant file and in handles.
const Name = "aws"

// Limits of one exchange.
const (
	// maxReplyBytes bounds a reply of STS; real ones have a few kilobytes.
	maxReplyBytes = 1 << 20
	// attemptTimeout bounds one call of STS.
	attemptTimeout = 15 * time.Second
	// exchangeTimeout bounds all attempts and the waits between them.
	exchangeTimeout = time.Minute
	// clockLeeway is how far this machine's clock may be from the cloud's.
	clockLeeway = 30 * time.Second
)

// Options are what a provider takes from outside. The zero value is for real use.
type Options struct {
	// Version names the release in the user agent.
	Version string
	// Now is the clock, Rand gives numbers in [0,1) for jitter, and Sleep waits or
	// returns the context's error. Nil stands for the real ones.
	Now   func() time.Time
	Rand  func() float64
	Sleep func(context.Context, time.Duration) error
	// Transport carries the calls; nil is a transport of its own, with the proxy
	// that the environment names.
	Transport http.RoundTripper
}

// A provider is the aws block of one grant, ready to be exchanged.
type provider struct {
	grant    string
	settings *settings
	opts     Options
	sts      *sts.Client
	timeout  time.Duration // of one attempt
}

// New makes the provider of a grant's aws block. It checks the whole block, makes
// no call and asks for no token. Errors are *oidc.Error and name the line.
func New(target *grant.Target, g *grant.Grant, opts Options) (oidc.Provider, error) {
	var c config
	if err := target.Decode(&c); err != nil {
		return nil, err
	}
	s, err := newSettings(c, g, target.Line)
	if err != nil {
		return nil, err
	}
	return newProvider(g.Name, s, opts), nil
}

func newProvider(grantName string, s *settings, opts Options) *provider {
	p := &provider{grant: grantName, settings: s, opts: opts.withDefaults(), timeout: attemptTimeout}
	p.sts = sts.New(sts.Options{
		Region:      s.Region,
		Credentials: awssdk.AnonymousCredentials{},
		Retryer:     awssdk.NopRetryer{}, // the loop in Exchange takes a fresh token each time
		HTTPClient: &http.Client{Transport: &transport{
			next: p.opts.Transport, host: s.host(), agent: "stint/" + p.opts.Version,
		}},
		// Always given, so that no other endpoint can be resolved from anywhere.
		BaseEndpoint: awssdk.String(s.baseURL()),
	})
	return p
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

func (o Options) withDefaults() Options {
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Transport == nil {
		o.Transport = &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: 10 * time.Second,
			ForceAttemptHTTP2:   true,
			DisableKeepAlives:   true, // one call in a quarter of an hour
		}
	}
	return o
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Name returns "aws".
func (p *provider) Name() string { return Name }

// Audience returns the audience that its tokens must have.
func (p *provider) Audience() string { return p.settings.Audience }

// End says how long the session stays valid; see [Ender].
func (p *provider) End(ctx context.Context, h oidc.Handle) oidc.Ending {
	return Ender{Now: p.opts.Now}.End(ctx, h)
}
