package registry

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// MinTTL and MaxTTL bound the ttl of a grant for any registry.
const (
	MinTTL = time.Minute
	MaxTTL = 12 * time.Hour
)

// clockLeeway is how far this machine's clock may be from the registry's.
const clockLeeway = 30 * time.Second

// Options are what every registry takes from outside.
type Options = wire.Options

// A Registry is what one registry has of its own. It is a value without state.
type Registry struct {
	// Name is the key in the grant file; Title is for people.
	Name, Title string
	// Origin is where the exchange is, as https://HOST, and Audience what its id-tokens
	// are for; a grant may name others.
	Origin, Audience string
	// PURL is the package URL type of its packages (ECMA-427), by which receipts name
	// what a token is for: "pkg:cargo/NAME".
	PURL string
	// IsPackage reports whether a text is the name of a package; Example is one, for hints.
	IsPackage func(string) bool
	Example   string
	// Rights are all that a token for publishing may have, where a reply states them.
	Rights []string
	// Life is how long a token lives when the reply does not say; 0 when only the
	// reply can tell.
	Life time.Duration
	// Request builds the one call of an exchange.
	Request func(origin *url.URL, pkg, idToken string) (*http.Request, error)
	// Read takes the token out of a good reply. What it leaves empty is missing.
	Read func(body []byte) Issued
	// Refusal reads a bad reply into a code of the registry's documentation, "" when it
	// has none, and a hint. It repeats no text of the reply.
	Refusal func(r *wire.Reply) (code, hint string)
	// HandOver gives the token to the tools. origin is nil unless the grant names one.
	HandOver func(origin *url.URL, pkg string, token oidc.Secret) ([]oidc.Var, []oidc.PrivateFile)
	// Revoke builds the call that takes a token back; nil where there is none. The
	// registry's answer is all there is: none of them has a call to check a token with.
	Revoke func(origin *url.URL, token string) (*http.Request, error)
	// Form is what its trusted publishers can say.
	Form Form
}

// An Issued is what a good reply holds.
type Issued struct {
	Token string
	// Expires is zero when the reply does not say.
	Expires time.Time
	// Package is the one that the reply names, "" for none, and Rights are those that it
	// states.
	Package string
	Rights  []string
}

// A Config is a registry's block in a grant. A registry with more keys decodes them itself.
type Config struct {
	Package  string `yaml:"package"`
	Audience string `yaml:"audience"`
	Endpoint string `yaml:"endpoint"`
}

// A provider is the block of one grant, ready to be exchanged.
type provider struct {
	registry Registry
	grant    *grant.Grant
	config   Config
	pkg      string
	audience string
	origin   *url.URL
	other    bool // origin is the grant's own
	ttl      time.Duration
	opts     Options
}

// New makes the provider of a grant's block. It checks the whole block, makes no call
// and asks for no token. Errors are *oidc.Error and name the line.
func New(r Registry, target *grant.Target, g *grant.Grant, opts Options) (oidc.Provider, error) {
	var c Config
	if err := target.Decode(&c); err != nil {
		return nil, err
	}
	return Make(r, c, target, g, opts)
}

// Make is New for a block that was decoded already.
func Make(r Registry, c Config, target *grant.Target, g *grant.Grant, opts Options) (oidc.Provider, error) {
	at := wire.Block{Grant: g.Name, Provider: r.Name, Line: target.Line}
	p := &provider{registry: r, grant: g, config: c, pkg: c.Package, ttl: g.TTL, opts: opts.WithDefaults(), other: c.Endpoint != ""}
	if c.Package == "" || !r.IsPackage(c.Package) {
		return nil, at.Errorf(fmt.Sprintf("name the package that is published, as in package: %q", r.Example),
			"package %.200q is not the name of one", c.Package)
	}
	if p.audience = cmp.Or(c.Audience, r.Audience); c.Audience != "" {
		if err := at.Audience(c.Audience); err != nil {
			return nil, err
		}
	}
	var err error
	if p.origin, err = at.Endpoint(cmp.Or(c.Endpoint, r.Origin)); err != nil {
		return nil, err
	}
	if err := checkTTL(r, g.TTL, at); err != nil {
		return nil, err
	}
	return p, nil
}

func checkTTL(r Registry, ttl time.Duration, at wire.Block) error {
	switch {
	case ttl < MinTTL || ttl > MaxTTL:
		return at.Errorf("set ttl: between 1m and 12h", "ttl %s is out of range for %s", ttl, r.Name)
	case ttl < r.Life:
		return at.Errorf(fmt.Sprintf("write ttl: %s, which is how long the token may be used", minutes(r.Life)),
			"a token of %s lives %s, and no ttl makes that shorter; the grant gives %s", r.Title, minutes(r.Life), ttl)
	}
	return nil
}

// minutes writes a duration as a grant does.
func minutes(d time.Duration) string { return fmt.Sprintf("%dm", int(d.Minutes())) }

// Name returns the key in the grant file.
func (p *provider) Name() string { return p.registry.Name }

// Audience returns the audience that its tokens must have.
func (p *provider) Audience() string { return p.audience }

// purl names what a token is for.
func (p *provider) purl() string { return "pkg:" + p.registry.PURL + "/" + p.pkg }

// End ends the token as far as the registry can; see [Ender].
func (p *provider) End(ctx context.Context, h oidc.Handle) oidc.Ending {
	return NewEnder(p.registry, p.opts).End(ctx, h)
}
