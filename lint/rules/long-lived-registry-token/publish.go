package longlivedregistrytoken

import (
	"net/url"
	"slices"
	"strings"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// A publish is one place in a job that puts a package into a registry.
type publish struct {
	registry string // "" where a script's name only says that it publishes
	what     string // the command or action
	at       reach.Site
	step     reach.RunStep
	// command is nil for an action.
	command *workflows.Command
	// guess is set when only a name says so: npm run release, make publish.
	guess bool
}

// publishesOf lists what a job publishes to public registries; what it does for
// show only (--dry-run) or on a registry of its own is not there.
func publishesOf(g *reach.Graph, job *reach.Job) []publish {
	var out []publish
	private := privateRegistries(g, job)
	for _, s := range g.RunSteps(job) {
		for _, p := range stepPublishes(s) {
			if p.registry == "" || !private[p.registry] && !privateStep(p.registry, s) && !privateCommand(p.registry, p.command) {
				out = append(out, p)
			}
		}
	}
	if job.Job.Uses != nil && publishWord(job.Job.Uses.Path) {
		u := job.Job.Uses
		out = append(out, publish{what: u.Value, at: reach.Site{File: job.File, Span: u.Span}, guess: true})
	}
	return out
}

func stepPublishes(s reach.RunStep) []publish {
	var out []publish
	if u := s.Step.Uses; u != nil {
		what, _, _ := strings.Cut(u.Value, "@")
		p := publish{what: what, at: reach.Site{File: s.File, Span: u.Span}, step: s}
		line := reach.ActionLine(s.Step)
		runs, _ := platform.LookupCommand(line)
		switch info, known := platform.LookupAction(u.FullName()); {
		case runs.Does == "publish" && !runs.DryRun && registry(runs.Opens) != "" && !privateWords(runs.Opens, line):
			p.registry = runs.Opens
			out = append(out, p)
		case info.Publishes && registry(info.Opens) != "":
			p.registry = info.Opens
			out = append(out, p)
		case !known && publishWord(what) && !preparesWord(what):
			p.guess = true
			out = append(out, p)
		}
	}
	if s.Step.Run == nil {
		return out
	}
	for _, c := range s.Step.Run.Commands {
		words := c.Line
		info, ok := platform.LookupCommand(words)
		p := publish{what: clip(words), at: reach.Site{File: s.File, Span: c.Span}, step: s, command: c}
		switch {
		case info.DryRun || len(words) == 0 || maintains(words):
			continue
		case ok && info.Does == "publish":
			p.registry = registry(info.Opens)
			if p.registry == "" {
				continue
			}
		case !runsNamed(words):
			continue
		default:
			p.guess = true
		}
		out = append(out, p)
	}
	return out
}

// clip returns the first words of a command that are no options, for a message: up
// to the word that says it publishes, where there is one.
func clip(words []string) string {
	const most = 3
	var out []string
	for _, w := range words {
		option := strings.HasPrefix(w, "-")
		if len(out) == most || option && len(out) > 1 || strings.ContainsRune(w, '\uFFFD') {
			break
		}
		if !option {
			out = append(out, w)
		}
		if publishWord(w) {
			break
		}
	}
	return strings.Join(out, " ")
}

// maintains reports whether a command changes what is published already, for which
// a registry takes no id-token. Source: the registries' documentation, 2026-11.
func maintains(words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool {
		return slices.Contains([]string{"dist-tag", "unpublish", "deprecate", "yank"}, w)
	})
}

// runners run a script or target that their words name.
var runners = []string{
	"npm", "pnpm", "yarn", "bun", "make", "just", "task", "rake", "nx", "lerna", "mage", "poe", "tox", "nox", "hatch", "invoke",
	"bash", "sh", "node", "tsx", "ts-node", "deno", "python", "python3", "ruby", "pwsh",
}

// runsNamed reports whether a command runs a script or target whose name says that
// it publishes: npm run release, make publish, ./scripts/publish.sh.
func runsNamed(words []string) bool {
	if !slices.Contains(runners, words[0]) {
		return publishWord(words[0])
	}
	return slices.ContainsFunc(words[1:], func(w string) bool { return !strings.HasPrefix(w, "-") && publishWord(w) })
}

// publishWord reports whether a name has publish or release as one of its words.
func publishWord(name string) bool {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r < 'a' || r > 'z' })
	return slices.Contains(words, "publish") || slices.Contains(words, "release")
}

// preparesWord reports whether an action's name says that it makes or fetches
// something for a release and does not publish a package itself.
func preparesWord(name string) bool {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r < 'a' || r > 'z' })
	return slices.ContainsFunc(words, func(w string) bool {
		return slices.Contains([]string{"install", "setup", "gh", "github", "notes", "draft", "drafter", "download", "changelog", "extract", "create", "upload"}, w)
	})
}

