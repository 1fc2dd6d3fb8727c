package sandbox

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc"
	"github.com/stint-dev/stint/oidc/grant"
	"github.com/stint-dev/stint/oidc/providers/aws/policy"
)

// A Repository is the repository that holds a grant file. The ids matter for the
// immutable subject only.
type Repository struct {
	Name             string // owner/name
	ID, OwnerID      string
	ImmutableSubject bool
}

// AddGrants adds the roles that a grant file names, each with a trust policy that
// admits the grants that name it: subject, audience, repository and its ids,
// environment, ref and workflow file, which is what AWS can test of a grant; the
// event, the runner and ref-protected are not. The roles may do everything, so
// that what the sandbox then refuses is refused by the grant's own session policy.
func (o *Options) AddGrants(f *grant.File, r Repository) error {
	provider := o.Provider
	if provider == "" {
		provider = DefaultProvider
	}
	trusts := map[string]*trustDocument{}
	var order []string
	for _, g := range f.Grants {
		for _, target := range g.Targets {
			if target.Provider != "aws" {
				continue
			}
			role, audience, err := awsRole(target)
			if err != nil {
				return err
			}
			parts := roleARN.FindStringSubmatch(role)
			if parts == nil {
				return fmt.Errorf("sandbox: grant %q names %q, which is not the arn of a role", g.Name, role)
			}
			if trusts[role] == nil {
				trusts[role] = &trustDocument{Version: "2012-10-17"}
				order = append(order, role)
			}
			if !slices.Contains(o.Audiences, audience) {
				o.Audiences = append(o.Audiences, audience)
			}
			trusts[role].add(policy.ProviderARN(parts[1], parts[2], provider), provider, trustFor(g, r, audience))
		}
	}
	for _, role := range order {
		text, err := json.Marshal(trusts[role])
		if err != nil {
			return fmt.Errorf("sandbox: trust policy of %q: %w", role, err)
		}
		o.Roles = append(o.Roles, Role{ARN: role, Trust: string(text), Policies: []string{allowAll}, MaxSession: maxMaxSession})
	}
	return nil
}

const allowAll = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

// awsRole reads the two fields of the block that trust depends on; package aws
// checks the block whole.
func awsRole(t *grant.Target) (role, audience string, err error) {
	block := map[string]any{}
	if err := t.Decode(&block); err != nil {
		return "", "", err
	}
	role, _ = block["role"].(string)
	audience, _ = block["audience"].(string)
	if audience == "" {
		audience = DefaultAudience
	}
	return role, audience, nil
}

type trustDocument struct {
	Version   string
	Statement []trustStatement
}

type trustStatement struct {
	Effect    string
	Principal map[string]string
	Action    string
	Condition map[string]map[string][]string
}

func (d *trustDocument) add(providerARN, provider string, claims map[string][]claimPattern) {
	conditions := map[string]map[string][]string{}
	for claim, patterns := range claims {
		operator := "StringEquals"
		if slices.ContainsFunc(patterns, func(p claimPattern) bool { return p.open }) {
			operator = "StringLike"
		}
		if conditions[operator] == nil {
			conditions[operator] = map[string][]string{}
		}
		values := make([]string, len(patterns))
		for i, p := range patterns {
			values[i] = p.text(operator)
		}
		conditions[operator][provider+":"+claim] = values
	}
	d.Statement = append(d.Statement, trustStatement{
		Effect: "Allow", Principal: map[string]string{"Federated": providerARN},
		Action: policy.AssumeRoleWithWebIdentity, Condition: conditions,
	})
}

// A claimPattern is a value of a claim, or, when open, how it begins; at least one
// character follows.
type claimPattern struct {
	value string
	open  bool
}

// text writes the pattern for an operator. "${" would begin a policy variable, and
// a wildcard in a value is meant as it stands.
func (p claimPattern) text(operator string) string {
	escape := []string{"${", "${$}{"}
	if operator == "StringLike" {
		escape = append(escape, "*", "${*}", "?", "${?}")
	}
	s := strings.NewReplacer(escape...).Replace(p.value)
	if p.open {
		s += "?*"
	}
	return s
}

func exactly(values ...string) []claimPattern {
	patterns := make([]claimPattern, len(values))
	for i, v := range values {
		patterns[i].value = v
	}
	return patterns
}

// refPattern reads a ref of a grant, whose "/*" stands for one character or more.
func refPattern(prefix, ref string) claimPattern {
	before, open := strings.CutSuffix(ref, "*")
	return claimPattern{prefix + before, open}
}

// trustFor lists what the claims must be for a grant.
func trustFor(g *grant.Grant, r Repository, audience string) map[string][]claimPattern {
	who := g.For
	if who.Repository == "" {
		who.Repository = r.Name
	}
	claims := map[string][]claimPattern{
		"aud":        exactly(audience),
		"sub":        subjects(who, r),
		"repository": exactly(who.Repository),

		"job_workflow_ref": jobFiles(who),
	}
	for claim, value := range map[string]string{
		"repository_id": who.RepositoryID, "repository_owner_id": who.RepositoryOwnerID, "environment": who.Environment,
	} {
		if value != "" {
			claims[claim] = exactly(value)
		}
	}
	if len(who.Actors) > 0 {
		claims["actor"] = exactly(who.Actors...)
	}
	for _, ref := range who.Refs {
		claims["ref"] = append(claims["ref"], refPattern("", ref))
	}
	return claims
}

// subjects are the sub claims that the jobs of a grant have.
func subjects(who grant.For, r Repository) []claimPattern {
	job := Job{Repository: who.Repository, RepositoryID: r.ID, OwnerID: r.OwnerID, ImmutableSubject: r.ImmutableSubject}
	prefix := job.repoSegment() + ":"
	if who.Environment != "" {
		return exactly(prefix + string(oidc.SubjectEnvironment) + ":" + escapeSubject(who.Environment))
	}
	var list []claimPattern
	others := len(who.Events) == 0
	pullRequest := false
	for _, event := range who.Events {
		if event == "pull_request" || event == "pull_request_target" {
			pullRequest = true
		} else {
			others = true
		}
	}
	if pullRequest {
		list = exactly(prefix + string(oidc.SubjectPullRequest))
	}
	prefix += string(oidc.SubjectRef) + ":"
	switch {
	case !others:
	case len(who.Refs) == 0:
		list = append(list, claimPattern{prefix + "refs/", true})
	default:
		for _, ref := range who.Refs {
			list = append(list, refPattern(prefix, ref))
		}
	}
	return list
}

// jobFiles are the job_workflow_ref claims: the called file, the workflow's own at
// each of the refs, or any of the repository's own. AWS has no key for
// workflow_ref, so a called workflow of the same repository passes for the last.
func jobFiles(who grant.For) []claimPattern {
	own := who.Repository + "/" + who.Workflow + "@"
	switch {
	case who.Called != "":
		return []claimPattern{refPattern("", who.Called)}
	case who.Workflow == "":
		return []claimPattern{{who.Repository + "/.github/workflows/", true}}
	case len(who.Refs) == 0:
		return []claimPattern{{own, true}}
	}
	list := make([]claimPattern, len(who.Refs))
	for i, ref := range who.Refs {
		list[i] = refPattern(own, ref)
	}
	return list
}
