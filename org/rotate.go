package org

import (
	"cmp"
	"slices"
	"strings"

	"github.com/stint-dev/stint/reach"
)

// A rotationKey is one credential: a stored secret by the place where it is kept, and
// anything else by its kind and name, since each job has its own.
type rotationKey struct {
	secretKey
	kind, lifetime string
}

// lifetimes are ordered by how long what was taken can be used.
var lifetimes = []string{reach.Standing.String(), reach.ForHours.String(), reach.ForJob.String(), reach.ForCommand.String()}

// clouds and registries are what a stolen credential opens first: what can be done with it
// there is done to others, too.
var cloudsAndRegistries = []string{
	"aws", "gcp", "azure", "alibaba", "oracle", "digitalocean", "cloudflare", "vault", "kubernetes", "terraform",
	"npm", "pypi", "crates", "rubygems", "nuget", "docker", "ghcr", "packagist", "maven", "github",
}

// expose counts the credentials of a job that was hit, and returns their names in the
// order in which to rotate them.
func (s *search) expose(r *repoRecord, j *jobDigest) []string {
	names := make([]string, len(j.Credentials))
	for i, c := range j.Credentials {
		names[i] = c.Name
		id := rotationKey{kind: c.Kind, lifetime: c.Lifetime}
		scope := ""
		if c.Lifetime == standing {
			if held := s.secrets.find(&r.Repository, j.Environment, c.Name); held != nil {
				id.secretKey, scope = held.key, held.Scope
			} else {
				id.secretKey = key(r.Name, "", c.Name)
			}
		} else {
			id.name = c.Name
		}
		known := s.rotations[id]
		if known == nil {
			known = &Rotation{Name: c.Name, Kind: c.Kind, Lifetime: c.Lifetime, Opens: c.Opens, Scope: scope, Rotate: c.Lifetime == standing}
			s.rotations[id] = known
		}
		known.Jobs++
		if n := len(known.Repositories); n == 0 || known.Repositories[n-1] != r.Name {
			known.Repositories = append(known.Repositories, r.Name)
		}
	}
	return names
}

// order returns the credentials in the order in which to rotate them: standing ones
// first, then by how many repositories share them, then what opens clouds and registries.
func (s *search) order() []Rotation {
	out := []Rotation{}
	for _, r := range s.rotations {
		slices.Sort(r.Repositories)
		r.Repositories = slices.Compact(r.Repositories)
		out = append(out, *r)
	}
	slices.SortFunc(out, byUrgency)
	return out
}

func byUrgency(a, b Rotation) int {
	return cmp.Or(
		cmp.Compare(lifetimeRank(a.Lifetime), lifetimeRank(b.Lifetime)),
		cmp.Compare(len(b.Repositories), len(a.Repositories)),
		cmp.Compare(opensRank(a.Opens), opensRank(b.Opens)),
		strings.Compare(a.Name, b.Name),
		strings.Compare(first(a.Repositories), first(b.Repositories)),
		strings.Compare(a.Kind, b.Kind),
	)
}

func lifetimeRank(l string) int {
	if i := slices.Index(lifetimes, l); i >= 0 {
		return i
	}
	return len(lifetimes)
}

func opensRank(opens string) int {
	if i := slices.Index(cloudsAndRegistries, opens); i >= 0 {
		return i
	}
	return len(cloudsAndRegistries)
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
