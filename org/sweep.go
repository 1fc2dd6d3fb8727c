package org

import (
	"context"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows/github"
)

// goneAfter is how long a repository that the host lists no more is kept: an incident
// may be about what ran in it, and a token that lost access is no clean organization.
const goneAfter = 30 * 24 * time.Hour

// sweep compares the commit of every known repository with the host's, and looks for
// those that are not known.
func (s *scan) sweep(ctx context.Context) error {
	if s.run.Kind != runSweep {
		return nil
	}
	var ids []string
	known := map[string]*repoRecord{}
	err := s.each(func(r *repoRecord) error {
		if r.NodeID != "" {
			known[r.NodeID] = r
			ids = append(ids, r.NodeID)
		}
		return nil
	})
	if err != nil {
		return err
	}
	changed, err := s.compare(ctx, ids, known)
	if err != nil {
		return err
	}
	byNode := map[string]int64{}
	for node, r := range known {
		byNode[node] = r.ID
	}
	if err := s.read(ctx, changed, byNode); err != nil {
		return err
	}
	unknown, err := s.unknown(ctx)
	if err != nil {
		return err
	}
	return s.read(ctx, unknown, nil)
}

func (s *scan) each(f func(*repoRecord) error) error {
	return s.index.view(func(tx *bbolt.Tx) error { return eachRepo(tx, f) })
}

// compare returns the repositories whose commit is another one now, and notes which
// were seen as they are and which are gone.
func (s *scan) compare(ctx context.Context, ids []string, known map[string]*repoRecord) ([]string, error) {
	var changed []string
	var seen []*repoRecord
	for t, err := range s.client.Trees(ctx, ids) {
		if err != nil {
			return nil, err
		}
		r := known[t.NodeID]
		switch {
		case r == nil:
			continue
		case t.Name == "" || t.Denied != "":
			r.lose(t.Denied, s.run.Started)
			seen = append(seen, r)
		case t.Head != r.Head || t.Name != r.Name || !r.Gone.IsZero() || r.Status == StatusDenied || r.Status == StatusFailed:
			changed = append(changed, t.NodeID)
		default:
			r.Seen = s.run.Started
			seen = append(seen, r)
		}
		if n := len(seen) + len(changed); n%batch == 0 {
			s.progress("comparing", n, len(ids))
		}
	}
	return changed, s.index.update(func(tx *bbolt.Tx) error {
		for _, r := range seen {
			b := tx.Bucket(repoBucket)
			if !r.Gone.IsZero() && s.run.Started.Sub(r.Gone) > goneAfter {
				if err := b.Delete(repoKey(r.ID)); err != nil {
					return err
				}
				continue
			}
			if err := putJSON(b, repoKey(r.ID), r); err != nil {
				return err
			}
		}
		return s.saveRun(tx)
	})
}

// lose notes that the host does not give the repository any more.
func (r *repoRecord) lose(why string, now time.Time) {
	if r.Gone.IsZero() {
		r.Gone = now
	}
	r.Status, r.Why = StatusOld, "deleted, moved away, or hidden from this token"
	if why != "" {
		r.Status, r.Why = StatusDenied, why
	}
}

// read reads repositories whole, writes and judges them; known gives the ids of those
// that the index has.
func (s *scan) read(ctx context.Context, nodeIDs []string, known map[string]int64) error {
	done := 0
	for ids := range slices.Chunk(nodeIDs, batch) {
		repos, err := s.readWhole(ctx, ids, known)
		if err != nil {
			return err
		}
		if err := s.write(ctx, repos); err != nil {
			return err
		}
		done += len(ids)
		s.progress("reading", done, len(nodeIDs))
	}
	return nil
}

// unknown returns the repositories that the host lists and the index does not have. They
// are looked for when the numbers differ; a shard cannot tell and always looks.
func (s *scan) unknown(ctx context.Context) ([]string, error) {
	have := map[string]bool{}
	here := 0
	err := s.each(func(r *repoRecord) error {
		have[r.NodeID] = true
		if r.Gone.IsZero() && !r.Archived {
			here++
		}
		return nil
	})
	if err != nil || s.o.Shard.all() && here+s.run.Hidden == s.run.Total {
		return nil, err
	}
	var ids []string
	hiddenNow := 0
	for page, err := range s.client.Pages(ctx, s.o.Organization, github.PageOptions{}) {
		if err != nil {
			return nil, err
		}
		hiddenNow += hidden(page)
		for _, r := range page.Repos {
			if r.ID != 0 && !have[r.NodeID] && s.o.Shard.owns(r.ID) {
				ids = append(ids, r.NodeID)
			}
		}
	}
	if s.o.Shard.first() {
		s.run.Hidden = hiddenNow
	}
	return ids, nil
}

