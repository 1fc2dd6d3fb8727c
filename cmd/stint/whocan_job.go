package main

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc/trust"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// A presence is what the tokens of one job in runs of one event look like: one target
// for each combination of what the workflow leaves open.
type presence struct {
	event   string
	who     string
	targets []trust.Target
	// open names the claims that the workflow does not settle.
	open []string
}

// maxPresented bounds the combinations of one job and event.
const maxPresented = 300

// A guess holds values that are worth trying for what a workflow leaves open: those
// that the lock itself names.
type guess struct {
	repository trust.Repository
	hints      []trust.Target
}

// presences lists what a job can present, by the events that start it. It is empty for
// a job that gets no id-token.
func (q guess) presences(g *reach.Graph, j *reach.Job) []presence {
	if j.Token.Of("id-token") != workflows.AccessWrite || j.Job.Uses != nil && len(g.Called(j)) > 0 {
		return nil // a call's own jobs are asked where they are written
	}
	var list []presence
	for _, e := range g.Flow.Events(j.Job) {
		if e.Name == "workflow_call" {
			continue
		}
		p := presence{event: e.Name, who: e.Who.String()}
		refs, openRef := q.refs(e.Name, e.Trigger)
		environments, openEnvironment := q.environments(j)
		runners, openRunner := runnersOf(j)
		p.note(openRef, "ref")
		p.note(openEnvironment, "environment")
		p.note(openRunner, "runner_environment")
		p.note(len(q.ids()) > 1 || q.repository.ID == "", "repository_id")
		for _, ref := range refs {
			for _, called := range q.files(j, e.File.Path, ref, &p) {
				for _, environment := range environments {
					for _, runner := range runners {
						p.add(q, trust.Target{Ref: ref, Environment: environment, Workflow: e.File.Path, Called: called,
							Claims: map[string]string{"event_name": e.Name, "runner_environment": runner, "workflow": workflowName(e.File)}})
					}
				}
			}
		}
		list = append(list, p)
	}
	return list
}

func workflowName(f *workflows.File) string {
	if f.Workflow != nil && f.Workflow.Name != nil {
		return f.Workflow.Name.Value
	}
	return f.Path
}

func (p *presence) note(open bool, claim string) {
	if open && !slices.Contains(p.open, claim) {
		p.open = append(p.open, claim)
	}
}

// add adds a target once for each pair of ids.
func (p *presence) add(q guess, t trust.Target) {
	for _, ids := range q.ids() {
		if len(p.targets) >= maxPresented {
			return
		}
		one := t
		one.Owner, one.Repository, _ = strings.Cut(q.repository.Name, "/")
		one.OwnerID, one.RepositoryID, one.Issuer = ids[0], ids[1], q.repository.Issuer
		one.Claims = maps.Clone(t.Claims)
		p.targets = append(p.targets, one)
	}
}

// ids are the owner's and the repository's, as far as they are known; else those that
// the lock names for the same repository.
func (q guess) ids() [][2]string {
	list := [][2]string{{q.repository.OwnerID, q.repository.ID}}
	for _, t := range q.hints {
		pair := [2]string{cmp.Or(q.repository.OwnerID, t.OwnerID), cmp.Or(q.repository.ID, t.RepositoryID)}
		if !slices.Contains(list, pair) {
			list = append(list, pair)
		}
	}
	return list
}

// Refs that stand for many.
const (
	someDefault = "refs/heads/main"
	someBranch  = "refs/heads/any-branch"
	someTag     = "refs/tags/v1.0.0"
)

