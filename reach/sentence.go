package reach

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows/platform"
)

// Sentence says in plain words what the job could lose and to whom. It may hold
// text from files; renderers clean it.
func (j *Job) Sentence() string {
	var b strings.Builder
	b.WriteString(startSentence(j))
	c := j.WorstCode()
	if c == nil || len(j.Credentials) == 0 {
		b.WriteString(" Nothing to take was found in it.")
		return b.String()
	}
	verb := "could take"
	if !c.Trust.Foreign() {
		verb = "can use"
	}
	fmt.Fprintf(&b, " In it, %s (%s) %s %s.", c.Name, c.Why, verb, CredentialList(j.Credentials))
	return b.String()
}

func startSentence(j *Job) string {
	var by [4][]string
	for _, s := range j.Starts {
		if !slices.Contains(by[s.Who], s.Event) {
			by[s.Who] = append(by[s.Who], s.Event)
		}
	}
	switch {
	case len(by[platform.StartAnyone]) > 0:
		return "Anyone can start it (" + strings.Join(by[platform.StartAnyone], ", ") + ")."
	case len(by[platform.StartForkSandboxed]) > 0:
		return "Anyone can start it from a fork, then without secrets; people with write access start it with them."
	case len(j.Starts) == 0:
		return "Only callers start it; none is in this repository."
	}
	return "People with write access start it (" + strings.Join(by[platform.StartWriter], ", ") + ")."
}

// CredentialList names credentials for a sentence: "NPM_TOKEN (standing, opens
// npm) and GITHUB_TOKEN (job, writes contents)".
func CredentialList(list []*Credential) string {
	var parts []string
	for _, c := range list {
		parts = append(parts, c.Name+" ("+c.Detail()+")")
	}
	switch len(parts) {
	case 0:
		return "nothing"
	case 1:
		return parts[0]
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}

// Detail says in a few words how long the credential lives and what it opens.
func (c *Credential) Detail() string {
	out := c.Lifetime.String()
	switch {
	case c.Default:
		return out + ", permissions not stated"
	case c.Kind == RepositoryToken && len(c.Scopes) > 0 && c.Scopes[0] == "*":
		return out + ", writes everything"
	case c.Kind == RepositoryToken && len(c.Scopes) > 0:
		return out + ", writes " + strings.Join(c.Scopes, " ")
	case c.Kind == RepositoryToken:
		return out + ", reads"
	case c.Opens != "":
		return out + ", opens " + c.Opens
	}
	return out
}

// String returns a short name of the grade: "own", "same owner", "platform",
// "by commit", "mutable", "mutable inside", "fetched", "agent", "outsider" or
// "malicious".
func (t Trust) String() string {
	return [...]string{"own", "same owner", "platform", "by commit", "mutable", "mutable inside", "fetched", "agent", "outsider", "malicious"}[t]
}
