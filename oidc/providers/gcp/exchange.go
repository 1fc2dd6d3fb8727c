package gcp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2/google/downscope"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// The facts of a credential, by key.
const (
	FactProvider    = "provider"        // the workload identity pool provider
	FactAccount     = "service_account" // whose token it is
	FactScopes      = "scopes"
	FactBoundary    = "boundary_digest" // "sha256:…" of the credential access boundary
	FactAudience    = "id_token_audience"
	FactAsked       = "lifetime_seconds" // asked of the service account
	FactRequestedAt = "requested_at"     // when the exchange began, by this machine's clock
	FactAttempts    = "attempts"
	FactIdentity    = "identity_check" // what the reply does not state
)

// The words of a token exchange (RFC 8693).
const (
	grantExchange  = "urn:ietf:params:oauth:grant-type:token-exchange"
	typeAccess     = "urn:ietf:params:oauth:token-type:access_token"
	typeJWT        = "urn:ietf:params:oauth:token-type:jwt"
	maxTries       = 5
	maxTokenBytes  = 16 << 10
	maxLifeSeconds = int(MaxTTL / time.Second)
)

// Exchange asks for an access token, or for an id-token where the grant says so. What
// may do better is tried again from the start, with a fresh id-token each time, for a
// minute at most.
func (p *provider) Exchange(ctx context.Context, req oidc.Request) (*oidc.Credential, error) {
	if err := p.checkRequest(req); err != nil {
		return nil, err
	}
	loop := wire.Loop{Options: p.opts, Tries: maxTries, Deadline: p.opts.Now().Add(exchangeTimeout)}
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

// checkRequest refuses what the settings, checked for the grant's ttl, do not cover.
func (p *provider) checkRequest(req oidc.Request) error {
	least := MinTTL
	switch {
	case p.settings.IDTokenAudience != "":
		least = idTokenTTL
	case p.settings.ServiceAccount == "":
		least = minDirectTTL
	}
	if req.TTL < least || req.TTL > p.settings.ttl {
		return &oidc.Error{Stage: oidc.StageExchange,
			Message: "a lifetime of " + req.TTL.String() + " is not within what grant " + strconv.Quote(p.grant.Name) + " gives",
			Hint:    "ask for " + least.String() + " to " + p.settings.ttl.String()}
	}
	return nil
}

// A pass is a token on its way through the calls.
type pass struct {
	token   string
	expires time.Time
}

// A chain is one attempt.
type chain struct {
	*provider
	ctx    context.Context
	req    oidc.Request
	claims oidc.Claims
	began  time.Time
}

// attempt makes the calls, with an id-token of its own.
func (p *provider) attempt(ctx context.Context, req oidc.Request) (*oidc.Credential, error) {
	tok, err := req.Source.Token(ctx, p.Audience())
	if err != nil {
		return nil, final(err) // the source has its own retries
	}
	c := &chain{provider: p, ctx: ctx, req: req, claims: tok.Claims, began: p.opts.Now()}
	t, err := c.federate(tok.Raw.Reveal())
	switch {
	case err != nil:
	case p.settings.IDTokenAudience != "":
		t, err = c.idToken(t)
	case p.settings.ServiceAccount != "":
		t, err = c.impersonate(t)
	}
	if err == nil && len(p.settings.Allow) > 0 {
		t, err = c.downscope(t)
	}
	if err != nil {
		return nil, err
	}
	return c.credential(t), nil
}

// final keeps an error of the source from being tried again here.
func final(err error) error {
	if e, ok := err.(*oidc.Error); ok {
		once := *e
		once.Retryable = false
		return &once
	}
	return err
}

// stsReply is what the security token service answers.
type stsReply struct {
	AccessToken string `json:"access_token"`
	IssuedType  string `json:"issued_token_type"`
	TokenType   string `json:"token_type"`
	ExpiresIn   *int   `json:"expires_in"`
}

// federate trades the id-token.
func (c *chain) federate(idToken string) (pass, error) {
	scopes := c.settings.Scopes
	if c.settings.ServiceAccount != "" {
		scopes = []string{cloudPlatform} // what the next call needs; its own scopes are the grant's
	}
	reply, err := c.exchangeToken(stepFederate, url.Values{
		"audience": {audienceOf(c.settings.pool, c.settings.providerID)}, "scope": {strings.Join(scopes, " ")},
		"subject_token": {idToken}, "subject_token_type": {typeJWT},
	})
	if err != nil {
		return pass{}, err
	}
	if reply.ExpiresIn == nil {
		return pass{}, malformed(stepFederate, c.host(stsHost), "says no lifetime")
	}
	return pass{reply.AccessToken, c.after(*reply.ExpiresIn)}, nil
}

// downscope trades a token for one that the grant's boundary cuts down. The reply may
// leave the lifetime out; then it is that of the token.
func (c *chain) downscope(t pass) (pass, error) {
	options, err := boundaryJSON(c.settings.boundary())
	if err != nil {
		return pass{}, err
	}
	reply, err := c.exchangeToken(stepDownscope, url.Values{
		"subject_token": {t.token}, "subject_token_type": {typeAccess}, "options": {options},
	})
	if err != nil {
		return pass{}, err
	}
	if reply.ExpiresIn != nil {
		if end := c.after(*reply.ExpiresIn); end.Before(t.expires) {
			t.expires = end
		}
	}
	return pass{reply.AccessToken, t.expires}, nil
}

func boundaryJSON(rules []downscope.AccessBoundaryRule) (string, error) {
	b, err := json.Marshal(map[string]any{"accessBoundary": map[string]any{"accessBoundaryRules": rules}})
	return string(b), err
}

// after is a time so many seconds from when the exchange began, which is before the
// cloud began to count.
func (c *chain) after(seconds int) time.Time {
	return c.began.Add(time.Duration(seconds) * time.Second).UTC()
}

func (c *chain) exchangeToken(s step, form url.Values) (*stsReply, error) {
	form.Set("grant_type", grantExchange)
	form.Set("requested_token_type", typeAccess)
	r, err := http.NewRequestWithContext(c.ctx, http.MethodPost, c.settings.tokenURL().String(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var reply stsReply
	if err := c.call(s, r, &reply); err != nil {
		return nil, err
	}
	host := c.host(stsHost)
	switch {
	case !isToken(reply.AccessToken):
		return nil, malformed(s, host, "holds no token")
	case !strings.EqualFold(reply.TokenType, "Bearer"):
		return nil, malformed(s, host, "is for another kind of token than a bearer")
	case reply.IssuedType != "" && reply.IssuedType != typeAccess:
		return nil, malformed(s, host, "is not an access token")
	case reply.ExpiresIn != nil && (*reply.ExpiresIn < 1 || *reply.ExpiresIn > maxLifeSeconds):
		return nil, malformed(s, host, "has a lifetime that cannot be")
	}
	return &reply, nil
}

func isToken(s string) bool { return len(s) <= maxTokenBytes && wire.IsSecretText(s) }

// impersonate asks for a token of the service account.
func (c *chain) impersonate(t pass) (pass, error) {
	var reply struct {
		AccessToken string `json:"accessToken"`
		ExpireTime  string `json:"expireTime"`
	}
	err := c.askAccount(stepAccount, "generateAccessToken", t, map[string]any{
		"scope": c.settings.Scopes, "lifetime": strconv.Itoa(int(c.req.TTL/time.Second)) + "s",
	}, &reply)
	if err != nil {
		return pass{}, err
	}
	expires, err := time.Parse(time.RFC3339, reply.ExpireTime)
	switch host := c.host(credentialsHost); {
	case !isToken(reply.AccessToken):
		return pass{}, malformed(stepAccount, host, "holds no token")
	case err != nil:
		return pass{}, malformed(stepAccount, host, "does not say when the token expires")
	}
	return pass{reply.AccessToken, expires.UTC()}, nil
}

// idToken asks for an id-token of the service account, and reads when it ends.
func (c *chain) idToken(t pass) (pass, error) {
	var reply struct {
		Token string `json:"token"`
	}
	err := c.askAccount(stepIDToken, "generateIdToken", t, map[string]any{
		"audience": c.settings.IDTokenAudience, "includeEmail": true,
	}, &reply)
	if err != nil {
		return pass{}, err
	}
	host := c.host(credentialsHost)
	tok, err := oidc.ParseToken(reply.Token)
	switch {
	case err != nil || !isToken(reply.Token):
		return pass{}, malformed(stepIDToken, host, "holds no id-token")
	case len(tok.Claims.Audience) != 1 || tok.Claims.Audience[0] != c.settings.IDTokenAudience:
		return pass{}, malformed(stepIDToken, host, "is for another audience than the grant names")
	case tok.Claims.Get("email") != "" && tok.Claims.Get("email") != c.settings.ServiceAccount:
		return pass{}, malformed(stepIDToken, host, "is of another service account than the grant names")
	}
	return pass{reply.Token, tok.Expires()}, nil
}

func (c *chain) askAccount(s step, method string, t pass, body map[string]any, reply any) error {
	if len(c.settings.Delegates) > 0 {
		var delegates []string
		for _, account := range c.settings.Delegates {
			delegates = append(delegates, "projects/-/serviceAccounts/"+account)
		}
		body["delegates"] = delegates
	}
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(c.ctx, http.MethodPost, c.settings.accountURL(method).String(), bytes.NewReader(b))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+t.token)
	return c.call(s, r, reply)
}

// call sends one request and reads a good reply.
func (c *chain) call(s step, r *http.Request, into any) error {
	// The audit log has it as the reason of the request.
	if reason := c.req.Run.URL; reason != "" && wire.IsSecretText(reason) && len(reason) <= 512 {
		r.Header.Set("X-Goog-Request-Reason", reason)
	}
	caller := wire.Caller{Options: c.opts, Stage: oidc.StageExchange, Run: c.req.Run, Timeout: c.timeout}
	reply, err := caller.Do(c.ctx, r)
	if err != nil {
		return err
	}
	if !reply.Good() {
		return c.explain(s, r.URL.Host, reply)
	}
	if json.Unmarshal(reply.Body, into) != nil {
		e := malformed(s, r.URL.Host, "is not what the api answers")
		e.Retryable = true // half a reply, or a proxy's page
		return e
	}
	return nil
}

func (c *chain) host(name string) string {
	if c.settings.endpoint != nil {
		return c.settings.endpoint.Host
	}
	return name
}

// credential makes the hand-over of the last token.
func (c *chain) credential(t pass) *oidc.Credential {
	sum := sha256.Sum256([]byte(t.token))
	id := "sha256:" + hex.EncodeToString(sum[:])
	identity := c.settings.ServiceAccount
	if identity == "" {
		identity = c.settings.Provider
	}
	return &oidc.Credential{
		Vars: c.vars(t), Identity: identity, Expires: t.expires, UsableUntil: t.expires,
		Handle: oidc.Handle{Provider: Name, Grant: c.grant.Name, ID: id, Identity: identity, Expires: t.expires, UsableUntil: t.expires},
		Facts:  c.facts(),
	}
}

// vars are the names that gcloud, Terraform and the client libraries read.
func (c *chain) vars(t pass) []oidc.Var {
	secret := func(name string) oidc.Var { return oidc.Var{Name: name, Value: oidc.NewSecret(t.token)} }
	vars := []oidc.Var{secret("CLOUDSDK_AUTH_ACCESS_TOKEN"), secret("GOOGLE_OAUTH_ACCESS_TOKEN")}
	if c.settings.IDTokenAudience != "" {
		vars = []oidc.Var{secret("GOOGLE_ID_TOKEN")}
	}
	return append(vars, c.settings.projectVars()...)
}

func (s *settings) projectVars() []oidc.Var {
	if s.Project == "" {
		return nil
	}
	public := func(name string) oidc.Var {
		return oidc.Var{Name: name, Value: oidc.NewSecret(s.Project), Public: true}
	}
	return []oidc.Var{public("CLOUDSDK_CORE_PROJECT"), public("GOOGLE_CLOUD_PROJECT")}
}

func (c *chain) facts() map[string]string {
	s := c.settings
	f := map[string]string{
		FactProvider: s.Provider, FactRequestedAt: c.began.UTC().Format(time.RFC3339Nano),
		FactIdentity: "not stated by the server",
	}
	if s.ServiceAccount != "" {
		f[FactAccount] = s.ServiceAccount
	}
	if s.IDTokenAudience != "" {
		f[FactAudience] = s.IDTokenAudience
		return f
	}
	f[FactScopes] = strings.Join(s.Scopes, " ")
	if s.ServiceAccount != "" {
		f[FactAsked] = strconv.Itoa(int(c.req.TTL / time.Second))
	}
	if len(s.Allow) > 0 {
		if text, err := boundaryJSON(s.boundary()); err == nil {
			sum := sha256.Sum256([]byte(text))
			f[FactBoundary] = "sha256:" + hex.EncodeToString(sum[:])
		}
	}
	return f
}

// malformed is the error of a reply that is not one.
func malformed(s step, host, what string) *oidc.Error {
	return &oidc.Error{Stage: oidc.StageVerify, Message: fmt.Sprintf("%s: the reply of %s %s", s, host, what), Hint: notOurs}
}
