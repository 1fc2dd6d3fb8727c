package reach

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// A Holder is what a secret's value is handed to.
type Holder int

// Holders, from the narrowest to the widest.
const (
	HeldByInput     Holder = iota // an input of a step's action
	HeldByScript                  // expanded into a script
	HeldByVariable                // a variable that a script sets
	HeldByStep                    // env: of a step
	HeldByJob                     // env: of a job, or what a step sets for those after it
	HeldByWorkflow                // env: of a workflow
	HeldByContainer               // credentials and env: of a container or service
	HeldByCall                    // secrets: of a call of a reusable workflow
	HeldByOther                   // any other value of the job
)

// A Use is one way of a stored secret's value to something in a job. Local actions
// and ${{ env.X }} are followed: the Use is what takes the value in the end.
type Use struct {
	Credential *Credential
	// Ref is where the job's file refers to the secret, one of Credential.Enters.
	Ref    Site
	Holder Holder
	// File and Step hold what takes the value; Step is nil outside of steps.
	File *workflows.File
	Step *workflows.Step
	// Name is the input or variable that is given the value, "" where there is none;
	// Value is the scalar around the reference.
	Name  string
	Value *workflows.Scalar
	// Expr is the expression in Value that carries the secret.
	Expr *workflows.Expr
	// Via are the steps that use the local actions on the way, outermost first.
	Via []Site
}

// A RunStep is a step that runs in a job: one of its own or of a local action.
type RunStep struct {
	File *workflows.File
	Step *workflows.Step
	// Via are the steps that use the local actions around it, outermost first.
	Via []Site
}

// RunSteps returns what [Graph.Steps] does, with the place of each step. The slice is
// the graph's own and must not be changed.
func (g *Graph) RunSteps(job *Job) []RunStep { return job.steps }

// Reaches reports whether a step sees the value: its own inputs, script and
// environment, and the environments around it.
func (u *Use) Reaches(s RunStep) bool {
	switch u.Holder {
	case HeldByWorkflow, HeldByJob:
		return true
	case HeldByStep, HeldByInput, HeldByScript, HeldByVariable:
		return u.Step == s.Step || u.Holder == HeldByStep && slices.ContainsFunc(s.Via, func(v Site) bool {
			return u.Step.Uses != nil && v == Site{u.File, u.Step.Uses.Span}
		})
	}
	return false
}

// Takers returns the commands of a step's script that take the value in a word, an
// assignment or a redirection. A variable that the command reads from its
// environment by itself is not seen here.
func (u *Use) Takers(s *workflows.Step) []*workflows.Command {
	if s.Run == nil {
		return nil
	}
	var out []*workflows.Command
	for _, c := range s.Run.Commands {
		if u.takenBy(c) {
			out = append(out, c)
		}
	}
	return out
}

// in reports whether a word holds the value.
func (u *Use) in(w workflows.Word) bool {
	if u.Holder == HeldByScript {
		return slices.Contains(w.Exprs, u.Expr)
	}
	return u.Name != "" && u.Holder != HeldByInput && slices.Contains(w.Vars, u.Name)
}

// takenBy reports whether a word of the command, wherever it stands, holds the value.
func (u *Use) takenBy(c *workflows.Command) bool {
	return slices.ContainsFunc(c.Words, u.in) ||
		slices.ContainsFunc(c.Assigns, func(a workflows.Assign) bool { return u.in(a.Value) }) ||
		slices.ContainsFunc(c.Redirs, func(r workflows.Redir) bool { return u.in(r.Target) })
}

// Uses returns every use of a stored secret in the job, by place. A job that calls
// a workflow of this repository has those of its call only; the called jobs have
// the rest.
func (g *Graph) Uses(job *Job) []Use {
	find, _ := g.uses.LoadOrStore(job, sync.OnceValue(func() []Use { return g.findUses(job) }))
	return slices.Clone(find.(func() []Use)()) // several rules ask for each job
}

