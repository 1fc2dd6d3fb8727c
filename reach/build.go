package reach

import (
	"cmp"
	"slices"

	"github.com/stint-dev/stint/reach/flow"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// maxNest is how many local actions or reusable workflows are followed within
// each other; GitHub allows ten for both.
const maxNest = 12

// maxPlaced bounds the steps of one job, those of the actions it uses counted once a use.
const maxPlaced = 20_000

// Build makes the graph of a repository. It never fails: what it cannot follow is Unknown.
func Build(repo *workflows.Repository) *Graph {
	g := &Graph{Repository: repo, Flow: flow.Analyse(repo), users: map[*workflows.File][]*Job{}}
	g.jobs = map[*workflows.Job]*Job{}
	for _, f := range repo.Files {
		if f.Workflow == nil {
			continue
		}
		for _, j := range f.Workflow.Jobs {
			job := &Job{File: f, Job: j}
			if j.Environment != nil {
				job.Environment = j.Environment.Name.String()
			}
			g.Jobs = append(g.Jobs, job)
			g.jobs[j] = job
		}
	}
	g.linkCallers()
	for _, job := range g.Jobs {
		g.fill(job)
	}
	for _, job := range g.Jobs {
		g.fillCall(job)
	}
	return g
}

func (g *Graph) fill(job *Job) {
	for _, e := range g.Flow.Events(job.Job) {
		job.Starts = append(job.Starts, Start{Event: e.Name, Who: e.Who, Site: Site{e.File, e.Trigger.Span}})
	}
	job.Token = g.token(job, 0)
	g.addCredentials(job)
	g.addCode(job)
	job.Autonomy = g.autonomy(job)
	sortJob(job)
}

// linkCallers records for each job of a local reusable workflow the jobs that call it.
func (g *Graph) linkCallers() {
	for _, job := range g.Jobs {
		callee := g.callee(job.Job)
		if callee == nil {
			continue
		}
		for _, j := range callee.Workflow.Jobs {
			called := g.jobs[j]
			called.Callers = append(called.Callers, job)
		}
	}
}

// callee returns the local workflow that a job calls, or nil.
func (g *Graph) callee(j *workflows.Job) *workflows.File {
	if j.Uses == nil || !g.local(j.Uses) {
		return nil
	}
	if f := g.Repository.File(j.Uses.Path); f != nil && f.Workflow != nil {
		return f
	}
	return nil
}

// local reports whether a uses: names this repository itself, in whatever form.
func (g *Graph) local(u *workflows.Uses) bool {
	return u.Kind == workflows.UsesLocal || u.Kind == workflows.UsesSelf
}

// Called returns the jobs of the local reusable workflow that j calls, and nil
// for every other job.
func (g *Graph) Called(j *Job) []*Job {
	f := g.callee(j.Job)
	if f == nil {
		return nil
	}
	var out []*Job
	for _, called := range f.Workflow.Jobs {
		out = append(out, g.jobs[called])
	}
	return out
}

// fillCall gives a job that calls a local workflow the code of the jobs it calls,
// so that the caller's line says what runs with the secrets that it passes.
func (g *Graph) fillCall(job *Job) {
	called := g.Called(job)
	if len(called) == 0 {
		return
	}
	site := Site{job.File, job.Job.Uses.Span}
	for _, c := range called {
		for _, code := range c.Code {
			if len(code.Via) > maxNest {
				continue
			}
			copied := *code
			copied.Via = append([]Site{site}, code.Via...)
			job.Code = append(job.Code, &copied)
		}
	}
	sortJob(job)
}

// token returns the permissions of the job's GITHUB_TOKEN. A called workflow can
// keep or lower what its caller has, never raise it; with several callers the
// widest counts.
func (g *Graph) token(job *Job, nest int) workflows.Effective {
	own := job.Job.EffectivePermissions()
	if len(job.Callers) == 0 || nest > maxNest {
		return own
	}
	var out workflows.Effective
	for i, c := range job.Callers {
		t := g.token(c, nest+1)
		if own.Origin != workflows.OriginDefault {
			t = limit(own, t)
		}
		if i == 0 || width(t) > width(out) {
			out = t
		}
	}
	return out
}

// limit returns own without what the caller does not have. A caller on default
// permissions limits nothing that the files show.
func limit(own, caller workflows.Effective) workflows.Effective {
	if caller.Origin == workflows.OriginDefault {
		return own
	}
	out := own
	out.Scopes = map[string]workflows.Access{}
	for name := range own.Scopes {
		out.Scopes[name] = min(own.Of(name), caller.Of(name))
	}
	if own.All > caller.All {
		out.All = caller.All
		for name := range caller.Scopes {
			out.Scopes[name] = min(own.Of(name), caller.Of(name))
		}
	}
	return out
}

// width orders permissions by how much they allow: default (unknown) over stated.
func width(e workflows.Effective) int {
	if e.Origin == workflows.OriginDefault {
		return 1000
	}
	n := 100 * int(e.All)
	for _, a := range e.Scopes {
		n += int(a)
	}
	return n
}

// sortJob orders credentials and code worst first, then by place.
func sortJob(job *Job) {
	slices.SortStableFunc(job.Credentials, func(a, b *Credential) int {
		return cmp.Or(-cmp.Compare(a.Lifetime, b.Lifetime), -compareBool(a.All, b.All),
			-compareBool(a.Writes, b.Writes), cmp.Compare(a.Name, b.Name))
	})
	slices.SortStableFunc(job.Code, func(a, b *Code) int {
		return cmp.Or(-cmp.Compare(a.Trust, b.Trust), cmp.Compare(a.Site.File.Path, b.Site.File.Path),
			cmp.Compare(a.Site.Span.Start, b.Site.Span.Start))
	})
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// autonomy says why the job acts without a person in the loop.
func (g *Graph) autonomy(job *Job) []string {
	var out []string
	for _, s := range job.Starts {
		switch {
		case s.Event == "schedule":
			out = append(out, "schedule")
		case s.Who == platform.StartAnyone:
			out = append(out, "anyone starts it")
		}
	}
	for _, s := range g.steps(job) {
		out = append(out, acts(s.Step)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// acts says what a step does to the outside by itself.
func acts(s *workflows.Step) []string {
	var out []string
	if s.Uses != nil {
		info, _ := platform.LookupAction(s.Uses.FullName())
		if info.Agent {
			out = append(out, "agent")
		}
		if info.Publishes && !keepsImage(s, info) || releasesBy(ActionLine(s)) == "publishes" {
			out = append(out, "publishes")
		}
		if info.Deploys {
			out = append(out, "deploys")
		}
	}
	if s.Run == nil {
		return out
	}
	for _, c := range s.Run.Commands {
		info, ok := platform.LookupCommand(c.Line)
		if !ok || info.DryRun {
			continue
		}
		switch info.Does {
		case "agent":
			out = append(out, "agent")
		case "publish":
			out = append(out, "publishes")
		case "deploy":
			out = append(out, "deploys")
		}
	}
	return out
}

// steps returns all steps that run in the job's runner, local composite actions
// followed, in order of execution as written.
func (g *Graph) steps(job *Job) []RunStep {
	if job.steps == nil {
		job.steps = g.follow(nil, job.File, job.Job.AllSteps(), nil)
	}
	return job.steps
}

func (g *Graph) follow(out []RunStep, f *workflows.File, steps []*workflows.Step, via []Site) []RunStep {
	for _, s := range steps {
		out = append(out, RunStep{f, s, via})
		a := g.localAction(s.Uses)
		if a == nil || len(via) >= maxNest || len(out) >= maxPlaced {
			continue
		}
		inner := append(slices.Clone(via), Site{f, s.Uses.Span})
		out = g.follow(out, a, a.Action.AllSteps(), inner)
	}
	return out
}

// localAction returns the file of an action of this repository, or nil.
func (g *Graph) localAction(u *workflows.Uses) *workflows.File {
	if u == nil || !g.local(u) {
		return nil
	}
	if f := g.Repository.Action(u.Path); f != nil && f.Action != nil {
		return f
	}
	return nil
}
