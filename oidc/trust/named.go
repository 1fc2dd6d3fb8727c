package trust

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc"
)

// maxTargets bounds the targets of one alternative.
const maxTargets = 24

// Named returns the targets that a policy means, by the values that its text
// names. named maps the wire name of a claim to the values of one alternative (a
// statement, a role); the values are alternatives too, and "*" or "?" in one stands
// for any text. "iss" and "aud" become Issuer and Audience; a claim without a place
// of its own becomes one of Target.Claims. Without any value there is no target.
func Named(named map[string][]string) []Target {
	list := []Target{{}}
	for _, claim := range claimOrder(named) {
		if len(named[claim]) == 0 {
			continue
		}
		var next []Target
		for _, value := range named[claim] {
			for _, t := range list {
				if len(next) < maxTargets {
					next = append(next, t.with(claim, value))
				}
			}
		}
		list = next
	}
	if len(list) == 1 && list[0].empty() {
		return nil
	}
	return list
}

// claimOrder sorts claims so that the one that names the workload best comes
// first: the others fill what it leaves open. job_workflow_ref comes last, as its
// meaning depends on the repository.
func claimOrder(named map[string][]string) []string {
	first := []string{"sub", "repository", "repository_owner", "ref", "environment", "workflow_ref"}
	order := slices.Sorted(maps.Keys(named))
	rank := func(claim string) int {
		if i := slices.Index(first, claim); i >= 0 {
			return i
		}
		if claim == "job_workflow_ref" {
			return len(first) + 1
		}
		return len(first)
	}
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	return order
}

func (t Target) empty() bool {
	return t.Owner == "" && t.Repository == "" && t.OwnerID == "" && t.RepositoryID == "" && t.Ref == "" &&
		t.Environment == "" && t.Workflow == "" && t.Called == "" && t.Subject == "" && len(t.Claims) == 0
}

// with returns the target with one value more. What is known already stays.
func (t Target) with(claim, value string) Target {
	text, _, wild := cutWild(value)
	switch claim {
	case "sub":
		return t.withSubject(value)
	case "iss":
		t.Issuer = value
	case "aud":
		t.Audience = value
	case "repository":
		t.setRepository(value)
	case "repository_owner":
		t.Owner = cmp.Or(t.Owner, known(value))
	case "repository_owner_id":
		t.OwnerID = cmp.Or(t.OwnerID, onlyIf(!wild, value))
	case "repository_id":
		t.RepositoryID = cmp.Or(t.RepositoryID, onlyIf(!wild, value))
	case "ref":
		t.Ref = cmp.Or(t.Ref, exampleRef(value))
	case "environment":
		// The claim carries the name as it is, so it is truer than the subject, unless
		// that is of jobs that have no environment.
		if !withoutEnvironment(t.Subject) {
			t.Environment = cmp.Or(known(value), t.Environment)
		}
	case "workflow_ref":
		t.setWorkflow(exampleFile(value))
	case "job_workflow_ref":
		t.setCalled(exampleFile(value))
	default:
		if text != "" {
			t.Claims = maps.Clone(t.Claims)
			if t.Claims == nil {
				t.Claims = map[string]string{}
			}
			t.Claims[claim] = text
		}
	}
	return t
}

func onlyIf(ok bool, value string) string {
	if ok {
		return value
	}
	return ""
}

func (t *Target) setRepository(value string) {
	owner, repo, _ := strings.Cut(acrossSlash(value), "/")
	owner, repo = known(strings.TrimLeft(owner, wildcards)), known(strings.TrimLeft(repo, wildcards))
	t.Owner, t.Repository = cmp.Or(t.Owner, owner), cmp.Or(t.Repository, repo)
}

// setWorkflow takes the file of a workflow_ref.
func (t *Target) setWorkflow(value string) {
	f, ok := parseFile(value)
	if !ok {
		return
	}
	t.setRepository(f.owner + "/" + f.repo)
	t.Workflow, t.Ref = cmp.Or(t.Workflow, f.path), cmp.Or(t.Ref, f.ref)
}

// setCalled takes the file of a job_workflow_ref: a reusable workflow unless it is
// of the repository itself, where it is the file that was started.
func (t *Target) setCalled(value string) {
	f, ok := parseFile(value)
	if !ok {
		return
	}
	if t.Owner == f.owner && t.Repository == f.repo {
		t.setWorkflow(value)
		return
	}
	t.Called = value
}

// wildcards stand for text in a pattern.
const wildcards = "*?"