func (g *Graph) findUses(job *Job) []Use {
	f := &useFinder{graph: g, job: job, at: map[Site][]*Credential{}}
	for _, c := range job.Standing() {
		for _, s := range c.Enters {
			if !c.All {
				f.at[s] = append(f.at[s], c)
			}
		}
	}
	if len(f.at) == 0 {
		return nil
	}
	top := useScope{file: job.File, env: map[string][]origin{}}
	f.mapping(&top, job.Job.Workflow.Env, Use{Holder: HeldByWorkflow})
	f.mapping(&top, job.Job.Env, Use{Holder: HeldByJob})
	f.aside(top)
	f.steps(top, job.Job.AllSteps())
	slices.SortStableFunc(f.out, func(a, b Use) int {
		return cmp.Or(cmp.Compare(a.Ref.File.Path, b.Ref.File.Path), cmp.Compare(a.Ref.Span.Start, b.Ref.Span.Start))
	})
	return f.out
}

// An origin is a secret's reference behind a value.
type origin struct {
	credential *Credential
	ref        Site
	expr       *workflows.Expr
}

// A useScope is what the expressions of a list of steps can see.
type useScope struct {
	file   *workflows.File
	inputs map[string][]origin // nil in a workflow file, keys in lower case
	env    map[string][]origin
	via    []Site
}

type useFinder struct {
	graph *Graph
	job   *Job
	at    map[Site][]*Credential
	out   []Use
}

// origins returns the secrets whose value the expression can have.
func (f *useFinder) origins(sc useScope, e *workflows.Expr) []origin {
	var out []origin
	for _, r := range valueRefs(nil, e.Root) {
		if len(r.Parts) < 2 {
			continue
		}
		switch name := r.Parts[1]; r.Parts[0].Name {
		case "secrets":
			for _, c := range f.at[Site{sc.file, r.Span}] {
				out = append(out, origin{c, Site{sc.file, r.Span}, e})
			}
		case "inputs":
			out = append(out, sc.inputs[name.Name]...)
		case "env":
			out = append(out, sc.env[name.Raw]...)
		}
	}
	return out
}

// ValueRefs returns the references that an expression's value can be made of: not
// those that are only compared or tested.
func ValueRefs(e *workflows.Expr) []*workflows.Ref {
	if e == nil {
		return nil
	}
	return valueRefs(nil, e.Root)
}

// valueRefs appends the references that an expression's value can be made of: not
// those that are only compared or tested.
func valueRefs(out []*workflows.Ref, n workflows.ExprNode) []*workflows.Ref {
	switch n := n.(type) {
	case *workflows.Ref:
		if n.Base == nil {
			return append(out, n)
		}
		return valueRefs(out, n.Base)
	case *workflows.Call:
		if slices.Contains([]string{"contains", "startswith", "endswith"}, n.Func) {
			return out
		}
		for _, a := range n.Args {
			out = valueRefs(out, a)
		}
	case *workflows.Binary:
		if n.Op == "||" {
			out = valueRefs(out, n.X)
		}
		if n.Op == "||" || n.Op == "&&" {
			out = valueRefs(out, n.Y)
		}
	}
	return out
}

// value adds a use for each secret in a scalar, filled in from u.
func (f *useFinder) value(sc useScope, s *workflows.Scalar, u Use) []origin {
	if s == nil {
		return nil
	}
	var all []origin
	for _, e := range s.Exprs {
		for _, o := range f.origins(sc, e) {
			u.Credential, u.Ref, u.File, u.Value, u.Expr, u.Via = o.credential, o.ref, sc.file, s, e, sc.via
			f.out = append(f.out, u)
			all = append(all, o)
		}
	}
	return all
}

// mapping adds the uses of an env: and makes its variables known to the scope.
func (f *useFinder) mapping(sc *useScope, m *workflows.Map, u Use) {
	if m != nil && m.Whole != nil {
		f.value(*sc, m.Whole, u)
	}
	for _, e := range m.All() {
		u.Name = e.Key.Value
		sc.env[u.Name] = f.value(*sc, e.Value, u)
	}
}

