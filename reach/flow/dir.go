package flow

import (
	"path"
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
)

// UnknownDir is a directory that is not constant, or outside the workspace.
const UnknownDir = "?"

// CleanDir writes a directory of the workspace in one way; "" is the workspace itself.
func CleanDir(dir string) string {
	for _, root := range []string{"$GITHUB_WORKSPACE", "${GITHUB_WORKSPACE}", "${{ github.workspace }}"} {
		dir = strings.TrimPrefix(dir, root)
	}
	dir = path.Clean("/" + strings.ReplaceAll(dir, `\`, "/"))
	return strings.TrimPrefix(dir, "/")
}

// WordPath returns the text of a word, with the runner's own directory that it begins
// with written out: /RUNNER_TEMP for the one outside of the workspace.
func WordPath(w workflows.Word) string {
	rest, ok := strings.CutPrefix(w.Text, string(notConstant))
	if !ok || len(w.Vars)+len(w.Exprs)+len(w.Commands) != 1 {
		return w.Text
	}
	switch {
	case slices.Contains(w.Vars, "RUNNER_TEMP"), len(w.Exprs) == 1 && strings.EqualFold(w.Exprs[0].Text, "runner.temp"):
		return "/RUNNER_TEMP" + rest
	case slices.Contains(w.Vars, "GITHUB_WORKSPACE"), len(w.Exprs) == 1 && strings.EqualFold(w.Exprs[0].Text, "github.workspace"):
		return "${{ github.workspace }}" + rest
	}
	return w.Text
}

// StartDir returns the directory in which a step's script starts. The job is nil for
// a step of a composite action, which does not see the job's defaults.
func StartDir(j *workflows.Job, s *workflows.Step) string {
	dir := s.WorkingDirectory
	if dir == nil && j != nil {
		if dir = j.WorkingDirectory; dir == nil {
			dir = j.Workflow.WorkingDirectory
		}
	}
	if dir == nil {
		return ""
	}
	text := CleanDir(dir.Value)
	if strings.Contains(text, "${{") {
		return UnknownDir
	}
	return text
}

// AfterCommand returns the directory after a command that started in dir: that of cd
// and pushd, and dir for every other.
func AfterCommand(dir string, c *workflows.Command) string {
	if c.Name == "cd" || c.Name == "pushd" {
		return enter(dir, c.Args())
	}
	return dir
}

func enter(dir string, args []workflows.Word) string {
	args = slices.DeleteFunc(slices.Clone(args), func(w workflows.Word) bool { return strings.HasPrefix(w.Text, "-") })
	if len(args) == 0 || !args[0].Const || dir == UnknownDir {
		return UnknownDir
	}
	to := args[0].Text
	if strings.HasPrefix(to, "/") || strings.HasPrefix(to, "~") {
		return UnknownDir
	}
	return CleanDir(dir + "/" + to)
}
