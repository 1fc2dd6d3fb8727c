package wire

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
)

// A stopwatch is a clock that moves when something sleeps.
type stopwatch struct{ now time.Time }

func (s *stopwatch) options() Options {
	return Options{Now: func() time.Time { return s.now }, Rand: func() float64 { return 1 },
		Sleep: func(ctx context.Context, d time.Duration) error { s.now = s.now.Add(d); return ctx.Err() }}.WithDefaults()
}

func TestReadTriesWhatMayPass(t *testing.T) {
	busy := &oidc.Error{Status: 503, Retryable: true, Hint: "x"}
	for name, row := range map[string]struct {
		errs  []error
		asked int
		good  bool
	}{
		"at once":         {nil, 1, true},
		"at last":         {[]error{busy, busy}, 3, true},
		"never":           {[]error{busy, busy, busy, busy}, 3, false},
		"a refusal":       {[]error{&oidc.Error{Status: 403, Hint: "x"}, nil}, 1, false},
		"not for an hour": {[]error{&oidc.Error{Status: 429, Retryable: true, RetryAfter: time.Hour, Hint: "x"}, nil}, 1, false},
	} {
		asked := 0
		got, err := Read(t.Context(), (&stopwatch{now: time.Unix(1e9, 0)}).options(), func(ctx context.Context) (int, error) {
			if _, bounded := ctx.Deadline(); !bounded {
				t.Errorf("%s: a call has no end", name)
			}
			asked++
			if asked <= len(row.errs) && row.errs[asked-1] != nil {
				return 0, row.errs[asked-1]
			}
			return 7, nil
		})
		if asked != row.asked || (err == nil) != row.good || row.good && got != 7 {
			t.Errorf("%s: asked %d times, got %d, %v", name, asked, got, err)
		}
		var e *oidc.Error
		if err != nil && (!errors.As(err, &e) || e.Stage != oidc.StageRead) {
			t.Errorf("%s: %+v", name, err)
		}
	}
}

func TestALookupSaysWhatToDo(t *testing.T) {
	l := Lookup{Host: "iam.example", What: "role \"x\"", Login: "log in", Right: "iam:GetRole", Missing: "compare"}
	for class, want := range map[int]struct {
		message, hint string
		retryable     bool
	}{
		401: {"iam.example does not take the credentials of this machine for role \"x\" (status 400, code Throttled, request id r1)", "log in", false},
		403: {"iam.example does not let these credentials read role \"x\" (status 400, code Throttled, request id r1)", "the read needs iam:GetRole; or give the policy as a file: --policy FILE", false},
		404: {"iam.example has no role \"x\" (status 400, code Throttled, request id r1)", "compare", false},
		429: {"iam.example is busy or has a fault, asked for role \"x\" (status 400, code Throttled, request id r1)", "run it again later; or give the policy as a file: --policy FILE", true},
	} {
		e := l.Refused(class, oidc.Error{Status: 400, Code: "Throttled", RequestID: "r1"})
		if e.Message != want.message || e.Hint != want.hint || e.Retryable != want.retryable || e.Stage != oidc.StageRead {
			t.Errorf("%d: %+v", class, *e)
		}
	}
}
