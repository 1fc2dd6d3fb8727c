package lint

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

// An engine is one run over one repository.
type engine struct {
	ctx   context.Context
	repo  *workflows.Repository
	opts  Options
	graph *reach.Graph
	// gaps are the (rule, file) pairs that were not judged whole; the file is nil
	// for all files.
	gaps map[gap]bool
	out  *Result
}

// A gap says that a rule did not judge a file whole.
type gap struct {
	rule string
	file *workflows.File
}

// A task is one rule's look at one file, or at the repository when file is nil.
type task struct {
	rule  *Rule
	file  *workflows.File
	check func(*Pass)
}

// An outcome is what one task had to say.
type outcome struct {
	task       int
	findings   []Finding
	notChecked []string
	failures   []string
}

func run(ctx context.Context, repo *workflows.Repository, o Options) *Result {
	e := newEngine(ctx, repo, o)
	findings := e.collect(e.perform(e.tasks(), nil))
	setFingerprints(findings)
	sups := e.suppressions()
	findings = e.suppress(findings, sups)
	e.judge(sups)
	own := slices.DeleteFunc(sups, func(s *Suppression) bool { return s.inherited })
	extra := e.collect(e.perform(e.suppressionTasks(), own))
	setFingerprints(extra)
	e.finish(append(findings, extra...))
	return e.out
}

func newEngine(ctx context.Context, repo *workflows.Repository, o Options) *engine {
	if o.Config == nil {
		o.Config = &Config{}
	}
	if o.Known == nil {
		o.Known = o.Rules
	}
	if o.Resolver == nil {
		o.Resolver = Offline{}
	}
	o.Strict = o.Strict || o.Config.Strict
	if o.MinSeverity == nil {
		o.MinSeverity = o.Config.MinSeverity
	}
	if o.Graph == nil {
		o.Graph = reach.Build(repo)
	}
	e := &engine{ctx: ctx, repo: repo, gaps: map[gap]bool{}, graph: o.Graph}
	e.out = &Result{Repository: repo, Graph: e.graph, config: o.Config}
	o.Rules = slices.DeleteFunc(slices.Clone(o.Rules), func(r *Rule) bool {
		why := o.Config.disables(r)
		if why != "" {
			e.out.NotChecked = append(e.out.NotChecked, r.ID+": "+why)
		}
		return why != ""
	})
	if o.Config.unread != "" {
		e.out.NotChecked = append(e.out.NotChecked, unreadNote+o.Config.unread)
	}
	e.opts = o
	return e
}

// tasks returns what is to be done. The rules that look at the whole repository
// come first: they take longest, and nothing waits for them.
func (e *engine) tasks() []task {
	var ts []task
	for _, r := range e.opts.Rules {
		if r.CheckRepository != nil {
			ts = append(ts, task{rule: r, check: r.CheckRepository})
		}
	}
	for _, f := range e.repo.Files {
		for _, r := range e.opts.Rules {
			if r.Check != nil && e.asked(f) {
				ts = append(ts, task{rule: r, file: f, check: r.Check})
			}
		}
	}
	return ts
}

func (e *engine) suppressionTasks() []task {
	var ts []task
	for _, r := range e.opts.Rules {
		if r.CheckSuppressions != nil {
			ts = append(ts, task{rule: r, check: r.CheckSuppressions})
		}
	}
	return ts
}

// perform runs the tasks on every processor and returns what they said in the
// order of tasks, so that the result does not depend on the scheduler.
func (e *engine) perform(ts []task, sups []*Suppression) []outcome {
	workers := min(runtime.GOMAXPROCS(0), len(ts))
	said := make([][]outcome, workers)
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			j := newJudge(e, sups)
			for e.ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(ts) {
					return
				}
				if o := j.do(ts[i]); !o.empty() {
					o.task = i
					said[w] = append(said[w], o)
				}
			}
		})
	}
	wg.Wait()
	all := slices.Concat(said...)
	slices.SortFunc(all, func(a, b outcome) int { return cmp.Compare(a.task, b.task) })
	for _, o := range all {
		if len(o.notChecked)+len(o.failures) > 0 {
			e.gaps[gap{ts[o.task].rule.ID, ts[o.task].file}] = true
		}
	}
	return all
}