// refs are the refs of a run, and whether the workflow leaves them open.
func (q guess) refs(event string, t *workflows.Trigger) (refs []string, open bool) {
	switch event {
	case "pull_request", "pull_request_review", "pull_request_review_comment":
		return []string{"refs/pull/7/merge"}, false
	case "merge_group":
		return []string{"refs/heads/gh-readonly-queue/main/pr-7-" + strings.Repeat("a", 40)}, true
	case "release":
		return q.hinted([]string{someTag}, "refs/tags/"), true
	case "push":
		return q.pushed(t)
	case "workflow_dispatch", "create", "deployment", "deployment_status", "registry_package":
		return q.hinted([]string{someDefault, someBranch, someTag}, "refs/"), true
	}
	// Everything else runs on the default branch, whose name the files do not say.
	return q.hinted([]string{someDefault, "refs/heads/master"}, "refs/heads/"), true
}

// hinted adds the refs that the lock names.
func (q guess) hinted(refs []string, prefix string) []string {
	for _, t := range q.hints {
		if strings.HasPrefix(t.Ref, prefix) && !slices.Contains(refs, t.Ref) {
			refs = append(refs, t.Ref)
		}
	}
	return refs
}

// pushed are the refs that the filters of a push let through.
func (q guess) pushed(t *workflows.Trigger) (refs []string, open bool) {
	all := len(t.Branches)+len(t.Tags) == 0
	for kind, filters := range map[string][]*workflows.Scalar{"refs/heads/": t.Branches, "refs/tags/": t.Tags} {
		for _, f := range filters {
			name, constant := f.Const()
			if !constant || strings.ContainsAny(name, "*?[+!") {
				open = true
				refs = append(refs, q.fitting(kind, name)...)
				continue
			}
			refs = append(refs, kind+name)
		}
	}
	if all {
		open = true
		refs = q.hinted([]string{someDefault, someBranch}, "refs/heads/")
		if len(t.BranchesIgnore) == 0 {
			refs = q.hinted(append(refs, someTag), "refs/tags/")
		}
	}
	slices.Sort(refs)
	return slices.Compact(refs), open
}

// fitting are refs that a filter's pattern may let through: one made of it, and what
// the lock names below its fixed beginning.
func (q guess) fitting(kind, pattern string) []string {
	before := pattern[:strings.IndexAny(pattern+"*", "*?[+!")]
	refs := []string{kind + before + "x"}
	for _, t := range q.hints {
		if strings.HasPrefix(t.Ref, kind+before) {
			refs = append(refs, t.Ref)
		}
	}
	return refs
}

// environments are the environment of a job; an expression may give any.
func (q guess) environments(j *reach.Job) (list []string, open bool) {
	if j.Job.Environment == nil || j.Job.Environment.Name == nil {
		return []string{""}, false
	}
	if name, constant := j.Job.Environment.Name.Const(); constant {
		return []string{name}, false
	}
	list = []string{"", "any-environment"}
	for _, t := range q.hints {
		if t.Environment != "" && !slices.Contains(list, t.Environment) {
			list = append(list, t.Environment)
		}
	}
	return list, true
}

// runnersOf tells GitHub's runners from one's own by their labels.
func runnersOf(j *reach.Job) (list []string, open bool) {
	both := []string{"github-hosted", "self-hosted"}
	if j.Job.RunsOn == nil || j.Job.RunsOn.Group != nil {
		return both, true
	}
	for _, l := range j.Job.RunsOn.Labels {
		switch label, constant := l.Const(); {
		case !constant:
			return both, true
		case label == "self-hosted":
			return both[1:], false
		}
	}
	return both[:1], false
}

// files are the values of job_workflow_ref: "" for a job of the file that was started.
func (q guess) files(j *reach.Job, started, ref string, p *presence) []string {
	if u := j.Job.Uses; u != nil && u.Owner != "" {
		file := u.Owner + "/" + u.Repo + "/" + u.Path + "@"
		if strings.HasPrefix(u.Ref, "refs/") || len(u.Ref) == 40 {
			return []string{file + u.Ref}
		}
		p.note(true, "job_workflow_ref")
		return []string{file + "refs/heads/" + u.Ref, file + "refs/tags/" + u.Ref}
	}
	if j.File.Path != started {
		return []string{q.repository.Name + "/" + j.File.Path + "@" + ref}
	}
	return []string{""}
}
