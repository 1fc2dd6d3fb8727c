package platform

// Sources of the contexts' facts. A text line follows from who writes the field of
// the webhook's payload; a fixed one from the characters that the platform allows.
const (
	docsContexts = "docs.github.com/actions/reference/workflows-and-actions/contexts, 2026-11"
	docsPayload  = "docs.github.com/webhooks/webhook-events-and-payloads, 2026-11"
	docsLogin    = "docs.github.com/admin/managing-iam (user names: letters, digits, hyphens, underscores), 2026-11"
)

// Events whose payload holds the object that the text belongs to.
var (
	onPull       = []string{"pull_request", "pull_request_review", "pull_request_review_comment", "pull_request_target"}
	onReview     = []string{"pull_request_review"}
	onIssue      = []string{"issue_comment", "issues"}
	onComment    = []string{"discussion_comment", "issue_comment", "pull_request_review_comment"}
	onDiscussion = []string{"discussion", "discussion_comment"}
	onEdit       = []string{"discussion", "discussion_comment", "issue_comment", "issues", "pull_request", "pull_request_review", "pull_request_review_comment", "pull_request_target"}
	onWiki       = []string{"gollum"}
	onFork       = []string{"fork"}
	onRun        = []string{"workflow_run"}
	onSuite      = []string{"check_run", "check_suite"}
	onCheckSuite = []string{"check_suite"}
	onCheckRun   = []string{"check_run"}
	onStatus     = []string{"status"}
	onPush       = []string{"push"}
	onQueue      = []string{"merge_group"}
	onRelease    = []string{"release"}
	onMilestone  = []string{"milestone"}
	onDeployment = []string{"deployment", "deployment_status"}
	onDispatch   = []string{"workflow_dispatch"}
	// onRef are those whose ref a writer names; the others run on the default branch,
	// or on refs/pull/N/merge.
	onRef = []string{"create", "delete", "deployment", "deployment_status", "push", "release", "workflow_dispatch"}
)

// contextTable holds every context that is not part of the event's payload.
// ShapeWriter marks free text that only writers set.
var contextTable = []Context{
	// github.*, source docsContexts.
	{"github.action", ShapeFixed, nil, docsContexts},
	{"github.action_path", ShapeFixed, nil, docsContexts},
	{"github.action_ref", ShapeFixed, nil, docsContexts},
	{"github.action_repository", ShapeFixed, nil, docsContexts},
	{"github.action_status", ShapeFixed, nil, docsContexts},
	{"github.actor", ShapeFixed, nil, docsLogin},
	{"github.actor_id", ShapeFixed, nil, docsContexts},
	{"github.api_url", ShapeFixed, nil, docsContexts},
	{"github.base_ref", ShapeFixed, nil, docsContexts},
	{"github.env", ShapeFixed, nil, docsContexts},
	{"github.event_name", ShapeFixed, nil, docsContexts},
	{"github.event_path", ShapeFixed, nil, docsContexts},
	{"github.graphql_url", ShapeFixed, nil, docsContexts},
	{"github.head_ref", ShapeText, onPull, docsContexts},
	{"github.job", ShapeFixed, nil, docsContexts},
	{"github.output", ShapeFixed, nil, docsContexts},
	{"github.path", ShapeFixed, nil, docsContexts},
	{"github.ref", ShapeWriter, onRef, docsContexts}, // a pull request's is refs/pull/N/merge
	{"github.ref_name", ShapeWriter, onRef, docsContexts},
	{"github.ref_protected", ShapeFixed, nil, docsContexts},
	{"github.ref_type", ShapeFixed, nil, docsContexts},
	{"github.repository", ShapeFixed, nil, docsContexts},
	{"github.repository_id", ShapeFixed, nil, docsContexts},
	{"github.repository_owner", ShapeFixed, nil, docsContexts},
	{"github.repository_owner_id", ShapeFixed, nil, docsContexts},
	{"github.repository_visibility", ShapeFixed, nil, docsContexts},
	{"github.repositoryurl", ShapeFixed, nil, docsContexts},
	{"github.retention_days", ShapeFixed, nil, docsContexts},
	{"github.run_attempt", ShapeFixed, nil, docsContexts},
	{"github.run_id", ShapeFixed, nil, docsContexts},
	{"github.run_number", ShapeFixed, nil, docsContexts},
	{"github.secret_source", ShapeFixed, nil, docsContexts},
	{"github.server_url", ShapeFixed, nil, docsContexts},
	{"github.sha", ShapeFixed, nil, docsContexts},
	{"github.state", ShapeFixed, nil, docsContexts},
	{"github.step_summary", ShapeFixed, nil, docsContexts},
	{"github.token", ShapeSecret, nil, docsContexts},
	{"github.triggering_actor", ShapeFixed, nil, docsLogin},
	{"github.workflow", ShapeFixed, nil, docsContexts},
	{"github.workflow_ref", ShapeWriter, onRef, docsContexts}, // ends in a branch's name
	{"github.workflow_sha", ShapeFixed, nil, docsContexts},
	{"github.workspace", ShapeFixed, nil, docsContexts},

	// The other contexts, source docsContexts.
	{"env", ShapeFlow, nil, docsContexts},
	{"inputs", ShapeCaller, nil, docsContexts},
	{"job.check_run_id", ShapeFixed, nil, docsContexts},
	{"job.container", ShapeFixed, nil, docsContexts},
	{"job.services", ShapeFixed, nil, docsContexts},
	{"job.status", ShapeFixed, nil, docsContexts},
	{"job.workflow_file_path", ShapeFixed, nil, docsContexts},
	{"job.workflow_ref", ShapeWriter, onRef, docsContexts},
	{"job.workflow_repository", ShapeFixed, nil, docsContexts},
	{"job.workflow_sha", ShapeFixed, nil, docsContexts},
	{"jobs.*.outputs", ShapeFlow, nil, docsContexts},
	{"jobs.*.result", ShapeFixed, nil, docsContexts},
	{"matrix", ShapeFlow, nil, docsContexts},
	{"needs.*.outputs", ShapeFlow, nil, docsContexts},
	{"needs.*.result", ShapeFixed, nil, docsContexts},
	{"runner", ShapeFixed, nil, docsContexts},
	{"secrets", ShapeSecret, nil, docsContexts},
	{"steps.*.conclusion", ShapeFixed, nil, docsContexts},
	{"steps.*.outcome", ShapeFixed, nil, docsContexts},
	{"steps.*.outputs", ShapeFlow, nil, docsContexts},
	{"strategy", ShapeFixed, nil, docsContexts},
	{"vars", ShapeFixed, nil, docsContexts},
}