func (o outcome) empty() bool {
	return len(o.findings)+len(o.notChecked)+len(o.failures) == 0
}

// A judge runs tasks one after the other and shows each rule the same pass.
type judge struct {
	*engine
	pass *Pass
	now  task
	said outcome
}

func newJudge(e *engine, sups []*Suppression) *judge {
	j := &judge{engine: e}
	j.pass = &Pass{
		Context: e.ctx, Repository: e.repo, Graph: e.graph,
		NetworkFixes: e.opts.NetworkFixes, Online: e.opts.Online, Strict: e.opts.Strict, Config: e.opts.Config, Today: e.opts.Today, Suppressions: sups,
		report: j.report, notChecked: j.notChecked,
	}
	j.pass.Resolver = noting{e.opts.Resolver, j.pass}
	return j
}

// do runs one task. It is the one place of lint that recovers from a panic: a
// repository has thousands of files that nobody here has seen, and a rule that
// breaks on one of them must not take away what all others found. What the rule
// reported before it broke is kept, and the failure makes the run incomplete, so
// that it is never mistaken for a clean one.
func (j *judge) do(t task) (o outcome) {
	j.now, j.said = t, outcome{}
	j.pass.Rule, j.pass.File = t.rule, t.file
	defer func() {
		if r := recover(); r != nil {
			j.fail("%v", r)
		}
		o = j.said
	}()
	t.check(j.pass)
	return j.said
}

func (j *judge) report(f Finding) {
	if f.File == nil {
		f.File = j.now.file
	}
	if why := misplaced(f); why != "" {
		j.fail("%s", why)
		return
	}
	f.Rule = j.now.rule
	j.said.findings = append(j.said.findings, f)
}

func (j *judge) notChecked(why string) {
	j.said.notChecked = append(j.said.notChecked, j.now.rule.ID+": "+oneLine(why))
}

func (j *judge) fail(format string, a ...any) {
	where := "the repository"
	if j.now.file != nil {
		where = j.now.file.Path
	}
	j.said.failures = append(j.said.failures, fmt.Sprintf("rule %s failed on %s: %s", j.now.rule.ID, where, oneLine(fmt.Sprintf(format, a...))))
}

// misplaced says why a finding has no place that a report could show.
func misplaced(f Finding) string {
	if f.File == nil {
		return "a finding names no file"
	}
	whole := workflows.Span{End: len(f.File.Source)}
	if f.Span.Len() < 0 || !whole.Contains(f.Span) {
		return fmt.Sprintf("a finding in %s lies outside the file", f.File.Path)
	}
	for _, r := range f.Related {
		if r.File == nil || r.Span.Len() < 0 || r.Span.Start < 0 || r.Span.End > len(r.File.Source) {
			return fmt.Sprintf("a finding in %s has a related place outside its file", f.File.Path)
		}
	}
	return ""
}

// collect grades, folds and sorts the findings of the outcomes and keeps their
// notes in the result.
func (e *engine) collect(said []outcome) []Finding {
	var fs []Finding
	for _, o := range said {
		e.out.NotChecked = append(e.out.NotChecked, o.notChecked...)
		e.out.Failures = append(e.out.Failures, o.failures...)
		for _, f := range o.findings {
			if e.asked(f.File) {
				fs = append(fs, e.complete(f))
			}
			if f.Redact {
				e.out.Redacted = append(e.out.Redacted, reach.Site{File: f.File, Span: f.Span})
			}
		}
	}
	return fold(fs)
}

