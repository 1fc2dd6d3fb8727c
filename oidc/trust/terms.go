package trust

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
)

// Terms are what a grant demands of a token, claim by claim, for the locks that are
// written in values of claims. A token meets them when it meets each.
type Terms struct {
	// Repository is the one of the grant; its ids are "" where nobody said them.
	Repository Repository
	// Subjects are the values of sub, first those with names, then those with ids.
	Subjects []Value
	// Terms are the other claims. The repository and, where there is no environment,
	// the absence of one follow from the subject alone.
	Terms []Term
}

// A Term is one claim and the values of which it must have one.
type Term struct {
	Claim string
	// Values is empty for what cannot be written as values: that job_workflow_ref is
	// the same as workflow_ref, whatever that is.
	Values []Value
	// InSubject says that every subject of the terms settles the claim by itself.
	InSubject bool
	// Text says in one line what is let in by a lock without the term.
	Text string
}

// A Value is a text, or the beginning of one.
type Value struct {
	Text string
	// Open admits what begins with Text and is longer.
	Open bool
}

// TermsOf reads a grant. The ids of repo are demanded even where the grant names
// none: without them the lock outlives the repository's name.
func TermsOf(g *grant.Grant, repo Repository) (Terms, error) {
	f := g.For
	if !f.OfJobs() {
		return Terms{}, fmt.Errorf("grant %q is for tokens of %q, and only locks for GitHub's jobs are rendered", g.Name, f.Issuer)
	}
	if f.Repository != "" && f.Repository != repo.Name {
		repo.Name, repo.OwnerID, repo.ID = f.Repository, "", ""
	}
	repo.OwnerID, repo.ID = cmp.Or(f.RepositoryOwnerID, repo.OwnerID), cmp.Or(f.RepositoryID, repo.ID)
	repo.Issuer = cmp.Or(repo.Issuer, GitHubIssuer)
	if repo.Name == "" {
		return Terms{}, fmt.Errorf("grant %q names no repository, and none was given", g.Name)
	}
	t := Terms{Repository: repo}
	if err := t.subjects(g); err != nil {
		return Terms{}, err
	}
	if len(t.Subjects) == 0 {
		return Terms{}, fmt.Errorf("grant %q has no subject: %q is not owner/repo", g.Name, repo.Name)
	}
	t.ids()
	t.place(f)
	t.files(f)
	t.run(f)
	return t, nil
}

// GitHubIssuer is the issuer of github.com's tokens.
const GitHubIssuer = "https://token.actions.githubusercontent.com"

// subjects fills in the subjects of the forms that the repository has.
func (t *Terms) subjects(g *grant.Grant) error {
	r := &t.Repository
	known := r.ID != "" && r.OwnerID != ""
	if r.Subject == "" {
		r.Subject = NameSubject
		if known {
			r.Subject = EitherSubject
		}
	}
	if r.Subject != NameSubject && !known {
		return fmt.Errorf("grant %q needs the ids of %q and of its owner: they are part of its subjects", g.Name, r.Name)
	}
	for _, sub := range g.Subjects(grant.Repository{Name: r.Name, ID: r.ID, OwnerID: r.OwnerID}) {
		s := oidc.ParseSubject(sub)
		if s.Form == oidc.SubjectClassic && r.Subject == ImmutableSubject || s.Form == oidc.SubjectImmutable && r.Subject == NameSubject {
			continue
		}
		// No ref has a star, so one at the end is the grant's own.
		text, open := sub, false
		if s.Kind == oidc.SubjectRef {
			text, open = strings.CutSuffix(sub, "*")
		}
		t.Subjects = append(t.Subjects, Value{text, open})
	}
	return nil
}

func (t *Terms) add(claim string, inSubject bool, text string, values ...Value) {
	t.Terms = append(t.Terms, Term{Claim: claim, Values: values, InSubject: inSubject, Text: text})
}

