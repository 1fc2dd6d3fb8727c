package vault

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	vaultapi "github.com/hashicorp/vault/api"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/providers/wire"
)

// Limits of one ending: a job that is cancelled has some seconds.
const (
	endTimeout  = 6 * time.Second
	callTimeout = 3 * time.Second
	endTries    = 3
)

// endpoint is where to end a token, for another process: the address, and in its query
// the namespace and the certificate, where there are any.
func (s server) endpoint() string {
	query := url.Values{}
	if s.namespace != "" {
		query.Set("namespace", s.namespace)
	}
	if s.ca != "" {
		query.Set("ca", shortCA(s.ca))
	}
	if len(query) == 0 {
		return s.address
	}
	return s.address + "?" + query.Encode()
}

// serverAt reads it back, from a state that other code of the job could reach.
func serverAt(endpoint string, opts wire.Options) (server, error) {
	address, query, _ := strings.Cut(endpoint, "?")
	u, err := wire.ParseEndpoint(address)
	if err != nil {
		return server{}, err
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return server{}, errNotOurs
	}
	ca, err := longCA(values.Get("ca"))
	if err != nil {
		return server{}, errNotOurs
	}
	s := server{address: u.String(), namespace: values.Get("namespace"), ca: ca, opts: opts}
	trusted := &settings{config: config{CA: s.ca}}
	if s.namespace != "" && !isPath(s.namespace) || trusted.checkCA(wire.Block{}) != nil {
		return server{}, errNotOurs
	}
	s.opts = trusted.withRoots(opts)
	return s, nil
}

// shortCA writes the certificates without PEM's lines, and longCA writes them back.
func shortCA(text string) string {
	var der []byte
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		der = append(der, block.Bytes...)
	}
	return base64.RawURLEncoding.EncodeToString(der)
}