// aside adds the uses of what is in a job beside env: and steps.
func (f *useFinder) aside(sc useScope) {
	j := f.job.Job
	for _, m := range []*workflows.Map{j.Secrets, j.With} {
		for _, e := range m.All() {
			f.value(sc, e.Value, Use{Holder: HeldByCall, Name: e.Key.Value})
		}
	}
	for _, e := range j.Outputs.All() {
		f.value(sc, e.Value, Use{Holder: HeldByOther, Name: e.Key.Value})
	}
	for _, c := range append([]*workflows.Container{j.Container}, j.Services...) {
		if c == nil {
			continue
		}
		f.value(sc, c.Password, Use{Holder: HeldByContainer, Name: "password"})
		f.value(sc, c.Options, Use{Holder: HeldByContainer, Name: "options"})
		for _, e := range c.Env.All() {
			f.value(sc, e.Value, Use{Holder: HeldByContainer, Name: e.Key.Value})
		}
	}
}

func (f *useFinder) steps(sc useScope, steps []*workflows.Step) {
	for _, s := range steps {
		own := sc
		own.env = make(map[string][]origin, len(sc.env))
		for name, o := range sc.env {
			own.env[name] = o
		}
		f.mapping(&own, s.Env, Use{Holder: HeldByStep, Step: s})
		if s.Run != nil {
			f.value(own, s.Run.Scalar, Use{Holder: HeldByScript, Step: s})
			f.assigned(own, s)
			f.exported(own, s)
		}
		if s.Uses != nil {
			f.uses(own, s)
		}
	}
}

// uses adds the inputs of an action; those of a local one are followed into it.
func (f *useFinder) uses(sc useScope, s *workflows.Step) {
	a := f.graph.localAction(s.Uses)
	if a == nil || len(a.Action.Steps) == 0 || len(sc.via) >= maxNest {
		for _, e := range s.With.All() {
			f.value(sc, e.Value, Use{Holder: HeldByInput, Step: s, Name: e.Key.Value})
		}
		return
	}
	inner := useScope{file: a, env: sc.env, inputs: map[string][]origin{}, via: append(slices.Clone(sc.via), Site{sc.file, s.Uses.Span})}
	for _, e := range s.With.All() {
		for _, x := range e.Value.Exprs {
			key := strings.ToLower(e.Key.Value)
			inner.inputs[key] = append(inner.inputs[key], f.origins(sc, x)...)
		}
	}
	f.steps(inner, a.Action.AllSteps())
}

// assigned adds the variables that a script sets to a secret: NAME=${{ secrets.X }},
// export NAME="$OTHER".
func (f *useFinder) assigned(sc useScope, s *workflows.Step) {
	for _, c := range s.Run.Commands {
		for _, a := range c.Assigns {
			for _, e := range a.Value.Exprs {
				for _, o := range f.origins(sc, e) {
					f.addVariable(sc, s, a.Name, o)
				}
			}
			for _, v := range a.Value.Vars {
				for _, o := range sc.env[v] {
					if v != a.Name {
						f.addVariable(sc, s, a.Name, o)
					}
				}
			}
		}
	}
}

// exported adds the variables that a script sets for later steps, for which they are
// like those of the job: echo "NAME=${{ secrets.X }}" >> "$GITHUB_ENV".
func (f *useFinder) exported(sc useScope, s *workflows.Step) {
	for _, c := range s.Run.Commands {
		if !slices.ContainsFunc(c.Redirs, func(r workflows.Redir) bool { return slices.Contains(r.Target.Vars, "GITHUB_ENV") }) {
			continue
		}
		for _, w := range c.Args() {
			name, value, ok := strings.Cut(w.Text, "=")
			if !ok || !strings.HasPrefix(value, "\uFFFD") {
				continue
			}
			from := []origin{}
			for _, e := range w.Exprs {
				from = append(from, f.origins(sc, e)...)
			}
			for _, v := range w.Vars {
				from = append(from, sc.env[v]...)
			}
			for _, o := range from {
				f.out = append(f.out, Use{
					Credential: o.credential, Ref: o.ref, Holder: HeldByJob, File: sc.file, Name: name, Value: s.Run.Scalar, Expr: o.expr, Via: sc.via,
				})
			}
		}
	}
}

