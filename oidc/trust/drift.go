package trust

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
)

// The classes of drift.
const (
	// Wider: the policy admits a token that the grant refuses; the witness is it.
	Wider = "wider"
	// Narrower: the policy refuses a token that the grant admits; the witness is it.
	Narrower = "narrower"
	// Dead: the policy refuses every token that the grant admits.
	DeadLock = "dead"
)

// Drift compares what a policy admits with what a grant does, by tokens made around
// both. There is one finding for each kind of token about which they disagree, and
// none when they agree. The audience is the policy's own unless expect names one; the
// times of tokens are not compared. own is the grant's lock as it is rendered: what that
// admits beyond the grant, the cloud cannot tell apart, and it is no finding; with nil it
// is. It is an error when nothing says which repository the grant is for.
func Drift(g *grant.Grant, expect grant.Expect, p, own Policy) ([]Finding, error) {
	repository := cmp.Or(g.For.Repository, expect.Repository)
	if repository == "" {
		return nil, fmt.Errorf("grant %q names no repository, and none was given", g.Name)
	}
	p, _ = asWritten(p)
	d := &drift{grant: g, expect: expect, policy: p, own: own}
	for _, t := range append(grantTargets(g, repository, p), p.Targets()...) {
		t.Audience = cmp.Or(expect.Audience, p.Audience(), t.Audience)
		t.Issuer = cmp.Or(t.Issuer, expect.Issuer)
		for _, probe := range Probes(t) {
			d.compare(probe)
		}
	}
	return d.result(), nil
}

// grantTargets are the workloads of a grant: one for each ref and event that it names.
// Ids that the grant does not name are those by which the policy knows the repository.
func grantTargets(g *grant.Grant, repository string, p Policy) []Target {
	f := g.For
	owner, repo, _ := strings.Cut(repository, "/")
	base := Target{Owner: owner, Repository: repo, OwnerID: f.RepositoryOwnerID, RepositoryID: f.RepositoryID,
		Environment: f.Environment, Workflow: f.Workflow, Claims: map[string]string{}}
	for _, t := range p.Targets() {
		if (t.Owner == owner || t.Owner == "") && (t.Repository == repo || t.Repository == "") {
			base.OwnerID, base.RepositoryID = cmp.Or(base.OwnerID, t.OwnerID), cmp.Or(base.RepositoryID, t.RepositoryID)
		}
	}
	if f.Called != "" {
		base.Called = exampleFile(f.Called)
	}
	if len(f.Actors) > 0 {
		base.Claims["actor"] = f.Actors[0]
	}
	if f.Runner == grant.SelfHosted {
		base.Claims["runner_environment"] = f.Runner
	}
	var targets []Target
	for _, ref := range orNone(f.Refs) {
		for _, event := range orNone(f.Events) {
			t := base
			t.Ref, t.Claims = exampleRef(ref), maps.Clone(base.Claims)
			if event != "" {
				t.Claims["event_name"] = event
			}
			targets = append(targets, t)
		}
	}
	return targets
}

func orNone(list []string) []string {
	if len(list) == 0 {
		return []string{""}
	}
	return list
}

// A drift collects disagreements.
type drift struct {
	grant  *grant.Grant
	expect grant.Expect
	policy Policy
	own    Policy

	wider []Finding
	// Of the tokens that the grant admits, by kind: how many the policy admits, how
	// many it refuses, and one of those with the policy's reason.
	agreed, refused map[kind]int
	missing         map[kind]Finding
	kinds           []kind
}

func (d *drift) compare(probe Probe) {
	expect := d.expect
	if expect.Audience == "" {
		expect.Audience = d.policy.Audience()
	}
	decision := d.grant.Decide(probe.Claims, expect)
	answer := d.policy.Decide(probe.Claims)
	switch {
	case decision.Admit:
		d.admitted(probe, answer)
	case answer.Admits && !d.notHeld(probe.Claims):
		d.addWider(probe, answer, decision)
	}
}

