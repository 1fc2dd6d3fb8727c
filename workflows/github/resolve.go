package github

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
)

const (
	// RefsPerQuery is how many tags and branches one query names, each by the two full
	// names that it may have.
	RefsPerQuery = maxAliases / 2
	// maxRefBytes is the longest name of a ref that is asked for.
	maxRefBytes = 255
)

// A RefName is a tag or branch as a uses: line names it.
type RefName struct {
	Repository string // owner/repo
	Ref        string
}

// A RefCommit is what a ref names when it is asked for.
type RefCommit struct {
	RefName
	// Kind is "tag" or "branch", and Commit the full commit, that of an annotated tag, too.
	Kind, Commit string
	// Denied says in one lower-case line why there is no commit, "" otherwise.
	Denied string
}

// Resolve asks which commits tags and branches name now, [RefsPerQuery] a request and a
// point. The answers come once for each, in the order of the names. A tag is preferred to
// a branch of its name, as in a uses: line, and refs/tags/NAME or refs/heads/NAME names one
// of them only. An error names those that never came and ends nothing unless ctx has ended
// or the host refuses.
func (r *Reader) Resolve(ctx context.Context, names []RefName) iter.Seq2[RefCommit, error] {
	return inBatches(names, RefsPerQuery, "tags and branches", r.log, func(some []RefName) ([]RefCommit, error) { return r.resolve(ctx, some) },
		func(n RefName) RefCommit {
			return RefCommit{RefName: n, Denied: "the host does not answer for it"}
		})
}

// refFields is a ref with what it points to, through tags on tags.
const refFields = `fragment T on Ref{name prefix target{...C ... on Tag{target{...C ... on Tag{target{...C ... on Tag{target{...C}}}}}}}}
fragment C on GitObject{__typename oid}`

// A refReply is the answer to refFields.
type refReply struct {
	Name   string       `json:"name"`
	Prefix string       `json:"prefix"`
	Target *targetReply `json:"target"`
}

type targetReply struct {
	Type   string       `json:"__typename"`
	OID    string       `json:"oid"`
	Target *targetReply `json:"target"`
}

// A refBatch is a query for refs, those of one repository under one alias.
type refBatch struct {
	variables
	repositories []string
	fields       []string // of each repository
}

// add asks for a ref, and returns the aliases of its repository and number; "" when what
// it names cannot be.
func (q *refBatch) add(i int, n RefName) string {
	owner, name, _ := strings.Cut(n.Repository, "/")
	if _, err := slug(owner, name); err != nil || !isRefName(n.Ref) {
		return ""
	}
	at := slices.Index(q.repositories, n.Repository)
	if at < 0 {
		at = len(q.repositories)
		q.repositories, q.fields = append(q.repositories, n.Repository), append(q.fields, "")
	}
	for _, full := range fullNames(n.Ref) {
		alias := refAlias(full, i)
		q.fields[at] += fmt.Sprintf(" %s: ref(qualifiedName:%s){...T}", alias, q.variable(alias, "String!", full))
	}
	return fmt.Sprintf("r%d", at)
}

func (q *refBatch) text() string {
	var body strings.Builder
	for at, repository := range q.repositories {
		owner, name, _ := strings.Cut(repository, "/")
		o, n := q.variable(fmt.Sprintf("o%d", at), "String!", owner), q.variable(fmt.Sprintf("n%d", at), "String!", name)
		fmt.Fprintf(&body, " r%d: repository(owner:%s,name:%s){%s}\n", at, o, n, q.fields[at])
	}
	return q.query(body.String()) + refFields
}

const (
	tagPrefix    = "refs/tags/"
	branchPrefix = "refs/heads/"
)

// fullNames are those that a ref may have, the preferred one first.
func fullNames(ref string) []string {
	if strings.HasPrefix(ref, tagPrefix) || strings.HasPrefix(ref, branchPrefix) {
		return []string{ref}
	}
	return []string{tagPrefix + ref, branchPrefix + ref}
}

func refAlias(full string, i int) string {
	if strings.HasPrefix(full, tagPrefix) {
		return fmt.Sprintf("t%d", i)
	}
	return fmt.Sprintf("b%d", i)
}

// isRefName reports whether git takes the name for a ref; see git-check-ref-format(1).
func isRefName(ref string) bool {
	return ref != "" && len(ref) <= maxRefBytes && !strings.Contains(ref, "..") && !strings.ContainsFunc(ref, func(c rune) bool {
		return c <= ' ' || c == 0x7f || strings.ContainsRune(`~^:?*[\`, c)
	})
}

// resolve asks one query for all names.
func (r *Reader) resolve(ctx context.Context, names []RefName) ([]RefCommit, error) {
	q := &refBatch{}
	aliases := make([]string, len(names))
	for i, n := range names {
		aliases[i] = q.add(i, n)
	}
	var data batchReply[refReply]
	denied := map[string]string{}
	if len(q.repositories) > 0 {
		failed, err := r.query(ctx, q.text(), q.values, &data)
		if err != nil {
			return nil, err
		}
		r.charge(data.cost)
		for _, e := range failed {
			denied[e.at(0)+"."+e.at(1)] = e.reason()
		}
	}
	found := make([]RefCommit, len(names))
	for i, n := range names {
		found[i] = RefCommit{RefName: n, Denied: "no tag or branch can have this name"}
		if at := aliases[i]; at != "" {
			found[i] = refCommitOf(n, i, data.nodes[at], func(field string) string { return denied[at+"."+field] })
		}
	}
	return found, nil
}

// refCommitOf reads the answer for one name. One full name that is denied leaves open
// what the other would be.
func refCommitOf(n RefName, i int, got map[string]*refReply, denied func(field string) string) RefCommit {
	out := RefCommit{RefName: n, Denied: denied("")}
	if got == nil && out.Denied == "" {
		out.Denied = "not found, or the token may not see it"
	}
	for _, full := range fullNames(n.Ref) {
		alias := refAlias(full, i)
		if out.Denied == "" {
			out.Denied = denied(alias)
		}
		if out.Denied != "" {
			return out
		}
		// The host takes a branch that is called refs/tags/v1 for a tag v1 that is not there.
		if ref := got[alias]; ref != nil && ref.Prefix+ref.Name == full {
			out.Kind, out.Commit = kindOf(full), ref.Target.commit()
			if out.Commit == "" {
				out.Kind, out.Denied = "", "it names no commit"
			}
			return out
		}
	}
	out.Denied = "there is no such tag or branch"
	return out
}

func kindOf(full string) string {
	if strings.HasPrefix(full, tagPrefix) {
		return "tag"
	}
	return "branch"
}

// commit is the commit behind the tags, "" when there is none within reach.
func (t *targetReply) commit() string {
	for ; t != nil; t = t.Target {
		if t.Type == "Commit" && commitID.MatchString(t.OID) {
			return t.OID
		}
	}
	return ""
}
