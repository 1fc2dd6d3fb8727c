package posture

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows/github"
)

// Settings are what was read of an organization's settings.
type Settings struct {
	Organization *github.Settings // nil when nothing was read
	Repositories []github.RepositorySettings
}

// A check is one row of the table. Either function may be nil.
type check struct {
	id string
	// surfaces are what the check of the organization needs to see, and of a repository.
	ofOrganization, ofRepository []string
	organization                 func(*state) verdict
	repository                   func(*state, *subject) verdict
}

// checks are all checks there are, in the order of their ids.
var checks = []check{
	{"actions-approve-pull-requests", []string{"workflow-permissions"}, []string{"workflow-permissions"}, organizationApproves, repositoryApproves},
	{"any-action-allowed", []string{"actions-permissions"}, []string{"actions-permissions"}, organizationAllowsAll, repositoryAllowsAll},
	{"commit-pins-not-required", []string{"actions-permissions"}, []string{"actions-permissions"}, organizationPins, repositoryPins},
	{"dead-secret", []string{"secrets"}, []string{"secrets"}, deadInOrganization, deadInRepository},
	{"default-write-token", []string{"workflow-permissions"}, []string{"workflow-permissions"}, organizationWrites, repositoryWrites},
	{"environment-admin-bypass", nil, []string{"environments"}, nil, adminsBypass},
	{"environment-any-branch", nil, []string{"environments"}, nil, anyBranch},
	{"environment-self-review", nil, []string{"environments"}, nil, selfReview},
	{"environment-without-gate", nil, []string{"environments"}, nil, withoutGate},
	{"long-lived-runner-on-forks", []string{"runners", "runner-groups"}, []string{"runners"}, organizationRunners, repositoryRunners},
	{"name-form-subject", []string{"oidc-subject"}, []string{"oidc-subject"}, organizationSubject, repositorySubject},
	{"organization-wide-secret", []string{"secrets"}, nil, wideSecrets, nil},
	{"public-runner-group", []string{"runner-groups"}, nil, publicGroups, nil},
	{"reused-deploy-key", nil, []string{"deploy-keys"}, reusedKeys, nil},
	{"ruleset-bypass", []string{"rulesets"}, []string{"rulesets"}, organizationBypass, repositoryBypass},
	{"stored-app-key", []string{"secrets"}, []string{"secrets"}, organizationAppKeys, repositoryAppKeys},
	{"stored-personal-token", []string{"secrets"}, []string{"secrets"}, organizationTokens, repositoryTokens},
	{"writable-deploy-key", nil, []string{"deploy-keys"}, nil, writableKeys},
}

// Rules returns the ids of all checks, sorted.
func Rules() []string {
	var out []string
	for _, c := range checks {
		out = append(out, c.id)
	}
	return out
}

// A verdict is what one check says of one subject: what it found, and what it could not
// see.
type verdict struct {
	found   []found
	unknown []string // one lower-case line each
}

// A found is one defect.
type found struct {
	// what tells defects of one check and subject apart, for the fingerprint.
	what          string
	message, next string
	severity      reach.Severity
	credentials   []string
}

// maxExamples is how many repositories are named where a check was not made.
const maxExamples = 3

// Judge makes every check of a document with the jobs of its analyses, by key. Findings are sorted by severity, the worst first, then by
// rule and subject; what could not be checked is in the second list, by rule.
func Judge(d *org.Document, jobs map[string][]*org.JobReach, s Settings) ([]org.Finding, []org.NotChecked) {
	st := newState(d, jobs, s)
	out := &results{open: map[gap]*org.NotChecked{}}
	for _, c := range checks {
		if c.organization != nil {
			out.add(c.id, "", st.ofOrganization(c))
		}
		if c.repository == nil && c.ofRepository == nil {
			continue
		}
		for i := range st.subjects {
			out.add(c.id, st.subjects[i].name(), st.ofRepository(c, &st.subjects[i]))
		}
	}
	slices.SortStableFunc(out.findings, func(a, b org.Finding) int {
		x, _ := reach.ParseSeverity(a.Severity)
		y, _ := reach.ParseSeverity(b.Severity)
		return cmp.Or(-cmp.Compare(x, y), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Path, b.Path), strings.Compare(a.Fingerprint, b.Fingerprint))
	})
	return out.findings, out.notChecked()
}

// ofOrganization makes a check of the organization if what it needs could be read.
func (s *state) ofOrganization(c check) verdict {
	if len(c.ofOrganization) == 0 {
		return c.organization(s) // it looks at all repositories
	}
	if s.organization == nil {
		return unknown("the settings of the organization were not read")
	}
	if missing := unreadable(s.organization.Surfaces, c.ofOrganization); len(missing) > 0 {
		return verdict{unknown: missing}
	}
	return c.organization(s)
}

// ofRepository makes a check of a repository if what it needs could be read.
func (s *state) ofRepository(c check, r *subject) verdict {
	if s.settled[c.id] {
		return verdict{} // what the organization has set binds its repositories
	}
	if r.settings == nil {
		return unknown("the settings of the repository were not read")
	}
	if missing := unreadable(r.settings.Surfaces, c.ofRepository); len(missing) > 0 {
		return verdict{unknown: missing}
	}
	if c.repository == nil {
		return verdict{}
	}
	return c.repository(s, r)
}

// unreadable says which of the surfaces could not be read, and why.
func unreadable(have []github.Surface, want []string) []string {
	var out []string
	for _, name := range want {
		i := slices.IndexFunc(have, func(s github.Surface) bool { return s.Name == name })
		switch {
		case i < 0:
			out = append(out, name+" was not asked for")
		case have[i].Readable:
		case have[i].Needs != "":
			out = append(out, name+" is not readable; it needs "+have[i].Needs)
		default:
			out = append(out, name+" is not readable: "+have[i].Why)
		}
	}
	return out
}

func unknown(why string) verdict { return verdict{unknown: []string{why}} }

type gap struct{ rule, why string }

// results collects what the checks say.
type results struct {
	findings []org.Finding
	open     map[gap]*org.NotChecked
}

func (r *results) add(rule, of string, v verdict) {
	for _, f := range v.found {
		slices.Sort(f.credentials)
		r.findings = append(r.findings, org.Finding{
			Rule: rule, Severity: f.severity.String(), Path: of, Message: f.message, Next: f.next,
			Credentials: slices.Compact(f.credentials), Fingerprint: fingerprint(rule, of, f.what),
		})
	}
	for _, why := range v.unknown {
		g := gap{rule, why}
		n := r.open[g]
		if n == nil {
			n = &org.NotChecked{Rule: rule, Why: why}
			r.open[g] = n
		}
		n.Count++
		if of != "" && len(n.Examples) < maxExamples {
			n.Examples = append(n.Examples, of)
		}
	}
}

func (r *results) notChecked() []org.NotChecked {
	var out []org.NotChecked
	for _, g := range slices.SortedFunc(maps.Keys(r.open), func(a, b gap) int {
		return cmp.Or(strings.Compare(a.rule, b.rule), strings.Compare(a.why, b.why))
	}) {
		out = append(out, *r.open[g])
	}
	return out
}

// fingerprint stays the same while the setting of the same subject is wrong.
func fingerprint(parts ...string) string {
	sum := sha256.Sum256([]byte("stint posture\x00" + strings.ToLower(strings.Join(parts, "\x00"))))
	return hex.EncodeToString(sum[:16])
}

func plural(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "y"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(noun, "y"))
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
