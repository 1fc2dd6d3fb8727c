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
// runs anything that may, is not known; so is one whose scripts find what the checkout
// left for git.
func needsOf(p *lint.Pass, job *reach.Job) (scopes, bool) {
	persisted := len(job.Exposure(reach.OwnCode).Only(reach.GitCredential).Credentials) > 0
	return needs(p, job, func(string) bool { return persisted })
}

// seenNeeds is needsOf, where a script of the tree is taken to push only if its name
// says something like it.
func seenNeeds(p *lint.Pass, job *reach.Job) (scopes, bool) {
	return needs(p, job, func(script string) bool {
		return slices.ContainsFunc(pushing, func(w string) bool { return strings.Contains(strings.ToLower(script), w) })
	})
}

// pushing are parts of the names of scripts that push.
var pushing = []string{"release", "publish", "deploy", "version", "bump", "tag", "push", "changelog", "docs", "sync", "update", "commit", "pages", "post"}

func needs(p *lint.Pass, job *reach.Job, hides func(script string) bool) (scopes, bool) {
	if job.Job.Uses != nil || len(job.Unknown) > 0 || namesToken(job.Job) {
		return nil, false
	}
	out := scopes{}
	for _, r := range p.Graph.RunSteps(job) {
		s := r.Step
		if name, _ := reach.Executes(s); name != "" && hides(name) {
			return nil, false
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
		if info, ok := platform.LookupCommand(c.Line); ok && (info.Does == "publish" || info.Does == "deploy" || info.Does == "login") {
			return false
		}
	}
	return !strings.Contains(s.Value, "GITHUB_TOKEN") && !strings.Contains(s.Value, "extraheader")
}

// moveDown is the fix for write scopes of the whole workflow: each goes to the jobs
// that need it, or may for all that is known of them, and what is left on top is
// what the others read. No job loses what it needs.
func moveDown(p *lint.Pass, block *workflows.Permissions, heirs []*reach.Job, moved []string) []lint.Fix {
	rest := stated(block)
	for _, scope := range moved {
		delete(rest, scope)
	}
	needs := make([]scopes, len(heirs)) // nil for a job of which not all is known
	for i, j := range heirs {
		if n, known := needsOf(p, j); known {
			needs[i] = n
		}
	}
	writers := make([]scopes, len(heirs)) // by job, the scopes that move there
	for _, scope := range moved {
		writing := 0
		for i, n := range needs {
			switch {
			case n == nil || n[scope] == workflows.AccessWrite:
				if writers[i] == nil {
					writers[i] = scopes{}
				}
				writers[i][scope] = workflows.AccessWrite
				writing++
			case n[scope] == workflows.AccessRead:
				rest[scope] = workflows.AccessRead
			}
		}
		if writing == len(heirs) {
			return nil
		}
	}
	edits, ok := p.File.SetWorkflowPermissions(rest)
	jobs := 0
	for i, own := range writers {
		if own == nil || !ok {
			continue
		}
		if rest["id-token"] == workflows.AccessWrite {
			return nil // it would be stated in each of the jobs; exposed-id-token moves it first
		}
		jobs++
		all := maps.Clone(rest)
		maps.Copy(all, own)
		var more []workflows.Edit
		more, ok = p.File.SetJobPermissions(heirs[i].Job, all)
		edits = append(edits, more...)
	}
	if !ok {
		return nil
	}
	return []lint.Fix{{Title: fixTitle(moved, jobs), Safe: true, Edits: edits}}
}

func fixTitle(moved []string, jobs int) string {
	switch jobs {
	case 0:
		return "remove " + writes(moved) + ", which no job needs"
	case 1:
		return "move " + writes(moved) + " to the job that needs " + plural(len(moved), "it", "them")
	}
	return "move " + writes(moved) + " to the jobs that need " + plural(len(moved), "it", "them")
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
