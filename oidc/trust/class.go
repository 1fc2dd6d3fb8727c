package trust

import "slices"

// A class is a kind of defect. Its words are those of a finding that has none of
// its own.
type class struct {
	name string
	// id is the entry of the catalogue of trust defects that docs/trust.md explains.
	id       string
	severity string
	message  string
	next     string
	// kills is set where the defect makes a lock that fits nothing.
	kills bool
}

// The next steps that several classes share.
const (
	pinSubject = "compare sub exactly, with the immutable form where the repository has it, and add repository_id"
	pinRef     = "name one branch or tag exactly, or an environment together with its ref"
	pinCalled  = "bind the caller by sub and job_workflow_ref to one file at one branch or commit"
)

// classes are all kinds of defects, those that a cloud's own package finds too, in
// order of their ids.
var classes = []class{
	{"no-subject", "M01", "critical", "nothing binds the owner: every repository on GitHub gets in", pinSubject, false},
	{"any-owner", "M02", "critical", "a wildcard stands for the owner: repositories of anyone get in", pinSubject, false},
	{"owner-prefix", "M03", "critical", "owners whose names begin or end with this one get in, and anyone can register such a name", "end the owner with \"/\" or \"@ID/\" before any wildcard", false},
	{"any-repository", "M04", "high", "every repository of the owner gets in, also one made tomorrow", "name the repositories, or bind the called workflow as well", false},
	{"repository-prefix", "M05", "high", "repositories whose names begin with this one get in", "end the repository with \":\" before any wildcard", false},
	{"any-ref-of-repository", "M06", "medium", "every branch, tag and environment of the repository gets in", pinRef, false},
	{"any-branch", "M07", "medium", "every branch that somebody can push gets in", pinRef, false},
	{"branch-prefix", "M07", "high", "branches whose names begin with this one get in", "compare the whole name, or end it with \"/\" before the wildcard", false},
	{"any-branch-or-tag", "M07", "medium", "every branch and tag that somebody can push gets in", pinRef, false},
	{"tag-pattern", "M07", "medium", "every tag of the pattern gets in; only a ruleset decides who may make one", "restrict who creates such tags, or use an environment together with its ref", false},
	{"event-not-bound", "M07", "medium", "runs that outsiders cause carry the same ref: pull_request_target, issue_comment, workflow_run", "bind event_name, or compare sub", false},
	{"any-workflow", "M07", "info", "every workflow file on that ref gets in, also one that runs on issue_comment or workflow_run", "bind job_workflow_ref to the file as well", false},
	{"pull-request", "M08", "high", "pull requests get in, and pull_request_target carries the same subject", "give pull requests a lock of their own with rights to read only", false},
	{"environment-only", "M09", "medium", "the environment may be used from any branch and any pull request unless its own rules forbid it", "bind ref as well, and restrict the environment's branches", false},
	{"environment-pattern", "M09", "high", "other environments get in, and anyone who can push makes one by naming it", "name one environment exactly", false},
	{"environment-twin", "M09", "low", "sub writes \":\" as %3A and leaves % alone: another environment name has the same subject", "compare the environment claim as well", false},
	{"several-repositories", "M10", "low", "several repositories share the lock: the weakest decides", "give each repository a lock of its own", false},
	{"loose-alternative", "M10", "medium", "one value or statement is exact and another is loose: the loose one decides", "judge each alternative, and remove the loose one", false},
	{"operators-on-one-key", "M11", "medium", "two operators on one key must both hold; alternatives belong under one operator", "put the values into one list under one operator", true},
	{"set-operator", "M12", "high", "ForAllValues holds when the claim is absent", "use the operator without ForAllValues", false},
	{"holds-when-absent", "M13", "high", "the condition holds when the claim is absent", "use the plain operator and list what may get in", false},
	{"negated-condition", "M13", "high", "the condition lists what is shut out, and everything else gets in", "list what may get in", false},
	{"claim-never-present", "M14", "medium", "the cloud never sees this claim", "use a claim that the cloud compares", true},
	{"no-control", "M14", "high", "the condition is on a claim that the cloud never sees, and holds without it", "remove it, and use a claim that the cloud compares", false},
	{"literal-wildcard", "M15", "medium", "the wildcard is compared as it is written, and no token has one", "write the value out, or use the operator that reads wildcards", true},
	{"letter-case", "M16", "medium", "names are compared with their letter case, and these are not known to be spelt so", "write the names as GitHub spells them, or say so: --repository OWNER/REPO", true},
	{"name-only", "M17", "low", "whoever takes over the name after a rename or deletion gets in", "add repository_id and repository_owner_id, or use the immutable subject", false},
	{"any-owner-id", "M17", "medium", "the ids of the immutable subject are wildcards: whoever takes over the name gets in", "write the ids out", false},
	{"hyphen-ids", "M18", "critical", "ids joined by hyphens are names that anyone can register", "use the immutable form: repo:OWNER@OWNER-ID/REPO@REPO-ID:…", false},
	{"both-subject-forms", "M19", "low", "both forms of the subject get in, the one without ids as well", "remove the form that the repository no longer presents, or add the ids", false},
	{"forgeable-template", "M20", "critical", "anyone can give an own repository a subject that begins like this", "begin the subject with the repository, and compare it exactly", false},
	{"forgeable-claim", "M20", "critical", "all that is compared can be chosen by anyone: names of environments, workflows, refs", pinSubject, false},
	{"wide-template", "M21", "high", "the subject's template has nothing that tells jobs of the repository or owner apart", "add the context to the template, and the repository", false},
	{"called-workflow-only", "M22", "critical", "any repository that calls the workflow gets in", pinCalled, false},
	{"called-workflow-ref", "M22", "high", "the called workflow may be a changed copy on another branch", pinCalled, false},
	{"actor-only", "M23", "high", "what is bound is a person, who may start runs in any repository", pinSubject, false},
	{"actor-bound", "M23", "low", "the actor is who started the run, which says nothing of the code that runs", "do not count on it as a control", false},
	{"audience-not-bound", "M24", "low", "tokens made for other relying parties fit, as far as the provider's own list lets them", "compare aud with the one audience that is meant", false},
	{"visibility-only", "M27", "critical", "any private repository on GitHub gets in", pinSubject, false},
	{"session-too-long", "M28", "low", "the session may last longer than an hour", "set it to an hour or less", false},
	{"wide-rights", "M29", "high", "the role may do everything", "give it the actions that the job needs", false},
	{"shared-role", "M30", "medium", "others may take the role beside the web identity", "give each its own role", false},
	{"any-provider", "M31", "high", "the principal is a wildcard: every identity provider of the account is trusted", "name the one provider", false},
	{"other-providers-key", "M31", "medium", "the condition is on a claim of another provider, which the token never has", "name the claims of the provider that the principal names", true},
	{"wrong-issuer", "M32", "medium", "no token has this issuer", "write the issuer as the token has it, without a slash at the end", true},
	{"issuer-pattern", "M32", "high", "issuers that fit the pattern are trusted, whoever runs them", "name the issuer exactly", false},
	{"old-issuer", "M32", "medium", "the issuer is one that GitHub no longer uses", "use https://token.actions.githubusercontent.com", true},
	{"no-condition", "M33", "critical", "no condition tells repositories apart", "compare repository_owner_id, repository_id and ref", false},
	{"tautology", "M33", "critical", "the condition holds for every token", "compare repository_owner_id, repository_id and ref", false},
	{"pool-wide-binding", "M34", "high", "the binding covers every identity of the pool, from all of its providers", "bind one subject, or attribute.repository_id", false},
	{"forgeable-binding", "M35", "high", "the binding names an attribute that others can have too", "bind one subject, or attribute.repository_id", false},
	{"substring-match", "M36", "high", "a part of the value is compared: longer names fit", "compare with ==", false},
	{"claim-type", "M37", "medium", "claims are strings: one never equals a number", "put the value in quotes", true},
	{"several-providers", "M38", "medium", "a binding names the pool and not the provider: the laxest provider decides", "use one pool for one provider", false},
	{"flexible-expression", "M39", "high", "the expression admits what the subject alone would not show", pinSubject, false},
	{"refused-expression", "M39", "medium", "the cloud refuses such an expression today", "name sub and one of repository_id and repository_owner_id", false},
	{"audience-only", "M41", "critical", "only the audience is bound, and whoever asks for the token chooses it", "bind the repository, its id and the ref", false},
	{"role-type", "M41", "medium", "the role's type is oidc, which refuses the login of a job", "set role_type to jwt", true},
	{"token-lifetime", "M41", "low", "the lifetime is the system's default, up to 32 days", "set token_ttl to 15 minutes or less", false},
	{"entity-claim", "M41", "low", "the claim that names the entity mixes workloads", "use repository_id or sub", false},
	{"pattern-anchoring", "M42", "high", "the alternatives of the pattern are anchored on one side each", "put the alternatives into one group", false},
	{"unescaped-dot", "M42", "low", "\".\" in the pattern stands for any character", "write \"\\.\"", false},
	{"all-repositories", "M42", "medium", "the policy covers every repository of the organization", "list the repositories", false},
	{"write-permission", "M42", "medium", "more than one workload may write", "give the permission to read, or bind one ref", false},
	{"not-action", "M43", "high", "NotAction admits every action that it does not list", "use Action, and list the one", false},
	{"broken-deny", "M43", "low", "the Deny also stops, or fails to stop, tokens that it does not mean", "write what may get in as conditions of the Allow", false},
	{"indirect-trust", "M44", "medium", "another service stands between GitHub and the role; its own rules decide", "judge that service's rules as well", false},
	{"never-admits", "M15", "medium", "no token that the lock names gets in", "compare its values with the claims of a job's own token", true},
	{"refused-on-write", "M01", "info", "the cloud would refuse to store this today", "bind the subject before the next change", false},
	{"invalid", "", "medium", "the cloud refuses to store this", "correct the document", false},
	{"not-resolved", "", "info", "part of the policy is not known here", "judge the policy that is deployed as well", false},
}

// Classes lists the classes of findings, in the order of their ids.
func Classes() []string {
	names := make([]string, len(classes))
	for i, c := range classes {
		names[i] = c.name
	}
	return names
}

// ID returns the id of a finding's class in the catalogue of trust defects, "M07",
// or "" when it is in none.
func ID(name string) string { return classOf(name).id }

func classOf(name string) class {
	i := slices.IndexFunc(classes, func(c class) bool { return c.name == name })
	if i < 0 {
		return class{name: name, severity: "medium"}
	}
	return classes[i]
}

// Found returns a finding of a class in the class's own words. Its grade is the
// caller's to say.
func Found(name string, grade Grade) Finding {
	c := classOf(name)
	return Finding{Class: name, Severity: c.severity, Message: c.message, Next: c.next, Grade: grade}
}
