package trust

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// maxJudged bounds the targets of one policy that are looked at: a policy of AWS holds
// about twenty.
const maxJudged = 64

// Judge asks a policy about tokens made around its targets, says what the answers
// mean, and joins what the policy's text tells. The findings come with the most
// severe first. A token that the policy may admit counts as admitted. spelt are
// repositories, owner/repo, as their host spells them, where that is known.
func Judge(p Policy, spelt ...string) (Grade, []Finding) {
	p, whole := asWritten(p)
	j := &judge{policy: p, spelt: spelt}
	targets := p.Targets()
	targets = targets[:min(len(targets), maxJudged)]
	j.forPulls = len(targets) > 0 && !slices.ContainsFunc(targets, func(t Target) bool { return !t.isPullRequest() })
	if len(targets) == 0 {
		targets = []Target{{}}
	}
	alive := false
	for _, t := range targets {
		alive = j.target(t) || alive
	}
	j.together(targets)
	switch {
	case alive:
	case whole:
		j.found = []Finding{Found("never-admits", Dead)}
	default:
		j.found = nil // what is not known may let it in
	}
	return j.result(p.Review())
}

// A judge collects the findings on one policy.
type judge struct {
	policy Policy
	spelt  []string
	found  []Finding
	// anyIssuer is set when a token of another issuer gets in, as far as the policy
	// itself decides that.
	anyIssuer bool
	// forPulls is set when the policy names nothing but pull requests.
	forPulls bool

	// The target at hand: what it is, and what the policy admits of its probes.
	at       Target
	admitted map[string][]Probe
	inexact  map[string]bool
}

// target asks about one target and reports whether the policy admits anything.
func (j *judge) target(t Target) bool {
	t.Audience = cmp.Or(j.policy.Audience(), t.Audience)
	j.ask(t)
	if !j.lets(probeWorkload) && j.lets(probeInEnvironment) {
		t.Environment = j.admitted[probeInEnvironment][0].Claims.Get("environment") // the policy means jobs of any environment
		j.ask(t)
	}
	if len(j.admitted) == 0 {
		return false
	}
	stranger := tokenOf(t)
	stranger.issuer = "https://issuer.example"
	j.anyIssuer = j.anyIssuer || j.policy.Decide(stranger.claims()).Admits
	if !j.lets(probeWorkload) {
		j.add("never-admits", Caution, "")
	}
	j.owners()
	j.repositories()
	j.refs()
	j.environments()
	j.calls()
	j.identity()
	return true
}

// ask asks about the probes of a target.
func (j *judge) ask(t Target) {
	j.at, j.admitted, j.inexact = t, map[string][]Probe{}, map[string]bool{}
	for _, probe := range Probes(t) {
		answer := j.policy.Decide(probe.Claims)
		if !answer.Admits {
			continue
		}
		j.admitted[probe.Name] = append(j.admitted[probe.Name], probe)
		if !answer.Exact {
			j.inexact[probe.Name] = true
		}
	}
}

// lets reports whether the policy admits a probe of the name, in any form.
func (j *judge) lets(name string) bool { return len(j.admitted[name]) > 0 }

// letsForm asks for one form of the subject.
func (j *judge) letsForm(name string, immutable bool) bool {
	return slices.ContainsFunc(j.admitted[name], func(p Probe) bool { return p.Immutable == immutable })
}

// idsOnly reports whether a probe gets in with the ids in its subject and not
// without: then the subject itself binds the ids.
func (j *judge) idsOnly(name string) bool { return j.letsForm(name, true) && !j.letsForm(name, false) }

// byNameOnly reports whether it gets in without the ids in its subject alone, and
// nothing else binds the ids either: the next owner of the name gets in too.
func (j *judge) byNameOnly(name string) bool {
	return j.letsForm(name, false) && !j.letsForm(name, true) && j.letsForm(probeRecycled, false)
}

// callPinned reports whether every job that gets in is defined by one file at one
// ref, be it called from elsewhere: then it matters less who calls it.
func (j *judge) callPinned() bool {
	return j.at.Called != "" && !j.lets(probeCalledOtherRef) && !j.lets(probeOtherWorkflow)
}

