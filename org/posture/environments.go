package posture

import (
	"fmt"
	"strings"

	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows/github"
)

// each makes a check of the environments in which standing secrets live. judge returns a
// message, "" when all is well, what to do next, and why it cannot be told.
func (r *subject) each(judge func(*github.Environment) (message, next, why string)) verdict {
	var v verdict
	for i := range r.settings.Environments {
		e := &r.settings.Environments[i]
		surface := fmt.Sprintf("secrets of %q", e.Name)
		if missing := unreadable(r.settings.Surfaces, []string{surface}); len(missing) > 0 {
			v.unknown = append(v.unknown, strings.Replace(missing[0], surface, "secrets of environments", 1))
			continue
		}
		names := r.kept(e.Name)
		if len(names) == 0 {
			continue
		}
		message, next, why := judge(e)
		if why != "" {
			v.unknown = append(v.unknown, why)
			continue
		}
		if message == "" {
			continue
		}
		worst := r.inEnvironment(e.Name, names)
		v.found = append(v.found, found{
			what: e.Name, next: next, severity: worst.severity, credentials: worst.credentials,
			message: fmt.Sprintf("the environment %q holds %s and %s", e.Name, plural(len(names), "stored secret"), message),
		})
	}
	return v
}

// kept names the secrets of an environment.
func (r *subject) kept(environment string) []string {
	var out []string
	for _, s := range r.settings.Secrets {
		if s.Store == "actions" && s.Environment != "" && strings.EqualFold(s.Environment, environment) {
			out = append(out, s.Name)
		}
	}
	return out
}

// inEnvironment grades what lives in an environment by the jobs that could enter it: those
// that name it, and those whose environment is known at run time only.
func (r *subject) inEnvironment(environment string, names []string) risk {
	worst := assess(r.jobs, func(j *org.JobReach) []*reach.Credential {
		if !strings.EqualFold(j.Environment, environment) && !strings.Contains(j.Environment, "${{") {
			return nil
		}
		return naming(j, names...)
	})
	var all []*reach.Credential
	for _, n := range names {
		all = append(all, stored(n))
	}
	return worst.least(all...)
}

func withoutGate(_ *state, r *subject) verdict {
	return r.each(func(e *github.Environment) (string, string, string) {
		if len(e.Reviewers) > 0 || len(e.CustomRules) > 0 {
			return "", "", ""
		}
		return "no person has to agree before a job gets them", "require reviewers, or keep no standing secret in it", ""
	})
}

func adminsBypass(_ *state, r *subject) verdict {
	return r.each(func(e *github.Environment) (string, string, string) {
		switch {
		case e.AdminsBypass == nil:
			return "", "", "the host did not say whether administrators bypass the rules of environments"
		case !*e.AdminsBypass || len(e.Reviewers) == 0 && len(e.CustomRules) == 0:
			return "", "", ""
		}
		return "administrators, and whoever holds a token of theirs, go past its reviewers", "forbid administrators to bypass the rules of the environment", ""
	})
}

func selfReview(_ *state, r *subject) verdict {
	return r.each(func(e *github.Environment) (string, string, string) {
		if len(e.Reviewers) == 0 || e.PreventSelfReview {
			return "", "", ""
		}
		return "whoever starts a deployment may approve it", "prevent self-review in the environment", ""
	})
}

func anyBranch(_ *state, r *subject) verdict {
	return r.each(func(e *github.Environment) (string, string, string) {
		switch e.BranchPolicy {
		case "":
			return "", "", "the host did not say which branches may deploy to environments"
		case "none":
			return "every branch may deploy to it, so that whoever can push one gets them", "restrict the branches and tags that may deploy", ""
		}
		return "", "", ""
	})
}
