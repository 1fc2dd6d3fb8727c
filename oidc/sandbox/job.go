package sandbox

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A Job is what a token says about the job that asks for it. Repository, Ref and
// WorkflowPath are needed; the rest has defaults.
type Job struct {
	Repository   string // owner/name
	RepositoryID string // "1" when empty
	OwnerID      string // "1" when empty
	Visibility   string // "private" when empty
	// ImmutableSubject puts the ids into the subject: repo:o@1/r@2:…, which is the
	// form of repositories made after 15 July 2026.
	ImmutableSubject bool
	// SubjectKeys is a customised subject: claim names, "repo" or "context".
	SubjectKeys []string

	Event        string // "push" when empty
	Ref          string // refs/heads/…, refs/tags/… or refs/pull/N/merge
	RefProtected bool
	HeadRef      string // of a pull request
	BaseRef      string // of a pull request
	SHA          string // forty zeros when empty
	Environment  string

	Workflow     string // its name; WorkflowPath when empty
	WorkflowPath string // .github/workflows/deploy.yml
	// WorkflowRef is the ref of the workflow file; Ref when empty.
	WorkflowRef string
	// JobWorkflowRef is owner/repo/path@ref of the reusable workflow that defines
	// the job; the job's own file when empty.
	JobWorkflowRef string
	Name           string // GITHUB_JOB; "job" when empty

	RunID, RunNumber, RunAttempt string // "1" when empty
	Actor, ActorID               string // "octocat" and "1" when empty
	RunnerEnvironment            string // "github-hosted" when empty
}

// check refuses a job of which no token can be made.
func (j Job) check() error {
	owner, name, ok := strings.Cut(j.Repository, "/")
	switch {
	case !ok || owner == "" || name == "" || strings.Contains(name, "/"):
		return fmt.Errorf("sandbox: repository %q is not owner/name", j.Repository)
	case !strings.HasPrefix(j.Ref, "refs/"):
		return fmt.Errorf("sandbox: ref %q does not begin with refs/", j.Ref)
	case j.WorkflowPath == "":
		return errors.New("sandbox: the job has no workflow path")
	}
	_, err := j.subject()
	return err
}

func (j Job) withDefaults() Job {
	for _, d := range []struct {
		field *string
		value string
	}{
		{&j.RepositoryID, "1"}, {&j.OwnerID, "1"}, {&j.Visibility, "private"},
		{&j.Event, "push"}, {&j.SHA, strings.Repeat("0", 40)},
		{&j.Workflow, j.WorkflowPath}, {&j.WorkflowRef, j.Ref}, {&j.Name, "job"},
		{&j.RunID, "1"}, {&j.RunNumber, "1"}, {&j.RunAttempt, "1"},
		{&j.Actor, "octocat"}, {&j.ActorID, "1"}, {&j.RunnerEnvironment, "github-hosted"},
	} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if j.JobWorkflowRef == "" {
		j.JobWorkflowRef = j.workflowRef()
	}
	return j
}

func (j Job) owner() string { owner, _, _ := strings.Cut(j.Repository, "/"); return owner }

func (j Job) workflowRef() string { return j.Repository + "/" + j.WorkflowPath + "@" + j.WorkflowRef }

// refType is the ref_type claim.
func (j Job) refType() string {
	if strings.HasPrefix(j.Ref, "refs/tags/") {
		return "tag"
	}
	return "branch"
}

