package platform

import (
	"slices"
	"strings"
)

// A Tool is what a setup action installs beside itself.
type Tool struct {
	// Name is the tool's name for messages.
	Name string
	// Version is the input that names its version; Other are inputs that do in
	// another way, such as by a file.
	Version string
	Other   []string
	// Newest is set when the action takes the newest without any of them.
	Newest bool
	// Reads names files of the workspace that may set the version all the same, "" for none.
	Reads string
}

// LookupTool returns the tool that the action owner/repo[/path] (lower case) installs.
// Actions that carry the tool's checksums, or a fixed default, are there for what
// their input may say instead.
func LookupTool(name string) (Tool, bool) {
	t, ok := tools[strings.ToLower(name)]
	t.Other = slices.Clone(t.Other)
	return t, ok
}

// IsMoving reports whether a version names whatever is newest when it is asked for.
func IsMoving(version string) bool {
	switch strings.ToLower(strings.TrimSpace(version)) {
	case "latest", "*", "x", "canary", "nightly", "edge", "main", "master", "newest", "head":
		return true
	}
	return false
}

// tools holds the actions whose tool comes from outside the platform. Source: the
// inputs' defaults in each action's action.yml and README, 2026-11.
var tools = map[string]Tool{
	"astral-sh/setup-uv":                   {Name: "uv", Version: "version", Other: []string{"version-file"}, Newest: true, Reads: "uv.toml or pyproject.toml"},
	"oven-sh/setup-bun":                    {Name: "bun", Version: "bun-version", Other: []string{"bun-version-file", "bun-download-url"}, Newest: true, Reads: "package.json"},
	"golangci/golangci-lint-action":        {Name: "golangci-lint", Version: "version", Other: []string{"version-file"}, Newest: true, Reads: "go.mod"},
	"aquasecurity/setup-trivy":             {Name: "trivy", Version: "version", Newest: true},
	"aquasecurity/trivy-action":            {Name: "trivy", Version: "version"},
	"azure/setup-helm":                     {Name: "helm", Version: "version", Newest: true},
	"azure/setup-kubectl":                  {Name: "kubectl", Version: "version", Newest: true},
	"hashicorp/setup-terraform":            {Name: "terraform", Version: "terraform_version", Newest: true},
	"hashicorp/setup-packer":               {Name: "packer", Version: "version", Newest: true},
	"opentofu/setup-opentofu":              {Name: "tofu", Version: "tofu_version", Other: []string{"tofu_version_file"}, Newest: true},
	"terraform-linters/setup-tflint":       {Name: "tflint", Version: "tflint_version", Newest: true},
	"extractions/setup-just":               {Name: "just", Version: "just-version", Newest: true},
	"bufbuild/buf-setup-action":            {Name: "buf", Version: "version"},
	"bufbuild/buf-action":                  {Name: "buf", Version: "version", Newest: true},
	"arduino/setup-protoc":                 {Name: "protoc", Version: "version"},
	"1password/load-secrets-action":        {Name: "the 1Password CLI", Version: "version", Newest: true},
	"jdx/mise-action":                      {Name: "mise", Version: "version", Newest: true},
	"snok/install-poetry":                  {Name: "poetry", Version: "version", Newest: true},
	"abatilo/actions-poetry":               {Name: "poetry", Version: "poetry-version"},
	"goreleaser/goreleaser-action":         {Name: "goreleaser", Version: "version"},
	"docker/setup-buildx-action":           {Name: "buildx", Version: "version"},
	"pnpm/action-setup":                    {Name: "pnpm", Version: "version"},
	"cloudflare/wrangler-action":           {Name: "wrangler", Version: "wranglerversion"},
	"pulumi/actions":                       {Name: "pulumi", Version: "pulumi-version", Other: []string{"pulumi-version-file"}},
	"google-github-actions/setup-gcloud":   {Name: "gcloud", Version: "version", Newest: true},
	"google-github-actions/run-gemini-cli": {Name: "gemini-cli", Version: "gemini_cli_version", Newest: true},
	"openai/codex-action":                  {Name: "codex", Version: "codex-version", Newest: true},
	"snyk/actions/setup":                   {Name: "snyk", Version: "snyk-version", Newest: true},
	"supabase/setup-cli":                   {Name: "supabase", Version: "version", Newest: true},
	"superfly/flyctl-actions/setup-flyctl": {Name: "flyctl", Version: "version", Newest: true},
	"dagger/dagger-for-github":             {Name: "dagger", Version: "version", Newest: true},
	"earthly/actions-setup":                {Name: "earthly", Version: "version", Newest: true},
	"depot/setup-action":                   {Name: "depot", Version: "version", Newest: true},
	"ko-build/setup-ko":                    {Name: "ko", Version: "version", Newest: true},
	"imjasonh/setup-crane":                 {Name: "crane", Version: "version", Newest: true},
	"1password/install-cli-action":         {Name: "op", Version: "version"},
	"infracost/actions/setup":              {Name: "infracost", Version: "version"},
	"digitalocean/action-doctl":            {Name: "doctl", Version: "version", Newest: true},
	"fluxcd/flux2/action":                  {Name: "flux", Version: "version", Newest: true},
	"aws-actions/setup-sam":                {Name: "sam", Version: "version", Newest: true},
	"dapr/setup-dapr":                      {Name: "dapr", Version: "version"},
	"codecov/codecov-action":               {Name: "codecov", Version: "version"},
}
