package registry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/trust"
)

// githubIssuer is the only issuer of GitHub that registries know.
const githubIssuer = "https://token.actions.githubusercontent.com"

// A Form is what the trusted publishers of a registry can say of GitHub Actions.
type Form struct {
	// File is the claim in which the registry looks for the workflow file: workflow_ref
	// is the file that was started, job_workflow_ref the one that defines the job.
	File string
	// AtRunRef is set where the ref of that claim must be the run's own ref or commit.
	AtRunRef bool
	// OwnerID is set where a publisher is bound to the number of the owner's account.
	OwnerID bool
	// AnyCase is set where environments are compared without regard to case. Names of
	// owners and repositories always are, as GitHub itself does.
	AnyCase bool
	// Refuses are the events whose runs get no token whatever the publisher says.
	Refuses []string
}

func (f Form) refuses(event string) bool { return slices.Contains(f.Refuses, event) }

// A Publisher is a trusted publisher as its form is filled in. This is the document
// that Render writes, and that Find reads again.
type Publisher struct {
	Registry string `json:"registry"`
	Package  string `json:"package"`
	Owner    string `json:"owner"`
	// OwnerID is what the registry looks up by itself when the form is sent.
	OwnerID     string `json:"owner_id,omitempty"`
	Repository  string `json:"repository"`
	Workflow    string `json:"workflow"` // the file's name, without directories
	Environment string `json:"environment,omitempty"`
}

// A policy is a publisher that was read.
type policy struct {
	Publisher
	form     Form
	title    string
	audience string
}

// findPublishers reads a document, or a list of them, of this registry.
func (r Registry) findPublishers(path string, b []byte) ([]trust.Document, error) {
	b = bytes.TrimSpace(b)
	if len(b) == 0 || len(b) > trust.MaxDocumentBytes || !bytes.Contains(b, []byte(`"registry"`)) {
		return nil, nil
	}
	bodies := []json.RawMessage{b}
	if b[0] == '[' && json.Unmarshal(b, &bodies) != nil {
		return nil, nil
	}
	var found []trust.Document
	for _, body := range bodies {
		var p Publisher
		if json.Unmarshal(body, &p) == nil && p.Registry == r.Name {
			found = append(found, trust.Document{Cloud: r.Name, Path: path, Line: 1, Name: p.Package, Body: body})
		}
	}
	return found, nil
}

// parsePublisher reads one publisher strictly.
func (r Registry) parsePublisher(d trust.Document) (trust.Policy, error) {
	dec := json.NewDecoder(bytes.NewReader(d.Body))
	dec.DisallowUnknownFields()
	p := policy{form: r.Form, title: r.Title, audience: r.Audience}
	if err := dec.Decode(&p.Publisher); err != nil {
		return nil, fmt.Errorf("%.200q is not a trusted publisher of %s", d.Name, r.Title)
	}
	switch {
	case p.Registry != r.Name:
		return nil, fmt.Errorf("a publisher of %.64q, not of %s", p.Registry, r.Name)
	case p.Owner == "" || p.Repository == "" || strings.ContainsAny(p.Owner+p.Repository, "/ "):
		return nil, fmt.Errorf("publisher of %.200q has no owner and repository", p.Package)
	case p.Workflow == "" || strings.Contains(p.Workflow, "/"):
		return nil, fmt.Errorf("workflow %.200q is not the name of a file", p.Workflow)
	}
	return p, nil
}

// Audience is what the registry expects in aud.
func (p policy) Audience() string { return p.audience }

// Targets is the one repository that the publisher names.
func (p policy) Targets() []trust.Target {
	return []trust.Target{{Owner: p.Owner, Repository: p.Repository, OwnerID: p.OwnerID,
		Environment: p.Environment, Workflow: p.path()}}
}

func (p policy) path() string { return ".github/workflows/" + p.Workflow }

// Decide answers as the registry does, in the order of its checks.
func (p policy) Decide(c oidc.Claims) trust.Answer {
	exact := !p.form.OwnerID || p.OwnerID != ""
	no := func(format string, args ...any) trust.Answer {
		return trust.Answer{Exact: true, Why: fmt.Sprintf(format, args...)}
	}
	repository := p.Owner + "/" + p.Repository
	switch {
	case c.Issuer != githubIssuer:
		return no("%s knows no issuer %.100q of github actions", p.title, c.Issuer)
	case len(c.Audience) != 1 || c.Audience[0] != p.audience:
		return no("the audience is not %q", p.audience)
	case p.form.refuses(c.Get("event_name")):
		return no("%s takes no token of a run started by %q", p.title, c.Get("event_name"))
	case !strings.EqualFold(c.Get("repository"), repository):
		return no("repository %.200q is not %q", c.Get("repository"), repository)
	case p.form.OwnerID && p.OwnerID != "" && c.Get("repository_owner_id") != p.OwnerID:
		return no("repository_owner_id %.32q is not %q", c.Get("repository_owner_id"), p.OwnerID)
	case !p.fileMatches(c):
		return no("%s %.300q is not %s of the repository", p.form.File, c.Get(p.form.File), p.path())
	case !p.environmentMatches(c):
		return no("environment %.255q is not %q", c.Get("environment"), p.Environment)
	}
	return trust.Answer{Admits: true, Exact: exact, Why: "repository, workflow file and environment are those of the publisher"}
}

func (p policy) fileMatches(c oidc.Claims) bool {
	claim := c.Get(p.form.File)
	// Owner and repository of the claim are compared as the repository is; the path is
	// compared with its case.
	repository := p.Owner + "/" + p.Repository + "/"
	if len(claim) < len(repository) || !strings.EqualFold(claim[:len(repository)], repository) {
		return false
	}
	ref, ok := strings.CutPrefix(claim[len(repository):], p.path()+"@")
	if !ok || ref == "" {
		return false
	}
	return !p.form.AtRunRef || ref == c.Get("ref") || ref == c.Get("sha")
}

func (p policy) environmentMatches(c oidc.Claims) bool {
	got := c.Get("environment")
	return p.Environment == "" || got == p.Environment || p.form.AnyCase && strings.EqualFold(got, p.Environment)
}

// Review tells what the publisher leaves open by its text.
func (p policy) Review() []trust.Finding {
	if p.Environment != "" {
		return nil
	}
	return []trust.Finding{{Class: "no-environment", Severity: "medium", Grade: trust.Caution,
		Message: fmt.Sprintf("the publisher of %.200q names no environment: %s publishes from every branch and tag", p.Package, p.path()),
		Next:    "give the job an environment with reviewers and a branch rule, and name it in the publisher"}}
}
