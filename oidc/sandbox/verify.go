package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/stint-dev/stint/oidc"
)

// Bounds of AssumeRoleWithWebIdentity (botocore, service-2.json of sts).
const (
	minTokenChars   = 4
	minSubjectChars = 6
	maxSubjectChars = 255
)

// clockLeeway is how far nbf and iat may lie ahead.
const clockLeeway = time.Minute

// A webIdentity is a verified token.
type webIdentity struct {
	subject  string
	audience string
	claims   map[string]string // those with a string value; aud is the one that fits
	payload  []byte
}

func invalidToken(message string) *apiError {
	return &apiError{status: http.StatusBadRequest, code: "InvalidIdentityToken", message: message}
}

// verify checks the signature, the issuer, the times and the audience, in that order.
func (s *Sandbox) verify(raw string) (*webIdentity, *apiError) {
	if len(raw) < minTokenChars || len(raw) > oidc.MaxTokenBytes {
		return nil, validation("webIdentityToken", fmt.Sprintf("Member must have length between %d and %d", minTokenChars, oidc.MaxTokenBytes))
	}
	payload, failure := s.verifySignature(raw)
	if failure != nil {
		return nil, failure
	}
	var all map[string]any
	if err := json.Unmarshal(payload, &all); err != nil {
		return nil, invalidToken("The token's claims are not a JSON object")
	}
	if all["iss"] != s.opts.Issuer {
		return nil, invalidToken("No OpenIDConnect provider found in your account for the token's issuer")
	}
	if failure := checkTimes(all, s.opts.Now()); failure != nil {
		return nil, failure
	}
	return s.identity(all, payload)
}

// checkTimes demands exp and iat; nbf may be absent.
func checkTimes(all map[string]any, now time.Time) *apiError {
	expires, hasExpires := all["exp"].(float64)
	issued, hasIssued := all["iat"].(float64)
	notBefore, hasNotBefore := all["nbf"].(float64)
	if !hasExpires || !hasIssued || all["nbf"] != nil && !hasNotBefore {
		return invalidToken("Missing a required claim or a claim has the wrong type")
	}
	horizon := float64(now.Add(clockLeeway).Unix())
	switch {
	case float64(now.Unix()) >= expires:
		return &apiError{
			status: http.StatusBadRequest, code: "ExpiredTokenException",
			message: fmt.Sprintf("Token expired: current date/time %d must be before the expiration date/time %.0f", now.Unix(), expires),
		}
	case notBefore > horizon, issued > horizon:
		return invalidToken("Token is not valid yet")
	}
	return nil
}

// verifySignature takes RS256 only, so that neither "none" nor an HMAC made with
// the public key gets by, and only keys that are published.
func (s *Sandbox) verifySignature(raw string) ([]byte, *apiError) {
	jws, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, invalidToken("The ID Token provided is not a valid JWT signed with RS256")
	}
	set := s.keys.public()
	keys := set.Key(jws.Signatures[0].Header.KeyID)
	if len(keys) == 0 {
		return nil, invalidToken("Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements")
	}
	payload, err := jws.Verify(keys[0])
	if err != nil {
		return nil, invalidToken("The token's signature is invalid")
	}
	return payload, nil
}

// identity checks audience and subject and keeps the string claims.
func (s *Sandbox) identity(all map[string]any, payload []byte) (*webIdentity, *apiError) {
	id := &webIdentity{claims: map[string]string{}, payload: payload}
	for name, value := range all {
		if text, ok := value.(string); ok {
			id.claims[name] = text
		}
	}
	id.audience = s.acceptedAudience(all)
	if id.audience == "" {
		return nil, invalidToken("Incorrect token audience")
	}
	id.claims["aud"] = id.audience
	id.subject = id.claims["sub"]
	if n := len(id.subject); n < minSubjectChars || n > maxSubjectChars {
		return nil, &apiError{
			status: http.StatusForbidden, code: "IDPRejectedClaim",
			message: fmt.Sprintf("The subject must have between %d and %d characters", minSubjectChars, maxSubjectChars),
		}
	}
	return id, nil
}

// acceptedAudience is the token's audience that the provider knows, "" for none.
// A token with azp is taken by that instead, as in AWS.
func (s *Sandbox) acceptedAudience(all map[string]any) string {
	var candidates []string
	switch aud := all["aud"].(type) {
	case string:
		candidates = []string{aud}
	case []any:
		for _, a := range aud {
			if text, ok := a.(string); ok {
				candidates = append(candidates, text)
			}
		}
	}
	if azp, ok := all["azp"].(string); ok {
		candidates = []string{azp}
	}
	for _, c := range candidates {
		if strings.TrimSpace(c) != "" && slices.Contains(s.opts.Audiences, c) {
			return c
		}
	}
	return ""
}
