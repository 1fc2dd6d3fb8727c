package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/reach/flow"
	"github.com/stint-dev/stint/workflows"
)

// A who is the for: of a grant, made from a job.
type who struct {
	workflow, called, environment, runner string
	refs, events                          []string
	// open is set when the job's runs can be of any ref.
	open  bool
	notes []string // what the job could before and cannot with the grant
}

// A problem is why something is left alone, and the next step.
type problem struct{ text, next string }

func (p *problem) Error() string { return p.text }

// stop returns a problem.
func stop(next, format string, args ...any) *problem {
	return &problem{fmt.Sprintf(format, args...), next}
}

// whoOf makes the for: of a job from its file, its triggers and its environment. It
// admits no run that could not have had the credential before.
func (o Options) whoOf(g *reach.Graph, job *reach.Job) (who, *problem) {
	var w who
	starts := slices.DeleteFunc(slices.Clone(g.Flow.Events(job.Job)), func(e flow.Event) bool { return e.Name == "workflow_call" })
	if len(starts) == 0 {
		return w, stop("write the grant by hand: for: names the workflow that is started, called: the file of this job", "nothing in this repository starts the job")
	}
	w.workflow = starts[0].File.Path
	for _, e := range starts {
		if e.File.Path != w.workflow {
			return w, stop("write one grant for each of them and pass its name as an input", "the job is started by %q and %q", w.workflow, e.File.Path)
		}
	}
	if p := w.setEnvironment(job.Job); p != nil {
		return w, p
	}
	w.runner = runnerOf(job.Job)
	w.setEvents(starts)
	w.setRefs(starts, o.defaultBranch(g.Repository))
	return w, o.setCalled(&w, job)
}

func (w *who) setEnvironment(j *workflows.Job) *problem {
	if j.Environment == nil || j.Environment.Name == nil {
		return nil
	}
	name, constant := j.Environment.Name.Const()
	if !constant {
		return stop("write one grant for each environment and choose by a constant, as in one job for each", "the job's environment is an expression")
	}
	w.environment = name
	return nil
}

// setCalled names the file of a job that is reached through a call.
func (o Options) setCalled(w *who, job *reach.Job) *problem {
	if job.File.Path == w.workflow {
		return nil
	}
	ref := "refs/heads/*"
	if len(w.refs) == 1 {
		ref = w.refs[0]
	} else if w.open || slices.ContainsFunc(w.refs, func(r string) bool { return !strings.HasPrefix(r, "refs/heads/") }) {
		return stop("limit the caller's triggers to one branch or tag, or write the grant by hand", "the job is in a called workflow, whose ref is open")
	}
	if o.Repository.Name == "" {
		return stop("name the repository: --repository OWNER/REPO", "the job is in a called workflow, and the repository's name is not known")
	}
	if slices.ContainsFunc(job.Callers, func(c *reach.Job) bool { return c.Job.Uses != nil && c.Job.Uses.Owner != "" }) {
		return stop("write the grant by hand, with called: as the caller's uses: says it", "the job's workflow is called at a ref of its own")
	}
	w.called = o.Repository.Name + "/" + job.File.Path + "@" + ref
	return nil
}

// setEvents keeps the events that people with write access start. Others stay only
// where there are no better ones: a run that strangers start is to lose the
// credential unless it was made for it.
func (w *who) setEvents(starts []flow.Event) {
	var low []string
	for _, e := range starts {
		list := &low
		if grant.NormalTrust(e.Name) {
			list = &w.events
		}
		if !slices.Contains(*list, e.Name) {
			*list = append(*list, e.Name)
		}
	}
	switch names := strings.Join(low, ", "); {
	case len(low) == 0:
	case len(w.events) == 0:
		w.events = low
		w.notes = append(w.notes, "the job runs on "+names+" only, which people without write access may start: give it rights that may be lost")
	default:
		w.notes = append(w.notes, "the grant refuses runs by "+names+", so that the step fails in them: skip it there by if:, or give them a grant of their own with narrower rights")
	}
}

