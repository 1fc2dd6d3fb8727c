package platform

import (
	"maps"
	"slices"
	"strings"
)

// Lookalike returns the well-known action that owner/repo (lower case) is one typo
// away from: the owner's name differs by one letter, left out, added, changed or
// swapped with the next, and the repository's by one at most. It is "" for a name whose
// owner is well-known itself, since nobody else can register a repository there, and for
// owners too short to tell a typo from another name.
func Lookalike(name string) string {
	owner, repo, ok := strings.Cut(name, "/")
	if _, known := wellKnown[owner]; known || !ok {
		return ""
	}
	for _, o := range wellKnownOwners {
		if len(o) < minOwner || !oneTypo(owner, o) {
			continue
		}
		for _, r := range wellKnown[o] {
			if repo == r || len(r) >= minRepo && oneTypo(repo, r) {
				return o + "/" + r
			}
		}
	}
	return ""
}

// Shorter names are one letter away from too many honest ones.
const (
	minOwner = 4
	minRepo  = 6
)

// wellKnown holds the repositories of the tables of actions by owner.
var wellKnown, wellKnownOwners = indexOwners()

func indexOwners() (map[string][]string, []string) {
	index := map[string][]string{}
	add := func(name string) {
		parts := strings.Split(name, "/")
		if !slices.Contains(index[parts[0]], parts[1]) {
			index[parts[0]] = append(index[parts[0]], parts[1])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(actions)) {
		add(name)
	}
	for _, name := range slices.Sorted(maps.Keys(tools)) {
		add(name)
	}
	return index, slices.Sorted(maps.Keys(index))
}

// oneTypo reports whether a becomes b by one letter left out, added or changed, or two
// neighbours swapped.
func oneTypo(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	switch {
	case len(b)-len(a) > 1 || a == b:
		return false
	case len(b) > len(a):
		return a[i:] == b[i+1:]
	}
	return a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}
