//go:build integration

package integration_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/lease"
	"github.com/stint-dev/stint/oidc/providers"
	"github.com/stint-dev/stint/oidc/providers/aws"
	"github.com/stint-dev/stint/oidc/sandbox"
)

// grantFile has one grant of each kind that the servers are tried with: one that is narrow, one with all the
// rights of the role, which shows that it is the session policy that narrows the first, and one for another audience.
const grantFile = `version: 1
grants:
  deploy-site:
    intent: publish the built site
    owner: "@acme/web"
    for: { workflow: .github/workflows/deploy.yml, refs: [refs/heads/main], events: [push] }
    ttl: %[3]s
    aws:
      role: %[1]s
      region: us-east-1
      endpoint: %[2]s
      allow: [{ actions: [s3:PutObject, s3:GetObject], resources: ["arn:aws:s3:::site/public/*"] }]
  whole-role:
    intent: show what the role itself may do
    owner: "@acme/web"
    for: { workflow: .github/workflows/deploy.yml, refs: [refs/heads/main], events: [push] }
    ttl: 15m
    aws: { role: %[1]s, region: us-east-1, endpoint: %[2]s }
  wrong-audience:
    intent: present a token that is for somebody else
    owner: "@acme/web"
    for: { workflow: .github/workflows/deploy.yml, refs: [refs/heads/main], events: [push] }
    ttl: 15m
    aws: { role: %[1]s, region: us-east-1, endpoint: %[2]s, audience: vault.example }
`

// A stage is our issuer with a relying party that others wrote.
type stage struct {
	*proof
	issuer *sandbox.Sandbox
	fault  atomic.Pointer[sandbox.Fault] // of the tokens that follow
	grants []*grant.Grant
}

// newStage starts the issuer. It goes by the clock of the machine, as the servers do.
func newStage(p *proof, opts sandbox.Options) *stage {
	s := &stage{proof: p}
	opts.Fault = func(sandbox.Call) *sandbox.Fault { return s.fault.Load() }
	var err error
	s.issuer, err = sandbox.New(opts)
	p.must(err, "starting the issuer")
	p.t.Cleanup(func() { _ = s.issuer.Close() })
	return s
}

// use reads the grant file for a role at a server, with a ttl for the narrow grant.
func (s *stage) use(role, endpoint, ttl string) {
	s.grants = s.parseGrants(fmt.Appendf(nil, grantFile, role, endpoint, ttl)).Grants
}

func (p *proof) parseGrants(text []byte) *grant.File {
	f, err := grant.Parse(grant.Path, text, grant.Options{Providers: providers.Names()})
	p.must(err, "reading the grants")
	return f
}

// deployJob is the job that the grants are for.
func deployJob() sandbox.Job {
	return sandbox.Job{Repository: "acme/site", Ref: "refs/heads/main", WorkflowPath: ".github/workflows/deploy.yml", RunID: "9876543210", RunAttempt: "2"}
}

func runOf(j sandbox.Job) oidc.Run {
	return oidc.Run{Repository: j.Repository, ID: j.RunID, Attempt: j.RunAttempt}
}

// source asks for tokens as the job would. The clock is what stint's own check of the token goes by.
func (s *stage) source(j sandbox.Job, now func() time.Time) oidc.Source {
	env, err := s.issuer.Env(j)
	s.must(err, "registering the job")
	return oidc.NewRunner(oidc.RunnerOptions{Getenv: func(k string) string { return env[k] }, Now: now, AllowLoopback: true})
}

func (s *stage) provider(name string) (*grant.Grant, oidc.Provider) {
	i := slices.IndexFunc(s.grants, func(g *grant.Grant) bool { return g.Name == name })
	p, err := aws.New(s.grants[i].Targets[0], s.grants[i], aws.Options{})
	s.must(err, "making the provider of "+name)
	return s.grants[i], p
}

// lease goes the whole way of stint: decision, exchange, check of what came back.
func (s *stage) lease(name string) *lease.Lease {
	g, p := s.provider(name)
	l, err := lease.Open(s.ctx, g, []oidc.Provider{p}, s.source(deployJob(), nil), lease.Options{
		Run:    runOf(deployJob()),
		Expect: grant.Expect{Repository: "acme/site", Issuer: s.issuer.Issuer()},
	})
	s.must(err, "opening a lease of "+name)
	return l
}

// exchange sends a job's token to the server with stint's own decision left out, so that it is the server that judges.
func (s *stage) exchange(name string, j sandbox.Job, now func() time.Time) (*oidc.Credential, error) {
	g, p := s.provider(name)
	return p.Exchange(s.ctx, oidc.Request{Source: s.source(j, now), TTL: g.TTL, Run: runOf(j)})
}

// exchangeSpoiled is exchange with tokens that the issuer spoils.
func (s *stage) exchangeSpoiled(f sandbox.Fault, now func() time.Time) error {
	s.fault.Store(&f)
	defer s.fault.Store(nil)
	_, err := s.exchange("deploy-site", deployJob(), now)
	return err
}
