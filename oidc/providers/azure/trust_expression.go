package azure

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/stint-dev/stint/oidc"
)

// Limits of a claimsMatchingExpression as it is read here; Entra's own are not published.
const (
	maxExpression = 8 << 10
	maxClauses    = 64
)

// A clause is claims['NAME'] OP 'VALUE'.
type clause struct {
	claim string
	like  bool // matches, with * and ?; otherwise eq
	value string
}

// flexibleClaims are GitHub's claims that an expression may test, and whether matches
// is allowed for them. Source: Microsoft Learn, "Flexible federated identity
// credentials (preview)", 18 September 2026.
var flexibleClaims = map[string]bool{
	"sub": true, "job_workflow_ref": true, "repository_id": false, "repository_owner_id": false,
}

// parseExpression reads the language of version 1: clauses joined by " and ", each
// with one space around its operator, a quote in a value doubled. There is no or, no
// not and no parenthesis.
func parseExpression(s string) ([]clause, error) {
	if len(s) > maxExpression || !utf8.ValidString(s) {
		return nil, fmt.Errorf("the expression is longer than %d bytes or not text", maxExpression)
	}
	var clauses []clause
	for rest := s; ; {
		c, after, err := parseClause(rest)
		if err != nil {
			return nil, fmt.Errorf("clause %d: %w", len(clauses)+1, err)
		}
		if clauses = append(clauses, c); len(clauses) > maxClauses {
			return nil, fmt.Errorf("the expression has more than %d clauses", maxClauses)
		}
		if after == "" {
			return clauses, nil
		}
		var ok bool
		if rest, ok = strings.CutPrefix(after, " and "); !ok {
			return nil, fmt.Errorf("after clause %d comes %.40q, where only \" and \" may", len(clauses), after)
		}
	}
}

func parseClause(s string) (c clause, rest string, err error) {
	rest, ok := strings.CutPrefix(s, "claims['")
	if !ok {
		return c, "", fmt.Errorf("%.40q does not begin with claims['", s)
	}
	if c.claim, rest, ok = strings.Cut(rest, "']"); !ok || c.claim == "" || strings.Contains(c.claim, "'") {
		return c, "", errors.New("the name of the claim does not end with ']")
	}
	switch {
	case strings.HasPrefix(rest, " eq '"):
		rest = rest[len(" eq '"):]
	case strings.HasPrefix(rest, " matches '"):
		c.like, rest = true, rest[len(" matches '"):]
	default:
		return c, "", fmt.Errorf("%.40q is neither eq nor matches with a value in quotes", rest)
	}
	c.value, rest, err = parseQuoted(rest)
	return c, rest, err
}

// parseQuoted reads up to the quote that is not doubled.
func parseQuoted(s string) (value, rest string, err error) {
	var b strings.Builder
	for {
		text, after, ok := strings.Cut(s, "'")
		if !ok {
			return "", "", errors.New("the value does not end with a quote")
		}
		b.WriteString(text)
		if !strings.HasPrefix(after, "'") {
			return b.String(), after, nil
		}
		b.WriteByte('\'')
		s = after[1:]
	}
}

// String writes the clause.
func (c clause) String() string {
	op := "eq"
	if c.like {
		op = "matches"
	}
	return "claims['" + c.claim + "'] " + op + " '" + strings.ReplaceAll(c.value, "'", "''") + "'"
}

// holds reports whether the token's claim fits; an absent one never does.
func (c clause) holds(claims oidc.Claims) bool {
	if !claims.Has(c.claim) {
		return false
	}
	if c.like {
		return matchWildcard(c.value, claims.Get(c.claim))
	}
	return claims.Get(c.claim) == c.value
}

// matchWildcard matches the whole of s: "*" is any run, also none, and crosses "/" and
// ":"; "?" is one character. Upper and lower case differ. Microsoft documents neither
// the empty run nor case; this is the reading that its examples suggest.
func matchWildcard(pattern, s string) bool {
	p, text := []rune(pattern), []rune(s)
	star, mark, i, j := -1, 0, 0, 0
	for j < len(text) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark, i = i, j, i+1
		case i < len(p) && (p[i] == '?' || p[i] == text[j]):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(string(p[i:]), "*") == ""
}
