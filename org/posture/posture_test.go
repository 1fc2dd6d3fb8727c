package posture

import (
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows/github"
)

// A world is an organization with one repository, all of whose settings are good. Each
// case changes one thing.
type world struct {
	doc    *org.Document
	org    *github.Settings
	repo   *github.RepositorySettings
	job    *org.Job
	second *github.RepositorySettings
}

func newWorld() *world {
	yes, no := true, false
	w := &world{}
	w.doc = &org.Document{
		Repositories: []org.Repository{
			{Name: "acme/site", Visibility: "public", Branch: "main", Status: org.StatusOK, Analysis: "a"},
			{Name: "acme/docs", Visibility: "private", Branch: "main", Status: org.StatusEmpty},
		},
		Secrets: []org.Secret{{Name: "SITE_TOKEN", Scope: "organization", Store: "actions", Visibility: "selected"}},
	}
	w.job = &org.Job{DocumentJob: reach.DocumentJob{
		Job: "deploy", Environment: "production", Autonomy: []string{"deploys"},
		Starts: []reach.DocumentStart{{Event: "push", Who: "writer"}},
		Code:   []reach.DocumentCode{{Name: "tidy/up@v1", Trust: "mutable", Foreign: true}},
		Credentials: []reach.DocumentCredential{
			{Name: "SITE_TOKEN", Kind: "stored-secret", Lifetime: "standing"},
			{Name: "GITHUB_TOKEN", Kind: "repository-token", Lifetime: "job", Default: true},
			{Name: "id-token", Kind: "id-token", Lifetime: "job"},
		},
	}}
	policy := github.ActionsPolicy{AllowedActions: "selected", PinningRequired: &yes, DefaultPermissions: "read", CanApprove: &no}
	surfaces := func(names ...string) []github.Surface {
		var out []github.Surface
		for _, n := range names {
			out = append(out, github.Surface{Name: n, Readable: true})
		}
		return out
	}
	common := []string{"secrets", "actions-permissions", "workflow-permissions", "runners", "oidc-subject", "rulesets"}
	w.org = &github.Settings{
		Organization: "acme", Actions: policy, Subject: github.Subject{Immutable: &yes}, Surfaces: surfaces(append(common, "runner-groups")...),
		Runners:      []github.Runner{{Name: "one", Ephemeral: &yes, Group: 7}},
		RunnerGroups: []github.RunnerGroup{{ID: 7, Name: "builders", Visibility: "all"}},
		Rulesets: []github.Ruleset{{
			Name: "main", Target: "branch", Enforcement: "active", Include: []string{"~DEFAULT_BRANCH"}, BypassReadable: true,
			Bypass: []github.Bypass{{Kind: "team", Name: "release", Mode: "pull_request"}},
		}},
	}
	w.repo = &github.RepositorySettings{
		Repository: "acme/site", Actions: policy, Subject: github.Subject{Immutable: &yes},
		Surfaces:   surfaces(append(common, "environments", "deploy-keys", `secrets of "production"`)...),
		Secrets:    []github.Secret{{Name: "SITE_TOKEN", Environment: "production", Store: "actions"}},
		DeployKeys: []github.DeployKey{{Title: "reader", ReadOnly: true, Key: "k1"}},
		Environments: []github.Environment{{
			Name: "production", Reviewers: []string{"team:release"}, PreventSelfReview: true, AdminsBypass: &no, BranchPolicy: "protected",
		}},
		Runners: []github.Runner{{Name: "two", Ephemeral: &yes}},
	}
	w.second = &github.RepositorySettings{
		Repository: "acme/docs", Actions: policy, Subject: github.Subject{Immutable: &yes}, Surfaces: surfaces(append(common, "environments", "deploy-keys")...),
		DeployKeys: []github.DeployKey{{Title: "other", ReadOnly: true, Key: "k2"}},
	}
	return w
}

func (w *world) judge() ([]org.Finding, []org.NotChecked) {
	return Judge(w.doc, map[string][]*org.JobReach{"a": {org.ReachOf(w.job)}}, Settings{w.org, []github.RepositorySettings{*w.repo, *w.second}})
}

func TestNothingIsWrongWithGoodSettings(t *testing.T) {
	findings, open := newWorld().judge()
	for _, f := range findings {
		t.Errorf("%s %s: %s", f.Rule, f.Path, f.Message)
	}
	for _, n := range open {
		t.Errorf("not checked: %s: %s", n.Rule, n.Why)
	}
}

