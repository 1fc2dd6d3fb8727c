package cachepoisoning

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/reach/flow"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// A reader is a job with something to lose that restores caches.
type reader struct {
	job      *reach.Job
	restored []restore
	// holds is the job whose credentials an outsider could take: this one or, where it has
	// none, the one that gives out what it builds.
	holds *reach.Job
	// gives is the job that gives away, under the repository's name, what is built on a
	// cache to which other runs write: this one, or one that takes its artifacts. A
	// registry or bucket takes a credential for that. It is nil when there is none.
	gives *reach.Job
}

// A restore is a step that restores a cache; at is its uses: in the job's file.
type restore struct {
	file  *workflows.File
	step  *workflows.Step
	at    reach.Site
	store platform.CacheStore
}

func (s restore) name() string { return s.step.Uses.Value }

func (s restore) related(j *reach.Job) lint.Related {
	return lint.Related{File: s.file, Span: s.step.Uses.Span, Text: fmt.Sprintf("%s restores a cache in job %s", s.name(), j.Job.ID)}
}

// readerOf returns the job as a reader of caches, or nil when it restores none in a
// run that has anything to lose.
func readerOf(g *reach.Graph, job *reach.Job) *reader {
	if job.Job.Uses != nil || !mode(job).Reads() {
		return nil
	}
	r := &reader{job: job, holds: job, gives: job}
	if !gives(job) || !loses(job) {
		r.gives = taker(g, job)
	}
	if !loses(job) {
		r.holds = r.gives
	}
	if r.holds == nil {
		return nil
	}
	for _, s := range g.RunSteps(job) {
		if store := restores(s.Step); store != platform.NoCache && trusted(g, job, s) {
			at := reach.Site{File: s.File, Span: s.Step.Uses.Span}
			if len(s.Via) > 0 {
				at = s.Via[0]
			}
			r.restored = append(r.restored, restore{s.File, s.Step, at, store})
		}
	}
	if len(r.restored) == 0 {
		return nil
	}
	if !slices.ContainsFunc(r.restored, func(s restore) bool { return s.store == platform.PlatformCache }) {
		r.gives = nil // no other run writes what it restores
	}
	return r
}

func loses(job *reach.Job) bool {
	return job.Exposure(reach.OwnCode).Stake() >= reach.WriteAtStake && !onlyDefault(job)
}

// taker returns the job that publishes or deploys what another one of its workflow uploads:
// it needs that job and takes its artifacts.
func taker(g *reach.Graph, built *reach.Job) *reach.Job {
	if len(artifacts(g, built, func(info platform.ActionInfo, _ string) bool { return info.Upload })) == 0 {
		return nil
	}
	for _, job := range g.Jobs {
		if job.Job.Workflow == built.Job.Workflow && needs(job.Job, built.Job) && gives(job) && loses(job) && takes(g, built, job) {
			return job
		}
	}
	return nil
}

func gives(job *reach.Job) bool {
	return slices.Contains(job.Autonomy, "publishes") || slices.Contains(job.Autonomy, "deploys")
}

// takes reports whether a job downloads an artifact that the other one may have uploaded.
func takes(g *reach.Graph, built, job *reach.Job) bool {
	up := artifacts(g, built, func(info platform.ActionInfo, _ string) bool { return info.Upload })
	down := artifacts(g, job, func(_ platform.ActionInfo, name string) bool {
		_, ok := platform.LookupArtifactDownload(name)
		return ok
	})
	return slices.ContainsFunc(down, func(d string) bool {
		return slices.ContainsFunc(up, func(u string) bool { return mayMatch(d, u) })
	})
}

// mayMatch reports whether a name or pattern of a download can be that of an upload, by
// what stands before their first expression or asterisk.
func mayMatch(down, up string) bool {
	d, wholeDown := constant(down)
	u, wholeUp := constant(up)
	switch {
	case wholeDown && wholeUp:
		return d == u
	case wholeDown:
		return strings.HasPrefix(d, u)
	case wholeUp:
		return strings.HasPrefix(u, d)
	}
	return strings.HasPrefix(d, u) || strings.HasPrefix(u, d)
}

