package rules_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/linttest"
	"github.com/stint-dev/stint/lint/rules"
	"github.com/stint-dev/stint/workflows"
)

// quietDir holds repositories that are kept well, written by us, in which a search
// by pattern finds much and stint must find nothing. README.md there describes the
// form of its marks.
const quietDir = "../../testdata/quiet"

// quietToday is the day on which they are linted.
const quietToday = "2026-11-21"

// leastPlaces is the least number of marked places: fewer prove too little.
const leastPlaces = 150

// naive holds for each rule what somebody would search for who reads lines and not
// workflows. A marked line must hold it, so that no mark stands where nothing would
// fire anyway.
var naive = map[string]*regexp.Regexp{
	"agent-prompt-injection":     regexp.MustCompile(`(?i)prompt|claude|gemini|codex|copilot|ai-inference|allowed_non_write_users|allow-users`),
	"agent-static-secret":        regexp.MustCompile(`(?i)secrets\.|_key|token`),
	"all-secrets-exposed":        regexp.MustCompile(`(?i)tojson|secrets\[|secrets\.\*|\bsecrets\b`),
	"always-true-gate":           regexp.MustCompile(`if:|always\(\)|contains\(|\|\|`),
	"ambiguous-ref":              regexp.MustCompile(`uses:`),
	"app-token-scope":            regexp.MustCompile(`(?i)app-token|owner:|skip-token-revoke|installation`),
	"arbitrary-release-ref":      regexp.MustCompile(`ref:|git (checkout|switch)`),
	"approval-toctou":            regexp.MustCompile(`ref:|checkout`),
	"artifact-poisoning":         regexp.MustCompile(`(?i)download|artifact|unzip|tar `),
	"cache-poisoning":            regexp.MustCompile(`(?i)cache|setup-|restore`),
	"dangerous-trigger":          regexp.MustCompile(`pull_request_target|workflow_run|issue_comment`),
	"debug-logging":              regexp.MustCompile(`(?i)set -[eu]*x|xtrace|debug|bash -x`),
	"dependency-cooldown":        regexp.MustCompile(`(?i)cooldown|-days:|package-ecosystem|open-pull-requests-limit`),
	"dependency-execution":       regexp.MustCompile(`insecure-external-code-execution|registries`),
	"env-file-injection":         regexp.MustCompile(`GITHUB_(ENV|PATH|OUTPUT)`),
	"environment-from-input":     regexp.MustCompile(`environment:|name: \$`),
	"excessive-permissions":      regexp.MustCompile(`: ?(write|read)\b|permissions:|write-all|read-all`),
	"expired-debt":               regexp.MustCompile(`secret:|until:`),
	"exposed-id-token":           regexp.MustCompile(`id-token|ACTIONS_ID_TOKEN|aws-actions|getIDToken`),
	"forbidden-action":           regexp.MustCompile(`uses:`),
	"hardcoded-secret":           regexp.MustCompile(`(?i)pass|secret|token|key|[0-9a-f]{32}|BEGIN|sha\d+|credentials|://`),
	"impostor-commit":            regexp.MustCompile(`uses:`),
	"insecure-commands":          regexp.MustCompile(`(?i)UNSECURE_COMMANDS|set-env|add-path|::set`),
	"install-beside-credentials": regexp.MustCompile(`(?i)\b(npm|pnpm|yarn|pip|uv|cargo|go|gem|bundle|npx|apt-get|brew|composer|dotnet|pipx) `),
	"job-wide-secret":            regexp.MustCompile(`secrets\.|github\.token`),
	"known-bad-action":           regexp.MustCompile(`uses:`),
	"leftover-token":             regexp.MustCompile(`(?i)secrets\.`),
	"lockfile-drift":             regexp.MustCompile(`uses:`),
	"long-lived-cloud-key":       regexp.MustCompile(`(?i)AWS_|azure|google|gcloud|aws |vault|ARM_|account|access.?key`),
	"long-lived-registry-token":  regexp.MustCompile(`(?i)publish|_token|password|npm|twine|push`),
	"long-session":               regexp.MustCompile(`(?i)duration|lifetime|cleanup|logout|revoke`),
	"lookalike-action":           regexp.MustCompile(`uses:`),
	"missing-actor-gate":         regexp.MustCompile(`(?i)comment|label|if:`),
	"obfuscated-code":            regexp.MustCompile(`(?i)base64|xxd|eval|rev\b|\\x|\$\{IFS|-enc|tr `),
	"persisted-credentials":      regexp.MustCompile(`actions/checkout@|persist-credentials`),
	"personal-access-token":      regexp.MustCompile(`(?i)token|_pat\b|secrets\.`),
	"pin-comment-mismatch":       regexp.MustCompile(`uses:`),
	"secret-in-command":          regexp.MustCompile(`(?i)secrets|token|password|key`),
	"secret-outside-environment": regexp.MustCompile(`(?i)secrets\.|github\.token`),
	"secrets-inherit":            regexp.MustCompile(`inherit|secrets:`),
	"self-hosted-on-pull-request": regexp.MustCompile(
		`self-hosted|runs-on`),
	"shared-token":          regexp.MustCompile(`secrets\.`),
	"spoofable-actor-check": regexp.MustCompile(`(?i)actor|\[bot\]|user\.login|head_ref|sender|author`),
	"template-injection":    regexp.MustCompile(`\$\{\{`),
	"unfiltered-publish":    regexp.MustCompile(`push|publish|deploy|release`),
	"shared-cloud-role":     regexp.MustCompile(`role|service_account|client-id`),
	"unlocked-audience":     regexp.MustCompile(`(?i)audience|getIDToken|ID_TOKEN_REQUEST|aws-actions|google-github-actions|azure/login`),
	"unmasked-secret":       regexp.MustCompile(`(?i)echo|printf|base64|jq|fromjson|cut|print|secrets`),
	"unparsed-file":         regexp.MustCompile(`.`),
	"unpinned-action":       regexp.MustCompile(`uses:`),
	"unpinned-image":        regexp.MustCompile(`(?i)image|docker|container|ghcr|localhost/`),
	"unpinned-inside":       regexp.MustCompile(`uses:`),
	"unpinned-tool":         regexp.MustCompile(`(?i)version|setup|install|uses:|latest`),
	"untrusted-checkout":    regexp.MustCompile(`(?i)ref:|checkout|git fetch|\bhead\b|repository:`),
	"unused-suppression":    regexp.MustCompile(`stint: ignore|ignore`),
	"unverified-download":   regexp.MustCompile(`(?i)curl|wget|iwr|invoke-webrequest|gh release download|\| ?(ba)?sh`),
	"worm-indicator":        regexp.MustCompile(`(?i)curl|base64|toJSON|webhook|self-hosted|discussion|trufflehog|gitleaks|/proc|env\b|http`),
}

