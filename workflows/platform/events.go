package platform

import (
	"slices"
	"strings"
)

// What the platform has stopped and for whom it has not, where several lines say
// the same.
const (
	stoppedTarget = "the default policy of public repositories blocks it since 2026-11-02; " +
		"actions/checkout of 2026-06-17 and later refuses the fork's commit; caches are read-only since 2026-06-26"
	remainsTarget = "private and internal repositories, and public ones whose policy was relaxed; " +
		"git fetch, gh pr checkout and other actions still take the fork's code"
	stoppedRun = "actions/checkout of 2026-06-17 and later refuses the fork's commit after a fork's run; " +
		"caches are read-only after a fork's run since 2026-06-26"
	remainsRun    = "git fetch, gh pr checkout, downloaded artifacts and every other way to the fork's content"
	stoppedCaches = "caches are read-only under this event since 2026-06-26"
	remainsText   = "the job still has the repository's secrets and token, and the text is the outsider's"
	stoppedFork   = "runs from forks have no secrets and a read-only token; first-time contributors wait for an approval"
	remainsFork   = "repositories that send secrets or write tokens to fork runs, self-hosted runners, " +
		"and pull requests from branches of the repository itself"
	stoppedReview = stoppedFork
	remainsReview = "an outsider may also review a pull request from a branch of the repository itself, " +
		"and that run has the secrets and the outsider's text"
)

// Sources of the events' facts.
const (
	docsEvents   = "docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows"
	docsControl  = "docs.github.com/actions/how-tos/administer/control-workflow-execution"
	docsSecurity = "docs.github.com/actions/reference/security/secure-use"
	docsOIDC     = "docs.github.com/actions/reference/security/oidc"
)

// The subjects of the id-token of a job without an environment; with one it is
// always environment:NAME. Source: docsOIDC, 2026-11.
const (
	subjectRef         = "ref"          // repo:O/R:ref:refs/heads/B
	subjectPullRequest = "pull_request" // repo:O/R:pull_request
	subjectCaller      = "caller"       // that of the event which started the caller
)

