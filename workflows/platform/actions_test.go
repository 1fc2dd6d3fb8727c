package platform

import (
	"slices"
	"strings"
	"testing"
)

var knownRoles = []Role{RoleSecret, RoleScript, RoleRef, RolePath, RolePrompt, RoleTools, RoleActors, RoleCloud, RoleLifetime, RoleCache, RoleImage}

func TestActionTables(t *testing.T) {
	seen := map[string]bool{}
	lines := slices.Concat(actionTables...)
	if len(lines) < 120 {
		t.Errorf("%d actions are few", len(lines))
	}
	for _, a := range lines {
		if a.Name != strings.ToLower(a.Name) || strings.Count(a.Name, "/") < 1 || seen[a.Name] {
			t.Errorf("%s: not owner/repo in lower case, or there twice", a.Name)
		}
		seen[a.Name] = true
		for input, role := range a.Inputs {
			if input != strings.ToLower(input) || !slices.Contains(knownRoles, role) {
				t.Errorf("%s: input %q has role %q", a.Name, input, role)
			}
		}
		for _, input := range a.StaticInputs {
			if a.Inputs[input] != RoleSecret {
				t.Errorf("%s: static input %q is no secret", a.Name, input)
			}
		}
		checkMinted(t, a)
		if info, ok := LookupAction(a.Name); !ok || info.Source == "" || info.Name != a.Name {
			t.Errorf("%s: looked up as %+v, %v", a.Name, info, ok)
		}
		if len(a.Inputs) == 0 && a.Opens == "" && !a.RunsWorkspace && !a.Setup && !a.Upload && !a.Agent && !a.Cache {
			t.Errorf("%s: the line says nothing", a.Name)
		}
	}
}

func checkMinted(t *testing.T, a ActionInfo) {
	kinds := []string{"", "cloud-session", "app-token", "registry-login", "loaded-secrets"}
	lifetimes := []string{"", "job", "hours", "standing"}
	if !slices.Contains(kinds, a.Mints) || !slices.Contains(lifetimes, a.MintedLifetime) || (a.Mints == "") != (a.MintedLifetime == "") {
		t.Errorf("%s: mints %q for %q", a.Name, a.Mints, a.MintedLifetime)
	}
	if a.Mints != "" && a.Opens == "" {
		t.Errorf("%s: mints %s and opens nothing", a.Name, a.Mints)
	}
	if (a.Mints == "loaded-secrets") != (a.MintedLifetime == "standing") {
		t.Errorf("%s: %s for %s", a.Name, a.Mints, a.MintedLifetime)
	}
}

func TestLookupAction(t *testing.T) {
	for name, want := range map[string]string{
		"Actions/Checkout":                              "actions/checkout",
		"actions/cache/restore":                         "actions/cache/restore",
		"snyk/actions/node":                             "snyk/actions",
		"r-lib/actions/setup-r":                         "r-lib/actions",
		"github/codeql-action/resolve":                  "github/codeql-action",
		"slsa-framework/slsa-github-generator":          "",
		"actions/checkout-more":                         "",
		"docker/build-push-action/sub/directory":        "docker/build-push-action",
		"ultralytics/actions/.github/workflows/cla.yml": "",
		"nobody/nothing":                                "",
		"checkout":                                      "",
		"":                                              "",
	} {
		a, ok := LookupAction(name)
		if ok != (want != "") || a.Name != want {
			t.Errorf("LookupAction(%q) = %q, %v; want %q", name, a.Name, ok, want)
		}
	}
}

func TestActionFacts(t *testing.T) {
	aws, _ := LookupAction("aws-actions/configure-aws-credentials")
	if !aws.OIDC || aws.Opens != "aws" || aws.Mints != "cloud-session" || aws.Inputs["role-to-assume"] != RoleCloud || !slices.Contains(aws.StaticInputs, "aws-secret-access-key") {
		t.Errorf("%+v", aws)
	}
	for name, input := range map[string]string{
		"actions/github-script": "script", "azure/cli": "inlinescript", "azure/powershell": "inlinescript", "appleboy/ssh-action": "script",
		"nick-fields/retry": "command", "cloudflare/wrangler-action": "command", "addnab/docker-run-action": "run", "mikefarah/yq": "cmd",
		"borales/actions-yarn": "cmd", "amadevus/pwsh-script": "script", "jannekem/run-python-script-action": "script",
	} {
		if a, _ := LookupAction(name); a.Inputs[input] != RoleScript {
			t.Errorf("%s: %s is %q", name, input, a.Inputs[input])
		}
	}
	for _, name := range []string{"anthropics/claude-code-action", "google-github-actions/run-gemini-cli", "openai/codex-action"} {
		if a, _ := LookupAction(name); !a.Agent || a.Inputs["prompt"] != RolePrompt || len(a.StaticInputs) == 0 {
			t.Errorf("%s: %+v", name, a)
		}
	}
}
