package reach

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/reach/flow"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// addCode collects the code that runs in the job.
func (g *Graph) addCode(job *Job) {
	if job.Job.Uses != nil {
		g.addCall(job)
		return
	}
	job.add(&Code{Trust: OwnCode, Name: "this repository's workflow", Site: Site{job.File, job.Job.IDSpan}, Why: "part of this commit"})
	if c := job.Job.Container; c != nil && c.Image != nil {
		job.add(imageCode(Site{job.File, c.Image.Span}, c.Image))
	}
	sinks := g.Flow.SinksOf(job.Job)
	steps := g.steps(job)
	for _, p := range steps {
		g.addStep(job, p)
	}
	job.addDownloads(steps)
	g.addExecuted(job, sinks)
	for _, s := range sinks {
		job.addInjected(s)
	}
}

func (j *Job) add(c *Code) {
	for _, known := range j.Code {
		if known.Name == c.Name && known.Trust == c.Trust && known.Site == c.Site {
			return
		}
	}
	j.Code = append(j.Code, c)
}

// addCall adds the code of a reusable workflow elsewhere; one of this repository
// is followed by fillCall.
func (g *Graph) addCall(job *Job) {
	u := job.Job.Uses
	if g.callee(job.Job) != nil {
		return
	}
	site := Site{job.File, u.Span}
	job.Unknown = append(job.Unknown, Unknown{"what the reusable workflow " + u.Value + " runs", site})
	if !g.local(u) {
		job.add(g.CodeOf(job.File, u, nil))
	}
}

// addStep adds what one step runs.
func (g *Graph) addStep(job *Job, p RunStep) {
	if p.Step.Uses != nil {
		g.addUses(job, p)
	}
	if p.Step.Run != nil {
		for _, c := range p.Step.Run.Commands {
			job.addCommand(p, c)
		}
	}
}

func (g *Graph) addUses(job *Job, p RunStep) {
	u := p.Step.Uses
	if g.local(u) {
		if g.localAction(u) == nil {
			what := "the action at " + u.Value + ", which is not in this commit"
			job.Unknown = append(job.Unknown, Unknown{what, Site{p.File, u.Span}})
		} else if a := g.localAction(u); !slices.Contains(g.users[a], job) {
			g.users[a] = append(g.users[a], job)
		}
		return
	}
	code := g.CodeOf(p.File, u, p.Via)
	info, _ := platform.LookupAction(u.FullName())
	if info.Agent && !info.Setup && job.Starter() >= platform.StartAnyone && !gated(p.Step, info) && code.Trust < AgentCode {
		code.Trust, code.Why = AgentCode, "an agent in a job that anyone can start"
	}
	job.add(code)
}

// gated reports whether an agent's action itself refuses people without write access.
func gated(s *workflows.Step, info platform.ActionInfo) bool {
	if info.ActorGate == "" {
		return platform.ActionGate(info.Name) == platform.Refuses
	}
	open := s.With.Get(info.ActorGate)
	return open == nil || len(open.Exprs) == 0 && !platform.OpensToAll(open.Value)
}

// Gated reports whether a step is an agent that refuses people without write access,
// by its action alone.
func Gated(s *workflows.Step) bool {
	if s.Uses == nil {
		return false
	}
	info, _ := platform.LookupAction(s.Uses.FullName())
	return gated(s, info)
}

// CodeOf grades the action or reusable workflow that a uses: names, by how firmly
// it is pinned and whose it is; via are the places that lead to it. Local ones,
// which are the repository's own code, are for the caller to follow.
func (g *Graph) CodeOf(f *workflows.File, u *workflows.Uses, via []Site) *Code {
	c := &Code{Name: u.Value, Uses: u, Site: Site{f, u.Span}, Via: via}
	owner := strings.ToLower(u.Owner)
	own, _, _ := strings.Cut(strings.ToLower(g.Repository.Name), "/")
	runs := u
	pin, locked := g.Repository.Lock().Pinned(f.Path, u)
	if locked {
		held := *u // by its commit, whatever the ref was moved to since
		held.Kind, held.Ref = workflows.UsesCommit, pin.Commit
		runs = &held
	}
	switch {
	case malicious(runs):
		c.Trust, c.Why = MaliciousCode, "a version known to have served malicious code"
	case own != "" && owner == own:
		c.Trust, c.Why = SameOwner, "another repository of the same owner"
	case owner == "actions" || owner == "github":
		c.Trust, c.Why = PlatformCode, "an action of the platform itself"
	case u.Kind == workflows.UsesCommit || u.Digest != "":
		c.Trust, c.Why = PinnedThirdParty, "pinned by commit"
	case locked:
		c.Trust, c.Why = PinnedThirdParty, "pinned by actions.lock"
	case u.Kind == workflows.UsesExpression:
		c.Trust, c.Why = MutableThirdParty, "named by an expression"
	case u.Kind == workflows.UsesDocker:
		c.Trust, c.Why = MutableThirdParty, "an image without a digest"
	case u.Kind == workflows.UsesTag:
		c.Trust, c.Why = MutableThirdParty, "pinned by the tag "+u.Ref+", which can be moved"
	default:
		c.Trust, c.Why = MutableThirdParty, "on the branch "+u.Ref+", which moves"
	}
	return c
}

