package sharedcloudrole

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// A purpose is what a job becomes a role for, the least trusted first.
type purpose int

const (
	actsAsAgent purpose = iota
	test                // also chores, and what is not known
	plan
	preview
	deploy
	production
	publish
)

// does says what a job of the purpose does.
func (p purpose) does() string {
	return [...]string{"runs an agent", "tests or does chores", "plans a deployment", "deploys for preview", "deploys", "deploys to production", "publishes"}[p]
}

// changes reports whether the purpose needs a role that changes what runs or is shipped.
func (p purpose) changes() bool { return p >= deploy }

// purposesOf returns what a job does, in order: one that plans for pull requests and
// applies on the branch does both.
func purposesOf(g *reach.Graph, job *reach.Job) []purpose {
	var out []purpose
	for _, s := range g.RunSteps(job) {
		if len(reach.Agents(s.Step)) > 0 {
			out = append(out, actsAsAgent)
		}
		if s.Step.Run != nil && slices.ContainsFunc(s.Step.Run.Commands, func(c *workflows.Command) bool { return platform.Plans(c.Line) }) {
			out = append(out, plan)
		}
	}
	for _, r := range g.Releases(job) {
		if r.What == "publishes" {
			out = append(out, publish)
		} else {
			out = append(out, stage(job))
		}
	}
	if len(out) == 0 {
		out = append(out, test)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// stage tells production from what stands before it, by the environment and the job.
func stage(job *reach.Job) purpose {
	name := strings.ToLower(job.Environment + " " + job.Job.ID)
	for _, w := range strings.FieldsFunc(name, func(r rune) bool { return r < 'a' || r > 'z' }) {
		switch w {
		case "prod", "prd", "production", "live":
			return production
		case "preview", "previews", "staging", "stage", "stg", "dev", "development", "test", "qa", "sandbox":
			return preview
		}
	}
	return deploy
}