// setRefs collects the refs of the runs; none stands for any.
func (w *who) setRefs(starts []flow.Event, main string) {
	for _, e := range starts {
		if !slices.Contains(w.events, e.Name) {
			continue
		}
		refs, open := refsOf(e, main)
		w.open = w.open || open
		for _, r := range refs {
			if !slices.Contains(w.refs, r) {
				w.refs = append(w.refs, r)
			}
		}
	}
	if w.open {
		w.refs = nil
		return
	}
	slices.Sort(w.refs)
	if slices.Contains(w.events, "workflow_dispatch") {
		w.notes = append(w.notes, "the grant refuses runs that are dispatched from other branches")
	}
}

// refsOf returns the refs of an event's runs, and whether they are open.
func refsOf(e flow.Event, main string) (refs []string, open bool) {
	switch e.Name {
	case "push":
		return pushed(e.Trigger)
	case "release":
		return []string{"refs/tags/*"}, false
	case "merge_group":
		return []string{"refs/heads/gh-readonly-queue/*"}, false
	case "schedule", "workflow_dispatch", "workflow_run", "repository_dispatch", "issue_comment", "issues":
		return []string{"refs/heads/" + main}, false
	}
	return nil, true
}

// pushed returns the refs that the filters of a push let through, in the form of a
// grant: exact, or all below a name.
func pushed(t *workflows.Trigger) (refs []string, open bool) {
	if t == nil || len(t.Branches)+len(t.Tags)+len(t.BranchesIgnore)+len(t.TagsIgnore) == 0 {
		return nil, true
	}
	add := func(kind string, filters, ignored []*workflows.Scalar) {
		if len(ignored) > 0 {
			refs = append(refs, kind+"*")
		}
		for _, f := range filters {
			if name, constant := f.Const(); constant && !strings.HasPrefix(name, "!") {
				refs = append(refs, kind+asPrefix(name))
			}
		}
	}
	add("refs/heads/", t.Branches, t.BranchesIgnore)
	add("refs/tags/", t.Tags, t.TagsIgnore)
	all := slices.Clone(refs)
	return slices.DeleteFunc(refs, func(r string) bool {
		return slices.ContainsFunc(all, func(wider string) bool { return wider != r && covers(wider, r) })
	}), len(all) == 0
}

// covers reports whether a pattern admits all that another ref or pattern does.
func covers(pattern, ref string) bool {
	prefix, ok := strings.CutSuffix(pattern, "*")
	return ok && strings.HasPrefix(ref, prefix)
}

// asPrefix turns a filter into the nearest wider form that a grant has.
func asPrefix(name string) string {
	i := strings.IndexAny(name, "*?[+!")
	if i < 0 {
		return name
	}
	return name[:strings.LastIndexByte(name[:i], '/')+1] + "*"
}

// defaultBranch guesses the name of the default branch by what workflows are pushed to.
func (o Options) defaultBranch(repo *workflows.Repository) string {
	if o.DefaultBranch != "" {
		return o.DefaultBranch
	}
	named := map[string]bool{}
	for _, f := range repo.Files {
		if f.Workflow == nil {
			continue
		}
		for _, t := range f.Workflow.On {
			for _, b := range t.Branches {
				named[b.Value] = true
			}
		}
	}
	for _, name := range []string{"main", "master", "trunk"} {
		if named[name] {
			return name
		}
	}
	return "main"
}

// runnerOf tells GitHub's runners from one's own by their labels.
func runnerOf(j *workflows.Job) string {
	if j.RunsOn == nil || j.RunsOn.Group != nil {
		return grant.AnyRunner
	}
	for _, l := range j.RunsOn.Labels {
		switch label, constant := l.Const(); {
		case !constant:
			return grant.AnyRunner
		case label == grant.SelfHosted:
			return grant.SelfHosted
		}
	}
	return grant.GitHubHosted
}
