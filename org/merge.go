package org

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// Merge puts the indexes of shards together in a new one. The result is what one scan of
// the whole would have made; where a shard is missing it says so, and is not complete.
// The error is an [*IndexError].
func Merge(out *Index, in []*Index) error {
	heads := make([]head, len(in))
	for i, x := range in {
		if err := x.view(func(tx *bbolt.Tx) (err error) {
			heads[i], err = headOf(tx)
			return err
		}); err != nil {
			return err
		}
		if err := heads[i].fits(heads[:i], x.path); err != nil {
			return err
		}
	}
	if err := out.update(func(tx *bbolt.Tx) error { return out.adopt(tx, heads) }); err != nil {
		return err
	}
	for _, x := range in {
		if err := x.view(func(from *bbolt.Tx) error { return out.take(from) }); err != nil {
			return err
		}
	}
	return out.update(func(tx *bbolt.Tx) error {
		last, number, err := lastRun(tx)
		if err != nil || last.Ended.IsZero() {
			return err
		}
		if last.Sum, err = sumOf(tx); err != nil {
			return err
		}
		return putRun(tx, number, last)
	})
}

// A head is what an index says of itself.
type head struct {
	host, organization string
	shard              Shard
	runs               []runRecord
}

func headOf(tx *bbolt.Tx) (head, error) {
	meta := tx.Bucket(metaBucket)
	h := head{host: string(meta.Get([]byte("host"))), organization: string(meta.Get([]byte("organization")))}
	var err error
	if h.shard, err = ParseShard(string(meta.Get([]byte("shards")))); err != nil {
		return h, errPart
	}
	h.runs, err = allRuns(tx)
	return h, err
}

// fits holds an index against those before it.
func (h head) fits(before []head, path string) error {
	for _, b := range before {
		switch {
		case h.host != b.host || h.organization != b.organization:
			return &IndexError{path, fmt.Sprintf("is of %q on %q, and another one is of %q on %q", h.organization, h.host, b.organization, b.host), "merge shards of one organization only"}
		case h.shard.Of != b.shard.Of:
			return &IndexError{path, fmt.Sprintf("is shard %s, and another one is %s", h.shard, b.shard), "make all shards with the same N"}
		case h.shard == b.shard:
			return &IndexError{path, fmt.Sprintf("is shard %s, which is there twice", h.shard), "give each shard once"}
		}
	}
	return nil
}

// adopt makes a new index that of the shards.
func (x *Index) adopt(tx *bbolt.Tx, heads []head) error {
	meta := tx.Bucket(metaBucket)
	if meta.Get([]byte("organization")) != nil {
		return &IndexError{x.path, "is not empty", "merge into a new file"}
	}
	var have []string
	for _, h := range heads {
		have = append(have, h.shard.String())
	}
	slices.Sort(have)
	if len(heads) == heads[0].shard.Of {
		have = []string{Shard{}.String()}
	}
	for name, value := range map[string]string{"host": heads[0].host, "organization": heads[0].organization, "shards": strings.Join(have, " ")} {
		if err := meta.Put([]byte(name), []byte(value)); err != nil {
			return err
		}
	}
	for i, r := range joinRuns(heads) {
		if err := putRun(tx, uint64(i+1), r); err != nil {
			return err
		}
	}
	return nil
}

// joinRuns adds up the runs of the shards, the last with the last.
func joinRuns(heads []head) []runRecord {
	most := 0
	for _, h := range heads {
		most = max(most, len(h.runs))
	}
	out := make([]runRecord, most)
	for i := range out {
		var parts []runRecord
		for _, h := range heads {
			if at := len(h.runs) - most + i; at >= 0 {
				parts = append(parts, h.runs[at])
			}
		}
		out[i] = joinRun(parts)
	}
	return out
}

func joinRun(parts []runRecord) runRecord {
	out := parts[0]
	out.Cursor = ""
	for _, p := range parts[1:] {
		out.Started = earlier(out.Started, p.Started)
		out.Since, out.Newest = earlier(out.Since, p.Since), earlier(out.Newest, p.Newest)
		if out.Ended.IsZero() || p.Ended.IsZero() {
			out.Ended = time.Time{}
		} else if p.Ended.After(out.Ended) {
			out.Ended = p.Ended
		}
		if p.Kind != out.Kind {
			out.Kind = runChanged
		}
		out.Stage, out.Total = min(out.Stage, p.Stage), max(out.Total, p.Total)
		out.Hidden += p.Hidden
		out.Requests.GraphQL += p.Requests.GraphQL
		out.Requests.Points += p.Requests.Points
		out.Requests.REST += p.Requests.REST
		out.Requests.Git += p.Requests.Git
		out.Sum.Pairs += p.Sum.Pairs
		out.Sum.Repositories += p.Sum.Repositories
		out.Sum.Own += p.Sum.Own
		out.Sum.Shared = append(slices.Clone(out.Sum.Shared), p.Sum.Shared...)
	}
	slices.Sort(out.Sum.Shared)
	out.Sum.Shared = slices.Compact(out.Sum.Shared)
	return out
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// maxTaken bounds what one transaction of a merge writes, in bytes.
const maxTaken = 16 << 20

// contentBuckets are named by what they hold: the same key has the same value, but for
// refs and settings, which each shard has read for itself.
var contentBuckets = [][]byte{repoBucket, setBucket, blobBucket, analysisBucket, digestBucket, useBucket, refBucket, settingBucket}

// take copies the records of another index, a part at a time.
func (x *Index) take(from *bbolt.Tx) error {
	for _, name := range contentBuckets {
		c := from.Bucket(name).Cursor()
		for k, v := c.First(); k != nil; {
			err := x.update(func(tx *bbolt.Tx) error {
				to, n := tx.Bucket(name), 0
				for ; k != nil && n < maxTaken; k, v = c.Next() {
					n += len(k) + len(v)
					if err := mergeRecord(to, name, k, v); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// mergeRecord puts a record to those of the shards before.
func mergeRecord(to *bbolt.Bucket, name, k, v []byte) error {
	there := to.Get(k)
	switch {
	case there == nil:
	case bytes.Equal(name, settingBucket):
		if !newerSettings(there, v) {
			return nil
		}
	case bytes.Equal(name, refBucket):
		var a, b Ref
		if err := errors.Join(decode(there, &a), decode(v, &b)); err != nil {
			return err
		}
		return putJSON(to, k, a.join(b))
	}
	return to.Put(k, v)
}

// newerSettings reports whether settings were read later than those that are there.
func newerSettings(there, v []byte) bool {
	var a, b settingRecord
	return decode(there, &a) == nil && decode(v, &b) == nil && b.Read.After(a.Read)
}