// cutWild cuts a pattern at its first wildcard. The names and refs of GitHub hold
// neither "*" nor "?".
func cutWild(pattern string) (before, after string, wild bool) {
	if i := strings.IndexAny(pattern, wildcards); i >= 0 {
		return pattern[:i], pattern[i+1:], true
	}
	return pattern, "", false
}

// known is the beginning of a pattern, with one character for each "?".
func known(pattern string) string {
	before, _, _ := strings.Cut(pattern, "*")
	return strings.ReplaceAll(before, "?", "x")
}

// withSubject takes a sub claim or a pattern of one.
func (t Target) withSubject(sub string) Target {
	t.Subject = sub
	rest, repo := strings.CutPrefix(sub, "repo:")
	if !repo {
		t.customSubject(sub)
		return t
	}
	segment, context, _ := strings.Cut(rest, ":")
	owner, name, _ := strings.Cut(acrossSlash(segment), "/")
	t.Owner, t.OwnerID = nameAndID(owner)
	t.Repository, t.RepositoryID = nameAndID(name)
	t.Immutable = strings.Contains(segment, "@")
	if isTemplate(sub) {
		t.customSubject(sub)
		return t
	}
	t.context(context)
	return t
}

// acrossSlash writes the slash that the wildcard at the beginning of "*app" stands for:
// what ends a repository's full name is the end of its own.
func acrossSlash(pattern string) string {
	tail := strings.TrimLeft(pattern, wildcards)
	if tail == pattern || tail == "" || strings.ContainsAny(tail, "/"+wildcards) {
		return pattern
	}
	return "*/" + tail
}

// nameAndID reads NAME@ID up to a wildcard: an id may be the beginning of one.
func nameAndID(part string) (name, id string) {
	name, id, _ = strings.Cut(part, "@")
	id, _, _ = cutWild(id)
	return known(strings.TrimLeft(name, wildcards)), id
}

func (t *Target) context(context string) {
	key, value, _ := strings.Cut(context, ":")
	switch key {
	case "ref":
		t.Ref = exampleRef(value)
	case "environment":
		t.Environment = strings.ReplaceAll(known(value), "%3A", ":")
	}
}

// customSubject reads a subject of another template, or a pattern that begins with
// a wildcard: keys and values, as far as they are known.
func (t *Target) customSubject(sub string) {
	if segment, _, _ := strings.Cut(sub, ":"); strings.IndexAny(sub, wildcards) == 0 {
		t.setRepository(segment)
	}
	for _, pair := range subjectPairs(sub) {
		name, _, _ := cutWild(pair.value)
		switch pair.key {
		case "repo", "repository":
			owner, repo, _ := strings.Cut(pair.value, "/")
			t.Owner, t.OwnerID = nameAndID(owner)
			t.Repository, t.RepositoryID = nameAndID(repo)
		case "repository_owner":
			t.Owner = name
		case "repository_owner_id":
			t.OwnerID = name
		case "repository_id":
			t.RepositoryID = name
		case "ref":
			t.Ref = exampleRef(pair.value)
		case "environment":
			t.Environment = strings.ReplaceAll(name, "%3A", ":")
		case "job_workflow_ref":
			t.Called = exampleFile(pair.value)
		default:
			if name != "" {
				t.Claims = map[string]string{pair.key: name}
			}
		}
	}
}

// A subjectPair is one claim of a template's subject.
type subjectPair struct{ key, value string }

// templateKeys are the claims of which an owner may make a subject, those of the
// documentation's list that a policy can mean.
var templateKeys = []string{
	"repo", "repository", "repository_id", "repository_owner", "repository_owner_id", "repository_visibility",
	"ref", "environment", "job_workflow_ref", "workflow", "workflow_ref", "actor", "actor_id", "event_name",
	"base_ref", "head_ref", "ref_type", "runner_environment", "enterprise", "enterprise_id", "context",
}

// subjectPairs splits a template's subject at the keys that are known.
func subjectPairs(sub string) []subjectPair {
	var pairs []subjectPair
	for part := range strings.SplitSeq(sub, ":") {
		open := len(pairs) > 0 && pairs[len(pairs)-1].value == "" && pairs[len(pairs)-1].key != ""
		switch {
		case !open && slices.Contains(templateKeys, part):
			pairs = append(pairs, subjectPair{key: part})
		case open:
			pairs[len(pairs)-1].value = part
		}
	}
	return pairs
}

