package trust

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/oidc/grant"
)

var site = Repository{Name: "acme/site", OwnerID: "1001", ID: "2001"}

func termsOf(t *testing.T, f grant.For, repo Repository) Terms {
	t.Helper()
	terms, err := TermsOf(&grant.Grant{Name: "deploy", For: f}, repo)
	if err != nil {
		t.Fatal(err)
	}
	return terms
}

// written shows the terms as claim=value|prefix*, the subjects first.
func written(terms Terms) []string {
	show := func(values []Value) string {
		var texts []string
		for _, v := range values {
			if v.Open {
				v.Text += "*"
			}
			texts = append(texts, v.Text)
		}
		return strings.Join(texts, "|")
	}
	list := []string{"sub=" + show(terms.Subjects)}
	for _, term := range terms.Terms {
		list = append(list, term.Claim+"="+show(term.Values))
	}
	return list
}

func TestTermsSayWhatTheGrantDemands(t *testing.T) {
	const normal = "event_name=push|schedule|workflow_dispatch|release|deployment|create|merge_group"
	for name, c := range map[string]struct {
		f    grant.For
		repo Repository
		want []string
	}{
		"a branch and a file": {
			grant.For{Refs: []string{"refs/heads/main"}, Workflow: ".github/workflows/deploy.yml"}, site, []string{
				"sub=repo:acme/site:ref:refs/heads/main|repo:acme@1001/site@2001:ref:refs/heads/main",
				"repository=acme/site", "repository_id=2001", "repository_owner_id=1001", "ref=refs/heads/main",
				"workflow_ref=acme/site/.github/workflows/deploy.yml@refs/heads/main", "job_workflow_ref=acme/site/.github/workflows/deploy.yml@refs/heads/main",
				normal, "runner_environment=github-hosted"},
		},
		"patterns": {
			grant.For{Refs: []string{"refs/tags/v/*"}, Called: "acme/p/.github/workflows/x.yml@refs/heads/*", Runner: grant.AnyRunner, RefProtected: true},
			Repository{Name: "acme/site"}, []string{
				"sub=repo:acme/site:ref:refs/tags/v/*", "repository=acme/site", "ref=refs/tags/v/*",
				"job_workflow_ref=acme/p/.github/workflows/x.yml@refs/heads/*", normal, "ref_protected=true"},
		},
		"any ref, with the ids in sub": {
			grant.For{Workflow: ".github/workflows/a.yml", Actors: []string{"ann", "bob"}, Runner: grant.SelfHosted},
			Repository{Name: "acme/site", OwnerID: "1", ID: "2", Subject: ImmutableSubject}, []string{
				"sub=repo:acme@1/site@2:ref:*", "repository=acme/site", "repository_id=2", "repository_owner_id=1",
				"workflow_ref=acme/site/.github/workflows/a.yml@*", "job_workflow_ref=acme/site/.github/workflows/a.yml@*",
				normal, "actor=ann|bob", "runner_environment=self-hosted"},
		},
		"an environment with a star": {
			grant.For{Environment: "a*", Events: []string{"pull_request"}}, Repository{Name: "acme/site"}, []string{
				"sub=repo:acme/site:environment:a*", "repository=acme/site", "environment=a*", "job_workflow_ref=", "event_name=pull_request",
				"runner_environment=github-hosted"},
		},
		"another repository keeps its own ids": {
			grant.For{Repository: "acme/other", RepositoryID: "9", Refs: []string{"refs/heads/main"}}, site, []string{
				"sub=repo:acme/other:ref:refs/heads/main", "repository=acme/other", "repository_id=9", "ref=refs/heads/main", "job_workflow_ref=",
				normal, "runner_environment=github-hosted"},
		},
	} {
		if got := written(termsOf(t, c.f, c.repo)); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, c.want)
		}
	}
	star := termsOf(t, grant.For{Environment: "a*"}, site).Subjects
	if star[0].Open {
		t.Error("the star of an environment's name is taken for a pattern")
	}
}

func TestResidueIsWhatNeitherSubjectNorClaimsSay(t *testing.T) {
	const file = ".github/workflows/deploy.yml"
	for _, c := range []struct {
		f    grant.For
		form SubjectForm
		seen []string
		want string
	}{
		{grant.For{Refs: []string{"refs/heads/main"}, Workflow: file}, NameSubject, nil,
			"repository_id repository_owner_id workflow_ref job_workflow_ref event_name runner_environment"},
		{grant.For{Refs: []string{"refs/heads/main"}, Workflow: file}, ImmutableSubject, nil, "workflow_ref job_workflow_ref event_name runner_environment"},
		{grant.For{Refs: []string{"refs/heads/main"}, Workflow: file}, EitherSubject, []string{"event_name", "runner_environment", "workflow_ref"},
			"repository_id repository_owner_id job_workflow_ref"},
		{grant.For{Environment: "prod", Refs: []string{"refs/heads/main"}}, ImmutableSubject, []string{"event_name", "runner_environment"}, "ref job_workflow_ref"},
		{grant.For{Environment: "a:b"}, ImmutableSubject, []string{"event_name", "runner_environment"}, "environment job_workflow_ref"},
		{grant.For{Environment: "a%3Ab", Workflow: file}, ImmutableSubject, []string{"event_name", "runner_environment", "environment", "workflow_ref", "job_workflow_ref"}, ""},
		{grant.For{Refs: []string{"refs/heads/main"}, Events: []string{"push", "pull_request_target"}}, ImmutableSubject, []string{"event_name", "runner_environment"}, "ref job_workflow_ref"},
		// No list of values says that two claims are the same.
		{grant.For{}, ImmutableSubject, []string{"job_workflow_ref", "event_name", "runner_environment"}, "job_workflow_ref"},
	} {
		repo := site
		repo.Subject = c.form
		residue := termsOf(t, c.f, repo).Without(c.seen...)
		var claims []string
		for _, r := range residue {
			if claims = append(claims, r.Claim); r.Text == "" {
				t.Errorf("%s has no text", r.Claim)
			}
		}
		if got := strings.Join(claims, " "); got != c.want || residue == nil {
			t.Errorf("%+v %s without %q: %q, want %q", c.f, c.form, c.seen, got, c.want)
		}
	}
}

func TestTermsNeedARepositoryAndItsIDs(t *testing.T) {
	for name, repo := range map[string]Repository{
		"no name": {}, "half a name": {Name: "acme"}, "no ids": {Name: "acme/site", Subject: ImmutableSubject}, "one id": {Name: "acme/site", ID: "1", Subject: EitherSubject},
	} {
		if _, err := TermsOf(&grant.Grant{Name: "deploy"}, repo); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	g := &grant.Grant{Name: "deploy", For: grant.For{Repository: "acme/other"}}
	other := site
	other.Subject = ImmutableSubject
	if _, err := TermsOf(g, other); err == nil {
		t.Error("another repository got these ids")
	}
}

func TestOfReturnsTheValuesOfAClaim(t *testing.T) {
	terms := termsOf(t, grant.For{Actors: []string{"ann"}}, site)
	if got := fmt.Sprint(terms.Of("actor"), terms.Of("ref")); got != "[{ann false}] []" {
		t.Error(got)
	}
}

func TestNormalEventsAreTrusted(t *testing.T) {
	events := grant.NormalEvents()
	for _, e := range events {
		if !grant.NormalTrust(e) {
			t.Errorf("%s is listed and not trusted", e)
		}
	}
	events[0] = "issue_comment"
	if grant.NormalTrust("issue_comment") {
		t.Error("the list is the table itself")
	}
}
