package azure

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// The facts of a credential, by key.
const (
	FactRequestID = "request_id" // x-ms-request-id of the reply
	FactAttempts  = "attempts"
	FactResource  = "resource"       // what the access token is for
	FactIdentity  = "identity_check" // only when the access token could not be read
)

// notStated is the value of FactIdentity.
const notStated = "the access token cannot be read"

// Limits of one exchange.
const (
	maxTries        = 5
	exchangeTimeout = time.Minute
	clockLeeway     = 30 * time.Second
)

// Exchange asks for an access token. It retries what a busy service or a broken line
// can cause, with a fresh id-token each time, for a minute at most.
func (p *provider) Exchange(ctx context.Context, req oidc.Request) (*oidc.Credential, error) {
	if req.TTL < MinTTL || req.TTL > p.ttl {
		return nil, &oidc.Error{Stage: oidc.StageExchange,
			Message: fmt.Sprintf("a lifetime of %s is not within what grant %q gives", req.TTL, p.grant.Name),
			Hint:    fmt.Sprintf("ask for %s to %s", MinTTL, p.ttl)}
	}
	loop := wire.Loop{Options: p.opts, Tries: maxTries, Deadline: p.opts.Now().Add(exchangeTimeout)}
	for {
		cred, err := p.attempt(ctx, req)
		if err == nil {
			cred.Facts[FactAttempts] = strconv.Itoa(loop.Attempts() + 1)
			return cred, nil
		}
		if err := loop.Next(ctx, err); err != nil {
			return nil, err
		}
	}
}

// attempt asks once, with a token of its own.
func (p *provider) attempt(ctx context.Context, req oidc.Request) (*oidc.Credential, error) {
	tok, err := req.Source.Token(ctx, p.Audience())
	if err != nil {
		return nil, wire.Final(err)
	}
	asked := p.opts.Now()
	l := &line{host: p.host, plain: p.plain,
		caller: wire.Caller{Options: p.opts, Stage: oidc.StageExchange, Run: req.Run}}
	got, err := p.accessToken(ctx, l, tok.Raw.Reveal())
	switch {
	case err != nil && l.err != nil:
		return nil, l.err
	case err != nil && l.reply != nil && !l.reply.Good():
		return nil, p.refused(l.reply, tok.Claims)
	case err != nil || l.reply == nil || !l.asked:
		return nil, p.notAReply(l.reply)
	}
	return p.credential(l.reply, got, tok, asked)
}

// accessToken lets azidentity make the call. Its error is not kept, because it can hold
// a piece of the reply; the line has what is to be said.
func (p *provider) accessToken(ctx context.Context, l *line, assertion string) (string, error) {
	cred, err := azidentity.NewClientAssertionCredential(p.Tenant, p.ClientID,
		func(context.Context) (string, error) { return assertion, nil },
		&azidentity.ClientAssertionCredentialOptions{
			ClientOptions: azcore.ClientOptions{
				Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: "https://" + p.host},
				Retry:     policy.RetryOptions{MaxRetries: -1}, // the loop takes a fresh token each time
				Transport: l,
			},
			DisableInstanceDiscovery: true,
		})
	if err != nil {
		return "", err
	}
	got, err := cred.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{p.Scope}})
	return got.Token, err
}

// credential reads a reply.
func (p *provider) credential(r *wire.Reply, token string, tok *oidc.Token, asked time.Time) (*oidc.Credential, error) {
	var stated struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"`
	}
	if json.Unmarshal(r.Body, &stated) != nil || stated.AccessToken != token || !wire.IsSecretText(token) ||
		stated.ExpiresIn < 1 || stated.ExpiresIn > int64((48*time.Hour).Seconds()) {
		return nil, p.notAReply(r)
	}
	facts := map[string]string{FactResource: p.resource()}
	if id := requestID(r); id != "" {
		facts[FactRequestID] = id
	}
	expires := asked.Add(time.Duration(stated.ExpiresIn) * time.Second).UTC().Truncate(time.Second)
	id, identity := wire.Digest(token), ""
	if c, ok := readAccessToken(token); ok {
		identity, expires = c.identity(), c.expires
		if c.uti != "" {
			id = c.uti
		}
	} else {
		facts[FactIdentity] = notStated
	}
	vars := p.vars()
	if p.AccessToken != "" {
		vars = append(vars, oidc.Var{Name: p.AccessToken, Value: oidc.NewSecret(token)})
	}
	return &oidc.Credential{
		Vars: vars, Files: files(tok.Raw), Identity: identity, Expires: expires, UsableUntil: expires, Facts: facts,
		Handle: oidc.Handle{Provider: Name, Grant: p.grant.Name, ID: id, Identity: identity, Expires: expires, UsableUntil: expires},
	}, nil
}
