package migrate

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// Actions plans to put stint's action in the place of other credential actions, in
// the asked files of a repository. The error is about the grant file as it is.
func Actions(g *reach.Graph, opts Options) (*Plan, error) {
	file, err := openGrantFile(opts.Grants, opts.Providers)
	if err != nil {
		return nil, err
	}
	m := &mover{opts: opts, graph: g, grants: file, plan: &Plan{}, files: map[*workflows.File]*edited{}}
	for _, f := range g.Repository.Files {
		if g.Repository.Asked(f.Path) {
			m.composite(f)
		}
	}
	for _, job := range g.Jobs {
		if !g.Repository.Asked(job.File.Path) {
			continue
		}
		for _, s := range job.Job.AllSteps() {
			if f, ok := formOf(s); ok {
				m.step(job, s, f)
			}
		}
	}
	return m.finish()
}

// A mover makes one plan.
type mover struct {
	opts   Options
	graph  *reach.Graph
	grants *grantFile
	plan   *Plan
	files  map[*workflows.File]*edited
}

// note adds a note about a step.
func (m *mover) note(kind NoteKind, f *workflows.File, s *workflows.Step, about, text, next string) {
	m.plan.Notes = append(m.plan.Notes, Note{kind, f.Path, f.Position(s.Span.Start).Line, oneLine(about), oneLine(text), oneLine(next)})
}

func (m *mover) edited(f *workflows.File) *edited {
	if m.files[f] == nil {
		m.files[f] = &edited{file: f}
	}
	return m.files[f]
}

// composite says of the steps of an action that they are no job's.
func (m *mover) composite(f *workflows.File) {
	if f.Action == nil {
		return
	}
	for _, s := range f.Action.AllSteps() {
		if _, ok := formOf(s); ok {
			m.note(Left, f, s, s.Uses.Name(), "the step is in an action, and a grant belongs to a job", "move the step into the jobs that use the action, then run this again")
		}
	}
}

// step rewrites one step, or says why not.
func (m *mover) step(job *reach.Job, s *workflows.Step, f form) {
	name := s.Uses.Name()
	if p := m.rewrite(job, s, f); p != nil {
		m.note(Left, job.File, s, name, p.text, p.next)
	}
}

func (m *mover) rewrite(job *reach.Job, s *workflows.Step, f form) *problem {
	in := &inputs{opts: m.opts, job: job.Job, step: s}
	for _, key := range f.static {
		if in.raw(key) != "" {
			return stop("stint migrate keys plans how to leave it", "it logs in with a stored key")
		}
	}
	b := f.read(in)
	in.rest()
	if in.bad != nil {
		return in.bad
	}
	if p := m.fits(job, s, b); p != nil {
		return p
	}
	w, p := m.opts.whoOf(m.graph, job)
	if p != nil {
		return p
	}
	d := m.draft(job, w, b)
	count := len(m.grants.added)
	grantName, err := m.grants.add(d, m.opts.Check)
	if err != nil {
		return asProblem(err)
	}
	edits, p := m.replace(job, s, grantName)
	if p == nil {
		if err := m.edited(job.File).add(edits); err != nil {
			p = stop("rewrite the step by hand", "the step cannot be edited: %s", err)
		}
	}
	if p != nil {
		if len(m.grants.added) > count {
			m.grants.drop()
		}
		return p
	}
	m.moved(job, s, grantName, in, w)
	return nil
}

// moved notes what a person has to know of a step that was rewritten.
func (m *mover) moved(job *reach.Job, s *workflows.Step, grantName string, in *inputs, w who) {
	m.plan.Moved++
	about := "grant " + grantName
	for _, what := range in.fills {
		m.note(FillIn, job.File, s, about, what, "")
	}
	if w.open {
		m.note(FillIn, job.File, s, about, "ref: the branch or tag that needs it; the workflow runs on any", "")
	}
	for _, text := range slices.Concat(in.differ, w.notes) {
		m.note(Differs, job.File, s, about, text, "")
	}
}

// asProblem keeps the next step of an error.
func asProblem(err error) *problem {
	var next interface{ NextStep() string }
	if errors.As(err, &next) {
		return &problem{err.Error(), next.NextStep()}
	}
	return &problem{err.Error(), "write the grant by hand"}
}

func (m *mover) draft(job *reach.Job, w who, b block) *draft {
	title := job.Job.ID
	if job.Job.Name != nil {
		if name, constant := job.Job.Name.Const(); constant {
			title = oneLine(name)
		}
	}
	return &draft{
		name:   nameFor(job.Job.ID, job.File.Path, b.provider, m.grants.names),
		intent: fmt.Sprintf("job %s of %s", title, job.File.Path),
		owner:  m.opts.Owner, who: w, block: b,
	}
}

// fits reports what stands against another action in the place of a step: outputs
// that are used, a grant file that is not checked out, tools that it had logged in.
func (m *mover) fits(job *reach.Job, s *workflows.Step, b block) *problem {
	if shared(job, s) {
		return stop("write it out where the alias stands, then run this again", "another step repeats a part of it through an alias")
	}
	if used := outputsUsed(job, s); used != "" {
		return stop("take the value from a variable or write it out, then run this again", "its outputs are used: %s", used)
	}
	if p := checkedOut(job.Job, s); p != nil {
		return p
	}
	if b.provider == "azure" {
		return azureTools(m.graph, job, s)
	}
	return nil
}

