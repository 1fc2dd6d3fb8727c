package grant

import (
	"cmp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/oidc"
)

// A Repository is the names and ids of which sub claims are made. Ids are "" where
// they are not known.
type Repository struct {
	Name        string // owner/repo
	ID, OwnerID string
}

// repositoryOf fills what the grant says of its repository into what the caller
// knows; the grant's own word wins.
func (g *Grant) repositoryOf(known Repository) Repository {
	return Repository{
		Name:    cmp.Or(g.For.Repository, known.Name),
		ID:      cmp.Or(g.For.RepositoryID, known.ID),
		OwnerID: cmp.Or(g.For.RepositoryOwnerID, known.OwnerID),
	}
}

// Subjects lists every sub claim that the grant's jobs can present, sorted within
// each form: the classic ones, then the immutable ones if both ids are known. A
// "*" stands for any run of characters; the grant's ref patterns have one, and a
// grant that names neither ref nor environment admits any ref. Which form a
// repository presents is in its settings; a template of the owner's own can
// present others, which are not listed. known is the repository that holds the
// file; without a name there are no subjects. A grant for another issuer's tokens has
// the one that it names.
func (g *Grant) Subjects(known Repository) []string {
	if !g.For.OfJobs() {
		return []string{g.For.Subject}
	}
	repo := g.repositoryOf(known)
	owner, name, ok := strings.Cut(repo.Name, "/")
	if !ok {
		return nil
	}
	forms := []oidc.Subject{{Form: oidc.SubjectClassic, Owner: owner, Repo: name}}
	if repo.ID != "" && repo.OwnerID != "" {
		forms = append(forms, oidc.Subject{Form: oidc.SubjectImmutable, Owner: owner, OwnerID: repo.OwnerID, Repo: name, RepoID: repo.ID})
	}
	var subs []string
	for _, form := range forms {
		var these []string
		for _, context := range g.contexts() {
			form.Kind, form.Value = context.Kind, context.Value
			these = append(these, form.String())
		}
		slices.Sort(these)
		subs = append(subs, slices.Compact(these)...)
	}
	return subs
}

// contexts are the last parts of sub, as kind and value.
func (g *Grant) contexts() []oidc.Subject {
	if g.For.Environment != "" {
		return []oidc.Subject{{Kind: oidc.SubjectEnvironment, Value: g.For.Environment}}
	}
	var out []oidc.Subject
	inPull := func(e string) bool { return slices.Contains(pullRequestEvents, e) }
	if slices.ContainsFunc(g.For.Events, inPull) {
		out = append(out, oidc.Subject{Kind: oidc.SubjectPullRequest})
	}
	// Only pull_request is known for certain to have no ref in sub.
	if len(g.For.Events) == 1 && g.For.Events[0] == "pull_request" {
		return out
	}
	refs := g.For.Refs
	if len(refs) == 0 {
		refs = []string{"*"}
	}
	for _, ref := range refs {
		out = append(out, oidc.Subject{Kind: oidc.SubjectRef, Value: ref})
	}
	return out
}
