package reach

import (
	"strings"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// A Release is what a job does to the outside, and the step that does it.
type Release struct {
	// What is "publishes" or "deploys".
	What string
	Step RunStep
}

// Releases returns how a job publishes or deploys, in order. Pushes of commits, merges
// and dispatches of other workflows are the repository's own chores and are not there.
func (g *Graph) Releases(job *Job) []Release {
	var out []Release
	for _, s := range g.RunSteps(job) {
		if what := releases(s.Step); what != "" {
			out = append(out, Release{what, s})
		}
	}
	return out
}

func releases(s *workflows.Step) string {
	if s.Uses != nil {
		switch info, _ := platform.LookupAction(s.Uses.FullName()); {
		case info.Publishes && !keepsImage(s, info):
			return "publishes"
		case info.Deploys:
			return "deploys"
		}
		return ""
	}
	if s.Run == nil {
		return ""
	}
	what := ""
	for _, c := range s.Run.Commands {
		info, _ := platform.LookupCommand(c.Line)
		switch chore := c.Name == "git" || c.Name == "gh" && info.Does == "deploy"; {
		case chore || info.DryRun:
		case info.Does == "publish":
			return "publishes"
		case info.Does == "deploy":
			what = "deploys"
		}
	}
	return what
}

// keepsImage reports whether an action that builds an image is not told to push it.
func keepsImage(s *workflows.Step, info platform.ActionInfo) bool {
	if info.Opens != "registry" && info.Opens != "depot" || info.Inputs["secrets"] == "" && !strings.HasSuffix(info.Name, "/bake-action") {
		return false
	}
	push := s.With.Get("push").String()
	outputs := s.With.Get("outputs").String() + s.With.Get("set").String()
	return (push == "" || strings.EqualFold(push, "false")) && !strings.Contains(outputs, "push")
}
