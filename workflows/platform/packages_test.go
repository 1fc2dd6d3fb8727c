package platform

import (
	"strings"
	"testing"
)

func TestRunsPackage(t *testing.T) {
	for line, want := range map[string]string{
		"npx tsc": "", "npx --no-install x": "", "npx": "", "npm run x": "", "yarn x": "", "uv run x": "", "npx @acme/tool": "",
		"npx -y cowsay": "npm cowsay", "npx --yes @acme/tool build": "npm @acme/tool", "npx tool@1.2.3": "npm tool@1.2.3",
		"npx @acme/tool@latest": "npm @acme/tool@latest", "npx -p typescript tsc": "npm tsc", "npm exec --yes -- tool": "npm tool",
		"pnpm dlx tool": "npm tool", "yarn dlx tool": "npm tool", "bunx tool@2": "npm tool@2", "bunx tool": "",
		"uvx ruff check": "pypi ruff", "uvx --from build pyproject-build": "pypi pyproject-build", "pipx run twine upload dist/*": "pypi twine",
	} {
		name, registry := RunsPackage(strings.Fields(line))
		if got := strings.TrimSpace(registry + " " + name); got != want {
			t.Errorf("%s: got %q, want %q", line, got, want)
		}
	}
}

func TestInstallsThatNameAVersion(t *testing.T) {
	for line, locked := range map[string]bool{
		"go install example.test/tool@v1.2.3": true, "go install example.test/tool@latest": false, "go install example.test/tool@v\uFFFD": true, "go install ./...": true, "go install tool": true,
		"cargo install tool --locked": false, "cargo install --locked tool@1.2.3": true, "cargo install tool --locked --version 1.2.3": true,
		"cargo install tool@1.2.3": false, "npm install tool@1.2.3": false, "pip install tool==1.2.3": false,
	} {
		if info, ok := LookupCommand(strings.Fields(line)); !ok || info.Locked != locked {
			t.Errorf("%s: %+v, want locked %v", line, info, locked)
		}
	}
	for line, keeps := range map[string]bool{
		"bundle install": true, "uv sync": true, "uv sync --locked": false, "terraform init": true, "npm install": false, "npm ci": false,
		"pip install x": false, "dotnet restore": true, "uv sync --refresh-package x": true, "uv sync --resolution lowest": false, "terraform init -upgrade": false,
	} {
		if info, ok := LookupCommand(strings.Fields(line)); !ok || info.KeepsLock != keeps {
			t.Errorf("%s: %+v, want a kept lock %v", line, info, keeps)
		}
	}
}