// exampleRef is a ref that a pattern fits, "" where the pattern says nothing of it.
// A branch pattern that begins with a whole name, "main*", was meant for that branch.
func exampleRef(pattern string) string {
	before, after, wild := cutWild(pattern)
	if !wild {
		return onlyIf(isRef(pattern), pattern)
	}
	if strings.Trim(after, wildcards) != "" && isRef(before) {
		return strings.NewReplacer("*", "1", "?", "1").Replace(pattern)
	}
	if !strings.Contains(pattern, "*") && before != "refs/heads/" {
		return known(pattern)
	}
	switch name := strings.TrimPrefix(before, "refs/heads/"); {
	case before == "refs/tags/" || before == "refs/tags/v":
		return otherTag
	case !strings.HasPrefix(before, "refs/") || name == "" || before == "refs/":
		return ""
	case strings.HasPrefix(before, "refs/tags/") || strings.ContainsAny(name[len(name)-1:], separators):
		return before + "1"
	}
	return before
}

// isRef reports whether a job's ref claim can be like this: a full name, which "main"
// is not, and without white space, which git allows in no ref.
func isRef(s string) bool {
	whole := strings.HasPrefix(s, "refs/heads/") || strings.HasPrefix(s, "refs/tags/") || strings.HasPrefix(s, "refs/pull/")
	return whole && !strings.ContainsAny(s, " \t\r\n")
}

// separators are what parts of a branch name are separated by.
const separators = "-/_."

// exampleFile is a workflow file with its ref that a pattern fits.
func exampleFile(pattern string) string {
	const file, ref = "deploy.yml", "refs/heads/main"
	before, after, wild := cutWild(pattern)
	if !wild {
		return pattern
	}
	if _, to, ok := strings.Cut(after, "@"); ok && !strings.Contains(before, "@") {
		return exampleFile(completePath(before, file) + "@" + to)
	}
	if at := strings.Index(before, "@"); at >= 0 {
		if part := before[at+1:]; strings.HasPrefix(ref, part) {
			return before[:at+1] + ref
		}
		return before + "1"
	}
	return completePath(before, file) + "@" + ref
}

// completePath makes a workflow's path of how one begins.
func completePath(before, file string) string {
	const dir = ".github/workflows/"
	owner, rest, _ := strings.Cut(before, "/")
	repo, path, _ := strings.Cut(rest, "/")
	switch {
	case !strings.HasPrefix(path, dir):
		path = dir + file
	case path == dir:
		path += file
	case !strings.HasSuffix(path, ".yml") && !strings.HasSuffix(path, ".yaml"):
		path += ".yml"
	}
	return cmp.Or(owner, exampleOwner) + "/" + cmp.Or(repo, exampleRepository) + "/" + path
}

// A file is a workflow file at a ref: owner/repo/path@ref.
type file struct{ owner, repo, path, ref string }

func parseFile(s string) (file, bool) {
	path, ref, ok := strings.Cut(s, "@")
	owner, rest, ok1 := strings.Cut(path, "/")
	repo, path, ok2 := strings.Cut(rest, "/")
	return file{owner, repo, path, ref}, ok && ok1 && ok2 && owner != "" && repo != "" && path != "" && ref != ""
}

// isTemplate reports whether a subject, or a pattern of one, is of a template of the
// owner's own: it has neither of the usual forms, whatever its wildcards stand for.
func isTemplate(sub string) bool {
	rest, repo := strings.CutPrefix(sub, "repo:")
	if !repo {
		return sub != "" && strings.IndexAny(sub, wildcards) != 0
	}
	segment, context, _ := strings.Cut(rest, ":")
	key, _, _ := strings.Cut(context, ":")
	if context == "" {
		return !strings.ContainsAny(segment, wildcards)
	}
	begin, _, open := cutWild(key)
	usual := slices.ContainsFunc([]string{"ref", "environment", "pull_request"}, func(kind string) bool {
		return key == kind || open && strings.HasPrefix(kind, begin)
	})
	if pairs := len(subjectPairs(sub)); usual && pairs > 2 || open && begin == "" && pairs > 1 {
		return true // the usual context, and more claims after it
	}
	return !usual
}

// withoutEnvironment reports whether a subject is of jobs that have no environment.
func withoutEnvironment(sub string) bool {
	kind := oidc.ParseSubject(sub).Kind
	return !strings.ContainsAny(sub, wildcards) && (kind == oidc.SubjectRef || kind == oidc.SubjectPullRequest)
}

// namesPulls reports whether a subject, or a pattern of one, is of pull requests.
func namesPulls(sub string) bool {
	kind := sub[strings.LastIndexByte(sub, ':')+1:]
	begin, _, open := cutWild(kind)
	return kind == "pull_request" || strings.HasSuffix(kind, "*pull_request") || open && len(begin) > 1 && strings.HasPrefix("pull_request", begin)
}
