package secretsinherit

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// needs are the secrets that a called workflow uses.
type needs struct {
	// names maps lower-case names to their spelling: the declaration's where there
	// is one, else that of the first use.
	names map[string]string
	// declared holds the lower-case names under on.workflow_call.secrets.
	declared map[string]bool
	// credentials are the stored secrets among what the called jobs hold.
	credentials []*reach.Credential
	// every is set when it can take all of them: toJSON(secrets), secrets[x], or
	// another secrets: inherit to a workflow that cannot be seen.
	every bool
	// environment is set when a job has a deployment environment, whose secrets may
	// stand in for those that are passed.
	environment bool
}

// needsOf collects what a called workflow of the repository uses.
func needsOf(g *reach.Graph, callee *workflows.File) needs {
	n := needs{names: map[string]string{}, declared: map[string]bool{}}
	n.collect(g, callee, map[*workflows.File]bool{})
	for _, t := range callee.Workflow.On {
		if t.Event != "workflow_call" {
			continue
		}
		for _, s := range t.Secrets {
			key := strings.ToLower(s.Name.Value)
			n.declared[key] = true
			if _, ok := n.names[key]; ok || s.Required {
				n.names[key] = s.Name.Value
			}
		}
	}
	return n
}

func (n *needs) collect(g *reach.Graph, f *workflows.File, seen map[*workflows.File]bool) {
	if seen[f] {
		return
	}
	seen[f] = true
	for _, e := range f.Workflow.Env.All() {
		n.scalar(e.Value)
	}
	for _, j := range f.Workflow.Jobs {
		j.Scalars(n.scalar)
		n.hold(g.Of(j))
		if j.InheritSecrets != nil {
			if next := calledFile(g, g.Of(j)); next != nil {
				n.collect(g, next, seen)
			} else {
				n.every = true
			}
		}
		n.environment = n.environment || j.Environment != nil
	}
}

// hold adds the stored secrets that a called job holds, each once.
func (n *needs) hold(job *reach.Job) {
	for _, c := range job.Standing() {
		known := func(k *reach.Credential) bool { return k.Name == c.Name }
		if !c.All && !slices.ContainsFunc(n.credentials, known) {
			n.credentials = append(n.credentials, c)
		}
	}
}

// scalar adds the secrets that the expressions of a value name.
func (n *needs) scalar(s *workflows.Scalar) {
	for _, e := range s.Exprs {
		for _, r := range e.Refs() {
			if r.Base != nil || len(r.Parts) == 0 || r.Parts[0].Name != "secrets" {
				continue
			}
			if len(r.Parts) == 1 || r.Parts[1].Name == "" || r.Parts[1].Name == "*" {
				n.every = true
				continue
			}
			key := r.Parts[1].Name
			if _, ok := n.names[key]; !ok && key != "github_token" {
				n.names[key] = r.Parts[1].Raw
			}
		}
	}
}

// sorted returns the spellings, sorted.
func (n needs) sorted() []string { return slices.Sorted(maps.Values(n.names)) }

// undeclared returns those that the callee uses without declaring them: GitHub
// refuses a call that passes them by name.
func (n needs) undeclared() []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(n.names)) {
		if !n.declared[key] {
			out = append(out, n.names[key])
		}
	}
	return out
}

// maxNamed is how many names a message lists.
const maxNamed = 6

// String lists the needs for a message.
func (n needs) String() string {
	names := n.sorted()
	switch {
	case len(names) == 0:
		return "none"
	case len(names) > maxNamed:
		return list(names)
	}
	return "only " + list(names)
}

func list(names []string) string {
	if len(names) > maxNamed {
		return fmt.Sprintf("%s and %d others", strings.Join(names[:maxNamed], ", "), len(names)-maxNamed)
	}
	return strings.Join(names, ", ")
}
