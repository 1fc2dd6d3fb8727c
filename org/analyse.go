package org

import (
	"context"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/report"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// Limits of what is kept of one job.
const (
	maxCommandBytes = 200
	maxPackages     = 50
	// maxNest is how deep local actions are followed; GitHub allows ten.
	maxNest = 12
)

// analyse judges the files of one repository.
func analyse(ctx context.Context, key string, s *source, o Options) (*Analysis, error) {
	result := s.lint(ctx, o)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return analysisOf(key, result), nil
}

// lint runs the rules with the repository's own configuration. One that is wrong is
// listed as unread, and configures nothing.
func (s *source) lint(ctx context.Context, o Options) *lint.Result {
	repo, config, wrong := s.repository()
	if wrong == nil {
		wrong = config.CheckRules(o.Known)
	}
	if wrong != nil {
		repo.Unread = append(repo.Unread, workflows.Unread{Path: lint.ConfigPath, Reason: wrong.Error()})
		config = &lint.Config{}
	}
	return lint.Run(ctx, repo, o.lint(config))
}

// analysisOf keeps what a result says, less the texts that a finding asked to keep out.
func analysisOf(key string, result *lint.Result) *Analysis {
	repo, doc := result.Repository, result.Graph.Document(nil)
	a := &Analysis{Key: key, Jobs: []Job{}, Findings: []Finding{}, Pairs: doc.Pairs, Levers: doc.Levers}
	for i := range a.Levers {
		a.Levers[i].What = report.Mask(result, a.Levers[i].What)
	}
	for i, j := range result.Graph.Jobs {
		a.Jobs = append(a.Jobs, jobOf(result, j, doc.Jobs[i]))
	}
	for _, f := range repo.Files {
		if f.Action == nil {
			continue
		}
		a.Actions = append(a.Actions, Action{Dir: dirOf(f.Path), Uses: actionUses(repo, f, nil)})
	}
	for i := range result.Findings {
		a.Findings = append(a.Findings, findingOf(result, &result.Findings[i]))
	}
	a.Unread = unreadOf(repo)
	a.NotChecked = slices.Concat(result.NotChecked, result.Failures)
	return a
}

// lint makes the options of the engine for one configuration.
func (o Options) lint(config *lint.Config) lint.Options {
	l := lint.Options{Rules: o.Rules, Known: o.Known, Config: config, Today: o.Today}
	if config.MinSeverity == nil {
		low := reach.Low
		l.MinSeverity = &low
	}
	return l
}

func unreadOf(repo *workflows.Repository) []Unread {
	var out []Unread
	for _, u := range repo.Unread {
		out = append(out, Unread{u.Path, u.Reason})
	}
	for _, f := range repo.Files {
		if i := slices.IndexFunc(f.Problems, func(p workflows.Problem) bool { return p.Whole }); i >= 0 {
			out = append(out, Unread{f.Path, f.Problems[i].Message})
		}
	}
	slices.SortStableFunc(out, func(a, b Unread) int { return strings.Compare(a.Path, b.Path) })
	return out
}

func findingOf(r *lint.Result, f *lint.Finding) Finding {
	at := f.File.Position(f.Span.Start)
	out := Finding{
		Rule: f.Rule.ID, Severity: f.Severity.String(), Confidence: f.Confidence.String(), Path: f.File.Path, Line: at.Line, Column: at.Column,
		Message: report.Mask(r, f.Message), Next: report.Mask(r, f.Next), Fingerprint: f.Fingerprint,
	}
	if f.Job != nil {
		out.Job = f.Job.Job.ID
	}
	for _, c := range f.Exposure.Credentials {
		out.Credentials = append(out.Credentials, c.Name)
	}
	return out
}

// jobOf adds to a job's document what can be looked up. A job that calls a workflow of
// its own repository uses nothing itself: the called jobs do.
func jobOf(r *lint.Result, j *reach.Job, doc reach.DocumentJob) Job {
	doc.Sentence = report.Mask(r, doc.Sentence)
	for i := range doc.Code {
		doc.Code[i].Name = report.Mask(r, doc.Code[i].Name)
	}
	job := Job{DocumentJob: doc, Uses: []Use{}}
	for _, c := range j.Credentials {
		job.Inherits = job.Inherits || c.All
	}
	if r.Graph.Called(j) != nil {
		return job
	}
	for i, c := range j.Code {
		if u, ok := useOf(r.Repository, c.Site.File, c.Uses); ok {
			u.Place, u.Via = doc.Code[i].Place, doc.Code[i].Via
			job.Uses = append(job.Uses, u)
		}
	}
	for _, s := range r.Graph.RunSteps(j) {
		if s.Step.Run == nil {
			continue
		}
		for _, c := range s.Step.Run.Commands {
			if in, ok := installOf(c); ok {
				span := s.Step.Run.Span
				if !c.Span.IsZero() {
					span = c.Span
				}
				in.Command, in.Place = report.Mask(r, in.Command), placeOf(s.File, span)
				job.Installs = append(job.Installs, in)
			}
		}
	}
	return job
}

func placeOf(f *workflows.File, span workflows.Span) reach.DocumentPlace {
	p := f.Position(span.Start)
	return reach.DocumentPlace{Path: f.Path, Line: p.Line, Column: p.Column, Offset: p.Offset}
}

// useOf returns what a uses: names, without its place; false for local ones and those
// that nobody could look up.
func useOf(repo *workflows.Repository, f *workflows.File, u *workflows.Uses) (Use, bool) {
	switch {
	case u == nil:
		return Use{}, false
	case u.Image != "":
		return Use{Name: "docker://" + strings.ToLower(u.Image), Pinned: u.Digest != ""}, true
	case u.Owner == "":
		return Use{}, false
	}
	out := Use{Name: u.FullName(), Ref: u.Ref, Pinned: u.Kind == workflows.UsesCommit}
	if out.Pinned {
		out.Commit = strings.ToLower(u.Ref)
	} else if pin, ok := repo.Lock().Pinned(f.Path, u); ok {
		out.Locked, out.Commit = true, pin.Commit
	}
	return out, true
}

// actionUses returns what the steps of an action of the repository use, also through
// other local ones.
func actionUses(repo *workflows.Repository, f *workflows.File, via []reach.DocumentPlace) []Use {
	out := []Use{}
	for _, s := range f.Action.AllSteps() {
		if s.Uses == nil {
			continue
		}
		at := placeOf(f, s.Uses.Span)
		if u, ok := useOf(repo, f, s.Uses); ok {
			u.Place, u.Via = at, via
			out = append(out, u)
			continue
		}
		local := s.Uses.Kind == workflows.UsesLocal || s.Uses.Kind == workflows.UsesSelf
		if inner := repo.Action(s.Uses.Path); local && inner != nil && inner.Action != nil && len(via) < maxNest && inner != f {
			out = append(out, actionUses(repo, inner, append(slices.Clone(via), at))...)
		}
	}
	return out
}

// ecosystems are the types of package URLs, by what the platform's table says that an
// install opens.
var ecosystems = map[string]string{
	"npm": "npm", "pypi": "pypi", "crates": "cargo", "rubygems": "gem", "nuget": "nuget", "go": "golang", "packagist": "composer", "maven": "maven",
}

// installOf returns what a command installs, without its place.
func installOf(c *workflows.Command) (Install, bool) {
	if len(c.Line) == 0 {
		return Install{}, false
	}
	packages := packagesOf(c.Line[1:])
	if info, ok := platform.LookupCommand(c.Line); ok && info.Does == "install" {
		return Install{
			Ecosystem: ecosystems[info.Opens], Command: commandText(c.Line), Packages: packages, Locked: info.Locked, KeepsLock: info.KeepsLock,
		}, true
	}
	ecosystem := packageRunners[c.Line[0]]
	if ecosystem == "" || len(packages) == 0 {
		return Install{}, false
	}
	return Install{Ecosystem: ecosystem, Command: commandText(c.Line), Packages: packages[:1], KeepsLock: true}, true
}

// packageRunners install what they run, where the workspace does not have it.
var packageRunners = map[string]string{"npx": "npm", "pnpx": "npm", "bunx": "npm", "uvx": "pypi"}

func commandText(words []string) string {
	text := workflows.Printable(strings.Join(words, " "))
	if len(text) > maxCommandBytes {
		text = strings.ToValidUTF8(text[:maxCommandBytes], "") + "…"
	}
	return text
}

// subcommands are words of package managers that name no package.
var subcommands = []string{
	"install", "i", "add", "ci", "update", "up", "upgrade", "sync", "global", "pip", "tool", "get", "require", "restore", "exec", "run", "dlx", "x", "package",
	"clean-install", "rebuild", "wheel", "download", "workspaces", "focus", "fetch", "build", "mod",
}

// packagesOf returns the words of an install that may name packages: no flags, paths,
// addresses or subcommands.
func packagesOf(words []string) []string {
	var out []string
	for _, w := range words {
		w = strings.ReplaceAll(w, "==", "@")
		if w == "" || strings.ContainsAny(w[:1], "-./") || strings.ContainsAny(w, " \uFFFD$\\=:") || slices.Contains(subcommands, w) {
			continue
		}
		if len(out) < maxPackages && len(w) <= maxCommandBytes {
			out = append(out, w)
		}
	}
	return out
}
