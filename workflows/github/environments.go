package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/stint-dev/stint/workflows"
)

// maxEnvironmentPages is how many pages of a hundred environments a [Client] reads.
const maxEnvironmentPages = 20

// Environment returns what a deployment environment demands. All environments of a
// repository are one question, so that no name gets into an address, and because only a
// list tells an environment that is not there, workflows.ErrNotFound, from a repository
// that the token may not read, another error. It needs a token, as [Client.Archived] does.
func (c *Client) Environment(ctx context.Context, owner, repo, name string) (workflows.Protection, error) {
	slug, err := slug(owner, repo)
	if err != nil {
		return workflows.Protection{}, err
	}
	if c.Token == "" {
		return workflows.Protection{}, ErrNoToken
	}
	all, err := c.environments.get(strings.ToLower(slug), func() (map[string]workflows.Protection, error) {
		all, err := c.allEnvironments(ctx, slug)
		if errors.Is(err, workflows.ErrNotFound) || isStatus(err, http.StatusUnauthorized, http.StatusForbidden) {
			err = errors.New("the token may not read them: it takes actions: read")
		}
		return all, failed("the environments of "+slug, err)
	})
	if err != nil {
		return workflows.Protection{}, err
	}
	// GitHub takes names of environments without regard to case.
	p, known := all[strings.ToLower(name)]
	if !known {
		return p, workflows.ErrNotFound
	}
	return p, nil
}

// allEnvironments returns the environments of a repository by name in lower case. The
// list is whole or the error says why not.
func (c *Client) allEnvironments(ctx context.Context, slug string) (map[string]workflows.Protection, error) {
	all := map[string]workflows.Protection{}
	at := c.api() + "/repos/" + slug + "/environments?per_page=100"
	for range maxEnvironmentPages {
		var page environmentsReply
		next, err := c.get(ctx, at, &page)
		if err != nil {
			return nil, err
		}
		for _, e := range page.all() {
			all[strings.ToLower(e.Name)] = e.Protection()
		}
		switch {
		case next != "":
			at = next
		case page.Total == nil || *page.Total > len(all):
			return nil, errors.New("the list is not whole")
		default:
			return all, nil
		}
	}
	return nil, fmt.Errorf("more than %d pages", maxEnvironmentPages)
}

// An environmentsReply is a page of environments. The types of the API's client are not
// used: they panic at a reviewer without a type.
type environmentsReply struct {
	Total        *int               `json:"total_count"`
	Environments []environmentReply `json:"environments"`
}

type environmentReply struct {
	Name         string    `json:"name"`
	Created      time.Time `json:"created_at"`
	AdminsBypass *bool     `json:"can_admins_bypass"`
	BranchPolicy struct {
		Protected bool `json:"protected_branches"`
		Custom    bool `json:"custom_branch_policies"`
	} `json:"deployment_branch_policy"`
	Rules []struct {
		Type              string `json:"type"`
		Wait              int    `json:"wait_timer"`
		PreventSelfReview bool   `json:"prevent_self_review"`
		Reviewers         []struct {
			Type     string `json:"type"` // "User", "Team"
			Reviewer struct {
				Login string `json:"login"`
				Slug  string `json:"slug"`
			} `json:"reviewer"`
		} `json:"reviewers"`
	} `json:"protection_rules"`
}

func (r environmentsReply) all() []Environment {
	var found []Environment
	for _, e := range r.Environments {
		found = append(found, e.environment())
	}
	return found
}

func (r environmentReply) environment() Environment {
	e := Environment{Name: r.Name, Created: r.Created.UTC(), AdminsBypass: r.AdminsBypass, BranchPolicy: "none"}
	switch {
	case r.BranchPolicy.Protected:
		e.BranchPolicy = "protected"
	case r.BranchPolicy.Custom:
		e.BranchPolicy = "custom"
	}
	for _, rule := range r.Rules {
		switch rule.Type {
		case "wait_timer":
			e.Wait = rule.Wait
		case "required_reviewers":
			e.PreventSelfReview = rule.PreventSelfReview
			for _, by := range rule.Reviewers {
				if by.Type == "Team" {
					e.Reviewers = append(e.Reviewers, "team:"+by.Reviewer.Slug)
				} else {
					e.Reviewers = append(e.Reviewers, "user:"+by.Reviewer.Login)
				}
			}
		case "branch_policy":
		default:
			e.CustomRules = append(e.CustomRules, rule.Type)
		}
	}
	return e
}
