package secretincommand

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// An expansion is an expression in a step's script whose value is a secret.
type expansion struct {
	expr *workflows.Expr
	// name is the secret's name as a variable of the script would have it.
	name string
	// credential is nil when only the users of the action know it.
	credential *reach.Credential
	// guess is set when the name does not say that it is a secret.
	guess bool
	// script is set for run:, and not for an input that an action runs.
	script bool
}

// expanded returns the secrets in a step's script, in order.
func expanded(p *lint.Pass, s *workflows.Step, job *reach.Job, held []holding) []expansion {
	var found []expansion
	add := func(x expansion) {
		if !slices.ContainsFunc(found, func(y expansion) bool { return y.expr == x.expr }) {
			found = append(found, x)
		}
	}
	for _, text := range scripts(s) {
		script := s.Run != nil
		for _, e := range text.Exprs {
			for _, h := range held {
				if h.Step == s && h.Expr == e && (h.Holder == reach.HeldByScript || h.Holder == reach.HeldByInput) {
					add(expansion{e, nameOf(e, h.Credential.Name), h.Credential, guessed(h.Credential.Name), script})
				}
			}
			for _, r := range reach.ValueRefs(e) {
				if x, ok := other(p, s, job, r); ok {
					x.expr, x.script = e, script
					add(x)
				}
			}
		}
	}
	return found
}

// scripts returns what of a step is run as code.
func scripts(s *workflows.Step) []*workflows.Scalar {
	if s.Run != nil {
		return []*workflows.Scalar{s.Run.Scalar}
	}
	if s.Uses == nil {
		return nil
	}
	var out []*workflows.Scalar
	info, _ := platform.LookupAction(s.Uses.FullName())
	for _, e := range s.With.All() {
		if info.Inputs[strings.ToLower(e.Key.Value)] == platform.RoleScript {
			out = append(out, e.Value)
		}
	}
	return out
}

// nameOf returns the name that the file itself gives to the secret of an expression.
func nameOf(e *workflows.Expr, secret string) string {
	for _, r := range reach.ValueRefs(e) {
		if len(r.Parts) == 2 && r.Base == nil && r.Parts[1].Raw != "" {
			return variable(r.Parts[1].Raw)
		}
	}
	return variable(secret)
}

// variable writes a name as that of an environment variable.
func variable(name string) string {
	return strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(name))
}

// other judges references to what is no stored secret of the job: its token, a token
// that a step minted, and what the users of an action give it.
func other(p *lint.Pass, s *workflows.Step, job *reach.Job, r *workflows.Ref) (expansion, bool) {
	switch path := r.Path(); {
	case path == "secrets.github_token", path == "github.token":
		return ofKind(job, reach.RepositoryToken, "GITHUB_TOKEN")
	case len(r.Parts) == 4 && r.Parts[0].Name == "steps" && r.Parts[2].Name == "outputs" && strings.HasSuffix(r.Parts[3].Name, "token"):
		if job == nil || !mintsToken(p, s, r.Parts[1].Raw) {
			return expansion{}, false
		}
		return ofKind(job, reach.AppToken, "APP_TOKEN")
	case p.File.Action != nil && len(r.Parts) == 2 && r.Parts[0].Name == "inputs":
		info := platform.LookupSecret(r.Parts[1].Name)
		secret := info.Class != "" && !info.Public
		return expansion{name: variable(r.Parts[1].Raw), guess: true}, secret
	}
	return expansion{}, false
}

// ofKind returns the job's credential of a kind, if it has one.
func ofKind(job *reach.Job, kind reach.Kind, name string) (expansion, bool) {
	if job == nil {
		return expansion{name: name}, true
	}
	for _, c := range job.Credentials {
		if c.Kind == kind {
			return expansion{name: name, credential: c}, true
		}
	}
	return expansion{}, false
}

// mintsToken reports whether the step with an id mints a token of an app.
func mintsToken(p *lint.Pass, before *workflows.Step, id string) bool {
	found := false
	p.Steps(func(s *workflows.Step, _ *reach.Job) {
		if s.ID.String() != id || s.Uses == nil || s == before {
			return
		}
		info, _ := platform.LookupAction(s.Uses.FullName())
		found = found || info.Mints == "app-token"
	})
	return found
}

// reserved are variables that tools and shells read for other reasons.
var reserved = []string{"PATH", "HOME", "USER", "USERNAME", "HOST", "HOSTNAME", "SHELL", "PWD", "LANG", "TMPDIR", "TEMP", "TMP", "IFS", "ENV", "CI", "DISPLAY", "EDITOR", "PORT", "DEBUG"}

// fixes moves all expansions of a script to the step's environment.
func fixes(p *lint.Pass, s *workflows.Step, job *reach.Job, found []expansion) []lint.Fix {
	var moves []workflows.Move
	safe := true
	for _, x := range found {
		if !x.script {
			return nil
		}
		name := x.name
		if taken(s, job, name, x.expr) {
			name = "SECRET_" + name
		}
		moves = append(moves, workflows.Move{Expr: x.expr, Name: name})
		safe = safe && !x.guess // what is no password may be several words on purpose
	}
	edits, ok := p.File.MoveToEnv(s, moves)
	if !ok {
		return nil
	}
	return []lint.Fix{{Title: "give the secret to the step by its environment", Safe: safe, Edits: edits}}
}

// taken reports whether a variable of that name means something else to the script.
func taken(s *workflows.Step, job *reach.Job, name string, e *workflows.Expr) bool {
	if slices.Contains(reserved, name) {
		return true
	}
	same := func(v *workflows.Scalar) bool { return v.Value == "${{ "+e.Text+" }}" || e.Text == "env."+name }
	if v := s.Env.Get(name); v != nil {
		return !same(v)
	}
	if job != nil {
		for _, entry := range job.Job.EffectiveEnv(nil) {
			if strings.EqualFold(entry.Key.Value, name) && !same(entry.Value) {
				return true
			}
		}
	}
	return false
}
