package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/broker"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/lease"
)

// The ways to hand a credential over.
const (
	modeEnv     = "env"     // variables, and the files that the cloud's tools need beside
	modeBroker  = "broker"  // an endpoint on loopback that the cloud's tools ask
	modeFile    = "file"    // private files, and no secret in a variable
	modeProfile = "profile" // a profile for each grant in a private AWS configuration
)

// oneAtATime are the providers whose tools read fixed variables, so that a command can
// have one grant of each. AWS's profiles are the way around it.
var oneAtATime = []string{"aws", "azure", "gcp"}

// A handing is how the leases of one command, or of one step, are handed over. Nil
// hands them over in the environment.
type handing struct {
	mode  string
	job   string    // that private files are kept for, "" for a command
	until time.Time // of the last refresh, zero for as long as the command runs

	broker    *broker.Broker
	profiles  *profiles
	taken     map[string]string           // grants by provider
	endpoints map[string]*broker.Endpoint // by grant and provider
	regions   map[string]string           // of aws, by grant
}

// newHanding makes what the mode needs. The caller closes it.
func newHanding(w world, mode string, until time.Time) (*handing, error) {
	h := &handing{mode: mode, until: until, taken: map[string]string{}, endpoints: map[string]*broker.Endpoint{}, regions: map[string]string{}}
	var err error
	switch mode {
	case modeEnv, modeFile:
		return h, nil
	case modeBroker:
		h.broker, err = broker.Listen()
		return h, err
	case modeProfile:
		if h.broker, err = broker.Listen(); err != nil {
			return nil, err
		}
		if h.profiles, err = newProfiles(w, ""); err != nil {
			h.broker.Close()
			return nil, err
		}
		return h, nil
	}
	return nil, usage("use env, broker, file or profile", "there is no mode %q", mode)
}

// close ends the broker and removes the profiles. Errors of the removal are returned.
func (h *handing) close() error {
	if h.broker != nil {
		h.broker.Close()
	}
	if h.profiles != nil {
		return h.profiles.remove()
	}
	return nil
}

// check refuses, before a token is asked for, what the mode cannot hand over, and two
// grants that would get in each other's way.
func (h *handing) check(g *grant.Grant, list []oidc.Provider) error {
	if h == nil {
		return nil
	}
	for _, p := range list {
		if first, taken := h.taken[p.Name()]; taken && h.mode != modeProfile && slices.Contains(oneAtATime, p.Name()) {
			hint := "run two commands, each with its own grant"
			if p.Name() == "aws" {
				hint += ", or give each a profile with the mode profile"
			}
			return usage(hint, "grants %q and %q both set the variables of %s", first, g.Name, p.Name())
		}
		h.taken[p.Name()] = g.Name
		if err := h.fits(g, p); err != nil {
			return err
		}
	}
	return nil
}

func (h *handing) fits(g *grant.Grant, p oidc.Provider) error {
	_, brokered := p.(oidc.Brokered)
	switch {
	case h.mode == modeBroker && !brokered:
		return usage("leave the mode out for this grant, and run what needs the broker in a command of its own",
			"%s of grant %q has no endpoint that its tools could ask, or the grant narrows what an endpoint would not", p.Name(), g.Name)
	case h.mode == modeProfile && p.Name() != "aws":
		return usage("use the mode env, broker or file for it", "profiles are aws's, and grant %q opens %s", g.Name, p.Name())
	}
	if h.broker == nil {
		return nil
	}
	e, err := h.broker.Endpoint()
	h.endpoints[g.Name+" "+p.Name()] = e
	return err
}

// options are those of a lease of the grant.
func (h *handing) options(g *grant.Grant, opts *lease.Options) {
	if h == nil {
		return
	}
	opts.Job, opts.Until, opts.Followed = h.job, h.until, h.broker != nil
	switch h.mode {
	case modeBroker:
		opts.Form = func(p oidc.Provider, _ *oidc.Credential) ([]oidc.Var, []oidc.PrivateFile) {
			e := h.endpoints[g.Name+" "+p.Name()]
			return p.(oidc.Brokered).Point(e.URL, e.Bearer) // check has seen to that
		}
	case modeFile:
		opts.Form = inFiles
	case modeProfile:
		opts.Form = func(_ oidc.Provider, c *oidc.Credential) ([]oidc.Var, []oidc.PrivateFile) {
			if h.regions[g.Name] == "" { // later ones are of the same region
				h.regions[g.Name] = regionOf(c)
			}
			return nil, nil
		}
	}
}

func regionOf(c *oidc.Credential) string {
	i := slices.IndexFunc(c.Vars, func(v oidc.Var) bool { return v.Name == "AWS_REGION" })
	if i < 0 {
		return ""
	}
	return c.Vars[i].Value.Reveal()
}

func inFiles(p oidc.Provider, c *oidc.Credential) ([]oidc.Var, []oidc.PrivateFile) {
	if filed, ok := p.(oidc.Filed); ok {
		return filed.InFiles(c)
	}
	return c.Vars, c.Files
}

// opened completes the hand-over of a lease, or ends it.
func (h *handing) opened(ctx context.Context, l *lease.Lease, list []oidc.Provider) error {
	if h == nil {
		return nil
	}
	err := h.complete(l, list)
	if err != nil {
		l.End(ctx)
	}
	return err
}

func (h *handing) complete(l *lease.Lease, list []oidc.Provider) error {
	name := l.Grant().Name
	if h.mode == modeFile {
		var secret []string
		for _, v := range l.Vars() {
			if !v.Public {
				secret = append(secret, v.Name)
			}
		}
		if len(secret) > 0 {
			return usage("leave the mode out: the tools of this cloud take the credential from the environment",
				"grant %q cannot be handed over by files alone: %s would be a variable", name, strings.Join(secret, ", "))
		}
	}
	for _, p := range list {
		e := h.endpoints[name+" "+p.Name()]
		if e == nil {
			continue
		}
		e.Serve(func(ctx context.Context) (oidc.Secret, error) { return l.Answer(ctx, p.Name()) })
		if h.profiles != nil {
			if err := h.profiles.add(name, h.regions[name], e); err != nil {
				return err
			}
		}
	}
	return nil
}

// set are the variables that a command gets beside those of its leases.
func (h *handing) set() []oidc.Var {
	if h.profiles == nil {
		return nil
	}
	return h.profiles.vars()
}

// said tells what the broker refused, "" when it refused nothing.
func (h *handing) said() string {
	if h.broker == nil {
		return ""
	}
	if _, refused := h.broker.Counts(); refused > 0 {
		return fmt.Sprintf("the broker refused %d requests", refused)
	}
	return ""
}
