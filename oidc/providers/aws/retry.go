package aws

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/stint-dev/stint/oidc"
)

// Waits between attempts: a random part ("full jitter") of a step that doubles.
const (
	firstStep = 500 * time.Millisecond
	lastStep  = 8 * time.Second
)

// A retryLoop decides after each failed attempt whether there is another one.
type retryLoop struct {
	deadline time.Time
	opts     Options
	attempts int
	kinds    map[string]int // failures so far, by code, status or message
}

// next waits until the next attempt, or returns the error with which the exchange
// ends. It never waits beyond the deadline.
func (l *retryLoop) next(ctx context.Context, f *failure) error {
	var e *oidc.Error
	if !errors.As(f.err, &e) {
		return f.err
	}
	wait := max(l.jitter(), e.RetryAfter)
	if l.count(e) >= f.tries || l.attempts >= tryOften || l.opts.Now().Add(wait).After(l.deadline) {
		return l.last(e)
	}
	if err := l.opts.Sleep(ctx, wait); err != nil {
		return l.last(e)
	}
	return nil
}

// count returns how often this kind of failure has happened, now included.
func (l *retryLoop) count(e *oidc.Error) int {
	kind := e.Code
	switch {
	case kind == "" && e.Status != 0:
		kind = strconv.Itoa(e.Status)
	case kind == "":
		kind = e.Message
	}
	if l.kinds == nil {
		l.kinds = map[string]int{}
	}
	l.kinds[kind]++
	return l.kinds[kind]
}

func (l *retryLoop) jitter() time.Duration {
	step := min(firstStep<<(l.attempts-1), lastStep)
	return time.Duration(l.opts.Rand() * float64(step))
}

// last says in the error how often it was tried.
func (l *retryLoop) last(e *oidc.Error) error {
	if l.attempts == 1 {
		return e
	}
	final := *e
	final.Message += fmt.Sprintf("; this was attempt %d", l.attempts)
	return &final
}