func (t *Terms) ids() {
	r, immutable := t.Repository, t.Repository.Subject == ImmutableSubject
	t.add("repository", true, "runs of other repositories", Value{Text: r.Name})
	if r.ID != "" {
		t.add("repository_id", immutable, "a repository that was made under the same name after this one", Value{Text: r.ID})
	}
	if r.OwnerID != "" {
		t.add("repository_owner_id", immutable, "an owner who took the name after this one", Value{Text: r.OwnerID})
	}
}

// place adds environment and ref.
func (t *Terms) place(f grant.For) {
	if e := f.Environment; e != "" {
		// The escape of sub is not one to one: a:b and a%3Ab have one subject.
		alone := !strings.Contains(e, ":") && !strings.Contains(e, "%3A")
		t.add("environment", alone, "an environment whose name differs in : and %3A only", Value{Text: e})
	}
	if len(f.Refs) > 0 {
		t.add("ref", f.Environment == "" && !t.hasPullRequest(), "any branch, tag or pull request that may use the environment", opened("", f.Refs)...)
	}
}

func (t *Terms) hasPullRequest() bool {
	for _, s := range t.Subjects {
		if oidc.ParseSubject(s.Text).Kind == oidc.SubjectPullRequest {
			return true
		}
	}
	return false
}

// opened reads the ref patterns of a grant.
func opened(before string, refs []string) []Value {
	var values []Value
	for _, ref := range refs {
		text, open := strings.CutSuffix(ref, "*")
		values = append(values, Value{before + text, open})
	}
	return values
}

// files adds workflow_ref and job_workflow_ref. A grant that names no called
// workflow demands that the two are the same. Where the file is known, that is said
// by the same values for both; a file cannot call itself.
func (t *Terms) files(f grant.For) {
	var own []Value
	if f.Workflow != "" {
		file := t.Repository.Name + "/" + f.Workflow + "@"
		if own = opened(file, f.Refs); len(own) == 0 {
			own = []Value{{file, true}}
		}
		t.add("workflow_ref", false, "runs of other workflow files of the repository", own...)
	}
	if f.Called != "" {
		t.add("job_workflow_ref", false, "jobs that other files define", opened("", []string{f.Called})...)
		return
	}
	t.add("job_workflow_ref", false, "jobs that reusable workflows define, also those of other owners", own...)
}

// run adds what the run itself is.
func (t *Terms) run(f grant.For) {
	events := f.Events
	if len(events) == 0 {
		events = grant.NormalEvents()
	}
	t.add("event_name", false, "runs that other events start, such as issue_comment and workflow_run on the default branch", exact(events...)...)
	if len(f.Actors) > 0 {
		t.add("actor", false, "runs that others start", exact(f.Actors...)...)
	}
	if runner := cmp.Or(f.Runner, grant.GitHubHosted); runner != grant.AnyRunner {
		t.add("runner_environment", false, "jobs on other runners than "+runner+" ones", Value{Text: runner})
	}
	if f.RefProtected {
		t.add("ref_protected", false, "refs that no rule protects", Value{Text: "true"})
	}
}

func exact(texts ...string) []Value {
	values := make([]Value, len(texts))
	for i, s := range texts {
		values[i].Text = s
	}
	return values
}

// Without returns what a lock also admits that looks at the subject and at these
// claims, and at nothing else.
func (t Terms) Without(seen ...string) []Residue {
	residue := []Residue{}
	for _, term := range t.Terms {
		if !term.InSubject && (len(term.Values) == 0 || !slices.Contains(seen, term.Claim)) {
			residue = append(residue, Residue{Claim: term.Claim, Text: term.Text})
		}
	}
	return residue
}

// Of returns the values of a claim, nil when there is no term for it.
func (t Terms) Of(claim string) []Value {
	for _, term := range t.Terms {
		if term.Claim == claim {
			return term.Values
		}
	}
	return nil
}
