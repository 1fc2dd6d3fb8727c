package vault

import (
	"context"
	"maps"
	"strings"
	"time"

	"github.com/stint-dev/stint/oidc"
)

// Renew extends the token and the leases under it in place: the same variables stay
// good. It fails when the server extends any of them by nothing, or by more than was
// asked; the caller exchanges anew then.
func (p *provider) Renew(ctx context.Context, c *oidc.Credential, req oidc.Request) (*oidc.Credential, error) {
	if c.Handle.Revoke == "" {
		return nil, notRenewable("the token cannot be renewed: it is a batch token")
	}
	if req.TTL < MinTTL || req.TTL > p.settings.ttl {
		return nil, notRenewable("a lifetime of " + req.TTL.String() + " is not within what the grant gives")
	}
	client, err := p.server.client(oidc.StageExchange, req.Run, oidc.NewSecret(c.Handle.Revoke))
	if err != nil {
		return nil, err
	}
	began, seconds := p.opts.Now(), int(req.TTL/time.Second)
	reply, err := client.Auth().Token().RenewSelfWithContext(ctx, seconds)
	if err != nil {
		return nil, p.explainRenewal(err)
	}
	if reply == nil || reply.Auth == nil || reply.Auth.LeaseDuration <= 0 || reply.Auth.LeaseDuration > seconds {
		return nil, notRenewable("the server did not extend the token as it was asked to")
	}
	longer := *c
	longer.Facts = maps.Clone(c.Facts)
	longer.Expires = began.Add(time.Duration(reply.Auth.LeaseDuration) * time.Second).UTC()
	longer.UsableUntil = longer.Expires
	for _, id := range leasesOf(c) {
		lease, err := client.Sys().RenewWithContext(ctx, id, seconds)
		if err != nil {
			return nil, p.explainRenewal(err)
		}
		if lease == nil || lease.LeaseDuration <= 0 {
			return nil, notRenewable("the server did not extend a lease of a secret")
		}
		if end := began.Add(time.Duration(lease.LeaseDuration) * time.Second).UTC(); end.Before(longer.UsableUntil) {
			longer.UsableUntil = end
		}
	}
	longer.Handle.Expires, longer.Handle.UsableUntil = longer.Expires, longer.UsableUntil
	return &longer, nil
}

func leasesOf(c *oidc.Credential) []string {
	if c.Facts[FactLeases] == "" {
		return nil
	}
	return strings.Split(c.Facts[FactLeases], ",")
}

func notRenewable(message string) error {
	return &oidc.Error{Stage: oidc.StageExchange, Message: message, Hint: "a new exchange gives a new token"}
}

func (p *provider) explainRenewal(err error) error {
	r := refusedWith(err)
	if r == nil {
		return p.lineError(err)
	}
	known, busy := busyRule(r.reply.Status)
	if !busy {
		known = rule{text: "refused to renew", hint: "a new exchange gives a new token; a role whose token is to be renewed needs the policy default"}
	}
	return p.refused(oidc.StageExchange, r, known)
}
