package posture

import (
	"slices"

	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows/github"
)

func organizationWrites(s *state) verdict { return defaultWrites(s.organization.Actions, s.all()) }

func repositoryWrites(_ *state, r *subject) verdict {
	return defaultWrites(r.settings.Actions, r.jobs)
}

// defaultWrites looks at the token of jobs that state no permissions.
func defaultWrites(p github.ActionsPolicy, jobs []*org.JobReach) verdict {
	switch p.DefaultPermissions {
	case "":
		return unknown("the host did not say what the repository token may do by default")
	case "read":
		return verdict{}
	}
	r := assess(jobs, func(j *org.JobReach) []*reach.Credential {
		var out []*reach.Credential
		for i := range j.Credentials {
			if c := &j.Credentials[i]; c.Default {
				out = append(out, &reach.Credential{Kind: reach.RepositoryToken, Name: c.Name, Lifetime: reach.ForJob, Opens: "github", Writes: true})
			}
		}
		return out
	})
	return verdict{found: []found{{
		message:  "the repository token may write everything where a job states no permissions, as " + plural(r.jobs, "job") + " here",
		next:     "set the default workflow permissions to read; jobs that write say so in their permissions",
		severity: max(r.severity, reach.Low), credentials: r.credentials,
	}}}
}

func organizationApproves(s *state) verdict { return approves(s.organization.Actions, s.all()) }

func repositoryApproves(_ *state, r *subject) verdict { return approves(r.settings.Actions, r.jobs) }

// approves looks at the jobs whose token could approve a pull request.
func approves(p github.ActionsPolicy, jobs []*org.JobReach) verdict {
	if p.CanApprove == nil {
		return unknown("the host did not say whether Actions may approve pull requests")
	}
	if !*p.CanApprove {
		return verdict{}
	}
	r := assess(jobs, func(j *org.JobReach) []*reach.Credential {
		return slices.DeleteFunc(credentials(j, reach.RepositoryToken), func(c *reach.Credential) bool {
			return !slices.Contains(c.Scopes, "pull-requests") && !slices.Contains(c.Scopes, "*")
		})
	})
	return verdict{found: []found{{
		message:  "a workflow may approve pull requests, so that code in one of " + plural(r.jobs, "job") + " with the right to write them can stand in for a review",
		next:     "forbid Actions to create and approve pull requests",
		severity: max(r.severity, reach.Low), credentials: r.credentials,
	}}}
}

func organizationAllowsAll(s *state) verdict { return allowsAll(s.organization.Actions, s.all()) }

func repositoryAllowsAll(_ *state, r *subject) verdict { return allowsAll(r.settings.Actions, r.jobs) }

// allowsAll looks at the jobs that run what a list of allowed actions would hold.
func allowsAll(p github.ActionsPolicy, jobs []*org.JobReach) verdict {
	if p.AllowedActions == "" {
		return unknown("the host did not say which actions are allowed")
	}
	if p.AllowedActions != "all" {
		return verdict{}
	}
	r := assess(jobs, foreign)
	return verdict{found: []found{{
		message:  "every action of the world is allowed, and " + plural(r.jobs, "job") + " already hand credentials to code that somebody outside can change",
		next:     "allow selected actions only",
		severity: max(r.severity, reach.Low), credentials: r.credentials,
	}}}
}

func organizationPins(s *state) verdict { return pins(s.organization.Actions, s.all()) }

func repositoryPins(_ *state, r *subject) verdict { return pins(r.settings.Actions, r.jobs) }

func pins(p github.ActionsPolicy, jobs []*org.JobReach) verdict {
	if p.AllowedActions == "local_only" {
		return verdict{}
	}
	if p.PinningRequired == nil {
		return unknown("the host did not say whether actions have to be pinned by commit")
	}
	if *p.PinningRequired {
		return verdict{}
	}
	r := assess(jobs, func(j *org.JobReach) []*reach.Credential {
		if !j.Movable {
			return nil
		}
		return credentials(j)
	})
	return verdict{found: []found{{
		message:  "actions need not be pinned by commit, and " + plural(r.jobs, "job") + " run some by a tag or branch that others can move",
		next:     "pin them (stint lint --fix does), then require full commits in the actions policy",
		severity: max(r.severity, reach.Low), credentials: r.credentials,
	}}}
}

func organizationSubject(s *state) verdict { return subjectForm(s.organization.Subject, s.all()) }

func repositorySubject(_ *state, r *subject) verdict {
	return subjectForm(r.settings.Subject, r.jobs)
}

// subjectForm looks at the jobs that can be given an id-token. A subject of names is
// worth something to whoever gets the name after it was given up.
func subjectForm(f github.Subject, jobs []*org.JobReach) verdict {
	r := assess(jobs, func(j *org.JobReach) []*reach.Credential { return credentials(j, reach.IDToken) })
	if r.jobs == 0 || isTrue(f.Immutable) || slices.Contains(f.Claims, "repository_id") || slices.Contains(f.Claims, "repository_owner_id") {
		return verdict{}
	}
	if f.Immutable == nil && len(f.Claims) == 0 {
		return unknown("the host did not say whether OIDC subjects hold names or ids")
	}
	return verdict{found: []found{{
		message:  "OIDC subjects are made of names that can be given up and taken by others; " + plural(r.jobs, "job") + " can ask for one",
		next:     "turn to immutable subjects, or let the clouds' conditions ask for repository_id and repository_owner_id",
		severity: r.severity, credentials: r.credentials,
	}}}
}
