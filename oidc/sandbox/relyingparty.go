package sandbox

import (
	"encoding/json"
	"errors"

	"github.com/stint-dev/stint/oidc"
)

// Verify checks a token as a relying party beside the sandbox's own STS would: the
// signature by a published key, the issuer, the times by the sandbox's clock, and that
// the audience is the one given and no other. Stand-ins of other clouds are built on it.
func (s *Sandbox) Verify(raw, audience string) (oidc.Claims, error) {
	if len(raw) > oidc.MaxTokenBytes {
		return oidc.Claims{}, errors.New("the token is too long")
	}
	payload, failure := s.verifySignature(raw)
	if failure != nil {
		return oidc.Claims{}, errors.New(failure.message)
	}
	var all map[string]any
	if err := json.Unmarshal(payload, &all); err != nil {
		return oidc.Claims{}, errors.New("the claims are not a JSON object")
	}
	if failure := checkTimes(all, s.opts.Now()); failure != nil {
		return oidc.Claims{}, errors.New(failure.message)
	}
	claims, err := oidc.ParseClaims(payload)
	switch {
	case err != nil:
		return oidc.Claims{}, err
	case claims.Issuer != s.opts.Issuer:
		return oidc.Claims{}, errors.New("the token is of another issuer")
	case len(claims.Audience) != 1 || claims.Audience[0] != audience:
		return oidc.Claims{}, errors.New("the token is for another audience")
	}
	return claims, nil
}
