package org

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// maxShards is the largest number of parts of an organization.
const maxShards = 256

// A Shard is one of several parts of an organization's repositories, from 1. The zero
// Shard is the whole.
type Shard struct{ Index, Of int }

// ParseShard reads "I/N", as in 1/4.
func ParseShard(s string) (Shard, error) {
	i, n, ok := strings.Cut(s, "/")
	index, err1 := strconv.Atoi(i)
	of, err2 := strconv.Atoi(n)
	if !ok || err1 != nil || err2 != nil || index < 1 || of < index || of > maxShards {
		return Shard{}, fmt.Errorf("%q is no shard: it is I/N, as in 1/4, with N at most %d", s, maxShards)
	}
	return Shard{index, of}, nil
}

// String returns "I/N", "1/1" for the whole.
func (s Shard) String() string { return fmt.Sprintf("%d/%d", max(s.Index, 1), max(s.Of, 1)) }

func (s Shard) all() bool   { return s.Of <= 1 }
func (s Shard) first() bool { return s.Index <= 1 }

// owns reports whether a repository is in the shard, by its id, which no renaming changes.
func (s Shard) owns(id int64) bool {
	if s.all() {
		return true
	}
	h := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(id)))
	return binary.BigEndian.Uint64(h[:8])%uint64(s.Of) == uint64(s.Index-1)
}
