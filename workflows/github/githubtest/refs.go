package githubtest

import (
	"slices"
	"strings"
)

// A Ref is a tag or a branch.
type Ref struct {
	Commit string // "" for a tag on a file
	// Tags is how many tag objects lie between the ref and its commit: 0 for a branch and
	// a lightweight tag, 1 for an annotated one.
	Tags int
	// Denied is a ref that is answered with an error.
	Denied bool
}

// named finds a repository by owner/repo.
func (o *Organization) named(name string) *Repository {
	is := func(r *Repository) bool { return strings.EqualFold(o.fullName(r), name) }
	for _, list := range [][]*Repository{o.Repositories, o.Others} {
		if i := slices.IndexFunc(list, is); i >= 0 {
			return list[i]
		}
	}
	return nil
}

func (o *Organization) fullName(r *Repository) string {
	if strings.Contains(r.Name, "/") {
		return r.Name // of another owner
	}
	return o.Name + "/" + r.Name
}

// Move sets a ref of a repository, by its full name.
func (r *Repository) Move(ref string, to Ref) {
	if r.Refs == nil {
		r.Refs = map[string]Ref{}
	}
	r.Refs[ref] = to
}

// A gitRef is a ref with its full name.
type gitRef struct {
	name string
	Ref
}

// ref answers for one: by its full name, and where there is none of that name by a short
// one, of a branch before that of a tag.
func (x *execution) ref(r *Repository, s selection, path []any) any {
	asked := x.text(s.args["qualifiedName"])
	for _, name := range []string{asked, "refs/heads/" + asked, "refs/tags/" + asked} {
		at, is := r.Refs[name]
		if !is && r.Head != "" && name == "refs/heads/"+r.Branch {
			at, is = Ref{Commit: r.Head}, true
		}
		switch {
		case is && at.Denied:
			x.errors = append(x.errors, queryError{Type: "FORBIDDEN", Message: "Resource not accessible by integration", Path: path})
			return nil
		case is:
			return object{"Ref", gitRef{name, at}, r}
		}
	}
	return nil
}

func (g gitRef) field(s selection, r *Repository) any {
	prefix, short := "refs/heads/", strings.TrimPrefix(g.name, "refs/heads/")
	if tag, is := strings.CutPrefix(g.name, "refs/tags/"); is {
		prefix, short = "refs/tags/", tag
	}
	switch s.name {
	case "name":
		return short
	case "prefix":
		return prefix
	}
	return tagObject{short, g.Ref}.next(r)
}

// A tagObject is an annotated tag; as many as its Tags stand before the commit.
type tagObject struct {
	name string
	Ref
}

// next is what a ref, or a tag object less, points to.
func (t tagObject) next(r *Repository) object {
	switch {
	case t.Tags > 0:
		return object{"Tag", t, r}
	case t.Commit == "":
		return object{"Blob", &node{name: t.name, file: Text("a tag on a file\n")}, r}
	}
	return object{"Commit", t.Commit, r}
}

func (t tagObject) field(s selection, r *Repository) any {
	switch s.name {
	case "name":
		return t.name
	case "oid":
		return sum(strings.Repeat("tag ", t.Tags) + t.name + t.Commit)
	}
	t.Tags--
	return t.next(r)
}
