package platform

import (
	"slices"
	"strings"
)

// roles names the inputs of an action that mean something for a credential.
type roles = map[string]Role

// actionTables are the tables of well-known actions, by kind. The facts of a line
// are the inputs and the behaviour documented in the action's own repository; they
// were written down in 2026-11, and Source is filled in from the name.
var actionTables = [][]ActionInfo{
	githubActions, setupActions, buildActions,
	cloudActions, cloudToolActions,
	registryActions, releaseActions,
	gitActions, talkActions,
	scriptActions, agentActions,
}

var actions = indexActions()

func indexActions() map[string]ActionInfo {
	index := indexBy(slices.Concat(actionTables...), func(a ActionInfo) string { return a.Name })
	for name, a := range index {
		index[name] = completed(a)
	}
	return index
}

// lookupAction looks for the longest line that name starts with. A reusable
// workflow is no step of its repository's action, so that only a line of its own counts.
func lookupAction(name string) (ActionInfo, bool) {
	name = strings.ToLower(name)
	workflow := strings.Contains(name, "/.github/workflows/")
	for key := name; strings.Contains(key, "/"); key = key[:strings.LastIndex(key, "/")] {
		if a, ok := actions[key]; ok {
			return a, true
		}
		if workflow {
			break
		}
	}
	return ActionInfo{}, false
}

// completed fills in what the tables leave out because it follows from the name.
func completed(a ActionInfo) ActionInfo {
	a.Token = tokenNeeds[a.Name]
	if strings.HasPrefix(a.Name, "slsa-framework/slsa-github-generator/") {
		// Its verifier checks the tag: README, "Referencing SLSA builders and generators".
		a.TagOnly = "its provenance is verified by the tag"
	}
	if a.Source == "" {
		a.Source = "github.com/" + a.Name + ": its action.yml and README, 2026-11"
	}
	return a
}

// githubActions are the platform's own. Source: the repositories of
// github.com/actions and github.com/github, 2026-11.
var githubActions = []ActionInfo{
	{Name: "actions/checkout", Checkout: true, Inputs: roles{"ref": RoleRef, "repository": RoleRef, "path": RolePath, "token": RoleSecret, "ssh-key": RoleSecret}},
	{Name: "actions/github-script", Opens: "github", Inputs: roles{"script": RoleScript, "github-token": RoleSecret}},
	{Name: "actions/cache", Cache: true, Inputs: roles{"path": RolePath, "key": RoleCache, "restore-keys": RoleCache}},
	{Name: "actions/cache/restore", Cache: true, Inputs: roles{"path": RolePath, "key": RoleCache, "restore-keys": RoleCache}},
	{Name: "actions/cache/save", Cache: true, Inputs: roles{"path": RolePath, "key": RoleCache}},
	{Name: "actions/upload-artifact", Upload: true, Inputs: roles{"path": RolePath}},
	{Name: "actions/upload-artifact/merge", Upload: true},
	{Name: "actions/download-artifact", Inputs: roles{"path": RolePath, "github-token": RoleSecret}},
	{Name: "actions/upload-pages-artifact", Upload: true, Inputs: roles{"path": RolePath}},
	{Name: "actions/configure-pages", Opens: "github", Inputs: roles{"token": RoleSecret}},
	{Name: "actions/deploy-pages", Opens: "github", Deploys: true, OIDC: true, Inputs: roles{"token": RoleSecret}},
	{Name: "actions/jekyll-build-pages", RunsWorkspace: true, Inputs: roles{"source": RolePath, "token": RoleSecret}},
	{Name: "actions/attest", Opens: "github", OIDC: true, Inputs: roles{"github-token": RoleSecret, "subject-path": RolePath}},
	{Name: "actions/attest-build-provenance", Opens: "github", OIDC: true, Inputs: roles{"github-token": RoleSecret, "subject-path": RolePath}},
	{Name: "actions/attest-sbom", Opens: "github", OIDC: true, Inputs: roles{"github-token": RoleSecret, "subject-path": RolePath}},
	{Name: "actions/create-github-app-token", Opens: "github", Mints: "app-token", MintedLifetime: "job", Inputs: roles{"private-key": RoleSecret}, StaticInputs: []string{"private-key"}},
	{Name: "actions/publish-immutable-action", Opens: "github", Publishes: true, OIDC: true, Inputs: roles{"github-token": RoleSecret}},
	{Name: "actions/publish-action", Opens: "github", Publishes: true, Inputs: roles{"token": RoleSecret}},
	{Name: "actions/create-release", Opens: "github", Publishes: true},
	{Name: "actions/upload-release-asset", Opens: "github", Publishes: true, Inputs: roles{"asset_path": RolePath}},
	{Name: "actions/labeler", Opens: "github", Inputs: roles{"repo-token": RoleSecret, "configuration-path": RolePath}},
	{Name: "actions/stale", Opens: "github", Inputs: roles{"repo-token": RoleSecret}},
	{Name: "actions/first-interaction", Opens: "github", Inputs: roles{"repo-token": RoleSecret, "repo_token": RoleSecret}},
	{Name: "actions/dependency-review-action", Opens: "github", Inputs: roles{"repo-token": RoleSecret, "base-ref": RoleRef, "head-ref": RoleRef}},
	{Name: "actions/add-to-project", Opens: "github", Inputs: roles{"github-token": RoleSecret}},
	{Name: "actions/delete-package-versions", Opens: "github", Inputs: roles{"token": RoleSecret}},
	{Name: "github/codeql-action", Opens: "github", Inputs: roles{"token": RoleSecret}},
	{Name: "github/codeql-action/init", Opens: "github", Inputs: roles{"token": RoleSecret, "external-repository-token": RoleSecret, "registries": RoleSecret}},
	{Name: "github/codeql-action/autobuild", Opens: "github", RunsWorkspace: true, Inputs: roles{"token": RoleSecret}},
	{Name: "github/codeql-action/analyze", Opens: "github", Inputs: roles{"token": RoleSecret}},
	{Name: "github/codeql-action/upload-sarif", Opens: "github", Inputs: roles{"token": RoleSecret}},
	{Name: "github/gh-aw-actions/setup-cli", Setup: true, Inputs: roles{"github-token": RoleSecret}},
	{Name: "github/super-linter", RunsWorkspace: true},
	{Name: "dependabot/fetch-metadata", Opens: "github", Inputs: roles{"github-token": RoleSecret}},
}
