package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/stint-dev/stint/workflows"
)

// A requestLog writes a line for each request of a sandbox, as a person reads it:
//
//	sts     403 AssumeRoleWithWebIdentity AccessDenied
//	            trust policy: no statement allows it: …
type requestLog struct {
	mu  sync.Mutex
	out io.Writer
}

// Enabled is true: the sandbox logs one level.
func (l *requestLog) Enabled(context.Context, slog.Level) bool { return true }

// Handle writes the line of a request.
func (l *requestLog) Handle(_ context.Context, r slog.Record) error {
	value := map[string]string{}
	r.Attrs(func(a slog.Attr) bool { value[a.Key] = a.Value.String(); return true })
	what := value["action"]
	if what == "" {
		what = value["method"]
	}
	line := fmt.Sprintf("%-7s %s %s", value["endpoint"], value["status"], what)
	if code := value["code"]; code != "" {
		line += " " + code
	}
	if why := value["why"]; why != "" {
		line += "\n            " + workflows.Printable(why)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := io.WriteString(l.out, line+"\n")
	return err
}

// WithAttrs and WithGroup complete the interface; the sandbox uses neither.
func (l *requestLog) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup returns the log itself.
func (l *requestLog) WithGroup(string) slog.Handler { return l }
