package github_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/workflows/github"
	"github.com/stint-dev/stint/workflows/github/githubtest"
)

func surface(all []github.Surface, name string) (github.Surface, bool) {
	i := slices.IndexFunc(all, func(s github.Surface) bool { return s.Name == name })
	if i < 0 {
		return github.Surface{}, false
	}
	return all[i], true
}

func TestOrganizationSettings(t *testing.T) {
	org := githubtest.Generate(githubtest.Options{Repositories: 5})
	org.Rulesets = []githubtest.Ruleset{{ID: 4, Name: "all", Enforcement: "ACTIVE", Include: []string{"~ALL"}, Rules: []string{"DELETION"},
		Bypass: []string{"app:bot:always", "team:core:pull_request", "admin:always", "key:always", "role:maintain:always"}}, {ID: 5, Name: "hidden", Enforcement: "EVALUATE", Hidden: true}}
	org.Denied = map[string]string{"installations": "organization_administration=read"}
	for i := range 130 {
		org.Secrets = append(org.Secrets, githubtest.Secret{Name: fmt.Sprintf("MANY_%d", i), Visibility: "all"})
	}
	r := readerOf(t, githubtest.New(org))
	s, err := r.Settings(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Secrets) != 134 || !slices.Equal(s.Secrets[2].Selected, []string{"acme/repo-00001", "acme/repo-00002"}) || s.Secrets[0].Created.IsZero() {
		t.Errorf("secrets %d, %+v", len(s.Secrets), s.Secrets[2])
	}
	if p := s.Actions; p.AllowedActions != "all" || *p.PinningRequired || p.DefaultPermissions != "write" || !*p.CanApprove || p.ForkApproval != "first_time_contributors" || !*p.ForkRuns || *p.ForkWriteTokens {
		t.Errorf("%+v", p)
	}
	if len(s.Runners) != 1 || *s.Runners[0].Ephemeral || len(s.RunnerGroups) != 1 || !s.RunnerGroups[0].Public || !slices.Equal(s.Subject.Claims, []string{"repo", "context"}) {
		t.Errorf("%+v %+v %+v", s.Runners, s.RunnerGroups, s.Subject)
	}
	want := []github.Bypass{{Kind: "app", Name: "bot", Mode: "always"}, {Kind: "team", Name: "core", Mode: "pull_request"},
		{Kind: "organization_admin", Mode: "always"}, {Kind: "deploy_key", Mode: "always"}, {Kind: "role", Name: "maintain", Mode: "always"}}
	if len(s.Rulesets) != 2 || !slices.Equal(s.Rulesets[0].Bypass, want) || !s.Rulesets[0].BypassReadable || s.Rulesets[1].BypassReadable {
		t.Errorf("%+v", s.Rulesets)
	}
	if apps, ok := surface(s.Surfaces, "installed-apps"); !ok || apps.Readable || apps.Needs != "organization_administration=read" || s.Apps != nil {
		t.Errorf("%+v", apps)
	}
	if stores, ok := surface(s.Surfaces, "dependabot-secrets"); !ok || stores.Readable || stores.Needs == "" {
		t.Errorf("%+v", stores)
	}
}

