package jobwidesecret

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// A jobView is what the steps of one job do with a variable.
type jobView struct {
	job *reach.Job
	// users name the variable or run a command that reads it; open ones run code of
	// which that cannot be told; idle ones do neither, and run code that is not the
	// platform's.
	users, open, idle []*workflows.Step
	// steps is the number of all of them.
	steps int
	// through is set when a local action on the way uses it, and outside when the
	// job uses it outside of its steps.
	through, outside bool
}

func viewOf(g *reach.Graph, job *reach.Job, name string) jobView {
	v := jobView{job: job, steps: len(job.Job.AllSteps()), outside: usedOutside(job.Job, name)}
	use := map[*workflows.Step]usage{}
	var top *workflows.Step
	for _, s := range g.RunSteps(job) {
		if len(s.Via) == 0 {
			top = s.Step
		}
		u := usageOf(s.Step, name)
		v.through = v.through || u == uses && len(s.Via) > 0
		use[top] = max(use[top], u)
	}
	for _, s := range job.Job.AllSteps() {
		switch use[s] {
		case uses:
			v.users = append(v.users, s)
		case mayUse:
			v.open = append(v.open, s)
		case runsForeign:
			v.idle = append(v.idle, s)
		}
	}
	return v
}

// A usage is what a step does with a variable, rising.
type usage int

const (
	harmless    usage = iota // runs nothing that would read it
	runsForeign              // runs code of others, which does not need it
	mayUse                   // runs code that may read it
	uses                     // names it, or runs a command that reads it
)

func usageOf(s *workflows.Step, name string) usage {
	switch {
	case s.Env.Get(name) != nil:
		return harmless // it has a value of its own
	case mentions(s, name):
		return uses
	case s.Uses != nil:
		return usageOfAction(s.Uses)
	case s.Run != nil:
		return usageOfScript(s.Run, name)
	}
	return harmless
}

// mentions reports whether a step names the variable in its script, or as env.NAME.
func mentions(s *workflows.Step, name string) bool {
	found := s.Run != nil && hasWord(s.Run.Value, name)
	s.Scalars(func(v *workflows.Scalar) {
		found = found || slices.ContainsFunc(v.Exprs, func(e *workflows.Expr) bool { return refersTo(e, name) })
	})
	return found
}

// hasWord reports whether a text has the name, and not only inside a longer one.
func hasWord(text, name string) bool {
	inName := func(b byte) bool {
		return b == '_' || b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'z'
	}
	for from := 0; name != ""; {
		i := strings.Index(text[from:], name)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(name)
		if (start == 0 || !inName(text[start-1])) && (end == len(text) || !inName(text[end])) {
			return true
		}
		from = start + 1
	}
	return false
}

// refersTo reports whether an expression names env.NAME, or the whole env.
func refersTo(e *workflows.Expr, name string) bool {
	return slices.ContainsFunc(e.Refs(), func(r *workflows.Ref) bool {
		return len(r.Parts) > 0 && r.Parts[0].Name == "env" && (len(r.Parts) == 1 || r.Parts[1].Name == "" || strings.EqualFold(r.Parts[1].Raw, name))
	})
}

// usedOutside reports whether the job refers to the variable outside of its steps,
// where the env: of a step does not reach.
func usedOutside(j *workflows.Job, name string) bool {
	inSteps := map[*workflows.Scalar]bool{}
	for _, s := range j.AllSteps() {
		s.Scalars(func(v *workflows.Scalar) { inSteps[v] = true })
		if s.If != nil && slices.ContainsFunc(s.If.Exprs, func(e *workflows.Expr) bool { return refersTo(e, name) }) {
			return true // conditions are shown the env of the job in the first place
		}
	}
	found := false
	j.Scalars(func(v *workflows.Scalar) {
		found = found || !inSteps[v] && slices.ContainsFunc(v.Exprs, func(e *workflows.Expr) bool { return refersTo(e, name) })
	})
	return found
}

// usageOfAction judges an action by what is known of it. Those that set up, check out,
// cache or upload are told what they need by their inputs.
func usageOfAction(u *workflows.Uses) usage {
	info, known := platform.LookupAction(u.FullName())
	switch {
	case u.Kind == workflows.UsesLocal:
		return harmless // its steps are looked at one by one
	case !known, !info.Setup && !info.Checkout && !info.Cache && !info.Upload:
		return mayUse
	case u.Owner == "actions" || u.Owner == "github":
		return harmless
	}
	return runsForeign
}

// plain are commands that read no variable of which they are not told.
var plain = []string{
	"echo", "printf", "mkdir", "cp", "mv", "rm", "ls", "cat", "tar", "zip", "unzip", "gzip", "chmod", "chown", "touch", "date", "sleep", "test", "[", "[[",
	"true", "false", "exit", "set", "cd", "pwd", "export", "read", "grep", "sed", "awk", "cut", "tr", "sort", "uniq", "head", "tail", "wc", "jq", "yq", "tee", "find", "df", "free",
	"sha256sum", "basename", "dirname", "realpath", "which", "command", "unset", "local", "declare", "source", "apt-get", "apt", "base64", "diff", "seq", "expr", "return", "shift", "xargs", "curl", "wget",
}

