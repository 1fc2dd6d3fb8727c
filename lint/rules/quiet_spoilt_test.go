package rules_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/rules"
)

// spoilt are one change each to the repositories of quietDir, after which a rule
// must fire: silence counts only where the rule was listening.
var spoilt = []struct{ rule, file, old, new string }{
	{"agent-prompt-injection", "bots/.github/workflows/agents.yml", "'/fix') && github.event.comment.author_association == 'OWNER'\n", "'/fix')\n"},
	{"agent-static-secret", "bots/.github/workflows/agents.yml", "github_token: ${{ github.token }}", "github_token: ${{ secrets.BOT_PAT }}"},
	{"all-secrets-exposed", "values/.github/workflows/choose.yml", "toJSON(needs)", "toJSON(secrets)"},
	{"always-true-gate", "infra/.github/workflows/infra.yml", "if: github.event_name == 'push' && github.ref", "if: ${{ github.event_name == 'push' }} && github.ref"},
	{"ambiguous-ref", "policy/.github/workflows/ci.yml", "acme-tools/lint@v2", "acme-tools/lint@v3"},
	{"app-token-scope", "actions/.github/workflows/app.yml", "repositories: board", ""},
	{"approval-toctou", "gates/.github/workflows/labelled.yml", "ref: ${{ github.event.pull_request.head.sha }}\n          path: theirs\n          persist-credentials: false\n", "ref: refs/pull/${{ github.event.number }}/head\n          persist-credentials: false\n          allow-unsafe-pr-checkout: true\n      - run: make preview\n"},
	{"arbitrary-release-ref", "actions/.github/workflows/release.yml", "line: { type: choice, options: [v1, v2], required: true }", "line: { type: string }"},
	{"artifact-poisoning", "values/.github/workflows/after.yml", "path: ${{ runner.temp }}/size\n", "path: size\n      - run: sh size/report.sh\n"},
	{"cache-poisoning", "library/.github/workflows/release.yml", "package-manager-cache: false\n      # quiet: long", "cache: npm\n      # quiet: long"},
	{"dangerous-trigger", "actions/.github/workflows/trigger.yml", "permissions: { contents: read }", "permissions: { contents: write }"},
	{"debug-logging", "tools/.github/workflows/tools.yml", "minisign -S -s \"$RUNNER_TEMP/key\"", "set -x; minisign -S -W \"$SIGNING_KEY\""},
	{"dependency-cooldown", "library/.github/dependabot.yml", "default-days: 7", "default-days: 0"},
	{"dependency-execution", "library/.github/dependabot.yml", "execution: deny", "execution: allow"},
	{"env-file-injection", "actions/.github/workflows/trigger.yml", "github.event.pull_request.title", "github.event.pull_request.body"},
	{"environment-from-input", "actions/.github/workflows/release.yml", "stage: { type: choice, options: [staging, production], required: true }", "stage: { type: string }"},
	{"excessive-permissions", "library/.github/workflows/ci.yml", "permissions:\n  contents: read", "permissions: write-all"},
	{"expired-debt", "policy/.github/stint.yml", "2026-11-21", "2026-11-20"},
	{"exposed-id-token", "cloud/.github/workflows/deploy.yml", "azure/login@SHA", "azure/login@v2"},
	{"forbidden-action", "policy/.github/workflows/ci.yml", "acme-tools/lint@v2", "acme-others/lint@v2"},
	{"hardcoded-secret", "cloud/.github/workflows/preview.yml", "AWS_ACCESS_KEY_ID: minioadmin", "AWS_ACCESS_KEY_ID: AKIA2OGYBAH6QWERT7ZX"},
	{"impostor-commit", "actions/.github/workflows/uses.yml", "docker/setup-buildx-action@SHA", "docker/setup-buildx-action@89abcdef0123456789abcdef0123456789abcdef"},
	{"insecure-commands", "tools/.github/workflows/tools.yml", "COMMANDS: false", "COMMANDS: true"},
	{"install-beside-credentials", "library/.github/workflows/mirror.yml", "npm ci --ignore-scripts", "npm install"},
	{"job-wide-secret", "python/.github/workflows/tests.yml", "    services:\n", "    env: { API_TOKEN: \"${{ secrets.API_TOKEN }}\" }\n    services:\n"},
	{"known-bad-action", "actions/.github/workflows/uses.yml", "tj-actions/changed-files@SHA # v47.0.0", "tj-actions/changed-files@v45"},
	{"leftover-token", "library/.github/workflows/mirror.yml", "https://npm.acme.example", "https://registry.npmjs.example"},
	{"lockfile-drift", "policy/.github/workflows/ci.yml", "acme-tools/lint@v2", "acme-tools/lint@v3"},
	{"long-lived-cloud-key", "cloud/.github/workflows/deploy.yml", "client-id: ${{ secrets.AZURE_CLIENT_ID }}", "creds: ${{ secrets.AZURE_CREDENTIALS }}"},
	{"long-lived-registry-token", "python/.github/workflows/release.yml", "repository-url: https://python.acme.example/upload", "verbose: true"},
	{"long-session", "cloud/.github/workflows/deploy.yml", "role-duration-seconds: 900", "role-duration-seconds: 43200"},
	{"lookalike-action", "actions/.github/workflows/uses.yml", "docker/setup-buildx-action", "dockr/setup-buildx-action"},
	{"missing-actor-gate", "bots/.github/workflows/commands.yml", " && github.event.comment.author_association == 'OWNER'", ""},
	{"obfuscated-code", "tools/.github/workflows/tools.yml", "base64 -d testdata/hello.b64 | cmp - testdata/hello.txt", "base64 -d testdata/hello.b64 | sh"},
	{"persisted-credentials", "library/.github/workflows/release.yml", "with: { persist-credentials: false }", ""},
	{"personal-access-token", "library/.github/workflows/release.yml", "secrets.GITHUB_TOKEN", "secrets.RELEASE_PAT"},
	{"pin-comment-mismatch", "actions/.github/workflows/uses.yml", "reviewdog/action-setup@SHA # v1.4.0", "reviewdog/action-setup@0123456789abcdef0123456789abcdef01234567 # v1.4.1"},
	{"secret-in-command", "tools/.github/workflows/tools.yml", "<<<\"$SIGNING_KEY\"", "<<<\"${{ secrets.SIGNING_KEY }}\""},
	{"secret-outside-environment", "tools/.github/workflows/tools.yml", "    environment: signing\n", ""},
	{"secrets-inherit", "policy/.github/workflows/ci.yml", "secrets:\n      # quiet: all-secrets-exposed: one name\n      CHAT_WEBHOOK: ${{ secrets.CHAT_WEBHOOK }}", "secrets: inherit"},
	{"self-hosted-on-pull-request", "selfhosted/.github/workflows/pull.yml", "runs-on: ubuntu-24.04", "runs-on: [self-hosted]"},
	{"shared-cloud-role", "infra/.github/workflows/infra.yml", "role/infra-plan", "role/infra-apply"},
	{"shared-token", "bots/.github/workflows/labels.yml", "make labels\n        env: {", "make test\n        env: { T: \"${{ secrets.PREVIEW_TOKEN }}\","},
	{"spoofable-actor-check", "bots/.github/workflows/labels.yml", "github.event.pull_request.user.login == 'dependabot[bot]'", "github.actor == 'dependabot[bot]'"},
	{"template-injection", "values/.github/workflows/report.yml", "echo \"head ${{ github.event.pull_request.head.sha }}\"", "echo \"head ${{ github.event.pull_request.head.ref }}\""},
	{"unfiltered-publish", "library/.github/workflows/release.yml", "on:\n  push: { tags: [\"v*\"] }", "on: push"},
	{"unlocked-audience", "cloud/.github/workflows/deploy.yml", "&audience=https://broker.acme.example", ""},
	{"unmasked-secret", "tools/.github/workflows/tools.yml", "<<<\"$SIGNING_KEY\" > \"$RUNNER_TEMP/key\"", "<<<\"$SIGNING_KEY\" | cut -c2-"},
	{"unparsed-file", "policy/.github/workflows/ci.yml", "run: make vet", "run: [make, vet]"},
	{"unpinned-action", "bots/.github/workflows/labels.yml", "actions/labeler@SHA", "acme-others/labeler@v6"},
	{"unpinned-image", "library/.github/workflows/ci.yml", "image: [\"node:20@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"", "image: [\"node:20\""},
	{"unpinned-inside", "policy/.github/actions/setup/action.yml", "actions/setup-go@SHA", "acme-others/setup@v1"},
	{"unpinned-tool", "tools/.github/workflows/tools.yml", "version: \"0.9.5\"", "version: latest"},
	{"untrusted-checkout", "bots/.github/workflows/labels.yml", "ref: ${{ github.event.pull_request.base.sha }}", "ref: ${{ github.event.pull_request.head.sha }}"},
	{"unused-suppression", "actions/.github/workflows/uses.yml", "# quiet: unused-suppression: the word in a text of ours", "# stint: ignore[unpinned-action] until=2027-01-31 reason=\"none\""},
	{"unverified-download", "tools/.github/workflows/tools.yml", " | sha256sum --check - # base64 would do as well", ""},
	{"worm-indicator", "python/.github/workflows/tests.yml", "pytest --shard", "sudo cat /proc/$(pgrep -f Runner.Worker)/mem | strings; pytest --shard"},
}

// quietCommit is the commit by which these repositories pin whatever they use.
const quietCommit = "@0123456789abcdef0123456789abcdef01234567"

func TestQuietWorkflowsSpoiltAreNotQuiet(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range spoilt {
		seen[c.rule] = true
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			name, path, _ := strings.Cut(c.file, "/")
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(filepath.Join(quietDir, name))); err != nil {
				t.Fatal(err)
			}
			replaceInFile(t, filepath.Join(dir, filepath.FromSlash(path)), c.old, c.new)
			res, _ := lintQuiet(t, dir)
			if !slices.ContainsFunc(res.Findings, func(f lint.Finding) bool { return f.Rule.ID == c.rule }) {
				t.Errorf("nothing fires in %s with %q for %q; findings:\n%s", c.file, c.new, c.old, listing(map[string]*lint.Result{name: res}))
			}
		})
	}
	for _, r := range rules.All {
		if !seen[r.ID] {
			t.Errorf("%s: no change that makes it fire", r.ID)
		}
	}
}

// replaceInFile replaces the first occurrence of a text; @SHA stands for the commit
// by which the repositories of quietDir pin.
func replaceInFile(t *testing.T, path, old, with string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	old = strings.ReplaceAll(old, "@SHA", quietCommit)
	if !strings.Contains(string(b), old) {
		t.Fatalf("%s does not hold %q", path, old)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(b), old, with, 1)), 0o666); err != nil {
		t.Fatal(err)
	}
}
