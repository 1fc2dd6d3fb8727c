package org

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/workflows/github"
)

// A Client reads an organization from its host; [github.Reader] is one.
type Client interface {
	Pages(ctx context.Context, org string, o github.PageOptions) iter.Seq2[github.Page, error]
	Trees(ctx context.Context, nodeIDs []string) iter.Seq2[github.TreeID, error]
	Repositories(ctx context.Context, nodeIDs []string) iter.Seq2[github.Repo, error]
	Settings(ctx context.Context, org string) (github.Settings, error)
	RepositorySettings(ctx context.Context, repos []github.Repo, which github.Which) iter.Seq2[github.RepositorySettings, error]
	Resolve(ctx context.Context, names []github.RefName) iter.Seq2[github.RefCommit, error]
	Spent() github.Spent
}

// An Inventory is how much of the settings a scan reads.
type Inventory int

// The inventories. All costs about one REST request for each repository that uses
// stored secrets, and one for each environment.
const (
	NoInventory           Inventory = iota
	OrganizationInventory           // what the organization has set: about twenty requests
	WholeInventory                  // that of every repository, too
)

// Options choose what a scan does.
type Options struct {
	// Organization is its name, and Host the host's, "github.com".
	Organization, Host string
	// Shard is the part of the repositories that this index holds; zero means all.
	Shard Shard
	// Sweep compares the commit of every known repository with the host's. That finds
	// what the times of pushes do not tell: another default branch, a repository
	// that was taken away or is back, one that the token may newly read.
	Sweep     bool
	Inventory Inventory
	// Resolve asks which commits the tags and branches name that actions are used by:
	// [github.RefsPerQuery] of them a query.
	Resolve bool
	// Rules are those to judge by, and Known all there are.
	Rules, Known []*lint.Rule
	// Build names the build of stint: what another build judged is judged again.
	Build string
	// Today is the date for suppressions and debt, YYYY-MM-DD.
	Today string
	Now   func() time.Time
	// Progress is told after every step, from one goroutine. It may be nil.
	Progress func(Progress)
}

// Progress is how far a scan has come.
type Progress struct {
	// Doing is what it does: "reading", "comparing", "judging", "resolving", "settings".
	Doing string
	// Done of Total repositories, of refs where it resolves; Total is 0 when it is not known yet.
	Done, Total int
	Requests    Requests
}

// batch is how many repositories are asked for, judged and written at a time.
const batch = 100

// Scan brings an index up to date. A scan that ended early, however it did, is taken up
// where it was by the next one; what was read before is never read again for that.
//
// The error is that of the host, of the index ([*IndexError]), or of ctx. Repositories
// that could not be read are no error: the index says which, and why.
func Scan(ctx context.Context, c Client, x *Index, o Options) error {
	s := &scan{client: c, index: x, o: o, rules: rulesDigest(o)}
	if err := s.begin(); err != nil {
		return err
	}
	for at, do := range []func(context.Context) error{
		stageListing: s.list, stageSweep: s.sweep, stageRetry: s.retry, stageJudging: s.judgeAll, stageResolving: s.resolve,
		stageSettings: s.settings,
	} {
		if s.run.Stage > stage(at) {
			continue
		}
		if err := do(ctx); err != nil {
			return err
		}
		s.run.Stage, s.run.Cursor = stage(at)+1, ""
		if err := x.update(s.saveRun); err != nil {
			return err
		}
	}
	return s.end()
}

// A scan is one run, or the rest of one.
type scan struct {
	client Client
	index  *Index
	o      Options
	rules  string
	number uint64
	run    runRecord
	// spent is what the run had asked before it was taken up.
	spent Requests
	done  int
}

// begin takes up the run that did not end, or starts one.
func (s *scan) begin() error {
	return s.index.update(func(tx *bbolt.Tx) error {
		if err := s.own(tx); err != nil {
			return err
		}
		last, number, err := lastRun(tx)
		if err != nil {
			return err
		}
		var since time.Time
		finished, err := lastFinished(tx)
		kind := runFull
		switch {
		case err != nil:
			return err
		case finished != nil && s.o.Sweep:
			kind, since = runSweep, finished.Newest
		case finished != nil:
			kind, since = runChanged, finished.Newest
		}
		if number > 0 && last.Ended.IsZero() && last.Kind == kind {
			s.number, s.run, s.spent = number, last, last.Requests
			return nil
		}
		if number == 0 || !last.Ended.IsZero() {
			number++
		}
		s.number = number
		s.run = runRecord{Kind: kind, Started: s.o.Now().UTC(), Since: since, Newest: since, Stint: s.o.Build}
		if finished != nil {
			s.run.Total, s.run.Hidden = finished.Total, finished.Hidden
		}
		return s.saveRun(tx)
	})
}

