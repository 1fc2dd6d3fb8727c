package githubtest

import (
	"strings"
	"time"
)

// settings resolves the connections of a repository that are settings.
func (x *execution) settings(r *Repository, s selection, path []any) any {
	first, _ := integer(x.value(s.args["first"]))
	cut := func(c connection) any {
		c.hasNext = len(c.items) > first
		c.items = c.items[:min(first, len(c.items))]
		return c
	}
	switch s.name {
	case "environments":
		c := connection{typ: "EnvironmentConnection", total: len(r.Environments)}
		for _, e := range r.Environments {
			c.items = append(c.items, object{typ: "Environment", of: map[string]any{"name": e.Name, "id": "EN_" + e.Name}})
		}
		return cut(c)
	case "deployKeys":
		if r.DeniedSettings["keys"] != "" {
			x.errors = append(x.errors, queryError{Type: "FORBIDDEN", Message: "Resource not accessible by integration", Path: path})
			return nil
		}
		c := connection{typ: "DeployKeyConnection", total: len(r.DeployKeys)}
		for _, k := range r.DeployKeys {
			c.items = append(c.items, object{typ: "DeployKey", of: map[string]any{
				"title": k.Title, "key": k.Key, "readOnly": k.ReadOnly, "createdAt": k.Created.UTC().Format(time.RFC3339)}})
		}
		return cut(c)
	case "rulesets":
		return cut(rulesets(r.Rulesets))
	}
	return nil
}

func rulesets(all []Ruleset) connection {
	c := connection{typ: "RepositoryRulesetConnection", total: len(all)}
	for _, s := range all {
		rules := connection{typ: "RepositoryRuleConnection", total: len(s.Rules)}
		for _, rule := range s.Rules {
			rules.items = append(rules.items, object{typ: "RepositoryRule", of: map[string]any{"type": rule}})
		}
		bypass := connection{typ: "RepositoryRulesetBypassActorConnection", total: len(s.Bypass), unreadable: s.Hidden}
		for _, b := range s.Bypass {
			bypass.items = append(bypass.items, object{typ: "RepositoryRulesetBypassActor", of: actor(b)})
		}
		c.items = append(c.items, object{typ: "RepositoryRuleset", of: map[string]any{
			"databaseId": s.ID, "name": s.Name, "target": "BRANCH", "enforcement": s.Enforcement, "rules": rules, "bypassActors": bypass,
			"conditions": object{typ: "RepositoryRuleConditions", of: map[string]any{
				"refName": object{typ: "RefNameConditionTarget", of: map[string]any{"include": s.Include, "exclude": []string{}}}}},
		}})
	}
	return c
}

// actor reads "app:NAME:always".
func actor(text string) map[string]any {
	parts := strings.Split(text, ":")
	a := map[string]any{"bypassMode": strings.ToUpper(parts[len(parts)-1]), "deployKey": parts[0] == "key", "organizationAdmin": parts[0] == "admin"}
	switch parts[0] {
	case "app":
		a["actor"] = object{typ: "App", of: map[string]any{"slug": parts[1], "name": parts[1]}}
	case "team":
		a["actor"] = object{typ: "Team", of: map[string]any{"slug": parts[1], "name": parts[1]}}
	case "role":
		a["repositoryRoleName"] = parts[1]
	}
	return a
}
