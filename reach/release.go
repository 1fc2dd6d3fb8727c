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
		return releasesBy(ActionLine(s))
	}
	if s.Run == nil {
		return ""
	}
	what := ""
	for _, c := range s.Run.Commands {
		switch does := releasesBy(c.Line); does {
		case "publishes":
			return does
		case "deploys":
			what = does
		}
	}
	return what
}

func releasesBy(line []string) string {
	if len(line) == 0 {
		return ""
	}
	info, _ := platform.LookupCommand(line)
	switch chore := line[0] == "git" || line[0] == "gh" && info.Does == "deploy"; {
	case chore || info.DryRun:
	case info.Does == "publish":
		return "publishes"
	case info.Does == "deploy":
		return "deploys"
	}
	return ""
}

// ActionLine returns the words of the command that a step's action runs, where its
// inputs name one (maturin upload, cargo publish), or nil.
func ActionLine(s *workflows.Step) []string {
	if s.Uses == nil {
		return nil
	}
	info, _ := platform.LookupAction(s.Uses.FullName())
	var words []string
	for _, w := range strings.Fields(info.Line) {
		input, ok := strings.CutPrefix(w, "{")
		if !ok {
			words = append(words, w)
			continue
		}
		if v := s.With.Get(strings.TrimSuffix(input, "}")); v != nil {
			words = append(words, strings.Fields(v.Value)...)
		}
	}
	return words
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