func TestChecks(t *testing.T) {
	yes, no := true, false
	cases := []struct {
		rule, path, severity string
		credential           string
		message              string
		change               func(*world)
	}{
		{"default-write-token", "", "medium", "GITHUB_TOKEN", "1 job here", func(w *world) { w.org.Actions.DefaultPermissions = "write" }},
		{"default-write-token", "acme/site", "medium", "GITHUB_TOKEN", "1 job here", func(w *world) {
			w.org.Actions.DefaultPermissions, w.repo.Actions.DefaultPermissions = "write", "write"
		}},
		{"actions-approve-pull-requests", "", "low", "", "0 jobs", func(w *world) { w.org.Actions.CanApprove = &yes }},
		{"actions-approve-pull-requests", "acme/site", "medium", "GITHUB_TOKEN", "1 job with", func(w *world) {
			w.job.Credentials[1].Scopes = []string{"pull-requests"}
			w.org.Actions.CanApprove, w.repo.Actions.CanApprove = &yes, &yes
		}},
		{"any-action-allowed", "", "high", "SITE_TOKEN", "every action of the world", func(w *world) { w.org.Actions.AllowedActions = "all" }},
		{"any-action-allowed", "acme/site", "high", "SITE_TOKEN", "every action of the world", func(w *world) {
			w.org.Actions.AllowedActions, w.repo.Actions.AllowedActions = "all", "all"
		}},
		{"commit-pins-not-required", "", "high", "SITE_TOKEN", "a tag or branch", func(w *world) { w.org.Actions.PinningRequired = &no }},
		{"commit-pins-not-required", "acme/site", "high", "SITE_TOKEN", "a tag or branch", func(w *world) {
			w.org.Actions.PinningRequired, w.repo.Actions.PinningRequired = &no, &no
		}},
		{"organization-wide-secret", "", "high", "SITE_TOKEN", "every repository sees", func(w *world) { w.doc.Secrets[0].Visibility = "all" }},
		{"dead-secret", "", "medium", "SITE_TOKEN", "no job names", func(w *world) { w.doc.Secrets[0].Dead = true }},
		{"dead-secret", "acme/site", "medium", "OLD", `"OLD"`, func(w *world) {
			w.doc.Secrets = append(w.doc.Secrets, org.Secret{Name: "OLD", Scope: "repository", Repository: "acme/site", Store: "actions", Dead: true})
		}},
		{"environment-without-gate", "acme/site", "high", "SITE_TOKEN", "no person", func(w *world) { w.repo.Environments[0].Reviewers = nil }},
		{"environment-admin-bypass", "acme/site", "high", "SITE_TOKEN", "administrators", func(w *world) { w.repo.Environments[0].AdminsBypass = &yes }},
		{"environment-self-review", "acme/site", "high", "SITE_TOKEN", "may approve it", func(w *world) { w.repo.Environments[0].PreventSelfReview = false }},
		{"environment-any-branch", "acme/site", "high", "SITE_TOKEN", "every branch", func(w *world) { w.repo.Environments[0].BranchPolicy = "none" }},
		{"environment-any-branch", "acme/site", "medium", "SITE_TOKEN", "every branch", func(w *world) {
			w.job.Environment = "staging" // nobody enters it now
			w.repo.Environments[0].BranchPolicy = "none"
		}},
		{"environment-any-branch", "acme/site", "high", "SITE_TOKEN", "every branch", func(w *world) {
			w.job.Environment = "${{ inputs.where }}"
			w.repo.Environments[0].BranchPolicy = "none"
		}},
		{"ruleset-bypass", "", "high", "SITE_TOKEN", `the app "bot" always`, func(w *world) {
			w.org.Rulesets[0].Bypass = append(w.org.Rulesets[0].Bypass, github.Bypass{Kind: "app", Name: "bot", Mode: "always"})
		}},
		{"ruleset-bypass", "acme/site", "high", "SITE_TOKEN", `the role "maintain"`, func(w *world) {
			w.repo.Rulesets = []github.Ruleset{{Name: "r", Target: "branch", Enforcement: "active", Include: []string{"refs/heads/m*"}, BypassReadable: true,
				Bypass: []github.Bypass{{Kind: "role", Name: "maintain", Mode: "exempt"}}}}
		}},
		{"writable-deploy-key", "acme/site", "medium", "pusher", "may push", func(w *world) {
			w.repo.DeployKeys = append(w.repo.DeployKeys, github.DeployKey{Title: "pusher", Key: "k3"})
		}},
		{"reused-deploy-key", "", "medium", "reader", "acme/site, acme/docs", func(w *world) { w.second.DeployKeys[0].Key = "k1" }},
		{"public-runner-group", "", "critical", "SITE_TOKEN", "acme/site", func(w *world) { w.org.RunnerGroups[0].Public = true }},
		{"long-lived-runner-on-forks", "", "critical", "SITE_TOKEN", `"one"`, func(w *world) {
			w.org.RunnerGroups[0].Public, w.org.Runners[0].Ephemeral = true, &no
		}},
		{"long-lived-runner-on-forks", "acme/site", "critical", "SITE_TOKEN", `"two"`, func(w *world) { w.repo.Runners[0].Ephemeral = &no }},
		{"stored-app-key", "", "medium", "BOT_APP_PRIVATE_KEY", "private key", func(w *world) { w.doc.Secrets[0].Name = "BOT_APP_PRIVATE_KEY" }},
		{"stored-app-key", "acme/site", "medium", "BOT_APP_PRIVATE_KEY", "private key", func(w *world) {
			w.doc.Secrets[0].Name, w.doc.Secrets[0].Repository = "BOT_APP_PRIVATE_KEY", "acme/site"
		}},
		{"stored-personal-token", "", "high", "RELEASE_PAT", "a person's token", func(w *world) {
			w.doc.Secrets[0].Name, w.job.Credentials[0].Name = "RELEASE_PAT", "RELEASE_PAT"
		}},
		{"name-form-subject", "", "medium", "id-token", "names", func(w *world) { w.org.Subject.Immutable = &no }},
		{"name-form-subject", "acme/site", "medium", "id-token", "names", func(w *world) {
			w.org.Subject.Immutable, w.repo.Subject.Immutable = &no, &no
		}},
	}
	tested := map[string]bool{}
	for _, c := range cases {
		w := newWorld()
		c.change(w)
		findings, _ := w.judge()
		tested[c.rule] = true
		i := slices.IndexFunc(findings, func(f org.Finding) bool { return f.Rule == c.rule && f.Path == c.path })
		if i < 0 {
			t.Errorf("%s of %q is not found in %v", c.rule, c.path, findings)
			continue
		}
		f := findings[i]
		if f.Severity != c.severity || !strings.Contains(f.Message, c.message) || f.Next == "" || c.credential != "" && !slices.Contains(f.Credentials, c.credential) {
			t.Errorf("%s of %q: got %s, %v, %q; want %s, %q, %q", c.rule, c.path, f.Severity, f.Credentials, f.Message, c.severity, c.credential, c.message)
		}
		if f.Fingerprint == "" || len(findings) > 2 {
			t.Errorf("%s of %q: one change gives %d findings: %v", c.rule, c.path, len(findings), findings)
		}
	}
	for _, rule := range Rules() {
		if !tested[rule] {
			t.Errorf("no case for %s", rule)
		}
	}
	if !slices.IsSorted(Rules()) {
		t.Error("the table is not sorted")
	}
}