// malicious reports whether the version is known to serve malicious code: a commit
// does for ever, a tag until it was put back.
func malicious(u *workflows.Uses) bool {
	version := ""
	if u.Comment != nil {
		version = u.Comment.Text
	}
	return slices.ContainsFunc(platform.LookupBad(u.FullName(), u.Ref, version), func(a platform.Advisory) bool {
		return a.Exact && strings.HasPrefix(a.Kind, "malicious") && (!a.Restored || u.Kind == workflows.UsesCommit)
	})
}

func imageCode(site Site, image *workflows.Scalar) *Code {
	c := &Code{Trust: MutableThirdParty, Name: "image " + image.Value, Site: site, Why: "an image without a digest"}
	switch {
	case strings.Contains(image.Value, "@sha256:"):
		c.Trust, c.Why = PinnedThirdParty, "an image by digest"
	case len(image.Exprs) > 0:
		c.Why = "an image named by an expression"
	}
	return c
}

// addCommand adds code that a command fetches when it runs.
func (j *Job) addCommand(p RunStep, c *workflows.Command) {
	site := Site{p.File, p.Step.Run.Span}
	if !c.Span.IsZero() {
		site.Span = c.Span
	}
	if name := PipedToShell(c); name != "" {
		j.add(&Code{Trust: FetchedCode, Name: name, Site: site, Via: p.Via, Why: "fetched when the job runs and executed unchecked"})
		return
	}
	words := c.Line
	info, ok := platform.LookupCommand(words)
	if !ok {
		return
	}
	switch info.Does {
	case "install":
		code := &Code{Name: strings.Join(words[:min(2, len(words))], " "), Site: site, Via: p.Via}
		if info.Locked {
			code.Trust, code.Why = PinnedThirdParty, "dependencies as locked in the repository"
		} else {
			code.Trust, code.Why = FetchedCode, "dependencies without a lock, resolved when the job runs"
		}
		j.add(code)
	case "agent":
		if j.Starter() >= platform.StartAnyone {
			j.add(&Code{Trust: AgentCode, Name: words[0], Site: site, Via: p.Via, Why: "an agent in a job that anyone can start"})
		}
	}
}

// addDownloads adds what scripts download to a file and run; what they pipe into an
// interpreter is added with its command.
func (j *Job) addDownloads(steps []RunStep) {
	list := make([]*workflows.Step, len(steps))
	for i, p := range steps {
		list[i] = p.Step
	}
	found := RunUnchecked(list)
	if len(steps) == len(j.Job.AllSteps()) {
		j.fetched, j.traced = found, true
	}
	for _, d := range found {
		i := slices.Index(list, d.Step)
		if RunBy(d.Fetch) == d.Run {
			continue
		}
		j.add(&Code{
			Trust: FetchedCode, Name: d.Name, Site: Site{steps[i].File, d.Fetch.Span}, Via: steps[i].Via,
			Why: "downloaded when the job runs and executed without a checksum or signature",
		})
	}
}

// addInjected adds what an outsider writes into scripts of the job.
func (j *Job) addInjected(s *flow.Sink) {
	worst := s.Worst()
	if worst.Who != platform.StartAnyone || worst.Start != platform.StartAnyone {
		return
	}
	switch s.Kind {
	case flow.SinkScript, flow.SinkScriptInput, flow.SinkShellCode:
		j.add(&Code{
			Trust: OutsiderCode, Name: "text of " + worst.Source, Site: Site{s.File, s.Span},
			Why: "an outsider's text is expanded into code",
		})
	case flow.SinkPrompt:
		j.add(&Code{
			Trust: AgentCode, Name: "an agent prompted with " + worst.Source, Site: Site{s.File, s.Span},
			Why: "an agent reads an outsider's text",
		})
	}
}
