package oidc

import "context"

// A Source gives id-tokens. Implementations are safe for concurrent use and give
// a fresh token on every call, so that each attempt of an exchange has its own.
type Source interface {
	// Name says where tokens come from, for messages: "runner", "file".
	Name() string
	// Token returns a token whose only audience is the one asked for. Errors are *Error with StageToken.
	Token(ctx context.Context, audience string) (*Token, error)
}