// payloadTable holds the payload of events, as far as a field's name alone does not
// tell (see leafTable). Source docsPayload.
var payloadTable = []Context{
	// Set by whoever calls or dispatches.
	{"github.event.inputs", ShapeCaller, nil, docsPayload},
	{"github.event.client_payload", ShapeCaller, nil, docsPayload},

	// Pull requests: the outsider writes them and names the branch and the fork.
	{"github.event.pull_request.title", ShapeText, onPull, docsPayload},
	{"github.event.pull_request.body", ShapeText, onPull, docsPayload},
	{"github.event.pull_request.head.ref", ShapeText, onPull, docsPayload},
	{"github.event.pull_request.head.label", ShapeText, onPull, docsPayload},
	{"github.event.pull_request.head.repo.default_branch", ShapeText, onPull, docsPayload},
	{"github.event.pull_request.head.repo.description", ShapeText, onPull, docsPayload},
	{"github.event.pull_request.head.repo.homepage", ShapeText, onPull, docsPayload},
	{"github.event.pull_request.base.ref", ShapeFixed, nil, docsPayload},
	{"github.event.pull_request.base.label", ShapeFixed, nil, docsPayload},
	{"github.event.pull_request.auto_merge.commit_title", ShapeWriter, onPull, docsPayload},
	{"github.event.pull_request.auto_merge.commit_message", ShapeWriter, onPull, docsPayload},
	{"github.event.pull_request.milestone.title", ShapeWriter, onPull, docsPayload},
	{"github.event.pull_request.labels.*.name", ShapeFixed, nil, docsPayload},
	{"github.event.review.body", ShapeText, onReview, docsPayload},

	// Issues, comments, discussions, the wiki.
	{"github.event.issue.title", ShapeText, onIssue, docsPayload},
	{"github.event.issue.body", ShapeText, onIssue, docsPayload},
	{"github.event.issue.milestone.title", ShapeWriter, onIssue, docsPayload},
	{"github.event.issue.labels.*.name", ShapeFixed, nil, docsPayload},
	{"github.event.comment.body", ShapeText, onComment, docsPayload},
	{"github.event.comment.diff_hunk", ShapeText, []string{"pull_request_review_comment"}, docsPayload},
	{"github.event.comment.path", ShapeText, []string{"pull_request_review_comment"}, docsPayload},
	{"github.event.discussion.title", ShapeText, onDiscussion, docsPayload},
	{"github.event.discussion.body", ShapeText, onDiscussion, docsPayload},
	{"github.event.answer.body", ShapeText, []string{"discussion"}, docsPayload},
	{"github.event.discussion.category.name", ShapeFixed, nil, docsPayload},
	{"github.event.changes.title.from", ShapeText, onEdit, docsPayload},
	{"github.event.changes.body.from", ShapeText, onEdit, docsPayload},
	{"github.event.changes.base.ref.from", ShapeFixed, nil, docsPayload},
	{"github.event.changes.new_issue.title", ShapeText, []string{"issues"}, docsPayload},
	{"github.event.changes.new_issue.body", ShapeText, []string{"issues"}, docsPayload},
	{"github.event.pages.*.page_name", ShapeText, onWiki, docsPayload},
	{"github.event.pages.*.title", ShapeText, onWiki, docsPayload},
	{"github.event.pages.*.summary", ShapeText, onWiki, docsPayload},

	// The run before: its branch, title and commit are the fork's. A fork's own
	// workflow file may carry the awaited name, so that its path is the fork's too.
	{"github.event.workflow_run.head_branch", ShapeText, onRun, docsPayload},
	{"github.event.workflow_run.display_title", ShapeText, onRun, docsPayload},
	{"github.event.workflow_run.path", ShapeText, onRun, docsPayload},
	{"github.event.workflow_run.head_commit.message", ShapeText, onRun, docsPayload},
	{"github.event.workflow_run.head_commit.author.name", ShapeText, onRun, docsPayload},
	{"github.event.workflow_run.head_commit.author.email", ShapeText, onRun, docsPayload},
	{"github.event.workflow_run.head_commit.committer.name", ShapeText, onRun, docsPayload},
	{"github.event.workflow_run.head_commit.committer.email", ShapeText, onRun, docsPayload},
	{"github.event.workflow_run.head_repository.description", ShapeText, onRun, docsPayload},
	{"github.event.workflow_run.name", ShapeFixed, nil, docsPayload},
	{"github.event.workflow_run.event", ShapeFixed, nil, docsPayload},
	{"github.event.workflow_run.pull_requests.*.head.ref", ShapeWriter, onRun, docsPayload}, // empty for forks
	{"github.event.workflow_run.pull_requests.*.base.ref", ShapeFixed, nil, docsPayload},
	{"github.event.workflow.name", ShapeFixed, nil, docsPayload},
	{"github.event.workflow.path", ShapeWriter, onDispatch, docsPayload},

	// Checks and statuses on commits, also those of forks.
	{"github.event.check_suite.head_branch", ShapeText, onSuite, docsPayload},
	{"github.event.check_suite.head_commit.message", ShapeText, onCheckSuite, docsPayload},
	{"github.event.check_suite.head_commit.author.name", ShapeText, onCheckSuite, docsPayload},
	{"github.event.check_suite.head_commit.author.email", ShapeText, onCheckSuite, docsPayload},
	{"github.event.check_run.check_suite.head_branch", ShapeText, onCheckRun, docsPayload},
	{"github.event.commit.commit.message", ShapeText, onStatus, docsPayload},
	{"github.event.commit.commit.author.name", ShapeText, onStatus, docsPayload},
	{"github.event.commit.commit.author.email", ShapeText, onStatus, docsPayload},
	{"github.event.commit.commit.committer.name", ShapeText, onStatus, docsPayload},
	{"github.event.commit.commit.committer.email", ShapeText, onStatus, docsPayload},

	// Commits: an outsider's, once a writer has merged them.
	{"github.event.head_commit.message", ShapeText, onPush, docsPayload},
	{"github.event.head_commit.author.name", ShapeText, onPush, docsPayload},
	{"github.event.head_commit.author.email", ShapeText, onPush, docsPayload},
	{"github.event.head_commit.author.username", ShapeFixed, nil, docsLogin},
	{"github.event.head_commit.committer.name", ShapeText, onPush, docsPayload},
	{"github.event.head_commit.committer.email", ShapeText, onPush, docsPayload},
	{"github.event.head_commit.committer.username", ShapeFixed, nil, docsLogin},
	{"github.event.head_commit.added", ShapeText, onPush, docsPayload},
	{"github.event.head_commit.modified", ShapeText, onPush, docsPayload},
	{"github.event.head_commit.removed", ShapeText, onPush, docsPayload},
	{"github.event.commits.*.message", ShapeText, onPush, docsPayload},
	{"github.event.commits.*.author.name", ShapeText, onPush, docsPayload},
	{"github.event.commits.*.author.email", ShapeText, onPush, docsPayload},
	{"github.event.commits.*.author.username", ShapeFixed, nil, docsLogin},
	{"github.event.commits.*.committer.name", ShapeText, onPush, docsPayload},
	{"github.event.commits.*.committer.email", ShapeText, onPush, docsPayload},
	{"github.event.commits.*.committer.username", ShapeFixed, nil, docsLogin},
	{"github.event.commits.*.added", ShapeText, onPush, docsPayload},
	{"github.event.commits.*.modified", ShapeText, onPush, docsPayload},
	{"github.event.commits.*.removed", ShapeText, onPush, docsPayload},
	{"github.event.merge_group.head_commit.message", ShapeText, onQueue, docsPayload},
	{"github.event.merge_group.head_commit.author.name", ShapeText, onQueue, docsPayload},
	{"github.event.merge_group.head_commit.author.email", ShapeText, onQueue, docsPayload},
	{"github.event.merge_group.head_ref", ShapeFixed, nil, docsPayload},
	{"github.event.merge_group.base_ref", ShapeFixed, nil, docsPayload},

	// A new fork's own description; its name has the platform's characters only.
	{"github.event.forkee.default_branch", ShapeText, onFork, docsPayload},
	{"github.event.forkee.description", ShapeText, onFork, docsPayload},
	{"github.event.forkee.homepage", ShapeText, onFork, docsPayload},

	// Free text of writers, and names that the repository sets.
	{"github.event.ref", ShapeWriter, onRef, docsPayload},
	{"github.event.base_ref", ShapeWriter, onPush, docsPayload},
	{"github.event.master_branch", ShapeFixed, nil, docsPayload},
	{"github.event.release.tag_name", ShapeWriter, onRelease, docsPayload},
	{"github.event.release.target_commitish", ShapeWriter, onRelease, docsPayload},
	{"github.event.release.name", ShapeWriter, onRelease, docsPayload},
	{"github.event.release.body", ShapeWriter, onRelease, docsPayload},
	{"github.event.milestone.title", ShapeWriter, onMilestone, docsPayload},
	{"github.event.milestone.description", ShapeWriter, onMilestone, docsPayload},
	{"github.event.label.name", ShapeFixed, nil, docsPayload},
	{"github.event.label.description", ShapeFixed, nil, docsPayload},
	{"github.event.deployment.payload", ShapeWriter, onDeployment, docsPayload},
	{"github.event.deployment.ref", ShapeWriter, onDeployment, docsPayload},
	{"github.event.deployment.description", ShapeWriter, onDeployment, docsPayload},
	{"github.event.deployment_status.description", ShapeWriter, onDeployment, docsPayload},
	{"github.event.repository.default_branch", ShapeFixed, nil, docsPayload},
	{"github.event.repository.description", ShapeUnknown, nil, docsPayload},
	{"github.event.repository.homepage", ShapeUnknown, nil, docsPayload},
	{"github.event.issue.type.name", ShapeFixed, nil, docsPayload},
	{"github.event.before", ShapeFixed, nil, docsPayload},
	{"github.event.after", ShapeFixed, nil, docsPayload},
	{"github.event.action", ShapeFixed, nil, docsPayload},
	{"github.event.schedule", ShapeFixed, nil, docsPayload},
}

