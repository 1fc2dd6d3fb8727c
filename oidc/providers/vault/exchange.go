package vault

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	vaultapi "github.com/hashicorp/vault/api"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// The facts of a credential, by key.
const (
	FactAccessor  = "accessor"  // by which audit logs and operators name the token
	FactEntity    = "entity_id" // of the bearer
	FactPolicies  = "policies"  // those of the token, joined by commas
	FactLifetime  = "lease_duration"
	FactTokenType = "token_type" // "service", or "batch", which cannot be revoked
	FactLeases    = "leases"     // ids of what was made on demand, joined by commas
	FactRequestID = "request_id"
	FactAttempts  = "attempts"
)

// Exchange logs in with an id-token and reads what the grant names. It retries what a
// busy or sealed server and a bad line bring, with a fresh token and a new login each
// time. A token whose secrets could not be read is revoked before the next attempt.
func (p *provider) Exchange(ctx context.Context, req oidc.Request) (*oidc.Credential, error) {
	if req.TTL < MinTTL || req.TTL > p.settings.ttl {
		return nil, &oidc.Error{Stage: oidc.StageExchange,
			Message: "a lifetime of " + req.TTL.String() + " is not within what grant " + strconv.Quote(p.grant) + " gives",
			Hint:    "ask for " + MinTTL.String() + " to " + p.settings.ttl.String()}
	}
	loop := wire.Loop{Options: p.opts, Tries: exchangeTries, Deadline: p.opts.Now().Add(exchangeTimeout)}
	for {
		c, err := p.attempt(ctx, req)
		if err == nil {
			c.Facts[FactAttempts] = strconv.Itoa(loop.Attempts() + 1)
			return c, nil
		}
		if err := loop.Next(ctx, err); err != nil {
			return nil, err
		}
	}
}

// attempt logs in once, with a token of its own, and reads the secrets.
func (p *provider) attempt(ctx context.Context, req oidc.Request) (*oidc.Credential, error) {
	tok, err := req.Source.Token(ctx, p.Audience())
	if err != nil {
		return nil, final(err) // the source has its own retries
	}
	client, err := p.server.client(oidc.StageExchange, req.Run, oidc.Secret{})
	if err != nil {
		return nil, err
	}
	began := p.opts.Now()
	reply, err := client.Logical().WriteWithContext(ctx, "auth/"+p.settings.Mount+"/login",
		map[string]any{"role": p.settings.Role, "jwt": tok.Raw.Reveal()})
	if err != nil {
		return nil, p.explainLogin(err, tok.Claims)
	}
	if reply == nil || reply.Auth == nil || !wire.IsSecretText(reply.Auth.ClientToken) || len(reply.Auth.ClientToken) > maxTokenBytes {
		return nil, p.badReply("to the login holds no valid token")
	}
	c := p.credential(reply, began)
	if err := p.checkReply(reply.Auth); err != nil {
		return nil, p.givenBack(ctx, c, err)
	}
	if err := p.readSecrets(ctx, c, oidc.NewSecret(reply.Auth.ClientToken), req.Run, began); err != nil {
		return nil, p.givenBack(ctx, c, err)
	}
	return c, nil
}

// final marks an error of the source as one that no other attempt mends.
func final(err error) error {
	if e, ok := err.(*oidc.Error); ok {
		once := *e
		once.Retryable = false
		return &once
	}
	return err
}

// givenBack revokes a token that nobody will get, and says so if that fails.
func (p *provider) givenBack(ctx context.Context, c *oidc.Credential, cause error) error {
	ending := p.End(context.WithoutCancel(ctx), c.Handle)
	if ending.Outcome == oidc.Revoked {
		return cause
	}
	if e, ok := cause.(*oidc.Error); ok {
		open := *e
		open.Message += "; the token of the login was not handed over, but could not be ended: " + ending.Detail
		open.Retryable = false // each attempt would leave another one open
		return &open
	}
	return cause
}

var (
	accessorText = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)
	leaseText    = regexp.MustCompile(`^[A-Za-z0-9._:@+=/-]{1,512}$`)
)

func (p *provider) badReply(what string) error {
	return &oidc.Error{Stage: oidc.StageVerify, Message: "the reply of " + p.host() + " " + what, Hint: notOurs}
}

// checkReply refuses what is not whole, or no token for a job.
func (p *provider) checkReply(a *vaultapi.SecretAuth) error {
	switch {
	case a.MFARequirement != nil:
		return p.badReply("asks for a second factor, which no job has")
	case a.Accessor != "" && !accessorText.MatchString(a.Accessor):
		return p.badReply("holds an accessor that is none")
	case a.LeaseDuration <= 0:
		return p.badReply("gives a token that does not expire")
	}
	return nil
}

