package workflows

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
)

// ErrNotFound says that a server has no such repository or ref, or hides it from
// whoever asks.
var ErrNotFound = errors.New("no such repository or ref")

// Refs are the branches and tags of a repository on its server, by short name, each
// with the full commit that it points to; annotated tags are followed to it.
type Refs struct {
	Branches, Tags map[string]string
	// Renamed is the owner/repo to which the server sent the question on, "" when the
	// repository is still where it was looked for.
	Renamed string
}

// Commit returns the commit that a ref names, "" when there is none. A tag wins over a
// branch of the same name, as it does in a uses:.
func (r *Refs) Commit(ref string) string {
	if c := r.Tags[ref]; c != "" {
		return c
	}
	return r.Branches[ref]
}

// IsTip reports whether a branch or tag points to the commit.
func (r *Refs) IsTip(commit string) bool {
	for _, names := range []map[string]string{r.Tags, r.Branches} {
		for _, c := range names {
			if c == commit {
				return true
			}
		}
	}
	return false
}

var versionTag = regexp.MustCompile(`^v?[0-9]+(\.[0-9]+){0,3}$`)

// Version returns the version tag on the commit that says most: v4.3.1 rather than
// v4.3 or v4; of several as full, the one that begins like the ref that it is to stand
// for, then the greatest. It is "" when the commit has none.
func (r *Refs) Version(commit, ref string) string {
	best := ""
	for tag, c := range r.Tags {
		if c == commit && versionTag.MatchString(tag) && (best == "" || fullerVersion(tag, best, ref)) {
			best = tag
		}
	}
	return best
}

func fullerVersion(a, b, ref string) bool {
	if da, db := strings.Count(a, "."), strings.Count(b, "."); da != db {
		return da > db
	}
	if pa, pb := strings.HasPrefix(a, ref), strings.HasPrefix(b, ref); pa != pb {
		return pa
	}
	return greaterVersion(a, b)
}

// greaterVersion compares version tags number by number.
func greaterVersion(a, b string) bool {
	pa, pb := strings.Split(strings.TrimPrefix(a, "v"), "."), strings.Split(strings.TrimPrefix(b, "v"), ".")
	for i := range min(len(pa), len(pb)) {
		na, _ := strconv.Atoi(pa[i])
		nb, _ := strconv.Atoi(pb[i])
		if na != nb {
			return na > nb
		}
	}
	return a > b
}

// A Protection is what a deployment environment demands before a job may enter it. The
// zero value demands nothing.
type Protection struct {
	// Approval is set when a person or an app has to agree, Wait when time has to pass,
	// and Refs when only some branches or tags may enter, which patterns may widen to all.
	Approval, Wait, Refs bool
}

// A RemoteAdvisory is one published advisory about the versions of one action.
type RemoteAdvisory struct {
	ID     string // GHSA-…
	Action string // owner/repo[/path], lower case
	// Range is the versions concerned, as the database writes it: ">= 1.0, < 1.2.3".
	Range string
	Fixed string // the first version without the hole, "" when there is none
	Date  string // of publication, YYYY-MM-DD
	URL   string
}
