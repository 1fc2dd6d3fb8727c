package unfilteredpublish

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// limited reports whether something before the release looks at the branch, the tag, or
// at an answer of a job or step before, which may: a condition of the job, its callers,
// the jobs that it needs or the step, an input of the step, or its script.
func limited(g *reach.Graph, job *reach.Job, r reach.Release) bool {
	step := r.Step.Step
	scalars := []*workflows.Scalar{step.If}
	for _, j := range slices.Concat([]*reach.Job{job}, job.Callers) {
		scalars = append(scalars, conditions(j.Job, map[*workflows.Job]bool{})...)
	}
	for _, s := range g.RunSteps(job) {
		if slices.ContainsFunc(r.Step.Via, func(v reach.Site) bool { return s.Step.Uses != nil && v.Span == s.Step.Uses.Span }) {
			scalars = append(scalars, s.Step.If)
		}
		if s.Step.Run != nil && asksShell(s.Step.Run.Value) {
			return true
		}
	}
	for _, e := range slices.Concat(step.With.All(), step.Env.All()) {
		if key := strings.ToLower(e.Key.Value); key == "push" || key == "if" || strings.Contains(key, "publish") || strings.Contains(key, "dry") || strings.Contains(key, "branch") {
			scalars = append(scalars, e.Value)
		}
	}
	return slices.ContainsFunc(scalars, looks)
}

// conditions returns the if: of a job and of those that it needs.
func conditions(j *workflows.Job, seen map[*workflows.Job]bool) []*workflows.Scalar {
	if seen[j] {
		return nil
	}
	seen[j] = true
	out := []*workflows.Scalar{j.If}
	for _, id := range j.Needs {
		for _, before := range j.Workflow.Jobs {
			if strings.EqualFold(before.ID, id.Value) {
				out = append(out, conditions(before, seen)...)
			}
		}
	}
	return out
}

// asking are the contexts that tell one branch or run from another.
var asking = []string{
	"github.ref", "github.ref_name", "github.ref_type", "github.ref_protected", "github.base_ref", "github.event.ref", "github.event.base_ref",
	"github.event.repository.default_branch", "github.event.created", "github.actor", "github.triggering_actor", "github.event.deleted",
}

// looks reports whether a value depends on the branch, or on what was found out before.
func looks(s *workflows.Scalar) bool {
	if s == nil {
		return false
	}
	for _, e := range s.Exprs {
		for _, r := range e.Refs() {
			path := r.Path()
			if slices.Contains(asking, path) || strings.HasPrefix(path, "steps.") || strings.HasPrefix(path, "needs.") && strings.Contains(path, ".outputs.") ||
				strings.HasPrefix(path, "inputs.") || strings.HasPrefix(path, "matrix.") || strings.HasPrefix(path, "env.") || strings.HasPrefix(path, "vars.") {
				return true
			}
		}
	}
	return false
}

// asksShell reports whether a script looks at the branch or tag.
func asksShell(script string) bool {
	for _, word := range []string{"GITHUB_REF", "github.ref", "git describe", "git branch", "symbolic-ref", "rev-parse --abbrev-ref"} {
		if strings.Contains(script, word) {
			return true
		}
	}
	return false
}
