package trust

import (
	"cmp"
	"maps"
	"strings"

	"github.com/stint-dev/stint/oidc"
)

// What stands for names and ids that a target leaves open.
const (
	exampleOwner      = "example-owner"
	exampleRepository = "example-repository"
	exampleOwnerID    = "70001"
	exampleID         = "70002"

	defaultBranch   = "refs/heads/main"
	defaultWorkflow = ".github/workflows/deploy.yml"
	someEnvironment = "prod"
)

// A token is a job's id-token in the terms of the job. Its claims agree with each
// other, as those of a true token do.
type token struct {
	issuer, audience     string
	owner, ownerID       string
	repo, repoID         string
	ref, environment     string
	event                string
	workflow, called     string
	actor, actorID       string
	runner               string
	visibility, template string            // template is a sub of the owner's own
	immutable            bool              // sub carries the ids
	unprotected          bool              // ref_protected is "false"
	more                 map[string]string // other claims
}

// tokenOf is the token of the target's own workload. The form of the subject is
// left to the caller.
func tokenOf(t Target) token {
	k := token{
		issuer: cmp.Or(t.Issuer, GitHubIssuer), audience: t.Audience,
		owner: cmp.Or(t.Owner, exampleOwner), ownerID: cmp.Or(t.OwnerID, exampleOwnerID),
		repo: cmp.Or(t.Repository, exampleRepository), repoID: cmp.Or(t.RepositoryID, exampleID),
		ref: cmp.Or(t.Ref, defaultBranch), environment: t.Environment, event: "push",
		workflow: cmp.Or(t.Workflow, defaultWorkflow), called: t.Called,
		actor: "alice", actorID: "501", runner: "github-hosted", visibility: "private",
		more: map[string]string{},
	}
	if k.audience == "" {
		k.audience = "https://github.com/" + k.owner
	}
	switch {
	case namesPulls(t.Subject):
		event := "pull_request"
		if t.Ref == defaultBranch {
			event = "pull_request_target"
		}
		k = k.inPullRequest(event)
	case strings.HasPrefix(t.Ref, "refs/pull/"):
		k.event, k.unprotected = "pull_request", true
	}
	for claim, value := range t.Claims {
		k.set(claim, value)
	}
	return k
}

// set gives a claim the value that a policy names.
func (k *token) set(claim, value string) {
	switch claim {
	case "event_name":
		k.event = value
		if value == "pull_request" {
			*k = k.inPullRequest(value)
		}
	case "actor":
		k.actor = value
	case "actor_id":
		k.actorID = value
	case "runner_environment":
		k.runner = value
	case "repository_visibility":
		k.visibility = value
	default:
		if oidc.IsGitHubClaim(claim) {
			k.more[claim] = value
		}
	}
}

// inPullRequest is the same job in a run of a pull request's event.
func (k token) inPullRequest(event string) token {
	k.event = event
	if event == "pull_request" {
		k.ref, k.unprotected = "refs/pull/7/merge", true
	} else {
		k.ref = defaultBranch
	}
	return k
}

// on is the same job in a run on another ref.
func (k token) on(ref string) token {
	k.ref, k.unprotected = ref, true
	return k
}

// of is the same job in another repository.
func (k token) of(owner, ownerID, repo, repoID string) token {
	k.owner, k.ownerID, k.repo, k.repoID = owner, ownerID, repo, repoID
	return k
}

// isPullRequest reports whether the target names pull requests and no other event.
func (t Target) isPullRequest() bool {
	return namesPulls(t.Subject) || strings.HasPrefix(t.Claims["event_name"], "pull_request")
}

// isPullRequest reports whether the context of sub is pull_request. For
// pull_request_target that is the safer of two readings: see GitHub's
// documentation of the subject, which names pull requests only.
func (k token) isPullRequest() bool { return strings.HasPrefix(k.event, "pull_request") }

func (k token) subject() string {
	if k.template != "" {
		return k.template
	}
	s := oidc.Subject{Owner: k.owner, Repo: k.repo, Kind: oidc.SubjectRef, Value: k.ref}
	if k.immutable {
		s.OwnerID, s.RepoID = k.ownerID, k.repoID
	}
	switch {
	case k.environment != "":
		s.Kind, s.Value = oidc.SubjectEnvironment, k.environment
	case k.isPullRequest():
		s.Kind = oidc.SubjectPullRequest
	}
	return s.String()
}

// context is the part of the usual subject that follows the repository.
func (k token) context() string {
	k.template, k.immutable = "", false
	_, context, _ := strings.Cut(strings.TrimPrefix(k.subject(), "repo:"), ":")
	return context
}

func (k token) claims() oidc.Claims {
	repository := k.owner + "/" + k.repo
	v := map[string]string{
		"iss": k.issuer, "sub": k.subject(), "aud": k.audience,
		"repository": repository, "repository_id": k.repoID, "repository_owner": k.owner, "repository_owner_id": k.ownerID,
		"ref": k.ref, "ref_type": "branch", "ref_protected": "true", "event_name": k.event,
		"workflow": "deploy", "workflow_ref": repository + "/" + k.workflow + "@" + k.ref,
		"actor": k.actor, "actor_id": k.actorID, "runner_environment": k.runner, "repository_visibility": k.visibility,
		"head_ref": "", "base_ref": "", "run_id": "1", "run_number": "1", "run_attempt": "1", "sha": strings.Repeat("a", 40),
	}
	v["job_workflow_ref"] = cmp.Or(k.called, v["workflow_ref"])
	if strings.HasPrefix(k.ref, "refs/tags/") {
		v["ref_type"] = "tag"
	}
	if k.unprotected {
		v["ref_protected"] = "false"
	}
	if k.isPullRequest() {
		v["head_ref"], v["base_ref"] = "feature/x", "main"
	}
	if k.environment != "" {
		v["environment"] = k.environment
	}
	maps.Copy(v, k.more)
	return oidc.Claims{Issuer: v["iss"], Subject: v["sub"], Audience: []string{v["aud"]}, Values: v}
}

// Token returns the claims of a job of the target's, with values of our own for what
// the target leaves open. immutable says which form its subject has; a subject of the
// target's own template is not used.
func (t Target) Token(immutable bool) oidc.Claims {
	t.Subject = ""
	k := tokenOf(t)
	k.immutable = immutable
	return k.claims()
}
