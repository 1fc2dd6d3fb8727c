package longlivedregistrytoken

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// registryOf says to which registry a use of a secret publishes, and by what; ""
// when it does not.
func registryOf(g *reach.Graph, job *reach.Job, u reach.Use, publishing []publish) (string, publish) {
	named := tokenOf(g, job, u)
	var by *publish
	for i, p := range publishing {
		place := p.registry
		switch {
		case place == "":
			place = named // npm run release: the token says where to
		case named == "" && takes(u, p):
		case named != place:
			continue
		}
		if place == "" || !visible(g, job, u, p) {
			continue
		}
		if by == nil || by.guess && !p.guess {
			by = &publishing[i]
			named = place
		}
	}
	if by == nil {
		return "", publish{}
	}
	return named, *by
}

// visible reports whether what publishes can have the token: it sees the value
// itself, or a log-in has left the token in a file.
func visible(g *reach.Graph, job *reach.Job, u reach.Use, p publish) bool {
	switch {
	case u.Holder == reach.HeldByCall:
		return p.step.Step == nil
	case p.step.Step == nil:
		return false
	case u.Reaches(p.step):
		return true
	case u.Holder == reach.HeldByInput:
		return static(u)
	}
	return loggedIn(g, job, u) != ""
}

// takes reports whether the publishing command or action is given the value as its
// token, whatever it is called; not as the one that it tells GitHub of the release by.
func takes(u reach.Use, p publish) bool {
	if p.command != nil {
		info, _ := platform.LookupCommand(p.command.Line)
		return slices.Contains(u.Takers(p.step.Step), p.command) || u.Reaches(p.step) && slices.Contains(info.Env, u.Name) && platform.LookupSecret(u.Name).Opens != "github"
	}
	return u.Step == p.step.Step && u.Holder == reach.HeldByInput && (static(u) || slices.Contains(lineOf(u.Step), "{"+strings.ToLower(u.Name)+"}"))
}

// lineOf returns the words of the command line that a step's action runs, as the
// table has them.
func lineOf(s *workflows.Step) []string {
	if s.Uses == nil {
		return nil
	}
	info, _ := platform.LookupAction(s.Uses.FullName())
	return strings.Fields(info.Line)
}

// static reports whether an input of a known action takes a stored key.
func static(u reach.Use) bool {
	if u.Step.Uses == nil {
		return false
	}
	info, _ := platform.LookupAction(u.Step.Uses.FullName())
	return slices.ContainsFunc(info.StaticInputs, func(name string) bool { return strings.EqualFold(name, u.Name) })
}

// tokenOf says which registry's token a value is: by the secret's name, by the
// variable or input that holds it, or by the log-in that it is given to.
func tokenOf(g *reach.Graph, job *reach.Job, u reach.Use) string {
	own := platform.LookupSecret(u.Credential.Name)
	if own.Class == "publish-token" {
		return registry(own.Opens)
	}
	if own.Class != "" && own.Class != "registry-login" {
		return ""
	}
	if u.Holder == reach.HeldByInput && static(u) {
		info, _ := platform.LookupAction(u.Step.Uses.FullName())
		return registry(info.Opens)
	}
	if info := platform.LookupSecret(u.Name); u.Name != "" && info.Class == "publish-token" {
		return registry(info.Opens)
	}
	return loggedIn(g, job, u)
}

// loggedIn says to which registry a command logs in with the value.
func loggedIn(g *reach.Graph, job *reach.Job, u reach.Use) string {
	for _, s := range g.RunSteps(job) {
		if !u.Reaches(s) {
			continue
		}
		for _, c := range u.Takers(s.Step) {
			if place := loginOf(c); place != "" {
				return place
			}
		}
	}
	return ""
}

// loginOf says to which registry a command logs in: npm config set, cargo login, a
// line written to .npmrc.
func loginOf(c *workflows.Command) string {
	if info, ok := platform.LookupCommand(c.Line); ok && info.Does == "login" && registry(info.Opens) != "" {
		return info.Opens
	}
	for _, r := range c.Redirs {
		switch {
		case strings.HasSuffix(r.Target.Text, ".npmrc"):
			return "npm"
		case strings.HasSuffix(r.Target.Text, ".pypirc"):
			return "pypi"
		case strings.HasSuffix(r.Target.Text, ".gem/credentials"):
			return "rubygems"
		}
	}
	return ""
}

// trusting are the actions that publish by the id-token as soon as they are given
// no token. Sources: their READMEs, 2026-11.
var trusting = map[string][]string{
	"pypa/gh-action-pypi-publish":             {"password", "user"},
	"js-devtools/npm-publish":                 {"token"},
	"rubygems/configure-rubygems-credentials": {"api-token"},
}

// mend is the fix: it takes the token away from what then publishes by the
// id-token, where nothing else uses it. It is unsafe, because the publisher has to
// be named at the registry first.
func mend(p *lint.Pass, job *reach.Job, token []reach.Use, publishing []publish) (lint.Fix, bool) {
	edits, ok := p.AllowIDToken(job)
	if !ok {
		return lint.Fix{}, false
	}
	var done []*workflows.Step
	for _, u := range token {
		if u.Step == nil || u.File != p.File {
			return lint.Fix{}, false
		}
		if slices.Contains(done, u.Step) {
			continue
		}
		done = append(done, u.Step)
		removed, ok := removal(p.File, u, names(token, u.Step), publishing)
		if !ok {
			return lint.Fix{}, false
		}
		edits = append(edits, removed...)
	}
	return lint.Fix{Title: "publish by the job's id-token", Edits: edits}, true
}

// names returns the variables of a step that hold the token.
func names(token []reach.Use, s *workflows.Step) []string {
	var out []string
	for _, u := range token {
		if u.Step == s && u.Holder == reach.HeldByStep {
			out = append(out, u.Name)
		}
	}
	return out
}

// removal returns the edits that take the token out of a step whose shape is simple.
func removal(f *workflows.File, u reach.Use, vars []string, publishing []publish) ([]workflows.Edit, bool) {
	switch u.Holder {
	case reach.HeldByInput:
		inputs := trusting[u.Step.Uses.FullName()]
		if !slices.Contains(inputs, strings.ToLower(u.Name)) {
			return nil, false
		}
		return f.SwapStepWith(u.Step, inputs, nil)
	case reach.HeldByStep:
		trusted := slices.ContainsFunc(publishing, func(p publish) bool {
			return p.step.Step == u.Step && p.command != nil && (strings.HasPrefix(p.what, "npm publish") || strings.HasPrefix(p.what, "uv publish"))
		})
		if !trusted {
			return nil, false
		}
		return f.RemoveStepEnv(u.Step, vars)
	}
	return nil, false
}
