package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	gh "github.com/google/go-github/v60/github"
)

// maxListPages bounds one list of REST, of a hundred items a page.
const maxListPages = 200

// An inquiry asks for settings, one surface after the other, and writes down which it
// could not read. Only an end of ctx or of the host's patience ends it.
type inquiry struct {
	r        *Reader
	ctx      context.Context
	base     string // "orgs/acme/" or "repos/acme/tool/"
	surfaces []Surface
	err      error
}

// read asks for one surface. needs is the permission that the documentation names, for
// where the host does not say.
func (q *inquiry) read(name, needs string, ask func() error) bool {
	if q.err != nil {
		return false
	}
	err := ask()
	q.note(name, needs, err)
	return err == nil
}

func (q *inquiry) note(name, needs string, err error) {
	var status *StatusError
	switch {
	case err == nil:
		q.surfaces = append(q.surfaces, Surface{Name: name, Readable: true})
	case q.ctx.Err() != nil:
		q.err = q.ctx.Err()
	case errors.Is(err, errToken):
		q.err = err
	case errors.As(err, &status):
		if status.Needs != "" {
			needs = status.Needs
		}
		why := "the host answers with " + status.Error()
		switch status.Status {
		case http.StatusForbidden, http.StatusUnauthorized:
			why = "the token may not read it"
		case http.StatusNotFound:
			why = "not found, or the token may not read it"
		}
		q.surfaces = append(q.surfaces, Surface{Name: name, Needs: needs, Why: why})
	default:
		q.surfaces = append(q.surfaces, Surface{Name: name, Why: err.Error()})
	}
}

// get asks for one object below the base.
func (q *inquiry) get(path string, into any) error { return q.r.get(q.ctx, q.base+path, into) }

// list asks for all pages of a list below the base; items takes one page's reply apart.
func list[P, T any](q *inquiry, path string, items func(P) []T) ([]T, error) {
	var all []T
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	for page, n := 1, 0; page != 0; n++ {
		if n == maxListPages {
			return nil, fmt.Errorf("more than %d pages", maxListPages)
		}
		var reply P
		next, err := q.r.page(q.ctx, fmt.Sprintf("%s%s%sper_page=100&page=%d", q.base, path, sep, page), &reply)
		if err != nil {
			return nil, err
		}
		all = append(all, items(reply)...)
		if next != 0 && next <= page {
			return nil, errors.New("the host's list goes round in circles")
		}
		page = next
	}
	return all, nil
}

// secrets reads a list of secrets.
func (q *inquiry) secrets(path, store, environment string) ([]Secret, error) {
	return list(q, path, func(p gh.Secrets) []Secret {
		var found []Secret
		for _, s := range p.Secrets {
			if s != nil {
				found = append(found, Secret{Name: s.Name, Environment: environment, Store: store,
					Created: s.CreatedAt.UTC(), Updated: s.UpdatedAt.UTC(), Visibility: s.Visibility})
			}
		}
		return found
	})
}

// names reads a list of repositories as owner/repo.
func (q *inquiry) names(path string) ([]string, error) {
	return list(q, path, func(p gh.SelectedReposList) []string {
		var found []string
		for _, r := range p.Repositories {
			if name := r.GetFullName(); name != "" {
				found = append(found, name)
			}
		}
		return found
	})
}

// runnerReply is a runner; the type of the client lacks whether it is ephemeral.
type runnerReply struct {
	gh.Runner
	Ephemeral *bool `json:"ephemeral"`
	Group     int64 `json:"runner_group_id"`
}

func (q *inquiry) runners() ([]Runner, error) {
	type page struct {
		Runners []runnerReply `json:"runners"`
	}
	return list(q, "actions/runners", func(p page) []Runner {
		var found []Runner
		for _, r := range p.Runners {
			runner := Runner{ID: r.GetID(), Name: r.GetName(), OS: r.GetOS(), Status: r.GetStatus(), Ephemeral: r.Ephemeral, Group: r.Group}
			for _, l := range r.Labels {
				runner.Labels = append(runner.Labels, l.GetName())
			}
			found = append(found, runner)
		}
		return found
	})
}

// permissionsReply is the actions policy; the type of the client lacks the pinning.
type permissionsReply struct {
	Enabled             *bool  `json:"enabled"`
	EnabledRepositories string `json:"enabled_repositories"`
	AllowedActions      string `json:"allowed_actions"`
	PinningRequired     *bool  `json:"sha_pinning_required"`
}

// policy reads what Actions may do, of an organization or a repository.
func (q *inquiry) policy(needs string) ActionsPolicy {
	var p ActionsPolicy
	var permissions permissionsReply
	if q.read("actions-permissions", needs, func() error { return q.get("actions/permissions", &permissions) }) {
		p.Enabled, p.EnabledRepositories = permissions.Enabled, permissions.EnabledRepositories
		p.AllowedActions, p.PinningRequired = permissions.AllowedActions, permissions.PinningRequired
	}
	if p.AllowedActions == "selected" {
		var selected gh.ActionsAllowed
		if q.read("selected-actions", needs, func() error { return q.get("actions/permissions/selected-actions", &selected) }) {
			p.GitHubOwned, p.Verified, p.Patterns = selected.GithubOwnedAllowed, selected.VerifiedAllowed, selected.PatternsAllowed
		}
	}
	var token gh.DefaultWorkflowPermissionOrganization
	if q.read("workflow-permissions", needs, func() error { return q.get("actions/permissions/workflow", &token) }) {
		p.DefaultPermissions, p.CanApprove = token.GetDefaultWorkflowPermissions(), token.CanApprovePullRequestReviews
	}
	var approval struct {
		Policy string `json:"approval_policy"`
	}
	if q.read("fork-approval", needs, func() error { return q.get("actions/permissions/fork-pr-contributor-approval", &approval) }) {
		p.ForkApproval = approval.Policy
	}
	return p
}

// privateForks reads what forks of private repositories may do.
func (q *inquiry) privateForks(p *ActionsPolicy, needs string) {
	var forks struct {
		Run      *bool `json:"run_workflows_from_fork_pull_requests"`
		Write    *bool `json:"send_write_tokens_to_workflows"`
		Secrets  *bool `json:"send_secrets_and_variables"`
		Approval *bool `json:"require_approval_for_fork_pr_workflows"`
	}
	if q.read("private-forks", needs, func() error { return q.get("actions/permissions/fork-pr-workflows-private-repos", &forks) }) {
		p.ForkRuns, p.ForkWriteTokens, p.ForkSecrets, p.ForkApprovalRequired = forks.Run, forks.Write, forks.Secrets, forks.Approval
	}
}

// subject reads the form of the OIDC subject.
func (q *inquiry) subject(needs string) Subject {
	var reply struct {
		UseDefault *bool    `json:"use_default"`
		Claims     []string `json:"include_claim_keys"`
		Immutable  *bool    `json:"use_immutable_subject"`
	}
	if !q.read("oidc-subject", needs, func() error { return q.get("actions/oidc/customization/sub", &reply) }) {
		return Subject{}
	}
	return Subject{UseDefault: reply.UseDefault, Claims: reply.Claims, Immutable: reply.Immutable}
}

// segment escapes one part of a path.
func segment(s string) string { return url.PathEscape(s) }