func TestWhatIsFineStaysSilent(t *testing.T) {
	yes, no := true, false
	for name, change := range map[string]func(*world){
		"an environment without secrets":        func(w *world) { w.repo.Secrets, w.repo.Environments[0].Reviewers = nil, nil },
		"a ruleset of another branch":           func(w *world) { w.org.Rulesets[0].Include = []string{"refs/heads/old/**/*"}; w.alwaysBot() },
		"a ruleset that is off":                 func(w *world) { w.org.Rulesets[0].Enforcement = "disabled"; w.alwaysBot() },
		"a ruleset that excludes the branch":    func(w *world) { w.org.Rulesets[0].Exclude = []string{"refs/heads/main"}; w.alwaysBot() },
		"a ruleset of other repositories":       func(w *world) { w.org.Rulesets[0].Repositories = []string{"infra-*"}; w.alwaysBot() },
		"an app that bypasses in pull requests": func(w *world) { w.org.Rulesets[0].Bypass[0].Kind = "app" },
		"runners of a private repository":       func(w *world) { w.second.Runners = []github.Runner{{Name: "x", Ephemeral: &no}} },
		"a subject with ids": func(w *world) {
			w.org.Subject = github.Subject{Claims: []string{"repository_id", "ref"}}
			w.repo.Subject = w.org.Subject
		},
		"what the organization forbids to all": func(w *world) { w.repo.Actions.DefaultPermissions, w.repo.Actions.CanApprove = "", nil },
		"a secret for another product":         func(w *world) { w.doc.Secrets[0].Store, w.doc.Secrets[0].Visibility = "dependabot", "all" },
		"a gate of an app": func(w *world) {
			w.repo.Environments[0].Reviewers, w.repo.Environments[0].CustomRules = nil, []string{"gate"}
		},
		"ids by the host's own form": func(w *world) { w.org.Subject.Immutable = &yes },
	} {
		w := newWorld()
		change(w)
		if findings, open := w.judge(); len(findings)+len(open) > 0 {
			t.Errorf("%s: %v, not checked %v", name, findings, open)
		}
	}
}

