package grant

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stint-dev/stint/oidc"
)

// A judge compares one token's claims with one grant and collects what differs.
type judge struct {
	g    *Grant
	c    oidc.Claims
	want Expect
	no   []Reason
}

func (g *Grant) decide(c oidc.Claims, want Expect) Decision {
	j := &judge{g: g, c: c, want: want}
	if g.For.OfJobs() {
		j.job()
	} else {
		j.foreign()
	}
	j.audience()
	j.times()
	return Decision{Grant: g.Name, Admit: len(j.no) == 0, Reasons: j.no}
}

// job compares a token of a job of GitHub's.
func (j *judge) job() {
	j.workflow()
	j.called()
	j.ref()
	j.environment()
	j.event()
	j.repository()
	j.ids()
	j.actor()
	j.runner()
	j.protected()
	j.subject()
	j.issuer()
}

// refuse adds a reason.
func (j *judge) refuse(claim, expected string, class Class, text, next string) {
	j.no = append(j.no, Reason{
		Claim: claim, Expected: expected, Got: j.c.Get(claim), Class: class, Text: text, Next: next,
	})
}

// at names the line of a key of for:, or of the grant if the key is not there.
func (j *judge) at(key string) string {
	line, ok := j.g.lines[key]
	if !ok {
		line = j.g.Line
	}
	where := "for." + key
	if j.g.Path != "" {
		where = fmt.Sprintf("%s:%d, %s", j.g.Path, line, where)
	}
	return where
}

// missing refuses when the claim is not there, and reports whether it was.
func (j *judge) missing(claim, expected string) bool {
	if j.c.Get(claim) != "" {
		return false
	}
	said := func(r Reason) bool { return r.Claim == claim && r.Class == ClassMissing }
	if slices.ContainsFunc(j.no, said) {
		return true
	}
	j.refuse(claim, expected, ClassMissing,
		"the token has no "+claim+" claim; an absent claim never admits",
		"use a token that the job's issuer gave, with all its claims")
	return true
}

// workflow compares the file that was started. Its repository must be the
// token's, and its ref an admitted one: the file as it is on another branch is
// another file.
func (j *judge) workflow() {
	want := j.g.For.Workflow
	if want == "" || j.missing("workflow_ref", want) {
		return
	}
	got := j.c.Get("workflow_ref")
	file, ok := parseFileRef(got)
	switch {
	case !ok:
		j.refuse("workflow_ref", want, ClassOther, "workflow_ref is not owner/repo/path@ref", "use a token that GitHub's issuer gave")
	case file.path != want:
		j.refuse("workflow_ref", want, caseOr(file.path, want, ClassOther),
			"another workflow file asks: "+quote(file.path)+sameButCase(file.path, want),
			"ask from "+want+", or change "+j.at("workflow"))
	case file.repository != j.c.Get("repository"):
		j.refuse("workflow_ref", want, caseOr(file.repository, j.c.Get("repository"), ClassRepository),
			"the workflow file is in "+quote(file.repository)+", the run in "+quote(j.c.Get("repository")),
			"start the workflow from the repository that holds it")
	case !j.admitsRef(file.ref):
		j.refuse("workflow_ref", want+"@"+list(j.g.For.Refs), refClass(j.g.For.Refs, file.ref),
			"the workflow file is read from "+quote(file.ref)+", which the grant does not admit",
			"run it from "+list(j.g.For.Refs)+", or change "+j.at(j.refsKey()))
	}
}

func (j *judge) admitsRef(ref string) bool {
	refs := j.g.For.Refs
	return len(refs) == 0 || slices.ContainsFunc(refs, func(p string) bool { return matchRef(p, ref) })
}

// called compares the file that defines the job.
func (j *judge) called() {
	want := j.g.For.Called
	if want == "" {
		j.notCalled()
		return
	}
	if j.missing("job_workflow_ref", want) {
		return
	}
	got := j.c.Get("job_workflow_ref")
	pattern, _ := parseFileRef(want)
	file, ok := parseFileRef(got)
	if ok && file.repository == pattern.repository && file.path == pattern.path && matchRef(pattern.ref, file.ref) {
		return
	}
	text := "another reusable workflow defines the job: " + quote(got) + sameButCase(got, want)
	if got == j.c.Get("workflow_ref") {
		text = "the job is not in a reusable workflow, and the grant is for the jobs of one"
	}
	j.refuse("job_workflow_ref", want, caseOr(got, want, ClassReusable), text,
		"call "+want+" from the workflow, or change "+j.at("called"))
}

