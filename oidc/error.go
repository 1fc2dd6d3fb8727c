package oidc

import "time"

// A Stage is the step of an exchange in which an error happened.
type Stage string

// The stages, in order.
const (
	StageToken    Stage = "id-token" // asking the issuer for a token
	StageDecide   Stage = "decision" // comparing the claims with the grant
	StageExchange Stage = "exchange" // asking the cloud for a credential
	StageVerify   Stage = "verify"   // checking what the cloud issued
	StageHandOver Stage = "hand-over"
	StageEnd      Stage = "end"
	// StageRead is no step of an exchange: reading a lock as it is deployed.
	StageRead Stage = "read"
)

// An Error is one failure in two lines: Message says what is wrong, Hint what to
// do next, both lower case without a final full stop. Neither holds a secret or
// any part of a response body beyond Code.
type Error struct {
	Stage   Stage
	Message string
	Hint    string
	// Status, Code and RequestID are what the other side said, zero where it
	// said nothing. Code is checked against [A-Za-z0-9._-]{1,64} before it is kept.
	Status    int
	Code      string
	RequestID string
	// Retryable is set when the same request may succeed later; RetryAfter is
	// how long the other side asked to wait, 0 when it did not.
	Retryable  bool
	RetryAfter time.Duration
	// Err is the cause, for errors.Is; its text is not printed.
	Err error
}

// Error returns the first line.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// NextStep returns the hint line; cmd/stint prints it as "stint: hint: …".
func (e *Error) NextStep() string { return e.Hint }
