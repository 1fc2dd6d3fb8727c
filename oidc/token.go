package oidc

import "time"

// MaxTokenBytes is the largest id-token accepted; AWS STS takes 20,000
// characters (API reference of AssumeRoleWithWebIdentity).
const MaxTokenBytes = 20_000

// A Token is an id-token with its claims. Its signature is not verified here:
// the relying party does that; stint reads the claims to decide and to explain.
type Token struct {
	// Raw is the compact JWT.
	Raw    Secret
	Claims Claims
}

// Expires returns the exp claim.
func (t *Token) Expires() time.Time { return t.Claims.Expires }

// Claims are the claims of a GitHub Actions id-token. Absent claims are "".
// Source: GitHub's "OpenID Connect reference"; ids and ref_protected are strings.
type Claims struct {
	Issuer    string
	Subject   string
	Audience  []string
	ID        string // jti
	Expires   time.Time
	IssuedAt  time.Time
	NotBefore time.Time

	// Values holds every claim with a string, number or boolean value by its
	// wire name, the named ones above included (aud when it is single; times as decimal seconds). Use Get.
	Values map[string]string
}

// Get returns the claim by its wire name, and "" when it is absent.
func (c Claims) Get(name string) string { return c.Values[name] }

// Has reports whether the claim is present, be it empty.
func (c Claims) Has(name string) bool { _, ok := c.Values[name]; return ok }

// ParseToken reads a compact JWT without verifying its signature. It refuses
// tokens over MaxTokenBytes, a missing or unreadable exp, iss or sub, and claims that
// are not a JSON object; the error never quotes the token.
func ParseToken(raw string) (*Token, error) { return parseToken(raw) }

// ParseClaims reads a JSON object of claims (a file given with --claims).
// Times may be absent there.
func ParseClaims(b []byte) (Claims, error) { return parseClaims(b) }
