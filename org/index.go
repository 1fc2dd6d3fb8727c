package org

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

// indexFormat and indexVersion are written into every index. A change of what the
// buckets hold is a new version.
const (
	indexFormat  = "stint organization index"
	indexVersion = "3"
)

// lockTimeout is how long an index that another process uses is waited for.
const lockTimeout = 2 * time.Second

// indexMode keeps an index from other users: it holds the text of private files.
const indexMode = 0o600

// The buckets. Keys of repositories are their ids as 8 bytes, big-endian; sets,
// blobs and analyses are named by what they hold.
var (
	metaBucket     = []byte("meta")     // format, version, host, organization, shards
	repoBucket     = []byte("repos")    // id → repoRecord
	setBucket      = []byte("sets")     // digest → []fileEntry: what a repository has
	blobBucket     = []byte("blobs")    // git's id → blobRecord, with the text in zlib
	analysisBucket = []byte("analyses") // key → Analysis as JSON in zlib
	digestBucket   = []byte("digests")  // key → digest: what queries need of an analysis
	useBucket      = []byte("uses")     // action or ecosystem, 0, key → nothing: which analyses have it
	refBucket      = []byte("refs")     // owner/repo, 0, tag or branch → Ref
	runBucket      = []byte("runs")     // number → runRecord
	settingBucket  = []byte("settings") // "" or a repository's id → what was read of it
	buckets        = [][]byte{metaBucket, repoBucket, setBucket, blobBucket, analysisBucket, digestBucket, useBucket, refBucket, runBucket, settingBucket}
)

// An Index is everything that is known of one organization, in one file. One process
// may write to it at a time; it is safe for concurrent use within that.
//
// All that a page of a listing brought is written in one transaction, with the place
// where the listing goes on, so that a process that is killed leaves a whole index.
type Index struct {
	db   *bbolt.DB
	path string
}

// An IndexError is an index that cannot be used: what is wrong, and what to do next.
type IndexError struct {
	Path string
	// Reason and Hint are one lower-case line each.
	Reason, Hint string
}

// Error returns the first line.
func (e *IndexError) Error() string { return fmt.Sprintf("the index %q %s", e.Path, e.Reason) }

// NextStep returns the second line.
func (e *IndexError) NextStep() string { return e.Hint }

// Create opens an index for writing and makes it, with its directory, where there is
// none. The error is an [*IndexError].
func Create(path string) (*Index, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, &IndexError{path, "has no directory: " + plain(err), "name another file with --index"}
	}
	x, err := open(path, &bbolt.Options{Timeout: lockTimeout, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return nil, err
	}
	if err := x.prepare(); err != nil {
		x.db.Close()
		return nil, err
	}
	return x, nil
}

// Open opens an index for reading; several processes may do so at a time. The error is
// an [*IndexError].
func Open(path string) (*Index, error) {
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return nil, &IndexError{path, "is not there", "make it with `stint org NAME --index FILE`"}
	}
	x, err := open(path, &bbolt.Options{Timeout: lockTimeout, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	if err := x.view(checkFormat); err != nil {
		x.db.Close()
		return nil, err
	}
	return x, nil
}

// Close gives the file back.
func (x *Index) Close() error { return x.db.Close() }

func open(path string, o *bbolt.Options) (*Index, error) {
	x := &Index{path: path}
	err := x.guard(func() (err error) {
		x.db, err = bbolt.Open(path, indexMode, o)
		return err
	})
	if err != nil {
		return nil, x.openError(err)
	}
	if err := x.db.View(x.whole); err != nil {
		x.db.Close()
		return nil, err
	}
	return x, nil
}

func (x *Index) openError(err error) error {
	var known *IndexError
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, bbolterrors.ErrTimeout):
		return &IndexError{x.path, "is in use by another process", "wait until that one ends, or name another file with --index"}
	case errors.Is(err, bbolterrors.ErrInvalid), errors.Is(err, bbolterrors.ErrVersionMismatch):
		return x.foreign()
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		return &IndexError{x.path, "cannot be opened: " + plain(err), "check the path and its permissions"}
	}
	return x.damaged()
}

func (x *Index) foreign() error {
	return &IndexError{x.path, "is no index of stint", "name another file with --index; this one was left as it is"}
}

func (x *Index) damaged() error {
	return &IndexError{x.path, "is damaged", "move it away and run `stint org` again, or take a copy of it from before"}
}

// whole reports a file that is shorter than it says itself.
func (x *Index) whole(tx *bbolt.Tx) error {
	info, err := os.Stat(x.path)
	if err != nil || info.Size() < tx.Size() {
		return x.damaged()
	}
	return nil
}

// prepare makes the buckets of a new index, or checks an old one.
func (x *Index) prepare() error {
	return x.update(func(tx *bbolt.Tx) error {
		if first, _ := tx.Cursor().First(); first != nil {
			return checkFormat(tx)
		}
		for _, name := range buckets {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		meta := tx.Bucket(metaBucket)
		return errors.Join(meta.Put([]byte("format"), []byte(indexFormat)), meta.Put([]byte("version"), []byte(indexVersion)))
	})
}

// These are turned into an IndexError by guard, which knows the path.
var (
	errFormat = errors.New("another format")
	errNewer  = errors.New("another version")
	errPart   = errors.New("already merged")
)

func checkFormat(tx *bbolt.Tx) error {
	meta := tx.Bucket(metaBucket)
	switch {
	case meta == nil || string(meta.Get([]byte("format"))) != indexFormat:
		return errFormat
	case string(meta.Get([]byte("version"))) != indexVersion:
		return errNewer
	}
	for _, name := range buckets {
		if tx.Bucket(name) == nil {
			return errDamaged
		}
	}
	return nil
}

func (x *Index) view(read func(*bbolt.Tx) error) error {
	return x.guard(func() error { return x.db.View(read) })
}

func (x *Index) update(write func(*bbolt.Tx) error) error {
	return x.guard(func() error { return x.db.Update(write) })
}

// errDamaged says that a record cannot be decoded.
var errDamaged = errors.New("damaged")

// guard runs a transaction. The database trusts its file: it panics, or reads past the
// end of it, when a page is not what it should be. Both are an error here.
func (x *Index) guard(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			err = x.damaged()
		}
	}()
	switch err := do(); {
	case errors.Is(err, errFormat):
		return x.foreign()
	case errors.Is(err, errNewer):
		return &IndexError{x.path, "was written by another version of stint", "use that version, or name another file with --index"}
	case errors.Is(err, errPart):
		return &IndexError{x.path, "was merged from some of its shards only", "merge the shards themselves"}
	case errors.Is(err, errDamaged):
		return x.damaged()
	default:
		return err
	}
}

// plain returns what an error of the file system says, without the path.
func plain(err error) string {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return err.Error()
}
