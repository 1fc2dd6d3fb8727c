package secretincommand

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// judgeDumps reports commands that print every variable into a file which leaves the
// job: the secrets of their step are among them.
func judgeDumps(p *lint.Pass, job *reach.Job) {
	uses := p.Graph.Uses(job)
	for _, s := range p.Graph.RunSteps(job) {
		if s.File != p.File || s.Step.Run == nil {
			continue
		}
		for _, c := range s.Step.Run.Commands {
			file := ""
			if platform.DumpsEnvironment(c.Line) {
				file = target(unchanged(c))
			}
			if creds := inEnvironment(uses, s); file != "" && len(creds) > 0 {
				judgeFile(p, job, taking{step: s.Step, command: c}, file, creds)
			}
		}
	}
}

// inEnvironment returns the secrets that a step has in variables, each once.
func inEnvironment(uses []reach.Use, s reach.RunStep) []*reach.Credential {
	var out []*reach.Credential
	for _, u := range uses {
		variable := u.Holder >= reach.HeldByVariable && u.Holder <= reach.HeldByWorkflow
		if variable && u.Reaches(s) && !slices.Contains(out, u.Credential) {
			out = append(out, u.Credential)
		}
	}
	return out
}

// unchanged returns the last command of a pipe that passes on what it reads.
func unchanged(c *workflows.Command) *workflows.Command {
	for c.PipesInto != nil && slices.Contains([]string{"sort", "tee", "cat", "nl", "uniq"}, c.PipesInto.Name) {
		c = c.PipesInto
	}
	return c
}

// writes returns the file of the workspace that the command's output goes to, "" for none.
func (t taking) writes() string {
	if !slices.Contains([]string{"echo", "printf", "cat"}, t.command.Name) {
		return ""
	}
	return target(t.command)
}

// target returns the file of the workspace that a command is redirected to, "" for none.
func target(c *workflows.Command) string {
	for _, r := range c.Redirs {
		name := r.Target.Text
		if (r.Op == ">" || r.Op == ">>") && r.Target.Const && !strings.HasPrefix(name, "/") && !strings.HasPrefix(name, "~") && !strings.HasPrefix(name, "&") {
			return path.Clean(name)
		}
	}
	return ""
}

// judgeFile reports a file with a secret in it that a later step of the job puts into
// an artifact or a cache.
func judgeFile(p *lint.Pass, job *reach.Job, t taking, file string, creds []*reach.Credential) {
	if dir := t.step.WorkingDirectory; dir != nil {
		file = path.Join(dir.Value, file)
	}
	after := false
	for _, s := range p.Graph.RunSteps(job) {
		if s.Step == t.step {
			after = true
			continue
		}
		if !after || s.Step.Uses == nil {
			continue
		}
		info, _ := platform.LookupAction(s.Step.Uses.FullName())
		v := s.Step.With.Get("path")
		if !info.Upload && !info.Cache || v == nil || !covers(v.Value, file) {
			continue
		}
		kept := "an artifact, which everybody who can read the repository can fetch"
		if info.Cache {
			kept = "a cache, which runs of other branches can restore"
		}
		x := place{what: fmt.Sprintf("is written to %s, which goes into %s", file, kept), next: "write it outside of what is uploaded, in $RUNNER_TEMP, and remove it in the same step"}
		x.tell(p, job, t.command.Span, creds, lint.Related{File: s.File, Span: v.Span, Text: "the file leaves the job here"})
		return
	}
}

// covers reports whether the lines of an upload's path: include a file. Hidden files
// are left out of directories since upload-artifact v4.4; a pattern is taken by its
// constant directory.
func covers(paths, file string) bool {
	for line := range strings.Lines(paths) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "!") {
			continue
		}
		dir := path.Clean(line)
		hidden := strings.HasPrefix(path.Base(file), ".")
		if dir == file || !hidden && (dir == "." || strings.HasPrefix(file, dir+"/")) {
			return true
		}
	}
	return false
}
