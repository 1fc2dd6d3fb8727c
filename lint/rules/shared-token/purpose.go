package sharedtoken

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// A purpose is what a job is for, the least trusted first.
type purpose int

const (
	actsAsAgent purpose = iota
	test
	chores
	deployPreview
	deploy
	deployProduction
	publish
)

// purposes are all of them in the order of messages.
var purposes = []purpose{actsAsAgent, test, chores, deployPreview, deploy, deployProduction, publish}

// String returns the purpose as what several jobs do.
func (p purpose) String() string {
	return [...]string{
		"run an agent", "build and test", "look after the repository", "deploy for preview", "deploy", "deploy to production", "publish",
	}[p]
}

// does returns the purpose as what one job does.
func (p purpose) does() string {
	return [...]string{
		"runs an agent", "builds and tests", "looks after the repository", "deploys for preview", "deploys", "deploys to production", "publishes",
	}[p]
}

// differs reports whether two purposes call for two secrets. Tests and chores are
// alike in what they may do, and a deployment whose stage is not known is like any.
func (p purpose) differs(q purpose) bool {
	low, high := min(p, q), max(p, q)
	switch {
	case low == high, low == test && high == chores:
		return false
	case high == deploy && low == deployPreview, low == deploy && high == deployProduction:
		return false
	}
	return true
}

// purposeOf judges a job by what its steps do, and a deployment by the names that
// people give it.
func purposeOf(g *reach.Graph, job *reach.Job) purpose {
	does := func(what string) bool { return slices.Contains(job.Autonomy, what) }
	switch {
	case does("agent"):
		return actsAsAgent
	case does("deploys"):
		return stage(job)
	case publishesPackages(g, job) || calledPublish(job):
		return publish
	case tests(g, job):
		return test
	}
	return chores
}

// nameWords returns the words of a job's id and its workflow's file name.
func nameWords(job *reach.Job) (id, file []string) {
	path := job.File.Path
	split := func(s string) []string {
		return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return r < 'a' || r > 'z' })
	}
	return split(job.Job.ID), split(path[strings.LastIndexByte(path, '/')+1:])
}

// calledPublish reports whether people call a job so that it publishes, by its own
// name or by that of its workflow. What publishes is often behind a script or an
// action that is not known.
func calledPublish(job *reach.Job) bool {
	id, file := nameWords(job)
	has := func(in []string, words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(in, w) })
	}
	if has(id, "test", "tests", "lint", "check", "verify", "notify", "slack", "message", "dispatch", "trigger") {
		return false
	}
	return has(id, "publish", "release") || has(file, "publish", "release")
}

// stage tells production from what stands before it, by the names of environment,
// job and workflow.
func stage(job *reach.Job) purpose {
	id, file := nameWords(job)
	environment := strings.FieldsFunc(strings.ToLower(job.Environment), func(r rune) bool { return r < 'a' || r > 'z' })
	for _, w := range slices.Concat(environment, id, file) {
		switch w {
		case "prod", "prd", "production", "live":
			return deployProduction
		case "preview", "previews", "staging", "stage", "stg", "dev", "develop", "development", "test", "qa", "uat", "sandbox", "beta":
			return deployPreview
		}
	}
	return deploy
}

// publishesPackages reports whether a job puts something out: a package, an image, a
// release. A push of commits by itself is a chore.
func publishesPackages(g *reach.Graph, job *reach.Job) bool {
	return slices.ContainsFunc(g.RunSteps(job), func(s reach.RunStep) bool {
		if s.Step.Uses != nil {
			info, _ := platform.LookupAction(s.Step.Uses.FullName())
			return info.Publishes || pushes(s.Step)
		}
		return s.Step.Run != nil && slices.ContainsFunc(s.Step.Run.Commands, func(c *workflows.Command) bool {
			words := c.Line
			info, ok := platform.LookupCommand(words)
			return ok && info.Does == "publish" && !info.DryRun && words[0] != "git"
		})
	})
}

// pushes reports whether docker/build-push-action and the like push what they build.
func pushes(s *workflows.Step) bool {
	value := s.With.Get("push").String()
	return value != "" && !strings.EqualFold(value, "false")
}

// tests reports whether a job builds or runs the repository's code.
func tests(g *reach.Graph, job *reach.Job) bool {
	return slices.ContainsFunc(g.RunSteps(job), func(s reach.RunStep) bool {
		name, _ := reach.Executes(s.Step)
		return name != ""
	})
}
