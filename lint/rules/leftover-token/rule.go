// Package leftovertoken is the rule leftover-token; see README.md.
package leftovertoken

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

// Rule reports stored tokens for a place to which the repository goes by id-token already.
var Rule = &lint.Rule{
	ID:              "leftover-token",
	Title:           "a stored token is left for a place to which the repository already goes by the id-token",
	Since:           "2026-11",
	Confidence:      lint.MediumConfidence,
	Tags:            []string{"NHI1:2025", "NHI7:2025", "PR.AA-01"},
	Readme:          readme,
	CheckRepository: check,
}

// A holding is a stored token in a job.
type holding struct {
	place string
	job   *reach.Job
	use   reach.Use
}

func check(p *lint.Pass) {
	held := map[*reach.Job][]holding{}
	var names []string
	byName := map[string][]holding{} // by place and the name that the halves of a key share
	for _, job := range p.Graph.Jobs {
		if len(p.Graph.Called(job)) > 0 {
			continue // the called jobs hold what it passes on
		}
		held[job] = holdings(p.Graph, job)
		for _, h := range held[job] {
			name := h.place + " " + stem(h.use.Credential.Name)
			if byName[name] == nil {
				names = append(names, name)
			}
			byName[name] = append(byName[name], h)
		}
	}
	ways := federated(p.Graph, held)
	for _, name := range names {
		if way, ok := ways[byName[name][0].place]; ok {
			report(p, byName[name], way)
		}
	}
}

// holdings returns the stored keys of clouds and publish tokens of a job.
func holdings(g *reach.Graph, job *reach.Job) []holding {
	var out []holding
	for _, u := range g.Uses(job) {
		info := platform.LookupSecret(u.Credential.Name)
		if info.Class != "publish-token" && info.Class != "cloud-key" {
			info = platform.LookupSecret(u.Name)
		}
		key := info.Class == "publish-token" || info.Class == "cloud-key"
		if key && platform.Federates(info.Opens) && !onlyReads(u.Credential.Name) && !elsewhere(g, job, u) {
			out = append(out, holding{info.Opens, job, u})
		}
	}
	return out
}

// nameWords returns the words of a secret's name in lower case.
func nameWords(name string) []string {
	return strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r < 'a' || r > 'z' })
}

// stem is what is left of a secret's name without the words that tell the halves of
// a key apart.
func stem(name string) string {
	return strings.Join(slices.DeleteFunc(nameWords(name), func(w string) bool {
		return slices.Contains([]string{"access", "key", "id", "secret", "session", "token", "client", "password", "username"}, w)
	}), " ")
}

// tries reports whether a name says that the token is there for tests of tokens.
func tries(name string) bool { return slices.Contains(nameWords(name), "test") }

// onlyReads reports whether a name says that the token cannot publish.
func onlyReads(name string) bool {
	return slices.ContainsFunc(nameWords(name), func(w string) bool { return w == "read" || w == "readonly" || w == "ro" || w == "install" })
}

// elsewhere reports whether an endpoint is set where the key is used: the place may
// be another one that speaks the same protocol.
func elsewhere(g *reach.Graph, job *reach.Job, u reach.Use) bool {
	for _, s := range g.RunSteps(job) {
		if ownRegistry(s.Step) {
			return true // the steps after it publish there
		}
		if !u.Reaches(s) {
			continue
		}
		entries := append(job.Job.EffectiveEnv(nil), s.Step.Env.All()...)
		for _, e := range append(entries, s.Step.With.All()...) {
			if strings.Contains(strings.ToLower(e.Key.Value), "endpoint") {
				return true
			}
		}
		if s.Step.Run != nil && strings.Contains(s.Step.Run.Value, "endpoint") {
			return true
		}
	}
	return false
}

// publicRegistries begin the addresses of registries that take an id-token.
var publicRegistries = []string{"https://registry.npmjs.", "https://registry.yarnpkg.", "https://upload.pypi.", "https://test.pypi."}

