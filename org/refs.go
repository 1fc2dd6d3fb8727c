package org

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/stint-dev/stint/workflows/github"
)

// A Ref is a tag or branch by which jobs use actions or workflows, and the commits that
// it was seen at.
type Ref struct {
	Repository string `json:"repository"` // owner/repo in lower case
	Ref        string `json:"ref"`        // as in the files
	// Asked is when the host was last asked for it. Why says in one lower-case line why it
	// named no commit then, "" when it did.
	Asked time.Time `json:"asked"`
	Why   string    `json:"why,omitempty"`
	// Seen are the commits, oldest first. What it was at between two runs is not known.
	Seen []Sighting `json:"seen,omitempty"`
}

// A Sighting is a commit that a ref was seen at by one run or by several in a row.
type Sighting struct {
	Kind   string    `json:"kind"` // "tag" or "branch"
	Commit string    `json:"commit"`
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
}

// maxSightings bounds what is kept of one ref's past: a branch may be at another commit in
// every run.
const maxSightings = 400

// see notes where the ref is.
func (r *Ref) see(c github.RefCommit, now time.Time) {
	r.Asked, r.Why = now, c.Denied
	if c.Commit != "" {
		r.enter(Sighting{c.Kind, c.Commit, now, now})
	}
}

// enter adds a sighting that is not older than the last one.
func (r *Ref) enter(s Sighting) {
	if n := len(r.Seen); n > 0 && r.Seen[n-1].Commit == s.Commit && r.Seen[n-1].Kind == s.Kind {
		if s.Last.After(r.Seen[n-1].Last) {
			r.Seen[n-1].Last = s.Last
		}
		return
	}
	r.Seen = append(r.Seen, s)
	if n := len(r.Seen) - maxSightings; n > 0 {
		r.Seen = r.Seen[n:]
	}
}

// join returns what two shards saw of the same ref.
func (r Ref) join(other Ref) Ref {
	out := r
	if other.Asked.After(r.Asked) {
		out = other
	}
	all := slices.Concat(r.Seen, other.Seen)
	slices.SortFunc(all, func(a, b Sighting) int {
		return cmp.Or(a.First.Compare(b.First), a.Last.Compare(b.Last), strings.Compare(a.Commit, b.Commit))
	})
	out.Seen = nil
	for _, s := range all {
		out.enter(s)
	}
	return out
}

func refKey(repository, ref string) []byte { return []byte(repository + "\x00" + ref) }

// refsOf returns the refs of one repository, by name.
func refsOf(tx *bbolt.Tx, repository string) ([]Ref, error) {
	var out []Ref
	prefix := refKey(repository, "")
	c := tx.Bucket(refBucket).Cursor()
	for k, text := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, text = c.Next() {
		var r Ref
		if err := decode(text, &r); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// allRefs returns the refs of all repositories, by these and by name.
func allRefs(tx *bbolt.Tx) ([]Ref, error) {
	out := []Ref{}
	err := tx.Bucket(refBucket).ForEach(func(_, text []byte) error {
		var r Ref
		err := decode(text, &r)
		out = append(out, r)
		return err
	})
	return out, err
}

// resolve asks the host which commits the refs in use name now.
func (s *scan) resolve(ctx context.Context) error {
	if !s.o.Resolve {
		return nil
	}
	names, err := s.unresolved()
	if err != nil {
		return err
	}
	var got []github.RefCommit
	done := 0
	for c, err := range s.client.Resolve(ctx, names) {
		if err != nil {
			return err
		}
		if got = append(got, c); len(got) < github.RefsPerQuery && done+len(got) < len(names) {
			continue
		}
		if err := s.writeRefs(got); err != nil {
			return err
		}
		done, got = done+len(got), got[:0]
		s.progress("resolving", done, len(names))
	}
	return nil
}

// unresolved returns the refs that jobs and actions use now and that this run has not
// asked for yet, each once.
func (s *scan) unresolved() ([]github.RefName, error) {
	used, seen := map[github.RefName]bool{}, map[string]bool{}
	digests := newDecoder()
	var out []github.RefName
	err := s.index.view(func(tx *bbolt.Tx) error {
		err := eachRepo(tx, func(r *repoRecord) error {
			if r.Analysis == "" || !r.Gone.IsZero() || seen[r.Analysis] {
				return nil
			}
			seen[r.Analysis] = true
			d, err := digests.read(tx, r.Analysis)
			d.movable(used)
			return err
		})
		if err != nil {
			return err
		}
		for n := range used {
			var known Ref
			found, err := getJSON(tx.Bucket(refBucket), refKey(n.Repository, n.Ref), &known)
			if err != nil {
				return err
			}
			if !found || known.Asked.Before(s.run.Started) {
				out = append(out, n)
			}
		}
		return nil
	})
	slices.SortFunc(out, func(a, b github.RefName) int {
		return cmp.Or(strings.Compare(a.Repository, b.Repository), strings.Compare(a.Ref, b.Ref))
	})
	return out, err
}

// movable adds the refs of all uses that are not pinned.
func (d *digest) movable(into map[github.RefName]bool) {
	add := func(uses []useDigest) {
		for i := range uses {
			u := &uses[i]
			if u.Ref != "" && !u.Pinned && !u.Locked {
				into[github.RefName{Repository: repositoryOf(u.Name), Ref: u.Ref}] = true
			}
		}
	}
	for i := range d.Jobs {
		add(d.Jobs[i].Uses)
	}
	for i := range d.Actions {
		add(d.Actions[i].Uses)
	}
}

// repositoryOf returns the owner/repo of an action.
func repositoryOf(name string) string {
	owner, rest, _ := strings.Cut(name, "/")
	repo, _, _ := strings.Cut(rest, "/")
	return owner + "/" + repo
}

func (s *scan) writeRefs(got []github.RefCommit) error {
	now := s.o.Now().UTC()
	return s.index.update(func(tx *bbolt.Tx) error {
		for _, c := range got {
			key := refKey(c.Repository, c.Ref)
			r := Ref{Repository: c.Repository, Ref: c.Ref}
			if _, err := getJSON(tx.Bucket(refBucket), key, &r); err != nil {
				return err
			}
			r.see(c, now)
			if err := putJSON(tx.Bucket(refBucket), key, r); err != nil {
				return err
			}
		}
		return s.saveRun(tx)
	})
}

// dropRefs removes the refs of repositories that no analysis uses any more: an incident
// has nobody to ask about them.
func dropRefs(tx *bbolt.Tx) error {
	_, err := dropExcept(tx.Bucket(refBucket), func(k []byte) bool {
		repository, _, _ := strings.Cut(string(k), "\x00")
		c := tx.Bucket(useBucket).Cursor()
		for _, prefix := range []string{repository + "\x00", repository + "/"} {
			if use, _ := c.Seek([]byte(prefix)); use != nil && strings.HasPrefix(string(use), prefix) {
				return true
			}
		}
		return false
	})
	return err
}