// A place is a line at which rule must say nothing, for the reason of its mark.
type place struct {
	file         *workflows.File
	line         int // of the bait, from 1
	rule, reason string
	text         string
}

var mark = regexp.MustCompile(`^(.*?)(?:#|//) quiet: ([a-z-]+): (\S.*)$`)

// TestQuietOnGoodWorkflows holds that not one finding of any severity is reported in
// these repositories, and that their marked places are what they claim to be.
func TestQuietOnGoodWorkflows(t *testing.T) {
	var places []place
	dirs, err := os.ReadDir(quietDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dirs {
		if !d.IsDir() {
			continue
		}
		res, files := lintQuiet(t, filepath.Join(quietDir, d.Name()))
		own := marksOf(files)
		if len(own) == 0 {
			t.Errorf("%s: no marked place", d.Name())
		}
		for _, f := range res.Findings {
			t.Errorf("%s%s", line(d.Name(), f), why(own, f))
		}
		places = append(places, own...)
	}
	checkPlaces(t, places)
}

// lintQuiet lints one repository with all rules as stint lint does by default, with
// its configuration, and returns all its files. With a file network it does so online.
func lintQuiet(t *testing.T, dir string) (*lint.Result, []*workflows.File) {
	t.Helper()
	var repo *workflows.Repository
	for r, err := range workflows.Open([]string{dir}, nil).Repositories(t.Context()) {
		if err != nil || repo != nil {
			t.Fatalf("%s: one repository a directory: %v", dir, err)
		}
		repo = r
	}
	if repo == nil || len(repo.Files) == 0 {
		t.Fatalf("%s: nothing to lint", dir)
	}
	config := &lint.Config{}
	path := filepath.Join(dir, filepath.FromSlash(lint.ConfigPath))
	if b, err := os.ReadFile(path); err == nil {
		if config, err = lint.ParseConfig(lint.ConfigPath, b); err != nil {
			t.Fatal(err)
		}
	}
	o := lint.Options{Rules: rules.All, Config: config, Today: quietToday}
	if b, err := os.ReadFile(filepath.Join(dir, "network")); err == nil {
		network, err := linttest.ParseNetwork(b)
		if err != nil {
			t.Fatal(err)
		}
		o.Resolver, o.Online = network, true
	}
	res := lint.Run(t.Context(), repo, o)
	for _, f := range res.Failures {
		t.Errorf("%s: %s", dir, f)
	}
	if config.File == nil {
		return res, repo.Files
	}
	return res, append(slices.Clone(repo.Files), config.File)
}

func marksOf(files []*workflows.File) []place {
	var out, open []place
	for _, f := range files {
		for i, text := range strings.Split(string(f.Source), "\n") {
			m := mark.FindStringSubmatch(text)
			switch {
			case m != nil && strings.TrimSpace(m[1]) == "":
				open = append(open, place{file: f, rule: m[2], reason: m[3]})
				continue
			case m != nil:
				open = append(open, place{file: f, rule: m[2], reason: m[3]})
				text = m[1]
			}
			for _, p := range open {
				p.line, p.text = i+1, text
				out = append(out, p)
			}
			open = nil
		}
	}
	return out
}

// why returns the reason for which a finding must not be, when its line is marked.
func why(places []place, f lint.Finding) string {
	at := f.File.Position(f.Span.Start).Line
	i := slices.IndexFunc(places, func(p place) bool {
		return p.file.Path == f.File.Path && p.line == at && p.rule == f.Rule.ID
	})
	if i < 0 {
		return ""
	}
	return "\n\tbut " + places[i].reason
}

func checkPlaces(t *testing.T, places []place) {
	t.Helper()
	count := map[string]int{}
	for _, p := range places {
		count[p.rule]++
		switch pattern := naive[p.rule]; {
		case !slices.ContainsFunc(rules.All, func(r *lint.Rule) bool { return r.ID == p.rule }):
			t.Errorf("%s:%d: there is no rule %s", p.file.Path, p.line, p.rule)
		case pattern == nil:
			t.Errorf("%s:%d: naive has no pattern for %s", p.file.Path, p.line, p.rule)
		case !pattern.MatchString(p.text):
			t.Errorf("%s:%d: no naive rule fires here as %s: %s", p.file.Path, p.line, p.rule, strings.TrimSpace(p.text))
		}
	}
	for _, r := range rules.All {
		if count[r.ID] == 0 {
			t.Errorf("%s: no place at which it must be quiet", r.ID)
		}
	}
	if len(places) < leastPlaces {
		t.Errorf("%d marked places, want at least %d", len(places), leastPlaces)
	}
	t.Logf("%d places, by rule: %v", len(places), count)
}