// notCalled refuses jobs of reusable workflows: sub, repository and workflow_ref
// are the caller's there, and say nothing of the code that asks.
func (j *judge) notCalled() {
	const expected = "the file of workflow_ref"
	if j.missing("job_workflow_ref", expected) || j.missing("workflow_ref", "the file that was started") {
		return
	}
	if got := j.c.Get("job_workflow_ref"); got != j.c.Get("workflow_ref") {
		j.refuse("job_workflow_ref", j.c.Get("workflow_ref"), ClassReusable,
			"the job is defined in a reusable workflow, "+quote(got)+", which the grant does not name",
			"ask from a job of the workflow itself, or add to the grant `called: "+printable(got)+"` in "+j.at("called"))
	}
}

func (j *judge) ref() {
	refs := j.g.For.Refs
	if len(refs) == 0 || j.missing("ref", list(refs)) {
		return
	}
	got := j.c.Get("ref")
	if j.admitsRef(got) {
		return
	}
	class := refClass(refs, got)
	text := "the run is on " + quote(got)
	switch class {
	case ClassPullRequest:
		text += ", the merge ref of a pull request: a pull_request run is never on the branch that it targets"
	case ClassTag:
		text += ", a tag where the grant admits branches"
	case ClassNoTag:
		text += ", a branch where the grant admits tags"
	case ClassCase:
		text += ", which differs only in upper and lower case"
	default:
		text += ", which the grant does not admit"
	}
	j.refuse("ref", list(refs), class, text, "run it on "+list(refs)+", or change "+j.at(j.refsKey()))
}

// refsKey is the spelling that the file uses.
func (j *judge) refsKey() string {
	if _, ok := j.g.lines["ref"]; ok {
		return "ref"
	}
	return "refs"
}

// refClass says in what way a ref is none of the admitted ones.
func refClass(refs []string, got string) Class {
	isKind := func(prefix string) bool {
		return slices.ContainsFunc(refs, func(p string) bool { return strings.HasPrefix(p, prefix) })
	}
	folded := strings.ToLower(got)
	switch {
	case strings.HasPrefix(got, "refs/pull/"):
		return ClassPullRequest
	case slices.ContainsFunc(refs, func(p string) bool { return matchRef(strings.ToLower(p), folded) }):
		return ClassCase
	case strings.HasPrefix(got, "refs/tags/") && !isKind("refs/tags/"):
		return ClassTag
	case strings.HasPrefix(got, "refs/heads/") && !isKind("refs/heads/"):
		return ClassNoTag
	}
	return ClassBranch
}

func (j *judge) environment() {
	want, got := j.g.For.Environment, j.c.Get("environment")
	switch {
	case want == got:
	case want == "":
		j.refuse("environment", "none", ClassEnvironment,
			"the job has the environment "+quote(got)+", which takes the place of the ref in sub; the grant is for jobs without one",
			"remove environment: from the job, or add `environment: "+printable(got)+"` in "+j.at("environment"))
	case got == "":
		j.refuse("environment", want, ClassNoEnvironment,
			"the job has no environment; the grant is for "+strconv.Quote(want)+" only",
			"add `environment: "+want+"` to the job")
	default:
		j.refuse("environment", want, caseOr(got, want, ClassOther),
			"the job has the environment "+quote(got)+sameButCase(got, want),
			"use `environment: "+want+"` in the job, or change "+j.at("environment"))
	}
}

func (j *judge) event() {
	named := j.g.For.Events
	expected := cmp.Or(list(named), list(normalTrust))
	if j.missing("event_name", expected) {
		return
	}
	got := j.c.Get("event_name")
	switch {
	case slices.Contains(named, got), len(named) == 0 && NormalTrust(got):
	case len(named) > 0:
		j.refuse("event_name", expected, eventClass(got, ClassEvent),
			"the run was started by "+quote(got)+", which the grant does not name",
			"start it by "+list(named)+", or change "+j.at("events"))
	default:
		j.refuse("event_name", expected, eventClass(got, ClassLowTrust),
			"the run was started by "+quote(got)+", which is refused unless a grant names it: "+whyLowTrust(got),
			"start it by "+list(normalTrust[:3])+"; name the event in "+j.at("events")+" only if whoever can cause it may have the credential")
	}
}

func eventClass(event string, other Class) Class {
	if slices.Contains(pullRequestEvents, event) {
		return ClassPullRequest
	}
	return other
}