// claims are the string claims but sub, which is made from them. The set is that
// of GitHub's "OpenID Connect reference" and of tokens seen.
func (j Job) claims() map[string]string {
	c := map[string]string{
		"actor": j.Actor, "actor_id": j.ActorID,
		"repository": j.Repository, "repository_id": j.RepositoryID,
		"repository_owner": j.owner(), "repository_owner_id": j.OwnerID,
		"repository_visibility": j.Visibility,
		"event_name":            j.Event,
		"ref":                   j.Ref, "ref_type": j.refType(),
		"ref_protected": strconv.FormatBool(j.RefProtected),
		"head_ref":      j.HeadRef, "base_ref": j.BaseRef, "sha": j.SHA,
		"run_id": j.RunID, "run_number": j.RunNumber, "run_attempt": j.RunAttempt,
		"runner_environment": j.RunnerEnvironment,
		"workflow":           j.Workflow, "workflow_ref": j.workflowRef(), "workflow_sha": j.SHA,
		"job_workflow_ref": j.JobWorkflowRef, "job_workflow_sha": j.SHA,
	}
	if j.Environment != "" {
		c["environment"] = j.Environment
	}
	return c
}

// subject is the sub claim.
func (j Job) subject() (string, error) {
	if len(j.SubjectKeys) == 0 {
		return j.repoSegment() + ":" + j.context(), nil
	}
	claims := j.claims()
	parts := make([]string, 0, len(j.SubjectKeys))
	for _, key := range j.SubjectKeys {
		switch value := claims[key]; {
		case key == "repo":
			parts = append(parts, j.repoSegment())
		case key == "context":
			parts = append(parts, j.context())
		case value == "":
			return "", fmt.Errorf("sandbox: the subject template wants %q, which this job does not have", key)
		default:
			parts = append(parts, key+":"+escapeSubject(value))
		}
	}
	return strings.Join(parts, ":"), nil
}

func (j Job) repoSegment() string {
	if !j.ImmutableSubject {
		return "repo:" + j.Repository
	}
	owner, name, _ := strings.Cut(j.Repository, "/")
	return "repo:" + owner + "@" + j.OwnerID + "/" + name + "@" + j.RepositoryID
}

// context is the last part of the subject: an environment wins over a pull
// request, which wins over the ref. pull_request_target has the subject of
// pull_request by the best evidence there is (no printed token was seen).
func (j Job) context() string {
	switch {
	case j.Environment != "":
		return "environment:" + escapeSubject(j.Environment)
	case j.Event == "pull_request", j.Event == "pull_request_target":
		return "pull_request"
	}
	return "ref:" + j.Ref
}

// escapeSubject escapes the separator and nothing else, as GitHub does.
func escapeSubject(s string) string { return strings.ReplaceAll(s, ":", "%3A") }

// environ are the variables of the job but those of the token request.
func (j Job) environ() map[string]string {
	refName := j.Ref
	for _, prefix := range []string{"refs/heads/", "refs/tags/", "refs/pull/"} {
		refName = strings.TrimPrefix(refName, prefix)
	}
	return map[string]string{
		"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com",
		"GITHUB_REPOSITORY": j.Repository, "GITHUB_REPOSITORY_ID": j.RepositoryID,
		"GITHUB_REPOSITORY_OWNER": j.owner(), "GITHUB_REPOSITORY_OWNER_ID": j.OwnerID,
		"GITHUB_EVENT_NAME": j.Event, "GITHUB_SHA": j.SHA,
		"GITHUB_REF": j.Ref, "GITHUB_REF_NAME": refName, "GITHUB_REF_TYPE": j.refType(),
		"GITHUB_REF_PROTECTED": strconv.FormatBool(j.RefProtected),
		"GITHUB_HEAD_REF":      j.HeadRef, "GITHUB_BASE_REF": j.BaseRef,
		"GITHUB_WORKFLOW": j.Workflow, "GITHUB_WORKFLOW_REF": j.workflowRef(), "GITHUB_WORKFLOW_SHA": j.SHA,
		"GITHUB_JOB": j.Name, "GITHUB_RUN_ID": j.RunID,
		"GITHUB_RUN_NUMBER": j.RunNumber, "GITHUB_RUN_ATTEMPT": j.RunAttempt,
		"GITHUB_ACTOR": j.Actor, "GITHUB_ACTOR_ID": j.ActorID,
		"RUNNER_ENVIRONMENT": j.RunnerEnvironment,
	}
}