// unlessPinned is the grade of a lock that admits more callers than one.
func (j *judge) unlessPinned(grade, pinned Grade) Grade {
	if j.callPinned() {
		return pinned
	}
	return grade
}

// add adds a finding of a class, with the first admitted probe of the name as its
// witness.
func (j *judge) add(name string, grade Grade, witness string) {
	f := Found(name, grade)
	if grade == "" && rank(f.Severity) > rank("low") {
		f.Severity = "low" // true, and no reason to think less of this lock
	}
	if list := j.admitted[witness]; len(list) > 0 {
		f.Witness = maps.Clone(list[0].Claims.Values)
	}
	if j.inexact[witness] {
		f.Message += ", unless a condition that is not read here forbids it"
	}
	j.found = append(j.found, f)
}

// owners looks for owners that are not meant.
func (j *judge) owners() {
	switch {
	case j.strangers() && j.inTenant():
		j.add("any-repository", Caution, probeOutsiderSameNames)
	case j.lets(probeOutsiderSameNames) && isTemplate(j.at.Subject):
		j.add("forgeable-template", Bad, probeOutsiderSameNames)
	case j.lets(probeOutsider) && j.at.Subject == "":
		j.add("no-subject", Bad, probeOutsider)
	case j.lets(probeOutsider):
		j.add("any-owner", Bad, probeOutsider)
	case j.lets(probeOutsiderSameNames) && strings.HasPrefix(j.at.Subject, "*"):
		j.add("any-owner", Bad, probeOutsiderSameNames)
	case j.lets(probeOutsiderSameNames):
		j.add(j.forgedClass(), Bad, probeOutsiderSameNames)
	case j.lets(probeOutsiderCaller):
		j.add("called-workflow-only", Bad, probeOutsiderCaller)
	case j.lets(probeForgedTemplate):
		j.add("forgeable-template", Bad, probeForgedTemplate)
	}
	switch {
	case j.strangers() || !j.lets(probeLongerOwner):
	case strings.HasPrefix(j.at.Subject, "*"):
		j.add("any-owner", Bad, probeLongerOwner)
	default:
		j.add("owner-prefix", Bad, probeLongerOwner)
	}
	if hyphenID.MatchString(j.at.Owner) && hyphenID.MatchString(j.at.Repository) && j.lets(probeWorkload) {
		j.add("hyphen-ids", Bad, probeWorkload)
	}
}

// hyphenID ends a name of the form that was announced in April 2026 and withdrawn:
// an id after a hyphen.
var hyphenID = regexp.MustCompile(`-[0-9]+$`)

// forgedClass says which claim of anyone's choice is all that is bound.
func (j *judge) forgedClass() string {
	switch {
	case j.at.Claims["actor"] != "" || j.at.Claims["actor_id"] != "":
		return "actor-only"
	case j.at.Claims["repository_visibility"] != "":
		return "visibility-only"
	}
	return "forgeable-claim"
}

// inTenant reports whether an enterprise is bound, by its own issuer or its id: then
// strangers are members of it.
func (j *judge) inTenant() bool {
	own := strings.HasPrefix(j.at.Issuer, GitHubIssuer+"/") || j.at.Issuer != "" && !strings.HasPrefix(j.at.Issuer, GitHubIssuer)
	return own && !j.anyIssuer || j.at.Claims["enterprise_id"] != "" || j.at.Claims["enterprise"] != ""
}

// strangers reports whether repositories of other owners get in, so that the rest
// need not be said.
func (j *judge) strangers() bool {
	return slices.ContainsFunc([]string{probeOutsider, probeOutsiderSameNames, probeOutsiderCaller}, j.lets)
}

func (j *judge) repositories() {
	custom := isTemplate(j.at.Subject) && !strings.ContainsAny(j.at.Subject, wildcards)
	switch {
	case j.strangers():
	case j.lets(probeOtherRepository) && custom:
		j.add("wide-template", Bad, probeOtherRepository)
		if pairs := subjectPairs(j.at.Subject); len(pairs) > 0 && !slices.Contains(owned, pairs[0].key) {
			j.add("forgeable-template", Bad, "")
		}
	case j.idsOnly(probeOtherRepository):
		j.add("any-repository", Caution, probeOtherRepository)
	case j.lets(probeOtherRepository):
		j.add("any-repository", j.unlessPinned(Bad, Caution), probeOtherRepository)
	case j.lets(probeLongerRepository):
		j.add("repository-prefix", Bad, probeLongerRepository)
	}
	if custom && j.lets(probeWorkload) && j.lets(probePullRequest) && !j.lets(probeOtherRepository) && !j.callPinned() {
		j.add("wide-template", Bad, probePullRequest)
	}
}

