package workflows

import (
	"fmt"
	"os"
	"strconv"
	"testing"
)

// TestEditsOnRealFiles makes edits in sound files, real and our own, and reads
// the results back: in every nth file at every nth place, with n from 1, where
// only our own files are there, to 20, or what STINT_EDIT_STRIDE says.
func TestEditsOnRealFiles(t *testing.T) {
	files := append(parseData(t), readCorpus(t, corpusDir())...)
	stride := min(1+len(files)/100, 20)
	if n, err := strconv.Atoi(os.Getenv("STINT_EDIT_STRIDE")); err == nil && n > 0 {
		stride = n
	}
	c := &editChecker{t: t, stride: stride, made: map[string]int{}, refused: map[string]int{}}
	for i, file := range files {
		if i%stride != 0 {
			continue
		}
		if f := Parse(file.path, file.source); f.Workflow != nil && len(f.Problems) == 0 {
			c.name = file.name
			c.file(f)
		}
	}
	t.Logf("made %v, refused %v", c.made, c.refused)
	for kind, n := range c.refused {
		if made := c.made[kind]; kind != "MoveToEnv" && made+n >= 200 && n > made/10 {
			t.Errorf("%s: %d edits made and %d refused", kind, made, n)
		}
	}
}

type editChecker struct {
	t             *testing.T
	name          string
	stride, at    int
	made, refused map[string]int
}

func (c *editChecker) file(f *File) {
	read := map[string]Access{"contents": AccessRead}
	c.check(f, "SetWorkflowPermissions", func() ([]Edit, bool) { return f.SetWorkflowPermissions(read) },
		func(after *Workflow) bool { return len(after.Permissions.Scopes) == 1 })
	for i, j := range f.Workflow.Jobs {
		c.check(f, "SetJobPermissions", func() ([]Edit, bool) { return f.SetJobPermissions(j, read) },
			func(after *Workflow) bool {
				e := after.Jobs[i].EffectivePermissions()
				return e.Origin == OriginJob && len(e.Scopes) == 1 && e.Of("contents") == AccessRead
			})
		for k, s := range j.AllSteps() {
			c.step(f, s, func(w *Workflow) *Step { return w.Jobs[i].AllSteps()[k] })
		}
	}
}

func (c *editChecker) step(f *File, s *Step, in func(*Workflow) *Step) {
	switch {
	case s.Uses != nil:
		c.check(f, "SetStepWith", func() ([]Edit, bool) { return f.SetStepWith(s, "stint-x", "false") },
			func(w *Workflow) bool {
				return in(w).With.Get("stint-x").String() == "false" && in(w).Uses.Value == s.Uses.Value
			})
		if s.Uses.Owner != "" {
			c.check(f, "SetRef", func() ([]Edit, bool) { return f.SetRef(s.Uses, "x1", "v9.9.9") },
				func(w *Workflow) bool { return in(w).Uses.Ref == "x1" && in(w).Uses.Name() == s.Uses.Name() })
		}
	case s.Run != nil && len(s.Run.Exprs) > 0:
		e := s.Run.Exprs[0]
		c.check(f, "MoveToEnv", func() ([]Edit, bool) { return f.MoveToEnv(s, []Move{{e, "STINT_X"}}) },
			func(w *Workflow) bool {
				run := in(w).Run
				return len(run.Exprs) == len(s.Run.Exprs)-1 && (run.Err == nil) == (s.Run.Err == nil) &&
					in(w).Env.Get("STINT_X").String() == "${{ "+e.Text+" }}"
			})
	}
}

func (c *editChecker) check(f *File, kind string, make func() ([]Edit, bool), done func(*Workflow) bool) {
	c.t.Helper()
	if c.at++; c.at%c.stride != 0 {
		return
	}
	edits, ok := make()
	if !ok {
		c.refused[kind]++
		return
	}
	c.made[kind]++
	out, err := Apply(f, edits)
	if err != nil {
		c.t.Errorf("%s: %s: %v\n%+v", c.name, kind, err, edits)
		return
	}
	after := Parse(f.Path, out)
	if shape(after.Workflow) != shape(f.Workflow) || !done(after.Workflow) {
		c.t.Errorf("%s: %s has another effect: %+v", c.name, kind, edits)
	}
}

// shape counts the jobs and steps of a workflow.
func shape(w *Workflow) string {
	s := fmt.Sprint(len(w.On), len(w.Unknown))
	for _, j := range w.Jobs {
		s += fmt.Sprintf(" %s:%d:%d", j.ID, len(j.AllSteps()), len(j.Unknown))
	}
	return s
}