func (f *useFinder) addVariable(sc useScope, s *workflows.Step, name string, o origin) {
	f.out = append(f.out, Use{
		Credential: o.credential, Ref: o.ref, Holder: HeldByVariable, File: sc.file, Step: s, Name: name,
		Value: s.Run.Scalar, Expr: o.expr, Via: sc.via,
	})
}

// GroupUses joins the uses that are of one secret, and those to which key gives
// the same text that is not empty: the two halves of a key pair, the alternatives
// of one expression. Groups and their uses keep the order.
func GroupUses(uses []Use, key func(Use) string) [][]Use {
	var groups [][]Use
	of := map[string]int{} // index of a group by name of secret and by key
	for _, u := range uses {
		keys := []string{"secret " + u.Credential.Name}
		if k := key(u); k != "" {
			keys = append(keys, "key "+k)
		}
		to := -1
		for _, k := range keys {
			i, known := of[k]
			switch {
			case known && to < 0:
				to = i
			case known && i != to:
				groups[to] = append(groups[to], groups[i]...)
				groups[i] = nil
				for other, j := range of {
					if j == i {
						of[other] = to
					}
				}
			}
		}
		if to < 0 {
			to = len(groups)
			groups = append(groups, nil)
		}
		groups[to] = append(groups[to], u)
		for _, k := range keys {
			of[k] = to
		}
	}
	groups = slices.DeleteFunc(groups, func(g []Use) bool { return len(g) == 0 })
	for _, g := range groups {
		slices.SortStableFunc(g, func(a, b Use) int { return cmp.Compare(a.Ref.Span.Start, b.Ref.Span.Start) })
	}
	return groups
}

// Loss returns what the job's worst code could take of the given credentials, that
// code (nil when it is the repository's own), and a clause that says so for a message.
func (j *Job) Loss(creds []*Credential) (Exposure, *Code, string) {
	e := j.Exposure(OwnCode)
	e.Credentials = creds
	c := j.WorstCode()
	if c == nil || c.Trust == OwnCode {
		return e, nil, "the job holds " + CredentialList(creds)
	}
	e.Steer = c.Trust
	return e, c, c.Name + " (" + c.Why + ") could take " + CredentialList(creds)
}

// UsesToken reports whether the job seems to do something with the repository token
// beyond a checkout: it names the token, pushes, calls gh, or uses an action that
// works on GitHub or is not known.
func (g *Graph) UsesToken(job *Job) bool {
	for _, p := range g.steps(job) {
		if p.Step.Uses != nil && !g.local(p.Step.Uses) {
			info, known := platform.LookupAction(p.Step.Uses.FullName())
			if !known || info.Opens == "github" {
				return true
			}
		}
		if p.Step.Run != nil && slices.ContainsFunc(p.Step.Run.Commands, worksOnGitHub) {
			return true
		}
	}
	named := false
	job.Job.Scalars(func(s *workflows.Scalar) {
		for _, e := range s.Exprs {
			named = named || slices.ContainsFunc(e.Refs(), func(r *workflows.Ref) bool {
				return r.Path() == "github.token" || r.Path() == "secrets.github_token"
			})
		}
	})
	return named
}

func worksOnGitHub(c *workflows.Command) bool {
	return c.Name == "gh" || c.Name == "git" && slices.ContainsFunc(c.Args(), func(w workflows.Word) bool { return w.Text == "push" })
}
