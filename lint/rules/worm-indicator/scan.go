package wormindicator

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// A scanner looks for shapes in the steps of one job or action.
type scanner struct {
	p      *lint.Pass
	job    *reach.Job // nil for an action that no workflow here uses
	steps  []*workflows.Step
	action *workflows.Action // nil for a job
	trace  *tracer
	// sentTo holds the secrets that went to each host.
	sentTo map[string]cargo
	// staged is set when a file with every secret in it was added to git's index.
	staged bool
	signs  []sign
}

func scan(p *lint.Pass, job *reach.Job, steps []*workflows.Step, action *workflows.Action) []sign {
	s := &scanner{p: p, job: job, steps: steps, action: action, trace: &tracer{files: map[string]cargo{}, fetched: map[string]bool{}, source: p.File.Text}, sentTo: map[string]cargo{}}
	for _, step := range steps {
		s.step(step)
	}
	s.backdoor()
	s.onlySends()
	s.runsOneFile()
	s.trackingID()
	return s.signs
}

func (s *scanner) add(kind string, w weight, span workflows.Span, format string, a ...any) {
	confidence := lint.HighConfidence
	if w < enough {
		confidence = lint.MediumConfidence
	}
	s.signs = append(s.signs, sign{kind: kind, weight: w, text: fmt.Sprintf(format, a...), confidence: confidence, span: span, job: s.job})
}

func (s *scanner) step(step *workflows.Step) {
	env := step.Env.All()
	if s.action == nil {
		env = s.job.Job.EffectiveEnv(step)
	}
	switch {
	case step.Uses != nil:
		s.uses(step, env)
	case step.Run == nil:
	case step.Run.Shell == workflows.ShellPOSIX && step.Run.Err == nil:
		s.trace.enter(env, step.Run)
		for _, c := range step.Run.Commands {
			s.trace.follow(c)
			s.command(c)
		}
		s.remoteControl(step.Run)
	default:
		s.text(env, step.Run.Scalar)
	}
}

func (s *scanner) command(c *workflows.Command) {
	for _, r := range s.trace.requests(c) {
		s.request(c, r)
	}
	s.printed(c)
	s.blob(c)
	s.memory(c)
	s.inline(c)
	s.remoteShell(c)
	s.committed(c)
	s.fetchedFromDrop(c)
	s.preload(c)
	if name := c.Name; (name == "npx" || name == "bunx") && s.mints() && slices.ContainsFunc(c.Args(), isGitHubPackage) {
		s.add("package from a commit", part, c.Span, "%s runs a package straight from a GitHub commit, in a job that may ask for an id-token", name)
	}
}

func isGitHubPackage(w workflows.Word) bool {
	return strings.HasPrefix(w.Text, "github:") && strings.Contains(w.Text, "#")
}

func (s *scanner) mints() bool {
	return s.job != nil && s.job.Token.Of("id-token") == workflows.AccessWrite
}

// request judges what is sent where.
func (s *scanner) request(c *workflows.Command, r request) {
	load := r.body.with(r.headers)
	if load.empty() || r.host != "" && isNear(r.host) {
		return
	}
	switch { // no host is named: a report would make a link of it
	case load.all:
		s.add("all sent", enough, c.Span, "every secret is sent to another host by %s", name(c))
	case load.found:
		s.add("found sent", enough, c.Span, "what a search for tokens turns up is sent to another host by %s", name(c))
	case load.mass():
		s.add("environment sent", enough, c.Span, "the whole environment, with %s, is sent to another host by %s", list(load.names), name(c))
	case r.lookup && r.body.coded && len(r.body.names) > 0:
		s.add("looked up", enough, c.Span, "%s is encoded into a name that %s looks up, so that its name server gets it", list(r.body.names), name(c))
	case r.drop:
		s.add("sent to a drop", enough, c.Span, "%s is sent by %s to a host where stolen secrets were collected before", what(load), name(c))
	case r.body.empty():
		return
	case isAddress(r.host) && (r.body.token || len(foreign(r.body.names, r.host)) > 0 || len(r.body.names) > 2):
		s.add("sent to an address", enough, c.Span, "%s is sent by %s to a bare address on the Internet", what(r.body), name(c))
	case isAddress(r.host) || r.plain:
		s.add("sent in the open", part, c.Span, "%s is sent by %s to a bare address or without encryption", what(r.body), name(c))
	case r.body.token && !platform.HostServes("github", r.host):
		s.add("token sent", part, c.Span, "a token of the job itself is sent by %s to another host", name(c))
	}
	if r.host != "" && len(r.body.names) > 0 {
		s.gather(c, r)
	}
}