// eventTable holds every event of on:, by who can start it.
// The subject of pull_request_target is by the best evidence (octo-sts/action runs
// under it with a policy that demands :pull_request); no printed token was seen.
var eventTable = []Event{
	// Anyone with an account, with the repository's secrets and token. 2026-11.
	{Name: "pull_request_target", Starter: StartAnyone, By: "whoever opens a pull request", AnyoneText: true, Subject: subjectPullRequest, Stopped: stoppedTarget, Remains: remainsTarget, Source: docsControl, Date: "2026-11-02"},
	{Name: "workflow_run", Starter: StartAnyone, By: "whoever starts the workflow run before it", AnyoneText: true, Subject: subjectRef, Stopped: stoppedRun, Remains: remainsRun, Source: docsEvents, Date: "2026-06-26"},
	{Name: "issue_comment", Starter: StartAnyone, By: "whoever comments on an issue or pull request", AnyoneText: true, Subject: subjectRef, Stopped: stoppedCaches, Remains: remainsText, Source: docsEvents, Date: "2026-06-26"},
	{Name: "issues", Starter: StartAnyone, By: "whoever opens an issue", AnyoneText: true, Subject: subjectRef, Stopped: stoppedCaches, Remains: remainsText, Source: docsEvents, Date: "2026-06-26"},
	{Name: "discussion", Starter: StartAnyone, By: "whoever opens a discussion", AnyoneText: true, Subject: subjectRef, Stopped: stoppedCaches, Remains: remainsText, Source: docsEvents, Date: "2026-06-26"},
	{Name: "discussion_comment", Starter: StartAnyone, By: "whoever comments on a discussion", AnyoneText: true, Subject: subjectRef, Stopped: stoppedCaches, Remains: remainsText, Source: docsEvents, Date: "2026-06-26"},
	{Name: "gollum", Starter: StartAnyone, By: "whoever edits the wiki", AnyoneText: true, Subject: subjectRef, Stopped: "wikis of public repositories take edits from writers only unless opened", Remains: "wikis opened to everybody: page names are the editor's", Source: docsEvents, Date: "2026-11-21"},
	{Name: "fork", Starter: StartAnyone, By: "whoever forks the repository", AnyoneText: true, Subject: subjectRef, Remains: "the run is of the default branch; the new fork's name and description are the outsider's", Source: docsEvents, Date: "2026-11-21"},
	{Name: "watch", Starter: StartAnyone, By: "whoever stars the repository", Subject: subjectRef, Remains: "the run is of the default branch and carries no text of the outsider's", Source: docsEvents, Date: "2026-11-21"},

	// An app that reports on the commits of a fork's pull request starts these for the outsider. 2026-11.
	{Name: "check_run", Starter: StartAnyone, By: "whoever has a commit checked", AnyoneText: true, Subject: subjectRef, Stopped: "check runs of Actions itself do not start it", Remains: "apps that report on commits of forks", Source: docsEvents, Date: "2026-11-21"},
	{Name: "check_suite", Starter: StartAnyone, By: "whoever has a commit checked", AnyoneText: true, Subject: subjectRef, Stopped: "check suites of Actions itself do not start it", Remains: "apps that report on commits of forks", Source: docsEvents, Date: "2026-11-21"},
	{Name: "status", Starter: StartAnyone, By: "whoever has a status set on a commit", AnyoneText: true, Subject: subjectRef, Remains: "services that set a status on commits of forks: the commit's message and author are the outsider's", Source: docsEvents, Date: "2026-11-21"},

	// Anyone, but without secrets when the pull request comes from a fork. 2026-11.
	{Name: "pull_request", Starter: StartForkSandboxed, By: "whoever opens a pull request from a fork", Subject: subjectPullRequest, Stopped: stoppedFork, Remains: remainsFork, Source: docsSecurity, Date: "2026-11-21"},
	{Name: "pull_request_review", Starter: StartForkSandboxed, By: "whoever reviews a pull request", AnyoneText: true, Subject: subjectPullRequest, Stopped: stoppedReview, Remains: remainsReview, Source: docsSecurity, Date: "2026-11-21"},
	{Name: "pull_request_review_comment", Starter: StartForkSandboxed, By: "whoever comments on a review", AnyoneText: true, Subject: subjectPullRequest, Stopped: stoppedReview, Remains: remainsReview, Source: docsSecurity, Date: "2026-11-21"},

	// The caller's events decide. 2026-11.
	{Name: "workflow_call", Starter: StartCaller, Subject: subjectCaller, Source: docsEvents, Date: "2026-11-21"},

	// People and apps with write access, or the clock. 2026-11.
	{Name: "push", Starter: StartWriter, Subject: subjectRef, Remains: "a stolen account or token pushes as a writer", Source: docsEvents, Date: "2026-11-21"},
	{Name: "schedule", Starter: StartWriter, Subject: subjectRef, Source: docsEvents, Date: "2026-11-21"},
	{Name: "workflow_dispatch", Starter: StartWriter, Subject: subjectRef, Source: docsEvents, Date: "2026-11-21"},
	{Name: "repository_dispatch", Starter: StartWriter, Subject: subjectRef, Source: docsEvents, Date: "2026-11-21"},
	{Name: "release", Starter: StartWriter, Subject: subjectRef, Source: docsEvents, Date: "2026-11-21"},
	{Name: "merge_group", Starter: StartWriter, Subject: subjectRef, Remains: "a writer queues the merge; titles and commit messages in it may be an outsider's", Source: docsEvents, Date: "2026-11-21"},
	{Name: "create", Starter: StartWriter, Subject: subjectRef, Source: docsEvents, Date: "2026-11-21"},
	{Name: "delete", Starter: StartWriter, Subject: subjectRef, Source: docsEvents, Date: "2026-11-21"},
	{Name: "deployment", Starter: StartWriter, Subject: subjectRef, Source: docsEvents, Date: "2026-11-21"},
	{Name: "deployment_status", Starter: StartWriter, Subject: subjectRef, Source: docsEvents, Date: "2026-11-21"},
	{Name: "branch_protection_rule", Starter: StartWriter, Subject: subjectRef, Source: docsEvents, Date: "2026-11-21"},
	{Name: "image_version", Starter: StartWriter, Subject: subjectRef, Source: docsEvents, Date: "2026-11-21"},
	{Name: "label", Starter: StartWriter, Subject: subjectRef, Source: docsEvents, Date: "2026-11-21"},
	{Name: "milestone", Starter: StartWriter, Subject: subjectRef, Source: docsEvents, Date: "2026-11-21"},
	{Name: "page_build", Starter: StartWriter, Subject: subjectRef, Source: docsEvents, Date: "2026-11-21"},
	{Name: "project", Starter: StartWriter, Subject: subjectRef, Stopped: "classic projects are gone", Source: docsEvents, Date: "2026-11-21"},
	{Name: "project_card", Starter: StartWriter, Subject: subjectRef, Stopped: "classic projects are gone", Source: docsEvents, Date: "2026-11-21"},
	{Name: "project_column", Starter: StartWriter, Subject: subjectRef, Stopped: "classic projects are gone", Source: docsEvents, Date: "2026-11-21"},
	{Name: "public", Starter: StartWriter, Subject: subjectRef, Source: docsEvents, Date: "2026-11-21"},
	{Name: "registry_package", Starter: StartWriter, Subject: subjectRef, Source: docsEvents, Date: "2026-11-21"},
}

var events = indexBy(eventTable, func(e Event) string { return e.Name })

func lookupEvent(name string) (Event, bool) {
	if e, ok := events[strings.ToLower(name)]; ok {
		return e, true
	}
	return Event{Name: name, Starter: StartWriter}, false
}

// indexBy makes the look-up of a table; when a key comes twice the first line
// counts (the tests refuse that).
func indexBy[T any](table []T, key func(T) string) map[string]T {
	index := make(map[string]T, len(table))
	for _, line := range table {
		if _, taken := index[key(line)]; !taken {
			index[key(line)] = line
		}
	}
	return index
}

// payloads are the objects of an event's payload that a run may be about. Source: the
// payloads in "Webhook events and payloads", docs.github.com, 2026-11.
var payloads = map[string]string{
	"issues": "issue", "issue_comment": "issue comment", "discussion": "discussion", "discussion_comment": "discussion comment", "commit_comment": "comment",
	"pull_request": "pull_request", "pull_request_target": "pull_request", "pull_request_review": "pull_request review", "pull_request_review_comment": "pull_request comment",
	"push": "", "schedule": "", "workflow_dispatch": "", "repository_dispatch": "", "merge_group": "", "release": "", "workflow_run": "", "create": "", "delete": "", "status": "",
}

// Lacks reports whether an event's payload is known to have no object of a name such
// as issue, comment, review, discussion or pull_request, so that what lies in it is null.
func Lacks(event, object string) bool {
	has, known := payloads[event]
	switch object {
	case "issue", "comment", "review", "discussion", "pull_request":
		return known && !slices.Contains(strings.Fields(has), object)
	}
	return false
}
