package org

import (
	"cmp"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows/github"
)

// An inventory is the stored secrets as far as the token may list them.
type inventory struct {
	all []*heldSecret
	// of finds them by place and name: "", owner/repo or owner/repo and an environment,
	// in lower case, with names in upper case as the host has them.
	of map[secretKey]*heldSecret
	// in lists them by repository, "" for those of the organization.
	in map[string][]*heldSecret
}

type secretKey struct{ repository, environment, name string }

// A heldSecret is a stored secret with what its use is known to be.
type heldSecret struct {
	Secret
	key secretKey
	// selected are the repositories that see a secret of the organization, in lower
	// case; partial is set when they are not all known.
	selected map[string]bool
	partial  bool
	// open is set when a job that could have it holds every secret of its repository.
	open bool
}

func key(repository, environment, name string) secretKey {
	return secretKey{strings.ToLower(repository), strings.ToLower(environment), strings.ToUpper(name)}
}

// inventoryOf reads the secrets of the index.
func inventoryOf(tx *bbolt.Tx) (*inventory, error) {
	v := &inventory{of: map[secretKey]*heldSecret{}, in: map[string][]*heldSecret{}}
	err := tx.Bucket(settingBucket).ForEach(func(_, text []byte) error {
		var r settingRecord
		if err := decode(text, &r); err != nil {
			return err
		}
		if r.Organization != nil {
			for _, s := range r.Organization.Secrets {
				v.add("", s)
			}
		}
		if r.Repository != nil {
			for _, s := range r.Repository.Secrets {
				v.add(r.Repository.Repository, s)
			}
		}
		return nil
	})
	slices.SortFunc(v.all, func(a, b *heldSecret) int {
		return cmp.Or(strings.Compare(a.key.repository, b.key.repository), strings.Compare(a.key.environment, b.key.environment),
			strings.Compare(a.key.name, b.key.name), strings.Compare(a.Store, b.Store))
	})
	return v, err
}

func (v *inventory) add(repository string, s github.Secret) {
	h := &heldSecret{key: key(repository, s.Environment, s.Name), partial: s.Partial, Secret: Secret{
		Name: s.Name, Scope: "organization", Store: s.Store, Repository: repository, Environment: s.Environment,
		Visibility: s.Visibility, Selected: s.Selected, Created: s.Created, Updated: s.Updated,
	}}
	switch {
	case s.Environment != "":
		h.Scope = "environment"
	case repository != "":
		h.Scope = "repository"
	}
	if s.Visibility == "selected" {
		h.selected = map[string]bool{}
		for _, r := range s.Selected {
			h.selected[strings.ToLower(r)] = true
		}
	}
	v.all = append(v.all, h)
	v.in[h.key.repository] = append(v.in[h.key.repository], h)
	if h.Store == "actions" {
		v.of[h.key] = h
	}
}

// visible reports whether a repository may see a secret of the organization.
func (h *heldSecret) visible(r *Repository) bool {
	switch h.Visibility {
	case "private":
		return r.Visibility != "public"
	case "selected":
		return h.partial || h.selected[strings.ToLower(r.Name)]
	}
	return true
}

// find returns the secret that a name means in a job: that of its environment, else of
// the repository, else of the organization. It is nil where none is listed.
func (v *inventory) find(r *Repository, environment, name string) *heldSecret {
	if len(v.of) == 0 {
		return nil
	}
	if environment != "" {
		if h := v.of[key(r.Name, environment, name)]; h != nil {
			return h
		}
	}
	if h := v.of[key(r.Name, "", name)]; h != nil {
		return h
	}
	if h := v.of[key("", "", name)]; h != nil && h.visible(r) {
		return h
	}
	return nil
}

// use counts the uses of the secrets by the jobs of a repository.
func (v *inventory) use(r *Repository, d digest) {
	for _, j := range d.Jobs {
		if j.Inherits {
			v.open(r, j.Environment)
		}
		for _, c := range j.Credentials {
			if c.Lifetime != standing || c.Name == reach.EverySecret {
				continue
			}
			if h := v.find(r, j.Environment, c.Name); h != nil {
				h.UsedBy++
				if j.Foreign {
					h.Foreign++
				}
			}
		}
	}
}

// open marks all that a job that holds every secret could have.
func (v *inventory) open(r *Repository, environment string) {
	for _, h := range v.in[""] {
		h.open = h.open || h.visible(r)
	}
	for _, h := range v.in[strings.ToLower(r.Name)] {
		h.open = h.open || h.Environment == "" || strings.EqualFold(h.Environment, environment)
	}
}

// secrets returns the inventory joined with use.
func (v *inventory) secrets() []Secret {
	out := []Secret{}
	for _, h := range v.all {
		h.Dead = h.Store == "actions" && h.UsedBy == 0 && !h.open
		out = append(out, h.Secret)
	}
	return out
}

// place names where the value that a name means is kept: two jobs with the same place
// have the same secret. Without an inventory each repository has its own.
func (v *inventory) place(r *Repository, environment, name string) secretKey {
	if h := v.find(r, environment, name); h != nil {
		return h.key
	}
	return key(r.Name, "", name)
}

// sumOf counts what the index holds.
func sumOf(tx *bbolt.Tx) (sum, error) {
	v, err := inventoryOf(tx)
	if err != nil {
		return sum{}, err
	}
	var s sum
	digests, places := newDecoder(), map[secretKey]bool{}
	err = eachRepo(tx, func(r *repoRecord) error {
		s.Repositories++
		if r.Analysis == "" {
			return nil
		}
		d, err := digests.read(tx, r.Analysis)
		s.Pairs += d.Pairs
		for _, j := range d.Jobs {
			for _, c := range j.Credentials {
				if c.Lifetime == standing && c.Name != reach.EverySecret {
					places[v.place(&r.Repository, j.Environment, c.Name)] = true
				}
			}
		}
		return err
	})
	for p := range places {
		if p.repository == "" {
			s.Shared = append(s.Shared, p.name)
		} else {
			s.Own++
		}
	}
	slices.Sort(s.Shared)
	return s, err
}
