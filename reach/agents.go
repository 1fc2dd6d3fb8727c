package reach

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// An Agent is a model that a step lets act or answer.
type Agent struct {
	Step *workflows.Step
	// Command is nil for an agent that is an action.
	Command *workflows.Command
	// Name is owner/repo of the action, or the command's name.
	Name      string
	Span      workflows.Span
	Allowance platform.Allowance
	// OIDC is set when its model takes the job's id-token instead of a key.
	OIDC bool
}

// Agents returns the agents of a step. A step that only sets one up has none.
func Agents(s *workflows.Step) []Agent {
	if s.Uses != nil {
		info, _ := platform.LookupAction(s.Uses.FullName())
		if !info.Agent || info.Setup {
			return nil
		}
		allowance := platform.AgentAllowance(info.Name, func(name string) string { return s.With.Get(name).String() })
		return []Agent{{Step: s, Name: s.Uses.Name(), Span: s.Uses.Span, Allowance: allowance, OIDC: info.OIDC}}
	}
	if s.Run == nil {
		return nil
	}
	var out []Agent
	for _, c := range s.Run.Commands {
		words := c.Line
		info, ok := platform.LookupCommand(words)
		if !ok || info.Does != "agent" {
			continue
		}
		a := Agent{Step: s, Command: c, Name: agentName(words), Span: c.Span, Allowance: platform.CommandAllowance(words), OIDC: platform.Federates(info.Opens)}
		if executed(c) {
			a.Allowance = platform.RunsAnything
		}
		if a.Span.IsZero() {
			a.Span = s.Run.Span
		}
		out = append(out, a)
	}
	return out
}

// executed reports whether what a command prints is run: by a shell that it is piped
// into, or by the eval or shell in whose words it stands.
func executed(c *workflows.Command) bool {
	for into := c.PipesInto; into != nil; into = into.PipesInto {
		if runsText(into) && len(into.Args()) == 0 {
			return true
		}
	}
	return c.Within != nil && (c.Within.Name == "eval" || runsText(c.Within) && slices.Contains(c.Within.Line, "-c"))
}

func runsText(c *workflows.Command) bool {
	switch c.Name {
	case "sh", "bash", "zsh", "dash", "python", "python3", "node":
		return true
	}
	return false
}

// agentName is the agent's own name behind what runs it.
func agentName(words []string) string {
	for _, w := range words {
		if at := strings.LastIndexByte(w, '@'); at > 0 {
			w = w[:at] // a version
		}
		if info, ok := platform.LookupCommand([]string{w}); ok && info.Does == "agent" {
			return w
		}
	}
	return words[0]
}
