package grant

import "slices"

// NormalTrust reports whether a run of the event is admitted without being named
// in for.events: someone who may write to the repository started it, or nobody
// did, and it runs a commit that a writer put into the repository.
//
//   - push, create: a writer pushed the branch or tag; deployment, release: a
//     writer made it; workflow_dispatch: a writer pressed the button;
//     schedule: the default branch's own clock; merge_group: a
//     writer put the change into the queue that ends in the branch.
//
// Everything else must be named. pull_request and its relatives run or serve
// code that nobody has merged. workflow_run, issue_comment, issues, discussion,
// fork, watch and the like are started by anyone, with the sub and ref of a push
// to the default branch. repository_dispatch takes a writer's token but runs on
// what another system sends. An event that is not known here is not trusted.
// Source: "Events that trigger workflows" of GitHub's documentation, read
// November 2026.
func NormalTrust(event string) bool { return slices.Contains(normalTrust, event) }

// NormalEvents lists the events that NormalTrust admits, for locks that name them.
func NormalEvents() []string { return slices.Clone(normalTrust) }

var normalTrust = []string{
	"push", "schedule", "workflow_dispatch", "release", "deployment", "create", "merge_group",
}

// pullRequestEvents are the events whose sub may end in :pull_request.
var pullRequestEvents = []string{
	"pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment",
}
