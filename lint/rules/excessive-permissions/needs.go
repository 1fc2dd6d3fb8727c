package excessivepermissions

import (
	"maps"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

type scopes = map[string]workflows.Access

// needsOfAll returns the scopes that the jobs need together, and whether all that
// runs in them is known, so that stating them takes nothing away.
func needsOfAll(p *lint.Pass, jobs []*reach.Job) (scopes, bool) {
	out := scopes{}
	for _, j := range jobs {
		n, known := needsOf(p, j)
		if !known {
			return nil, false
		}
		for scope, level := range n {
			out[scope] = max(out[scope], level)
		}
	}
	return out, true
}

// needsOf returns what one job needs of its token. A job that names the token, or
// runs anything that may, is not known.
func needsOf(p *lint.Pass, job *reach.Job) (scopes, bool) {
	if job.Job.Uses != nil || len(job.Unknown) > 0 || namesToken(job.Job) {
		return nil, false
	}
	out := scopes{}
	persisted := len(job.Exposure(reach.OwnCode).Only(reach.GitCredential).Credentials) > 0
	for _, r := range p.Graph.RunSteps(job) {
		s := r.Step
		if name, _ := reach.Executes(s); name != "" && persisted {
			return nil, false // a script of the tree may push with what the checkout left
		}
		if s.Uses != nil && s.Uses.Kind != workflows.UsesLocal && s.Uses.Kind != workflows.UsesSelf {
			info, ok := platform.LookupAction(s.Uses.FullName())
			if !ok || info.Token == nil {
				return nil, false
			}
			for scope, level := range info.Token {
				out[scope] = max(out[scope], accessOf(level))
			}
		}
		if s.Run != nil && !plainScript(s.Run) {
			return nil, false
		}
	}
	return out, true
}

// idle reports whether a job is seen not to need a write scope that it has: all that
// it does with the token is known, or nothing in it seems to use the token.
func idle(p *lint.Pass, job *reach.Job, scope string) bool {
	if called := p.Graph.Called(job); len(called) > 0 {
		return slices.ContainsFunc(called, func(c *reach.Job) bool {
			return c.Job.Uses == nil && c.Token.Of(scope) == workflows.AccessWrite && idle(p, c, scope)
		})
	}
	if n, known := needsOf(p, job); known {
		return n[scope] != workflows.AccessWrite
	}
	return job.Job.Uses == nil && !p.Graph.UsesToken(job)
}

func accessOf(level string) workflows.Access {
	if level == "write" {
		return workflows.AccessWrite
	}
	return workflows.AccessRead
}

// namesToken reports whether the job names the token anywhere, secrets: inherit included.
func namesToken(j *workflows.Job) bool {
	found := false
	look := func(s *workflows.Scalar) {
		for _, e := range s.Exprs {
			for _, r := range e.Refs() {
				path := r.Path()
				if path == "github" || path == "github.token" || path == "secrets" || path == "secrets.github_token" {
					found = true
				}
			}
		}
	}
	j.Scalars(look)
	for _, e := range j.Workflow.Env.All() {
		look(e.Value)
	}
	return found
}

// plainScript reports whether a script was read and speaks neither to git's remote nor
// to the API; what the tree's own scripts and tools do without being given the
// token they do without it.
func plainScript(s *workflows.Script) bool {
	if s.Shell != workflows.ShellPOSIX || s.Err != nil {
		return false
	}
	for _, c := range s.Commands {
		if c.Name == "git" || c.Name == "gh" || c.Name == "" && len(c.Words) > 0 {
			return false
		}
		if info, ok := platform.LookupCommand(reach.CommandWords(c)); ok && (info.Does == "publish" || info.Does == "deploy" || info.Does == "login") {
			return false
		}
	}
	return !strings.Contains(s.Value, "GITHUB_TOKEN") && !strings.Contains(s.Value, "extraheader")
}

// moveDown is the fix for a scope of the whole workflow that one known job needs:
// it moves there. All other jobs must be known not to need it.
func moveDown(p *lint.Pass, block *workflows.Permissions, heirs []*reach.Job, scope string) []lint.Fix {
	var needy []*reach.Job
	for _, j := range heirs {
		n, known := needsOf(p, j)
		if !known {
			needy = append(needy, j)
			continue
		}
		if n[scope] == workflows.AccessWrite {
			needy = append(needy, j)
		}
	}
	if len(needy) > 1 {
		return nil
	}
	rest := stated(block)
	all := maps.Clone(rest)
	delete(rest, scope)
	edits, ok := p.File.SetWorkflowPermissions(rest)
	if !ok {
		return nil
	}
	title := "remove " + scope + ": write, which no job needs"
	if len(needy) == 1 {
		title = "move " + scope + ": write to the job that needs it"
		more, ok := p.File.SetJobPermissions(needy[0].Job, all)
		if !ok {
			return nil
		}
		edits = append(edits, more...)
	}
	return []lint.Fix{{Title: title, Safe: true, Edits: edits}}
}

// stated returns the scopes of a block.
func stated(block *workflows.Permissions) scopes {
	out := scopes{}
	for _, e := range block.Scopes {
		if e.Value.Value == "write" || e.Value.Value == "read" {
			out[strings.ToLower(e.Key.Value)] = accessOf(e.Value.Value)
		}
	}
	return out
}
