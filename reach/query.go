package reach

import (
	"cmp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/reach/flow"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// Pairs returns every (foreign code × standing credential) pair of the
// repository; its length is the number that stint drives to zero. Code that runs
// in a called workflow of the repository counts there, not again at its callers.
func (g *Graph) Pairs() []Pair {
	var out []Pair
	for _, j := range g.Jobs {
		if g.callee(j.Job) != nil {
			continue
		}
		for _, c := range j.Code {
			if !c.Trust.Foreign() {
				continue
			}
			for _, cr := range j.Standing() {
				out = append(out, Pair{j, c, cr})
			}
		}
	}
	return out
}

// Of returns the job that was made from j, or nil.
func (g *Graph) Of(j *workflows.Job) *Job { return g.jobs[j] }

// Users returns the jobs that run steps of the given action file, in order.
func (g *Graph) Users(action *workflows.File) []*Job { return g.users[action] }

// If returns the jobs that would run the action owner/repo[/path] if it were
// hijacked at ref (any ref when ref is ""; a commit pin is hit only when it is
// named itself), worst first.
func (g *Graph) If(name, ref string) []*Job {
	var out []*Job
	for _, j := range g.Jobs {
		if g.callee(j.Job) != nil {
			continue
		}
		if slices.ContainsFunc(j.Code, func(c *Code) bool { return c.uses(name, ref) }) {
			out = append(out, j)
		}
	}
	slices.SortStableFunc(out, func(a, b *Job) int {
		return cmp.Or(-cmp.Compare(len(a.Standing()), len(b.Standing())), -cmp.Compare(a.Grade(), b.Grade()))
	})
	return out
}

// uses reports whether the code is the named action at ref ("" for any).
func (c *Code) uses(name, ref string) bool {
	if c.Uses == nil {
		return false
	}
	name = strings.ToLower(strings.Trim(name, "/"))
	if c.Uses.FullName() != name && c.Uses.Name() != name {
		return false
	}
	return ref == "" || strings.EqualFold(c.Uses.Ref, ref)
}

// Starter returns the most dangerous of the job's starts.
func (j *Job) Starter() platform.Starter {
	who := platform.StartWriter
	for _, s := range j.Starts {
		who = max(who, s.Who)
	}
	return who
}

// WorstCode returns the code with the highest trust grade, or nil.
func (j *Job) WorstCode() *Code {
	if len(j.Code) == 0 {
		return nil
	}
	return j.Code[0]
}

// Standing returns the standing credentials.
func (j *Job) Standing() []*Credential {
	var out []*Credential
	for _, c := range j.Credentials {
		if c.Lifetime == Standing {
			out = append(out, c)
		}
	}
	return out
}

// Trust returns the grade of the job's worst code.
func (j *Job) Trust() Trust {
	if c := j.WorstCode(); c != nil {
		return c.Trust
	}
	return OwnCode
}

// Exposure returns what code graded t could take in the job.
func (j *Job) Exposure(t Trust) Exposure {
	return Exposure{Credentials: j.Credentials, Steer: t, Start: j.Starter(), Autonomy: j.ActsAlone()}
}

// Elsewhere returns what code graded t could take in the jobs of other
// repositories that use an action: at least the repository token that every job
// has, with permissions that cannot be seen from here.
func Elsewhere(t Trust) Exposure {
	token := &Credential{Kind: RepositoryToken, Name: "GITHUB_TOKEN", Lifetime: ForJob, Opens: "github", Writes: true, Default: true}
	return Exposure{Credentials: []*Credential{token}, Steer: t}
}

// ActsAlone reports whether an agent acts in the job or anybody can start it, so
// that no person is in the loop.
func (j *Job) ActsAlone() bool {
	return slices.Contains(j.Autonomy, "agent") || j.Starter() == platform.StartAnyone
}

// Grade returns the severity of the job's own reach: its worst code against all
// its credentials.
func (j *Job) Grade() Severity {
	return Grade(j.Exposure(j.Trust()))
}

// A Lever is one change that lowers the number of pairs, and what it takes away.
type Lever struct {
	// What is the change: "pin tj-actions/changed-files by commit" or "replace NPM_TOKEN by an id-token".
	What string
	// Pairs is how many pairs it takes away by itself.
	Pairs int
	// Sites are the places to change, in order.
	Sites []Site
}

// Levers returns the changes that take away pairs, the most first: one for each
// piece of foreign code and one for each standing credential.
func (g *Graph) Levers() []Lever {
	byWhat := map[string]*Lever{}
	var order []*Lever
	count := func(what string, sites ...Site) {
		l := byWhat[what]
		if l == nil {
			l = &Lever{What: what}
			byWhat[what] = l
			order = append(order, l)
		}
		l.Pairs++
		for _, s := range sites {
			if !slices.Contains(l.Sites, s) {
				l.Sites = append(l.Sites, s)
			}
		}
	}
	for _, p := range g.Pairs() {
		count(mendCode(p.Code), p.Code.Site)
		count(mendCredential(p.Credential), p.Credential.Enters...)
	}
	slices.SortStableFunc(order, func(a, b *Lever) int { return -cmp.Compare(a.Pairs, b.Pairs) })
	out := make([]Lever, len(order))
	for i, l := range order {
		out[i] = *l
	}
	return out
}

func mendCode(c *Code) string {
	switch {
	case c.Trust == MaliciousCode:
		return "remove " + c.Name + " and rotate what its jobs hold"
	case c.Uses != nil && c.Trust == MutableThirdParty:
		return "pin " + c.Name + " by commit"
	case c.Trust == OutsiderCode:
		return "keep outsiders' code and text out of the job: " + c.Name
	case c.Trust == AgentCode:
		return "give the agent a job of its own without standing secrets: " + c.Name
	case c.Trust == FetchedCode:
		return "check or lock what the job fetches: " + c.Name
	}
	return "pin " + c.Name + " by digest"
}

func mendCredential(c *Credential) string {
	switch {
	case c.All:
		return "name the secrets that are passed instead of " + c.Name
	case platform.LookupSecret(c.Name).Federates:
		return "replace " + c.Name + " by an id-token"
	}
	return "move " + c.Name + " to a job without foreign code"
}

// Approval returns the deployment environment that may ask a reviewer before a job runs:
// its own, or that of a job that it needs; "" for none. Whether it has required
// reviewers is a setting that no file shows.
func (g *Graph) Approval(job *Job) string {
	if job.Environment != "" {
		return job.Environment
	}
	seen := map[string]bool{}
	queue := []*workflows.Job{job.Job}
	for len(queue) > 0 {
		j := queue[0]
		queue = queue[1:]
		if flow.RunsRegardless(j.If) {
			continue
		}
		for _, other := range j.Workflow.Jobs {
			needed := slices.ContainsFunc(j.Needs, func(n *workflows.Scalar) bool { return strings.EqualFold(n.Value, other.ID) })
			if !needed || seen[other.ID] {
				continue
			}
			seen[other.ID] = true
			if other.Environment != nil {
				return other.Environment.Name.String()
			}
			queue = append(queue, other)
		}
	}
	for _, c := range job.Callers {
		if name := g.Approval(c); name != "" {
			return name
		}
	}
	return ""
}
