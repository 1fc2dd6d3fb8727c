package github

import "strings"

// A rulesetsReply is the answer to rulesetFields.
type rulesetsReply struct {
	TotalCount int `json:"totalCount"`
	Nodes      []struct {
		DatabaseID  int64  `json:"databaseId"`
		Name        string `json:"name"`
		Target      string `json:"target"`
		Enforcement string `json:"enforcement"`
		Conditions  struct {
			RefName        *conditionReply `json:"refName"`
			RepositoryName *conditionReply `json:"repositoryName"`
		} `json:"conditions"`
		Rules struct {
			Nodes []struct {
				Type string `json:"type"`
			} `json:"nodes"`
		} `json:"rules"`
		BypassActors *struct {
			Nodes []bypassReply `json:"nodes"`
		} `json:"bypassActors"`
	} `json:"nodes"`
}

type conditionReply struct {
	Include []string `json:"include"`
	Exclude []string `json:"exclude"`
}

type bypassReply struct {
	BypassMode         string `json:"bypassMode"`
	DeployKey          bool   `json:"deployKey"`
	OrganizationAdmin  bool   `json:"organizationAdmin"`
	RepositoryRoleName string `json:"repositoryRoleName"`
	Actor              *struct {
		Typename string `json:"__typename"`
		Slug     string `json:"slug"`
	} `json:"actor"`
}

// rulesets turns the answer into what it says; source is whose they are.
func (a *rulesetsReply) rulesets(source string) []Ruleset {
	var found []Ruleset
	for _, n := range a.Nodes {
		s := Ruleset{ID: n.DatabaseID, Name: n.Name, Target: strings.ToLower(n.Target), Enforcement: strings.ToLower(n.Enforcement), Source: source}
		if c := n.Conditions.RefName; c != nil {
			s.Include, s.Exclude = c.Include, c.Exclude
		}
		if c := n.Conditions.RepositoryName; c != nil {
			s.Repositories = c.Include
		}
		for _, rule := range n.Rules.Nodes {
			s.Rules = append(s.Rules, strings.ToLower(rule.Type))
		}
		if n.BypassActors != nil {
			s.BypassReadable = true
			for _, b := range n.BypassActors.Nodes {
				s.Bypass = append(s.Bypass, b.bypass())
			}
		}
		found = append(found, s)
	}
	return found
}

func (b bypassReply) bypass() Bypass {
	out := Bypass{Mode: strings.ToLower(b.BypassMode)}
	switch {
	case b.Actor != nil:
		out.Kind, out.Name = strings.ToLower(b.Actor.Typename), b.Actor.Slug
	case b.DeployKey:
		out.Kind = "deploy_key"
	case b.OrganizationAdmin:
		out.Kind = "organization_admin"
	default:
		out.Kind, out.Name = "role", b.RepositoryRoleName
	}
	return out
}