func lastFinished(tx *bbolt.Tx) (*runRecord, error) {
	all, err := allRuns(tx)
	for i := len(all) - 1; i >= 0; i-- {
		if !all[i].Ended.IsZero() {
			return &all[i], err
		}
	}
	return nil, err
}

// own holds the index against the organization and the shard, or gives it to them.
func (s *scan) own(tx *bbolt.Tx) error {
	meta := tx.Bucket(metaBucket)
	for _, m := range []struct{ name, value, hint string }{
		{"host", s.o.Host, "name another file with --index"},
		{"organization", strings.ToLower(s.o.Organization), "name another file with --index"},
		{"shards", s.o.Shard.String(), "name another file with --index, or give the shard that it was made with"},
	} {
		switch known := meta.Get([]byte(m.name)); {
		case known == nil:
			if err := meta.Put([]byte(m.name), []byte(m.value)); err != nil {
				return err
			}
		case string(known) != m.value:
			return &IndexError{s.index.path, fmt.Sprintf("is for the %s %q", strings.TrimSuffix(m.name, "s"), known), m.hint}
		}
	}
	return nil
}

// saveRun writes how far the run is, with what it has asked.
func (s *scan) saveRun(tx *bbolt.Tx) error {
	s.run.Requests = s.requests()
	return putRun(tx, s.number, s.run)
}

func (s *scan) requests() Requests {
	now := s.client.Spent()
	return Requests{
		GraphQL: s.spent.GraphQL + now.GraphQL, Points: s.spent.Points + now.Points,
		REST: s.spent.REST + now.REST, Git: s.spent.Git + now.Git,
	}
}

func (s *scan) progress(doing string, done, total int) {
	if s.o.Progress != nil {
		s.o.Progress(Progress{doing, done, total, s.requests()})
	}
}

// list reads the pages of the listing from where the run is. While one is judged the
// next is asked for.
func (s *scan) list(ctx context.Context) error {
	o := github.PageOptions{After: s.run.Cursor, Text: s.o.Shard.all(), Since: s.run.Since}
	for page, err := range ahead(ctx, s.client.Pages(ctx, s.o.Organization, o)) {
		if err != nil {
			return err
		}
		if err := s.take(ctx, page); err != nil {
			return err
		}
	}
	return nil
}

// take writes and judges one page.
func (s *scan) take(ctx context.Context, page github.Page) error {
	repos := slices.DeleteFunc(slices.Clone(page.Repos), func(r github.Repo) bool { return r.ID == 0 || !s.o.Shard.owns(r.ID) })
	if !s.o.Shard.all() {
		var err error
		if repos, err = s.readChanged(ctx, repos); err != nil {
			return err
		}
	}
	if s.run.Kind == runFull && s.o.Shard.first() {
		s.run.Hidden += hidden(page)
	}
	s.run.Total = max(page.Total, len(page.Repos))
	for _, r := range page.Repos {
		if r.Pushed.After(s.run.Newest) {
			s.run.Newest = r.Pushed
		}
	}
	if s.run.Cursor = page.Cursor; page.Cursor == "" {
		s.run.Stage = stageListing + 1 // written with the page: the listing is not begun again
	}
	s.done += len(page.Repos)
	total := s.run.Total
	if s.run.Kind != runFull {
		total = 0
	}
	err := s.write(ctx, repos)
	s.progress("reading", s.done, total)
	return err
}

// hidden counts the repositories of a page that have no name.
func hidden(page github.Page) int {
	n := 0
	for _, r := range page.Repos {
		if r.ID == 0 {
			n++
		}
	}
	return n
}

