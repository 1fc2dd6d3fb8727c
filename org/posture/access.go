package posture

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows/github"
)

// A deploy key changes code, and with it what all jobs of the repository run: what they
// hold is at stake, as it is to any writer.
func keyRisk(jobs []*org.JobReach, title string) risk {
	key := &reach.Credential{Kind: reach.SSHKey, Name: title, Lifetime: reach.Standing, Opens: "github", Writes: true}
	r := assess(jobs, func(j *org.JobReach) []*reach.Credential { return credentials(j, reach.SSHKey) })
	return r.least(key)
}

func writableKeys(_ *state, r *subject) verdict {
	var v verdict
	for _, k := range r.settings.DeployKeys {
		if k.ReadOnly {
			continue
		}
		worst := keyRisk(r.jobs, k.Title)
		v.found = append(v.found, found{
			what: k.Key + k.Title, severity: worst.severity, credentials: worst.credentials,
			message: fmt.Sprintf("the deploy key %q may push: whoever holds it changes what every job runs", k.Title),
			next:    "make it read-only, or push with a token that is minted for the job",
		})
	}
	return v
}

// reusedKeys looks for one key on several repositories.
func reusedKeys(s *state) verdict {
	of := map[string][]*subject{}
	title := map[string]string{}
	var order []string
	var v verdict
	for i := range s.subjects {
		r := &s.subjects[i]
		if r.settings == nil {
			continue // said by the check of each repository
		}
		for _, k := range r.settings.DeployKeys {
			if k.Key == "" {
				v.unknown = []string{"the host did not give the deploy keys themselves"}
			}
			if k.Key == "" || slices.Contains(of[k.Key], r) {
				continue
			}
			if of[k.Key] == nil {
				order = append(order, k.Key)
				title[k.Key] = k.Title
			}
			of[k.Key] = append(of[k.Key], r)
		}
	}
	for _, key := range order {
		if len(of[key]) < 2 {
			continue
		}
		var jobs []*org.JobReach
		var names []string
		for _, r := range of[key] {
			jobs = append(jobs, r.jobs...)
			names = append(names, r.name())
		}
		worst := keyRisk(jobs, title[key])
		v.found = append(v.found, found{
			what: key, severity: worst.severity, credentials: worst.credentials,
			message: fmt.Sprintf("one deploy key, %q, opens %s: %s", title[key], plural(len(names), "repository"), some(names)),
			next:    "give each repository a key of its own",
		})
	}
	return v
}

// some names the first few.
func some(names []string) string {
	if len(names) <= maxExamples {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:maxExamples], ", ") + fmt.Sprintf(" and %d more", len(names)-maxExamples)
}

func organizationBypass(s *state) verdict {
	var v verdict
	for _, rules := range s.organization.Rulesets {
		var jobs []*org.JobReach
		for i := range s.subjects {
			if r := &s.subjects[i]; covers(rules, r) {
				jobs = append(jobs, r.deploying()...)
			}
		}
		v = v.bypass(rules, jobs)
	}
	return v
}

func repositoryBypass(_ *state, r *subject) verdict {
	var v verdict
	for _, rules := range r.settings.Rulesets {
		if covers(rules, r) {
			v = v.bypass(rules, r.deploying())
		}
	}
	return v
}

// bypass looks for those who always go past the rules of a branch from which jobs deploy.
func (v verdict) bypass(rules github.Ruleset, jobs []*org.JobReach) verdict {
	if rules.Enforcement != "active" || rules.Target != "branch" || len(jobs) == 0 {
		return v
	}
	if !rules.BypassReadable {
		v.unknown = append(v.unknown, "the token may not see who bypasses a ruleset")
		return v
	}
	for _, by := range rules.Bypass {
		if by.Mode != "always" && by.Mode != "exempt" || by.Kind != "app" && by.Kind != "role" && by.Kind != "deploy_key" {
			continue
		}
		worst := assess(jobs, func(j *org.JobReach) []*reach.Credential { return credentials(j) })
		v.found = append(v.found, found{
			what: rules.Name + "/" + by.Kind + "/" + by.Name, severity: max(worst.severity, reach.Low), credentials: worst.credentials,
			message: fmt.Sprintf("%s always goes past the ruleset %q, on a branch from which %s deploy or publish", who(by), rules.Name, plural(len(jobs), "job")),
			next:    "let it bypass in pull requests only, or not at all",
		})
	}
	return v
}

func who(by github.Bypass) string {
	switch by.Kind {
	case "deploy_key":
		return "every deploy key"
	case "role":
		return fmt.Sprintf("whoever has the role %q", by.Name)
	}
	return fmt.Sprintf("the %s %q", by.Kind, by.Name)
}

