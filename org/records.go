package org

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/stint-dev/stint/workflows"
)

// maxRecordBytes is the longest record that is read after unpacking.
const maxRecordBytes = 256 << 20

// A repoRecord is a repository with what only the index needs of it.
type repoRecord struct {
	Repository
	NodeID string `json:"node,omitempty"`
	// Set names its files in the bucket of sets, "" when there are none.
	Set string `json:"set,omitempty"`
	// Gone is when a listing first did not have it any more.
	Gone time.Time `json:"gone,omitzero"`
	// States are what it was, oldest first; the last is what it is.
	States []state `json:"states,omitempty"`
}

// A state is what a repository's files said from a time on.
type state struct {
	Set      string    `json:"set"`
	Analysis string    `json:"analysis,omitempty"`
	From     time.Time `json:"from"`
}

// maxStates bounds what is kept of one repository's past.
const maxStates = 24

// A fileEntry is one file of a set.
type fileEntry struct {
	Path string `json:"path"`
	OID  string `json:"oid"`
	// Unread says why its text is not in the index, "" when it is.
	Unread string `json:"unread,omitempty"`
}

// A blobRecord is one content. Its text is kept, in zlib: without it a new version of
// the rules would have to read the whole organization again.
type blobRecord struct {
	// Mentions are the repositories of the organization that the text names, in lower
	// case and without the owner.
	Mentions []string `json:"mentions,omitempty"`
	// Dated is set when the text may hold an end of a suppression or of debt, so that
	// what is said of it changes with the day.
	Dated bool `json:"dated,omitempty"`

	packed []byte // the text; it stands behind the record's JSON and a line break
}

// A runRecord is one run of a scan, or what several shards' runs were together.
type runRecord struct {
	Kind    string    `json:"kind"` // runFull, runChanged, runSweep
	Started time.Time `json:"started"`
	// Ended is zero while the run is under way, or was killed.
	Ended time.Time `json:"ended,omitzero"`
	Stint string    `json:"stint"`
	// Stage is how far it has come, and Cursor how far in the listing.
	Stage  stage  `json:"stage"`
	Cursor string `json:"cursor,omitempty"`
	// Since is where the listing ends, and Newest where that of the next run does.
	Since  time.Time `json:"since,omitzero"`
	Newest time.Time `json:"newest,omitzero"`
	Total  int       `json:"total"`
	// Hidden counts the repositories that the host lists without saying which.
	Hidden   int      `json:"hidden,omitempty"`
	Requests Requests `json:"requests"`
	Sum      sum      `json:"sum"`
}

// A sum is the state of the index at the end of a run.
type sum struct {
	Pairs        int `json:"pairs"`
	Repositories int `json:"repositories"`
	// Own counts the standing credentials that one repository or environment has;
	// Shared names those of the organization, so that shards can be joined.
	Own    int      `json:"own"`
	Shared []string `json:"shared,omitempty"`
}

func (s sum) standing() int { return s.Own + len(s.Shared) }

// The kinds of runs.
const (
	runFull    = "full"
	runChanged = "changed"
	runSweep   = "sweep"
)

// A stage is a part of a run that has been begun.
type stage int

// The stages, in order.
const (
	stageListing stage = iota
	stageSweep
	stageRetry
	stageJudging
	stageResolving // after all is judged: it asks for what that uses
	stageSettings  // after all is judged: it asks more of those that use secrets
	stageDone
)

func repoKey(id int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(id)) }

// hashKey is the key of a name in hex.
func hashKey(name string) []byte {
	b, err := hex.DecodeString(name)
	if err != nil || len(b) == 0 {
		return []byte(name)
	}
	return b
}

func putJSON(b *bbolt.Bucket, key []byte, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.Put(key, text)
}

// getJSON reports whether there is a record.
func getJSON(b *bbolt.Bucket, key []byte, into any) (bool, error) {
	text := b.Get(key)
	if text == nil {
		return false, nil
	}
	return true, decode(text, into)
}

func decode(text []byte, into any) error {
	if json.Unmarshal(text, into) != nil {
		return errDamaged
	}
	return nil
}

// packers are kept: each has tables of a megabyte.
var packers = sync.Pool{New: func() any { return zlib.NewWriter(nil) }}