func constant(name string) (prefix string, whole bool) {
	if i := strings.IndexAny(name, "$*?[{"); i >= 0 {
		return name[:i], false
	}
	return name, true
}

// artifacts returns the names that the steps of a job that match give an artifact, as
// written; "*" for a download of all of them.
func artifacts(g *reach.Graph, job *reach.Job, match func(platform.ActionInfo, string) bool) []string {
	var out []string
	for _, s := range g.RunSteps(job) {
		if s.Step.Uses == nil {
			continue
		}
		name := s.Step.Uses.FullName()
		if info, _ := platform.LookupAction(name); match(info, name) {
			named := s.Step.With.Get("name")
			if named == nil {
				named = s.Step.With.Get("pattern")
			}
			text := named.String()
			if text == "" {
				text = "*"
			}
			out = append(out, text)
		}
	}
	return out
}

// needs reports whether a job waits for another one, directly or through others.
func needs(j, other *workflows.Job) bool {
	seen := map[*workflows.Job]bool{}
	var walk func(j *workflows.Job) bool
	walk = func(j *workflows.Job) bool {
		if seen[j] {
			return false
		}
		seen[j] = true
		return slices.ContainsFunc(j.Workflow.Jobs, func(before *workflows.Job) bool {
			return slices.ContainsFunc(j.Needs, func(n *workflows.Scalar) bool { return strings.EqualFold(n.Value, before.ID) }) &&
				(before == other || walk(before))
		})
	}
	return walk(j)
}

// onlyDefault reports whether all that a job could lose is a token whose rights no
// file states: what is lost there is the matter of another rule.
func onlyDefault(job *reach.Job) bool {
	return !slices.ContainsFunc(job.Credentials, func(c *reach.Credential) bool { return c.Writes && !c.Default })
}

func restores(s *workflows.Step) platform.CacheStore {
	if s.Uses == nil {
		return platform.NoCache
	}
	comment := ""
	if s.Uses.Comment != nil {
		comment = s.Uses.Comment.Text
	}
	return platform.RestoresCache(s.Uses.FullName(), s.Uses.Ref, comment, func(name string) (string, bool) {
		v := s.With.Get(name)
		if v == nil {
			return "", true
		}
		text, ok := v.Const()
		return text, ok
	})
}

// trusted reports whether the step runs under an event that has the repository's
// credentials, past the conditions of the job's own step around it.
func trusted(g *reach.Graph, job *reach.Job, s reach.RunStep) bool {
	own := s.Step
	if len(s.Via) > 0 {
		i := slices.IndexFunc(job.Job.AllSteps(), func(o *workflows.Step) bool { return o.Uses != nil && o.Uses.Span == s.Via[0].Span })
		if i < 0 {
			return true
		}
		own = job.Job.AllSteps()[i]
	}
	return slices.ContainsFunc(g.Flow.StepEvents(job.Job, own), func(e flow.Event) bool {
		info, _ := platform.LookupEvent(e.Name)
		return info.Starter != platform.StartForkSandboxed
	})
}

// mode returns the cache-mode that is stated for a job, "" for none. A called
// workflow gets no more than its caller has.
func mode(job *reach.Job) platform.CacheMode {
	m := stated(job.Job)
	for _, c := range job.Callers {
		if of := stated(c.Job); of != "" && (m == "" || m.Writes() && !of.Writes() || m.Reads() && !of.Reads()) {
			m = of
		}
	}
	return m
}

func stated(j *workflows.Job) platform.CacheMode {
	switch {
	case j.CacheMode != nil:
		return platform.CacheMode(j.CacheMode.Value)
	case j.Workflow.CacheMode != nil:
		return platform.CacheMode(j.Workflow.CacheMode.Value)
	}
	return ""
}