// deploying returns the jobs that deploy or publish.
func (r *subject) deploying() []*org.JobReach {
	var out []*org.JobReach
	for _, j := range r.jobs {
		if slices.Contains(j.Autonomy, "deploys") || slices.Contains(j.Autonomy, "publishes") || j.Environment != "" {
			out = append(out, j)
		}
	}
	return out
}

// covers reports whether a ruleset holds for the default branch of a repository. A
// pattern that is not understood counts as one that does.
func covers(rules github.Ruleset, r *subject) bool {
	_, short, _ := strings.Cut(r.name(), "/")
	if len(rules.Repositories) > 0 && !slices.ContainsFunc(rules.Repositories, func(p string) bool { return p == "~ALL" || fits(p, short) }) {
		return false
	}
	branch := func(p string) bool {
		return p == "~ALL" || p == "~DEFAULT_BRANCH" || fits(p, "refs/heads/"+r.repository.Branch)
	}
	if len(rules.Include) > 0 && !slices.ContainsFunc(rules.Include, branch) {
		return false
	}
	return !slices.ContainsFunc(rules.Exclude, branch)
}

func fits(pattern, name string) bool {
	if head, ok := strings.CutSuffix(pattern, "/**/*"); ok {
		return strings.HasPrefix(name, head+"/")
	}
	ok, err := path.Match(pattern, name)
	return ok || err != nil
}

func publicGroups(s *state) verdict {
	var v verdict
	for _, g := range s.organization.RunnerGroups {
		if !g.Public {
			continue
		}
		worst, names := s.fromForks(g)
		v.found = append(v.found, found{
			what: g.Name, severity: worst.severity, credentials: worst.credentials,
			message: fmt.Sprintf("public repositories may use the runner group %q, so that a fork's pull request can ask for its machines (%s)", g.Name, names),
			next:    "keep public repositories out of the group, or give them one of their own with runners that serve one job",
		})
	}
	return v
}

// fromForks grades runners by the public repositories whose forks reach them.
func (s *state) fromForks(g github.RunnerGroup) (risk, string) {
	var jobs []*org.JobReach
	var names []string
	for i := range s.subjects {
		r := &s.subjects[i]
		listed := g.Visibility != "selected" || g.Partial || slices.ContainsFunc(g.Repositories, func(n string) bool { return strings.EqualFold(n, r.name()) })
		if r.repository.Visibility == "public" && listed {
			names = append(names, r.name())
			jobs = append(jobs, r.jobs...)
		}
	}
	if len(names) == 0 {
		return onRunner(nil), "no public repository is there now"
	}
	return onRunner(jobs), some(names)
}

// onRunner is what an outsider takes who once ran on a machine that later jobs use.
func onRunner(jobs []*org.JobReach) risk {
	at := reach.Elsewhere(reach.OutsiderCode)
	r := risk{severity: reach.Grade(at)}
	for _, j := range jobs {
		e := reach.Exposure{Credentials: credentials(j), Steer: reach.OutsiderCode}
		r.severity = max(r.severity, reach.Grade(e))
		for _, c := range e.Credentials {
			if c.Lifetime == reach.Standing && !slices.Contains(r.credentials, c.Name) {
				r.credentials = append(r.credentials, c.Name)
			}
		}
	}
	return r
}

func organizationRunners(s *state) verdict {
	var v verdict
	for _, g := range s.organization.RunnerGroups {
		if !g.Public {
			continue
		}
		var runners []github.Runner
		for _, r := range s.organization.Runners {
			if r.Group == g.ID || r.Group == 0 { // of an unknown group: it may be this one
				runners = append(runners, r)
			}
		}
		worst, _ := s.fromForks(g)
		v = v.lasting(runners, worst, fmt.Sprintf("of the group %q ", g.Name), g.Name)
	}
	return v
}

func repositoryRunners(_ *state, r *subject) verdict {
	if r.repository.Visibility != "public" {
		return verdict{}
	}
	return verdict{}.lasting(r.settings.Runners, onRunner(r.jobs), "", r.name())
}

// lasting looks for runners that serve more than one job.
func (v verdict) lasting(runners []github.Runner, worst risk, of, what string) verdict {
	var names []string
	silent := false
	for _, r := range runners {
		switch {
		case r.Ephemeral == nil:
			silent = true
		case !*r.Ephemeral:
			names = append(names, fmt.Sprintf("%q", r.Name))
		}
	}
	if silent {
		v.unknown = append(v.unknown, "the host did not say whether a runner serves more than one job")
	}
	if len(names) == 0 {
		return v
	}
	v.found = append(v.found, found{
		what: what, severity: worst.severity, credentials: worst.credentials,
		message: fmt.Sprintf("%s %swithin reach of forks %s more than one job, so that an outsider's leaves something behind for the next: %s",
			plural(len(names), "runner"), of, serve(len(names)), some(names)),
		next: "register them as ephemeral, or keep them from public repositories",
	})
	return v
}

func serve(n int) string {
	if n == 1 {
		return "serves"
	}
	return "serve"
}