// credential reads the reply of a login, whose token is a good one.
func (p *provider) credential(reply *vaultapi.Secret, began time.Time) *oidc.Credential {
	a := reply.Auth
	expires := began.Add(time.Duration(a.LeaseDuration) * time.Second).UTC()
	c := &oidc.Credential{Identity: p.identity(a.Metadata["role"]), Expires: expires, UsableUntil: expires, Facts: p.facts(reply)}
	c.Handle = oidc.Handle{Provider: Name, Grant: p.grant, ID: wire.SafeText(a.Accessor), Identity: c.Identity,
		Expires: expires, UsableUntil: expires, Endpoint: p.server.endpoint()}
	if c.Facts[FactTokenType] != "batch" {
		c.Handle.Revoke = a.ClientToken
	}
	c.Vars = p.vars(a.ClientToken)
	return c
}

// maxTokenBytes is the longest token that is taken; batch tokens have some hundred bytes.
const maxTokenBytes = 4 << 10

// identity is the role that the server says it was, as a path.
func (p *provider) identity(role string) string {
	return p.host() + "/auth/" + p.settings.Mount + "/role/" + wire.SafeText(role)
}

// vars are what Vault's own tools read. The token is among them only if the grant says
// so. The tools of OpenBao read the same names.
func (p *provider) vars(token string) []oidc.Var {
	public := func(name, value string) oidc.Var {
		return oidc.Var{Name: name, Value: oidc.NewSecret(value), Public: true}
	}
	vars := []oidc.Var{public("VAULT_ADDR", p.server.address)}
	if p.settings.Namespace != "" {
		vars = append(vars, public("VAULT_NAMESPACE", p.settings.Namespace))
	}
	if p.settings.CA != "" {
		vars = append(vars, public("VAULT_CACERT_BYTES", p.settings.CA))
	}
	if p.settings.Token {
		vars = append(vars, oidc.Var{Name: "VAULT_TOKEN", Value: oidc.NewSecret(token)})
	}
	return vars
}

func (p *provider) facts(reply *vaultapi.Secret) map[string]string {
	a := reply.Auth
	kind := "service"
	// Versions that do not state the type name batch tokens by their beginning.
	if strings.HasPrefix(a.ClientToken, "hvb.") || strings.HasPrefix(a.ClientToken, "b.") || a.Accessor == "" {
		kind = "batch"
	}
	policies := slices.Concat(a.TokenPolicies, a.IdentityPolicies)
	if len(policies) == 0 {
		policies = a.Policies
	}
	for i, name := range policies {
		policies[i] = safePolicy(name)
	}
	slices.Sort(policies)
	f := map[string]string{
		FactPolicies: strings.Join(slices.Compact(policies), ","), FactTokenType: kind,
		FactLifetime: strconv.Itoa(a.LeaseDuration),
	}
	for key, value := range map[string]string{FactAccessor: a.Accessor, FactEntity: a.EntityID, FactRequestID: reply.RequestID} {
		if value = wire.SafeText(value); value != "" {
			f[key] = value
		}
	}
	return f
}

// safePolicy keeps a name that cannot be one from passing as another.
func safePolicy(name string) string {
	if !policyName.MatchString(name) {
		return "?"
	}
	return name
}

// ask reads the secret, or has it made from the grant's data.
func (one secret) ask(ctx context.Context, l *vaultapi.Logical) (*vaultapi.Secret, error) {
	if len(one.Data) == 0 {
		return l.ReadWithContext(ctx, one.Path)
	}
	data := make(map[string]any, len(one.Data))
	for name, value := range one.Data {
		data[name] = value
	}
	return l.WriteWithContext(ctx, one.Path, data)
}

// readSecrets adds the fields that the grant names, each as a variable.
func (p *provider) readSecrets(ctx context.Context, c *oidc.Credential, token oidc.Secret, run oidc.Run, began time.Time) error {
	client, err := p.server.client(oidc.StageExchange, run, token)
	if err != nil {
		return err
	}
	var leases []string
	for _, one := range p.settings.Secrets {
		reply, err := one.ask(ctx, client.Logical())
		if err != nil {
			return p.explainRead(err, one)
		}
		if reply == nil {
			return p.missing(one.Path)
		}
		vars, err := one.vars(reply.Data)
		if err != nil {
			return err
		}
		c.Vars = append(c.Vars, vars...)
		if reply.LeaseID == "" {
			continue
		}
		if !leaseText.MatchString(reply.LeaseID) {
			return &oidc.Error{Stage: oidc.StageVerify, Message: "the reply of " + p.host() + " holds a lease that is none", Hint: notOurs}
		}
		leases = append(leases, reply.LeaseID)
		if end := began.Add(time.Duration(reply.LeaseDuration) * time.Second).UTC(); reply.LeaseDuration > 0 && end.Before(c.UsableUntil) {
			c.UsableUntil, c.Handle.UsableUntil = end, end
		}
	}
	if len(leases) > 0 {
		c.Facts[FactLeases] = strings.Join(leases, ",")
	}
	return nil
}