func whyLowTrust(event string) string {
	switch {
	case event == "pull_request_target":
		return "anyone can open a pull request, and it runs with the rights of the branch that it targets"
	case slices.Contains(pullRequestEvents, event):
		return "it runs before anyone has merged the change"
	case event == "repository_dispatch":
		return "what it works on comes from outside, with the ref and sub of a push to the default branch"
	}
	return "people without write access may cause it, with the ref and sub of a push to the default branch"
}

func (j *judge) repository() {
	want := cmp.Or(j.g.For.Repository, j.want.Repository)
	if want == "" {
		j.refuse("repository", "the repository that holds the file", ClassRepository,
			"it is not known which repository holds the grant file",
			"name the repository with a flag or GITHUB_REPOSITORY, or write it in "+j.at("repository"))
		return
	}
	if j.missing("repository", want) {
		return
	}
	got := j.c.Get("repository")
	if got == want {
		return
	}
	class, text := caseOr(got, want, ClassRepository), "the run is in "+quote(got)+sameButCase(got, want)
	if id := j.g.For.RepositoryID; id != "" && id == j.c.Get("repository_id") && class != ClassCase {
		class, text = ClassRenamed, "the repository is called "+quote(got)+" now; its id is still "+id
	}
	j.refuse("repository", want, class, text, "run it in "+want+", or change "+j.at("repository"))
}

func (j *judge) ids() {
	j.id("repository_id", "repository-id", j.g.For.RepositoryID)
	j.id("repository_owner_id", "repository-owner-id", j.g.For.RepositoryOwnerID)
}

func (j *judge) id(claim, key, want string) {
	if want == "" || j.missing(claim, want) {
		return
	}
	got := j.c.Get(claim)
	if got == want {
		return
	}
	class, text := ClassRepository, claim+" is "+quote(got)
	if name := cmp.Or(j.g.For.Repository, j.want.Repository); name != "" && name == j.c.Get("repository") {
		class = ClassRecreated
		text += ": the name " + name + " is the same, the repository or its owner is another, made after the first was deleted or renamed"
	}
	j.refuse(claim, want, class, text, "find out whose repository it is now, then change "+j.at(key))
}

func (j *judge) actor() {
	want := j.g.For.Actors
	if len(want) == 0 || j.missing("actor", list(want)) {
		return
	}
	got := j.c.Get("actor")
	if slices.Contains(want, got) {
		return
	}
	class := ClassOther
	if slices.ContainsFunc(want, func(w string) bool { return strings.EqualFold(w, got) }) {
		class = ClassCase
	}
	j.refuse("actor", list(want), class, "the run was started by "+quote(got),
		"let "+list(want)+" start it, or change "+j.at("actors"))
}

func (j *judge) runner() {
	want := cmp.Or(j.g.For.Runner, GitHubHosted)
	if want == AnyRunner || j.missing("runner_environment", want) {
		return
	}
	got := j.c.Get("runner_environment")
	if got == want {
		return
	}
	class, text := ClassOther, "the job runs on a "+quote(got)+" runner"
	next := "run the job on a " + want + " runner, or change " + j.at("runner")
	if got == SelfHosted {
		class = ClassRunner
		text = "the job runs on a self-hosted runner, where earlier jobs may have left something; a grant must name it"
		next = "run the job on a " + want + " runner, or write `runner: self-hosted` in " + j.at("runner")
	}
	j.refuse("runner_environment", want, class, text, next)
}

func (j *judge) protected() {
	if !j.g.For.RefProtected || j.missing("ref_protected", "true") || j.c.Get("ref_protected") == "true" {
		return
	}
	j.refuse("ref_protected", "true", ClassOther, "no rule protects "+quote(j.c.Get("ref")),
		"protect the branch or tag in the repository's settings, or change "+j.at("ref-protected"))
}

// list shows what is admitted.
func list(values []string) string { return strings.Join(values, ", ") }

// caseOr is ClassCase when only upper and lower case differ.
func caseOr(got, want string, other Class) Class {
	if got != want && strings.EqualFold(got, want) {
		return ClassCase
	}
	return other
}

// sameButCase says so in a text.
func sameButCase(got, want string) string {
	if caseOr(got, want, ClassOther) == ClassCase {
		return ", which differs only in upper and lower case from " + strconv.Quote(want)
	}
	return ", not " + strconv.Quote(want)
}

// day writes a time for a reason.
func day(t time.Time) string { return t.UTC().Format(time.RFC3339) }
