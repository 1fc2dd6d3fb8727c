package platform

import (
	"regexp"
	"slices"
	"strings"
)

// A Gate is what a step does about the rights of the person who started the run.
type Gate int

// Gates.
const (
	NoGate  Gate = iota
	Tells        // an output says whether the person has them
	Refuses      // the step fails when the person has not
)

// gateActions ask GitHub for the rights of the person who started the run. Sources:
// the actions' repositories, 2026-11.
var gateActions = map[string]Gate{
	"actions-cool/check-user-permission":            Tells,
	"prince-chrismc/check-actor-permissions-action": Tells,
	"tspascoal/get-user-teams-membership":           Tells,
	"github/branch-deploy":                          Tells,
	"github/command":                                Tells,
	"sushichop/action-repository-permission":        Refuses,
	"skjnldsv/check-actor-permission":               Refuses,
	"lannonbr/repo-permission-check-action":         Refuses,
	"xt0rted/slash-command-action":                  Refuses, // write access, unless permission-level says less
	"im-open/is-actor-authorized":                   Refuses,
	"anomalyco/opencode/github":                     Refuses, // its own start asks for write access
	"sst/opencode/github":                           Refuses,
}

// verdicts are the outputs of gate actions that are "true" or "false". Sources: action.yml of
// each, 2026-11.
var verdicts = map[string]string{
	"actions-cool/check-user-permission":            "require-result",
	"prince-chrismc/check-actor-permissions-action": "permitted",
	"tspascoal/get-user-teams-membership":           "isteammember",
}

// IsVerdict reports whether an output of a gate action is "false" for people without rights.
func IsVerdict(action, output string) bool {
	return output != "" && verdicts[strings.ToLower(action)] == strings.ToLower(output)
}

// openToAll are actions whose purpose is that everybody commands them: contributors
// sign an agreement by a comment. Sources: the actions' repositories, 2026-11.
var openToAll = []string{"contributor-assistant/github-action", "cla-assistant/github-action", "ultralytics/actions/cla"}

// ServesEverybody reports whether an action is made for commands of people without
// rights in the repository.
func ServesEverybody(action string) bool {
	action = strings.ToLower(action)
	return slices.Contains(openToAll, action) || strings.Contains(action, "cla-assistant") // and its many copies
}

// mergeActions merge or approve the pull request at hand. Sources: the actions'
// repositories, 2026-11.
var mergeActions = []string{
	"pascalgn/automerge-action", "peter-evans/enable-pull-request-automerge", "hmarr/auto-approve-action", "ahmadnassri/action-dependabot-auto-merge",
	"fastify/github-action-merge-dependabot", "juliangruber/merge-pull-request-action", "juliangruber/approve-pull-request-action", "alexwilson/enable-github-automerge-action",
	"reitermarkus/automerge", "plm/merge-dependabot", "koj-co/dependabot-pr-action", "ridedott/merge-me-action",
}

// merges are the words by which scripts and tools merge or approve one. Source: the
// manual of gh and the methods of the API's client, 2026-11.
var merges = []string{"gh pr merge", "gh pr review:*", "merge_pull_request", "pulls.merge(", "enablePullRequestAutoMerge", "mergePullRequest", "event: 'APPROVE'", `event: "APPROVE"`, "event=APPROVE"}

// mergeCalls are those that have other words in between.
var mergeCalls = regexp.MustCompile(`gh pr review\b[^\n|;&]*\s(?:--approve|-a)\b|/pulls/[^\s/]+/merge\b`)

// Merges reports whether an action ("" for none) or a text merges or approves pull requests.
func Merges(action, text string) bool {
	return slices.Contains(mergeActions, strings.ToLower(action)) || containsAny(text, merges) || mergeCalls.MatchString(text)
}

// permissionCalls are what a script writes to ask for these rights. Source: the REST
// API of GitHub and the methods of its client for them, 2026-11.
var permissionCalls = []string{
	"getCollaboratorPermissionLevel", "checkCollaborator", "checkMembershipForUser", "checkPublicMembershipForUser",
	"getMembershipForUser", "getMembershipForUserInOrg", "checkMembership", "getMembershipForAuthenticatedUser",
	"/collaborators/", "/memberships/", "authorAssociation", "author_association", "isCollaborator",
	"check_membership.cjs", // a module of gh-aw's setup action, which sets is_team_member
}

// refusals are what a script writes to fail.
var refusals = []string{"setFailed", "throw ", "process.exit(1", "exit 1", "sys.exit(1"}

// ActionGate returns what an action does about the rights of the person who started the run.
func ActionGate(action string) Gate { return gateActions[strings.ToLower(action)] }

// AsksRights returns where a script asks for these rights, -1 when it does not.
func AsksRights(script string) int {
	first := -1
	if admits(script) {
		return -1
	}
	for _, call := range permissionCalls {
		if i := strings.Index(script, call); i >= 0 && (first < 0 || i < first) {
			first = i
		}
	}
	return first
}

// ScriptGate returns what a script does about them, as far as its words tell.
func ScriptGate(script string) Gate {
	switch {
	case !containsAny(script, permissionCalls), admits(script):
		return NoGate
	case containsAny(script, refusals):
		return Refuses
	}
	return Tells
}

var (
	// letsRead matches what lets the permission pass that everybody has in a public
	// repository: read, in a list with write, or as one of those that are not refused.
	letsRead = regexp.MustCompile(`!==?\s*['"]?read\b|\[[^\]\n]*['"](?:write|admin)['"][^\]\n]*['"]read['"]|\[[^\]\n]*['"]read['"][^\]\n]*['"](?:write|admin)['"]`)
	// refusesNone matches scripts that name the level below it: they order the levels,
	// or refuse both.
	refusesNone = regexp.MustCompile(`['"]none['"]`)
	// asksFor matches whose permission a script asks for, ownSubject those whom it
	// always grants: the repository's owner, or one account by its name.
	asksFor    = regexp.MustCompile(`\busername:\s*(\S+?)\s*[,})\n]`)
	ownSubject = regexp.MustCompile(`^(?:context\.repo\.owner|['"][\w-]+['"])$`)
)

// admits reports whether a script that asks for rights grants them to everybody, as
// far as its words tell.
func admits(script string) bool {
	if letsRead.MatchString(script) && !refusesNone.MatchString(script) {
		return true
	}
	asked := asksFor.FindAllStringSubmatch(script, -1)
	for _, m := range asked {
		if !ownSubject.MatchString(m[1]) {
			return false
		}
	}
	return len(asked) > 0
}

func containsAny(s string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

// forkWords are what a script writes to tell a fork's pull request from one of the
// repository's own branches. Source: the payload, REST and GraphQL fields of GitHub for it, 2026-11.
var forkWords = []string{"head.repo.full_name", "head.repo.fork", "head.repo.id", "isCrossRepository", "headRepositoryOwner"}

// RefusesForks reports whether a script fails for a fork's pull request, as far as its
// words tell.
func RefusesForks(script string) bool {
	return containsAny(script, forkWords) && containsAny(script, refusals)
}