// publicHosts are the registries themselves, and their places for trials, which
// take an id-token too; without the last part of the name, since .com and the
// endings for documentation lead to the same registry.
var publicHosts = map[string][]string{
	"npm": {"registry.npmjs", "registry.yarnpkg"}, "pypi": {"upload.pypi", "pypi", "test.pypi"},
	"crates": {"crates"}, "rubygems": {"rubygems"}, "nuget": {"nuget", "api.nuget", "www.nuget"},
	"pub": {"pub"}, "jsr": {"jsr", "npm.jsr"},
}

// public reports whether a host is that of the public registry.
func public(place, host string) bool {
	host = strings.ToLower(host)
	return slices.Contains(publicHosts[place], host[:max(0, strings.LastIndexByte(host, '.'))])
}

// registryNames are the inputs and variables, in lower case, that name the registry
// to publish to. Source: the tools' documentation, 2026-11.
var registryNames = map[string]string{
	"registry-url": "npm", "npm_config_registry": "npm", "yarn_npm_registry_server": "npm", "registry": "npm",
	"repository-url": "pypi", "repository_url": "pypi", "twine_repository_url": "pypi", "uv_publish_url": "pypi", "twine_repository": "pypi",
	"gem_host": "rubygems", "rubygems_host": "rubygems",
}

// private reports whether a text names a registry other than the public one; what
// only the run knows names none.
func private(place, text string) bool {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Host == "" {
		return false
	}
	return !public(place, u.Hostname())
}

// privateRegistries returns the places for which the job's environment or a setup
// step names a registry of its own. A job that sets up several publishes to the
// public one too.
func privateRegistries(g *reach.Graph, job *reach.Job) map[string]bool {
	out := map[string]bool{}
	both := map[string]bool{}
	note := func(e workflows.Entry) {
		place := registryNames[strings.ToLower(e.Key.Value)]
		switch value, constant := e.Value.Const(); {
		case place == "" || !constant:
		case private(place, value):
			out[place] = true
		default:
			both[place] = true
		}
	}
	for _, e := range job.Job.EffectiveEnv(nil) {
		note(e)
	}
	for _, s := range g.RunSteps(job) {
		if s.Step.Uses == nil {
			continue
		}
		if info, _ := platform.LookupAction(s.Step.Uses.FullName()); info.Setup {
			for _, e := range s.Step.With.All() {
				note(e)
			}
		}
	}
	for place := range both {
		delete(out, place)
	}
	return out
}

// privateStep reports whether the publishing step itself names a registry of its own.
func privateStep(place string, s reach.RunStep) bool {
	for _, e := range append(s.Step.With.All(), s.Step.Env.All()...) {
		if registryNames[strings.ToLower(e.Key.Value)] == place && private(place, e.Value.Value) {
			return true
		}
	}
	return false
}

// registryFlags are the options that name a registry or index, by place. Source: the
// tools' documentation, 2026-11.
var registryFlags = map[string][]string{
	"npm":      {"--registry"},
	"pypi":     {"--repository-url", "--repository", "-r", "--publish-url", "--index"},
	"crates":   {"--registry", "--index"},
	"rubygems": {"--host"},
	"nuget":    {"--source", "-s", "-Source", "-src"},
	"pub":      {"--server"},
}

// privateCommand reports whether the command's own options name a registry that is
// not the public one: by its address, or by a name that is not the default's.
func privateCommand(place string, c *workflows.Command) bool {
	return c != nil && privateWords(place, c.Line)
}

func privateWords(place string, words []string) bool {
	for i, w := range words {
		flag, value, joined := strings.Cut(w, "=")
		if !slices.Contains(registryFlags[place], flag) {
			continue
		}
		if !joined && i+1 < len(words) {
			value = words[i+1]
		}
		if privateName(value) {
			return true
		}
	}
	return false
}

// publicNames are how configuration files call the public registries.
var publicNames = []string{"pypi", "testpypi", "test-pypi", "crates-io", "npmjs", "nuget.org", "https://api.nuget.org/v3/index.json"}

func privateName(value string) bool {
	value = strings.ToLower(value)
	if u, err := url.Parse(value); err == nil && u.Host != "" {
		for place := range publicHosts {
			if public(place, u.Hostname()) {
				return false
			}
		}
		return true
	}
	return value != "" && !strings.ContainsRune(value, '\uFFFD') && !slices.Contains(publicNames, value) && !strings.HasSuffix(value, ".org")
}
