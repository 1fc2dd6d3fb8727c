package providertest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
)

// NewClock is a clock of its own, for what needs no bench.
func NewClock() *Clock { return &Clock{now: Start} }

// A Reading is a read of a deployed lock from a stand-in, which answers well unless it
// is told otherwise.
type Reading struct {
	Server *Server
	// Clock is the one that the read waits by.
	Clock *Clock
	// Read reads once; each of its calls may take so long.
	Read func(ctx context.Context, call time.Duration) error
	// Right is what the error of a refusal must name. Secrets may be in none.
	Right   string
	Secrets []string
}

const (
	canaryReply = "canary-reply-text"
	ample       = 15 * time.Second // for a call that is answered
	scant       = 20 * time.Millisecond
)

// A misreading is what must come of an answer.
type misreading struct {
	name     string
	fault    Fault
	status   int
	text     string // of the message
	hint     string
	requests int // 0 for any number
	call     time.Duration
}

// Fails lets the stand-in answer in every bad way: the error says which, in two lines,
// without a secret or a word of the reply, and only what may pass is tried again.
func (r Reading) Fails(t *testing.T) {
	body := fmt.Sprintf(`{"error":{"code":%q,"message":%[1]q},"errors":[%[1]q]}`, canaryReply+" ")
	for _, row := range []misreading{
		{"401", Fault{Status: 401, Body: body}, 401, "does not take the credentials", r.Right, 1, ample},
		{"403", Fault{Status: 403, Body: body}, 403, "does not let these credentials read", r.Right, 1, ample},
		{"404", Fault{Status: 404, Body: body}, 404, "has no ", "in the grant", 0, ample},
		{"400", Fault{Status: 400, Body: body}, 400, "refused to give", r.Right, 1, ample},
		{"429", Fault{Status: 429, Body: body, RetryAfter: "5"}, 429, "is busy", "run it again later", 3, ample},
		{"500", Fault{Status: 500, Body: body}, 500, "is busy or has a fault", "run it again later", 3, ample},
		{"503", Fault{Status: 503, Body: body}, 503, "is busy or has a fault", "run it again later", 3, ample},
		{"a wait that is too long", Fault{Status: 429, RetryAfter: "600"}, 429, "is busy", "run it again later", 1, ample},
		{"garbage", Fault{Status: 200, Body: canaryReply}, 0, "answered something that is not", "proxy", 1, ample},
		{"a redirect", Fault{Status: 307, Location: "https://elsewhere.example/" + canaryReply}, 307, "sends elsewhere", "proxy", 1, ample},
		{"too large", Fault{Status: 200, Body: strings.Repeat(" ", 1<<20+1)}, 0, "is larger than", "--policy FILE", 1, ample},
		{"half a reply", Fault{Half: true}, 0, "breaks off", "--policy FILE", 3, ample},
		{"no reply", Fault{Drop: true}, 0, "", "--policy FILE", 3, ample},
		{"a hang", Fault{Hang: true}, 0, "did not answer in time", "--policy FILE", 3, scant},
	} {
		t.Run(row.name, func(t *testing.T) { r.fail(t, row) })
	}
	t.Run("a fault that passes", r.recovers)
	t.Run("stopped", r.stops)
}

func (r Reading) fail(t *testing.T, row misreading) {
	before := len(r.Server.Requests())
	r.Server.Script(row.fault, row.fault, row.fault, row.fault)
	err := r.Read(t.Context(), row.call)
	var e *oidc.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v", err)
	}
	Silent(t, append([]string{canaryReply}, r.Secrets...), err)
	if e.Stage != oidc.StageRead || e.Status != row.status || !strings.Contains(e.Message, row.text) || !strings.Contains(e.Hint, row.hint) {
		t.Errorf("got %+v", *e)
	}
	if n := len(r.Server.Requests()) - before; row.requests > 0 && n != row.requests {
		t.Errorf("%d requests, want %d", n, row.requests)
	}
}

func (r Reading) recovers(t *testing.T) {
	waits := len(r.Clock.Waits())
	r.Server.Script(Fault{Status: http.StatusTooManyRequests, RetryAfter: "3"})
	if err := r.Read(t.Context(), ample); err != nil {
		t.Fatal(err)
	}
	if got := r.Clock.Waits()[waits:]; len(got) != 1 || got[0] < 3*time.Second {
		t.Errorf("waited %v, was asked for 3s", got)
	}
}

func (r Reading) stops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r.Server.Script(Fault{Hang: true, Then: cancel})
	err := r.Read(ctx, ample)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	Silent(t, append([]string{canaryReply}, r.Secrets...), err)
}
