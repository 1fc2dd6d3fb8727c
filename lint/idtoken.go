package lint

import (
	"slices"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// AllowIDToken returns the edits that let a job of the pass's file ask for an
// id-token, for fixes that put one in the place of a stored secret; nil when it may
// already. ok is false where the file alone does not show what the edit would break:
// in a reusable workflow, whose callers have to allow it too; beside read-all; and in
// a job on the default permissions that uses the repository token, since a block
// takes away what it does not name. Elsewhere on the default permissions the block
// keeps contents: read, which a checkout needs.
func (p *Pass) AllowIDToken(job *reach.Job) (edits []workflows.Edit, ok bool) {
	called := slices.ContainsFunc(p.File.Workflow.On, func(t *workflows.Trigger) bool { return t.Event == "workflow_call" })
	switch {
	case called:
		return nil, false
	case job.Token.Origin != workflows.OriginDefault:
		return p.File.AllowJob(job.Job, "id-token", workflows.AccessWrite)
	case p.Graph.UsesToken(job):
		return nil, false
	}
	return p.File.SetJobPermissions(job.Job, map[string]workflows.Access{
		"contents": workflows.AccessRead, "id-token": workflows.AccessWrite,
	})
}
