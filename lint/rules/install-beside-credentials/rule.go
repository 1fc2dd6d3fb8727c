// Package installbesidecredentials is the rule install-beside-credentials; see README.md.
package installbesidecredentials

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports dependency installs in jobs that can publish, deploy or write.
var Rule = &lint.Rule{
	ID:         "install-beside-credentials",
	Title:      "dependencies are installed in a job that holds publish, cloud or write credentials",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"NHI3:2025", "NHI5:2025"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Jobs(func(job *reach.Job) { judge(p, job.Job.AllSteps(), job) })
	if a := p.File.Action; a != nil {
		var job *reach.Job
		p.Steps(func(_ *workflows.Step, j *reach.Job) { job = j })
		if job != nil { // what the users of a published action hold cannot be seen
			judge(p, a.AllSteps(), job)
		}
	}
}

// An install is a command that takes packages from a registry and may run their code.
type install struct {
	at   workflows.Span
	name string
	// opens is the registry.
	opens string
	hold  hold
}

// A hold is what keeps an install to versions that were looked at, rising.
type hold int

const (
	nothing  hold = iota // the newest, or the newest that fits
	keepsOne             // a lock file where there is one
	locked               // the lock file and nothing else
)

// judge reports the first of a job's installs that are held least: the job is what
// has to be split, not each of its lines.
func judge(p *lint.Pass, steps []*workflows.Step, job *reach.Job) {
	stakes := slices.DeleteFunc(slices.Clone(job.Credentials), func(c *reach.Credential) bool { return !counts(job, c) })
	list := installs(steps)
	if len(stakes) == 0 || len(list) == 0 {
		return
	}
	first := slices.MinFunc(list, func(a, b install) int { return int(a.hold) - int(b.hold) })
	trust := reach.FetchedCode
	if first.hold == locked {
		trust = reach.PinnedThirdParty
	}
	f := lint.Finding{Span: first.at, Job: job, Exposure: lint.Expose(job, trust), Strict: first.hold > nothing, Next: next(first)}
	if first.hold == keepsOne {
		f.Confidence = lint.MediumConfidence
	}
	f.Message = fmt.Sprintf("%s %s; their code could take %s", first.name, first.hold, reach.CredentialList(stakes))
	for _, i := range list {
		if i != first && i.hold == first.hold && len(f.Related) < maxRelated {
			f.Related = append(f.Related, lint.Related{File: p.File, Span: i.at, Text: i.name + " too"})
		}
	}
	p.Report(f)
}

// maxRelated is how many more installs of the job a finding lists.
const maxRelated = 8

func (h hold) String() string {
	return [...]string{
		"takes what the registry serves when the job runs, scripts of packages included",
		"goes by a lock file only where there is one, and runs scripts of packages",
		"keeps to the lock, but runs scripts of packages beside the credentials",
	}[h]
}

func next(i install) string {
	const split = "build in a job without them, and hand the result over as an artifact"
	switch {
	case i.opens == "npm":
		return "install by npm ci --ignore-scripts or its like; better, " + split
	case i.hold == locked:
		return split
	}
	return "install from a lock with hashes; better, " + split
}

// writes are the scopes of a repository token by which others are reached.
var writes = []string{"contents", "packages", "actions", "deployments", "pages", "workflows", "attestations"}

// counts reports whether a credential publishes, deploys or writes. A token whose
// permissions no file states is the matter of excessive-permissions.
func counts(job *reach.Job, c *reach.Credential) bool {
	switch c.Kind {
	case reach.CloudSession, reach.RegistryLogin, reach.AppToken, reach.SSHKey, reach.PersonalToken:
		return true
	case reach.IDToken:
		return slices.Contains(job.Autonomy, "publishes") || slices.Contains(job.Autonomy, "deploys")
	case reach.RepositoryToken:
		return c.Writes && !c.Default && slices.ContainsFunc(c.Scopes, func(s string) bool { return slices.Contains(writes, s) })
	case reach.StoredSecret:
		if c.All {
			return true
		}
		switch platform.LookupSecret(c.Name).Class {
		case "webhook", "service-token", "model-key", "repository-token":
			return false
		}
		return !platform.LookupSecret(c.Name).Public
	}
	return false
}

func installs(steps []*workflows.Step) []install {
	var out []install
	for _, s := range steps {
		if s.Run == nil {
			continue
		}
		for _, c := range s.Run.Commands {
			if i, ok := installOf(c); ok {
				out = append(out, i)
			}
		}
	}
	return out
}

func installOf(c *workflows.Command) (install, bool) {
	words := c.Line
	if name, registry := platform.RunsPackage(words); name != "" {
		return install{at: c.Span, name: shortName([]string{words[0], name}), opens: registry}, true
	}
	info, ok := platform.LookupCommand(words)
	// Go runs nothing of a module when it installs it.
	if !ok || info.Does != "install" || !info.Runs || info.Opens == "go" && info.Locked || systemWide(info.Opens) || ownOnly(words) {
		return install{}, false
	}
	i := install{at: c.Span, name: shortName(words), opens: info.Opens}
	switch {
	case info.Locked:
		i.hold = locked
	case info.KeepsLock:
		i.hold = keepsOne
	}
	return i, true
}

// shortName is a command with its subcommand, behind python -m.
func shortName(words []string) string {
	if len(words) > 2 && strings.HasPrefix(words[0], "py") && words[1] == "-m" {
		words = words[2:]
	}
	name := words[0][strings.LastIndexByte(words[0], '/')+1:]
	for _, w := range words[1:] {
		if !strings.HasPrefix(w, "-") {
			return workflows.Printable(name + " " + strings.ReplaceAll(w, "\uFFFD", "…"))
		}
	}
	return workflows.Printable(name)
}

// systemWide reports whether a registry is a distribution: curated, as the runner's
// own packages are.
func systemWide(opens string) bool {
	return slices.Contains([]string{"homebrew", "chocolatey", "winget", "scoop"}, opens)
}

// ownOnly reports whether an install takes nothing but the workspace's own package.
func ownOnly(words []string) bool {
	if !slices.Contains(words, "--no-deps") && !slices.Contains(words, "--no-index") {
		return false
	}
	for _, w := range words[2:] {
		if !strings.HasPrefix(w, "-") && !strings.ContainsAny(w, "./") {
			return false
		}
	}
	return true
}