func (w *world) alwaysBot() {
	w.org.Rulesets[0].Bypass = []github.Bypass{{Kind: "app", Name: "bot", Mode: "always"}}
}

func TestNotReadableIsNeverFine(t *testing.T) {
	cases := map[string]struct {
		rules  []string
		why    string
		change func(*world)
	}{
		"nothing of the organization": {[]string{"default-write-token", "organization-wide-secret", "public-runner-group", "dead-secret"}, "were not read", func(w *world) { w.org = nil }},
		"a surface of the organization": {[]string{"ruleset-bypass"}, "organization administration: read", func(w *world) {
			deny(w.org.Surfaces, "rulesets", "organization administration: read")
		}},
		"a surface that was not asked for": {[]string{"writable-deploy-key", "reused-deploy-key"}, "was not asked for", func(w *world) {
			w.repo.Surfaces = slices.DeleteFunc(w.repo.Surfaces, func(s github.Surface) bool { return s.Name == "deploy-keys" })
		}},
		"nothing of a repository": {[]string{"environment-without-gate", "writable-deploy-key"}, "were not read", func(w *world) { w.second.Repository = "acme/gone" }},
		"secrets of an environment": {[]string{"environment-any-branch"}, "secrets of environments is not readable", func(w *world) {
			w.repo.Surfaces = slices.DeleteFunc(w.repo.Surfaces, func(s github.Surface) bool { return strings.HasPrefix(s.Name, "secrets of") })
			w.repo.Surfaces = append(w.repo.Surfaces, github.Surface{Name: `secrets of "production"`, Needs: "repository environments: read"})
		}},
		"what the host leaves out": {
			[]string{"default-write-token", "actions-approve-pull-requests", "any-action-allowed", "commit-pins-not-required", "name-form-subject"}, "did not say",
			func(w *world) { w.org.Actions, w.org.Subject = github.ActionsPolicy{}, github.Subject{} },
		},
		"administrators":       {[]string{"environment-admin-bypass"}, "did not say", func(w *world) { w.repo.Environments[0].AdminsBypass = nil }},
		"branches":             {[]string{"environment-any-branch"}, "did not say", func(w *world) { w.repo.Environments[0].BranchPolicy = "" }},
		"who bypasses":         {[]string{"ruleset-bypass"}, "may not see who", func(w *world) { w.org.Rulesets[0].BypassReadable = false }},
		"runners":              {[]string{"long-lived-runner-on-forks"}, "did not say", func(w *world) { w.repo.Runners[0].Ephemeral = nil }},
		"files of a user":      {[]string{"dead-secret"}, "could not be read", func(w *world) { w.doc.Secrets[0].Dead, w.doc.Repositories[1].Status = true, org.StatusDenied }},
		"a key that is hidden": {[]string{"reused-deploy-key"}, "did not give", func(w *world) { w.second.DeployKeys[0].Key = "" }},
	}
	for name, c := range cases {
		w := newWorld()
		c.change(w)
		_, open := w.judge()
		for _, rule := range c.rules {
			i := slices.IndexFunc(open, func(n org.NotChecked) bool { return n.Rule == rule && strings.Contains(n.Why, c.why) && n.Count > 0 })
			if i < 0 {
				t.Errorf("%s: %s is not among the open checks: %v", name, rule, open)
			}
		}
	}
}

// deny makes a surface unreadable.
func deny(list []github.Surface, name, needs string) {
	for i := range list {
		if list[i].Name == name {
			list[i] = github.Surface{Name: name, Needs: needs}
		}
	}
}

func TestFingerprintsTellSubjectsApart(t *testing.T) {
	w := newWorld()
	w.repo.DeployKeys = []github.DeployKey{{Title: "a", Key: "1"}, {Title: "b", Key: "2"}}
	first, _ := w.judge()
	second, _ := w.judge()
	seen := map[string]bool{}
	for i, f := range first {
		if seen[f.Fingerprint] {
			t.Errorf("two findings share %s", f.Fingerprint)
		}
		seen[f.Fingerprint] = true
		if f.Fingerprint != second[i].Fingerprint {
			t.Errorf("%s changes between runs", f.Rule)
		}
	}
	if len(seen) != 2 {
		t.Fatalf("%d findings, want one for each key", len(seen))
	}
}
