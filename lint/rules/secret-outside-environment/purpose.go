package secretoutsideenvironment

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// strong are the classes of secrets that publish or deploy, and not such that send
// reports or messages.
var strong = []string{"cloud-key", "publish-token", "personal-token", "ssh-key", "registry-login", "signing-key", "app-key"}

// worthIt reports whether a secret is of the kind that publishes or deploys: by its
// name, or, whatever it is called, by what it is handed to.
func worthIt(g *reach.Graph, job *reach.Job, u reach.Use) bool {
	info := platform.LookupSecret(u.Credential.Name)
	return slices.Contains(strong, info.Class) || !info.Public && serves(g, job, u)
}

// serves reports whether a use hands its secret to something that publishes, deploys
// or logs in.
func serves(g *reach.Graph, job *reach.Job, u reach.Use) bool {
	return slices.ContainsFunc(g.RunSteps(job), func(s reach.RunStep) bool {
		return u.Reaches(s) && (givenToAction(u, s.Step) || givenToCommand(u, s.Step))
	})
}

// givenToAction reports whether an action that publishes, deploys or logs in is
// given the secret as its key, by an input or by a variable whose name says so.
func givenToAction(u reach.Use, s *workflows.Step) bool {
	if s.Uses == nil {
		return false
	}
	info, _ := platform.LookupAction(s.Uses.FullName())
	if !info.Publishes && !info.Deploys && info.Mints == "" {
		return false
	}
	if u.Holder == reach.HeldByInput {
		return slices.ContainsFunc(info.StaticInputs, func(name string) bool { return strings.EqualFold(name, u.Name) })
	}
	return slices.Contains(strong, platform.LookupSecret(u.Name).Class)
}

// givenToCommand reports whether a command that publishes, deploys or logs in takes
// the secret: from its words, through a pipe or $(…), or from a variable that it
// reads by itself.
func givenToCommand(u reach.Use, s *workflows.Step) bool {
	if s.Run == nil {
		return false
	}
	var takers []*workflows.Command
	for _, c := range u.Takers(s) {
		takers = append(takers, c, c.PipesInto, c.Within)
	}
	return slices.ContainsFunc(s.Run.Commands, func(c *workflows.Command) bool {
		info, _ := platform.LookupCommand(c.Line)
		acts := !info.DryRun && slices.Contains([]string{"publish", "deploy", "login"}, info.Does)
		return acts && (slices.Contains(info.Env, u.Name) || slices.Contains(takers, c))
	})
}
