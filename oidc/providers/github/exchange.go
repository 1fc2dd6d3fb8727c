package github

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// The facts of a credential, by key.
const (
	FactRequestID    = "request_id"
	FactAttempts     = "attempts"
	FactRepositories = "repositories" // as the reply states them, joined with ","
	FactPermissions  = "permissions"  // as the reply states them: "contents=write,metadata=read"
	FactRights       = "rights_check" // only when the server did not state them
	FactExpiry       = "expiry"       // where the expiry is from, when the reply does not say
)

// Limits of one exchange.
const (
	maxTries        = 4
	exchangeTimeout = time.Minute
	clockLeeway     = 30 * time.Second
	// maxTokenBytes bounds a token that goes into the environment; long ones have 520.
	maxTokenBytes = 8 << 10
)

// Exchange asks for an installation token. It retries what a busy server or a broken
// line can cause, with a fresh id-token each time, for a minute at most. A try whose
// answer is lost may leave a token that nobody holds and that ends within an hour.
func (p *provider) Exchange(ctx context.Context, req oidc.Request) (*oidc.Credential, error) {
	if req.TTL < life || req.TTL > p.ttl {
		return nil, exchangeError(fmt.Sprintf("ask for %s to %s", life, p.ttl),
			"a lifetime of %s is not within what grant %q gives", req.TTL, p.grant.Name)
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

func exchangeError(hint, format string, args ...any) *oidc.Error {
	return &oidc.Error{Stage: oidc.StageExchange, Message: fmt.Sprintf(format, args...), Hint: hint}
}

// attempt asks once, with a token of its own. What the source says about its own
// failure is final: it has its own retries.
func (p *provider) attempt(ctx context.Context, req oidc.Request) (*oidc.Credential, error) {
	tok, err := req.Source.Token(ctx, p.audience)
	if err != nil {
		return nil, wire.Final(err)
	}
	asked := p.opts.Now()
	r, err := p.request(ctx, req, tok)
	if err != nil {
		return nil, err
	}
	reply, err := wire.Caller{Options: p.opts, Stage: oidc.StageExchange, Run: req.Run}.Do(ctx, r.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	if !reply.Good() {
		return nil, p.refused(reply, tok.Claims)
	}
	return p.credential(reply, asked)
}

func (p *provider) request(ctx context.Context, req oidc.Request, tok *oidc.Token) (*http.Request, error) {
	if !p.ownKey() {
		return p.stsRequest(tok)
	}
	if err := p.mayUseKey(req.Source, tok.Claims); err != nil {
		return nil, err
	}
	jwt, err := p.appToken(ctx)
	if err != nil {
		return nil, err
	}
	return p.appRequest(jwt)
}

// stsRequest is the exchange of octo-sts.
func (p *provider) stsRequest(tok *oidc.Token) (*http.Request, error) {
	query := url.Values{"scope": {p.Scope}, "identity": {p.Identity}}
	r, err := http.NewRequest(http.MethodGet, p.sts.String()+"/sts/exchange?"+query.Encode(), nil)
	if err != nil {
		return nil, exchangeError("check endpoint: in the grant", "the request could not be built")
	}
	r.Header.Set("Authorization", "Bearer "+tok.Raw.Reveal())
	r.Header.Set("Accept", "application/json")
	return r, nil
}

// An issued is a good reply. octo-sts gives the token alone.
type issued struct {
	Token        string            `json:"token"`
	Expires      string            `json:"expires_at"`
	Permissions  map[string]string `json:"permissions"`
	Selection    string            `json:"repository_selection"`
	Repositories []struct {
		Name string `json:"name"`
	} `json:"repositories"`
}

func (p *provider) credential(r *wire.Reply, asked time.Time) (*oidc.Credential, error) {
	var got issued
	if json.Unmarshal(r.Body, &got) != nil || len(got.Token) > maxTokenBytes || !wire.IsSecretText(got.Token) {
		return nil, &oidc.Error{Stage: oidc.StageExchange, Status: r.Status, RequestID: requestID(r),
			Message: "the reply of " + p.host() + " holds no token",
			Hint:    "check endpoint: and api: in the grant, and the proxy of the runner"}
	}
	facts := p.rightsFacts(got)
	if id := requestID(r); id != "" {
		facts[FactRequestID] = id
	}
	expires, err := time.Parse(time.RFC3339, got.Expires)
	if err != nil {
		expires, facts[FactExpiry] = asked.Add(life).Truncate(time.Second), "by the REST reference"
	}
	expires = expires.UTC()
	identity := p.identity()
	return &oidc.Credential{
		Vars: p.vars(got.Token), Identity: identity, Expires: expires, UsableUntil: expires, Facts: facts,
		Handle: oidc.Handle{Provider: Name, Grant: p.grant.Name, ID: hashedToken(got.Token), Identity: identity,
			Expires: expires, UsableUntil: expires, Endpoint: p.endpointOf(p.api), Revoke: got.Token},
	}, nil
}

// hashedToken is the name by which the organization's audit log knows a token: its
// field hashed_token.
func hashedToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// host is where the exchange goes, for messages.
func (p *provider) host() string {
	if !p.ownKey() {
		return p.sts.Host
	}
	return p.api.Host
}

func requestID(r *wire.Reply) string {
	return wire.SafeText(r.Header.Get("X-GitHub-Request-Id"))
}
