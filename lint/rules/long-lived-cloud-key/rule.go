// Package longlivedcloudkey is the rule long-lived-cloud-key; see README.md.
package longlivedcloudkey

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
)

//go:embed README.md
var readme string

// Rule reports stored keys of clouds that take the job's id-token instead.
var Rule = &lint.Rule{
	ID:         "long-lived-cloud-key",
	Title:      "a job holds a stored key of a cloud that takes the job's id-token instead",
	Since:      "2026-11",
	Confidence: lint.HighConfidence,
	Fixes:      lint.UnsafeFix,
	Tags:       []string{"NHI4:2025", "NHI7:2025", "PR.AA-03"},
	Readme:     readme,
	Check:      check,
}

func check(p *lint.Pass) {
	p.Jobs(func(job *reach.Job) {
		if len(p.Graph.Called(job)) > 0 {
			return // the called jobs hold what it passes on
		}
		for _, key := range keysOf(p.Graph, job) {
			report(p, job, key)
		}
	})
}

// A key is one key of a cloud in a job, with everything that it reaches there.
type key struct {
	cloud string
	uses  []reach.Use
	// guess is set when only the secret's own name says what it opens.
	guess bool
}

// keysOf finds the keys of a job: the halves of a pair, and every use of them.
func keysOf(g *reach.Graph, job *reach.Job) []key {
	var keys []key
	cloudOf := map[string]string{} // by name of secret; a use that says more than the name counts
	sure := map[string]bool{}
	uses := g.Uses(job)
	for _, u := range uses {
		cloud, told := placeOf(g, job, u)
		if name := u.Credential.Name; cloud != "" && (cloudOf[name] == "" || told && !sure[name]) {
			cloudOf[name], sure[name] = cloud, told
		}
	}
	uses = slices.DeleteFunc(uses, func(u reach.Use) bool { return cloudOf[u.Credential.Name] == "" })
	pair := func(u reach.Use) string { return cloudOf[u.Credential.Name] + " " + pairName(u) }
	for _, group := range reach.GroupUses(uses, pair) {
		k := key{cloud: cloudOf[group[0].Credential.Name], uses: group, guess: true}
		for _, u := range group {
			k.guess = k.guess && !sure[u.Credential.Name]
		}
		if !k.halved() {
			keys = append(keys, k)
		}
	}
	return keys
}

// halved reports whether only the public half of a pair is there, the id.
func (k key) halved() bool {
	return !slices.ContainsFunc(k.uses, func(u reach.Use) bool {
		return !strings.HasSuffix(strings.ToLower(u.Credential.Name), "_id")
	})
}

// pairName names the key that a holder is given a half of: AWS_ACCESS_KEY_ID and
// AWS_SECRET_ACCESS_KEY of one env: are one, those with STAGING_ in front another.
func pairName(u reach.Use) string {
	name := strings.ToLower(strings.ReplaceAll(u.Name, "-", "_"))
	words := slices.DeleteFunc(strings.Split(name, "_"), func(w string) bool {
		return slices.Contains([]string{"access", "key", "id", "secret", "session", "token", "client", "username", "password"}, w)
	})
	at := workflows.Span{}
	if u.Step != nil {
		at = u.Step.Span
	}
	return fmt.Sprint(u.File.Path, at, u.Holder, strings.Join(words, "_"))
}

func report(p *lint.Pass, job *reach.Job, k key) {
	creds := k.credentials()
	e, code, loss := job.Loss(creds)
	f := lint.Finding{
		Span: k.uses[0].Ref.Span, Job: job, Code: code, Exposure: e,
		Message: fmt.Sprintf("a key of %s is stored as a secret%s, though %s takes the job's id-token; %s",
			titles[k.cloud], k.holder(), titles[k.cloud], loss),
		Next:    nexts[k.cloud],
		Related: k.places(),
	}
	if k.guess {
		f.Confidence = lint.MediumConfidence
	}
	if fix, ok := k.fix(p, job); ok {
		f.Fixes = []lint.Fix{fix}
	}
	p.Report(f)
}

// credentials returns the secrets of the key with the cloud that they open.
func (k key) credentials() []*reach.Credential {
	var out []*reach.Credential
	for _, u := range k.uses {
		if !slices.ContainsFunc(out, func(c *reach.Credential) bool { return c.Name == u.Credential.Name }) {
			c := *u.Credential // the graph's own is shared
			c.Opens = k.cloud
			out = append(out, &c)
		}
	}
	return out
}

// holder says what takes the key first.
func (k key) holder() string {
	switch u := k.uses[0]; {
	case u.Holder == reach.HeldByInput && u.Step.Uses != nil:
		name, _, _ := strings.Cut(u.Step.Uses.Value, "@")
		return " and given to " + name
	case u.Holder == reach.HeldByWorkflow:
		return " and in the environment of every job of the workflow"
	case u.Holder == reach.HeldByCall:
		return " and passed to a workflow elsewhere"
	}
	return ""
}

// maxRelated bounds the places that one finding lists.
const maxRelated = 10

// places lists where else the key enters, and the local actions that it goes through.
func (k key) places() []lint.Related {
	var out []lint.Related
	seen := map[reach.Site]bool{k.uses[0].Ref: true}
	add := func(s reach.Site, text string) {
		if !seen[s] && len(out) < maxRelated {
			seen[s] = true
			out = append(out, lint.Related{File: s.File, Span: s.Span, Text: text})
		}
	}
	for _, u := range k.uses {
		add(u.Ref, u.Credential.Name+" enters here too")
		if len(u.Via) > 0 && u.Value != nil {
			add(reach.Site{File: u.File, Span: u.Value.Span}, "where the local action takes it")
		}
	}
	return out
}
