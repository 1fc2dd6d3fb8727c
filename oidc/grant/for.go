package grant

import (
	"regexp"
	"slices"
	"strings"
)

// The shapes of names that GitHub gives, and of our own grants. The schema for
// editors has the same patterns; a test holds the two together.
var (
	grantName    = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	workflowPath = regexp.MustCompile(`^\.github/workflows/[^/@*\s\\]{1,200}\.ya?ml$`)
	repoName     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9._-]{1,100}$`)
	decimalID    = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)
	eventName    = regexp.MustCompile(`^[a-z][a-z_]{1,49}$`)
	actorName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}(\[bot\])?$`)
	// From 1m to 12h, in one unit or in hours and minutes.
	ttlForm = regexp.MustCompile(`^(([6-9][0-9]|[1-9][0-9]{2,3}|[1-3][0-9]{4}|4[0-2][0-9]{3}|43[01][0-9]{2}|43200)s` +
		`|([1-9][0-9]?|[1-6][0-9]{2}|7[01][0-9]|720)m|([1-9]|1[0-2])h|([1-9]|1[01])h[0-5]?[0-9]m)$`)
	// The iss claim of OpenID Connect Discovery §2, and a sub claim without a pattern in it.
	issuerForm  = regexp.MustCompile(`^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?$`)
	subjectForm = regexp.MustCompile(`^[!-)+-~]{1,255}$`)
	commitSHA   = regexp.MustCompile(`^[0-9a-f]{40}$`)
)

// rawFor is for: as it is written.
type rawFor struct {
	Workflow          string   `yaml:"workflow"`
	Called            string   `yaml:"called"`
	Ref               string   `yaml:"ref"`
	Refs              []string `yaml:"refs"`
	Environment       string   `yaml:"environment"`
	Events            []string `yaml:"events"`
	Repository        string   `yaml:"repository"`
	RepositoryID      number   `yaml:"repository-id"`
	RepositoryOwnerID number   `yaml:"repository-owner-id"`
	Actors            []string `yaml:"actors"`
	Runner            string   `yaml:"runner"`
	RefProtected      bool     `yaml:"ref-protected"`
	Issuer            string   `yaml:"issuer"`
	Subject           string   `yaml:"subject"`
}

// readFor reads and checks for:.
func (r reader) readFor(g *Grant, k pair, at string) error {
	keys, err := pairs(r.path, k.value, at)
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		return problem(r.path, k.line, "name at least the workflow or the ref", "%s is empty", at)
	}
	var raw rawFor
	if err := r.decode(k.value, &raw, at); err != nil {
		return err
	}
	for _, key := range keys {
		g.lines[key.name] = key.line
		if err := r.checkFor(key, raw, at); err != nil {
			return err
		}
	}
	if raw.Issuer != "" || raw.Subject != "" {
		return r.readForeign(g, k, keys, raw, at)
	}
	if raw.Ref != "" && len(raw.Refs) > 0 {
		return problem(r.path, g.lines["refs"], "put all of them in refs", "%s has both ref and refs", at)
	}
	if raw.Ref != "" {
		raw.Refs = []string{raw.Ref}
	}
	if raw.Runner == "" {
		raw.Runner = GitHubHosted
	}
	g.For = For{
		Workflow: raw.Workflow, Called: raw.Called, Refs: raw.Refs, Environment: raw.Environment,
		Events: raw.Events, Repository: raw.Repository,
		RepositoryID: string(raw.RepositoryID), RepositoryOwnerID: string(raw.RepositoryOwnerID),
		Actors: raw.Actors, Runner: raw.Runner, RefProtected: raw.RefProtected,
	}
	return nil
}

// checkFor checks the value of one key of for:, which has the right type.
func (r reader) checkFor(k pair, raw rawFor, at string) error {
	const (
		refHint = "write refs/heads/NAME or refs/tags/NAME; a last part of \"/*\" stands for all below"
		idHint  = "write the number that `gh api repos/OWNER/REPO --jq .id` (or .owner.id) gives"
	)
	at = k.name + " of " + at
	one := func(v string, ok func(string) bool, hint string) error {
		if !ok(v) {
			return problem(r.path, k.line, hint, "%s cannot be %s", at, quote(v))
		}
		return nil
	}
	switch k.name {
	case "workflow":
		return one(raw.Workflow, workflowPath.MatchString, "write the path from the root of the repository: .github/workflows/deploy.yml")
	case "called":
		return one(raw.Called, isCalled, "write owner/repo/.github/workflows/file.yml@ref, with a whole ref (refs/heads/main) or commit")
	case "ref":
		return one(raw.Ref, isRefPattern, refHint)
	case "refs":
		return r.checkList(k, raw.Refs, at, isRefPattern, refHint)
	case "environment":
		return one(raw.Environment, isEnvironment, "write the name of the environment as the job writes it")
	case "events":
		return r.checkEvents(k, raw.Events, at)
	case "repository":
		return one(raw.Repository, repoName.MatchString, "write owner/repo")
	case "repository-id":
		return one(string(raw.RepositoryID), decimalID.MatchString, idHint)
	case "repository-owner-id":
		return one(string(raw.RepositoryOwnerID), decimalID.MatchString, idHint)
	case "actors":
		return r.checkList(k, raw.Actors, at, actorName.MatchString, "write login names")
	case "runner":
		return one(raw.Runner, isRunner, "write github-hosted, self-hosted or any")
	case "issuer":
		return one(raw.Issuer, isForeignIssuer, "write the iss claim, as in https://spire.example.org; for GitHub's own tokens name the workflow, ref or environment instead")
	case "subject":
		return one(raw.Subject, subjectForm.MatchString, "write the whole sub claim, as in spiffe://example.org/ci/release; no part of it can be left open")
	}
	return nil
}