// shared reports whether another step of the file takes a part of this one through an
// alias or a merge: an edit would change both.
func shared(job *reach.Job, s *workflows.Step) bool {
	for _, j := range job.Job.Workflow.Jobs {
		for _, other := range j.AllSteps() {
			if other == s {
				continue
			}
			for _, e := range slices.Concat(other.With.All(), other.Env.All()) {
				if s.Span.Contains(e.Value.Span) {
					return true
				}
			}
			if other.Span == s.Span || other.Uses != nil && s.Span.Contains(other.Uses.Span) {
				return true
			}
		}
	}
	return false
}

// outputsUsed lists the outputs of a step that its job refers to.
func outputsUsed(job *reach.Job, s *workflows.Step) string {
	if s.ID == nil {
		return ""
	}
	id := regexp.QuoteMeta(s.ID.Value)
	form := regexp.MustCompile(`(?i)steps\s*(?:\.\s*` + id + `\b|\[\s*'` + id + `'\s*\])\s*(?:\.\s*outputs\b|\[\s*'outputs'\s*\])\s*[.\[]?\s*'?([A-Za-z0-9_*-]*)`)
	var names []string
	for _, found := range form.FindAllStringSubmatch(job.File.Text(job.Job.Span), -1) {
		if !slices.Contains(names, found[1]) {
			names = append(names, found[1])
		}
	}
	return strings.Join(names, ", ")
}

// checkedOut demands that a step before has put the grant file into the workspace.
func checkedOut(j *workflows.Job, s *workflows.Step) *problem {
	for _, before := range j.AllSteps() {
		if before.Span.Start >= s.Span.Start {
			break
		}
		if before.Uses == nil || before.Uses.FullName() != "actions/checkout" {
			continue
		}
		repository, path := before.With.Get("repository"), before.With.Get("path")
		if path == nil && (repository == nil || strings.Contains(repository.Value, "github.repository")) {
			return nil
		}
	}
	return stop("put actions/checkout before it: the grant is read from the workspace", "the repository is not checked out before it")
}

// azureTools looks for what needs the Azure command line to be logged in.
func azureTools(g *reach.Graph, job *reach.Job, s *workflows.Step) *problem {
	const next = "keep this step, or log in by az login --federated-token in the step that needs it"
	for _, r := range g.RunSteps(job) {
		later := r.Step
		if len(r.Via) == 0 && later.Span.Start <= s.Span.Start {
			continue
		}
		if later.Uses != nil && strings.EqualFold(later.Uses.Owner, "azure") && later.Uses.FullName() != "azure/login" {
			return stop(next, "%s needs the Azure command line that it logs in", later.Uses.FullName())
		}
		if later.Run != nil && slices.ContainsFunc(later.Run.Commands, func(c *workflows.Command) bool { return c.Name == "az" }) {
			return stop(next, "a later step runs az, which it logs in")
		}
	}
	return nil
}

// replace returns the edits that put stint's action in the place of a step's, with
// the permission that it needs.
func (m *mover) replace(job *reach.Job, s *workflows.Step, grantName string) ([]workflows.Edit, *problem) {
	f, u := job.File, s.Uses
	const next = "rewrite the step by hand"
	if u.RefSpan.IsZero() || u.Style == workflows.Literal || u.Style == workflows.Folded || !s.Span.Contains(u.Span) {
		return nil, stop(next, "its uses: is not written in one place")
	}
	start := u.Span.Start
	if u.Style != workflows.Plain {
		start++
	}
	edits, ok := f.SetRef(u, m.opts.Ref, m.opts.Version)
	if !ok {
		return nil, stop(next, "its uses: cannot be replaced")
	}
	edits = append(edits, workflows.Edit{Span: workflows.Span{Start: start, End: u.RefSpan.Start}, New: DefaultUses + "@"})
	var old []string
	for _, e := range s.With.All() {
		old = append(old, e.Key.Value)
	}
	with, ok := f.SwapStepWith(s, old, []workflows.Setting{{Key: "grant", Text: grantName}})
	if !ok {
		return nil, stop(next, "its with: is not written in lines of its own")
	}
	allow, p := m.allow(job)
	return slices.Concat(edits, with, allow), p
}

// allow returns the edits that let a job ask for an id-token; its other permissions stay.
func (m *mover) allow(job *reach.Job) ([]workflows.Edit, *problem) {
	if job.Token.Of("id-token") == workflows.AccessWrite {
		return nil, nil
	}
	pass := &lint.Pass{File: job.File, Graph: m.graph}
	edits, ok := pass.AllowIDToken(job)
	if !ok {
		return nil, stop("state the job's permissions with id-token: write (in a called workflow the caller's too), then run this again",
			"the job has no id-token: write, and adding it could take away other permissions")
	}
	return edits, nil
}

// finish puts the changes together.
func (m *mover) finish() (*Plan, error) {
	for _, f := range m.graph.Repository.Files {
		if e := m.files[f]; e != nil {
			c, err := e.change()
			if err != nil {
				return nil, err
			}
			if c != nil {
				m.plan.Changes = append(m.plan.Changes, c)
			}
		}
	}
	c, err := m.grants.change()
	if err != nil {
		return nil, err
	}
	if c != nil {
		m.plan.Changes = append(m.plan.Changes, c)
	}
	for _, d := range m.grants.added {
		m.plan.Grants = append(m.plan.Grants, d.name)
	}
	m.plan.Notes = sortNotes(m.plan.Notes)
	return m.plan, nil
}
