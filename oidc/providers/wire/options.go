package wire

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net/http"
	"time"
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

// WithDefaults fills in the real ones.
func (o Options) WithDefaults() Options {
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
			DisableKeepAlives:   true, // a few calls in the life of a job
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
