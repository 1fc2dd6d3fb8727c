// Package agentstaticsecret is the rule agent-static-secret; see README.md.
package agentstaticsecret

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows/platform"
)

//go:embed README.md
var readme string

// Rule reports stored secrets in jobs in which an agent acts.
var Rule = &lint.Rule{
	ID:         "agent-static-secret",
	Title:      "a stored secret lies in a job in which an agent acts",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Tags:       []string{"ASI03", "NHI5:2025", "NHI7:2025", "PR.AA-05"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Jobs(func(job *reach.Job) {
		if len(p.Graph.Called(job)) > 0 {
			return // the called jobs hold what it passes on
		}
		agents := agentsOf(p.Graph, job)
		if len(agents) == 0 {
			return
		}
		for _, uses := range reach.GroupUses(p.Graph.Uses(job), alternatives) {
			h := holding{job: job, agents: agents, uses: uses}
			h.report(p)
		}
	})
}

// alternatives joins the secrets of one expression, of which one is used.
func alternatives(u reach.Use) string { return fmt.Sprintf("%s:%d", u.File.Path, u.Expr.Span.Start) }

// An actor is an agent with its place.
type actor struct {
	reach.Agent
	at reach.Site
}

// agentsOf returns the agents of a job that do more than answer.
func agentsOf(g *reach.Graph, job *reach.Job) []actor {
	var out []actor
	for _, s := range g.RunSteps(job) {
		for _, a := range reach.Agents(s.Step) {
			if a.Allowance > platform.Answers {
				out = append(out, actor{a, reach.Site{File: s.File, Span: a.Span}})
			}
		}
	}
	return out
}

// A holding is one stored secret in the job of an agent, with its uses there.
type holding struct {
	job    *reach.Job
	agents []actor
	uses   []reach.Use
}

// strongest is the agent that may do most.
func (h *holding) strongest() actor {
	return slices.MaxFunc(h.agents, func(a, b actor) int { return int(a.Allowance) - int(b.Allowance) })
}

// modelKey returns an agent whose own model calls the secret is for, when all of its
// uses are for that.
func (h *holding) modelKey() (of actor, ok bool) {
	for _, u := range h.uses {
		i := slices.IndexFunc(h.agents, func(a actor) bool { return keyOf(a.Agent, u) })
		if i < 0 {
			return actor{}, false
		}
		of = h.agents[i]
	}
	return of, true
}

// credentials are the secrets that the uses are of, each once.
func (h *holding) credentials() []*reach.Credential {
	var out []*reach.Credential
	for _, u := range h.uses {
		if !slices.Contains(out, u.Credential) {
			out = append(out, u.Credential)
		}
	}
	return out
}

// keyOf reports whether a use hands an agent its own key: an input for it, or an
// environment variable of its step that its command reads.
func keyOf(a reach.Agent, u reach.Use) bool {
	if platform.LookupSecret(u.Credential.Name).Class == "model-key" && u.Step == nil {
		return true
	}
	if u.Step != a.Step {
		return false
	}
	if a.Command != nil {
		info, _ := platform.LookupCommand(a.Command.Line)
		return u.Holder == reach.HeldByStep && slices.Contains(info.Env, u.Name) || platform.LookupSecret(u.Name).Class == "model-key"
	}
	info, _ := platform.LookupAction(a.Step.Uses.FullName())
	return u.Holder == reach.HeldByInput && slices.Contains(info.StaticInputs, strings.ToLower(u.Name)) ||
		u.Holder == reach.HeldByStep && platform.LookupSecret(u.Name).Class == "model-key"
}

func (h *holding) report(p *lint.Pass) {
	u := h.uses[0]
	if platform.LookupSecret(u.Credential.Name).Public {
		return
	}
	low := reach.Low
	exposure := h.exposure()
	f := lint.Finding{File: u.Ref.File, Span: u.Ref.Span, Job: h.job, Exposure: exposure}
	if a, ok := h.modelKey(); ok {
		if !a.OIDC {
			return // there is no other way to call its model
		}
		f.Ceiling = &low
		f.Message = fmt.Sprintf("%s is a stored key for the model of %s, which takes the job's identity instead; it could take %s", u.Credential.Name, a.Name, reach.CredentialList(exposure.Credentials))
		f.Next = "log in to the model by the job's id-token (" + federation(a) + "), then delete the key"
		f.Related = []lint.Related{{File: a.at.File, Span: a.at.Span, Text: "the agent"}}
		p.Report(f)
		return
	}
	a := h.strongest()
	if a.Allowance < platform.Acts && !h.ambient() {
		return
	}
	f.Message = fmt.Sprintf("%s lies in the job in which %s %s; it could take %s", u.Credential.Name, a.Name, does(a.Allowance), reach.CredentialList(exposure.Credentials))
	f.Next = fmt.Sprintf("use %s in a job of its own, after the agent's and with a check of what the agent made", u.Credential.Name)
	if h.toAgent(a) {
		f.Next = "give the agent a token that is minted for the job and can do only what it needs"
	}
	f.Related = h.related(a)
	f.Confidence = lint.HighConfidence
	switch {
	case a.Allowance < platform.Acts:
		f.Ceiling, f.Confidence, f.Strict = &low, lint.LowConfidence, true // what it reads it can only repeat
	case a.Allowance < platform.RunsAnything:
		high := reach.High
		f.Ceiling, f.Confidence = &high, lint.MediumConfidence
	}
	p.Report(f)
}

// exposure grades a secret by whether outsiders steer the agent: then it is the
// agent's, and else that of code whose author nobody outside can steer.
func (h *holding) exposure() reach.Exposure {
	trust := reach.PinnedThirdParty
	if i := slices.IndexFunc(h.job.Code, func(c *reach.Code) bool { return c.Trust == reach.AgentCode }); i >= 0 {
		trust = reach.AgentCode
	}
	e := h.job.Exposure(trust)
	e.Credentials = h.credentials()
	return e
}

// ambient reports whether the secret is in the environment of every step, so that it
// is in the agent's own.
func (h *holding) ambient() bool {
	return slices.ContainsFunc(h.uses, func(u reach.Use) bool { return u.Holder == reach.HeldByJob || u.Holder == reach.HeldByWorkflow })
}

func does(a platform.Allowance) string {
	switch a {
	case platform.RunsAnything:
		return "runs any command"
	case platform.Reads:
		return "reads files"
	}
	return "acts by the tools that it has"
}

// toAgent reports whether the agent's own step is given the secret.
func (h *holding) toAgent(a actor) bool {
	return slices.ContainsFunc(h.uses, func(u reach.Use) bool { return u.Step == a.Step })
}

// maxRelated bounds the places that one finding lists.
const maxRelated = 5

func (h *holding) related(a actor) []lint.Related {
	out := []lint.Related{{File: a.at.File, Span: a.at.Span, Text: "the agent"}}
	for _, u := range h.uses[:min(len(h.uses), maxRelated)] {
		if u.Value != nil && (u.File != h.uses[0].Ref.File || !u.Value.Span.Contains(h.uses[0].Ref.Span)) {
			out = append(out, lint.Related{File: u.File, Span: u.Value.Span, Text: "the secret is used here"})
		}
	}
	return out
}

// federation names how an agent's action logs in by the id-token.
func federation(a actor) string {
	if a.Command != nil {
		return "by the cloud that serves the model"
	}
	info, _ := platform.LookupAction(a.Step.Uses.FullName())
	var inputs []string
	for name, role := range info.Inputs {
		if role == platform.RoleCloud {
			inputs = append(inputs, name)
		}
	}
	if len(inputs) == 0 {
		return "by the cloud that serves the model"
	}
	slices.Sort(inputs)
	return inputs[0]
}