func pack(text []byte) []byte {
	var b bytes.Buffer
	z := packers.Get().(*zlib.Writer)
	defer packers.Put(z)
	z.Reset(&b)
	z.Write(text) // into memory: neither fails
	z.Close()
	return b.Bytes()
}

func unpack(packed []byte, most int64) ([]byte, error) {
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, errDamaged
	}
	text, err := io.ReadAll(io.LimitReader(z, most+1))
	if err != nil || int64(len(text)) > most {
		return nil, errDamaged
	}
	return text, nil
}

// putBlob keeps a content that is not there yet.
func putBlob(tx *bbolt.Tx, owner, oid string, text []byte) error {
	b, key := tx.Bucket(blobBucket), hashKey(oid)
	if b.Get(key) != nil {
		return nil
	}
	head, err := json.Marshal(blobRecord{Mentions: mentions(owner, text), Dated: dated(text)})
	if err != nil {
		return err
	}
	return b.Put(key, append(append(head, '\n'), pack(text)...))
}

func getBlob(tx *bbolt.Tx, oid string) (blobRecord, error) {
	var r blobRecord
	head, packed, found := bytes.Cut(tx.Bucket(blobBucket).Get(hashKey(oid)), []byte{'\n'})
	if !found {
		return r, errDamaged
	}
	r.packed = packed
	return r, decode(head, &r)
}

// text unpacks the content; it must be called within the transaction.
func (r blobRecord) text() ([]byte, error) { return unpack(r.packed, workflows.MaxFileBytes) }

func getSet(tx *bbolt.Tx, name string) ([]fileEntry, error) {
	var set []fileEntry
	if name == "" {
		return nil, nil
	}
	found, err := getJSON(tx.Bucket(setBucket), hashKey(name), &set)
	if err == nil && !found {
		err = errDamaged
	}
	return set, err
}

func putAnalysis(tx *bbolt.Tx, a *Analysis) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	if err := tx.Bucket(analysisBucket).Put(hashKey(a.Key), pack(text)); err != nil {
		return err
	}
	return putDigest(tx, a)
}

func getAnalysis(tx *bbolt.Tx, key string) (*Analysis, error) {
	packed := tx.Bucket(analysisBucket).Get(hashKey(key))
	if packed == nil {
		return nil, errDamaged
	}
	text, err := unpack(packed, maxRecordBytes)
	if err != nil {
		return nil, err
	}
	a := &Analysis{}
	return a, decode(text, a)
}

// eachRepo calls f for every repository, in order of their ids.
func eachRepo(tx *bbolt.Tx, f func(*repoRecord) error) error {
	return tx.Bucket(repoBucket).ForEach(func(_, text []byte) error {
		var r repoRecord
		if err := decode(text, &r); err != nil {
			return err
		}
		return f(&r)
	})
}

// allRepos returns every repository, in order of their ids.
func allRepos(tx *bbolt.Tx) ([]*repoRecord, error) {
	var texts [][]byte
	err := tx.Bucket(repoBucket).ForEach(func(_, text []byte) error {
		texts = append(texts, text)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]*repoRecord, len(texts))
	return out, inParts(len(texts), func(from, to int) error {
		for i := from; i < to; i++ {
			out[i] = &repoRecord{}
			if err := decode(texts[i], out[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// lastRun returns the newest run and its number, zero when there is none.
func lastRun(tx *bbolt.Tx) (runRecord, uint64, error) {
	key, text := tx.Bucket(runBucket).Cursor().Last()
	if key == nil {
		return runRecord{}, 0, nil
	}
	var r runRecord
	if len(key) != 8 {
		return r, 0, errDamaged
	}
	return r, binary.BigEndian.Uint64(key), decode(text, &r)
}

// allRuns returns the runs, oldest first.
func allRuns(tx *bbolt.Tx) ([]runRecord, error) {
	var all []runRecord
	err := tx.Bucket(runBucket).ForEach(func(_, text []byte) error {
		var r runRecord
		err := decode(text, &r)
		all = append(all, r)
		return err
	})
	return all, err
}

func putRun(tx *bbolt.Tx, number uint64, r runRecord) error {
	return putJSON(tx.Bucket(runBucket), binary.BigEndian.AppendUint64(nil, number), r)
}
