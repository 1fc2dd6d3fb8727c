package reach

import (
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
		words := CommandWords(c)
		info, ok := platform.LookupCommand(words)
		if !ok || info.Does != "agent" {
			continue
		}
		a := Agent{Step: s, Command: c, Name: agentName(words), Span: c.Span, Allowance: platform.CommandAllowance(words), OIDC: platform.Federates(info.Opens)}
		if a.Span.IsZero() {
			a.Span = s.Run.Span
		}
		out = append(out, a)
	}
	return out
}

// agentName is the agent's own name behind what runs it.
func agentName(words []string) string {
	for _, w := range words {
		if info, ok := platform.LookupCommand([]string{w}); ok && info.Does == "agent" {
			return w
		}
	}
	return words[0]
}
