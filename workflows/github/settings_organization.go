package github

import (
	"context"
	"fmt"
	"net/http"

	gh "github.com/google/go-github/v60/github"
)

// Settings reads what an organization has set, about fifteen requests and one for each
// secret and runner group of selected repositories. What the token may not read is said
// in Surfaces; an error is only that ctx has ended or that there is no token.
func (r *Reader) Settings(ctx context.Context, org string) (Settings, error) {
	if !ownerName.MatchString(org) {
		return Settings{}, fmt.Errorf("%q is no organization", org)
	}
	const administration = "organization administration: read"
	q := &inquiry{r: r, ctx: ctx, base: "orgs/" + org + "/"}
	s := Settings{Organization: org}
	s.Secrets = q.organizationSecrets()
	s.Actions = q.policy(administration)
	q.privateForks(&s.Actions, administration)
	q.read("runners", "organization self-hosted runners: read", func() (err error) {
		s.Runners, err = q.runners()
		return err
	})
	s.RunnerGroups = q.runnerGroups()
	q.read("installed-apps", administration, func() (err error) {
		s.Apps, err = q.apps()
		return err
	})
	s.Subject = q.subject(administration)
	q.read("rulesets", "organization administration: read", func() (err error) {
		s.Rulesets, err = r.organizationRulesets(ctx, org)
		return err
	})
	s.Surfaces = q.surfaces
	return s, q.err
}

// organizationSecrets reads the secrets of all stores, with the repositories that may
// read those of selected ones.
func (q *inquiry) organizationSecrets() []Secret {
	var all []Secret
	for _, store := range []string{"actions", "dependabot", "codespaces"} {
		name := "secrets"
		if store != "actions" {
			name = store + "-secrets"
		}
		q.read(name, "organization "+map[string]string{"actions": "secrets", "dependabot": "dependabot secrets", "codespaces": "codespaces secrets"}[store]+": read", func() error {
			found, err := q.secrets(store+"/secrets", store, "")
			all = append(all, found...)
			return err
		})
	}
	for i, s := range all {
		if s.Visibility != "selected" || q.ctx.Err() != nil {
			continue
		}
		names, err := q.names(s.Store + "/secrets/" + segment(s.Name) + "/repositories")
		all[i].Selected, all[i].Partial = names, err != nil
	}
	return all
}

// runnerGroups reads the groups with who may use them.
func (q *inquiry) runnerGroups() []RunnerGroup {
	var groups []RunnerGroup
	q.read("runner-groups", "organization self-hosted runners: read", func() (err error) {
		groups, err = list(q, "actions/runner-groups", func(p gh.RunnerGroups) []RunnerGroup {
			var found []RunnerGroup
			for _, g := range p.RunnerGroups {
				found = append(found, RunnerGroup{ID: g.GetID(), Name: g.GetName(), Visibility: g.GetVisibility(), Default: g.GetDefault(), Inherited: g.GetInherited(),
					Public: g.GetAllowsPublicRepositories(), Restricted: g.GetRestrictedToWorkflows(), Workflows: g.SelectedWorkflows})
			}
			return found
		})
		return err
	})
	for i, g := range groups {
		if g.Visibility != "selected" || q.ctx.Err() != nil {
			continue
		}
		names, err := q.names(fmt.Sprintf("actions/runner-groups/%d/repositories", g.ID))
		groups[i].Repositories, groups[i].Partial = names, err != nil
	}
	return groups
}

// installation is an installed app; its permissions are read as they come, since new
// kinds are added all the time.
type installation struct {
	AppID       int64             `json:"app_id"`
	Slug        string            `json:"app_slug"`
	Selection   string            `json:"repository_selection"`
	Permissions map[string]string `json:"permissions"`
	Updated     gh.Timestamp      `json:"updated_at"`
	Suspended   *gh.Timestamp     `json:"suspended_at"`
}

func (q *inquiry) apps() ([]App, error) {
	type page struct {
		Installations []installation `json:"installations"`
	}
	return list(q, "installations", func(p page) []App {
		var found []App
		for _, i := range p.Installations {
			found = append(found, App{Slug: i.Slug, AppID: i.AppID, Selection: i.Selection, Permissions: i.Permissions, Updated: i.Updated.UTC(), Suspended: i.Suspended != nil})
		}
		return found
	})
}

// rulesetFields cost two connections for each ruleset that may be there.
const rulesetFields = `nodes{databaseId name target enforcement conditions{refName{include exclude} repositoryName{include exclude}}
  rules(first:50){nodes{type}}
  bypassActors(first:50){nodes{bypassMode deployKey organizationAdmin repositoryRoleName actor{__typename ... on App{slug} ... on Team{slug}}}}}`

// organizationRulesets asks GraphQL: REST wants a permission to write for it.
func (r *Reader) organizationRulesets(ctx context.Context, org string) ([]Ruleset, error) {
	var data struct {
		costReply
		Organization *struct {
			Rulesets *rulesetsReply `json:"rulesets"`
		} `json:"organization"`
	}
	_, err := r.query(ctx, "query($org:String!){"+costFields+" organization(login:$org){rulesets(first:100,includeParents:true){"+rulesetFields+"}}}", map[string]any{"org": org}, &data)
	if err != nil {
		return nil, err
	}
	r.charge(data.costReply)
	if data.Organization == nil || data.Organization.Rulesets == nil {
		return nil, &StatusError{Status: http.StatusForbidden}
	}
	return data.Organization.Rulesets.rulesets(org), nil
}
