package org

import (
	"cmp"
	"math"
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

// A loss is what some jobs of one repository could have lost.
type loss struct {
	reach *JobReach
	jobs  int
}

// lose counts a job that was hit, and returns the names of its credentials in the order
// in which to rotate them.
func (r *resident) lose(j *JobReach) []string {
	i := slices.IndexFunc(r.lost, func(l loss) bool { return l.reach == j })
	if i < 0 {
		i = len(r.lost)
		r.lost = append(r.lost, loss{reach: j})
	}
	r.lost[i].jobs++
	return j.names
}

// rotations returns the credentials that were within reach in the order in which to
// rotate them: standing ones first, then by how many repositories share them, then what
// opens clouds and registries.
func (s *search) rotations() []Rotation {
	known := map[rotationKey]*Rotation{}
	var all []*Rotation
	for _, r := range s.residents {
		for _, l := range r.lost {
			for i := range l.reach.Credentials {
				c := &l.reach.Credentials[i]
				id, scope := s.kept(r, l.reach.Environment, c)
				at := known[id]
				if at == nil {
					at = &Rotation{Name: c.Name, Kind: c.Kind, Lifetime: c.Lifetime, Opens: c.Opens, Scope: scope, Rotate: c.Lifetime == standing}
					known[id], all = at, append(all, at)
				}
				at.Jobs += l.jobs
				if n := len(at.Repositories); n == 0 || at.Repositories[n-1] != r.Name {
					at.Repositories = append(at.Repositories, r.Name)
				}
			}
		}
	}
	return inOrder(all)
}

// kept returns which credential a job's is, and where it is kept.
func (s *search) kept(r *resident, environment string, c *reach.DocumentCredential) (rotationKey, string) {
	id := rotationKey{kind: c.Kind, lifetime: c.Lifetime}
	if c.Lifetime != standing {
		id.name = c.Name
		return id, ""
	}
	if held := s.secrets.find(&r.Repository, environment, c.Name); held != nil {
		id.secretKey = held.key
		return id, held.Scope
	}
	id.secretKey = key(r.Name, "", c.Name)
	return id, ""
}

func inOrder(all []*Rotation) []Rotation {
	type ranked struct {
		urgency uint64
		*Rotation
	}
	order := make([]ranked, len(all))
	for i, r := range all {
		order[i] = ranked{urgency(r.Lifetime, len(r.Repositories), r.Opens), r}
	}
	slices.SortFunc(order, func(a, b ranked) int {
		if a.urgency != b.urgency {
			return cmp.Compare(a.urgency, b.urgency)
		}
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Repositories[0], b.Repositories[0]), strings.Compare(a.Kind, b.Kind))
	})
	out := make([]Rotation, len(order))
	for i, r := range order {
		out[i] = *r.Rotation
	}
	return out
}

// urgency is less for a credential that is to be rotated before another one.
func urgency(lifetime string, repositories int, opens string) uint64 {
	const others = 8 // bits for what it opens
	return uint64(rankIn(lifetimes, lifetime))<<(32+others) | uint64(math.MaxUint32-repositories)<<others | uint64(rankIn(cloudsAndRegistries, opens))
}

// rankIn is the place in a list, of what is not in it the one behind.
func rankIn(list []string, s string) int {
	if i := slices.Index(list, s); i >= 0 {
		return i
	}
	return len(list)
}
