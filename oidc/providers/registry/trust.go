package registry

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/trust"
)

// Trust is what is known of a registry's trusted publishers.
func Trust(r Registry) trust.Cloud {
	return trust.Cloud{Name: r.Name, Find: r.findPublishers, Parse: r.parsePublisher,
		Render: func(g *grant.Grant, t *grant.Target, repo trust.Repository) (trust.Lock, error) {
			var c Config
			if err := t.Decode(&c); err != nil {
				return trust.Lock{}, err
			}
			return Render(r, c, g, repo)
		}}
}

// Render fills in the form of a registry for a grant.
func Render(r Registry, c Config, g *grant.Grant, repo trust.Repository) (trust.Lock, error) {
	r.Audience = cmp.Or(c.Audience, r.Audience)
	p, err := r.publisher(c.Package, g, repo)
	if err != nil {
		return trust.Lock{}, err
	}
	body, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return trust.Lock{}, err
	}
	read, err := r.parsePublisher(trust.Document{Cloud: r.Name, Name: p.Package, Body: body})
	if err != nil {
		return trust.Lock{}, err
	}
	return trust.Lock{Cloud: r.Name, Policy: read, AlsoAdmits: r.Form.residue(g),
		Documents: []trust.Rendered{{Name: "trusted-publisher", Body: string(body) + "\n"}}}, nil
}

// publisher refuses grants for which no form can be filled in.
func (r Registry) publisher(pkg string, g *grant.Grant, repo trust.Repository) (Publisher, error) {
	name := g.For.Repository
	if name == "" {
		name = repo.Name
	}
	owner, short, ok := strings.Cut(name, "/")
	switch {
	case !g.For.OfJobs():
		return Publisher{}, fmt.Errorf("%s takes tokens of GitHub's jobs only, and grant %q is for those of %q", r.Title, g.Name, g.For.Issuer)
	case !ok:
		return Publisher{}, fmt.Errorf("grant %q does not say which repository publishes; name it as owner/repo", g.Name)
	case repo.Issuer != "" && repo.Issuer != githubIssuer:
		return Publisher{}, fmt.Errorf("%s takes tokens of github.com's own issuer only, not of %.200q", r.Title, repo.Issuer)
	case r.Form.refusesAll(g.For.Events):
		return Publisher{}, fmt.Errorf("%s takes no token of runs started by %s", r.Title, strings.Join(g.For.Events, ", "))
	}
	file, err := r.workflowFile(name, g)
	if err != nil {
		return Publisher{}, err
	}
	p := Publisher{Registry: r.Name, Package: pkg, Owner: owner, Repository: short,
		Workflow: file, Environment: g.For.Environment}
	if r.Form.OwnerID {
		if p.OwnerID = g.For.RepositoryOwnerID; p.OwnerID == "" {
			p.OwnerID = repo.OwnerID
		}
	}
	return p, nil
}

func (f Form) refusesAll(events []string) bool {
	for _, e := range events {
		if !f.refuses(e) {
			return false
		}
	}
	return len(events) > 0
}

// workflowFile is the file name for the form.
func (r Registry) workflowFile(repository string, g *grant.Grant) (string, error) {
	file := g.For.Workflow
	if g.For.Called != "" && r.Form.File == "job_workflow_ref" {
		called, ref, _ := strings.Cut(g.For.Called, "@")
		own, ok := strings.CutPrefix(called, repository+"/")
		if !ok || r.Form.AtRunRef && !strings.HasPrefix(ref, "refs/") {
			return "", fmt.Errorf("%s looks for the file that defines the job in the repository itself, and grant %q is for %.300q", r.Title, g.Name, g.For.Called)
		}
		file = own
	}
	if file == "" {
		return "", fmt.Errorf("%s wants the name of a workflow file, and grant %q names none", r.Title, g.Name)
	}
	return path.Base(file), nil
}

// residue lists what the form cannot say of a grant.
func (f Form) residue(g *grant.Grant) []trust.Residue {
	var list []trust.Residue
	add := func(open bool, claim, text string) {
		if open {
			list = append(list, trust.Residue{Claim: claim, Text: text})
		}
	}
	refs := strings.Join(g.For.Refs, ", ")
	startedLoose := f.File == "job_workflow_ref"
	add(startedLoose && (g.For.Workflow != "" || refs != ""), "workflow_ref", "other workflow files of the repository that call this one, and this file as it is on any branch or tag")
	add(!startedLoose && refs != "", "workflow_ref", "the workflow file as it is on any branch or tag, not only on "+refs)
	add(startedLoose && g.For.Called == "", "job_workflow_ref", "jobs of other workflow files of the repository that call this one")
	add(!startedLoose, "job_workflow_ref", "jobs of whatever reusable workflow the file calls")
	add(startedLoose && g.For.Called != "", "job_workflow_ref", "the called file as it is on any branch or tag")
	add(refs != "", "ref", "runs on any branch or tag, not only on "+refs)
	add(g.For.Environment == "", "environment", "jobs with any environment, too")
	add(true, "event_name", "runs started by any event"+f.except())
	add(!f.OwnerID && g.For.RepositoryOwnerID != "", "repository_owner_id", "a repository of the same name under an owner made anew")
	add(g.For.RepositoryID != "", "repository_id", "a repository made anew under the same name")
	add(len(g.For.Actors) > 0, "actor", "runs started by anyone")
	add(g.For.Runner != grant.AnyRunner, "runner_environment", "jobs on any runner")
	add(g.For.RefProtected, "ref_protected", "refs that no rule protects")
	return list
}

func (f Form) except() string {
	if len(f.Refuses) == 0 {
		return ""
	}
	return " but " + strings.Join(f.Refuses, " and ")
}
