package personalaccesstoken

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// A judgement is why a secret is taken for a user's token.
type judgement struct {
	confidence lint.Confidence // 0 when it is none
	// why is a clause that begins with a space, "" when only the name says it.
	why  string
	next string
	// token is set when what takes it takes a token only, and never a key.
	token bool
}

// isKey are the classes of secrets that are no token: where one is used as a token,
// its name says the wrong thing.
var isKey = map[string]bool{"app-key": true, "ssh-key": true, "signing-key": true}

// The next steps, by what the token is used for.
const (
	nextPush     = "push with the repository token and contents: write; where the push has to start workflows or pass a ruleset, mint an app's token for this repository in the job (actions/create-github-app-token)"
	nextPackages = "log in with the repository token and packages: write, then revoke the user's token and delete the secret"
	nextCopilot  = "give the job copilot-requests: write and the repository token where the organization allows it; else keep the user's token in a job of its own that holds nothing more"
	nextAPI      = "use the repository token with the permissions that the job needs; for other repositories mint an app's token in the job, limited to them (actions/create-github-app-token or a broker)"
)

// judge says whether a use shows a user's token: by what takes it, and by the
// secret's name. Keys of apps, tokens of services and what a job mints are none.
func judge(g *reach.Graph, job *reach.Job, u reach.Use) judgement {
	own := platform.LookupSecret(u.Credential.Name)
	named := own.Class == "personal-token" && own.Opens == "github"
	registry := own.Class == "registry-login" && (own.Opens == "ghcr" || own.Opens == "registry")
	by := takenBy(g, job, u)
	if !named && !registry && own.Class != "" && !(by.token && isKey[own.Class]) {
		return judgement{}
	}
	switch {
	case named && strings.Contains(strings.ToUpper(u.Credential.Name), "COPILOT"):
		return judgement{lint.HighConfidence, " that answers for Copilot", nextCopilot, true}
	case by.confidence == 0 && named:
		return judgement{nameConfidence(u.Credential.Name), "", nextAPI, false}
	case registry && by.next != nextPackages:
		return judgement{}
	default:
		return by
	}
}

// nameConfidence is high for names that say what the token is, and medium for those
// that only say what it is for.
func nameConfidence(name string) lint.Confidence {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '_' || r == '-' })
	has := func(list ...string) bool {
		return slices.ContainsFunc(list, func(w string) bool { return slices.Contains(words, w) })
	}
	if has("pat", "ghpat", "personal") || has("token") && has("gh", "github", "bot") {
		return lint.HighConfidence
	}
	return lint.MediumConfidence
}

// takenBy judges by what takes the value.
func takenBy(g *reach.Graph, job *reach.Job, u reach.Use) judgement {
	if u.Holder == reach.HeldByInput && u.Step.Uses != nil {
		return byInput(u)
	}
	if slices.Contains(tokenNames, strings.ToUpper(u.Name)) && u.Holder != reach.HeldByCall {
		return judgement{lint.HighConfidence, " that stands in for the repository token (" + u.Name + ")", nextAPI, true}
	}
	for _, s := range g.RunSteps(job) {
		if !u.Reaches(s) {
			continue
		}
		for _, c := range u.Takers(s.Step) {
			if j := byCommand(c); j.confidence > 0 {
				return j
			}
		}
	}
	return judgement{}
}

// tokenNames are the variables by which tools take a token of GitHub. Source: the
// documentation of gh, Homebrew, JReleaser and of the actions that take theirs by env:, 2026-11.
var tokenNames = []string{
	"GH_TOKEN", "GITHUB_TOKEN", "GITHUB_API_TOKEN", "GH_PAT", "GITHUB_PAT", "HOMEBREW_GITHUB_API_TOKEN", "GITHUB_ACCESS_TOKEN", "GH_ACCESS_TOKEN", "API_TOKEN_GITHUB",
	"COMMITTER_TOKEN", "CR_TOKEN", "JRELEASER_GITHUB_TOKEN", "PERSONAL_ACCESS_TOKEN",
}

// byInput judges the input of an action.
func byInput(u reach.Use) judgement {
	info, known := platform.LookupAction(u.Step.Uses.FullName())
	input := strings.ToLower(u.Name)
	name, _, _ := strings.Cut(u.Step.Uses.Value, "@")
	switch {
	case info.Checkout && input == "token":
		return judgement{lint.HighConfidence, " that " + name + " checks out with", nextPush, true}
	case input == "password" && strings.Contains(u.Step.With.Get("registry").String(), "ghcr.io"):
		return judgement{lint.HighConfidence, " that " + name + " logs in to ghcr.io with", nextPackages, true}
	case known && info.Opens == "github" && info.Inputs[input] == platform.RoleSecret && strings.Contains(input, "token"):
		return judgement{lint.HighConfidence, " given to " + name, nextAPI, true}
	case slices.Contains(tokenInputs, strings.ReplaceAll(input, "_", "-")):
		return judgement{lint.HighConfidence, " given to " + name + " in place of the repository token", nextAPI, true}
	}
	return judgement{}
}

// tokenInputs are inputs that take the repository token in actions that are not in
// the tables.
var tokenInputs = []string{
	"github-token", "gh-token", "githubtoken", "repo-token", "github-pat", "gh-pat", "github-access-token", "personal-access-token", "personal-token", "target-repo-token",
}

// byCommand judges the command that takes the value: gh, git against GitHub, a call
// of its API, a log-in to its registry.
func byCommand(c *workflows.Command) judgement {
	words := c.Line
	info, _ := platform.LookupCommand(words)
	line, into := strings.ToLower(strings.Join(words, " ")), ""
	if c.PipesInto != nil {
		into = strings.ToLower(strings.Join(c.PipesInto.Line, " "))
	}
	switch {
	case strings.HasPrefix(line, "gh auth login"), strings.HasPrefix(into, "gh auth login"):
		return judgement{lint.HighConfidence, " that gh logs in with", nextAPI, true}
	case c.Name == "git" && strings.Contains(line, "github.com"), strings.Contains(line, "://") && strings.Contains(line, "@github.com"):
		return judgement{lint.HighConfidence, " in the address of a git remote", nextPush, true}
	case strings.Contains(line, "machine github.com"), strings.Contains(line, "machine api.github.com"):
		return judgement{lint.HighConfidence, " that git finds in a .netrc", nextPush, true}
	case info.Does == "fetch" && strings.Contains(line, "github.com"):
		return judgement{lint.HighConfidence, " sent with a call of GitHub's API", nextAPI, true}
	case strings.Contains(line+into, "ghcr.io") && (info.Does == "login" || strings.Contains(into, "login")):
		return judgement{lint.HighConfidence, " that logs in to ghcr.io", nextPackages, true}
	}
	return judgement{}
}

func isRepositoryToken(r *workflows.Ref) bool {
	return r.Path() == "github.token" || r.Path() == "secrets.github_token"
}
