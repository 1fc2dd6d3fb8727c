package migrate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/oidc/trust"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// KeyRules are the ids of the rules whose findings [Keys] plans for.
var KeyRules = []string{"long-lived-cloud-key", "long-lived-registry-token"}

// DebtDays is the time that a debt is given which a plan writes.
const DebtDays = 90

// A KeyPlan is how the jobs of a repository leave their stored keys.
type KeyPlan struct {
	Plan
	// Keys are in the order of their findings.
	Keys []*Key
}

// A Key is one stored key in one job.
type Key struct {
	// Place is what it opens: aws, npm. Secrets are the names of its halves, sorted.
	Place   string
	Secrets []string
	Path    string
	Line    int
	Job     string
	// Grant takes its place, "" for none; By says what does then, when it can move.
	Grant, By string
	// Lock is the lock of the grant, and LockProblem why there is none, in two lines.
	Lock                  *trust.Lock
	LockProblem, LockHint string
	// Stays says why the key cannot be taken out of the workflow yet, StaysNext what to
	// do about it; both are "" when it can.
	Stays, StaysNext string
	// Elsewhere are other jobs that use its secrets, as "path: job".
	Elsewhere []string
}

// Keys plans for the findings of [KeyRules], of one cloud or registry when place is
// not "".
func Keys(g *reach.Graph, findings []lint.Finding, place string, opts Options) (*KeyPlan, error) {
	file, err := openGrantFile(opts.Grants, opts.Providers)
	if err != nil {
		return nil, err
	}
	m := &mover{opts: opts, graph: g, grants: file, plan: &Plan{}, files: map[*workflows.File]*edited{}}
	plan := &KeyPlan{}
	for _, f := range findings {
		if !slices.Contains(KeyRules, f.Rule.ID) || f.Job == nil || len(f.Exposure.Credentials) == 0 {
			continue
		}
		k := keyOf(g, f)
		if place != "" && k.Place != place {
			continue
		}
		if p := m.key(k, f); p != nil {
			k.Stays, k.StaysNext = oneLine(p.text), oneLine(p.next)
			m.owe(k)
		}
		plan.Keys = append(plan.Keys, k)
	}
	done, err := m.finish()
	if err != nil {
		return nil, err
	}
	plan.Plan = *done
	return plan, nil
}

// keyOf describes the key of a finding.
func keyOf(g *reach.Graph, f lint.Finding) *Key {
	k := &Key{Place: f.Exposure.Credentials[0].Opens, Path: f.File.Path, Line: f.File.Position(f.Span.Start).Line, Job: f.Job.Job.ID}
	for _, c := range f.Exposure.Credentials {
		k.Secrets = append(k.Secrets, c.Name)
	}
	slices.Sort(k.Secrets)
	k.Secrets = slices.Compact(k.Secrets)
	for _, other := range g.Jobs {
		if other == f.Job {
			continue
		}
		uses := g.Uses(other)
		if slices.ContainsFunc(uses, k.in) {
			k.Elsewhere = append(k.Elsewhere, other.File.Path+": "+other.Job.ID)
		}
	}
	return k
}

// in reports whether a use is one of the key's.
func (k *Key) in(u reach.Use) bool { return slices.Contains(k.Secrets, u.Credential.Name) }

// owe declares the secrets of a key that stays.
func (m *mover) owe(k *Key) {
	until := m.opts.Today
	if day, err := time.Parse(time.DateOnly, m.opts.Today); err == nil {
		until = day.AddDate(0, 0, DebtDays).Format(time.DateOnly)
	}
	for _, name := range k.Secrets {
		m.grants.owe(lint.Debt{Secret: name, Owner: m.opts.Owner, Reason: k.Stays, Until: until})
	}
}

// key plans for one key; the problem says why it stays.
func (m *mover) key(k *Key, f lint.Finding) *problem {
	uses := slices.DeleteFunc(m.graph.Uses(f.Job), func(u reach.Use) bool { return !k.in(u) })
	for _, u := range uses {
		if u.File != f.File {
			return stop("give the action no key, and put stint's action before it in the job", "the key goes through the action %q", u.File.Path)
		}
	}
	if steps := loginSteps(uses); steps != nil {
		return m.keyOfLogin(k, f.Job, steps)
	}
	if r, ok := replacements[k.Place]; ok && r.takes(uses) {
		return m.keyOfVariables(k, f.Job, uses, r)
	}
	if len(f.Fixes) > 0 && f.Rule.ID == "long-lived-registry-token" {
		return m.keyOfPublisher(k, f)
	}
	if _, ok := replacements[k.Place]; !ok {
		return stop(f.Next, "stint has no grant for %s", k.Place)
	}
	return stop(f.Next, "the job uses it in a way that a grant does not serve: %s", usedAs(uses))
}