// A writer is code in a job that can write entries which the default branch restores.
type writer struct {
	job     *reach.Job
	code    *reach.Code
	event   string
	trigger reach.Site
	// explicit is set where a stated cache-mode lets an outsider's run write, and
	// stopped where the platform by its default does not.
	explicit, stopped bool
}

// worse orders writers: those that nothing stops first, then by their code.
func (w *writer) worse(other *writer) bool {
	if other == nil || w.stopped != other.stopped {
		return other == nil || other.stopped
	}
	return w.code.Trust > other.code.Trust
}

// worstWriter returns the worst of the other jobs of the repository that can write
// what the reader restores, or nil. Any code in a job with a token for the cache can
// write any key, whether its steps use a cache or not.
func (r *reader) worstWriter(g *reach.Graph) *writer {
	var worst *writer
	for _, job := range g.Jobs {
		if job == r.job || job.Job.Uses != nil {
			continue
		}
		for _, e := range g.Flow.Events(job.Job) {
			if w := r.writerUnder(job, e); w != nil && r.matters(w) && w.worse(worst) {
				worst = w
			}
		}
	}
	return worst
}

// matters reports whether a writer's code is less trusted than what runs in the
// reading job anyway; short of an outsider's it does for a release only.
func (r *reader) matters(w *writer) bool {
	return w.explicit || w.code.Trust >= reach.OutsiderCode || r.gives != nil && w.code.Trust > r.job.Trust()
}

func (r *reader) writerUnder(job *reach.Job, e flow.Event) *writer {
	m := mode(job)
	if !platform.SharesCache(e.Name) || tagsOnly(e.Trigger) || m != "" && !m.Writes() {
		return nil
	}
	w := &writer{job: job, event: e.Name, trigger: reach.Site{File: e.File, Span: e.Trigger.Span}}
	if w.code = codeUnder(job, e); w.code == nil {
		return nil
	}
	if platform.CacheReadOnly(e.Name) {
		w.explicit = m.Writes() && e.Who == platform.StartAnyone
		w.stopped = m == "" && !r.elsewhere(job)
		if w.stopped && w.code.Trust < reach.OutsiderCode {
			return nil
		}
	}
	return w
}

// elsewhere reports whether both jobs use a cache of another service, which knows
// nothing of the platform's events.
func (r *reader) elsewhere(job *reach.Job) bool {
	other := func(s restore) bool { return s.store == platform.OtherCache }
	return slices.ContainsFunc(r.restored, other) && slices.ContainsFunc(job.Job.AllSteps(), func(s *workflows.Step) bool {
		return restores(s) == platform.OtherCache
	})
}

// codeUnder returns the worst code of a run of the event: an outsider's only where
// the outsider can start it.
func codeUnder(job *reach.Job, e flow.Event) *reach.Code {
	for _, c := range job.Code {
		if e.Who == platform.StartAnyone || c.Trust < reach.AgentCode || c.Trust == reach.MaliciousCode {
			return c
		}
	}
	return nil
}

// tagsOnly reports whether a push trigger is for tags alone: a tag's scope is its own.
func tagsOnly(t *workflows.Trigger) bool {
	return t.Event == "push" && len(t.Branches)+len(t.BranchesIgnore) == 0 && len(t.Tags)+len(t.TagsIgnore) > 0
}

// openEvent returns an event by which anyone starts the job and under which the
// platform only lets it read caches, or "".
func openEvent(g *reach.Graph, job *reach.Job) string {
	for _, e := range g.Flow.Events(job.Job) {
		if e.Who == platform.StartAnyone && platform.CacheReadOnly(e.Name) {
			return e.Name
		}
	}
	return ""
}

// worstReader returns the reader with the most to lose besides the writing job.
func worstReader(g *reach.Graph, writing *reach.Job) *reader {
	var worst *reader
	for _, job := range g.Jobs {
		if job == writing {
			continue
		}
		r := readerOf(g, job)
		if r != nil && (worst == nil || r.holds.Exposure(reach.OutsiderCode).Stake() > worst.holds.Exposure(reach.OutsiderCode).Stake()) {
			worst = r
		}
	}
	return worst
}