// readChanged reads whole those of a listing without text that the index does not have
// as they are.
func (s *scan) readChanged(ctx context.Context, listed []github.Repo) ([]github.Repo, error) {
	var out []github.Repo
	ids := map[string]int64{}
	err := s.index.view(func(tx *bbolt.Tx) error {
		for _, r := range listed {
			rec, err := getRepo(tx, r.ID)
			switch {
			case err != nil:
				return err
			case r.Failed == "" && (rec == nil || rec.Head != r.Head || rec.Status != StatusOK && rec.Status != StatusEmpty):
				ids[r.NodeID] = r.ID
			case r.Failed != "":
				out = append(out, r)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	read, err := s.readWhole(ctx, slices.Sorted(maps.Keys(ids)), ids)
	return append(out, read...), err
}

// readWhole reads repositories by their node ids; known gives the ids of those that the
// host does not name any more.
func (s *scan) readWhole(ctx context.Context, nodeIDs []string, known map[string]int64) ([]github.Repo, error) {
	var out []github.Repo
	for r, err := range s.client.Repositories(ctx, nodeIDs) {
		if err != nil {
			return nil, err
		}
		if r.ID == 0 {
			r.ID = known[r.NodeID]
		}
		if r.ID != 0 && s.o.Shard.owns(r.ID) {
			out = append(out, r)
		}
	}
	return out, nil
}

// write keeps repositories as they were read, with the state of the run, and judges
// them.
func (s *scan) write(ctx context.Context, repos []github.Repo) error {
	slices.SortFunc(repos, func(a, b github.Repo) int { return cmp.Compare(a.ID, b.ID) })
	var ids []int64
	err := s.index.update(func(tx *bbolt.Tx) error {
		ids = ids[:0]
		for i := range repos {
			if err := s.writeRepo(tx, &repos[i]); err != nil {
				return err
			}
			ids = append(ids, repos[i].ID)
		}
		return s.saveRun(tx)
	})
	if err != nil {
		return err
	}
	return s.judge(ctx, ids)
}

func getRepo(tx *bbolt.Tx, id int64) (*repoRecord, error) {
	var r repoRecord
	found, err := getJSON(tx.Bucket(repoBucket), repoKey(id), &r)
	if err != nil || !found {
		return nil, err
	}
	return &r, nil
}

// writeRepo keeps what was read of one repository. What could not be read again stays as
// it was known, under the status that says so.
func (s *scan) writeRepo(tx *bbolt.Tx, r *github.Repo) error {
	old, err := getRepo(tx, r.ID)
	if err != nil {
		return err
	}
	if old == nil {
		old = &repoRecord{}
	}
	rec := *old
	rec.ID, rec.Seen, rec.Gone = r.ID, s.run.Started, time.Time{}
	rec.NodeID, rec.Name = cmp.Or(r.NodeID, old.NodeID), cmp.Or(r.Name, old.Name)
	if r.Failed != "" || r.Name == "" {
		rec.Status, rec.Why = StatusFailed, r.Failed
		if r.Failed == "" {
			rec.Status, rec.Why = statusOf(r)
		}
		return putJSON(tx.Bucket(repoBucket), repoKey(r.ID), rec)
	}
	rec.Visibility, rec.Fork, rec.Archived = r.Visibility, r.Fork, r.Archived
	rec.Branch, rec.Head, rec.Pushed = r.Branch, r.Head, r.Pushed
	rec.Status, rec.Why = statusOf(r)
	if rec.Status != StatusDenied || len(r.Files) > 0 {
		if rec.Set, err = putFiles(tx, owner(r.Name), r); err != nil {
			return err
		}
	}
	rec.enter(rec.Set, s.run.Started)
	return putJSON(tx.Bucket(repoBucket), repoKey(r.ID), rec)
}

// enter notes that the repository has these files from now on.
func (r *repoRecord) enter(set string, now time.Time) {
	if n := len(r.States); n > 0 && r.States[n-1].Set == set {
		return
	}
	r.Analysis = ""
	r.States = append(r.States, state{Set: set, From: now})
	if n := len(r.States) - maxStates; n > 0 {
		r.States = r.States[n:]
	}
}

func owner(repository string) string {
	name, _, _ := strings.Cut(repository, "/")
	return name
}

func statusOf(r *github.Repo) (Status, string) {
	_, set := setOf(r)
	switch {
	case len(r.Denied) > 1:
		return StatusDenied, fmt.Sprintf("%s, and %d more", r.Denied[0], len(r.Denied)-1)
	case len(r.Denied) == 1:
		return StatusDenied, r.Denied[0]
	case r.Head == "":
		return StatusEmpty, "it has no commit"
	case set == "":
		return StatusEmpty, "it has no workflow, action, dependabot or lock file"
	}
	return StatusOK, ""
}

// ahead reads one page ahead of whoever takes them.
func ahead(ctx context.Context, pages iter.Seq2[github.Page, error]) iter.Seq2[github.Page, error] {
	type answer struct {
		page github.Page
		err  error
	}
	return func(yield func(github.Page, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		read := make(chan answer)
		defer func() {
			stop()
			for range read { // until the reader has seen it
			}
		}()
		go func() {
			defer close(read)
			for page, err := range pages {
				select {
				case read <- answer{page, err}:
				case <-ctx.Done():
					return
				}
			}
		}()
		for a := range read {
			if !yield(a.page, a.err) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(github.Page{}, err) // the reader stopped; what it read is not all there is
		}
	}
}