// owned are the keys of a template that only the owner of the repository can present.
var owned = []string{"repo", "repository", "repository_id", "repository_owner", "repository_owner_id", "enterprise", "enterprise_id"}

// refs looks for branches, tags and events that are not meant.
func (j *judge) refs() {
	if j.lets(probeOutsider) {
		return // everyone gets in: owners says so
	}
	pull := j.lets(probePullRequest) || j.forPulls && j.lets(probePullRequestTarget)
	branch, tag, onTag := j.lets(probeOtherBranch), j.lets(probeTag), strings.HasPrefix(j.at.Ref, "refs/tags/")
	if pull {
		grade := Caution
		if j.byNameOnly(probePullRequest) || j.forPulls {
			grade = Bad
		}
		j.add("pull-request", j.unlessPinned(grade, ""), probePullRequest)
	}
	switch {
	case branch && tag && pull:
		j.add("any-ref-of-repository", j.unlessPinned(Caution, ""), probeOtherBranch)
	case branch && tag && j.byNameOnly(probeOtherBranch):
		j.add("any-branch-or-tag", j.unlessPinned(Bad, ""), probeOtherBranch)
	case branch && tag:
		j.add("any-branch-or-tag", j.unlessPinned(Caution, ""), probeOtherBranch)
	case branch || j.lets(probeSiblingBranch) && !onTag:
		j.add("any-branch", Caution, differing(probeOtherBranch, onlyIf(!branch, probeOtherBranch), probeSiblingBranch))
	case onTag && (j.lets(probeLookAlikeBranch) || j.lets(probeSiblingBranch)), tag:
		j.add("tag-pattern", Caution, differing(probeLookAlikeBranch, onlyIf(tag, probeLookAlikeBranch), probeTag))
	case j.lets(probeLookAlikeBranch):
		j.add("branch-prefix", Bad, probeLookAlikeBranch)
	case j.lets(probePatternRef):
		j.add("any-branch", Caution, probePatternRef)
	case j.lets(probePullRequestTarget) && !pull:
		j.add("event-not-bound", j.unlessPinned(Caution, ""), probePullRequestTarget)
	case j.lets(probeOtherWorkflow) && j.lets(probeIssueComment) && j.at.Environment == "":
		j.add("any-workflow", "", probeIssueComment)
	}
}

func (j *judge) environments() {
	if j.at.Environment == "" {
		return
	}
	switch {
	case j.lets(probeOtherBranch):
		return // the environment binds nothing: refs says so
	case j.lets(probeLookAlikeEnv), j.lets(probeOtherEnvironment):
		j.add("environment-pattern", Bad, differing(probeLookAlikeEnv, onlyIf(!j.lets(probeLookAlikeEnv), probeLookAlikeEnv), probeOtherEnvironment))
	case j.lets(probeEnvironmentRef):
		j.add("environment-only", Caution, probeEnvironmentRef)
	}
	if j.lets(probeEnvironmentTwin) {
		j.add("environment-twin", Caution, probeEnvironmentTwin)
	}
}

// calls looks at reusable workflows, where the lock names one.
func (j *judge) calls() {
	if j.at.Called != "" && j.lets(probeCalledOtherRef) && !j.lets(probeOtherWorkflow) {
		j.add("called-workflow-ref", Bad, probeCalledOtherRef)
	}
}