// A token that may read files only gets an answer all the same, and it says so.
func TestNothingIsReadable(t *testing.T) {
	org := githubtest.Generate(githubtest.Options{Repositories: 40})
	org.Settings, org.Denied = nil, map[string]string{"actions/secrets": "organization_secrets=read", "rulesets": "x"}
	for _, r := range org.Repositories {
		r.Settings, r.DeniedSettings = nil, map[string]string{"keys": "administration=read", "actions/secrets": "secrets=read", "environments": "actions=read"}
	}
	r := readerOf(t, githubtest.New(org))
	s, err := r.Settings(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	for _, surface := range s.Surfaces {
		if surface.Readable || surface.Needs == "" || surface.Why == "" {
			t.Errorf("%+v", surface)
		}
	}
	for s, err := range r.RepositorySettings(t.Context(), listed(t, r, github.PageOptions{})[:10], ^github.Which(0)) {
		if err != nil {
			t.Fatal(err)
		}
		for _, surface := range s.Surfaces {
			if surface.Readable && surface.Name != "rulesets" && surface.Name != "environments" {
				t.Errorf("%s: %+v", s.Repository, surface)
			}
		}
	}
}

func TestRepositorySettings(t *testing.T) {
	org := githubtest.Generate(githubtest.Options{Repositories: 200, Plain: true})
	s := githubtest.New(org)
	r := readerOf(t, s)
	repos := listed(t, r, github.PageOptions{})
	s.Reset()
	got := map[string]github.RepositorySettings{}
	for one, err := range r.RepositorySettings(t.Context(), repos, github.WithEnvironmentSecrets|github.WithDeployKeys|github.WithRulesets) {
		if err != nil {
			t.Fatal(err)
		}
		got[one.Repository] = one
	}
	for _, want := range org.Repositories {
		one := got["acme/"+want.Name]
		if len(one.Environments) != len(want.Environments) || len(one.DeployKeys) != len(want.DeployKeys) || len(one.Rulesets) != len(want.Rulesets) || len(one.Secrets) != len(want.Environments) {
			t.Errorf("%s: %+v", want.Name, one)
		}
		for i, e := range want.Environments {
			g := one.Environments[i]
			policy := e.BranchPolicy
			if policy == "" {
				policy = "none"
			}
			if g.BranchPolicy != policy || *g.AdminsBypass != e.AdminsBypass || len(g.Reviewers) != len(e.Reviewers) || g.PreventSelfReview != e.PreventSelfReview ||
				!slices.Equal(g.Branches, e.Branches) || one.Secrets[i].Environment != e.Name {
				t.Errorf("%s: %+v, want %+v", want.Name, g, e)
			}
		}
	}
	// One key on two repositories is seen as one.
	if a, b := got["acme/repo-00000"].DeployKeys[0].Key, got["acme/repo-00030"].DeployKeys[0].Key; a != b || len(a) != 64 {
		t.Errorf("%q and %q", a, b)
	}
	stats := s.Stats()
	t.Logf("%d queries, %d points, %d REST", stats.GraphQL, stats.Points, stats.REST)
	if stats.GraphQL > 8 || stats.REST > 34*2+17 {
		t.Errorf("%d queries, %d REST for 200 repositories with 34 environments", stats.GraphQL, stats.REST)
	}
}

func TestSettingsObeyLimitsAndGoOn(t *testing.T) {
	org := githubtest.Generate(githubtest.Options{Repositories: 30, Plain: true})
	s := faulty(org, githubtest.SecondaryLimit, func(r githubtest.Request) bool { return r.N == 5 })
	if got, err := readerOf(t, s).Settings(t.Context(), "acme"); err != nil || len(got.Secrets) != 4 || s.Clock.Slept() < 90e9 {
		t.Errorf("%d secrets, %v, slept %v", len(got.Secrets), err, s.Clock.Slept())
	}
	s = faulty(org, githubtest.SecondaryBare, func(r githubtest.Request) bool { return strings.HasSuffix(r.Path, "permissions/workflow") })
	got, err := readerOf(t, s).Settings(t.Context(), "acme")
	policy, _ := surface(got.Surfaces, "workflow-permissions")
	if err != nil || policy.Readable || policy.Why == "" || got.Subject.Claims == nil {
		t.Errorf("%+v, %v", policy, err)
	}
}

func TestBudget(t *testing.T) {
	s := githubtest.New(githubtest.Generate(githubtest.Options{Repositories: 30}))
	s.Limit = 60
	r := readerOf(t, s)
	listed(t, r, github.PageOptions{})
	b, err := r.Budget(t.Context())
	if err != nil || b.GraphQL.Left != 59 || b.REST.Left != 60 || b.GraphQL.Limit != 60 || b.GraphQL.Resets.Before(s.Clock.Now()) {
		t.Errorf("%+v, %v", b, err)
	}
}

// A server without limits is a state, not an error.
func TestEnterpriseServer(t *testing.T) {
	org := githubtest.Generate(githubtest.Options{Seed: 3, Repositories: 120})
	s := githubtest.New(org)
	s.Host, s.NoLimits, s.Token = "git.example.com", true, token
	r, err := github.New(github.Options{Host: "git.example.com", Token: github.StaticToken(token), Transport: s, Now: s.Clock.Now, Sleep: s.Clock.Sleep})
	if err != nil {
		t.Fatal(err)
	}
	checkWhole(t, org, listed(t, r, github.PageOptions{Text: true, Archived: true}))
	if b, err := r.Budget(t.Context()); err != nil || b.GraphQL.Left != -1 || r.Spent().Left != -1 || len(s.Stats().Elsewhere) > 0 {
		t.Errorf("%+v, %+v, %v", b, r.Spent(), err)
	}
}

func TestHosts(t *testing.T) {
	for host, ok := range map[string]bool{"": true, "github.com": true, "octo.ghe.com": true, "git.example.com:8443": true, "https://git.example.com/": true,
		"http://127.0.0.1:80": true, "http://git.example.com": false, "https://u:p@git.example.com": false, "a/b": false, "https://x?y": false, "ftp://127.0.0.1": false} {
		if _, err := github.New(github.Options{Host: host, Token: github.StaticToken(token)}); (err == nil) != ok {
			t.Errorf("%q: %v", host, err)
		}
	}
	if _, err := github.New(github.Options{}); !errors.Is(err, github.ErrNoToken) {
		t.Errorf("without a token: %v", err)
	}
}
