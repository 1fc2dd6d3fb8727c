package receipt

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/stint-dev/stint/oidc"
)

// A Writer appends events to a file, each with the hash of the line before it and in
// a single write. Several processes can append to one file: the last line is read,
// and the next one written, under a lock of the file. Where the system has no such lock
// (see [canLock]), two that write at the same moment fork the chain, which [Read] tells.
// It is safe for concurrent use.
type Writer struct {
	mu sync.Mutex
	f  *os.File
}

// NewWriter writes to a file of [OpenFile].
func NewWriter(f *os.File) *Writer { return &Writer{f: f} }

// Write chains an event to the last line, encodes it and writes it. A last line that
// was left half-written is closed first, and counts as it stands.
func (w *Writer) Write(e Event) (err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := lock(w.f); err != nil {
		return err
	}
	defer unlock(w.f)
	last, whole, err := tail(w.f)
	if err != nil {
		return err
	}
	if last != nil {
		e.Prev = Hash(last)
	}
	line, err := e.Encode()
	if err != nil {
		return err
	}
	if !whole {
		line = append([]byte("\n"), line...)
	}
	if _, err := w.f.Write(line); err != nil {
		return receiptError("it could not be written")
	}
	return nil
}

// tail returns the last line of a file without its newline, nil of an empty file, and
// whether that newline is there.
func tail(f *os.File) (last []byte, whole bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return nil, false, receiptError("the file cannot be read")
	}
	size := min(info.Size(), MaxLineBytes+1)
	window := make([]byte, size)
	if _, err := f.ReadAt(window, info.Size()-size); err != nil {
		return nil, false, receiptError("the line before it cannot be read")
	}
	if size == 0 {
		return nil, true, nil
	}
	last, whole = bytes.CutSuffix(window, []byte("\n"))
	if i := bytes.LastIndexByte(last, '\n'); i >= 0 {
		last = last[i+1:]
	} else if size < info.Size() {
		return nil, false, receiptError("the line before it is longer than %d bytes", MaxLineBytes)
	}
	return last, whole, nil
}

// Times to wait for another process that is writing its line.
const (
	lockTries = 100
	lockPause = 10 * time.Millisecond
)

// lock takes the lock of the file. It gives up on one that is held for long: an end must
// not wait for what another process of the job does.
func lock(f *os.File) error {
	for range lockTries {
		if tryLock(f) == nil {
			return nil
		}
		time.Sleep(lockPause)
	}
	return receiptError("another process keeps the file locked")
}

// OpenFile opens a file of receipts for appending and makes it, for its owner
// only, when it is not there. A link, or anything but a regular file, is refused.
// The caller closes it.
func OpenFile(path string) (*os.File, error) {
	before, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		// O_EXCL follows no link either.
		f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return nil, receiptError("file %q cannot be made", path)
		}
		return f, nil
	}
	if err != nil || !before.Mode().IsRegular() {
		return nil, receiptError("%q is not a regular file", path)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|noFollow, 0)
	if err != nil {
		return nil, receiptError("file %q cannot be opened for appending", path)
	}
	after, err := f.Stat()
	if err != nil || !os.SameFile(before, after) {
		_ = f.Close()
		return nil, receiptError("file %q was replaced while it was opened", path)
	}
	return f, nil
}

func receiptError(format string, args ...any) *oidc.Error {
	return &oidc.Error{Message: "a receipt is missing: " + fmt.Sprintf(format, args...),
		Hint: "give a path in a directory of the job's own, such as the runner's temporary one"}
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