// ownRegistry reports whether a step sets up, or publishes to, a registry of one's
// own, which has nothing but its token.
func ownRegistry(s *workflows.Step) bool {
	for _, input := range []string{"registry-url", "repository-url"} {
		at, constant := s.With.Get(input).Const()
		if constant && strings.HasPrefix(at, "http") && !slices.ContainsFunc(publicRegistries, func(p string) bool { return strings.HasPrefix(at, p) }) {
			return true
		}
	}
	return false
}

// A way is a step that goes to a place by the id-token.
type way struct {
	job *reach.Job
	at  reach.Site
}

// federated returns the first way to each place by the id-token. A job that also
// holds a stored token for the place may go there by that one.
func federated(g *reach.Graph, held map[*reach.Job][]holding) map[string]way {
	ways := map[string]way{}
	for _, job := range g.Jobs {
		if !slices.ContainsFunc(job.Credentials, func(c *reach.Credential) bool { return c.Kind == reach.IDToken }) {
			continue
		}
		for _, s := range g.RunSteps(job) {
			place, at := goesByToken(s)
			stored := slices.ContainsFunc(held[job], func(h holding) bool { return h.place == place })
			if _, known := ways[place]; place != "" && !known && !stored {
				ways[place] = way{job, at}
			}
		}
	}
	return ways
}

// goesByToken returns the place to which a step goes with the job's id-token, "" for none.
func goesByToken(s reach.RunStep) (place string, at reach.Site) {
	if u := s.Step.Uses; u != nil {
		info, _ := platform.LookupAction(u.FullName())
		given := func(name string) bool { return s.Step.With.Get(name).String() != "" }
		roles, stated := false, false
		for name, role := range info.Inputs {
			roles = roles || role == platform.RoleCloud
			stated = stated || role == platform.RoleCloud && given(name)
		}
		if info.OIDC && platform.Federates(info.Opens) && !slices.ContainsFunc(info.StaticInputs, given) && (stated || !roles) {
			return info.Opens, reach.Site{File: s.File, Span: u.Span}
		}
	}
	if s.Step.Run == nil {
		return "", at
	}
	for _, c := range s.Step.Run.Commands {
		info, _ := platform.LookupCommand(c.Line)
		if info.Does == "publish" && !info.DryRun && platform.Federates(info.Opens) {
			return info.Opens, reach.Site{File: s.File, Span: c.Span}
		}
	}
	return "", at
}

func report(p *lint.Pass, held []holding, w way) {
	first, worst := held[0], held[0]
	var creds []*reach.Credential
	for _, h := range held {
		if grade(h) > grade(worst) {
			worst = h
		}
	}
	for _, h := range held {
		if h.job == worst.job && !slices.Contains(creds, h.use.Credential) {
			creds = append(creds, h.use.Credential)
		}
	}
	e, code, loss := worst.job.Loss(creds)
	f := lint.Finding{
		File: first.use.Ref.File, Span: first.use.Ref.Span, Job: worst.job, Code: code, Exposure: e, Strict: tries(first.use.Credential.Name),
		Message: fmt.Sprintf("%s is stored for %s, to which the job %s already goes by the id-token; in the job %s, %s",
			first.use.Credential.Name, first.place, w.job.Job.ID, worst.job.Job.ID, loss),
		Next:    "let this job go there by the id-token too, revoke the token where it was made, and delete the secret",
		Related: []lint.Related{{File: w.at.File, Span: w.at.Span, Text: "goes to " + first.place + " by the id-token"}},
	}
	seen := map[reach.Site]bool{first.use.Ref: true}
	for _, h := range held[1:] {
		if at := h.use.Ref; !seen[at] && len(f.Related) < maxRelated {
			seen[at] = true
			f.Related = append(f.Related, lint.Related{File: at.File, Span: at.Span, Text: h.use.Credential.Name + " enters here"})
		}
	}
	p.Report(f)
}

// maxRelated bounds the places that one finding lists.
const maxRelated = 10

func grade(h holding) reach.Severity {
	e, _, _ := h.job.Loss([]*reach.Credential{h.use.Credential})
	return reach.Grade(e)
}
