package providertest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/sandbox"
)

// Start is when every virtual clock begins.
var Start = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// Run is the run of every request.
var Run = oidc.Run{Repository: "acme/site", ID: "9876543210", Attempt: "2", Job: "release"}

// A Clock moves only when something sleeps, or a test passes time.
type Clock struct {
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
}

// Now returns the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Sleep moves the clock and returns the context's error.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits = append(c.waits, d)
	c.now = c.now.Add(d)
	return ctx.Err()
}

// Pass moves the clock, backwards too.
func (c *Clock) Pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Waits returns the sleeps so far.
func (c *Clock) Waits() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]time.Duration(nil), c.waits...)
}

// A Bench is an issuer with one job, and the source of its tokens.
type Bench struct {
	*Clock
	// Cloud is the clock of the issuer and the stand-ins; the bench's own is that of the
	// machine that asks. They show the same time until a test moves one.
	Cloud *Clock
	box   *sandbox.Sandbox

	source oidc.Source
	mu     sync.Mutex
	tokens []string
	fault  *sandbox.Fault
}

// Job is the job of every bench: a release of acme/site on main, in the environment production.
func Job() sandbox.Job {
	return sandbox.Job{Repository: "acme/site", RepositoryID: "456789", OwnerID: "123456",
		Ref: "refs/heads/main", Environment: "production", WorkflowPath: ".github/workflows/release.yml",
		RunID: Run.ID, RunAttempt: Run.Attempt}
}

// one key for all benches: making it is the slowest thing they do.
var key = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// NewBench opens an issuer of tokens for [Job] until the test ends.
func NewBench(t *testing.T) *Bench {
	t.Helper()
	return NewBenchFor(t, Job())
}

// NewBenchFor is NewBench for another job.
func NewBenchFor(t *testing.T, job sandbox.Job) *Bench {
	t.Helper()
	k, err := key()
	if err != nil {
		t.Fatal(err)
	}
	b := &Bench{Clock: &Clock{now: Start}, Cloud: &Clock{now: Start}}
	b.box, err = sandbox.New(sandbox.Options{Now: b.Cloud.Now, Key: k, Fault: b.nextFault})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.box.Close() })
	env, err := b.box.Env(job)
	if err != nil {
		t.Fatal(err)
	}
	b.source = oidc.NewRunner(oidc.RunnerOptions{Getenv: func(k string) string { return env[k] },
		Now: b.Clock.Now, Sleep: b.Clock.Sleep, AllowLoopback: true})
	return b
}

// Spoil makes the issuer's next tokens bad in the way of the fault; nil mends it.
func (b *Bench) Spoil(f *sandbox.Fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fault = f
}

func (b *Bench) nextFault(c sandbox.Call) *sandbox.Fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c.Endpoint != sandbox.EndpointIssuer {
		return nil
	}
	return b.fault
}

// Name returns the name of the source.
func (b *Bench) Name() string { return b.source.Name() }

// Token asks the issuer, as the runner does, and remembers the token.
func (b *Bench) Token(ctx context.Context, audience string) (*oidc.Token, error) {
	tok, err := b.source.Token(ctx, audience)
	if err == nil {
		b.mu.Lock()
		b.tokens = append(b.tokens, tok.Raw.Reveal())
		b.mu.Unlock()
	}
	return tok, err
}

// Tokens returns the id-tokens that were given out.
func (b *Bench) Tokens() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.tokens...)
}

// Verify checks a token as a relying party: signature, issuer, times, audience.
func (b *Bench) Verify(raw, audience string) (oidc.Claims, error) { return b.box.Verify(raw, audience) }

// Issuer is the issuer of the tokens.
func (b *Bench) Issuer() string { return b.box.Issuer() }

// Request asks for a credential of the bench's job.
func (b *Bench) Request(ttl time.Duration) oidc.Request {
	return oidc.Request{Source: b, TTL: ttl, Run: Run}
}

// For is the for: block that admits the bench's job.
const For = "{ workflow: .github/workflows/release.yml, ref: refs/heads/main, environment: production, events: [push], repository: acme/site }"

// Grant reads a grant with one provider block, in flow style, through the real parser.
func Grant(t *testing.T, provider, ttl, block string) *grant.Grant {
	t.Helper()
	return GrantFor(t, For, provider, ttl, block)
}

// GrantFor reads a grant with another for: block.
func GrantFor(t *testing.T, who, provider, ttl, block string) *grant.Grant {
	t.Helper()
	file := fmt.Sprintf("version: 1\ngrants:\n  release:\n    intent: publish a release\n    owner: \"@acme/release\"\n    for: %s\n    ttl: %s\n    %s: %s\n",
		who, ttl, provider, block)
	f, err := grant.Parse(grant.Path, []byte(file), grant.Options{Providers: []string{provider}})
	if err != nil {
		t.Fatal(err)
	}
	return f.Grants[0]
}