// gather adds up what one host gets: credentials of several places that are not
// the host's own have no honest receiver in common.
func (s *scanner) gather(c *workflows.Command, r request) {
	s.sentTo[r.host] = s.sentTo[r.host].with(r.body)
	places := foreign(s.sentTo[r.host].names, r.host)
	switch {
	case len(places) > 1:
		s.add("gathered", enough, c.Span, "credentials for %s are sent to one host that is none of them", list(places))
	case len(places) == 1:
		s.add("sent elsewhere", part, c.Span, "a credential for %s is sent by %s to a host that is not %s's", places[0], name(c), places[0])
	}
}

func name(c *workflows.Command) string {
	if c.Name == "" {
		return "a command"
	}
	return workflows.Printable(c.Name)
}

// what names a load for messages.
func what(c cargo) string {
	if len(c.names) == 0 {
		return "a token of the job"
	}
	return list(c.names)
}

// maxNamed is how many names a message lists.
const maxNamed = 5

func list(names []string) string {
	if len(names) > maxNamed {
		return strings.Join(names[:maxNamed], ", ") + fmt.Sprintf(" and %d more", len(names)-maxNamed)
	}
	return strings.Join(names, ", ")
}

// packers write to a file when they are given one.
var packers = []string{"tar", "zip", "gzip", "gpg", "openssl", "xz", "zstd", "bzip2"}

// printed judges what goes to the log in a form that the runner does not mask.
func (s *scanner) printed(c *workflows.Command) {
	if c.PipesInto != nil || c.Within != nil || slices.ContainsFunc(c.Redirs, func(r workflows.Redir) bool { return !strings.HasPrefix(r.Op, "<") }) {
		return
	}
	if slices.Contains(packers, c.Name) && len(s.trace.writers[c]) == 0 {
		return
	}
	if out := s.trace.output(c); out.coded && out.mass() {
		s.add("printed", enough, c.Span, "%s is printed to the log in a form that is not masked", massName(out))
	}
}

func massName(c cargo) string {
	switch {
	case c.all:
		return "every secret"
	case c.found:
		return "what a search for tokens turns up"
	}
	return "the whole environment, with " + list(c.names) + ","
}

// uses judges uploads of what was collected, and code that actions run.
func (s *scanner) uses(step *workflows.Step, env []workflows.Entry) {
	info, _ := platform.LookupAction(step.Uses.FullName())
	if info.Upload || info.Cache {
		kept := "an artifact"
		if info.Cache {
			kept = "a cache"
		}
		for _, file := range slices.Sorted(maps.Keys(s.trace.files)) {
			if load := s.trace.files[file]; load.mass() && !load.env && covers(step.With.Get("path").String(), file) {
				s.add("uploaded", enough, step.Uses.Span, "%s is written to a file and put into %s", massName(load), kept)
				break
			}
		}
	}
	for _, e := range step.With.All() {
		if info.Inputs[strings.ToLower(e.Key.Value)] == platform.RoleScript {
			s.text(env, e.Value)
		}
	}
}

// covers reports whether the paths of an upload may hold the file.
func covers(paths, file string) bool {
	for _, p := range strings.Fields(paths) {
		p = strings.TrimSuffix(cleanPath(p), "/")
		if p == "." || p == "" || p == file || strings.HasPrefix(file, p+"/") || strings.ContainsAny(p, "*{$") || strings.HasSuffix(p, "/"+file) || strings.HasSuffix(file, "/"+p) {
			return true
		}
	}
	return paths == ""
}

// committed judges a file with every secret in it that git is told to commit and push.
func (s *scanner) committed(c *workflows.Command) {
	args := c.Args()
	if c.Name != "git" || len(args) == 0 {
		return
	}
	switch args[0].Text {
	case "add":
		for _, w := range args[1:] {
			s.staged = s.staged || s.trace.file(w).all
			if t := w.Text; t == "." || t == "-A" || t == "--all" || t == "-f" {
				s.staged = s.staged || slices.ContainsFunc(slices.Collect(maps.Keys(s.trace.files)), func(f string) bool {
					return s.trace.files[f].all && !strings.ContainsAny(f[:1], "/~$")
				})
			}
		}
	case "push":
		if s.staged {
			s.add("committed", enough, c.Span, "every secret is written to a file, committed and pushed")
		}
	}
}