// identity looks at who stands behind the names.
func (j *judge) identity() {
	if (j.at.Claims["actor"] != "" || j.at.Claims["actor_id"] != "") && !j.strangers() {
		j.add("actor-bound", Caution, probeWorkload)
	}
	switch {
	case j.strangers() || !j.lets(probeRecycled):
	case j.idsOnly(probeRecycled) && j.idsOnly(probeWorkload):
		j.add("any-owner-id", Caution, probeRecycled)
	default:
		j.add("name-only", "", probeRecycled)
	}
	if j.idsOnly(probeRecreated) && !j.lets(probeRecycled) && !j.lets(probeOtherRepository) && strings.Contains(j.at.Subject, "/"+j.at.Repository+"@") {
		j.add("any-owner-id", Caution, probeRecreated)
	}
	if j.misspelt() && !j.strangers() {
		j.add("letter-case", Dead, "")
	}
	if j.lets(probeOtherAudience) {
		j.add("audience-not-bound", "", probeOtherAudience)
	}
}

// misspelt reports whether the names are not spelt as their host spells them. Where
// that is not known, a capital at the beginning of both is taken for a slip: owners
// with one are common and repositories are not rare, but few have one in both.
func (j *judge) misspelt() bool {
	name := j.at.Owner + "/" + j.at.Repository
	if slices.Contains(j.spelt, name) {
		return false
	}
	if slices.ContainsFunc(j.spelt, func(s string) bool { return strings.EqualFold(s, name) }) {
		return true
	}
	capital := func(s string) bool { return s != "" && s[0] >= 'A' && s[0] <= 'Z' }
	return capital(j.at.Owner) && capital(j.at.Repository)
}

// together looks at what only all targets show.
func (j *judge) together(targets []Target) {
	repositories, forms, wilds := map[string]bool{}, map[bool]bool{}, map[bool]bool{}
	for _, t := range targets {
		switch {
		case t.Repository != "":
			repositories[t.Owner+"/"+t.Repository] = true
		case t.RepositoryID != "":
			repositories[t.RepositoryID] = true
		}
		if t.Subject != "" {
			forms[t.Immutable] = true
			_, _, wild := cutWild(t.Subject)
			wilds[wild] = true
		}
	}
	if len(wilds) > 1 {
		j.found = append(j.found, Found("loose-alternative", ""))
	}
	if len(repositories) > 1 {
		j.found = append(j.found, Found("several-repositories", Caution))
	}
	nameOnly := slices.ContainsFunc(j.found, func(f Finding) bool { return f.Class == "name-only" })
	if len(forms) > 1 && len(repositories) == 1 && nameOnly {
		j.found = append(j.found, Found("both-subject-forms", Caution))
	}
}

// result joins the findings, one of each class, and takes the worst grade.
func (j *judge) result(review []Finding) (Grade, []Finding) {
	explained := slices.ContainsFunc(review, func(f Finding) bool { return classOf(f.Class).kills })
	replaced := func(f Finding) bool {
		by := func(r Finding) bool { return r.Class == f.Class || slices.Contains(r.Replaces, f.Class) }
		return slices.ContainsFunc(review, by)
	}
	grade := Good
	all := slices.Clone(review)
	for _, f := range review {
		grade = worse(grade, f.Grade)
		if f.Class == "issuer-pattern" && j.anyIssuer {
			grade = worse(grade, Bad)
		}
	}
	for _, f := range j.found {
		said := func(a Finding) bool { return a.Class == f.Class }
		if f.Class == "never-admits" && explained {
			grade = worse(grade, f.Grade)
			continue
		}
		if replaced(f) {
			continue
		}
		grade = worse(grade, f.Grade)
		if !slices.ContainsFunc(all, said) {
			all = append(all, f)
		}
	}
	for i := range all {
		c := classOf(all[i].Class)
		all[i].Severity, all[i].Next = cmp.Or(all[i].Severity, c.severity), cmp.Or(all[i].Next, c.next)
	}
	slices.SortStableFunc(all, func(a, b Finding) int { return cmp.Compare(rank(b.Severity), rank(a.Severity)) })
	return grade, all
}

// gradeOrder goes from the best to the one that says most.
var gradeOrder = []Grade{"", Good, Caution, Bad, Dead, Invalid}

// worse returns the worse of two grades; "" is no grade.
func worse(a, b Grade) Grade {
	if slices.Index(gradeOrder, b) > slices.Index(gradeOrder, a) {
		return b
	}
	return a
}

var severities = []string{"info", "low", "medium", "high", "critical"}

func rank(severity string) int { return slices.Index(severities, severity) }