// usedAs says how a key is used, for people.
func usedAs(uses []reach.Use) string {
	var list []string
	for _, u := range uses {
		how := u.Name
		switch {
		case u.Holder == reach.HeldByInput && u.Step.Uses != nil:
			how = "input " + u.Name + " of " + u.Step.Uses.Name()
		case u.Holder == reach.HeldByScript:
			how = "written into a script"
		case u.Holder == reach.HeldByWorkflow:
			how = u.Name + " for all jobs of the workflow"
		case u.Holder == reach.HeldByContainer:
			how = u.Name + " of a container"
		case u.Holder == reach.HeldByCall:
			how = "passed to a workflow"
		}
		if how != "" && !slices.Contains(list, how) {
			list = append(list, how)
		}
	}
	return strings.Join(list, ", ")
}

// loginSteps returns the steps of known log-in actions when they alone take a key.
func loginSteps(uses []reach.Use) []*workflows.Step {
	var steps []*workflows.Step
	for _, u := range uses {
		if u.Holder != reach.HeldByInput {
			return nil
		}
		f, ok := formOf(u.Step)
		if !ok || !slices.ContainsFunc(f.static, func(name string) bool { return strings.EqualFold(name, u.Name) }) {
			return nil
		}
		if !slices.Contains(steps, u.Step) {
			steps = append(steps, u.Step)
		}
	}
	return steps
}

// keyOfLogin puts grants in the place of log-in steps.
func (m *mover) keyOfLogin(k *Key, job *reach.Job, steps []*workflows.Step) *problem {
	if len(steps) > 1 {
		return stop("leave one log-in in the job, then run this again", "the job logs in with it %d times", len(steps))
	}
	s := steps[0]
	f, _ := formOf(s)
	in := &inputs{opts: m.opts, job: job.Job, step: s, static: true}
	in.idle(f.static...)
	b := f.read(in)
	in.rest()
	if in.bad != nil {
		return in.bad
	}
	if p := m.fits(job, s, b); p != nil {
		return p
	}
	return m.grantFor(k, job, s, b, in, func(grantName string) ([]workflows.Edit, *problem) { return m.replace(job, s, grantName) })
}

// grantFor adds a grant, with the edits that use it, and its lock.
func (m *mover) grantFor(k *Key, job *reach.Job, s *workflows.Step, b block, in *inputs, edit func(string) ([]workflows.Edit, *problem)) *problem {
	w, p := m.opts.whoOf(m.graph, job)
	if p != nil {
		return p
	}
	count := len(m.grants.added)
	name, err := m.grants.add(m.draft(job, w, b), m.opts.Check)
	if err != nil {
		return asProblem(err)
	}
	edits, p := edit(name)
	if p == nil {
		if err := m.edited(job.File).add(edits); err != nil {
			p = stop("edit the job by hand", "the job cannot be edited: %s", err)
		}
	}
	if p != nil {
		if len(m.grants.added) > count {
			m.grants.drop()
		}
		return p
	}
	m.moved(job, s, name, in, w)
	k.Grant = name
	m.lock(k, name)
	return nil
}

// lock renders the lock of a grant for a key.
func (m *mover) lock(k *Key, name string) {
	g, err := m.grants.grant(name)
	if err != nil || m.opts.Lock == nil {
		return
	}
	cloud, ok := m.opts.Lock(g.Targets[0].Provider)
	if !ok {
		return
	}
	lock, err := cloud.Render(g, g.Targets[0], m.opts.Repository)
	if err != nil {
		k.LockProblem = oneLine(err.Error())
		k.LockHint = fmt.Sprintf("stint grant render %s --for %s --owner-id ID --repository-id ID", name, cloud.Name)
		return
	}
	k.Lock = &lock
}

// keyOfPublisher takes a token out of an action that publishes by the id-token itself.
// Its grant is not written: it is made for the form of the registry only.
func (m *mover) keyOfPublisher(k *Key, f lint.Finding) *problem {
	fix := f.Fixes[0]
	if err := m.edited(f.File).add(fix.Edits); err != nil {
		return stop("edit the job by hand", "the job cannot be edited: %s", err)
	}
	m.plan.Moved++
	k.By = fix.Title
	r, ok := replacements[k.Place]
	if !ok {
		return nil
	}
	w, p := m.opts.whoOf(m.graph, f.Job)
	if p != nil {
		return nil
	}
	in := &inputs{opts: m.opts, job: f.Job.Job}
	if name, err := m.grants.add(m.draft(f.Job, w, r.block(in, nil)), m.opts.Check); err == nil {
		m.lock(k, name)
		m.grants.drop()
	}
	return nil
}