func longCA(short string) (string, error) {
	der, err := base64.RawURLEncoding.DecodeString(short)
	if err != nil {
		return "", err
	}
	certs, err := x509.ParseCertificates(der)
	var b strings.Builder
	for _, c := range certs {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return b.String(), err
}

var errNotOurs = errors.New("not a handle of this provider")

// An Ender ends tokens from their handles alone: the process that cleans up needs no
// grant file, which a step in between may have changed.
type Ender struct{ opts wire.Options }

// NewEnder makes an Ender with the clock and the transport of opts.
func NewEnder(opts Options) Ender { return Ender{opts: opts.WithDefaults()} }

// End revokes the token, and with it all that was made under it, and looks it up
// afterwards. Only a lookup that is refused makes it revoked. It is idempotent.
func (e Ender) End(ctx context.Context, h oidc.Handle) oidc.Ending {
	if e.opts.Now == nil {
		e.opts = e.opts.WithDefaults()
	}
	if h.Revoke == "" {
		return e.unrevocable(h)
	}
	client, err := e.client(h)
	if err != nil {
		return e.open("what is saved of this token does not say how to revoke it; it expires at " + wire.Stamp(h.Expires))
	}
	ctx, cancel := context.WithTimeout(ctx, endTimeout)
	defer cancel()
	return e.revoke(ctx, client, h)
}

func (e Ender) unrevocable(h oidc.Handle) oidc.Ending {
	now := e.opts.Now()
	switch {
	case h.Expires.IsZero():
		return e.open("it is not known when this token expires, and it cannot be revoked")
	case !now.Before(h.Expires):
		return oidc.Ending{Outcome: oidc.Expired, At: h.Expires, Detail: "expired at " + wire.Stamp(h.Expires)}
	}
	return oidc.Ending{Outcome: oidc.Expires, At: h.Expires,
		Detail: "vault cannot revoke a batch token; this one stays valid until " + wire.Stamp(h.Expires)}
}

func (e Ender) open(detail string) oidc.Ending {
	return oidc.Ending{Outcome: oidc.Open, At: e.opts.Now(), Detail: detail}
}

func (e Ender) client(h oidc.Handle) (*vaultapi.Client, error) {
	if !wire.IsSecretText(h.Revoke) || len(h.Revoke) > maxTokenBytes {
		return nil, errNotOurs
	}
	at, err := serverAt(h.Endpoint, e.opts)
	if err != nil {
		return nil, err
	}
	return at.client(oidc.StageEnd, oidc.Run{}, oidc.NewSecret(h.Revoke))
}

// revoke asks until the server has said yes or no, then looks.
func (e Ender) revoke(ctx context.Context, client *vaultapi.Client, h oidc.Handle) oidc.Ending {
	loop := wire.Loop{Options: e.opts, Tries: endTries, Deadline: e.opts.Now().Add(endTimeout)}
	for {
		err := e.call(ctx, func(ctx context.Context) error { return client.Auth().Token().RevokeSelfWithContext(ctx, "") })
		if err == nil {
			return e.confirm(ctx, client, h)
		}
		if r := refusedWith(err); r != nil && r.reply.Status == http.StatusForbidden {
			return e.refusedTo(ctx, client, h, r)
		}
		if loop.Next(ctx, retryable(err)) != nil {
			return e.open("vault did not answer that it revoked the token; it may stay valid until " + wire.Stamp(h.Expires))
		}
	}
}

func (e Ender) call(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return do(ctx)
}

// retryable makes of any failure one that the loop understands.
func retryable(err error) error {
	e := oidc.Error{Stage: oidc.StageEnd, Message: "revoking failed", Retryable: true}
	if r := refusedWith(err); r != nil {
		_, e.Retryable = busyRule(r.reply.Status)
		e.RetryAfter = r.reply.RetryAfter()
	}
	return &e
}

// confirm looks the token up after the server said that it was revoked.
func (e Ender) confirm(ctx context.Context, client *vaultapi.Client, h oidc.Handle) oidc.Ending {
	switch status := e.lookup(ctx, client); status {
	case http.StatusForbidden:
		return oidc.Ending{Outcome: oidc.Revoked, At: e.opts.Now(), Detail: "revoked, with all that was leased under it; a lookup afterwards was refused"}
	case http.StatusOK:
		return e.open("vault said that it revoked the token, and still answers it; it may stay valid until " + wire.Stamp(h.Expires))
	}
	return e.open("vault said that it revoked the token, but did not answer the lookup that should confirm it")
}

// refusedTo tells a token that is gone from one that may not revoke itself: newer
// servers add "invalid token" to the refusal of the first.
func (e Ender) refusedTo(ctx context.Context, client *vaultapi.Client, h oidc.Handle, r *refusal) oidc.Ending {
	now := e.opts.Now()
	switch {
	case !h.Expires.IsZero() && !now.Before(h.Expires):
		return oidc.Ending{Outcome: oidc.Expired, At: h.Expires, Detail: "expired at " + wire.Stamp(h.Expires)}
	case r.says("invalid token") && e.lookup(ctx, client) == http.StatusForbidden:
		return oidc.Ending{Outcome: oidc.Revoked, At: now, Detail: "the token had been revoked before; a lookup was refused"}
	}
	return e.open("vault refused to revoke the token: it is gone already, or no policy lets it revoke itself; " +
		"else it stays valid until " + wire.Stamp(h.Expires))
}

func (r *refusal) says(part string) bool {
	return strings.Contains(strings.ToLower(strings.Join(r.texts, " ")), part)
}

// lookup returns the status of the token's look at itself, 0 when there is none.
func (e Ender) lookup(ctx context.Context, client *vaultapi.Client) int {
	err := e.call(ctx, func(ctx context.Context) error {
		_, err := client.Auth().Token().LookupSelfWithContext(ctx)
		return err
	})
	if err == nil {
		return http.StatusOK
	}
	if r := refusedWith(err); r != nil {
		return r.reply.Status
	}
	return 0
}
