package workflows

import (
	"fmt"
	"os"
	"testing"

	"github.com/rhysd/actionlint"
)

// TestActionlintAgrees holds our model against actionlint's, which is written by
// others from GitHub's documentation: jobs, steps, uses, run, env and their places.
func TestActionlintAgrees(t *testing.T) {
	compared := 0
	for _, f := range parseData(t) {
		if f.path != workflowPath && KindOf(f.path) != KindWorkflow {
			continue
		}
		t.Run(f.name, func(t *testing.T) { compared += compareWithActionlint(t, f) })
	}
	if compared < 30 {
		t.Errorf("only %d values were compared", compared)
	}
}

// TestCorpus holds the same for real workflows, and that each token of theirs is
// found. It runs when STINT_CORPUS names a directory of repositories.
func TestCorpus(t *testing.T) {
	if os.Getenv("STINT_CORPUS") == "" {
		t.Skip("STINT_CORPUS names no directory of repositories")
	}
	compared := 0
	files := readCorpus(t, corpusDir())
	for _, f := range files {
		t.Run(f.name, func(t *testing.T) {
			checkFile(t, Parse(f.path, f.source))
			if file, r, _ := readText(string(f.source)); len(r.undecoded) > 0 {
				t.Errorf("read differently from the library: %q", file.Text(r.undecoded[0]))
			}
			if len(f.source) < 8<<10 {
				checkTokens(t, string(f.source))
			}
			if KindOf(f.path) == KindWorkflow {
				compared += compareWithActionlint(t, f)
			}
		})
	}
	t.Logf("%d values of %d files compared", compared, len(files))
}

// A comparison is one file read by both.
type comparison struct {
	t     *testing.T
	file  *File
	count int
}

func compareWithActionlint(t *testing.T, f corpusFile) int {
	t.Helper()
	theirs, _ := actionlint.Parse(f.source)
	c := &comparison{t: t, file: Parse(f.path, f.source)}
	if theirs == nil || len(c.file.Problems) > 0 {
		return 0
	}
	c.text("name", c.file.Workflow.Name, theirs.Name)
	c.env("env", c.file.Workflow.Env, theirs.Env)
	if len(c.file.Workflow.On) != len(theirs.On) {
		c.t.Errorf("%d triggers, actionlint has %d", len(c.file.Workflow.On), len(theirs.On))
	}
	for _, job := range c.file.Workflow.Jobs {
		// actionlint folds the case of ids.
		if other := findJob(theirs, job.ID); other != nil {
			c.job(job, other)
		} else {
			t.Errorf("actionlint has no job %q", job.ID)
		}
	}
	return c.count
}

func findJob(w *actionlint.Workflow, id string) *actionlint.Job {
	for _, j := range w.Jobs {
		if j.ID != nil && j.ID.Value == id {
			return j
		}
	}
	return nil
}

func (c *comparison) job(ours *Job, theirs *actionlint.Job) {
	at := "jobs." + ours.ID
	c.place(at, ours.IDSpan, theirs.ID.Pos)
	c.text(at+".name", ours.Name, theirs.Name)
	c.text(at+".if", ours.If, theirs.If)
	c.env(at+".env", ours.Env, theirs.Env)
	if call := theirs.WorkflowCall; call != nil && call.Uses != nil && ours.Uses != nil {
		c.text(at+".uses", ours.Uses.Scalar, call.Uses)
	}
	if len(theirs.Steps) != len(ours.Steps) {
		c.t.Errorf("%s has %d steps, actionlint has %d", at, len(ours.Steps), len(theirs.Steps))
		return
	}
	for i, s := range ours.Steps {
		c.step(fmt.Sprintf("%s.steps[%d]", at, i), s, theirs.Steps[i])
	}
}

func (c *comparison) step(at string, ours *Step, theirs *actionlint.Step) {
	c.text(at+".name", ours.Name, theirs.Name)
	c.text(at+".id", ours.ID, theirs.ID)
	c.text(at+".if", ours.If, theirs.If)
	c.env(at+".env", ours.Env, theirs.Env)
	switch exec := theirs.Exec.(type) {
	case *actionlint.ExecRun:
		if ours.Run == nil {
			c.t.Errorf("%s has no run", at)
			return
		}
		c.text(at+".run", ours.Run.Scalar, exec.Run)
		c.text(at+".shell", ours.Shell, exec.Shell)
	case *actionlint.ExecAction:
		if ours.Uses == nil {
			c.t.Errorf("%s has no uses", at)
			return
		}
		c.text(at+".uses", ours.Uses.Scalar, exec.Uses)
		for name, input := range exec.Inputs {
			c.text(at+".with."+name, ours.With.Get(name), input.Value)
		}
	}
}

func (c *comparison) env(at string, ours *Map, theirs *actionlint.Env) {
	if theirs == nil {
		return
	}
	if theirs.Expression != nil && ours != nil {
		c.text(at, ours.Whole, theirs.Expression)
	}
	for name, v := range theirs.Vars {
		c.text(at+"."+name, ours.Get(name), v.Value)
	}
}

func (c *comparison) text(at string, ours *Scalar, theirs *actionlint.String) {
	if theirs == nil || theirs.Pos == nil {
		return
	}
	if theirs.Value == "" && (ours == nil || ours.Value == "") {
		return // nothing has no certain place
	}
	if theirs.Value == "~" || theirs.Value == "null" {
		return // null is nothing to us, and to GitHub
	}
	if ours.String() != theirs.Value {
		c.t.Errorf("%s is %q, actionlint says %q", at, ours, theirs.Value)
		return
	}
	if ours != nil {
		c.place(at, ours.Span, theirs.Pos)
	}
}

// place compares starts. actionlint counts anchors and tags to a value, we do not.
func (c *comparison) place(at string, ours Span, theirs *actionlint.Pos) {
	c.count++
	p := c.file.Position(ours.Start)
	if p.Line == theirs.Line && p.Column == theirs.Col {
		return
	}
	before := c.file.LineText(theirs.Line)
	if column := theirs.Col - 1; column < len(before) && (before[column] == '&' || before[column] == '!' || before[column] == '*') {
		return
	}
	c.t.Errorf("%s is at %d:%d, actionlint says %v", at, p.Line, p.Column, theirs)
}
