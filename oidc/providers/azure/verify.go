package azure

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// accessClaims are what an access token says of itself, where it can be read. Entra
// calls it opaque to clients; those of Azure's own resources are JWTs.
type accessClaims struct {
	tenant, client, audience string
	uti                      string // by which the sign-in log knows it
	expires                  time.Time
}

func readAccessToken(token string) (accessClaims, bool) {
	t, err := oidc.ParseToken(token)
	if err != nil {
		return accessClaims{}, false
	}
	c := accessClaims{tenant: t.Claims.Get("tid"), client: t.Claims.Get("appid"), audience: t.Claims.Get("aud"),
		uti: wire.SafeText(t.Claims.Get("uti")), expires: t.Expires()}
	if c.client == "" {
		c.client = t.Claims.Get("azp") // of version 2.0
	}
	return c, c.tenant != "" && c.client != ""
}

// identity is that of the token, with what it is for.
func (c accessClaims) identity() string { return c.tenant + "/" + c.client + " for " + c.audience }

// Verify compares identity, resource and times of a credential with what the grant and
// the request ask for. A token that cannot be read is believed; the credential's facts
// then say so.
func (p *provider) Verify(c *oidc.Credential, req oidc.Request) error {
	const notOurs = "nothing was handed over; if endpoint: names a server of yours, check it, otherwise report this with the receipt"
	now := p.opts.Now()
	fail := func(hint, format string, args ...any) error {
		return &oidc.Error{Stage: oidc.StageVerify, Message: fmt.Sprintf(format, args...), Hint: hint}
	}
	switch {
	case c == nil:
		return fail(notOurs, "there is no credential to check")
	case !p.identityIs(c):
		return fail(notOurs, "%s issued a token of %.300q, and grant %q is for %q and %q", p.host, c.Identity, p.grant.Name, p.identity(), p.resource())
	case !c.Expires.After(now) || !c.UsableUntil.After(now):
		return fail("set this machine's clock; nothing was handed over",
			"the access token is already over: it ends at %s, and here it is %s", wire.Stamp(c.Expires), wire.Stamp(now))
	case c.Expires.After(now.Add(req.TTL + clockLeeway)):
		return fail("write a longer ttl if a token lifetime policy of the tenant makes them live so long; nothing was handed over",
			"the access token lives until %s, longer than the ttl of %s", wire.Stamp(c.Expires), req.TTL)
	}
	return nil
}

// identityIs compares tenant, client and resource. A tenant that the grant gives by its
// domain cannot be compared with the id in the token. Resources are named with or
// without a final slash, or by the id of an application.
func (p *provider) identityIs(c *oidc.Credential) bool {
	if c.Identity == "" {
		return c.Facts[FactIdentity] == notStated
	}
	who, audience, _ := strings.Cut(c.Identity, " for ")
	tenant, client, _ := strings.Cut(who, "/")
	sameTenant := strings.EqualFold(tenant, p.Tenant) || !guid.MatchString(p.Tenant)
	sameResource := strings.EqualFold(strings.TrimSuffix(audience, "/"), strings.TrimSuffix(p.resource(), "/")) || guid.MatchString(audience)
	return sameTenant && strings.EqualFold(client, p.ClientID) && sameResource
}

// An Ender says how access tokens end, from their handles alone.
type Ender struct{ opts Options }

// NewEnder makes what says until when a token stays valid: Entra takes none back.
func NewEnder(opts Options) Ender { return Ender{opts.WithDefaults()} }

// End reports until when the access token stays valid. It makes no call: Entra has none
// that ends a token of an application. Tools that exchanged the federated token by
// themselves hold access tokens of their own, of which stint knows nothing.
func (e Ender) End(_ context.Context, h oidc.Handle) oidc.Ending {
	now := e.opts.Now()
	switch {
	case h.Expires.IsZero():
		return oidc.Ending{Outcome: oidc.Open, At: now, Detail: "it is not known when this access token expires; entra cannot end it early"}
	case !now.Before(h.Expires):
		return oidc.Ending{Outcome: oidc.Expired, At: h.Expires, Detail: "expired at " + wire.Stamp(h.Expires)}
	}
	return oidc.Ending{Outcome: oidc.Expires, At: h.Expires,
		Detail: "entra cannot end an access token early; this one stays valid until " + wire.Stamp(h.Expires) +
			", and what the tools of the command exchanged by themselves for up to 90 minutes after they did"}
}
