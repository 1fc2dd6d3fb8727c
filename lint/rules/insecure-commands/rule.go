// Package insecurecommands is the rule insecure-commands; see README.md.
package insecurecommands

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports the switch that lets a line of a log set variables and the search path.
var Rule = &lint.Rule{
	ID:         "insecure-commands",
	Title:      "a line that a step prints can set variables and the search path of the steps after it",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Fixes:      lint.SafeFix | lint.UnsafeFix,
	Tags:       []string{"NHI8:2025"},
	Readme:     readme,
	Check:      check,
}

// variable is the switch of the runner.
const variable = "ACTIONS_ALLOW_UNSECURE_COMMANDS"

// A scope is an env: with the steps that it holds for.
type scope struct {
	env   *workflows.Map
	steps []*workflows.Step
	job   *reach.Job
}

func check(p *lint.Pass) {
	on := map[*workflows.Step]bool{}
	for _, s := range scopes(p) {
		value := s.env.Get(variable)
		if value == nil || !allows(value) {
			continue
		}
		for _, step := range s.steps {
			on[step] = true
		}
		f := finding(s.job, value.Span, fmt.Sprintf("%s lets any line that a step prints set variables and the search path of later steps", variable))
		if len(value.Exprs) > 0 {
			f.Confidence = lint.MediumConfidence
		} else if fix, ok := switchOff(p.File, value, s.steps); ok {
			f.Fixes = []lint.Fix{fix}
		}
		p.Report(f)
	}
	p.Steps(func(s *workflows.Step, job *reach.Job) { judgeStep(p, s, job, on[s]) })
}

// scopes lists every env: of the file that reaches steps.
func scopes(p *lint.Pass) []scope {
	var out []scope
	if w := p.File.Workflow; w != nil {
		whole := scope{env: w.Env}
		p.Jobs(func(job *reach.Job) {
			steps := job.Job.AllSteps()
			whole.steps = append(whole.steps, steps...)
			if whole.job == nil || job.Grade() > whole.job.Grade() {
				whole.job = job
			}
			out = append(out, scope{job.Job.Env, steps, job})
		})
		out = append(out, whole)
	}
	p.Steps(func(s *workflows.Step, job *reach.Job) { out = append(out, scope{s.Env, []*workflows.Step{s}, job}) })
	return out
}

// allows reports whether a value switches the old commands on; what only the run will
// know may.
func allows(v *workflows.Scalar) bool {
	return len(v.Exprs) > 0 || slices.Contains([]string{"true", "1", "$true"}, strings.ToLower(strings.TrimSpace(v.Value)))
}

func finding(job *reach.Job, at workflows.Span, message string) lint.Finding {
	trust := reach.FetchedCode
	if job != nil && job.Starter() >= platform.StartAnyone {
		trust = reach.OutsiderCode // whose text some step will print
	}
	f := lint.Finding{
		Span: at, Job: job, Exposure: lint.Expose(job, trust), Message: message,
		Next: `remove it, and write NAME=value to "$GITHUB_ENV" and directories to "$GITHUB_PATH"`,
	}
	if len(f.Exposure.Credentials) > 0 {
		f.Message += "; whoever gets a line printed could take " + reach.CredentialList(f.Exposure.Credentials)
	}
	return f
}

// judgeStep reports what a script does: to turn the switch for the steps after it, and,
// where it is off, to rely on commands that do nothing any more.
func judgeStep(p *lint.Pass, s *workflows.Step, job *reach.Job, on bool) {
	if s.Run == nil {
		return
	}
	for _, c := range s.Run.Commands {
		if setsSwitch(c) {
			p.Report(finding(job, c.Span, variable+" is set for all later steps: any line that they print can set variables and the search path"))
		}
		if command := oldCommand(c); command != "" && !on {
			f := finding(job, c.Span, "")
			none := reach.Info
			f.Message = fmt.Sprintf("%s fails the step: runners refuse it since November 2020", command)
			f.Ceiling, f.Strict = &none, true
			p.Report(f)
		}
	}
}

func setsSwitch(c *workflows.Command) bool {
	toEnv := func(r workflows.Redir) bool {
		return strings.HasPrefix(r.Op, ">") && slices.Contains(r.Target.Vars, "GITHUB_ENV")
	}
	return slices.ContainsFunc(c.Redirs, toEnv) && slices.ContainsFunc(c.Args(), func(w workflows.Word) bool {
		return strings.HasPrefix(w.Text, variable+"=") && !strings.HasSuffix(strings.ToLower(w.Text), "=false")
	})
}

// oldCommand returns the command that an echo prints, "set-env" or "add-path".
func oldCommand(c *workflows.Command) string {
	if c.Name != "echo" && c.Name != "printf" || len(c.Args()) == 0 {
		return ""
	}
	for _, w := range c.Args() {
		for _, name := range []string{"set-env", "add-path"} {
			if strings.HasPrefix(w.Text, "::"+name+" ") || strings.HasPrefix(w.Text, "::"+name+"::") {
				return "::" + name
			}
		}
	}
	return ""
}