// usageOfScript judges a script by its commands.
func usageOfScript(s *workflows.Script, name string) usage {
	if s.Shell != workflows.ShellPOSIX || s.Err != nil {
		return mayUse
	}
	out := harmless
	for _, c := range s.Commands {
		out = max(out, usageOfCommand(c, name))
	}
	return out
}

func usageOfCommand(c *workflows.Command, name string) usage {
	words := c.Line
	info, known := platform.LookupCommand(words)
	same := info.Opens != "" && info.Opens == platform.LookupSecret(name).Opens
	switch {
	case slices.ContainsFunc(platform.CommandEnv(words), func(v string) bool { return strings.EqualFold(v, name) }), same && info.Does != "install":
		return uses
	case same:
		return mayUse // an install from a private place
	case c.Name == "" && len(c.Words) == 0, slices.Contains(plain, c.Name), info.Does == "login":
		return harmless
	case info.Does == "install":
		return runsForeign
	case known && !info.Runs && info.Does != "deploy" && info.Does != "publish":
		return harmless
	}
	return mayUse
}

// spread reports whether the variable goes where it is not used: to steps that run
// the code of others, to other steps than those that name it, or, from the workflow's
// env:, to jobs that do not use it.
func (v variable) spread(workflow bool) bool {
	for _, j := range v.jobs {
		if len(j.idle) > 0 || len(j.users) > 0 && len(j.open) > 0 || workflow && j.without() {
			return true
		}
	}
	return false
}

// without reports whether nothing in the job can be seen to use the variable.
func (j jobView) without() bool { return len(j.users)+len(j.open) == 0 && !j.outside }

// elsewhere reports whether there is a job that could do without the secret at all.
func (v variable) elsewhere() bool { return slices.ContainsFunc(v.jobs, jobView.without) }

// sameUsers reports whether two variables are used by the same steps.
func (v variable) sameUsers(w variable) bool {
	return slices.EqualFunc(v.jobs, w.jobs, func(a, b jobView) bool {
		return a.job == b.job && slices.Equal(a.users, b.users) && slices.Equal(a.open, b.open) && a.outside == b.outside
	})
}

// confidence is high where it can be told which steps use the variable.
func (v variable) confidence(workflow bool) lint.Confidence {
	for _, j := range v.jobs {
		if workflow && j.without() || len(j.users) > 0 && len(j.idle) > 0 {
			return lint.HighConfidence
		}
	}
	return lint.MediumConfidence
}

// users says in a clause who uses the variable and who has it.
func (v variable) users(workflow bool) string {
	users, steps := 0, 0
	var without []string
	for _, j := range v.jobs {
		users += len(j.users)
		steps += j.steps
		if j.without() {
			without = append(without, j.job.Job.ID)
		}
	}
	text := fmt.Sprintf("%d steps have it and %s", steps, namers(users))
	if workflow && len(without) > 0 {
		text += fmt.Sprintf(", and %s without any use for it", jobList(without))
	}
	return text
}

func namers(n int) string {
	switch n {
	case 0:
		return "none names it"
	case 1:
		return "one uses it"
	}
	return fmt.Sprintf("%d use it", n)
}

// maxNamed bounds the jobs that a message names.
const maxNamed = 3

func jobList(ids []string) string {
	switch {
	case len(ids) == 1:
		return "the job " + ids[0] + " is"
	case len(ids) > maxNamed:
		return fmt.Sprintf("the jobs %s and %d more are", strings.Join(ids[:maxNamed], ", "), len(ids)-maxNamed)
	}
	return "the jobs " + strings.Join(ids, ", ") + " are"
}

// worst returns the job in which the steps that have no use for the secret are worst.
func (v variable) worst() jobView {
	return slices.MaxFunc(v.jobs, func(a, b jobView) int {
		ea, _, _ := a.exposure([]*reach.Credential{v.cred})
		eb, _, _ := b.exposure([]*reach.Credential{v.cred})
		return int(reach.Grade(ea)) - int(reach.Grade(eb))
	})
}

// exposure is what code in the steps that do not use the variable could take by
// reading its own environment.
func (j jobView) exposure(creds []*reach.Credential) (reach.Exposure, *reach.Code, string) {
	e := j.job.Exposure(reach.OwnCode)
	e.Credentials = creds
	var worst *reach.Code
	for _, c := range j.job.Code {
		at := c.Site
		if len(c.Via) > 0 {
			at = c.Via[0]
		}
		inUser := slices.ContainsFunc(j.users, func(s *workflows.Step) bool { return at.File == j.job.File && s.Span.Contains(at.Span) })
		if !inUser && c.Trust > reach.OwnCode && (worst == nil || c.Trust > worst.Trust) {
			worst = c
		}
	}
	if worst == nil {
		return e, nil, "the job holds " + reach.CredentialList(creds)
	}
	e.Steer = worst.Trust
	return e, worst, worst.Name + " (" + worst.Why + ") finds " + reach.CredentialList(creds) + " in its environment"
}
