package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/lease"
	"github.com/stint-dev/stint/workflows"
)

// jobKey names the job, so that a later one on the same machine knows what is not its
// own. RUNNER_TRACKING_ID is new for each job that a runner takes, also where two jobs
// of a matrix have all the rest in common.
func jobKey(w world) string {
	h := sha256.New()
	for _, name := range []string{"GITHUB_REPOSITORY", "GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_JOB", "RUNNER_TRACKING_ID"} {
		fmt.Fprintf(h, "%s\n", w.getenv(name))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// An actionStep is main at work.
type actionStep struct {
	action
	in       actionInputs
	files    runnerFiles
	receipts *ledger
	job      string
}

// handOver opens all grants and hands them over at once, or ends what it opened.
func (s actionStep) handOver(ctx context.Context) error {
	leases, err := s.open(ctx)
	if err == nil && ctx.Err() != nil {
		err = &failure{exitIncomplete, "stopped before the credentials were handed over", "run the job again"}
	}
	if err == nil { // what may fail without harm comes first: a variable that is set cannot be taken back
		err = s.files.output.Set(s.outputs(leases)...)
	}
	if err == nil {
		err = lease.HandToJob(s.commands, s.files.env, leases...)
	}
	if err != nil {
		sayEnded(s.stderr, endAll(ctx, leases))
		return err
	}
	s.tell(leases)
	return nil
}

// open opens the grants in turn, and saves the state of each before the next.
func (s actionStep) open(ctx context.Context) (leases []*lease.Lease, err error) {
	hand, err := newHanding(s.world, s.in.mode, time.Time{})
	if err != nil {
		return nil, err
	}
	hand.job = s.job
	for i, g := range s.in.grants {
		l, err := s.exchange(g, hand).open(ctx)
		if err != nil {
			explainRefusal(s.stderr, err)
			s.summarize(summaryOfFailure(g, err))
			return leases, err
		}
		leases = append(leases, l)
		if err := s.save(i+1, l.State()); err != nil {
			return leases, err
		}
	}
	return leases, nil
}

func (s actionStep) exchange(g *grant.Grant, hand *handing) exchange {
	return exchange{w: s.world, at: s.at, grant: g, source: s.at.source(s.world, g, ""), receipts: s.receipts, hand: hand}
}

// save saves the n-th state, from 1, and that it is the last so far: what the action did
// not save itself, a step in between could set as a variable.
func (s actionStep) save(n int, state lease.State) error {
	text, err := state.Encode()
	if err != nil {
		return err
	}
	if err := lease.WriteMasks(s.commands, state.Secrets()); err != nil {
		return err
	}
	return s.files.state.Set(lease.Setting{Name: stateName(n), Value: oidc.NewSecret(string(text))}, lastState(n))
}

// lastState says that there is no state after the n-th.
func lastState(n int) lease.Setting { return lease.Setting{Name: stateName(n + 1)} }

// profiles decides each grant and writes a profile that asks for it at each use, so
// that no key lies anywhere between two uses.
func (s actionStep) profiles(ctx context.Context) (err error) {
	p, err := newProfiles(s.world, s.job)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = p.remove()
		}
	}()
	for _, g := range s.in.grants {
		if err := s.decide(ctx, g); err != nil {
			explainRefusal(s.stderr, err)
			s.summarize(summaryOfFailure(g, err))
			return err
		}
		var block struct {
			Region string `yaml:"region"`
		}
		_ = g.Targets[0].Decode(&block) // the provider has read it whole already
		if err := p.addAsking(g.Name, block.Region, filepath.Join(s.getenv("GITHUB_WORKSPACE"), s.in.file)); err != nil {
			return err
		}
	}
	state := lease.State{Version: lease.StateVersion, Grant: s.in.grants[0].Name, Dir: p.dir.Path()}
	var settings []lease.Setting
	for _, v := range p.vars() {
		state.Vars = append(state.Vars, v.Name)
		settings = append(settings, lease.Setting{Name: v.Name, Value: v.Value})
	}
	if err := s.save(1, state); err != nil {
		return err
	}
	if err := s.files.env.Set(settings...); err != nil {
		return err
	}
	p.dir.Leave()
	fmt.Fprintf(s.stdout, "stint: profiles %s ask for a session at each use\n", workflows.Printable(strings.Join(p.list, ", ")))
	s.summarize(summaryOfProfiles(s.in.grants))
	return s.files.output.Set(lease.Setting{Name: "receipts", Value: oidc.NewSecret(s.receiptsPath())})
}

func (s actionStep) decide(ctx context.Context, g *grant.Grant) error {
	if len(g.Targets) != 1 || g.Targets[0].Provider != "aws" {
		return usage("use the mode env or file for it, in a step of its own", "profiles are aws's, and grant %q does not open aws alone", g.Name)
	}
	return s.exchange(g, nil).decide(ctx)
}

func (s actionStep) outputs(leases []*lease.Lease) []lease.Setting {
	expires, identities := ends(leases)
	return []lease.Setting{
		{Name: "expires", Value: oidc.NewSecret(expires)},
		{Name: "identity", Value: oidc.NewSecret(strings.Join(identities, "\n"))},
		{Name: "receipts", Value: oidc.NewSecret(s.receiptsPath())},
	}
}

// ends gives the first time at which a credential of the leases stops being of use, ""
// when no cloud states one, and whose they are.
func ends(leases []*lease.Lease) (expires string, identities []string) {
	var first time.Time
	for _, l := range leases {
		for _, c := range l.Credentials() {
			if first.IsZero() || !c.UsableUntil.IsZero() && c.UsableUntil.Before(first) {
				first = c.UsableUntil
			}
			identities = append(identities, c.Identity)
		}
	}
	if !first.IsZero() {
		expires = stamp(first)
	}
	return expires, identities
}

// tell says in the log and in the summary what the job has been given.
func (s actionStep) tell(leases []*lease.Lease) {
	for _, l := range leases {
		name := l.Grant().Name
		if replaced := s.replaced(l); len(replaced) > 0 {
			annotate(s.commands, "warning", &failure{
				message: fmt.Sprintf("grant %q replaces credentials that the job had before: %s", name, strings.Join(replaced, ", ")),
				hint:    "use one grant a job, or give each to its own command with stint exec",
			})
		}
		for _, c := range l.Credentials() {
			fmt.Fprintf(s.stdout, "stint: %s: %s\nstint: %s: %s\n", name, workflows.Printable(c.Identity), name, lifetime(c.UsableUntil, c.Expires))
		}
	}
	s.summarize(summaryOfLeases(leases))
}

// replaced are the secret variables that the job had already.
func (s actionStep) replaced(l *lease.Lease) []string {
	var names []string
	for _, v := range l.Vars() {
		if !v.Public && s.getenv(v.Name) != "" && !slices.Contains(names, v.Name) {
			names = append(names, v.Name)
		}
	}
	return names
}