// notHeld reports whether a token that is too much gets in through the grant's own lock
// as well. It is asked before a finding stands for all tokens of its kind.
func (d *drift) notHeld(c oidc.Claims) bool {
	if d.own == nil {
		return false
	}
	c.Audience = []string{d.own.Audience()}
	return d.own.Decide(c).Admits
}

// A kind is what tokens have in common that count together: a repository presents one
// of the forms of sub, and its runs of one ref differ in their events.
type kind struct{ probe, ref string }

// admitted notes what the policy says of a token that the grant admits.
func (d *drift) admitted(probe Probe, answer Answer) {
	if probe.Name == probeRecycled || probe.Name == probeRenamed || probe.Name == probeOtherAudience {
		return // a lock that is stricter about ids and audiences is none the worse
	}
	if d.missing == nil {
		d.agreed, d.refused, d.missing = map[kind]int{}, map[kind]int{}, map[kind]Finding{}
	}
	k := kind{probe.Name, probe.Claims.Get("ref")}
	if !slices.Contains(d.kinds, k) {
		d.kinds = append(d.kinds, k)
	}
	if answer.Admits {
		d.agreed[k]++
		return
	}
	d.refused[k]++
	if _, ok := d.missing[k]; !ok {
		d.missing[k] = Finding{Class: Narrower, Severity: "medium",
			Message: fmt.Sprintf("the grant admits a token and the lock refuses it (%s): %s", spoken(probe.Name), answer.Why),
			Next:    "render the lock anew: stint grant render " + d.grant.Name, Witness: maps.Clone(probe.Claims.Values)}
	}
}

func (d *drift) addWider(probe Probe, answer Answer, decision grant.Decision) {
	title := spoken(probe.Name)
	if slices.ContainsFunc(d.wider, func(f Finding) bool { return strings.Contains(f.Message, "("+title+")") }) {
		return
	}
	f := Finding{Class: Wider, Severity: widerSeverity(probe.Claims, d.grant, d.expect),
		Message: fmt.Sprintf("the lock admits a token that the grant refuses (%s): %s", title, decision.Reasons[0].Text),
		Next:    "render the lock anew: stint grant render " + d.grant.Name, Witness: maps.Clone(probe.Claims.Values)}
	if !answer.Exact {
		f.Message += "; part of the lock is not read, so it may refuse it after all"
	}
	d.wider = append(d.wider, f)
}

// widerSeverity grows with the distance of the token from the grant's repository.
func widerSeverity(c oidc.Claims, g *grant.Grant, expect grant.Expect) string {
	owner, _, _ := strings.Cut(cmp.Or(g.For.Repository, expect.Repository), "/")
	switch {
	case c.Get("repository_owner") != owner:
		return "critical"
	case c.Get("repository") != cmp.Or(g.For.Repository, expect.Repository):
		return "high"
	case strings.HasPrefix(c.Get("event_name"), "pull_request"):
		return "high"
	}
	return "medium"
}

func spoken(probe string) string { return strings.ReplaceAll(probe, "-", " ") }

func (d *drift) result() []Finding {
	found := d.wider
	slices.SortStableFunc(found, func(a, b Finding) int { return cmp.Compare(rank(b.Severity), rank(a.Severity)) })
	var refused []Finding
	workload := false // some token of a workload gets in
	for _, k := range d.kinds {
		workload = workload || k.probe == probeWorkload && d.agreed[k] > 0
		if d.refused[k] > 0 && d.agreed[k] == 0 {
			refused = append(refused, d.missing[k])
		}
	}
	if first := slices.IndexFunc(d.kinds, func(k kind) bool { return k.probe == probeWorkload && d.refused[k] > 0 }); first >= 0 && !workload {
		dead := d.missing[d.kinds[first]]
		dead.Class, dead.Severity = DeadLock, "high"
		dead.Message = "the lock refuses every token that the grant admits: " + strings.TrimPrefix(dead.Message, "the grant admits a token and the lock refuses it ")
		return append([]Finding{dead}, found...)
	}
	return append(found, refused...)
}
