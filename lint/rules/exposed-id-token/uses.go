package exposedidtoken

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// An answer is whether a job uses its id-token, as far as the files tell.
type answer int

const (
	no answer = iota
	maybe
	yes
)

// uses reports whether a job asks for an id-token. What is not known may.
func uses(p *lint.Pass, job *reach.Job) answer {
	called := p.Graph.Called(job)
	if len(called) == 0 && job.Job.Uses != nil || len(job.Unknown) > 0 {
		return maybe
	}
	out := no
	for _, c := range called {
		if c.Job.Uses != nil {
			out = max(out, maybe) // one level is followed
			continue
		}
		out = max(out, uses(p, c))
	}
	for _, r := range p.Graph.RunSteps(job) {
		out = max(out, stepUses(p, r.Step))
	}
	return out
}

func stepUses(p *lint.Pass, s *workflows.Step) answer {
	switch {
	case s.Uses != nil:
		return actionUses(p, s.Uses)
	case s.Run != nil:
		return scriptUses(s)
	}
	return no
}

// actionUses answers for an action. Local ones that are lists of steps are followed.
func actionUses(p *lint.Pass, u *workflows.Uses) answer {
	if u.Kind == workflows.UsesLocal || u.Kind == workflows.UsesSelf {
		if f := p.Repository.Action(u.Path); f != nil && f.Action != nil && len(f.Action.Steps) > 0 {
			return no
		}
		return maybe
	}
	info, known := platform.LookupAction(u.FullName())
	switch {
	case info.OIDC:
		return yes
	case !known || info.Name != u.FullName() || info.Agent || info.Publishes || info.Deploys || info.RunsWorkspace && !info.Setup || u.Name() == "actions/github-script":
		return maybe
	}
	return no
}

// scriptUses answers for a script. A tool that is not known to be harmless may ask.
func scriptUses(s *workflows.Step) answer {
	if strings.Contains(s.Run.Value, "ACTIONS_ID_TOKEN_REQUEST") {
		return yes
	}
	if s.Run.Shell != workflows.ShellPOSIX || s.Run.Err != nil {
		return maybe
	}
	out := no
	if name, _ := reach.Executes(s); name != "" {
		out = maybe
	}
	for _, c := range s.Run.Commands {
		if slices.ContainsFunc(c.Words, func(w workflows.Word) bool { return signers[w.Text] }) {
			return yes // also behind a runner: uv run sigstore sign
		}
		info, _ := platform.LookupCommand(c.Line)
		if c.Name == "" && len(c.Words) > 0 || info.Does != "" && info.Does != "fetch" && info.Does != "install" && info.Does != "checkout" {
			out = maybe
		}
	}
	return out
}

// signers are commands that ask the runner for a token by themselves.
var signers = map[string]bool{"cosign": true, "sigstore": true, "gitsign": true, "stint": true}
