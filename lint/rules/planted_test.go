package rules_test

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/lint/rules"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// planted are the campaigns whose incidents hold a file that the attackers wrote. What
// they called things is rewritten: by the pairs of the replacer no literal that is
// known of the campaign is left, in the files or in their names.
var planted = map[string][]string{
	"ghostaction": {
		"github_actions_security", "nightly_stats", "Github Actions Security", "Nightly stats", "send-secrets", "collect",
		"Prepare Cache Busting", "Warm up", "bold-dhawan.45-139-104-115.plesk.page", "stats.some-host.example",
	},
	"ghostaction-2": {"security-audit", "weekly", "Security Audit", "Weekly", "audit", "week", "http://193.32.204.199/?c=new", "http://203.0.113.7:8080/v2/in"},
	"shai-hulud-1": {
		"shai-hulud-workflow", "lint-docs", "process", "docs", "CONTENTS", "PAGE", "https://webhook.site/bb8ca5f6-4175-45d2-b042-fc9ebb8170b7", "https://in.some-host.example/x",
	},
	"shai-hulud-2": {
		"formatter_123456789", "spelling", "Code Formatter", "Spelling", "lint:", "words:", "DATA", "ALL_OF_IT", "format.json", "words.txt", "formatting", "words",
		"discussion.yaml", "answers.yaml", "Discussion Create", "Answers", "process", "answer", "RUNNER_TRACKING_ID: 0", "RUNNER_TRACKING_ID: none",
	},
	"checkmarx": {"format-check", "typography", "Formatter", "Typography", "format:", "type:", "VARIABLE_STORE", "FONTS", "format-results", "fonts"},
	"megalodon": {"ci.yml", "build.yml", "SysDiag", "Build"},
	"miasma":    {"ci.yaml", "deps.yaml", "_index.js", "tools/refresh.js", "OIDC_PACKAGES", "TARGETS"},
	"subql":     {"codeql_analysis", "coverage", "CodeQL", "Coverage", "analyze", "cover", "results.sarif", "cover.txt"},
	"xygeni":    {"Report Scanner Telemetry", "Say hello", "X-B", "X-Id", "security-verify.91.214.78.178.nip.io", "hello.some-host.example"},
}

// Literals rotate within weeks and shapes do not: with every literal changed the same
// places are found, at least as bad, and name the same credentials.
func TestPlantedFilesByShape(t *testing.T) {
	for name, pairs := range planted {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(incidentsDir, name)
			in := readIncident(t, filepath.Join(dir, "incident.yml"))
			change := strings.NewReplacer(pairs...)
			results := map[string]*lint.Result{}
			signs := 0
			for _, want := range in.Findings {
				if want.Rule != "worm-indicator" {
					continue
				}
				if results[want.In] == nil {
					results[want.In] = lintChanged(t, filepath.Join(dir, "before", want.In), change)
				}
				want.Path = change.Replace(want.Path)
				signs++
				if !slices.ContainsFunc(results[want.In].Findings, want.matches) {
					t.Errorf("with other literals nothing fires at %s:\n%s", want, listing(results))
				}
			}
			for _, l := range in.Lost {
				if l.Rule == "worm-indicator" {
					l.Path, l.Job = change.Replace(l.Path), strings.TrimSuffix(change.Replace(l.Job+":"), ":")
					l.check(t, results[l.In])
				}
			}
			if signs == 0 {
				t.Error("the incident has no planted file")
			}
		})
	}
}

// lintChanged lints a repository in which names and contents of all files are changed.
// It holds that what worm-indicator is to find there has no known literal any more.
func lintChanged(t *testing.T, root string, change *strings.Replacer) *lint.Result {
	t.Helper()
	repo := &workflows.Repository{Root: root}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		name, text := change.Replace(filepath.ToSlash(rel)), change.Replace(string(src))
		for _, i := range platform.LookupFileName(name) {
			t.Errorf("%s still has a name of %s", name, i.Campaign)
		}
		for _, h := range platform.FindIndicators(text) {
			t.Errorf("%s still has %q of %s", name, h.Literal, h.Campaign)
		}
		repo.Files = append(repo.Files, workflows.Parse(name, []byte(text)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(repo.Files, func(a, b *workflows.File) int { return cmp.Compare(a.Path, b.Path) })
	return lint.Run(t.Context(), repo, lint.Options{Rules: rules.All, Today: "2026-11-21"})
}

// Every incident with a planted file is among those whose literals are changed, but
// for one whose only sign is the name of the attackers' action.
func TestPlantedFilesAreAllChanged(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(incidentsDir, "*", "incident.yml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no incidents: %v", err)
	}
	for _, path := range paths {
		name := filepath.Base(filepath.Dir(path))
		signed := slices.ContainsFunc(readIncident(t, path).Findings, func(w wantFinding) bool { return w.Rule == "worm-indicator" })
		if signed && planted[name] == nil && name != "sandworm-mode" {
			t.Errorf("%s has a planted file, and no test with other literals", name)
		}
	}
}
