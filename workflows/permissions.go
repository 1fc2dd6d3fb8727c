package workflows

import (
	"slices"
	"strings"
)

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
func (e Effective) Of(scope string) Access {
	scope = strings.ToLower(scope)
	if level, ok := e.Scopes[scope]; ok {
		return level
	}
	if e.Origin == OriginDefault {
		if scope == idToken {
			return AccessNone
		}
		return AccessWrite
	}
	if scope == idToken && e.All == AccessRead {
		return AccessNone // there is no reading of an id-token
	}
	return e.All
}

// Writes returns the scopes with stated write access, sorted; with write-all it
// returns ["*"], with OriginDefault none.
func (e Effective) Writes() []string {
	if e.All == AccessWrite {
		return []string{"*"}
	}
	var scopes []string
	for scope, level := range e.Scopes {
		if level == AccessWrite {
			scopes = append(scopes, scope)
		}
	}
	slices.Sort(scopes)
	return scopes
}

// EffectivePermissions returns the permissions of the job's token by GitHub's
// rule: the job's block, else the workflow's, else the default; a stated block
// sets every scope it does not name to none. Limits that a caller puts on a
// reusable workflow are not applied here: package reach does.
func (j *Job) EffectivePermissions() Effective {
	switch {
	case j.Permissions != nil:
		return effective(OriginJob, j.Permissions)
	case j.Workflow != nil && j.Workflow.Permissions != nil:
		return effective(OriginWorkflow, j.Workflow.Permissions)
	}
	return Effective{}
}

const idToken = "id-token"

func effective(origin Origin, p *Permissions) Effective {
	e := Effective{Origin: origin, Block: p, Scopes: map[string]Access{}}
	if p.All != nil {
		switch all, _ := p.All.Const(); all {
		case "read-all":
			e.All = AccessRead
		case "write-all":
			e.All = AccessWrite
		default:
			e.Unread = true
		}
	}
	for _, entry := range p.Scopes {
		level, ok := accessOf(entry.Value)
		name, constant := entry.Key.Const()
		if !ok || !constant || name == "" {
			e.Unread = true
			continue
		}
		e.Scopes[strings.ToLower(name)] = level
	}
	return e
}

// accessOf reads a level. Scopes are not checked against a list: GitHub adds
// them faster than lists are mended.
func accessOf(s *Scalar) (Access, bool) {
	switch level, _ := s.Const(); level {
	case "none":
		return AccessNone, true
	case "read":
		return AccessRead, true
	case "write":
		return AccessWrite, true
	}
	return AccessNone, false
}

// EffectiveEnv returns the environment of a step as the files show it: workflow,
// job and step env:, later ones winning, in order of first appearance. s may be
// nil for the job's own. Names are compared exactly, as POSIX systems do. A
// mapping that is one expression (env: ${{ … }}) adds nothing here: see [Map.Whole].
// The slice may be the file's own and must not be changed.
func (j *Job) EffectiveEnv(s *Step) []Entry {
	var layers [][]Entry
	add := func(m *Map) {
		if entries := m.All(); len(entries) > 0 {
			layers = append(layers, entries)
		}
	}
	if j.Workflow != nil {
		add(j.Workflow.Env)
	}
	add(j.Env)
	if s != nil {
		add(s.Env)
	}
	if len(layers) == 1 {
		return slices.Clip(layers[0])
	}
	var env []Entry
	at := map[string]int{}
	for _, layer := range layers {
		for _, entry := range layer {
			name := entry.Key.String()
			if i, ok := at[name]; ok {
				env[i] = entry
				continue
			}
			at[name] = len(env)
			env = append(env, entry)
		}
	}
	return env
}