// leafTable is the shape of a payload's field that has no line, by its last part:
// names that mean the same in every payload. Source docsPayload, 2026-11.
var leafTable = map[string]Shape{
	"active_lock_reason": ShapeFixed, "additions": ShapeFixed, "archived": ShapeFixed, "author_association": ShapeFixed,
	"base_sha": ShapeFixed, "before": ShapeFixed, "changed_files": ShapeFixed, "closed_at": ShapeFixed, "color": ShapeFixed,
	"comments": ShapeFixed, "commits": ShapeFixed, "commit_id": ShapeFixed, "conclusion": ShapeFixed, "created": ShapeFixed, "created_at": ShapeFixed,
	"deleted": ShapeFixed, "deletions": ShapeFixed, "disabled": ShapeFixed, "distinct": ShapeFixed, "draft": ShapeFixed,
	"environment": ShapeUnknown, "forced": ShapeFixed, "fork": ShapeFixed, "forks_count": ShapeFixed, "full_name": ShapeFixed,
	"head_sha": ShapeFixed, "html_url": ShapeFixed, "id": ShapeFixed, "line": ShapeFixed, "locked": ShapeFixed, "login": ShapeFixed,
	"merge_commit_sha": ShapeFixed, "mergeable": ShapeFixed, "merged": ShapeFixed, "merged_at": ShapeFixed, "node_id": ShapeFixed,
	"number": ShapeFixed, "open_issues_count": ShapeFixed, "position": ShapeFixed, "prerelease": ShapeFixed, "private": ShapeFixed,
	"published_at": ShapeFixed, "pushed_at": ShapeFixed, "rebaseable": ShapeFixed, "run_attempt": ShapeFixed, "run_number": ShapeFixed, "run_started_at": ShapeFixed,
	"sha": ShapeFixed, "side": ShapeFixed, "site_admin": ShapeFixed, "size": ShapeFixed, "stargazers_count": ShapeFixed, "state": ShapeFixed,
	"state_reason": ShapeFixed, "status": ShapeFixed, "submitted_at": ShapeFixed, "tree_id": ShapeFixed, "type": ShapeFixed,
	"updated_at": ShapeFixed, "url": ShapeFixed, "visibility": ShapeFixed, "watchers_count": ShapeFixed,
}
