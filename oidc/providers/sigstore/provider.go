package sigstore

import (
	"cmp"
	"context"
	"net/url"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/fulcio"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// Name is the provider's key in the grant file and in handles.
const Name = "sigstore"

// MinTTL and MaxTTL bound the ttl of a grant: no certificate lives shorter than the one.
const (
	MinTTL = fulcio.Life
	MaxTTL = 12 * time.Hour
)

// Options are what a provider takes from outside.
type Options = wire.Options

// config is the sigstore block of a grant.
type config struct {
	Fulcio   string `yaml:"fulcio"`
	Publish  bool   `yaml:"publish"`
	Audience string `yaml:"audience"`
}

// A provider is the sigstore block of one grant, ready to be exchanged.
type provider struct {
	grant     string
	ttl       time.Duration
	authority fulcio.Authority
}

// New makes the provider of a grant's sigstore block. It checks the whole block, makes
// no call and asks for no token. Errors are *oidc.Error and name the line.
func New(target *grant.Target, g *grant.Grant, opts Options) (oidc.Provider, error) {
	var c config
	if err := target.Decode(&c); err != nil {
		return nil, err
	}
	at := wire.Block{Grant: g.Name, Provider: Name, Line: target.Line}
	address, err := c.address(at)
	if err != nil {
		return nil, err
	}
	if c.Audience != "" {
		if err := at.Audience(c.Audience); err != nil {
			return nil, err
		}
	}
	if err := checkTTL(at, g.TTL); err != nil {
		return nil, err
	}
	return &provider{grant: g.Name, ttl: g.TTL, authority: fulcio.Authority{Address: address,
		Audience: cmp.Or(c.Audience, fulcio.Audience), Options: opts.WithDefaults()}}, nil
}

func (c config) address(at wire.Block) (*url.URL, error) {
	const hint = "write fulcio: https://fulcio.example, the base address of your own; sigstore's public instance wants publish: true as well"
	if c.Fulcio == "" {
		return nil, at.Errorf(hint, "fulcio is missing")
	}
	address, err := fulcio.Address(c.Fulcio, c.Publish)
	if err != nil {
		return nil, at.Errorf(hint, "fulcio: %v", err)
	}
	return address, nil
}

func checkTTL(at wire.Block, ttl time.Duration) error {
	switch {
	case ttl < MinTTL:
		return at.Errorf("write ttl: 10m, which is how long the key may be used",
			"a certificate of a fulcio lives ten minutes, and no ttl makes that shorter; the grant gives %s", ttl)
	case ttl > MaxTTL:
		return at.Errorf("set ttl: between 10m and 12h", "ttl %s is out of range for sigstore", ttl)
	}
	return nil
}

// Name returns "sigstore".
func (p *provider) Name() string { return Name }

// Audience returns the audience that its tokens must have.
func (p *provider) Audience() string { return p.authority.Audience }

// InFiles returns the files, which are all that there is.
func (p *provider) InFiles(c *oidc.Credential) ([]oidc.Var, []oidc.PrivateFile) { return nil, c.Files }

// End says until when the certificate is valid; see [Ender].
func (p *provider) End(ctx context.Context, h oidc.Handle) oidc.Ending {
	return NewEnder(p.authority.Options).End(ctx, h)
}

// host is where the call goes, for messages.
func (p *provider) host() string { return p.authority.Address.Host }

// An Ender says how credentials end from their handles alone.
type Ender struct{ opts Options }

// NewEnder makes an Ender.
func NewEnder(opts Options) Ender { return Ender{opts.WithDefaults()} }

// End makes no call: there is none that ends a certificate. The lease removes the key's
// file, which takes the key from nobody who has read it.
func (e Ender) End(_ context.Context, h oidc.Handle) oidc.Ending {
	now := e.opts.Now()
	switch {
	case h.Expires.IsZero():
		return oidc.Ending{Outcome: oidc.Open, At: now, Detail: "the state does not say when this certificate expires, and nothing ends one early"}
	case !now.Before(h.Expires):
		return oidc.Ending{Outcome: oidc.Expired, At: h.Expires, Detail: "expired at " + wire.Stamp(h.Expires)}
	}
	return oidc.Ending{Outcome: oidc.Expires, At: h.Expires,
		Detail: "nothing ends a certificate early: who has read the key can sign until " + wire.Stamp(h.Expires)}
}

var _ oidc.Filed = (*provider)(nil)
