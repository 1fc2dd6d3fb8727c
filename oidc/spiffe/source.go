package spiffe

import (
	"context"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/stint-dev/stint/oidc"
)

// SocketVar is the variable that names the socket (SPIFFE Workload Endpoint §4).
const SocketVar = "SPIFFE_ENDPOINT_SOCKET"

// Limits of one token.
const (
	fetchTimeout = 10 * time.Second
	maxTries     = 3
	waitBetween  = time.Second
)

// A Source gives the JWT-SVIDs of one workload.
type Source struct {
	// Socket is the address of the Workload API: unix:///path, or tcp://IP:PORT on
	// loopback.
	Socket string
	// Subject is the SPIFFE ID to ask for; "" takes the first that the workload has.
	Subject string
	// Now is the clock, and Sleep waits or returns the context's error. Nil stands for
	// the real ones.
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
}

// Name returns "spiffe".
func (s *Source) Name() string { return "spiffe" }

// Token asks the Workload API for an SVID whose only audience is the one given. It tries
// again when there is no answer at the socket, as when the agent starts anew.
func (s *Source) Token(ctx context.Context, audience string) (*oidc.Token, error) {
	params, err := s.params(audience)
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		raw, err := s.fetch(ctx, params)
		if err == nil {
			return s.check(raw, audience)
		}
		if status.Code(err) != codes.Unavailable || try == maxTries || s.sleep(ctx, waitBetween) != nil {
			return nil, s.problem(ctx, err)
		}
	}
}

func tokenError(hint, message string) *oidc.Error {
	return &oidc.Error{Stage: oidc.StageToken, Message: message, Hint: hint}
}

func (s *Source) params(audience string) (jwtsvid.Params, error) {
	const hint = "write it as unix:///path/of/the/socket, or tcp://127.0.0.1:PORT"
	if audience == "" {
		return jwtsvid.Params{}, tokenError("name the party that the token is for", "no audience was given for the JWT-SVID")
	}
	if err := workloadapi.ValidateAddress(s.Socket); err != nil {
		return jwtsvid.Params{}, tokenError(hint, SocketVar+" "+strconv.Quote(s.Socket)+" is not an address of a workload api")
	}
	if u, err := url.Parse(s.Socket); err == nil && u.Scheme == "tcp" && !isLoopback(u.Hostname()) {
		return jwtsvid.Params{}, tokenError(hint, SocketVar+" "+strconv.Quote(s.Socket)+" is not on this host")
	}
	p := jwtsvid.Params{Audience: audience}
	if s.Subject == "" {
		return p, nil
	}
	id, err := spiffeid.FromString(s.Subject)
	if err != nil {
		return p, tokenError("write subject: spiffe://TRUST-DOMAIN/PATH in the grant", "subject "+strconv.Quote(s.Subject)+" is not a spiffe id")
	}
	p.Subject = id
	return p, nil
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// fetch asks once.
func (s *Source) fetch(ctx context.Context, params jwtsvid.Params) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	svid, err := workloadapi.FetchJWTSVID(ctx, params, workloadapi.WithAddr(s.Socket))
	if err != nil {
		return "", err
	}
	return svid.Marshal(), nil
}

// check holds the SVID against what was asked for.
func (s *Source) check(raw, audience string) (*oidc.Token, error) {
	t, err := oidc.ParseToken(raw)
	if err != nil {
		return nil, tokenError("for a relying party outside spiffe an SVID needs an iss claim: set jwt_issuer of the spire server; if it has one, check the agent",
			"the JWT-SVID cannot be used: "+err.Error())
	}
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	switch {
	case !slices.Equal(t.Claims.Audience, []string{audience}):
		return nil, tokenError("check what answers at "+SocketVar, "the JWT-SVID is not for the audience "+strconv.Quote(audience)+" alone")
	case s.Subject != "" && t.Claims.Subject != s.Subject:
		return nil, tokenError("check what answers at "+SocketVar, "the JWT-SVID is of another subject than "+strconv.Quote(s.Subject))
	case !t.Expires().After(now()):
		return nil, tokenError("set this machine's clock, or the agent's", "the JWT-SVID expired at "+t.Expires().UTC().Format(time.RFC3339))
	}
	return t, nil
}

// problem names the kind of a failure without any text of the other side.
func (s *Source) problem(ctx context.Context, err error) *oidc.Error {
	if ctx.Err() != nil {
		e := tokenError("run the command again", "asking for a JWT-SVID was stopped")
		e.Err = ctx.Err()
		return e
	}
	switch status.Code(err) {
	case codes.Unavailable:
		return tokenError("start the agent, or correct "+SocketVar, "nothing answers at the socket "+strconv.Quote(s.Socket))
	case codes.PermissionDenied:
		return tokenError("register this workload with the spire server, for this very user, process or pod", "the workload api has no identity for this process")
	case codes.DeadlineExceeded:
		return tokenError("look at the agent's log", "the workload api did not answer in time")
	case codes.InvalidArgument:
		return tokenError("check the subject of the grant", "the workload api did not take the request")
	case codes.Unimplemented:
		return tokenError("check "+SocketVar, "what answers at "+strconv.Quote(s.Socket)+" is not a workload api")
	}
	return tokenError("look at the agent's log", "the workload api gave no JWT-SVID that can be read")
}

func (s *Source) sleep(ctx context.Context, d time.Duration) error {
	if s.Sleep != nil {
		return s.Sleep(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
