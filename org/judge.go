package org

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"go.etcd.io/bbolt"
)

// A verdict links a repository to what its files say.
type verdict struct {
	repo int64
	key  string
}

// judgeAll judges every repository whose analysis is not of these rules and this day.
func (s *scan) judgeAll(ctx context.Context) error {
	var ids []int64
	err := s.each(func(r *repoRecord) error {
		ids = append(ids, r.ID)
		return nil
	})
	if err != nil {
		return err
	}
	done := 0
	for some := range slices.Chunk(ids, batch) {
		if err := s.judge(ctx, some); err != nil {
			return err
		}
		done += len(some)
		s.progress("judging", done, len(ids))
	}
	return nil
}

// judge brings the analyses of some repositories up to date. Each content is judged once.
func (s *scan) judge(ctx context.Context, ids []int64) error {
	verdicts, missing, err := s.open(ids)
	if err != nil || len(verdicts) == 0 {
		return err
	}
	made, err := s.analyseAll(ctx, missing)
	if err != nil {
		return err
	}
	return s.index.update(func(tx *bbolt.Tx) error {
		for _, a := range made {
			if err := putAnalysis(tx, a); err != nil {
				return err
			}
		}
		for _, v := range verdicts {
			r, err := getRepo(tx, v.repo)
			if err != nil || r == nil {
				return err
			}
			r.Analysis = v.key
			r.States[len(r.States)-1].Analysis = v.key
			if err := putJSON(tx.Bucket(repoBucket), repoKey(v.repo), r); err != nil {
				return err
			}
		}
		return nil
	})
}

// A content is a set of files to judge, with a repository that has it.
type content struct{ key, set, repository string }

// open returns which repositories want another analysis, and which of these there are
// not yet.
func (s *scan) open(ids []int64) (verdicts []verdict, missing []content, err error) {
	wanted := map[string]bool{}
	err = s.index.view(func(tx *bbolt.Tx) error {
		for _, id := range ids {
			r, err := getRepo(tx, id)
			if err != nil {
				return err
			}
			if r == nil || r.Set == "" || len(r.States) == 0 {
				continue
			}
			key, err := analysisKey(tx, r.Name, r.Set, s.o, s.rules)
			if err != nil {
				return err
			}
			if r.Analysis == key {
				continue
			}
			verdicts = append(verdicts, verdict{id, key})
			if !wanted[key] && tx.Bucket(analysisBucket).Get(hashKey(key)) == nil {
				missing = append(missing, content{key, r.Set, r.Name})
			}
			wanted[key] = true
		}
		return nil
	})
	return verdicts, missing, err
}

// analyseAll judges contents, one a processor at a time.
func (s *scan) analyseAll(ctx context.Context, missing []content) ([]*Analysis, error) {
	made := make([]*Analysis, len(missing))
	errs := make([]error, len(missing))
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(missing)) {
		wg.Go(func() {
			for i := range next {
				made[i], errs[i] = s.analyse(ctx, missing[i])
			}
		})
	}
	for i := range missing {
		next <- i
	}
	close(next)
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return made, nil
}

func (s *scan) analyse(ctx context.Context, c content) (*Analysis, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var src *source
	err := s.index.view(func(tx *bbolt.Tx) (err error) {
		src, err = load(tx, c.repository, c.set)
		return err
	})
	if err != nil {
		return nil, err
	}
	return analyse(ctx, c.key, src, s.o)
}

// end closes the run with the sum of the index, and lets go what nothing names any more.
func (s *scan) end() error {
	return s.index.update(func(tx *bbolt.Tx) error {
		var err error
		if s.run.Sum, err = sumOf(tx); err != nil {
			return err
		}
		s.run.Ended = s.o.Now().UTC()
		if err := s.saveRun(tx); err != nil {
			return err
		}
		return collect(tx)
	})
}

// collect removes sets, contents and analyses that no repository names.
func collect(tx *bbolt.Tx) error {
	sets, blobs, analyses := map[string]bool{}, map[string]bool{}, map[string]bool{}
	err := eachRepo(tx, func(r *repoRecord) error {
		for _, st := range r.States {
			analyses[string(hashKey(st.Analysis))] = true
		}
		if r.Set == "" || sets[string(hashKey(r.Set))] {
			return nil
		}
		sets[string(hashKey(r.Set))] = true
		entries, err := getSet(tx, r.Set)
		for _, e := range entries {
			blobs[string(hashKey(e.OID))] = true
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, b := range []struct {
		name []byte
		keep map[string]bool
	}{{setBucket, sets}, {blobBucket, blobs}, {digestBucket, analyses}} {
		if _, err := dropExcept(tx.Bucket(b.name), func(k []byte) bool { return b.keep[string(k)] }); err != nil {
			return err
		}
	}
	n, err := dropExcept(tx.Bucket(analysisBucket), func(k []byte) bool { return analyses[string(k)] })
	if err != nil || n == 0 {
		return err
	}
	if _, err = dropExcept(tx.Bucket(useBucket), func(k []byte) bool {
		_, key, _ := cutUseKey(k)
		return analyses[string(hashKey(key))]
	}); err != nil {
		return err
	}
	return dropRefs(tx)
}

func dropExcept(b *bbolt.Bucket, keep func(key []byte) bool) (int, error) {
	var drop [][]byte
	err := b.ForEach(func(k, _ []byte) error {
		if !keep(k) {
			drop = append(drop, slices.Clone(k))
		}
		return nil
	})
	for _, k := range drop {
		if err == nil {
			err = b.Delete(k)
		}
	}
	return len(drop), err
}
