package oidc

import (
	"fmt"
	"io"
	"log/slog"
)

// redacted is what every way of printing a Secret shows.
const redacted = "[redacted]"

// A Secret is a value that must not be seen. Every common way of printing or
// encoding it gives "[redacted]"; only Reveal gives the value. In a field that is
// not exported, whose methods package fmt cannot call, it prints as an address.
type Secret struct {
	_     [0]func() // not comparable: == would compare addresses
	value *string   // nil for ""
}

// NewSecret wraps value.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{value: &value}
}

// Reveal returns the value. Call it only where the value is handed to the party
// that it is for.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether there is no value.
func (s Secret) IsZero() bool { return s.value == nil }

// String returns a fixed text.
func (s Secret) String() string { return redacted }

// GoString returns a fixed text.
func (s Secret) GoString() string { return redacted }

// Format writes a fixed text for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalJSON encodes a fixed text.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText encodes a fixed text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue logs a fixed text.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
