package lint

import (
	"cmp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// Steps calls visit for every step of the file, those nested in parallel: blocks
// included, with the job in which it runs. For a step of a composite action that
// is the job with the worst reach among those of the repository that use the
// action, and nil when none does.
func (p *Pass) Steps(visit func(s *workflows.Step, job *reach.Job)) {
	if w := p.File.Workflow; w != nil {
		for _, j := range w.Jobs {
			for _, s := range j.AllSteps() {
				visit(s, p.Graph.Of(j))
			}
		}
	}
	if a := p.File.Action; a != nil {
		job := worst(p.Graph.Users(p.File))
		for _, s := range a.AllSteps() {
			visit(s, job)
		}
	}
}

// Jobs calls visit for every job of a workflow file.
func (p *Pass) Jobs(visit func(job *reach.Job)) {
	if w := p.File.Workflow; w != nil {
		for _, j := range w.Jobs {
			visit(p.Graph.Of(j))
		}
	}
}

// publicHost is the server that a [Resolver] asks about repositories.
const publicHost = "github.com"

// Protection returns what the job's deployment environment demands. The error is that of
// [Resolver.Environment], or ErrOffline where there is nothing to ask: the name is an
// expression, or the workflow is for others to call, whose environment it then is. A rule
// calls it where the answer matters: what has none is recorded as not checked.
func (p *Pass) Protection(job *reach.Job) (workflows.Protection, error) {
	var none workflows.Protection
	if job.Job.Environment == nil || onlyCalled(job) {
		return none, ErrOffline
	}
	name, constant := job.Job.Environment.Name.Const()
	if !constant || name == "" || !p.NeedsNetwork() {
		return none, ErrOffline
	}
	owner, repo, named := strings.Cut(p.Repository.Name, "/")
	if !named || p.Repository.Host != publicHost {
		p.NotChecked("what environments demand: the remote called origin names no repository on " + publicHost)
		return none, ErrOffline
	}
	return p.Resolver.Environment(p.Context, owner, repo, name)
}

// onlyCalled reports whether only workflows of other repositories start the job.
func onlyCalled(job *reach.Job) bool {
	return len(job.Callers) == 0 && !slices.ContainsFunc(job.Job.Workflow.On, func(t *workflows.Trigger) bool { return t.Event != "workflow_call" })
}

// worst returns the job whose reach is graded worst, the first of equals.
func worst(jobs []*reach.Job) *reach.Job {
	var out *reach.Job
	for _, j := range jobs {
		if out == nil || cmp.Compare(j.Grade(), out.Grade()) > 0 {
			out = j
		}
	}
	return out
}

// Expose returns what code of the given trust could take in the job; for a nil
// job, that of an action whose users are elsewhere, it is the token that every
// job has.
func Expose(job *reach.Job, t reach.Trust) reach.Exposure {
	if job == nil {
		return reach.Elsewhere(t)
	}
	return job.Exposure(t)
}