// complete sets what a rule may leave out, the severity, and the notes on debt.
func (e *engine) complete(f Finding) Finding {
	e.trust(&f)
	f.Severity = max(reach.Grade(f.Exposure), f.Floor)
	if f.Ceiling != nil {
		f.Severity = min(f.Severity, *f.Ceiling)
	}
	if f.Confidence == 0 {
		f.Confidence = f.Rule.Confidence
	}
	if f.Next == "" {
		f.Next = fmt.Sprintf("run `stint explain %s`", f.Rule.ID)
	}
	f.Strict = f.Strict || f.Rule.Audience == Strict
	f.Related = slices.Concat(f.Related, e.opts.Config.debtNotes(f.Exposure.Credentials))
	return f
}

// trust judges the code of a trusted owner as that of the repository's own
// organization. A version known to be malicious stays what it is.
func (e *engine) trust(f *Finding) {
	if f.Code == nil || f.Code.Uses == nil || f.Exposure.Steer != f.Code.Trust || f.Code.Trust > reach.MutableThirdParty || f.Code.Trust <= reach.SameOwner {
		return
	}
	if _, ok := slices.BinarySearch(e.opts.Config.TrustedOwners, strings.ToLower(f.Code.Uses.Owner)); !ok {
		return
	}
	code := *f.Code // the graph's own is shared
	code.Trust, code.Why = reach.SameOwner, "an owner that the configuration trusts"
	f.Code, f.Exposure.Steer = &code, reach.SameOwner
}

// finish filters, sorts and stores the findings.
func (e *engine) finish(fs []Finding) {
	for _, f := range fs {
		switch {
		case f.Strict && !e.opts.Strict:
			e.out.StrictOnly++
		case e.opts.MinSeverity != nil && f.Severity < *e.opts.MinSeverity:
			e.out.Below++
		default:
			e.out.Findings = append(e.out.Findings, f)
		}
	}
	slices.SortStableFunc(e.out.Findings, byPlace)
	if err := context.Cause(e.ctx); err != nil {
		e.out.Failures = append(e.out.Failures, "the run ended before all rules had run: "+oneLine(err.Error()))
	}
	slices.Sort(e.out.Failures)
	slices.Sort(e.out.NotChecked)
	e.out.NotChecked = slices.Compact(e.out.NotChecked)
}

// byPlace is the one total order of findings.
func byPlace(a, b Finding) int {
	return cmp.Or(
		strings.Compare(a.File.Path, b.File.Path),
		cmp.Compare(a.Span.Start, b.Span.Start),
		strings.Compare(a.Rule.ID, b.Rule.ID),
		strings.Compare(a.Message, b.Message),
		cmp.Compare(a.Span.End, b.Span.End),
	)
}

// fold leaves one finding of a rule at a place, the worst: a YAML alias shows the
// same bytes to a rule once for each use. Findings without a place are the same
// when they say the same. The result is in total order.
func fold(fs []Finding) []Finding {
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return cmp.Or(
			strings.Compare(a.File.Path, b.File.Path),
			strings.Compare(a.Rule.ID, b.Rule.ID),
			cmp.Compare(a.Span.Start, b.Span.Start),
			cmp.Compare(a.Span.End, b.Span.End),
			cmp.Compare(b.Severity, a.Severity),
			cmp.Compare(b.Confidence, a.Confidence),
			strings.Compare(a.Message, b.Message),
		)
	})
	fs = slices.CompactFunc(fs, func(a, b Finding) bool {
		return a.File.Path == b.File.Path && a.Rule.ID == b.Rule.ID && a.Span == b.Span &&
			(!a.Span.IsZero() || a.Message == b.Message)
	})
	slices.SortStableFunc(fs, byPlace)
	return fs
}

// asked reports whether findings of the file are wanted. What could not be read is
// listed only when it was asked for.
func (e *engine) asked(f *workflows.File) bool {
	return e.repo.Asked(f.Path) || slices.ContainsFunc(e.repo.Unread, func(u workflows.Unread) bool { return u.Path == f.Path })
}

// maxNoteBytes is the longest text of a failure or note that is kept.
const maxNoteBytes = 300

// oneLine makes text that may come from anywhere fit for one line of a report.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "�")), " ")
	if len(s) > maxNoteBytes {
		s = strings.ToValidUTF8(s[:maxNoteBytes], "") + "…"
	}
	return s
}