// retry reads again what was denied or failed in earlier runs.
func (s *scan) retry(ctx context.Context) error {
	var ids []string
	known := map[string]int64{}
	err := s.each(func(r *repoRecord) error {
		if (r.Status == StatusDenied || r.Status == StatusFailed) && !r.Seen.Equal(s.run.Started) && r.Gone.IsZero() && r.NodeID != "" {
			ids = append(ids, r.NodeID)
			known[r.NodeID] = r.ID
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.read(ctx, ids, known)
}

// settings reads what the organization and its repositories have set.
func (s *scan) settings(ctx context.Context) error {
	if s.o.Inventory == NoInventory {
		return nil
	}
	// Each shard reads them: which secrets are shared cannot be told without.
	got, err := s.client.Settings(ctx, s.o.Organization)
	if err != nil {
		return err
	}
	err = s.index.update(func(tx *bbolt.Tx) error {
		return putJSON(tx.Bucket(settingBucket), organizationKey, settingRecord{Read: s.run.Started, Organization: &got})
	})
	if err != nil || s.o.Inventory != WholeInventory {
		return err
	}
	return s.repositorySettings(ctx)
}

// organizationKey is the key of the organization's own settings; no repository has it.
var organizationKey = []byte("organization")

// A settingRecord is what was read of the settings of one place, and when.
type settingRecord struct {
	Read         time.Time                  `json:"read"`
	Organization *github.Settings           `json:"organization,omitempty"`
	Repository   *github.RepositorySettings `json:"repository,omitempty"`
}

// What is asked of every repository, and of those that use stored secrets.
const (
	cheapSettings = github.WithEnvironments | github.WithDeployKeys | github.WithRulesets
	allSettings   = cheapSettings | github.WithSecrets | github.WithEnvironmentSecrets | github.WithActions | github.WithRunners | github.WithSubject
)

// repositorySettings reads those of the repositories that this run has not read yet.
func (s *scan) repositorySettings(ctx context.Context) error {
	plain, keepers, err := s.bySecrets()
	if err != nil {
		return err
	}
	total, done := len(plain)+len(keepers), 0
	for _, part := range []struct {
		repos []github.Repo
		which github.Which
	}{{keepers, allSettings}, {plain, cheapSettings}} {
		for repos := range slices.Chunk(part.repos, batch) {
			if err := s.readSettings(ctx, repos, part.which); err != nil {
				return err
			}
			done += len(repos)
			s.progress("settings", done, total)
		}
	}
	return nil
}

// bySecrets parts the repositories into those that use no stored secret and those that do.
func (s *scan) bySecrets() (plain, keepers []github.Repo, err error) {
	digests := newDecoder()
	err = s.index.view(func(tx *bbolt.Tx) error {
		return eachRepo(tx, func(r *repoRecord) error {
			var read settingRecord
			if _, err := getJSON(tx.Bucket(settingBucket), repoKey(r.ID), &read); err != nil {
				return err
			}
			if read.Read.Equal(s.run.Started) || !r.Gone.IsZero() || r.NodeID == "" {
				return nil
			}
			repo := github.Repo{ID: r.ID, NodeID: r.NodeID, Name: r.Name, Visibility: r.Visibility, Archived: r.Archived}
			if r.Analysis == "" {
				plain = append(plain, repo)
				return nil
			}
			d, err := digests.read(tx, r.Analysis)
			if d.keepsSecrets() {
				keepers = append(keepers, repo)
			} else {
				plain = append(plain, repo)
			}
			return err
		})
	})
	return plain, keepers, err
}

func (d digest) keepsSecrets() bool {
	return slices.ContainsFunc(d.Jobs, func(j jobDigest) bool {
		return j.Environment != "" || slices.ContainsFunc(j.Credentials, func(c reach.DocumentCredential) bool { return c.Lifetime == standing })
	})
}

func (s *scan) readSettings(ctx context.Context, repos []github.Repo, which github.Which) error {
	ids := map[string]int64{}
	for _, r := range repos {
		ids[r.Name] = r.ID
	}
	var got []github.RepositorySettings
	for r, err := range s.client.RepositorySettings(ctx, repos, which) {
		if err != nil {
			return err
		}
		if got = append(got, r); len(got) == settingsBatch {
			if err := s.writeSettings(got, ids); err != nil {
				return err
			}
			got = got[:0]
		}
	}
	return s.writeSettings(got, ids)
}

// settingsBatch is how many repositories' settings are written at a time: each may have
// cost several requests.
const settingsBatch = 20

func (s *scan) writeSettings(got []github.RepositorySettings, ids map[string]int64) error {
	return s.index.update(func(tx *bbolt.Tx) error {
		for i := range got {
			id, ok := ids[got[i].Repository]
			if !ok {
				continue
			}
			if err := putJSON(tx.Bucket(settingBucket), repoKey(id), settingRecord{Read: s.run.Started, Repository: &got[i]}); err != nil {
				return err
			}
		}
		return s.saveRun(tx)
	})
}
