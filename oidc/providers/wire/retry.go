package wire

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stint-dev/stint/oidc"
)

// Waits between attempts: a random part ("full jitter") of a step that doubles.
const (
	firstStep = 500 * time.Millisecond
	lastStep  = 8 * time.Second
)

// A Loop decides after each failed attempt whether there is another one.
type Loop struct {
	Options Options
	// Tries is how many attempts there are at most.
	Tries int
	// Deadline ends the waiting; no attempt begins behind it.
	Deadline time.Time

	attempts int
}

// Next waits until the next attempt, or returns the error with which the caller ends.
// Only an *oidc.Error that is Retryable is worth another one.
func (l *Loop) Next(ctx context.Context, err error) error {
	l.attempts++
	var e *oidc.Error
	if !errors.As(err, &e) {
		return err
	}
	wait := max(l.jitter(), e.RetryAfter)
	if !e.Retryable || l.attempts >= l.Tries || l.Options.Now().Add(wait).After(l.Deadline) {
		return l.last(e)
	}
	if l.Options.Sleep(ctx, wait) != nil {
		return l.last(e)
	}
	return nil
}

// Final keeps an error from being tried again, as that of a source, which has its own
// retries.
func Final(err error) error {
	var e *oidc.Error
	if !errors.As(err, &e) || !e.Retryable {
		return err
	}
	once := *e
	once.Retryable = false
	return &once
}

// Attempts is how many attempts failed so far.
func (l *Loop) Attempts() int { return l.attempts }

func (l *Loop) jitter() time.Duration {
	step := min(firstStep<<(l.attempts-1), lastStep)
	return time.Duration(l.Options.Rand() * float64(step))
}

// last says in the error how often it was tried.
func (l *Loop) last(e *oidc.Error) error {
	if l.attempts == 1 {
		return e
	}
	final := *e
	final.Message += fmt.Sprintf("; this was attempt %d", l.attempts)
	return &final
}