// checkList checks that a list says something, once.
func (r reader) checkList(k pair, list []string, at string, ok func(string) bool, hint string) error {
	if len(list) == 0 || len(list) > maxList {
		return problem(r.path, k.line, "name at least one, or remove the key", "%s must have from 1 to %d entries", at, maxList)
	}
	for i, v := range list {
		line := resolve(k.value).Content[i].Line
		if !ok(v) {
			return problem(r.path, line, hint, "%s cannot have %s", at, quote(v))
		}
		if slices.Contains(list[:i], v) {
			return problem(r.path, line, "remove one of them", "%s has %s twice", at, quote(v))
		}
	}
	return nil
}

func (r reader) checkEvents(k pair, list []string, at string) error {
	if i := slices.Index(list, "workflow_call"); i >= 0 {
		return problem(r.path, resolve(k.value).Content[i].Line, "name the event that starts the caller, and the called file with `called:`",
			"%s has workflow_call, which no token carries", at)
	}
	return r.checkList(k, list, at, eventName.MatchString, "write names of workflow triggers: push, workflow_dispatch")
}

func isRunner(s string) bool { return s == GitHubHosted || s == SelfHosted || s == AnyRunner }

func isEnvironment(s string) bool {
	return s != "" && len(s) <= 255 && printable(s) == s && strings.TrimSpace(s) == s
}

// isCalled reports whether s is owner/repo/.github/workflows/file.yml@ref.
func isCalled(s string) bool {
	f, ok := parseFileRef(s)
	return ok && repoName.MatchString(f.repository) && workflowPath.MatchString(f.path) &&
		(isRefPattern(f.ref) || commitSHA.MatchString(f.ref))
}

// isRefPattern reports whether s is the full name of a branch or tag, or "/*"
// after the beginning of one.
func isRefPattern(s string) bool {
	if strings.HasSuffix(s, "/*") {
		s = s[:len(s)-1] + "x"
	}
	name, ok := strings.CutPrefix(s, "refs/heads/")
	if !ok {
		name, ok = strings.CutPrefix(s, "refs/tags/")
	}
	return ok && isRefName(name)
}

// isRefName follows git-check-ref-format(1).
func isRefName(s string) bool {
	if s == "" || len(s) > 255 || s == "@" || printable(s) != s || strings.HasSuffix(s, ".") ||
		strings.ContainsAny(s, " ~^:?*[\\") || strings.Contains(s, "..") || strings.Contains(s, "@{") {
		return false
	}
	for part := range strings.SplitSeq(s, "/") {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") {
			return false
		}
	}
	return true
}

// matchRef reports whether a ref is one that the pattern names.
func matchRef(pattern, ref string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return len(ref) > len(prefix) && strings.HasPrefix(ref, prefix)
	}
	return pattern == ref
}

// A fileRef is a workflow file at a ref, as workflow_ref and job_workflow_ref
// write it: owner/repo/.github/workflows/file.yml@ref.
type fileRef struct{ repository, path, ref string }

// parseFileRef splits the claim. A file of .github/workflows has no "/" in its
// name and a full ref begins with "refs/", so the first "@refs/" ends the path
// whatever a branch is called; a commit has no "@", so the last one does.
func parseFileRef(s string) (fileRef, bool) {
	at := strings.Index(s, "@refs/")
	if at < 0 {
		at = strings.LastIndexByte(s, '@')
	}
	if at < 0 {
		return fileRef{}, false
	}
	file, ref := s[:at], s[at+1:]
	owner, rest, ok1 := strings.Cut(file, "/")
	repo, path, ok2 := strings.Cut(rest, "/")
	if !ok1 || !ok2 || owner == "" || repo == "" || path == "" || ref == "" {
		return fileRef{}, false
	}
	return fileRef{owner + "/" + repo, path, ref}, true
}
