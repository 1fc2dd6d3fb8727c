package workflows

// An Access is a level of a permission scope.
type Access int

// Levels in rising order.
const (
	AccessNone Access = iota
	AccessRead
	AccessWrite
)

// An Origin says where effective permissions come from.
type Origin int

const (
	// OriginDefault means that neither job nor workflow states any: the
	// repository's or organization's default holds, which may be write-all and
	// which the files do not show.
	OriginDefault Origin = iota
	// OriginWorkflow means the workflow's block holds.
	OriginWorkflow
	// OriginJob means the job's own block holds.
	OriginJob
)

// Effective are the permissions of a job's GITHUB_TOKEN as the files show them.
type Effective struct {
	Origin Origin
	// Block is the block that holds, nil for OriginDefault.
	Block *Permissions
	// All is the level of write-all or read-all (id-token is in write-all).
	All Access
	// Scopes are the stated scopes by lower-case name.
	Scopes map[string]Access
	// Unread is set when a scope or level could not be understood.
	Unread bool
}

// Of returns the access of one scope. With OriginDefault it is AccessNone for
// id-token, which is never granted by default, and AccessWrite for all others: the worst that the
// repository's setting may give.
func (e Effective) Of(scope string) Access { return e.of(scope) }

// Writes returns the scopes with stated write access, sorted; with write-all it
// returns ["*"], with OriginDefault none.
func (e Effective) Writes() []string { return e.writes() }

// EffectivePermissions returns the permissions of the job's token by GitHub's
// rule: the job's block, else the workflow's, else the default; a stated block
// sets every scope it does not name to none. Limits that a caller puts on a
// reusable workflow are not applied here: package reach does.
func (j *Job) EffectivePermissions() Effective { return j.effectivePermissions() }

// EffectiveEnv returns the environment of a step as the files show it: workflow,
// job and step env:, later ones winning, in order of first appearance. s may be
// nil for the job's own.
func (j *Job) EffectiveEnv(s *Step) []Entry { return j.effectiveEnv(s) }
